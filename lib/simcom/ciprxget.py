"""Receiving in buffer access where the module tells how much is left (AT+CIPRXGET)."""

import errno

from micropython import const

from .buffered import Buffered
from .links import State
from .parser import Answer

_SHORT = const(-2)  # Link.known: fewer bytes than were known to wait


class CipRxGet(Buffered):
    """The answer to AT+CIPRXGET=2 is "+CIPRXGET: 2,link,bytes,left", its payload and OK; +CIPRXGET: 1,link: there are
    some."""

    def word(self, link):
        """Buffered.word()"""
        link.rxget = bytearray(b"AT+CIPRXGET=2,%d,    \r" % link.n)
        link.head = b"+CIPRXGET: 2,%d,%d," % (link.n, self._half)

    def on_read(self, kind, buf, i, j):
        """The handler of reads."""
        m = self._modem
        if kind < Answer.OK:
            kind = self._header(kind, buf, i, j)
            if kind > 0:
                self._segment(m.number(buf, j), buf, j)
            return kind
        link = self.link
        channel = self._channel
        if kind == Answer.LOST:
            if channel.mute:
                m.broken(link, errno.EIO, "received bytes were lost: UART and modem want the same rxbuf, 2048")
            else:
                m.broken(link, errno.ETIMEDOUT, "AT+CIPRXGET: no answer")
        elif link.known and channel.own == 3:
            m.broken(link, errno.EIO)  # OK instead of them
        elif channel.own != 3 and self._blank != self.refusal():
            pass  # there is news since: it is read again
        elif link.known:
            m.broken(link)
        else:  # nothing there
            link.known = 0
            if link.ring and not link.borders:
                link.ready = link.ring.any()
            m.links.reading &= ~link.bit
            # While it is not known whose a line was it may have been payload that came unasked.
            if link.state == State.DRAINING and not (channel.strays or link.pending):
                m.links.release(link)
                m.wake(link)
        return True

    def _header(self, kind, buf, i, j):
        # 1: it is one; -1: what is left of one; False: neither.
        m = self._modem
        if not kind:
            if buf.find(b"GET:", i, j) < 0:  # all that may be left of it
                return False
            if buf.startswith(b"+CIPRXGET:", i):
                m.cursor = i + 10
                kind = m.number(buf, j)
                n = m.number(buf, j)
                if kind == 1 and (m.cursor == j or buf[m.cursor] == 34):  # a notice; of UDP with the sender
                    return False
                if kind == 2 and n == self.n:
                    return 1
        self._channel.lost(True)  # no header is ours: what follows may be payload
        return -1

    def on_head(self, buf, i, j):
        """The header of a full segment."""
        self._modem.cursor = i + len(self._channel.head)
        self._segment(self._half, buf, j)

    def _segment(self, got, buf, j):
        k = self._modem.cursor
        left = self._modem.number(buf, j)
        # Digits or the line's end may be missing: then what follows is payload.
        if got > self.link.asked or k == j or self._modem.cursor > k + 7 or not (got or buf.startswith(b",0,0", k - 3)):
            self._channel.lost(True)
        else:
            self._begin(got, left)

    def _begin(self, got, left):
        """``got`` payload bytes come now, ``left`` more wait in the module, -1: it does not tell."""
        link = self.link
        self.got = got
        short = link.known - got > left >= 0
        link.known = _SHORT if short and not link.borders else left
        self._modem.links.reading &= ~link.bit  # a notice that comes after this is news
        if got:
            self._channel.parser.expect(got, link.take)
        else:
            self.refusal()

    def on_line(self, buf, i, j):
        if not buf.startswith(b"+CIPRXGET:", i):
            return False
        m = self._modem
        m.cursor = i + 10
        kind = m.number(buf, j)
        link = m.links.get(m.number(buf, j))
        if link and link.ring and State.CONNECTING < link.state < State.CLOSING:  # else it is an older connection's
            if kind == 1:
                link.known = link.known or (1 if link.state == State.DRAINING else -1)
                m.links.reading |= link.bit
            elif kind == 2 and m.number(buf, j):  # of a read that a stray line has ended
                m.broken(link)
        return kind == 1
