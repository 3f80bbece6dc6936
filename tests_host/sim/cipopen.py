"""The CIPOPEN dialect of SIM7028 and A76XX: connect, close, status."""

from .address import numeric
from .at import ERROR, OK, PENDING, number
from .cipconf import OPEN
from .link import CLOSED, CLOSING, CONNECTED, CONNECTING, INITIAL, Link
from .netopen import (
    FAILURE,
    INVALID,
    NO_NAME,
    NOT_BOUND,
    NOT_CREATED,
    NOT_OPENED,
    NOT_SUPPORTED,
    TIMEOUT,
    WRONG,
    NetOpen,
)


class CipOpen(NetOpen):
    """TCP and UDP links."""

    close_ms = 150
    CHOICES = {
        "udp_close": ("result first", "ok first"),
        "closed_line": (False, True),  # CLOSED in front of +CIPCLOSE also outside transparent mode
        "close_opening": ("refused", "cancels"),  # CIPCLOSE before the result of CIPOPEN
        "cipack_second": ("zero", "acknowledged"),
        "connect_rate": (True, False),  # CONNECT with the rate of the line
        "server_offset": (0, 1),  # between the server index of +CLIENT and the last field of CIPOPEN?
        "transparent_end": ("closed", "both", "ipclose"),  # what tells of a remote close in transparent mode
    }

    # --- connect

    def do_CIPOPEN(self, op, args):
        if op == "=?":
            self.info('+CIPOPEN: (0-%d),("TCP","UDP")' % (len(self.links) - 1))
            return OK
        if op == "?":
            self.info("\r\n".join("+CIPOPEN: " + self._row(link) for link in self.links))
            return OK
        n = number(args, 0, 0, 10**6)
        if op != "=" or n is None:
            return ERROR
        if n >= len(self.links):
            return self.ip_error(INVALID)
        link, code = self.links[n], self._objection(self.links[n], args)
        if code == NOT_SUPPORTED and self._transparent and link.n == 0 and link.open:
            self._enter()  # a second CIPOPEN does what ATO does
            return PENDING
        if code:
            return self.fail("CIPOPEN", n, code)
        proto, local = args[1].upper(), int(args[4]) if len(args) > 4 and args[4] else 0
        link.clear()
        link.state, link.proto, link.local_port = CONNECTING, proto, local
        if proto == "UDP" and not self.carries(link):
            return self._bind(link)
        link.address, link.port = args[2], int(args[3])
        if self.carries(link):
            self._connect(link)
            return PENDING
        self.after_final(lambda: self._connect(link))
        return OK

    def carries(self, link: Link) -> bool:
        """Whether a link is, or will be, in transparent mode: 0 alone, the others go on in command mode."""
        return bool(self.mode) and not link.n

    def _objection(self, link: Link, args: list) -> int:
        """The err of a CIPOPEN that cannot even begin, or 0."""
        if self.network != OPEN:
            return NOT_OPENED
        if not self.free(link):
            return NOT_SUPPORTED
        proto = args[1].upper() if 2 <= len(args) <= 5 else ""
        local = number(args, 4, 1, 65535, 0)
        if proto not in ("TCP", "UDP") or local is None or (proto == "UDP" and not local):
            return WRONG
        peer = len(args) > 3 and 0 < len(args[2]) <= 254 and number(args, 3, 1, 65535) is not None
        return WRONG if not peer and (proto == "TCP" or self.carries(link)) else 0

    def _bind(self, link: Link):
        """A UDP link without a fixed peer is there at once."""
        sockets = self.net.bind(link, link.local_port)
        if sockets is None:
            link.clear()
            return self.fail("CIPOPEN", link.n, NOT_BOUND)
        link.connection, link.state, link.end_told = sockets, CONNECTED, False
        self.info("+CIPOPEN: %d,0" % link.n)
        return OK

    def _connect(self, link: Link) -> None:
        """Look the name up, connect, for as long as CIPTIMEOUT and the repetitions of CIPCCFG allow."""
        attempt = link.attempt = object()

        def resolved(found: list) -> None:
            if link.state != CONNECTING or link.attempt is not attempt:
                return
            if found:
                link.connection = self.net.open(link, link.proto, found[0], link.port, link.local_port)
            else:
                self._not_connected(link, FAILURE if numeric(link.address) else NO_NAME)

        def expired() -> None:
            if link.state == CONNECTING and link.attempt is attempt:
                self._not_connected(link, TIMEOUT)

        self.later(min(self.timeouts[1], self.resent_ms()), expired)
        if numeric(link.address):
            resolved([link.address] if (":" in link.address) == (self.ip_version == 6) else [])
        else:
            self.resolve(link.address, resolved)

    def link_connected(self, link: Link) -> None:
        """The connection is there."""
        if self.carries(link):
            self._enter()
        else:
            self.report("+CIPOPEN: %d,0" % link.n)

    def link_failed(self, link: Link, why: str) -> None:
        """There is no connection; a silent destination is tried until CIPTIMEOUT."""
        if why == "timeout":
            link.state = CONNECTING
        else:
            self._not_connected(link, FAILURE)

    def _not_connected(self, link: Link, code: int) -> None:
        link.drop(INITIAL)
        if self.carries(link):
            self.line("CONNECT FAIL")
            self.resume("none")
        else:
            self.report("+CIPOPEN: %d,%d" % (link.n, code))

    def abandon(self, link: Link) -> None:
        if link.state == CONNECTING:
            self._not_connected(link, FAILURE)
        elif link.state == CLOSING:
            self.report("+CIPCLOSE: %d,0" % link.n)
        super().abandon(link)

    # --- close

    def do_CIPCLOSE(self, op, args):
        if op == "=?":
            self.info("+CIPCLOSE: (0-%d)" % (len(self.links) - 1))
            return OK
        if op == "?":
            self.info("+CIPCLOSE: " + ",".join("%d" % link.open for link in self.links))
            return OK
        link = self.link_number(args)
        if not isinstance(link, Link):
            return link
        if not link.open:
            if not self.free(link) and self.choices["close_opening"] == "cancels":
                link.drop(INITIAL)
                self.after_final(lambda: self.later(self.close_ms, lambda: self.report("+CIPCLOSE: %d,0" % link.n)))
                return OK
            if self.free(link):
                link.forget_data()
            return self.fail("CIPCLOSE", link.n, NOT_SUPPORTED)
        transparent, self._transparent = self._transparent and link.n == 0, self._transparent and link.n != 0
        link.drop(CLOSING)
        link.forget_data()
        self.links_lost()
        result_first = link.proto == "UDP" and (transparent or self.choices["udp_close"] == "result first")
        if result_first:
            self.later(self.close_ms, lambda: self._closed_by_host(link, transparent, True))
            return PENDING
        self.after_final(lambda: self.later(self.close_ms, lambda: self._closed_by_host(link, transparent, False)))
        return OK

    def _closed_by_host(self, link: Link, transparent: bool, pending: bool) -> None:
        if link.state == CLOSING:
            link.state = INITIAL
            if transparent or (self.choices["closed_line"] and link.proto == "TCP"):
                self.report("CLOSED")
            self.report("+CIPCLOSE: %d,0" % link.n)
        if pending:
            self.resume(OK)

    def _tell_end(self, link: Link, reason: int = 1) -> None:
        """`+IPCLOSE: n,reason`."""
        link.end_told = True
        streams = self.streams(link)
        if streams:
            link.forget_data()
        form = self.choices["transparent_end"] if streams else "ipclose"
        tell = self.urc if self._transparent and not streams else self.exception
        if form != "ipclose":
            tell("CLOSED")
        if form != "closed":
            tell("+IPCLOSE: %d,%d" % (link.n, reason))
        self.links_lost()

    def dtr_off(self) -> None:
        link = self.links[0]
        link.drop(CLOSED)
        link.forget_data()
        self.exception("+IPCLOSE: %d,2" % link.n)
        self.links_lost()

    def link_vanished(self, link: Link) -> None:
        """AT+CTCPKA finds out, in minutes."""
        on, idle, count, interval = self.keepalive
        connection = link.connection

        def due() -> None:
            if link.connection is connection and link.open:
                link.drop(CLOSED)
                self._tell_end(link, 2)

        if on:
            self.later((idle + count * interval) * 60_000, due)

    # --- status

    def _row(self, link: Link) -> str:
        if not link.open:
            return "%d" % link.n
        server = -1 if link.server is None else link.server + self.choices["server_offset"]
        return '%d,"%s","%s",%d,%d' % (link.n, link.proto, link.address, link.port, server)

    def do_CIPACK(self, op, args):
        if op == "=?":
            self.info("+CIPACK: (0-%d)" % (len(self.links) - 1))
            return OK
        link = self.link_number(args)
        if not isinstance(link, Link):
            return link
        if not link.open:
            return self.ip_error(NOT_CREATED)
        second = link.acknowledged if self.choices["cipack_second"] == "acknowledged" else 0
        self.info("+CIPACK: %d,%d,%d" % (link.sent, second, link.received))
        return OK
