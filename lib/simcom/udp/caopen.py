"""UDP in the CAOPEN dialect.

A link has one peer, and says nothing of others. A socket with a port of its own is a server, which hears everybody: the
header of every answer names the sender then (AT+CASRIP=1), of TCP links too.
"""

from time import ticks_ms

from .link import turned
from ..lazy import once
from ..dns import lookup
from ..query import fields


LONGEST = 1460


def first(m, port, address):
    """What a link is opened towards: ``address``; nobody, where everybody is heard. None: impossible."""
    return ("", 0) if port else address


def dial(m, link):
    """Steps: open it towards its peer, or for everybody."""
    if not link.local:
        yield from m.dial(link)
        return
    from ..casrip import Sources, sources

    pushed = m.channel.parser.pushed
    if not (pushed or isinstance(m.receiver, Sources)):
        yield from sources(m)
    since = ticks_ms()
    kind = b"UDP6" if ":" in m.address else b"UDP"
    rows = yield b'AT+CASERVER=%d,%d,"%s",%d%s' % (link.n, m.pdp, kind, link.local, b",1" * pushed), 30000
    result = int(fields(rows[-1])[1])
    if result:
        m.owed |= link.bit
        errors = once("errors.caopen")
        code, ends = yield from errors.cause(m, m.pdp, result, since)
        link.fail(code, "local port %d: %s" % (link.local, rows[-1]))
        errors.heard(m, ends)
    else:
        m.connected(link)


def toward(m, link):
    """Steps: what is sent next goes to ``link.goal``."""
    goal = link.goal
    if not link.local:
        yield from turned(m, link)
        return
    host, port = goal
    if link.named[0] != host:
        link.named = (host, (yield from lookup(m, host)))
    address = link.named[1].encode()
    try:
        yield b'AT+CACFG="REMOTEADDR",%d,%s,%d' % (link.n, address, port)
    except OSError as e:
        if not hasattr(e, "line"):
            raise
        yield b'AT+CACFG="REMOTEADDR",%d,"%s",%d' % (link.n, address, port)
    link.peer = goal
