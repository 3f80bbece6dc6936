"""The port that a socket asks for: a client's local one, a server's."""

import errno
from time import ticks_ms

from .channel import passed
from .links import State
from .pump import once


class Bound:
    """Link.opener of a client with this local port; 0: any."""

    def __init__(self, port):
        self.port = port

    def __call__(self, m, link):
        if self.port:
            return __import__("simcom.bind_" + m.DIALECT, None, None, ["*"]).steps(m, link, self.port)
        return plain(m, link)


def plain(m, link):
    """The steps of a client that any local port suits."""
    yield command(m, link), m.ANSWER_MS, False


def bind(s, address):
    """Choose the port: a client's own, before ``connect()``, or the one to ``listen()`` at.

    ``address``: ("", port); the host does not matter, a module has one address. Sends nothing. ValueError for a bad
    port; OSError: EINVAL when the socket is in use already.
    """
    port = once("arguments").local_port(address)
    s._start()
    if s._link.state or s._link.opener:
        raise OSError(errno.EINVAL, "bind: once, before connect() and listen()")
    s._link.opener = Bound(port)


def command(m, link):
    """The usual command that opens a client."""
    return (m.OPEN % ((link.n, link.proto) + link.peer)).encode()


def outcome(m, link, n):
    """Until it is known what has become of the attempt to open ``link`` as number ``n``, or it is another's."""
    start = ticks_ms()
    while link.state == State.CONNECTING and not link.error and link.n == n:
        if passed(start, m.CONNECT_MS):
            raise OSError(errno.ETIMEDOUT, "connect %s:%d: no result" % link.peer)
        if passed(link.heard, 10000):
            link.heard = ticks_ms()
            yield from m._ask(link)
        else:
            yield 500
