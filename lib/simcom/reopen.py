"""A connection that the module did not open: loaded for the second attempt."""

from micropython import const

_CONNECTING = const(1)  # Link.state, as in links.py
_OPEN = const(2)
_CLOSING = const(4)

_RETRY_MS = const(250)


def again(m, link, error):
    """Steps after ``error`` ended the opening of ``link``: it is raised when there is no other attempt."""
    link.pending = link.stale > 2  # else: what is reported from now on is of an older attempt
    if link.state == _OPEN:  # only its OK was lost
        return
    link.stale += 1
    if link.stale > 2 or link.n < 0 or link.state == _CLOSING:
        if hasattr(error, "line") and link.proto == "TCP" and not link.opener:
            m.spurned = link.peer  # for recover()
        m.doubt = True  # is the context still up?
        raise error
    # The module may think the number open, or be still closing it: close it, try again.
    link.error = None
    link.state = _CONNECTING
    yield _RETRY_MS
    if link.state == _CONNECTING:
        yield from m._shut(link)
    if link.state == _CONNECTING:
        yield from m._open(link)
