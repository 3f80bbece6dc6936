"""UDP in the CIPOPEN dialect: a link is a local port, the peer is named with every datagram."""

import errno

from ..dns import lookup

LONGEST = 1500

_FIRST = 49152  # local ports of those that want none


def first(m, port, address):
    """What a link is opened towards: nobody."""
    return ("", 0)


def dial(m, link):
    """Steps: open a local port."""
    datagrams = m.parts["datagrams"]
    for _ in range(20):
        port = link.local
        if not port:
            port = datagrams.port = max(datagrams.port + 1, _FIRST) if datagrams.port < 65535 else _FIRST
        link.error = None
        try:
            yield b'AT+CIPOPEN=%d,"UDP",,,%d' % (link.n, port), 10000, False
            return
        except OSError:
            if link.error:
                link.error = (link.error[0], "local port %d: %s" % (port, link.error[1]))
            if link.local or not link.error or link.error[0] != errno.EADDRINUSE:
                raise


def toward(m, link):
    """Steps: what is sent next goes to ``link.goal``."""
    goal = link.goal
    host, port = goal
    if link.named[0] != host:
        link.named = (host, (yield from lookup(m, host)))
    link.suffix = b',"%s",%d' % (link.named[1].encode(), port)
    link.peer = goal
