"""The port that a socket asks for: a client's local one, a server's."""

import errno

from ..lazy import capability, once
from ..linkkind import LinkKind


class Bound(LinkKind):
    """A client with this local port, 0: any; or a server, and its clients."""

    def __init__(self, m, port, second=None):
        super().__init__(m)
        self.port = port
        self.second = second

    def dial(self, link):
        m = self.modem
        if self.port:
            return capability(m, "local_port").steps(m, link, self.port)
        return self.through(m.dial(link))

    def through(self, steps):
        """``steps`` that open something, in its context. OSError(ENOTCONN) while that is down."""
        second = self.second
        if not second:
            return steps
        second.may_dial()
        self.pdp = second.pdp
        return second.keeper.dialling(second, steps)


def bind(self, address):
    """Choose the port: a client's own, before ``connect()``, or the one to ``listen()`` at.

    ``address``: ("", port); the host does not matter, a module has one address. Sends nothing. ValueError for a bad
    port; OSError: EINVAL when the socket is in use already.
    """
    port = once("arguments").local_port(address)
    self._start()
    kind = self._link.kind
    second = kind and kind.second
    if self._link.state or (kind and kind is not second):
        raise OSError(errno.EINVAL, "bind: once, before connect() and listen()")
    self._link.kind = Bound(self._modem, port, second)
