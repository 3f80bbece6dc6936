"""What seldom happens to links of CAOPEN modules: an open that nothing is heard of, a full buffer, a late +CASEND."""

import errno

from micropython import const

from ..channel import passed
from ..links import State
from ..lazy import once

_query = once("query")
query = _query.query

_PAUSE_MS = const(500)
_BLOCKED_MS = const(60000)  # an open that nothing was heard of so long is not tried again
_RETRY_MS = const(250)
_ANY = const(1 << 30)
_BEHIND_MS = const(300)  # OK may follow +CASEND, or not …
_LATE_MS = const(5000)  # … and where +CASEND came behind an OK before


def unheard(m, link, e=None):
    """Steps when the opening of ``link`` ended in ``e``, or has no result for ten seconds. If nothing was said: until
    it has one, or the module answers something else, as it would not while it opens: then it is asked what it has.
    Returns the error."""
    hears = m.blocks is False
    if hasattr(e, "line"):
        return e
    while not hears and _opening(link) and not passed(link.moved, m.CONNECT_MS):
        try:
            yield b"AT", 2000
            hears = True
            m.reserve(None)
        except OSError as other:
            if hasattr(other, "line"):  # it refuses to hear, or that was the end of the open
                e = other
            yield _PAUSE_MS
    if hears and _opening(link):
        if passed(link.moved, _BLOCKED_MS):  # it has ended, and what was said was taken for the answer to AT
            link.stale = 2
        for n, state in (yield from _query.perhaps(m, b"AT+CASTATE?", _state)):
            if n == link.n and state == 1:
                m.connected(link)
    return e


def _opening(link):
    return link.pending and (link.state == State.CONNECTING or link.state == State.CLOSING)


def _state(line):
    n, state = _query.fields(line)
    return int(n), int(state)


def room(m, link):
    """Steps: ``link.limit``, up to which the module can take bytes. Returns whether all that waits can be sent; else a
    pause has passed. OSError when the peer has taken nothing for STALL_MS."""
    from .partial import ask, stalled

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


def sent(m, link, result, n):
    """``+CASEND: link,result,n``, of old firmware: perhaps instead of OK, or late, of the send before."""
    channel = m.channel
    if m.current() is not link.task or not link.sending or not channel.busy or channel.sent < 0:
        m.tells = True
        if result or not n:
            m.broken(link, errno.ECONNABORTED, "send %s:%d: +CASEND: %d, %d bytes" % (link.peer + (result, n)))
    elif not result and n == link.sending:
        channel.own = 3
        channel.hurry(_LATE_MS if m.tells else _BEHIND_MS)
