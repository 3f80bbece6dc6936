"""``modem.socket()``: a socket of this modem, whichever is installed."""

from ..socket import socket as _socket


def socket(m, *args):
    """A socket on this modem; arguments as ``socket.socket``."""
    return _socket(*args, modem=m)
