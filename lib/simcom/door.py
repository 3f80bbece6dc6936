"""The doors to everything that has no method of its own."""

from .pump import check_text


def ask(cmd, ms, marks=None):
    """The steps of a single command: its information lines."""
    return (yield cmd, ms, marks)


def at(m, cmd: str, *, timeout_ms: int = 5000) -> list:
    """Send ``"AT" + cmd`` (``at("+CSQ")``); returns the information lines, a list of str.

    Raises ATError when the module answers ERROR, OSError(ETIMEDOUT) when it does not answer.
    """
    check_text("at", cmd, 550, "")
    return m.run(ask(b"AT" + cmd.encode(), timeout_ms), once=True)


def on_urc(m, prefix: str, callback):
    """Call ``callback(line)`` for each unsolicited line that starts so (``None``: no longer).

    It runs inside the pump with no command in flight; it may start things, not wait for them.
    """
    start = prefix.encode()
    m.urcs = [urc for urc in m.urcs if urc[0] != start]
    if callback:
        m.urcs.append((start, callback))


def socket(m, *args):
    """A socket on this modem; arguments as ``socket.socket``."""
    from .socket import socket

    return socket(*args, modem=m)
