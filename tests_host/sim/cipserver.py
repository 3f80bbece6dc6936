"""The CIPOPEN dialect of SIM7028 and A76XX: servers."""

from .at import ERROR, OK, PENDING, number
from .cipconf import OPEN
from .cipopen import CipOpen
from .link import CONNECTED, Link
from .netopen import LISTENING, NOT_BOUND, NOT_OPENED, NOT_SUPPORTED, SOCKETS_OPENED, WRONG


_LOOK_MS = 100  # between two looks for a link for who waits


class Waiting:
    """The module's end of a connection that no link is free for: it takes no data."""

    def __init__(self, *client):
        self.client = client  # index of the server, address, port, connection
        self.gone = False

    def room(self) -> int:
        """None of the window is open."""
        return 0

    def acked(self, count: int) -> None:
        """Nothing was sent."""

    def closed(self) -> None:
        """The client has given up."""
        self.gone = True

    vanished = closed


class CipServer(CipOpen):
    """SERVERSTART, SERVERSTOP and the clients that come."""

    server_count = 4
    stop_ms = 50
    CHOICES = {
        "backlog": ("turned away",),  # a client without a free link; by name: "waits", as many as SERVERSTART says
        "server_stop": ("result first", "ok first"),
        "stop_with_clients": ("stops", "refused"),  # SERVERSTOP while accepted links are open
    }

    def _reset(self) -> None:
        self.servers: dict = getattr(self, "servers", {})  # index -> port
        self._unlisten()
        self._backlog: dict = {}  # index -> how many clients may wait
        self._queued: list = []
        super()._reset()

    def do_SERVERSTART(self, op, args):
        if op == "=?":
            self.info("+SERVERSTART: (0-65535),(0-%d)" % (self.server_count - 1))
            return OK
        if self.network != OPEN:
            return self.fail("CIPERROR", NOT_OPENED)
        if op == "?":
            if self.servers:
                self.info("\r\n".join("+SERVERSTART: %d,%d" % pair for pair in sorted(self.servers.items())))
            return OK
        if op != "=" or not 1 <= len(args) <= 3:
            return ERROR
        port, index = number(args, 0, 1, 65535), number(args, 1, 0, self.server_count - 1)
        if port is None or index is None or number(args, 2, 1, 3, 3) is None:
            return self.fail("CIPERROR", WRONG)
        if index in self.servers or port in self.servers.values():
            return self.fail("CIPERROR", LISTENING)
        if not self.net.listen(port, lambda *client: self._accept(index, *client)):
            return self.fail("CIPERROR", NOT_BOUND)
        self.servers[index] = port
        self._backlog[index] = number(args, 2, 1, 3, 3)
        return OK

    def _accept(self, index: int, address: str, port: int, connection) -> "Link | Waiting | None":
        """The link of a client; without a free one it waits, as many as the backlog of the server takes."""
        if self.network != OPEN:
            return None
        if not self._usable(index):
            queued = [each for each in self._queued if each.client[0] == index]
            if self.choices["backlog"] != "waits" or len(queued) >= self._backlog[index]:
                return None
            if not self._queued:
                self.later(_LOOK_MS, self._serve_waiting)
            self._queued.append(Waiting(index, address, port, connection))
            return self._queued[-1]
        return self._take_client(index, address, port, connection)

    def _usable(self, index: int) -> list:
        """The free links that a client of a server may get: with CIPMODE=1 those of server 0 get link 0."""
        links = self.links if not self.mode else self.links[1:] if index else self.links[:1]
        return [link for link in links if self.free(link)]

    def _serve_waiting(self) -> None:
        """Whoever has waited longest gets the link that is free now."""
        self._queued = [each for each in self._queued if not each.gone and each.client[0] in self.servers]
        while self._queued and self._usable(self._queued[0].client[0]):
            client = self._queued.pop(0).client
            link = self._take_client(*client)
            client[3].link = link
            client[3].window_opened()
        if self._queued:
            self.later(_LOOK_MS, self._serve_waiting)

    def _take_client(self, index: int, address: str, port: int, connection) -> Link:
        free = self._usable(index)
        link = self.successor(free) or min(free, key=lambda link: bool(link.rx))  # rather one without unread data
        link.clear()
        link.proto, link.address, link.port, link.server = "TCP", address, port, index
        link.connection, link.state, link.end_told = connection, CONNECTED, False
        self.report("+CLIENT: %d,%d,%s:%d" % (link.n, index, address, port))
        if self.carries(link):
            self._enter()
        return link

    def do_SERVERSTOP(self, op, args):
        if op == "=?":
            self.info("+SERVERSTOP: (0-%d)" % (self.server_count - 1))
            return OK
        index = number(args, 0, 0, 99, 0)  # without: server 0
        if op == "?" or index is None:
            return ERROR
        if index >= self.server_count:
            return self.fail("SERVERSTOP", index, WRONG)
        if index not in self.servers:
            return self.fail("SERVERSTOP", index, NOT_SUPPORTED)
        clients = any(link.open and link.server == index for link in self.links)
        if clients and self.choices["stop_with_clients"] == "refused":
            return self.fail("SERVERSTOP", index, SOCKETS_OPENED)
        self.net.unlisten(self.servers.pop(index))
        done = self.choice("server_stop") == "ok first"
        if done:
            self.after_final(lambda: self.later(self.stop_ms, lambda: self.report("+SERVERSTOP: %d,0" % index)))
            return OK
        self.later(self.stop_ms, lambda: self._stopped(index))
        return PENDING

    def _stopped(self, index: int) -> None:
        self.info("+SERVERSTOP: %d,0" % index)
        self.resume(OK)

    def _unlisten(self) -> None:
        for port in self.servers.values():
            self.net.unlisten(port)
        self.servers = {}

    def links_lost(self, bearer: int = 0) -> None:
        super().links_lost(bearer)
        if self.network != OPEN:
            self._unlisten()
