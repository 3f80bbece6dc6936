"""Receiving in buffer access where the module does not tell how much is left (AT+CARECV)."""

import errno
from time import ticks_add, ticks_ms

from micropython import const

from .buffered import Buffered
from .channel import passed
from .inline import InlineParser
from .links import State, Wait
from .parser import Answer

_BARE_MS = const(50)  # so long an OK may be an older command's, and the answer follow
_REST_MS = const(1500)  # behind the peer's close bytes may come so late
_AGAIN_MS = const(500)  # a refused read is sent again so much later …
_REFUSALS = const(3)  # … so often
_SOONER_MS = const(300)  # a reader that waits asks so much sooner

# Link.known
_MAYBE = const(9999)  # there may be more, as if much; only an empty answer tells
_OWED = const(3)  # those that were announced did not come, once

_HEAD = const(b"+CARECV:")
_REST = const(b"ECV:")


class CaRecv(Buffered):
    """Payload stands behind "+CARECV: n," in the same line; "+CARECV: 0", "+CARECV: 0," or OK alone: nothing now.

    The answer names no link: it is that of the read in flight.
    """

    _INLINE = (_HEAD, b",")

    _refused = 0  # reads since bytes came

    def __init__(self, m, most, size):
        super().__init__(m, most, size)
        parser = self._channel.parser
        if not isinstance(parser, InlineParser):
            self._channel.parser = InlineParser(parser.sink, len(parser.buf))

    def word(self, link):
        """Buffered.word()"""
        link.rxget = bytearray(b"AT+CARECV=%d,    \r" % link.n)
        link.head = b"+CARECV: %d," % self._half
        link.polled = ticks_ms()

    def read(self, link):
        self._empty = False  # its answer says so
        self._news = False  # a notice came since
        link.polled = ticks_ms()  # when it was read last
        channel = self._channel
        self._odd = channel.strays  # lines that nobody knew before; -1: one may have swallowed the answer
        channel.parser.inline = self._INLINE
        super().read(link)
        channel.ms = 4 * _BARE_MS  # a quarter of it is what an OK alone is given

    def on_read(self, kind, buf, i, j):
        """The handler of reads."""
        channel = self._channel
        if kind < Answer.OK:
            kind = -2 if kind else self._header(buf, i, j)
            if kind >= 0:
                self._come(kind)
            while kind == -2 and i < j:  # a code that header and payload are joined to, as what was between is lost?
                if not 32 <= buf[i] <= 126:
                    self._odd = -1
                i += 1
            return kind > -2
        channel.parser.inline = None
        if kind == Answer.LOST or (not self._empty and channel.strays != self._odd):  # or these were header and payload
            i = kind == Answer.LOST and not channel.mute  # with a name more the frame would be on the heap
            j = self.link
            if not i or channel.strays != self._odd or (j.known and not j.borders):  # else it is asked again
                self._modem.broken(j, errno.ETIMEDOUT if i else errno.EIO, "AT+CARECV: no whole answer")
        elif kind == Answer.ERROR:
            self._refusal(self.link)
        else:
            self._nothing(self.link)
        return True

    def _header(self, buf, i, j):
        # So many bytes follow; -1: none; -2: it is no header.
        if not buf.startswith(_HEAD, i):
            return -2
        k = i + 8
        got = 0
        while k < j and (48 <= buf[k] <= 57 or buf[k] == 32):
            got = got * 10 + (buf[k] & 15)
            k += 1
        if not got and buf[k - 1] == 48:
            self._empty = k == j  # behind "0," payload may follow, of whose number digits were lost
        elif k == j - 1 and 48 <= buf[k - 1]:
            return got
        else:
            self._channel.lost(True)
        return -1

    def on_head(self, buf, i, j):
        """The header of a full segment."""
        self._come(self._half)

    def _come(self, got):
        link = self.link
        if got > link.asked:
            return self._channel.lost(True)
        self.got = got
        self._refused = 0
        link.known = _MAYBE
        self._modem.links.reading &= ~link.bit  # a notice that comes after this is news
        parser = self._channel.parser
        parser.inline = None
        parser.expect(got, link.take)

    def _refusal(self, link):
        # Some modules say so that there is nothing, some once although there is; and what is closed is refused.
        self._refused += 1
        if link.known == -1 and link.state == State.OPEN and self._refused <= _REFUSALS:
            self._modem.links.reading &= ~link.bit
            # It is asked whether it is open, and then for its bytes.
            link.heard = ticks_add(ticks_ms(), -Wait.UNHEARD_MS)
            link.task.pause(_AGAIN_MS)
            return
        ready = link.ready
        self._nothing(link)
        if self._refused < 2:  # it is asked again before the first byte stands alone
            link.ready = ready
        link.polled = ticks_add(link.polled, -_SOONER_MS)

    def _nothing(self, link):
        m = self._modem
        if self._news:
            return
        m.links.reading &= ~link.bit
        if link.ring and not link.borders:
            link.ready = link.ring.any()
        if link.state != State.DRAINING:
            if link.known == 1:  # behind an answer that did not come
                return m.broken(link)
            link.known = 0
        elif link.known and link.known != _OWED:  # once means nothing
            link.moved = ticks_ms()
            link.known = _OWED if link.known == 1 else 0
        elif passed(link.moved, _REST_MS) and not (self._channel.strays or link.pending or m.doubt):
            if link.known:
                return m.broken(link)
            link.to(State.CLOSING)  # its number stays taken until it is closed by us too
            m.wake(link)

    def on_line(self, buf, i, j):
        if buf.startswith(b"+CADATAIND:", i) and 11 < j - i < 15:
            self._modem.cursor = i + 11
        elif buf.find(b"buffer full", i, j) > 0:
            self._modem.cursor = buf.find(b",", i, j) + 1  # some do not tell which
        elif i <= buf.find(_REST, i, j) < i + 5:  # of a read that was given up, or damaged, perhaps into another code
            if self._channel.busy and self._channel.head:
                self._channel.lost(True)
            if self.link and self.link.n >= 0:
                self._modem.broken(self.link, errno.EIO, "AT+CARECV: an answer too late")
            return True
        else:
            return False
        if 48 <= buf[j - 1] <= 57:
            link = self._modem.links.get(self._modem.number(buf, j))
            if link and link.ring and State.CONNECTING < link.state < State.CLOSING:  # else it is an older connection's
                if link.known != _MAYBE:  # else it may be of what was read
                    link.known = -1
                self._modem.links.reading |= link.bit
                if link is self.link:
                    self._news = True
        return True
