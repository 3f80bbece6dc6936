"""Receiving with flags."""

import errno

from ..foreground import critical
from ..endpoint import Flag
from ..lazy import once


def recv(self, n, flags):
    """socket.recv(), of a stream."""
    timeout = _begin(self, n, flags)
    try:
        if not n:
            return b""
        if not flags & Flag.PEEK:
            return self.recv(n)
        k = self._some()
        return critical(self._modem, _copy, self._link.ring, min(k, n)) if k else b""
    finally:
        self._timeout = timeout


def recv_into(self, buf, n):
    """socket.recv_into(), of nothing or too much."""
    once("arguments").count(n, len(buf))
    return len(recv(self, 0, 0))


def datagram(self, n, flags):
    """DatagramSocket.recvfrom()"""
    timeout = _begin(self, n, flags)
    try:
        if not flags & Flag.PEEK:
            return self.recvfrom(n)
        k = self._await(self._start())
        return critical(self._modem, _copy, self._link.ring, min(k, n)), self._link.borders.whose()
    finally:
        self._timeout = timeout


def _begin(self, n, flags):
    self._start()
    arguments = once("arguments")
    arguments.count(n)
    arguments.count(flags, None, "flags: MSGFlag.PEEK, MSGFlag.DONTWAIT")
    if flags & ~(Flag.PEEK | Flag.DONTWAIT):
        raise OSError(errno.EOPNOTSUPP, "recv: only MSGFlag.PEEK and MSGFlag.DONTWAIT")
    timeout = self._timeout
    if flags & Flag.DONTWAIT:
        self._timeout = 0
    return timeout


def _copy(ring, n):
    # A ring can only be emptied, so it is filled again: all of it, in the same order.
    data = bytearray(ring.any())
    ring.readinto(data)
    ring.write(data)
    return bytes(memoryview(data)[:n])
