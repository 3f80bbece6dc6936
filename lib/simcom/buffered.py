"""How received bytes come to a link; here, in buffer access (AT+CIPRXGET=1): the module keeps them until asked."""

import errno
from time import ticks_ms

from micropython import const

from .links import RingPool, State
from .parser import Answer


_READ_MS = const(3000)
_SHORT = const(-2)  # Link.known: fewer bytes than were known to wait


class Buffered:
    """``modem.receiver``: reads with AT+CIPRXGET=2. Other ways to receive are subclasses, put there by ``modem.use()``.

    What they may replace, and who calls it:

    * ``equip(link)``: the modem, when a link has its number: what the link needs to receive.
    * ``word(link)``: ``equip()``: gives it ``rxget``, the command that reads it, and ``head``.
    * ``next()``: the pump, with nothing in flight: start a read if one is owed; whether it did. With ``read()``: a line
      that begins with ``head`` goes to ``on_head()``, others to ``handler(kind, buf, i, j)`` as with any command.
    * ``ask_for(link, n)``: ``next()``: put ``n``, the bytes that are asked for, into ``link.rxget[:link.rxget_n]``.
    * ``refusal()``: the channel, with an ERROR, which is the answer unless another follows within a moment.
    * ``on_head(buf, i, j)``: the channel, with the header of the answer. It ends in ``_begin(got, left)``. Where
      payload begins in the middle of a line the channel's parser is an InlineParser, see inline.py.
    * ``on_trailer()``: the channel, when the payload and a right trailer are there: makes it readable. The pump
      starts the next read.
    * ``on_line(buf, i, j)``: the channel, with an unsolicited line, before the dialect: whether it was about receiving.

    And if its parser is ``pushed``, see parser.py:

    * ``poll(got)``: each pump, behind its read of ``got`` bytes; returns what the pump is to return: with 0 who waits
      goes on waiting, for ``nap_ms`` at most.
    * ``lost()``, ``spoilt()``: recovery/silence.py, when what is counted stops in the middle, or is something else.
    * ``former``: the parser whose place its own has taken.

    ``link.ready`` bytes are readable. ``links.reading`` tells which links have something to ask for, ``link.known`` how
    many bytes are known to wait in the module, ``link.want`` how many a reader waits for. ``known`` -1: some; so
    ``_begin(got, -1)`` after an answer that does not tell what is left.
    """

    READ = b"AT+CIPRXGET=2,%d,    \r"
    nap_ms = 1000  # who waits looks so often
    link = None  # whose bytes are just coming; ``n``: under which number; ``got``: how many its header announced

    def __init__(self, m, most, size):
        self._modem = m
        self._channel = m.channel
        self._half = most  # bytes of one answer: half of a ring is read while the other comes
        self.size = size  # of a ring
        self.rings = RingPool(size)
        self._handler = self.on_read  # bound here: each binding would allocate

    def equip(self, link):
        """Give a link that has its number what it reads with."""
        try:
            self.rings.lend(link)
            self.word(link)
        except MemoryError:
            self._modem.links.release(link)
            raise OSError(errno.ENOMEM, "no room for a receive ring")

    def word(self, link):
        """The command that reads ``link``, and where in it the number of bytes stands; the start of the answer that
        brings all it can."""
        link.rxget = bytearray(self.READ % link.n)
        link.rxget_at = len(link.rxget) - 5
        link.head = b"+CIPRXGET: 2,%d,%d," % (link.n, self._half)

    def next(self):
        """Start a read if one is owed; returns whether it did."""
        table = self._modem.links
        while table.reading:
            link = table.reader()
            ring = link.ring
            room = self.size - ring.any() if ring else 0
            # No silly windows: all that waits, half the ring, or something for a reader that starves.
            if room and (room >= self._half or room >= (link.known or 1) or link.ready < link.want):
                self._read(link, room)
                return True
            table.reading &= ~link.bit  # until its reader makes room
        return False

    def _read(self, link, n):
        if link.borders:
            return self._modem.parts["datagrams"].read(link, n)
        if self._channel.parser.long is None:
            n = 1  # whose trailer tells the form that this module uses
        elif n > self._half:
            n = self._half
        if link.asked != n:
            self.ask_for(link, n)
        self.read(link)

    def read(self, link):
        """Send the command that reads ``link``."""
        self.link = link
        self.n = link.n
        self._modem.stage.read(link.rxget, link.rxget_n, link.head, link.handler or self._handler, _READ_MS)
        self._modem.read_sent()

    def ask_for(self, link, n):
        """Write ``n`` into the command that reads ``link``."""
        cmd = link.rxget
        at = link.rxget_at
        scale = 1000
        while scale:  # formatting would allocate
            if n >= scale:
                cmd[at] = 48 + n // scale % 10
                at += 1
            scale //= 10
        cmd[at] = 13
        link.rxget_n = at + 1
        link.asked = n  # now: there may have been no room for what is new

    def refusal(self):
        """The answer that comes now is to what is known now."""
        link = self.link
        self._blank = now = link and not link.known and link.state
        return now

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
        # 1: it is one, -1: what is left of one, False: neither.
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
        """``got`` payload bytes come now, ``left`` more wait in the module."""
        link = self.link
        self.got = got
        short = link.known - got > left >= 0
        link.known = _SHORT if short and not link.borders else left
        self._modem.links.reading &= ~link.bit  # a notice that comes after this is news
        if got:
            self._channel.parser.expect(got, link.take)
        else:
            self.refusal()

    def on_trailer(self):
        """All bytes that were counted are here."""
        m = self._modem
        link = self.link
        ring = link.ring
        link.heard = ticks_ms()
        m.came = (m.came + self.got) & 0x3FFFFFFF
        if ring is not None:
            long = self._channel.parser.long
            if link.borders:
                link.arrived(self.got)
            elif link.asked == 1 and long and ring.any() - link.ready > 1:  # those before had another form
                return m.broken(link, errno.EIO, "received bytes were lost")
            elif self.got and (not link.known or (long is not None and (link.asked > 1 or link.ready))):
                # Nobody expects the first byte alone when there are more.
                link.ready = ring.any()
            if link.known or link.state == State.DRAINING:
                if link.known == _SHORT:
                    link.ready = ring.any()
                    return m.broken(link)
                m.links.reading |= link.bit

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
