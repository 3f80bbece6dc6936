"""Calls of a stream that few programs make: with addresses, though it has one peer, and others."""

import errno

from ..socket import flat


def sendall(self, buf):
    """Send all of buf; when not blocking OSError(EAGAIN) if it does not fit at once."""
    buf = flat(buf)
    if self.write(buf) != len(buf):
        raise OSError(errno.EAGAIN, "not now")


def makefile(self, *_):
    """The socket itself: it has the methods of a stream."""
    self._start()
    return self


def sendto(self, buf, address) -> int:
    """As ``send()``: the address is that of ``connect()``."""
    return self.send(buf)


def recvfrom(self, n: int, flags: int = 0) -> tuple:
    """As ``recv()``: (bytes, (host, port) of the peer)."""
    return self.recv(n, flags), self._link.peer


def recvfrom_into(self, buf, n: int = 0) -> tuple:
    """As ``recv_into()``: (how many bytes, (host, port) of the peer)."""
    return self.recv_into(buf, n), self._link.peer
