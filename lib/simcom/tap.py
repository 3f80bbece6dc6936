"""A UART that wraps a UART and records both directions."""

import errno
import io
import sys
import time

_Stream = io.IOBase if sys.implementation.name == "micropython" else object


class Tap(_Stream):  # type: ignore[misc, valid-type]
    """Give it to a modem in place of its UART: ``SIM7000(Tap(uart, print))``.

    ``out(line)`` gets each piece of traffic as one line, in the transcript format: ``> `` to the module, ``< `` from
    it, CR, LF, backslash and unprintable bytes escaped; in front of it the time in ms.
    """

    def __init__(self, uart, out=print):
        self._uart = uart
        self._out = out
        self._start = time.ticks_ms()
        self._mark = ""
        self._data = b""

    def _record(self, mark, data):
        # Lines are whole lines, however the UART cut them.
        if mark != self._mark:
            self._flush()
            self._mark = mark
        self._data += data
        if data[-1] == 10 or data[-1] == 13 and mark == ">" or len(self._data) > 200:
            self._flush()

    def _flush(self):
        if self._data:
            ms = time.ticks_diff(time.ticks_ms(), self._start)
            shown = "".join([_ESCAPES.get(c) or (chr(c) if 32 <= c < 127 else "\\x%02X" % c) for c in self._data])
            if shown[0] == " ":
                shown = "\\x20" + shown[1:]
            if shown[-1] == " ":
                shown = shown[:-1] + "\\x20"
            self._out("%8d %s %s" % (ms, self._mark, shown))
            self._data = b""

    def init(self, *args, **kwargs):
        self._uart.init(*args, **kwargs)

    def any(self):
        return self._uart.any()

    def read(self, n: int = -1):
        data = self._uart.read() if n < 0 else self._uart.read(n)
        if data:
            self._record("<", data)
        return data

    def readinto(self, buf, n: int = -1):
        n = self._uart.readinto(buf) if n < 0 else self._uart.readinto(buf, n)
        if n:
            self._record("<", bytes(buf[:n]))
        return n

    def write(self, buf, *args):
        """As a stream: (buf), (buf, n) or (buf, off, n); what was not taken is not recorded."""
        n = self._uart.write(buf, *args)
        if n:
            off = args[0] if len(args) == 2 else 0
            self._record(">", bytes(buf[off : off + n]))
        return n

    def ioctl(self, request, arg):
        if request != 3:  # MP_STREAM_POLL
            return -errno.EINVAL
        return arg & (5 if self._uart.any() else 4)


_ESCAPES = {13: "\\r", 10: "\\n", 92: "\\\\"}
