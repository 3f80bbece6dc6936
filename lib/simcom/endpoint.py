"""What sockets of either kind share: modem, link, time-out, and how their arguments are read."""

import errno
import io
import sys
from time import ticks_diff, ticks_ms

from micropython import const

from .channel import Pace, passed
from .lazy import once
from .links import RingIO

_POLL = const(3)  # MP_STREAM_POLL
_CLOSE = const(4)  # MP_STREAM_CLOSE


class Type:
    """What a socket can be, as numbers of lwIP."""

    STREAM = 1
    DGRAM = 2


class Flag:
    """Of ``recv()``."""

    PEEK = 1
    DONTWAIT = 8


class Poll:
    """What ``ioctl(MP_STREAM_POLL)`` asks for and answers, as bits."""

    IN = 1
    OUT = 4
    ERR = 8
    HUP = 16
    NVAL = 32


# IOBase makes a class a stream for poll() and ssl. CPython's would close sockets
# that are dropped, which nothing does on the device.
_Stream = io.IOBase if sys.implementation.name == "micropython" else object

_probe = RingIO(2)  # which counts bytes where len() counts items


def check_address(address, least=1):
    """(host, port), if a connection can be made to it: ValueError. With ``least`` 0 a server can be there too."""
    if isinstance(address, tuple) and len(address) == 2:
        host, port = address
        if isinstance(port, int) and 0 < port <= 65535 and isinstance(host, str) and 0 < len(host) < 64:
            if not host.lower().strip("abcdefghijklmnopqrstuvwxyz0123456789.-_"):
                return address
    return once("arguments").address(address, least)


def flat(buf, fill=False):
    """``buf``, which has as many bytes as items then: of a str, or of wider items, what they are made of. TypeError: it
    is no buffer, or it is to be filled and cannot be."""
    if isinstance(buf, str) and not fill:
        return buf.encode()
    try:
        if fill:
            _probe.readinto(buf, 0)
        if not _probe.write(buf, len(buf), 1):  # nothing lies behind so many bytes
            return buf
    except TypeError:
        pass
    return once("arguments").flat(buf, fill, _probe)


def span(buf, off, n):
    """(off, n) of what ``write(buf[, [off,] n])`` writes: too large or negative an ``n`` is cut to what there is."""
    if n is None:
        n = len(buf) if off is None else off
        off = 0
    if off < 0:
        once("arguments").position(off)
    left = max(len(buf) - off, 0)
    return off, n if 0 <= n <= left else left


class Endpoint(_Stream):  # type: ignore[misc, valid-type]
    """A socket; a class derived from this one has ``_poll(want)``, which returns bits of Poll."""

    def __init__(self, modem, link):
        self._modem = modem
        self._link = link
        self._timeout: "int | None" = None  # ms; None: wait, 0: do not
        self._closed = False
        self.ioctl = self.ioctl  # found at once
        # ticks_ms: what is counted cannot be here before; nothing is to be done before, unless the UART has something
        self._due = self._vain = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def settimeout(self, seconds: "float | None"):
        """None: block while module and link are alive; 0: do not block; else raise OSError(ETIMEDOUT) after so long."""
        if seconds is not None:
            if not isinstance(seconds, (int, float)) or not 0 <= seconds < 1 << 27:
                once("arguments").seconds(seconds)
            seconds = int(seconds * 1000)
        self._timeout = seconds

    def setblocking(self, flag: bool):
        """True: ``settimeout(None)``; False: ``settimeout(0)``."""
        self._timeout = None if flag else 0

    def _start(self, waits=False):
        if self._closed:
            raise OSError(errno.EBADF, "socket closed")
        if waits and self._timeout != 0:
            self._modem.may_wait()
        self._modem.pump()
        self._link.reclaim_ms = 0
        return ticks_ms()

    def _wait(self, start):
        # The one wait; its callers see what ended it: done, closed, failed. Here: not blocking, timed out.
        limit = self._timeout
        if limit is not None and passed(start, limit):
            if not limit:
                raise OSError(errno.EAGAIN, "not now")
            self._link.reclaim_ms = -1  # programs drop a socket that timed out, unclosed
            raise OSError(
                errno.ETIMEDOUT,
                "%s:%d: nothing for %d ms%s"
                % (self._link.peer + (limit, self._modem.channel.desync and ", the module is silent" or "")),
            )
        self._modem.wait(20, start, limit)

    def close(self):
        """Send what was written, then close; waits for that (10 s at most) unless the socket does not block."""
        if not self._closed:
            link = self._link
            modem = self._modem
            modem.close(link)
            self._closed = True
            self._due = 0
            modem.pump()
            start = ticks_ms()
            while self._timeout != 0 and link.n >= 0 and not (modem.pumping or passed(start, link.linger)):
                modem.wait(20, start, link.linger)

    def ioctl(self, request, arg):
        """MicroPython's stream protocol: poll and close."""
        if request == _POLL:
            if arg == Poll.IN and 0 < ticks_diff(self._due, ticks_ms()) <= Pace.DEAF_MS:  # asked at each interrupt
                return 0
            return self._poll(arg)
        if request == _CLOSE:
            self.close()
            return 0
        return -errno.EINVAL
