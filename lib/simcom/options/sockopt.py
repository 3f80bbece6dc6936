"""Socket options."""

from micropython import const

from ..checks import check_number
from ..endpoint import Flag
from ..lazy import load


# What socket.py finds here when it is asked for; numbers of lwIP
NAMES = {
    "AF_INET6": 10,
    "SOCK_RAW": 3,
    "MSG_PEEK": Flag.PEEK,
    "MSG_DONTWAIT": Flag.DONTWAIT,
    "IPPROTO_IP": 0,
    "IPPROTO_TCP": 6,
    "SOL_SOCKET": 1,
    "SO_REUSEADDR": 4,
    "SO_BROADCAST": 32,
    "SO_KEEPALIVE": 8,
    "SO_LINGER": 128,
    "TCP_NODELAY": 1,
    "TCP_KEEPIDLE": 3,
    "TCP_KEEPINTVL": 4,
    "TCP_KEEPCNT": 5,
}


def constant(name):
    """socket.__getattr__()"""
    if name not in NAMES:
        raise AttributeError(name)
    return NAMES[name]


_SOL_SOCKET = const(1)
_IPPROTO_TCP = const(6)
_SO_KEEPALIVE = const(8)
_SO_LINGER = const(128)
_TCP_NODELAY = const(1)
_TCP_KEEPIDLE = const(3)
_TCP_KEEPCNT = const(5)


def setsockopt(self, level: int, option: int, value):
    """SO_LINGER with ``(1, 0)``, or the same as a struct: closed at once, unsent bytes are dropped (AT+CIPCLOSE=n,1;
    SIM7028 and A76XX have no quick close: only the bytes are dropped); with ``(1, seconds)``: how long close() waits
    for the peer to have everything, 10 s else.

    TCP_NODELAY 0: small writes are collected, for 200 ms at most; they go out before a read, a poll or a close.
    SO_KEEPALIVE, and TCP_KEEPIDLE, TCP_KEEPINTVL (s), TCP_KEEPCNT of IPPROTO_TCP: of the whole module, for connections
    that are opened later (AT+CIPTKA; AT+CTCPKA, whose unit is the minute: times are rounded up). Other options are
    accepted and without effect.
    """
    self._start()
    for what, number in (("level", level), ("option", option)):
        if not isinstance(number, int):
            raise TypeError("setsockopt: %s: a number, as %s, not %r" % (what, "SOL_SOCKET, TCP_NODELAY", number))
    if level == _SOL_SOCKET and option == _SO_LINGER:
        pair = value if isinstance(value, tuple) else (_number(value, 0), _number(value, 4))
        if len(pair) != 2:
            raise ValueError("setsockopt: value: (on, seconds), not %r" % (value,))
        on, seconds = pair
        check_number("value: on", on)
        check_number("value: seconds", seconds)
        link = self._link
        link.abort = bool(on) and not seconds
        link.linger = (seconds if on else 0) * 1000 or 10000
    elif level == _SOL_SOCKET and option == _SO_KEEPALIVE:
        _keep(self, 0, value)
    elif level == _IPPROTO_TCP and option == _TCP_NODELAY:
        self._link.hold = 0 if _number(value, 0) else 200
    elif level == _IPPROTO_TCP and _TCP_KEEPIDLE <= option <= _TCP_KEEPCNT:
        _keep(self, option - _TCP_KEEPIDLE + 1, value)


def _number(value, at):
    if isinstance(value, int):
        return value
    if not isinstance(value, (bytes, bytearray, memoryview)) or len(value) < at + 4:
        raise TypeError("setsockopt: value: a number, or as many bytes as the option has, not %r" % (value,))
    return int.from_bytes(bytes(value[at : at + 4]), "little")


def _keep(self, which, value):
    load("options.keepalive").change(self._modem, which, _number(value, 0), self._timeout == 0)
