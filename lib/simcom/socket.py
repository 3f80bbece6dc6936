"""The face of the ``socket`` module."""

import errno
import io
import sys
from time import ticks_ms

from micropython import const

from .channel import passed
from .links import Link, RingIO, State
from .lazy import method, once

AF_INET = const(2)
SOCK_STREAM = const(1)
SOCK_DGRAM = const(2)

_RECLAIM_MS = const(10000)

_POLL = const(3)  # MP_STREAM_POLL
_CLOSE = const(4)  # MP_STREAM_CLOSE


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

_modem = None
_hold = 0  # Link.hold of new sockets
_probe = RingIO(2)  # which counts bytes where len() counts items


def __getattr__(name):
    # Constants that few programs use.
    return once("options.sockopt").constant(name)


def install(modem, nodelay: bool = True):
    """From here ``import socket`` (and ``usocket``) is this module, acting on ``modem``.

    ``nodelay=False``: its sockets begin with TCP_NODELAY off: small writes are collected, for 200 ms at most.
    """
    global _modem, _hold
    _modem = modem
    _hold = 0 if nodelay else 200
    sys.modules["socket"] = sys.modules["usocket"] = sys.modules[__name__]


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


def getaddrinfo(host: "str | bytes", port: int, af: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> list:
    """One entry with ``host`` as it is: sends nothing, the module resolves it while connecting.

    For ``bind()`` host may be "" and port 0.
    """
    return [(af or AF_INET, type or SOCK_STREAM, proto, "", check_address((host, port), 0))]


class socket(_Stream):  # type: ignore[misc, valid-type]
    """A TCP client of ``modem``, or of the installed one."""

    def __init__(self, af: int = AF_INET, type: int = SOCK_STREAM, proto: int = 0, fileno=None, *, modem=None):
        self._modem = modem or _modem
        if not self._modem:
            raise OSError(errno.ENODEV, "no modem: simcom.install(modem) first")
        self._link = Link()
        self._link.hold = _hold
        self._timeout: "int | None" = None  # ms; None: wait, 0: do not
        self._closed = False
        if af != AF_INET or type != SOCK_STREAM or proto != 0:
            from .stream.socktype import become

            become(self, af, type, proto)

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
            raise OSError(errno.EBADF, "the socket is closed")
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

    def connect(self, address):
        """Connect to (host, port); the module resolves host. OSError(EINPROGRESS) when not blocking."""
        address = check_address(address)
        start = self._start(True)
        link = self._link
        modem = self._modem
        if link.state:
            self._link = link = once("stream.reconnect").renewed(modem, link)
        modem.open(link, address)
        if self._timeout == 0:
            link.reclaim_ms = _RECLAIM_MS  # a task that is cancelled now cannot close it
            modem.pump()
            raise OSError(errno.EINPROGRESS, "connecting")
        try:
            while link.state == State.CONNECTING:
                self._wait(start)
        finally:
            if link.state == State.CONNECTING:  # timed out, or Ctrl-C
                link.fail(errno.ETIMEDOUT, "connect %s:%d: given up" % address)
                modem.close(link)
        link.check()

    def close(self):
        """Send what was written, then close; waits for that (10 s at most) unless the socket does not block."""
        if not self._closed:
            link = self._link
            modem = self._modem
            modem.close(link)
            self._closed = True
            modem.pump()
            start = ticks_ms()
            while self._timeout != 0 and link.n >= 0 and not (modem.pumping or passed(start, link.linger)):
                modem.wait(20, start, link.linger)

    # Receiving

    def _available(self):
        """Bytes that can be read now; 0: EOF; None: none yet. Raises what the link failed of."""
        link = self._link
        over = link.error or link.state == State.CLOSED  # before ready: a timer that pumps may bring the last bytes now
        if link.ready:
            return link.ready
        if not link.state:
            raise OSError(errno.ENOTCONN, "not connected")
        if over:
            if link.n < 0:
                self._modem.forget(link)
            link.check()
            return 0

    def _await(self, n, start):
        """Wait for ``n`` bytes, or as many as the ring holds: how many are there, fewer only at the end.
        When not blocking what is there, or None."""
        link = self._link
        n = min(n, self._modem.ring_size)
        before = 0
        while True:
            k = self._available()
            if k and k != before:  # the time-out counts from the last bytes
                before = k
                start = ticks_ms()
            if k is None or not (k >= n or link.error or link.state == State.CLOSED):
                self._modem.hungry(link, n)
                if self._timeout != 0:
                    self._wait(start)
                    continue
            link.want = 0
            return k

    def _some(self):
        """Wait for the first byte: how many are there; 0: EOF. OSError(EAGAIN) when not blocking."""
        k = self._await(1, self._start())
        if k is None:
            raise OSError(errno.EAGAIN, "not now")
        return k

    def recv_into(self, buf, n: int = 0) -> int:
        """Read what is there, at most ``n`` or ``len(buf)`` bytes: how many; 0 at EOF."""
        buf = flat(buf, True)
        if not 0 < (n or len(buf)) <= len(buf):
            return once("stream.flags").recv_into(self, buf, n)
        return self._modem.receive(self._link, buf, min(self._some(), n or len(buf)))

    def recv(self, n: int, flags: int = 0) -> bytes:
        """Read what is there, at most ``n`` bytes; b"" at EOF. OSError(EAGAIN) when not blocking and none is there.

        ``flags``: MSG_DONTWAIT as if not blocking; MSG_PEEK leaves the bytes to the next call.
        """
        if flags or not isinstance(n, int) or n < 1:
            return once("stream.flags").recv(self, n, flags)
        buf = bytearray(min(self._some(), n))
        self._modem.receive(self._link, buf, len(buf))
        return bytes(buf)

    def readinto(self, buf, n: int = -1):
        """Fill ``buf`` or its first ``n`` bytes: how many came, fewer only at EOF. Not blocking: what is there or None.

        Allocates nothing for as many bytes as the receive ring holds (twice the read size of the module).
        """
        if not isinstance(buf, bytearray):
            buf = flat(buf, True)
        start = self._start()
        if not 0 <= n <= len(buf):
            n = len(buf)
        k = self._await(n, start) if n else 0
        if not k:
            return k
        if k > n:
            k = n
        self._modem.receive(self._link, buf, k)
        return n if k == n else self._rest(buf, n, k)

    def _rest(self, buf, n, done):
        # What comes behind it; an error is for the next call.
        try:
            while done < n:
                k = self._await(n - done, ticks_ms())
                if not k:
                    break
                done += self._modem.receive(self._link, memoryview(buf)[done:], min(k, n - done))
        except OSError:
            pass
        return done

    def read(self, n: int = -1):
        """Read ``n`` bytes, or until EOF: fewer only at EOF. Not blocking: what is there, or None."""
        if n is None or n < 0:
            return self._gather(-1, False)
        buf = bytearray(n)
        k = self.readinto(buf)
        return None if k is None else bytes(memoryview(buf)[:k])

    def readline(self, limit: int = -1):
        """Read up to and with a newline, or ``limit`` bytes, or EOF. Not blocking: what is there, or None."""
        return self._gather(limit, True)

    def _gather(self, limit, line):
        start = self._start()
        data = bytearray()
        while len(data) != limit:
            k = self._await(1, start)
            if not k:
                if k is None and not data:
                    return None
                break
            part = bytearray(1 if line else k)
            self._modem.receive(self._link, part, len(part))
            data.extend(part)
            if line and part[0] == 10:
                break
            start = ticks_ms()
        return bytes(data)

    # Sending

    def _send(self, buf, off, n, done=0):
        """How many bytes fit now, behind ``done`` of them; raises when the link cannot send."""
        link = self._link
        link.check()
        if link.state == State.OPEN:
            return self._modem.send(link, buf, off, n)
        if link.state == State.CONNECTING:
            return 0
        if link.state and not (link.cut or done):  # as with TCP: the peer's answer to it is the reset
            link.cut = 1
            return n
        raise OSError(errno.ECONNRESET if link.state else errno.ENOTCONN, "not connected, or closed by the peer")

    def send(self, buf) -> int:
        """As ``write()``: all of ``buf``. Not blocking: how many bytes fitted; OSError(EAGAIN) when none did."""
        n = self.write(buf)
        if n is None:
            raise OSError(errno.EAGAIN, "not now")
        return n

    def write(self, buf, off: "int | None" = None, n: "int | None" = None):
        """Write all of ``buf``, or ``n`` bytes (``write(buf, n)``), or ``n`` from ``off``.

        Returns how many, once the module has them, or they fit behind what is held (TCP_NODELAY off). Not blocking:
        how many fitted, or None.
        """
        buf = flat(buf)
        off, n = span(buf, off, n)
        start = self._start(True)
        done = 0
        while done < n or (self._link.tx_n and not self._link.hold and self._timeout != 0):
            k = self._send(buf, off + done, n - done, done) if done < n else 0
            done += k
            if self._timeout == 0:
                self._modem.pump()
                return done or None
            if k:
                start = ticks_ms()
            if done < n or not self._link.hold:
                self._wait(start)
        if self._link.error or self._link.cut > 1:
            self._send(buf, 0, 0)
        return done

    def ioctl(self, request, arg):
        """MicroPython's stream protocol: poll and close."""
        if request == _POLL:
            return self._poll(arg)
        if request == _CLOSE:
            self.close()
            return 0
        return -errno.EINVAL

    def _poll(self, want):
        # Bits as lwip_socket_ioctl sets them in MicroPython's extmod/modlwip.c.
        if self._closed:
            return Poll.NVAL
        self._modem.pump()
        link = self._link
        state = link.state
        if link.reclaim_ms:
            link.touched = ticks_ms()
            link.reclaim_ms = max(link.reclaim_ms, 0)
        bits = Poll.IN if link.ready else 0
        if link.error:
            bits = Poll.IN | Poll.OUT | (Poll.HUP if link.error[0] == errno.ECONNRESET else Poll.ERR)
        elif not state:
            bits = Poll.OUT | Poll.HUP
        elif state == State.CLOSED:
            bits = Poll.IN | Poll.OUT
        elif state == State.DRAINING or (state == State.OPEN and link.tx_n < self._modem.SEND_MAX):
            bits |= Poll.OUT
        if not bits & Poll.IN:
            self._modem.hungry(link, 1)
        return bits & (want | Poll.ERR | Poll.HUP)


# What most sockets have no use for.
for _name in "bind listen accept setsockopt fileno makefile sendall sendto recvfrom recvfrom_into".split():
    setattr(socket, _name, method(_name))
