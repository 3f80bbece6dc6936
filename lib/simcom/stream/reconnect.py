"""A socket that connects again."""

import errno

from ..links import Link, State


_EISCONN = 106  # the module errno has no name for it


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
