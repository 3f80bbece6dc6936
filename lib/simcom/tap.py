"""A UART that wraps a UART and records both directions."""

import errno
import io
import sys
import time

from .masking import Mask

_Stream = io.IOBase if sys.implementation.name == "micropython" else object


class Tap(_Stream):  # type: ignore[misc, valid-type]
    """Give it to a modem in place of its UART: ``SIM7000(Tap(uart, print))``.

    ``out(line)`` gets each piece of traffic as one line, in the transcript format: ``> `` to the module, ``< `` from
    it, CR, LF, backslash and unprintable bytes escaped; in front of it the time in ms.

    PINs, passwords, accounts of an APN and texts of SMS are shown as so many ``*``. What sockets send and receive is
    shown as it is, and so is what follows a line ``OK`` inside the text of an SMS that is read.
    """

    def __init__(self, uart, out=print):
        if not hasattr(uart, "readinto") or not callable(out):
            raise TypeError("Tap: a machine.UART, and a function that takes a line, not %r, %r" % (uart, out))
        self._uart = uart
        self._out = out
        self._start = time.ticks_ms()
        self._mark = ""
        self._data = b""
        self._asked = Mask()
        self._told = Mask()
        self._begin = b""  # of the line that is being written
        self._line = b""  # received, its end has not come yet
        self._sms = 0  # a message is to be sent: 1: its prompt is awaited; 2: what is written is its text
        self._text = 0  # what is received is text: 1: up to CR LF; 2: up to a final result

    def _outgoing(self, data):
        # What is written, without secrets.
        shown = b""
        for c in data:
            if self._sms == 2:
                if c == 26 or c == 27:
                    self._sms = 0
                shown += _starred(c)
                continue
            shown += self._asked.feed(bytes([c]))
            if c == 13 or c == 10:
                begin = self._begin.upper()
                self._sms = int(begin in (b"AT+CMGS=", b"AT+CMGW="))
                self._begin = b""
            elif len(self._begin) < 8:
                self._begin += bytes([c])
        return shown

    def _incoming(self, data):
        # What is read, without secrets; a line of text is kept back until it is known that it is no result.
        shown = b""
        for c in data:
            if not self._text:
                shown += self._told.feed(bytes([c]))
            if c != 10:
                if self._text or len(self._line) < 8:
                    self._line += bytes([c])
                if self._sms == 1 and c == 62 and self._line == b">":
                    self._sms = 2
                    self._text = 2  # echo
                    self._line = b""
                continue
            line = self._line
            self._line = b""
            if self._text:
                line += b"\n"
                if self._text == 2 and _result(line):
                    shown += line
                    self._text = 2 * (line[:6] in _LISTED)
                    continue
                for c in line:
                    shown += _starred(c)
                self._text = 0 if self._text == 1 and line[-2:] == b"\r\n" else self._text
            elif line[:6] in _LISTED:
                self._text = 2
            elif line[:5] in _PUSHED:
                self._text = 1
        return shown

    def _record(self, mark, data):
        # Lines are whole lines, however the UART cut them.
        data = self._outgoing(data) if mark == ">" else self._incoming(data)
        if not data:
            return
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

    def __str__(self):
        return str(self._uart)  # it tells the rate

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


def _starred(c):
    # A byte of the text of an SMS; what ends lines and the text is shown.
    return bytes([c if c in b"\r\n\x1a\x1b" else 42])


def _result(line):
    # Whether a line ends the text of an SMS, or begins the next one.
    word = line.strip()
    return word == b"OK" or word == b"ERROR" or word[:4] in (b"+CMS", b"+CME") or word[:6] in _LISTED + _SENT


_LISTED = (b"+CMGR:", b"+CMGL:")
_SENT = (b"+CMGS:", b"+CMGW:")
_PUSHED = (b"+CMT:", b"+CBM:", b"+CDS:")
_ESCAPES = {13: "\\r", 10: "\\n", 92: "\\\\"}
