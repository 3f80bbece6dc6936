"""Calls of a stream that few programs make: with addresses, though it has one peer, and others."""

import errno

from .socket import flat


def sendall(s, buf):
    """Send all of buf; when not blocking OSError(EAGAIN) if it does not fit at once."""
    buf = flat(buf)
    if s.write(buf) != len(buf):
        raise OSError(errno.EAGAIN, "not now")


def makefile(s, *_):
    """The socket itself: it has the methods of a stream."""
    s._start()
    return s


def sendto(s, buf, address) -> int:
    """As ``send()``: the address is that of ``connect()``."""
    return s.send(buf)


def recvfrom(s, n: int, flags: int = 0) -> tuple:
    """As ``recv()``: (bytes, (host, port) of the peer)."""
    return s.recv(n, flags), s._link.peer


def recvfrom_into(s, buf, n: int = 0) -> tuple:
    """As ``recv_into()``: (how many bytes, (host, port) of the peer)."""
    return s.recv_into(buf, n), s._link.peer
