"""How the link of a UDP socket is opened, and how a datagram is sent on it."""

import errno
from time import ticks_ms

from micropython import const

from ..linkkind import LinkKind
from ..links import State, Wait

_TRIES = const(4)


class Datagram(LinkKind):
    """A link whose send buffer holds one datagram, for ``link.goal``."""

    def __init__(self, m):
        super().__init__(m)
        self.dialect = m.parts["datagrams"].dialect

    def dial(self, link):
        return self.dialect.dial(self.modem, link)

    def transmit(self, link):
        m = self.modem
        if link.goal != link.peer or (link.only and not m.mux and link.named[0] != link.goal[0]):
            try:
                yield from self.dialect.toward(m, link)
            except OSError as e:
                if e.errno != -2:
                    raise
                link.refused = (-2, e.args[1])
                link.tx_n = 0
            if link.goal != link.peer:  # given up meanwhile, and another one takes its place
                return
        if link.error and link.tx_n:  # perhaps it was sent
            link.tx_n = 0
            link.cut = True
        if link.state == State.OPEN and link.ring is None:  # its owner closed it while it was turned
            link.to(State.CLOSING)
        if not link.tx_n or link.n < 0 or link.state == State.DRAINING or link.state == State.CONNECTING:
            return
        link.flying = True
        try:
            yield from m.transmit(link)
        finally:
            link.flying = False
        if not link.tx_n:
            link.tries = 0
            link.cut = link.unacked = False

    def settle(self, link, n, error):
        """Steps, in place of stream/partial.py: how many of ``n`` bytes the module took, all or none."""
        m = self.modem
        gone = link.state == State.DRAINING or link.n < 0
        took = link.report
        if error:
            if isinstance(error, ValueError):
                raise error
            if gone:
                return 0
            full = hasattr(m, "RECOUNTS") and hasattr(
                error, "line"
            )  # refused behind the payload: the module has no room for it
            if (link.task.prompted and not full) or (error.errno == errno.ETIMEDOUT and took != 0):
                raise error
            from ..stream.partial import ask

            yield from ask(m, link)  # refused before the prompt: closed?
            took = 0
        elif link.error:
            return 0
        elif took == 0:  # or it has lost its first digits
            from ..stream.partial import sent

            took = n if (yield from sent(m, link)) == n else 0
        if took == n or took == -1:  # -1: the report of another one, or damaged
            return n
        if took == 0:
            link.tries += 1
            if n > m.SEND_MAX and link.tries > 1:  # the first refusal may be of something else
                m.parts["datagrams"].longest = m.SEND_MAX
                link.refused = (
                    errno.EINVAL,
                    "this firmware sends datagrams of 1 to %d bytes, not %d" % (m.SEND_MAX, n),
                )
                link.tx_n = link.tries = 0
                return 0
            if link.tries >= _TRIES and link.state == State.OPEN:
                raise OSError(errno.EIO, "sendto %s:%d: the module does not take it" % link.goal)
            yield Wait.RETRY_MS
        elif took is not None:
            raise OSError(errno.ECONNABORTED, "sendto %s:%d: failed" % link.goal)
        return 0


def turned(m, link):
    """Steps: ``link`` is closed, and will be opened towards ``link.goal``."""
    for _ in range(20):  # what has come already would be lost
        if not m.links.reading & link.bit:
            break
        yield 50
    link.turning = link.tx_n
    link.to(State.CLOSING)
    yield from m.shut(link)
    if link.n >= 0:
        link.peer = link.goal
        link.tx_n = link.turning
        link.known = link.stale = 0
        link.to(State.CONNECTING)
        link.heard = ticks_ms()
        m.links.reading &= ~link.bit
    link.turning = 0
