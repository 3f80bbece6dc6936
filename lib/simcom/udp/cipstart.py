"""UDP in the CIPSTART dialect.

Of many connections each has one peer, whose datagrams alone the module lets in: so AT+CIPSRIP can stay off (it would
make the header of every answer longer, of TCP links too, and tell what is known). A single connection can hear
everybody (AT+CIPUDPMODE=1): there the header names the sender.
"""

from micropython import const

from .link import turned
from ..dns import lookup


LONGEST = 1460  # as the notes say; some firmware takes less: see udp/link.py

_DISCARD = const(9)  # the port of the peer that is no peer


def first(m, port, address):
    """What a link is opened towards: ``address``; without one, a single connection: ourselves. None: impossible."""
    return address or (None if m.mux else (m.address, port or _DISCARD))


def dial(m, link):
    """Steps: open it towards its peer."""
    if not m.mux:
        yield b"AT+CIPSRIP=1"
        yield b"AT+CIPUDPMODE=%d,1" % link.n
    if link.local:
        from ..local_port.cipstart import steps

        yield from steps(m, link, link.local)
    else:
        yield from m.dial(link)


def toward(m, link):
    """Steps: what is sent next goes to ``link.goal``."""
    goal = link.goal
    if not m.mux:
        if link.named[0] != goal[0]:
            link.named = (goal[0], (yield from lookup(m, goal[0])))
        yield b'AT+CIPUDPMODE=%d,2,"%s",%d' % (link.n, link.named[1].encode(), goal[1])
        link.peer = goal
        return
    yield from turned(m, link)
