"""Receiving in buffer access (AT+CIPRXGET=1): the module keeps what arrived until it is asked for."""

import errno
from time import ticks_ms

from micropython import const

from .channel import Answer
from .links import LinkTable, RingPool, State, drop
from .modem import Modem


_READ_MS = const(3000)
_SHORT = const(-2)  # Link.known: fewer bytes than were known to wait


class BufferAccess(Modem):
    LINKS = 1
    READ_MAX = 1460  # AT+CIPRXGET=2

    def prepare(self, rxbuf):
        """What is made once, for a UART that holds ``rxbuf`` bytes."""
        self.links = LinkTable(self.LINKS)
        self.ring_size = 2 * min(self.READ_MAX, rxbuf - 56)  # one half is read while the other comes
        self._rings = RingPool(self.ring_size)
        self._link = None  # which is being read …
        self._n = 0  # … under which number
        self._got = 0  # payload bytes its header announced
        self._cursor = 0
        self._laps = 0  # reads since the tasks were looked at
        self._reader = self._on_read
        # Found at once, not in the sixth class: a sixth of the cost of a byte.
        self.pump = self.pump
        self.wait = self.wait
        self.receive = self.receive
        self.number = self.number
        self._read = self._read
        self.on_head = self.on_head
        self.on_trailer = self.on_trailer

    def equip(self, link):
        """Give a link that has its number what it reads with."""
        try:
            self._rings.lend(link)
            # The command that reads; its length is rxget_n. Then the start of the answer that brings all it can.
            link.rxget = bytearray(b"AT+CIPRXGET=2,%d,    \r" % link.n)
            link.head = b"+CIPRXGET: 2,%d,%d," % (link.n, self.ring_size // 2)
        except MemoryError:
            self.links.release(link)
            raise OSError(errno.ENOMEM, "no room for a receive ring")

    # What a reader does

    def receive(self, link, buf, n):
        """Move ``n`` of the ready bytes to the start of ``buf``."""
        if n:
            link.ring.readinto(buf, n)
            link.ready -= n
            if link.known:
                self.links.reading |= link.bit
        return n

    def hungry(self, link, n):
        """A reader waits for ``n`` bytes."""
        link.want = n
        if link.tx_n:
            self.wake(link)
        if link.known or link.state == State.DRAINING:
            self.links.reading |= link.bit

    def forget(self, link):
        """Nobody will read it any more, nor what is just coming."""
        if link is self._link:
            self.channel.parser.take = drop
        self._rings.give_back(link)

    def wake(self, link=None):
        """Its task has something to do; without a link: the module stays awake, see ``sleep()``."""
        if not link:
            self.awake()
        elif link.task:
            link.task.pause(0)
            self._due = True

    # What the pump does

    def _read(self):
        table = self.links
        while table.reading:
            link = table.reader()
            ring = link.ring
            room = self.ring_size - ring.any() if ring else 0
            # No silly windows: all that waits, half the ring, or something for a reader that starves.
            if room and (room >= self.ring_size // 2 or room >= (link.known or 1) or link.ready < link.want):
                self._turn = False
                self._rxget(link, room)
                return True
            table.reading &= ~link.bit  # until its reader makes room
        return False

    def _rxget(self, link, n):
        half = self.ring_size // 2
        if self.channel.parser.long is None:
            n = 1  # whose trailer tells the form that this module uses
        elif n > half:
            n = half
        if link.asked != n:
            self._ask_for(link, n)
        self._link = link
        self._n = link.n
        self._task = None
        self.stage.read(link.rxget, link.rxget_n, link.head, self._reader, _READ_MS)

    def _ask_for(self, link, n):
        cmd = link.rxget
        at = 16
        scale = 1000
        while scale:  # formatting would allocate
            if n >= scale:
                cmd[at] = 48 + n // scale % 10
                at += 1
            scale //= 10
        cmd[at] = 13
        link.rxget_n = at + 1
        link.asked = n  # now: there may have been no room for what is new

    def _on_read(self, kind, buf, i, j):
        link = self._link
        if kind < Answer.OK:
            return self._header(link, buf, i, j, kind)
        channel = self.channel
        if kind == Answer.LOST:
            if channel.mute:
                self._broken(link, errno.EIO, "received bytes were lost: UART and modem want the same rxbuf, 2048")
            else:
                self._broken(link, errno.ETIMEDOUT, "AT+CIPRXGET: no answer")
        elif link.known and channel.own > 2:
            self._broken(link, errno.EIO, "AT+CIPRXGET: OK instead of bytes that were waiting")
        elif link.known == _SHORT or (kind == Answer.ERROR and link.known):
            self._broken(link)
        else:  # nothing there
            link.known = 0
            if link.ring and not link.borders:
                link.ready = link.ring.any()
            self.links.reading &= ~link.bit
            # While it is not known whose a line was it may have been payload that came unasked.
            if link.state == State.DRAINING and not channel.strays:
                self.links.release(link)
                self.wake(link)
        return True

    def _header(self, link, buf, i, j, kind):
        if not kind:
            if buf.find(b"GET:", i, j) < 0:  # all that may be left of it
                return False
            if buf.startswith(b"+CIPRXGET:", i):
                self._cursor = i + 10
                kind = self.number(buf, j)
                self._got = self.number(buf, j)
                if kind == 1 and (self._cursor == j or buf[self._cursor] == 34):  # a notice; of UDP with the sender
                    return False
                if kind == 2 and self._got == self._n:
                    self._segment(self.number(buf, j), buf, j)
                    return True
        self.channel.on_end(False)  # no header is ours: what follows may be payload
        return True

    def on_head(self, buf, i, j):
        """The header of a full segment."""
        self._cursor = i + len(self.channel.head)
        self._segment(self.ring_size // 2, buf, j)

    def _segment(self, got, buf, j):
        link = self._link
        self._got = got
        short = link.known - got
        k = self._cursor
        link.known = self.number(buf, j)
        if short > link.known and not link.borders:
            link.known = _SHORT
        self.links.reading &= ~link.bit  # a notice that comes after this is news
        # A digit or the line's end may be missing: then what follows is payload.
        if got > link.asked or self._cursor > k + 7 or not (got or buf.startswith(b",0,0", k - 3)):
            self.channel.on_end(False)
        elif got:
            self.channel.parser.expect(got, link.take)

    def _broken(self, link, code=errno.ECONNRESET, why="the module dropped bytes that were waiting"):
        link.fail(code, why)
        if link.n >= 0:
            link.to(State.CLOSING)
            self.links.reading &= ~link.bit
        self.wake(link)

    def on_trailer(self):
        link = self._link
        link.heard = ticks_ms()
        self.came = (self.came + self._got) & 0x3FFFFFFF
        ring = link.ring
        if ring is not None:
            long = self.channel.parser.long
            if link.borders:
                link.arrived(self._got)
            elif link.asked == 1 and long and ring.any() - link.ready > 1:  # those before had another form
                return self._broken(link, errno.EIO, "received bytes were lost")
            elif self._got and (not link.known or (long is not None and (link.asked > 1 or link.ready))):
                # Nobody expects the first byte alone when there are more.
                link.ready = ring.any()
            if link.known or link.state == State.DRAINING:
                if link.known == _SHORT:
                    link.ready = ring.any()
                    return self._broken(link)
                self.links.reading |= link.bit
        # The next command goes out before the user sees these bytes. Sleeping tasks get a look now and then.
        self._laps += 1
        if self.still or self._due or self._laps > 3 or self.channel.desync or self._calls:
            self._laps = 0
            self._next()
        else:
            self._read()

    def number(self, buf, j):
        """The number at the cursor, which moves behind the comma that follows."""
        k = self._cursor
        n = 0
        while k < j:
            c = buf[k]
            k += 1
            if c == 44:
                break
            if 48 <= c <= 57:
                n = n * 10 + c - 48
        self._cursor = k
        return n

    def on_line(self, buf, i, j):
        if not buf.startswith(b"+CIPRXGET:", i):
            return super().on_line(buf, i, j)
        self._cursor = i + 10
        kind = self.number(buf, j)
        link = self.links.get(self.number(buf, j))
        if link and link.ring and State.CONNECTING < link.state < State.CLOSING:  # else it is an older connection's
            if kind == 1:
                link.known = link.known or (1 if link.state == State.DRAINING else -1)
                self.links.reading |= link.bit
            elif kind == 2 and self.number(buf, j):  # of a read that a stray line has ended
                self._broken(link)
        return kind == 1
