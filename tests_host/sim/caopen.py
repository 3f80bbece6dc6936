"""The CAOPEN dialect of SIM7070, SIM7080 and SIM7090: connect, close, status."""

import re

from .address import numeric
from .at import BAD_PARAMETER, ERROR, NO_FINAL, NOT_ALLOWED, OK, PENDING, number
from .calink import CaLink
from .cnact import CnAct
from .link import CLOSED, CONNECTING, INITIAL

# results of CAOPEN and CASERVER
SOCKET_ERROR, NO_MEMORY, TOO_MANY, WRONG = 1, 2, 3, 4
NO_ADDRESS, NOT_SUPPORTED, NOT_BOUND, NOT_LISTENING = 6, 7, 12, 13
NO_NAME, NO_NETWORK, REFUSED, FAILED = 20, 21, 23, 27
NO_CARRIER = "NO CARRIER"

_SHUTS_DOWN = re.compile(rb"AT\+(CNACT=\d,0|CFUN=0|CPOWD=\d|CREBOOT)\r$")  # what ends an open that hangs


class CaOpen(CnAct):
    """Links as a client.

    `open_results`: what the next opens end with, whatever the peer does. `hung_opens`: so many give no result until the
    host switches its context or the radio off; the channel is dead all the while.
    """

    open_limit = 13  # links that can be open at once
    close_ms = 50
    open_results: "tuple | list" = ()
    hung_opens = 0
    CHOICES = {
        "open_order": ("result first", "ok first"),
        # The end of an open that fails: its result and OK, its result and ERROR, plain ERROR, +CME ERROR.
        "open_failure": ("ok", "error", "error alone", "cme"),
        # What becomes of a command while an open holds the channel: it waits unheard, is lost, is echoed and answered
        # behind the open, or gets ERROR at once.
        "deaf": ("waits", "lost", "echoed", "error"),
        "async_open": ("works", "refused", "no effect"),  # ASYNCOPEN
        "recv_mode": ("taken", "refused", "result 4"),  # recv_mode 1
        # An open without a context: its result, ERROR, or NO CARRIER as the final result code.
        "no_context": (NO_NETWORK, SOCKET_ERROR, ERROR, NO_CARRIER),
        "no_answer": (FAILED, NO_MEMORY),  # the result when a peer stays silent for 75 s
        "failed_link": ("free", "taken"),  # the number of an open that failed
        "keepalive_unit": (1000, 1),  # milliseconds in one of KEEPALIVE
        "close_closed": ("ok", "error", "line", "freed"),  # CACLOSE after a remote close; freed: without being asked
    }

    def _reset(self) -> None:
        self._holding: "CaLink | None" = None  # the link whose open holds the channel
        self._hung = False  # without end
        self._meanwhile = b""  # what has come since
        self._echoed = 0  # bytes that were echoed before their time
        super()._reset()

    # --- the channel while an open holds it

    def intake(self, data: bytes) -> None:
        """Bytes that have passed the UART."""
        if self._holding is None:
            super().intake(data)
            return
        form = self.choices["deaf"]
        self._meanwhile += data
        line = self._meanwhile[self._meanwhile.rfind(b"\r", 0, -1) + 1 :]
        if self._hung and _SHUTS_DOWN.search(line.upper()):
            self._hung = False
            super().intake(line if form in ("lost", "error") else data)  # it waits for the end of the open
            self._opened(self._holding, FAILED)
            return
        if form in ("echoed", "error"):
            self._echo(data)
        if form == "error":
            for _ in range(data.count(b"\r")):
                self.result("ERROR", 4)
        elif form != "lost":
            super().intake(data)
            self._echoed += len(data) if form == "echoed" else 0

    def _echo(self, data: bytes) -> None:
        early = min(self._echoed, len(data))
        self._echoed -= early
        super()._echo(data[early:])

    # --- connect

    def _set(self, key: str, values: list):
        refused = key == "ASYNCOPEN" and self.choices["async_open"] == "refused"
        return ERROR if refused else super()._set(key, values)

    def do_CAOPEN(self, op, args):
        if op == "=?":
            self.info('+CAOPEN: (%s),(0-4),("TCP","UDP","NONIP"),64,(1-65535),(0,1)' % self._cids())
            return OK
        if op == "?":
            self._rows(["+CAOPEN: " + self._row(link) for link in self.links if link.open and link.host])
            return OK
        fields = self.fields_of_open(args) if op == "=" else None
        if fields is None or fields[0].taken:
            return BAD_PARAMETER
        return self._open(*fields)

    def fields_of_open(self, args: list) -> "tuple | None":
        """(link, pdp, type, host, port, recv_mode) of AT+CAOPEN; None: a syntax error."""
        link, pdp = self.link_number(args), number(args, 1, 0, 4)
        proto, host = args[2].upper() if len(args) > 2 else "", args[3] if len(args) > 3 else ""
        port, mode = number(args, 4, 1, 65_535), number(args, 5, 0, 1, 0)
        if None in (link, pdp, port, mode) or proto not in ("TCP", "UDP", "NONIP") or not host or len(args) > 6:
            return None
        return link, pdp, proto, host, port, mode

    def _row(self, link: CaLink) -> str:
        return '%d,%d,"%s","%s",%d,%d' % (link.n, link.bearer, link.proto, link.host, link.port, link.pushes)

    def _rows(self, rows: list) -> None:
        if rows:
            self.info("\r\n".join(rows))

    def _open(self, link: CaLink, pdp: int, proto: str, host: str, port: int, mode: int):
        if mode and self.choices["recv_mode"] == "refused":
            return ERROR
        context = self.usable(pdp)
        if context is None and self.choices["no_context"] == NO_CARRIER:
            self.result(NO_CARRIER, 3)
            return NO_FINAL
        if context is None and self.choices["no_context"] == ERROR:
            return ERROR
        objection = self._objection(proto, host, mode) if context else self.choices["no_context"]
        self.take(link, proto, context.pdp if context else pdp, mode)
        link.state, link.host, link.address, link.port = CONNECTING, host, host, port

        def begin():
            if self.hung_opens:
                self.hung_opens -= 1
                self._hung = link is self._holding
            elif objection:
                self._opened(link, objection)
            else:
                self._connect(link, context)

        if self.configured("ASYNCOPEN") and self.choices["async_open"] == "works":
            self.after_final(begin)
            return OK
        if self.choices["open_order"] == "ok first":
            self.result("OK", 0)
        self._holding, self._meanwhile = link, b""
        self.later(0, begin)
        return PENDING

    def take(self, link: CaLink, proto: str, pdp: int, mode: int) -> None:
        """A link begins."""
        link.clear()
        link.proto, link.bearer, link.pushes = proto, pdp, bool(mode)
        link.rx_limit, link.tx_limit = self.configured("RCVBUF"), self.configured("SNDBUF")

    def _objection(self, proto: str, host: str, mode: int) -> int:
        """The result of an open that cannot even begin, or 0."""
        if proto == "NONIP":
            return NOT_SUPPORTED
        if len(host) > 64 or (mode and self.choices["recv_mode"] == "result 4"):
            return WRONG
        if re.fullmatch(r"[\d.]+", host) and not numeric(host):
            return NO_ADDRESS
        return TOO_MANY if sum(each.open for each in self.links) >= self.open_limit else 0

    def _connect(self, link: CaLink, context) -> None:
        attempt = link.attempt = object()
        limit = self.resent_ms()

        def given_up() -> None:
            if link.state == CONNECTING and link.attempt is attempt:
                self.link_failed(link, "timeout")

        if limit is not None and link.proto == "TCP":
            self.later(limit, given_up)

        def resolved(found: list) -> None:
            if link.state != CONNECTING or link.attempt is not attempt:
                return
            if found:
                local = self.local_ports.get(link.n, 0)
                link.connection = self.net.open(link, link.proto, found[0], link.port, local)
            else:
                self._opened(link, NO_NAME)

        if numeric(link.host):
            if context.config[0] == (1 if ":" in link.host else 2):  # the other version has no way to it
                self._opened(link, FAILED)
            else:
                resolved([link.host])
        else:
            self.resolve(link.host, context, resolved)

    def link_connected(self, link: CaLink) -> None:
        """The connection is there."""
        code = 0
        if self.open_results:
            code, *self.open_results = self.open_results
        self._opened(link, code)

    def link_failed(self, link: CaLink, why: str) -> None:
        """There is no connection."""
        code = {"refused": REFUSED, "dns": NO_NAME}.get(why, self.choices["no_answer"])
        if self.open_results:
            code, *self.open_results = self.open_results
        self._opened(link, code)

    def _opened(self, link: CaLink, code: int) -> None:
        """The result of an open."""
        link.opened_at = self.clock.now_us
        if code:
            link.drop(CLOSED if self.choices["failed_link"] == "taken" else INITIAL)
        text = "+CAOPEN: %d,%d" % (link.n, code)
        if link is not self._holding:
            self.report(text)
            return
        self._holding = None
        if self.choices["open_order"] == "ok first":
            self.info(text)
            self.resume(NO_FINAL)
            return
        form = self.choices["open_failure"] if code else "ok"
        if form in ("ok", "error"):
            self.info(text)
        self.resume({"ok": OK, "cme": NOT_ALLOWED}.get(form, ERROR))

    def abandon(self, link: CaLink, state: str) -> None:
        opening = link.state == CONNECTING
        super().abandon(link, state)
        if opening:
            self._opened(link, NO_NETWORK)

    # --- close

    def do_CACLOSE(self, op, args):
        if op == "=?":
            self.info("+CACLOSE: (%s)" % self._cids())
            return OK
        link = self.link_number(args)
        if op != "=" or link is None or len(args) != 1:
            return BAD_PARAMETER
        form = self.choices["close_closed"] if link.state == CLOSED else "ok"
        if not link.taken:
            return ERROR
        self.let_go(link)

        def done():
            if form == "line":
                self.info("+CACLOSE: %d" % link.n)
            self.resume(ERROR if form == "error" else OK)

        self.later(self.close_ms, done)
        return PENDING

    def let_go(self, link: CaLink) -> None:
        """The number is free again."""
        link.drop(INITIAL)
        link.forget_data()
        self._left = link

    def free(self, link: CaLink) -> bool:
        return not link.taken

    def _tell_end(self, link: CaLink) -> None:
        """The peer has closed: `+CASTATE: n,0`; the number stays taken unless ATOCLOSE says otherwise."""
        link.end_told = True
        self.tell_closed(link)
        if self.configured("ATOCLOSE"):
            opened_at = link.opened_at

            def due():
                if link.state == CLOSED and link.opened_at == opened_at:
                    self.free_by_itself(link)

            self.later(self.configured("ATOCLOSE", 1) * 1000, due)
        self.emptied(link)

    def tell_closed(self, link: CaLink) -> None:
        """The line that tells of a remote close."""
        self.urc("+CASTATE: %d,0" % link.n)

    def emptied(self, link: CaLink) -> None:
        """Nothing is left to read."""
        if link.state == CLOSED and not link.rx and self.choices["close_closed"] == "freed":
            self.free_by_itself(link)

    def free_by_itself(self, link: CaLink) -> None:
        """`+CACLOSE: n`: the number is free without AT+CACLOSE."""
        self.let_go(link)
        self.urc("+CACLOSE: %d" % link.n)

    def link_vanished(self, link: CaLink) -> None:
        """KEEPALIVE with times ends what has no other side any more."""
        connection, idle = link.connection, self.configured("KEEPALIVE", 1)
        silence = idle + self.configured("KEEPALIVE", 2) * self.configured("KEEPALIVE", 3)

        def due():
            if link.connection is connection and link.open:
                connection.hang_up()
                link.closed()

        if self.configured("KEEPALIVE") and idle:
            self.later(silence * self.choices["keepalive_unit"], due)

    def closing(self, link: CaLink) -> None:
        super().closing(link)
        if self.choices["unread"] == "one piece":
            for piece in link.rx[1:]:
                link.rx_count -= len(piece[0])
            del link.rx[1:]

    # --- status

    def do_CASTATE(self, op, args):
        if op == "?":
            found = [(link.n, link.status) for link in self.links if link.status is not None]
            self._rows(["+CASTATE: %d,%d" % each for each in found])
        return OK if op in ("?", "=?") else ERROR
