"""The CIPSTART dialect of SIM800 and SIM7000: connect, listen, close, status."""

from .at import BAD_PARAMETER, ERROR, NO_FINAL, OK, PENDING, number
from .cipnet import IP_INITIAL, IP_STATUS, CipNet, Context
from .link import CLOSED, CLOSING, CONNECTED, CONNECTING, INITIAL, Link


class CipStart(CipNet):
    """Links and the server in single and multi connection mode."""

    close_ms = 150
    CHOICES = {
        "closed": (b"%d, CLOSED", b"%d,CLOSED"),
        "close_ok": (b"CLOSE OK", b"CLOSE OK", b"CLOSE OK", b"CLOSED", b"CLOSED OK"),
        "already": ("error first", "ok first"),
        "already_text": (b"%d, ALREADY CONNECT", b"%d,ALREADY CONNECT"),
    }

    def _reset(self) -> None:
        self.server_port = getattr(self, "server_port", 0)  # 0: no server
        self._server_bearer = 0  # the context that it listens in
        self._unlisten()
        super()._reset()

    # --- connect

    def do_CIPSTART(self, op, args):
        if op == "=?":
            form = '+CIPSTART: %s("TCP","UDP"),("%s"),(1-65535)'
            peers = "(0,255).(0,255).(0,255).(0,255)", "DOMAIN NAME"
            self.info("\r\n".join(form % (self._range(), peer) for peer in peers))
            return OK
        link = self.link_of(args)
        port = number(args, 2, 1, 65535)
        if op != "=" or link is None or len(args) != 3 or port is None or not args[1]:
            return BAD_PARAMETER
        proto = args[0].upper()
        if proto not in ("TCP", "UDP") or len(args[1]) > 254:
            return BAD_PARAMETER
        if self.context.state not in ((IP_STATUS,) if self.mux else (IP_STATUS, IP_INITIAL)):
            return self.refuse()
        if link.state not in (INITIAL, CLOSED):
            return self._already(link)
        if self._full():
            return self.refuse()
        self._take(link, proto, args[1], port)
        self.after_final(lambda: self._connect(link))
        return OK

    def _full(self) -> bool:
        """A server takes one link: single mode has none left, multi mode one less."""
        if not self.server_port:
            return False
        return not self.mux or sum(each.state not in (INITIAL, CLOSED) for each in self.links) >= len(self.links) - 1

    def _already(self, link: Link):
        text = self.choices["already_text"].decode() % link.n if self.mux else "ALREADY CONNECT"
        self.after_final(lambda: self.line(text))
        return ERROR if self.choices["already"] == "error first" else OK

    def _take(self, link: Link, proto: str, host: str, port: int) -> None:
        link.clear()
        link.state, link.proto, link.address, link.port = CONNECTING, proto, host, port
        link.bearer = self.selected

    def _connect(self, link: Link) -> None:
        context = self.context
        if context.state == IP_INITIAL:  # single mode brings the context up by itself
            self.bring_up(context, lambda outcome: self._connect_after(outcome, context, link))
        else:
            self._open(link)

    def _connect_after(self, outcome: str, context: Context, link: Link) -> None:
        if link.state != CONNECTING:
            return
        if outcome == "ok":
            context.state = IP_STATUS
            self._open(link)
        else:
            link.clear()
            self.link_failed(link, "context")

    def _open(self, link: Link) -> None:
        local = self.local_ports.get((link.n, link.proto), 0)
        link.connection = self.net.open(link, link.proto, link.address, link.port, local)

    def link_connected(self, link: Link) -> None:
        """The connection is there."""
        self.report(self.say(link, "CONNECT OK"))

    def link_failed(self, link: Link, why: str) -> None:
        """There is no connection."""
        if self.mux:
            self.report(self.say(link, "CONNECT FAIL"))
        else:
            self.report("STATE: %s" % self.state)
            self.report("CONNECT FAIL")

    # --- listen

    @property
    def state(self) -> str:
        """The state that CIPSTATUS tells."""
        idle = not self.mux and self.server_port and self.links[0].state in (INITIAL, CLOSED)
        return "SERVER LISTENING" if idle and self.context.state == IP_STATUS else super().state

    def serves(self) -> bool:
        return bool(self.server_port) and self._server_bearer == self.selected

    def do_CIPSERVER(self, op, args):
        if op == "=?":
            self.info("+CIPSERVER: (0-CLOSE SERVER,1-OPEN SERVER),(1-65535)")
            return OK
        if op == "?":
            running = ",%d,0,%d" % (self.server_port, self._server_bearer) if self.server_port else ""
            self.info("+CIPSERVER: %d%s" % (bool(self.server_port), running))
            return OK
        start = number(args, 0, 0, 1)
        port = number(args, 1, 1, 65535)
        if start is None or (start and port is None):
            return BAD_PARAMETER
        if not start:
            if not self.server_port:
                return self.refuse()
            self._unlisten()
            self.after_final(lambda: self.report("SERVER CLOSE"))
            return OK
        legal = self.state in (("IP STATUS", "IP PROCESSING") if self.mux else ("IP STATUS", "IP INITIAL"))
        if self.server_port or not legal:
            return self.refuse()
        self.after_final(lambda: self._serve(port))
        return OK

    def _serve(self, port: int) -> None:
        context = self.context
        if context.state == IP_INITIAL:
            self.bring_up(context, lambda outcome: self._serve_after(outcome, context, port))
        else:
            self._listen(port)

    def _serve_after(self, outcome: str, context: Context, port: int) -> None:
        if outcome == "ok":
            context.state = IP_STATUS
            self._listen(port)
        else:
            self.report("SERVER FAIL")

    def _listen(self, port: int) -> None:
        good = self.net.listen(port, self._accept)
        self.server_port = port if good else 0
        self._server_bearer = self.selected
        self.report("SERVER OK" if good else "SERVER FAIL")

    def _unlisten(self) -> None:
        if self.server_port:
            self.net.unlisten(self.server_port)
        self.server_port = 0

    def _accept(self, address: str, port: int, connection) -> "Link | None":
        free = [link for link in self.links if self.free(link)]
        again = self.successor(free)
        free = [link for link in free if not link.rx or link is again]
        room = self._full() if self.mux else self.links[0] not in free
        if not free or room:
            return None
        link = again or free[0]
        self._take(link, "TCP", address, port)
        link.bearer = self._server_bearer
        link.connection, link.state, link.end_told = connection, CONNECTED, False
        self.report(self.say(link, "REMOTE IP: " + address))
        self.accepted(link)
        return link

    def accepted(self, link: Link) -> None:
        """A client of the server is there."""

    def links_lost(self, bearer: int = 0) -> None:
        super().links_lost(bearer)
        if bearer == self._server_bearer:
            self._unlisten()

    # --- close

    def do_CIPCLOSE(self, op, args):
        if op == "=?":
            return OK
        link = self.link_of(args)
        fast = number(args, 0, 0, 1, 0)
        if op == "?" or link is None or fast is None:
            return BAD_PARAMETER
        self._transparent = False
        if self.state == "SERVER LISTENING":
            self._unlisten()
        elif link.state in (INITIAL, CLOSED):
            link.forget_data()
            return self.refuse()
        else:
            link.drop(CLOSING)
            link.forget_data()
        self.later(5 if fast else self.close_ms, lambda: self._closed_by_host(link))
        return PENDING

    def _closed_by_host(self, link: Link) -> None:
        if link.state == CLOSING:
            link.state = CLOSED
        self.line(self.say(link, self.choices["close_ok"].decode()))
        self.resume(NO_FINAL)

    def _tell_end(self, link: Link) -> None:
        link.end_told = True
        self.exception(self.choices["closed"].decode() % link.n if self.mux else "CLOSED")

    # --- status

    def do_CIPSTATUS(self, op, args):
        if op in ("=?", "?"):
            return OK if op == "=?" else ERROR
        if op == "=":
            link = self.link_of(args) if self.mux else None
            if link is None:
                return BAD_PARAMETER
            self.info("+CIPSTATUS: " + self._row(link))
            return OK
        self.result("OK", 0)
        text = "STATE: " + self.state
        if self.mux:
            if self.server_port:
                text += '\r\n\r\nS: 0,%d,"%d","LISTENING"' % (self._server_bearer, self.server_port)
            text += "\r\n\r\n" + "\r\n".join("C: " + self._row(link) for link in self.links)
        self.info(text)
        return NO_FINAL

    @staticmethod
    def _row(link: Link) -> str:
        if link.state == INITIAL:
            return '%d,,"","","","INITIAL"' % link.n
        return '%d,%d,"%s","%s","%d","%s"' % (link.n, link.bearer, link.proto, link.address, link.port, link.state)
