"""The CIPSTART dialect of SIM800 and SIM7000: AT+CIPCCFG, which shapes transparent mode."""

from .at import BAD_PARAMETER, OK, number
from .ciprecv import CipReceive
from .link import CLOSED, Link

_WAIT_UNIT_MS = 200  # of WaitTm, by the notes
_FIRST_RETRY_MS = 3000  # each further one comes after twice the time
_FORM = "(NmRetry:3-8),(WaitTm:2-10),(SendSz:1-1460),(esc:0,1) ,(Rxmode:0,1), (RxSize:50-1460),(Rxtimer:20-1000)"


class Tuning(CipReceive):
    """What comes from the line is sent when SendSz bytes are there, or nothing more has come for WaitTm. A packet that
    is not acknowledged is repeated NmRetry times, then the link is closed. With Rxmode 1 received bytes come out by
    RxSize every Rxtimer.
    """

    CHOICES = {"collects": ("once set",)}  # until AT+CIPCCFG sets it, each byte is sent at once; by name: "always"
    LIMITS = ((3, 8), (2, 10), (1, 1460), (0, 1), (0, 1), (50, 1460), (20, 1000))

    _collected_bytes = bytearray()  # nothing, in data mode that has begun without a link

    def _factory(self) -> None:
        super()._factory()
        self.tuning = [5, 2, 1024, 1, 0, 1460, 50]
        self._collects = self.choices["collects"] == "always"

    def do_CIPCCFG(self, op, args):
        if op == "?":
            self.info("+CIPCCFG: " + ",".join(map(str, self.tuning)))
        elif op == "=?":
            self.info("+CIPCCFG: " + _FORM)
        else:
            fresh = [number(args, i, *self.LIMITS[i], self.tuning[i]) for i in range(7)]
            if None in fresh or not 4 <= len(args) <= 7 or "" in args:
                return BAD_PARAMETER
            self.tuning, self._collects = fresh, True
        return OK

    # --- what goes out

    def _stream(self, link: Link) -> None:
        self._collected_bytes = bytearray()
        self._collecting = None
        self.plus_escapes = bool(self.tuning[3])
        super()._stream(link)

    def stream_out(self, link: Link, data: bytes) -> None:
        """Collect what comes from the line."""
        if not self._collects:
            super().stream_out(link, data)
            return
        self._collected_bytes += data
        self.clock.cancel(self._collecting)
        size = self.tuning[2]
        while len(self._collected_bytes) >= size:
            self._packet(link, size)
        if self._collected_bytes:
            self._collecting = self.later(self.tuning[1] * _WAIT_UNIT_MS, lambda: self._packet(link, size))

    def _packet(self, link: Link, size: int) -> None:
        data = bytes(self._collected_bytes[:size])
        del self._collected_bytes[:size]
        if data and link.open:
            link.send(data)
            connection, mark = link.connection, link.acknowledged
            total = _FIRST_RETRY_MS * (2 ** (self.tuning[0] + 1) - 1)
            self.later(total, lambda: self._unanswered(link, connection, mark))

    def _unanswered(self, link: Link, connection, mark: int) -> None:
        """All repetitions of a packet were in vain."""
        if self._transparent and link.proto == "TCP" and link.connection is connection and link.acknowledged == mark:
            link.drop(CLOSED)
            self.link_closed(link)

    def leave_data(self) -> None:
        for link in self.links[:1]:
            if self._data is not None and self._collected_bytes:
                self.clock.cancel(self._collecting)
                self._packet(link, len(self._collected_bytes))
        super().leave_data()

    # --- what comes in

    def push_size(self) -> int:
        paced = self._transparent and self.tuning[4]
        return self.tuning[5] if paced else super().push_size()

    def push_pause_ms(self) -> int:
        return self.tuning[6] if self._transparent and self.tuning[4] else 0
