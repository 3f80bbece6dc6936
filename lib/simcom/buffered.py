"""How received bytes come to a link; here, in buffer access: the module keeps them until asked."""

import errno
from time import ticks_ms

from micropython import const

from .links import RingPool, State


_READ_MS = const(3000)
_SHORT = const(-2)  # Link.known, where the module tells how much is left: fewer bytes than were known to wait


class Buffered:
    """``modem.receiver`` is of a class derived from this one, put there by ``modem.use()``.

    What it may replace, and who calls it:

    * ``equip(link)``: the modem, when a link has its number: what the link needs to receive.
    * ``word(link)``: ``equip()``: gives it ``rxget``, the command that reads it, with four blanks for how many bytes,
      and ``head``, the start of the answer that brings all it can.
    * ``next()``: the pump, with nothing in flight: start a read if one is owed; whether it did. With ``read()``: a line
      that begins with ``head`` goes to ``on_head()``, others to ``handler(kind, buf, i, j)`` as with any command.
    * ``ask_for(link, n)``: ``next()``: put ``n``, the bytes that are asked for, into ``link.rxget[:link.rxget_n]``.
    * ``refusal()``: the channel, with an ERROR, which is the answer unless another follows within a moment.
    * ``on_read(kind, buf, i, j)``: the handler of reads.
    * ``on_head(buf, i, j)``: the channel, with the header of the answer: has the parser expect the payload. Where
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
    many bytes are known to wait in the module, -1: some, ``link.want`` how many a reader waits for.
    """

    on_read = None
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
        """Nothing, where nothing is asked for."""

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
        at = len(cmd) - 5
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
