"""What ``socket()`` is given beside nothing: another modem, another type."""

import errno

from ..lazy import load
from ..socket import AF_INET, SOCK_DGRAM, SOCK_STREAM, socket as _socket

_AF_INET6 = 10


def socket(m, *args):
    """A socket on this modem; arguments as ``socket.socket``."""
    return _socket(*args, modem=m)


def become(s, af, type, proto):
    """Make a new socket what was asked for. TypeError: no numbers; OSError(EOPNOTSUPP): no module has that."""
    for number in (af, type, proto):
        if not isinstance(number, int):
            raise TypeError("socket: family, type and protocol are numbers")
    if af != AF_INET and af != _AF_INET6:
        raise OSError(errno.EOPNOTSUPP, "only AF_INET and AF_INET6")
    if type == SOCK_DGRAM:
        load("udp.socket").equip(s)
    elif type != SOCK_STREAM:
        raise OSError(errno.EOPNOTSUPP, "only SOCK_STREAM and SOCK_DGRAM")


def fileno(self) -> int:
    """A number of its own, -1 once it is closed; of use only to tell sockets apart."""
    return -1 if self._closed else id(self) & 0x3FFFFFFF
