"""The doors to everything that has no method of its own."""


def ask(cmd, ms, marks=None):
    """The steps of a single command: its information lines."""
    return (yield cmd, ms, marks)


def socket(m, *args):
    """A socket on this modem; arguments as ``socket.socket``."""
    from .socket import socket

    return socket(*args, modem=m)
