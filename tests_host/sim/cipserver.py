"""The CIPOPEN dialect of SIM7028 and A76XX: servers."""

from .at import ERROR, OK, PENDING, number
from .cipconf import OPEN
from .cipopen import CipOpen
from .link import CONNECTED, Link
from .netopen import LISTENING, NOT_BOUND, NOT_OPENED, NOT_SUPPORTED, SOCKETS_OPENED, WRONG


class CipServer(CipOpen):
    """SERVERSTART, SERVERSTOP and the clients that come."""

    server_count = 4
    stop_ms = 50
    CHOICES = {
        "server_stop": ("result first", "ok first"),
        "stop_with_clients": ("stops", "refused"),  # SERVERSTOP while accepted links are open
    }

    def _reset(self) -> None:
        self.servers: dict = getattr(self, "servers", {})  # index -> port
        self._unlisten()
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
        if port is None or index is None or number(args, 2, 1, 3, 3) is None or (self.mode and index):
            return self.fail("CIPERROR", WRONG)
        if index in self.servers or port in self.servers.values():
            return self.fail("CIPERROR", LISTENING)
        if not self.net.listen(port, lambda *client: self._accept(index, *client)):
            return self.fail("CIPERROR", NOT_BOUND)
        self.servers[index] = port
        return OK

    def _accept(self, index: int, address: str, port: int, connection) -> "Link | None":
        usable = self.links[:1] if self.mode else self.links
        free = [link for link in usable if self.free(link)]
        if not free or self.network != OPEN:
            return None
        link = self.successor(free) or min(free, key=lambda link: bool(link.rx))  # rather one without unread data
        link.clear()
        link.proto, link.address, link.port, link.server = "TCP", address, port, index
        link.connection, link.state, link.end_told = connection, CONNECTED, False
        self.report("+CLIENT: %d,%d,%s:%d" % (link.n, index, address, port))
        if self.mode:
            self._enter()
        return link

    def do_SERVERSTOP(self, op, args):
        if op == "=?":
            self.info("+SERVERSTOP: (0-%d)" % (self.server_count - 1))
            return OK
        index = number(args, 0, 0, 99)
        if op != "=" or index is None:
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
