"""The CAOPEN dialect of SIM7070, SIM7080 and SIM7090: receiving."""

from .at import BAD_PARAMETER, ERROR, NO_FINAL, OK, number
from .calink import LISTENING, CaLink
from .casend import CaSend

_NOTICE_BYTES = 1024  # "kilobyte": so much received data has a notice
_RARELY = 0.125  # of the reads, where a seed chose it
_WITH_OPEN_US = 100_000  # what comes so soon has come with the open


class CaReceive(CaSend):
    """CARECV, its notices, and direct push.

    `refuse_reads`: so many reads get ERROR although their link is open. `lost_in_read`: so many bytes at the end of the
    next payload never come, although they are counted. `cut_reads`: an answer with more payload than this ends there,
    without an OK. `full_ms`: a link whose buffer stays full so long is lost; 0: never.
    """

    refuse_reads = 0
    lost_in_read = 0
    cut_reads = 0
    full_ms = 0.0
    _read_failed = False  # the last read, for no reason
    CHOICES = {
        "trailer": (b"\r\n\r\nOK\r\n", b"\r\nOK\r\n"),  # behind the bytes of CARECV
        "empty": ("+CARECV: 0", "+CARECV: 0,", "ok", "error"),  # CARECV with nothing to read; ok: OK alone
        "early": ("empty", "ok"),  # the same before anything has been received: as "empty" has it, or OK alone
        "closed_read": ("empty", "error"),  # the same on a link that its peer has closed
        # Where CARECV names the sender with CASRIP=1: in front of the length or behind it.
        "source": ("first", "quoted", "last", "quoted last"),
        "read_error": (False, False, True),  # now and then a read of an open link gets ERROR, the next one does not
        "phantom": (False, False, True),  # now and then a notice with nothing behind it
        "carecv_read": ("lines", "ok", "error"),  # CARECV?
        # What +CADATAIND tells of besides data for an empty buffer: each further kilobyte, nothing, each arrival, or
        # what a read has left.
        "notice": ("kilobyte", "filled", "arrival", "reread"),
        "open_notice": (True, False),  # also of data that came with the open
        "buffer_full": ("buffer full,%d", '"buffer full"'),
        # Datagrams: one for each answer, its rest for the next one, or lost; or several in one answer.
        "udp_reads": ("datagram", "cut", "joined"),
        # The sender in front of pushed bytes: by CASRIP, always, in quotes, never, or no more of it than a comma.
        "push_header": ("casrip", "always", "quoted", "never", "comma"),
        "push_tail": (b"\r\n", b"", b"\r\n\r\n"),  # behind pushed bytes
    }

    # --- buffer access

    def do_CARECV(self, op, args):
        if op == "=?":
            self.info("+CARECV: (%s),(1-%d)" % (self._cids(), self.fetch_limit))
            return OK
        if op == "?":
            return self._waiting_counts()
        link, count = self.link_number(args), number(args, 1, 1, self.fetch_limit)
        if op != "=" or link is None or count is None or len(args) != 2:
            return BAD_PARAMETER
        if not link.taken or link.state == LISTENING or self._refused():
            return ERROR
        self.before_read()
        if not link.rx:
            return self._nothing(link)
        data, source = self._read(link, count)
        self._answer(link, data, source)
        self.hook("after_ok")
        self.emptied(link)
        if not link.rx and self.choices["phantom"] and self.random.random() < _RARELY:
            self.urc("+CADATAIND: %d" % link.n)
        if link.rx and self.choices["notice"] == "reread":
            self._notify(link)
        return NO_FINAL

    def _refused(self) -> bool:
        if self.refuse_reads:
            self.refuse_reads -= 1
            return True
        self._read_failed = self.choices["read_error"] and not self._read_failed and self.random.random() < _RARELY
        return self._read_failed

    def _waiting_counts(self):
        form = self.choices["carecv_read"]
        if form == "lines":
            self._rows(["+CARECV: %d,%d" % (link.n, link.rx_count) for link in self.links if link.rx])
        return ERROR if form == "error" else OK

    def _nothing(self, link: CaLink):
        form = self.choices["empty"]
        if not link.open and self.choices["closed_read"] == "error":
            form = "error"
        elif not link.received and self.choices["early"] == "ok":
            form = "ok"
        if form.startswith("+"):
            self.info(form)
        return ERROR if form == "error" else OK

    def _read(self, link: CaLink, count: int) -> tuple:
        form = self.choices["udp_reads"]
        whole = len(link.rx[0][0])
        data, source = link.take(count, borders=form != "joined" or bool(self.show_source))
        if form == "cut" and link.proto == "UDP" and len(data) < whole:
            link.take(whole - len(data))
        link.noticed = link.received
        link.full = False
        return data, source

    def _answer(self, link: CaLink, data: bytes, source: tuple) -> None:
        fields = ["%d" % len(data)]
        if self.show_source:
            form = self.choices["source"]
            sender = [('"%s"' if form.startswith("quoted") else "%s") % source[0], "%d" % source[1]]
            fields = fields + sender if form.endswith("last") else sender + fields
        data, self.lost_in_read = data[: len(data) - self.lost_in_read], 0
        head = ("\r\n+CARECV: %s," % ",".join(fields)).encode()
        if self.cut_reads and len(data) > self.cut_reads:
            self.block(head, data[: self.cut_reads])
        else:
            self.block(head + data, self.choices["trailer"])

    # --- notices

    def received(self, link: CaLink) -> None:
        """Bytes are in the buffer of a link."""
        if self.flows(link):
            self._push_data()
            return
        form, filled = self.choices["notice"], link.notice_due
        link.notice_due = False
        kilobyte = form == "kilobyte" and link.received - link.noticed >= _NOTICE_BYTES
        if filled or kilobyte or form == "arrival":
            self._notify(link)
        if link.room() <= 0 and not link.full:
            self._tell_full(link)

    def _notify(self, link: CaLink) -> None:
        link.noticed = link.received
        soon = self.clock.now_us - link.opened_at < _WITH_OPEN_US
        if self.choices["open_notice"] or not soon:
            self.urc("+CADATAIND: %d" % link.n)

    def _tell_full(self, link: CaLink) -> None:
        link.full = True
        form = self.choices["buffer_full"]
        self.urc("+CAURC: " + (form % link.n if "%" in form else form))
        connection = link.connection

        def due():
            if link.full and link.connection is connection and link.open:
                connection.hang_up()
                link.closed()

        if self.full_ms:
            self.later(self.full_ms, due)

    # --- direct push

    def flows(self, link: CaLink) -> bool:
        if self.streams(link):
            return self._data is not None
        return link.pushes

    def pushing(self) -> bool:
        return any(link.pushes and link.open for link in self.links)

    def forget(self) -> None:
        """As after power-up, whatever it was told."""
        self.show_source = 0

    def _header(self, link: CaLink, count: int, source: tuple) -> bytes:
        form = self.choices["push_header"]
        head = '\r\n+CAURC: "recv",%d,%d' % (link.n, count)
        if form in ("never", "comma"):
            head += "," * (form == "comma")
        elif self.show_source or form == "always":
            head += (',"%s",%d' if form == "quoted" else ",%s,%d") % source[:2]
        return head.encode() + b"\r\n"

    def _pushed(self, link: CaLink, data: bytes, source: tuple) -> bytes:
        tail = b"" if self.streams(link) else self.choices["push_tail"]
        return super()._pushed(link, data, source) + tail
