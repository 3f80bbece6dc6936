"""Whether the module has room for what is to be sent: loaded by the first link that has sent a buffer full."""

from micropython import const

from .channel import passed
from .links import State
from .lazy import once
from .shortfall import ask, stalled

query = once("query").query

_RETRY_MS = const(250)
_ANY = const(1 << 30)


def room(m, link):
    """Steps: ``link.limit``, up to which the module can take bytes. Returns whether all that waits can be sent; else a
    pause has passed. OSError when the peer has taken nothing for STALL_MS."""
    try:
        free = (yield from query(m, b"AT+CASEND=%d" % link.n, _free))[-1]
    except OSError as e:
        if not hasattr(e, "line"):  # no answer
            raise
        yield from ask(m, link)
        free = _ANY  # this firmware does not tell: what does not fit is refused
    link.limit = link.total + free
    if link.state != State.OPEN and link.state != State.CLOSING:
        return False
    if free >= link.tx_n:
        return True
    if passed(link.moved, m.STALL_MS):
        raise stalled(link)
    yield _RETRY_MS
    return False


def _free(line):
    (free,) = line.split(":")[1].split(",")
    return int(free)
