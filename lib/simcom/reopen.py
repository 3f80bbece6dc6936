"""A connection that the module did not open: loaded for the second attempt."""

from micropython import const

from .links import State


_RETRY_MS = const(250)


def again(m, link, error):
    """Steps after ``error`` ended the opening of ``link``: it is raised when there is no other attempt."""
    link.pending = link.stale > 2  # else: what is reported from now on is of an older attempt
    if link.state == State.OPEN:  # only its OK was lost
        return
    link.stale += 1
    if link.stale > 2 or link.n < 0 or link.state == State.CLOSING:
        if hasattr(error, "line") and link.proto == "TCP" and not link.opener:
            m.spurned = link.peer  # for recover()
        m.doubt = True  # is the context still up?
        raise error
    # The module may think the number open, or be still closing it: close it, try again.
    link.error = None
    link.to(State.CONNECTING)
    yield _RETRY_MS
    if link.state == State.CONNECTING:
        yield from m._shut(link)
    if link.state == State.CONNECTING:
        yield from m._open(link)
