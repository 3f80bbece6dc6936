"""The CAOPEN dialect of SIM7070, SIM7080 and SIM7090: servers, TCP and UDP."""

from .at import BAD_PARAMETER, ERROR, OK, number
from .calink import LISTENING, CaLink
from .caopen import NO_CARRIER, NOT_BOUND, NOT_LISTENING, CaOpen
from .link import CLOSED, CONNECTED, INITIAL


class Listener:
    """What a listening link holds on to."""

    def __init__(self, net, port: int):
        self.net, self.port = net, port

    def hang_up(self) -> None:
        """The server is closed."""
        self.net.unlisten(self.port)


class CaServer(CaOpen):
    """CASERVER and whom it meets."""

    CHOICES = {
        "listener_close": ("live", "die"),  # what becomes of the clients of a server that is closed
        "canew": ("behind notice", "before notice"),  # +CANEW of a UDP server and +CADATAIND
    }

    def do_CASERVER(self, op, args):
        if op == "=?":
            types = '"TCP","TCP6","UDP","UDP6"'
            self.info("+CASERVER: (%s),(0-4),(%s),(1-65535),(0,1)" % (self._cids(), types))
            return OK
        if op == "?":
            rows = [(each.n, each.bearer, each.kind, each.port, each.pushes) for each in self.links if each.listens]
            self._rows(['+CASERVER: %d,%d,"%s",%d,%d' % row for row in rows])
            return OK
        fields = self.fields_of_server(args) if op == "=" else None
        if fields is None or fields[0].taken:
            return BAD_PARAMETER
        link, pdp, kind, port, mode = fields
        context = self.usable(pdp)
        code = self.choices["no_context"] if context is None else self._listen(*fields)
        if code in (ERROR, NO_CARRIER):
            return ERROR
        self.info("+CASERVER: %d,%d" % (link.n, code))
        return OK

    def fields_of_server(self, args: list) -> "tuple | None":
        """(link, pdp, type, port, recv_mode) of AT+CASERVER; None: a syntax error."""
        link, pdp, kind = self.link_number(args), number(args, 1, 0, 4), args[2].upper() if len(args) > 2 else ""
        port, mode = number(args, 3, 1, 65_535), number(args, 4, 0, 1, 0)
        if None in (link, pdp, port, mode) or kind not in ("TCP", "TCP6", "UDP", "UDP6") or len(args) > 5:
            return None
        return link, pdp, kind, port, mode

    def _listen(self, link: CaLink, pdp: int, kind: str, port: int, mode: int) -> int:
        """The result of a server that is to be opened."""
        self.take(link, kind[:3], self.usable(pdp).pdp, mode)
        link.kind, link.port = kind, port
        if link.proto == "UDP":
            sockets = self.net.bind(link, port)
            if sockets is None:
                return NOT_BOUND
            link.connection, link.state = sockets, CONNECTED
        else:
            if not self.net.listen(port, lambda *client: self._accept(link, *client)):
                return NOT_LISTENING
            link.connection, link.state = Listener(self.net, port), LISTENING
        link.listens = True
        return 0

    # --- clients

    def _accept(self, server: CaLink, address: str, port: int, connection) -> "CaLink | None":
        free = [link for link in self.links if not link.taken]
        count = sum(link.server == server.n and link.open for link in self.links)
        if not free or count >= self.configured("ACCEPTNUM"):
            self.urc('+CAURC: "incoming full"')
            return None
        link = self.successor(free) or free[0]
        self.take(link, "TCP", server.bearer, server.pushes)
        link.address, link.port, link.server = address, port, server.n
        link.connection, link.state, link.end_told = connection, CONNECTED, False
        link.opened_at = self.clock.now_us
        self.report("+CANEW: %d,%d,%s,%d" % (server.n, link.n, address, port))
        return link

    def link_data(self, link: CaLink) -> None:
        """Data has come: a UDP server tells of each sender once."""
        source = link.rx[-1][1][:2]
        if not link.listens or source in link.senders:
            self.received(link)
            return
        link.senders.add(source)
        link.newest = source
        text = "+CANEW: %d,%d,%s,%d" % (link.n, link.n, *source)
        if self.choices["canew"] == "before notice" or link.pushes:
            self.urc(text)
            self.received(link)
        else:
            self.received(link)
            self.urc(text)

    def received(self, link: CaLink) -> None:
        """Bytes are in the buffer of a link."""

    def let_go(self, link: CaLink) -> None:
        ends = link.state == LISTENING and self.choices["listener_close"] == "die"
        super().let_go(link)
        for client in self.links if ends else ():
            if client.server == link.n and client.open:
                client.drop(CLOSED)
                self.urc("+CASTATE: %d,0" % client.n)
        for client in self.links:
            if client.server == link.n and client.state != INITIAL:
                client.server = None
