"""Opening a link once more: another attempt, or a socket's next connection."""

import errno

from ..channel import passed
from ..links import Link, State, Wait

_EISCONN = 106  # the module errno has no name for it


def again(m, link, n, error):
    """Steps after ``error`` ended the opening of ``link`` as number ``n``: raised when there is no other attempt."""
    servers = m.parts.get("servers")
    if servers and link.n == n and link.state == State.CONNECTING:
        error = yield from servers.explained(n, error)
    if link.n != n:  # that number is a client's
        if link.n >= 0:
            link.error = None
        return
    if passed(link.moved, m.CONNECT_MS):
        link.stale = 3
    link.pending = link.stale > 2  # else: what is reported from now on is of an older attempt
    if link.state == State.OPEN or link.state == State.DRAINING:  # only its OK was lost
        return
    link.stale += 1
    if link.stale > 2 or link.state == State.CLOSING:
        if hasattr(error, "line") and not link.kind:
            m.spurned = link.peer  # for recover()
        m.doubt = True  # is the context still up?
        raise error
    # The module may think the number open, or be still closing it.
    link.error = None
    yield Wait.RETRY_MS
    if link.state == State.CONNECTING:
        yield from m.shut(link)


def renewed(m, old):
    """The link for the next connection of a socket; what was set for it stays. OSError: it has a connection."""
    if old.state == State.OPEN:
        raise OSError(_EISCONN, "connect: connected already")
    if old.state == State.CONNECTING:
        raise OSError(errno.EALREADY, "connect: connecting already")
    m.close(old)
    link = Link()
    link.hold = old.hold
    link.kind = old.kind
    link.linger = old.linger
    link.abort = old.abort
    return link
