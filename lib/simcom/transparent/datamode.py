"""Data mode: bytes that are the connection's until the module says that it is over, or is asked to."""

from time import ticks_ms

from micropython import const

from ..channel import passed
from ..parser import Parser

_SILENCE_MS = const(900)  # after so long +++ might be taken for ours
_OK_MS = const(300)  # so long it may be the OK behind CONNECT
_SPARE = const(64)  # bytes of the ring for what may be the beginning of an event

_WHY = (b"NORMAL", b"UNDER-VOLTAGE", b"OVER-VOLTAGE")
_ENDS = [b"NO CARRIER"] + [b"%s POWER %s" % (why, how) for why in _WHY for how in (b"DOWN", b"OFF")]
BOOT = (b"RDY", b"*ATREADY: 1", b"+CFUN: 1", b"Call Ready", b"SMS Ready")
ESCAPED = b"\r\nOK\r\n"


class Plus:
    """Times around +++."""

    GUARD_MS = 1300  # silence in front of it: a second, and what the UART may still have to send


class _Lines(Parser):
    """Lines, until ``data`` is set: it takes the rest."""

    data = None

    def _special(self, i, n):
        if not self.data:
            return super()._special(i, n)
        self.data(self.buf, i, n - i)
        return n - i


class DataMode:
    """The bytes of a stream in transparent mode."""

    CHUNK = 256  # bytes that may come at once

    def __init__(self, m, events, dtr, dcd):
        self._dtr = dtr
        self._dcd = dcd
        self._size = m.ring_size
        self._data = False  # the module is in data mode …
        self._wish = True  # … and is to be
        self._failed = False  # it could not be left, or not be entered
        self._events = [ESCAPED] + [b"\r\n%s\r\n" % line for line in events + tuple(_ENDS) + BOOT]
        self._held = 0  # so many bytes of what is perhaps the beginning of an event are here …
        self._like = ESCAPED  # … those of this one …
        self._fits = 0  # … and of all whose bits are set
        self._after = bytearray()  # an event, or payload that reads like it, and all that came since
        self._doubted = b""  # what reads like the end of the context in front of that of the connection: it is asked
        self._asking = False  # +++ was sent, and OK may answer it
        self._sent = ticks_ms()  # when bytes were sent last
        self._pluses = 0  # so many since a silence; -1: other bytes too
        self._brief = False  # who waits has more to write
        self._idle = 0  # so many seconds, about, without a byte either way
        self._entered = 0  # ticks_ms when data mode began …
        self._first = -1  # … and how much had come, if OK may be behind CONNECT

    def _begin_lines(self):
        # Called with the channel idle: what lines come from now on, until the connection is over.
        channel = self._modem.channel
        self._parser = channel.parser
        self._uart_any = channel.any
        self._size = self._modem.ring_size
        self._lines = _Lines(channel, len(self._parser.buf))
        self._read_by(self._lines)
        channel.any = self._any
        self._modem.ring_size -= _SPARE

    def _read_by(self, parser):
        # From now on; a line that has begun goes with it.
        channel = self._modem.channel
        former = channel.parser
        channel.parser = parser
        if parser is not former:
            parser.line, former.line = former.line, parser.line
            parser.held = former.held
            former.held = 0

    def _end_lines(self):
        channel = self._modem.channel
        self._read_by(self._parser)
        channel.any = self._uart_any
        self._modem.ring_size = self._size

    # Data

    def _put(self, buf, off, n):
        # To the module, as much as it takes now.
        n = self._allowed(buf, off, n)
        if n:
            n = self._modem.channel.uart.write(buf, off, n) or 0
            for k in range(off, off + n):
                if self._pluses < 0:
                    break
                self._pluses = self._pluses + 1 if buf[k] == 43 else -1
            if n:
                self._sent = ticks_ms()
                self._modem.went = (self._modem.went + n) & 0x3FFFFFFF
        return n

    def _allowed(self, buf, off, n):
        # Three pluses between two silences would leave data mode: the third waits until there is one behind two.
        if passed(self._sent, Plus.GUARD_MS if self._pluses > 0 else _SILENCE_MS):
            self._pluses = 0
        if n > 256:
            n = 256
        if self._pluses >= 0:
            for k in range(n):
                if buf[off + k] != 43:
                    break
                if self._pluses + k == 2:
                    return k
        return n

    def _room(self):
        """How many bytes may still be received."""
        ring = self._link.ring
        return self._size - ring.any() - self._held - len(self._after) if ring is not None else self.CHUNK

    def _any(self):
        # In place of the UART's any().
        n = self._uart_any()
        return min(n, max(0, self._room())) if self._data else n

    def _take(self, buf, i, n):
        end = i + n
        while i < end:
            if self._after:
                self._after.extend(memoryview(buf)[i:end])
                return
            if not self._held:
                j = buf.find(b"\r\n", i, end)
                if j < 0:
                    j = end - (buf[end - 1] == 13)
                self._store(buf, i, j - i)
                self._held = int(j < end)
                self._fits = -1
                i = j + 1
            elif self._goes_on(buf[i]):
                i += 1
                if self._held == len(self._like):
                    self._held = 0
                    self._whole()
        if self._held:
            self._modem.wake(self._link)

    def _goes_on(self, c):
        """Whether ``c`` behind what is held belongs to an event too; if not, what is held is payload."""
        fits = 0
        for k in range(len(self._events)):
            if self._fits >> k & 1 and self._events[k][self._held] == c:
                fits |= 1 << k
                if k or self._asking:
                    self._like = self._events[k]
        if fits > 1 or (fits and self._asking):
            self._fits = fits
            self._held += 1
            return True
        self._no_beginning()
        return False

    def _no_beginning(self):
        # What is held is payload.
        n = self._held
        self._held = 0
        self._store(self._like, 0, n)

    def _whole(self):
        # An event, or payload that reads like it.
        if self._like == ESCAPED and self._first == self._modem.came and not passed(self._entered, _OK_MS):
            self._first = -1
        else:
            self._after = bytearray(self._like)
            self._modem.wake(self._link)

    def _store(self, buf, i, n):
        link = self._link
        if n and link.ring is not None:
            link.ring.write(buf, i, n)
            link.ready += n
            self._modem.came = (self._modem.came + n) & 0x3FFFFFFF

    def _payload(self, n):
        """The first ``n`` of the bytes since the event are payload: what was no event."""
        after = self._after
        self._after = bytearray()
        self._doubted = b""
        self._store(after, 0, n)
        return after

    def _command_lines(self, lines):
        """Data mode is over; ``lines`` came since."""
        channel = self._modem.channel
        parser = self._parser  # what comes may be for others
        channel.mute = channel.desync = False
        self._lines.data = None
        self._lines.reset()
        self._read_by(parser)
        self._data = False
        for at in range(0, len(lines), len(parser.buf)):
            piece = lines[at : at + len(parser.buf)]
            parser.buf[: len(piece)] = piece
            parser.feed(len(piece))
