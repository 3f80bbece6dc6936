"""The face of the ``socket`` module."""

import errno
import sys
from time import ticks_diff, ticks_ms

from micropython import const

from .channel import Pace
from .endpoint import Endpoint, Poll, check_address, flat, span
from .links import Link, State
from .lazy import method, once

AF_INET = const(2)
SOCK_STREAM = const(1)
SOCK_DGRAM = const(2)

_RECLAIM_MS = const(10000)

_modem = None
_hold = 0  # Link.hold of new sockets


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


def getaddrinfo(host: "str | bytes", port: int, af: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> list:
    """One entry with ``host`` as it is: sends nothing, the module resolves it while connecting.

    For ``bind()`` host may be "" and port 0.
    """
    return [(af or AF_INET, type or SOCK_STREAM, proto, "", check_address((host, port), 0))]


class socket(Endpoint):
    """A TCP client of ``modem``, or of the installed one."""

    def __init__(self, af: int = AF_INET, type: int = SOCK_STREAM, proto: int = 0, fileno=None, *, modem=None):
        modem = modem or _modem
        if not modem:
            raise OSError(errno.ENODEV, "no modem: simcom.install(modem) first")
        if af != AF_INET or type != SOCK_STREAM or proto != 0:
            from .stream.calls import become

            if become(self, modem, af, type, proto):
                return
        Endpoint.__init__(self, modem, Link())
        self._link.hold = _hold

    def connect(self, address):
        """Connect to (host, port); the module resolves host. OSError(EINPROGRESS) when not blocking."""
        address = check_address(address)
        start = self._start(True)
        link = self._link
        modem = self._modem
        if link.state:
            self._link = link = once("stream.reopen").renewed(modem, link)
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
        link = self._link
        if self._timeout == 0 and n and buf and link.state == State.OPEN and not (link.ready or link.tx_n):
            k = ticks_ms()
            if 0 < ticks_diff(self._modem.channel.due, k) <= Pace.DEAF_MS:
                return None
            if 0 < ticks_diff(self._vain, k) <= Pace.REST_MS:
                for k in self._modem.channel.ready(0):  # noqa: B007  (with a name more the frame would be on the heap)
                    break
                else:
                    return None
        if not 0 <= n <= len(buf):
            n = len(buf)
        k = self._start()
        k = self._await(n, k) if n else 0
        if not k:
            if k is None:
                self._vain = self._modem.rests()
            return k
        if k > n:
            k = n
        self._modem.receive(link, buf, k)
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
        raise OSError(errno.ECONNRESET if link.state else errno.ENOTCONN, "not connected, or the peer closed")

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
        link = self._link
        done = 0
        while done < n or (link.tx_n and not link.hold and self._timeout != 0):
            k = self._send(buf, off + done, n - done, done) if done < n else 0
            done += k
            if self._timeout == 0:
                self._modem.pump()
                return done or None
            if k:
                start = ticks_ms()
            if done < n or not link.hold:
                self._wait(start)
        if link.error or link.cut > 1:
            self._send(buf, 0, 0)
        return done

    def _poll(self, want):
        # Bits as lwip_socket_ioctl sets them in MicroPython's extmod/modlwip.c.
        if self._closed:
            return Poll.NVAL
        m = self._modem
        m.pump()
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
        elif want & Poll.OUT and (state == State.DRAINING or (state == State.OPEN and link.tx_n < m.SEND_MAX)):
            bits |= Poll.OUT
        if not bits & Poll.IN:
            m.hungry(link, 1)
            self._due = m.channel.due
        return bits & (want | Poll.ERR | Poll.HUP)


# What most sockets have no use for.
for _name in "bind listen accept via setsockopt fileno makefile sendall sendto recvfrom recvfrom_into".split():
    setattr(socket, _name, method(_name))
