"""What few programs ask of a socket: another type, addresses though a stream has one peer, and others."""

import errno

from micropython import const

from ..endpoint import Type, flat

_AF_INET = const(2)
_AF_INET6 = const(10)


def become(s, m, af, type, proto):
    """Make a new socket what was asked for; returns whether it is no stream. TypeError: no numbers;
    OSError(EOPNOTSUPP): no module has that."""
    for number in (af, type, proto):
        if not isinstance(number, int):
            raise TypeError("socket: family, type and protocol are numbers")
    if af != _AF_INET and af != _AF_INET6:
        raise OSError(errno.EOPNOTSUPP, "only AF_INET and AF_INET6")
    if type == Type.DGRAM:
        m.datagrams(s)
        return True
    if type != Type.STREAM:
        raise OSError(errno.EOPNOTSUPP, "only SOCK_STREAM and SOCK_DGRAM")
    return False


def fileno(self) -> int:
    """A number of its own, -1 once it is closed; of use only to tell sockets apart."""
    return -1 if self._closed else id(self) & 0x3FFFFFFF


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
