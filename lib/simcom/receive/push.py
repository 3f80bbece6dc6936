"""Receiving by direct push: the module sends what arrives, unasked."""

from errno import EIO
from time import ticks_ms

from micropython import const

from ..buffered import Buffered
from ..inline import InlineParser
from ..links import State, drop
from ..pump import text
from ..recovery.strays import damaged, innocent


_RING = const(4)  # a ring is as many reads long: nothing tells the module to wait
_MOST = const(4096)  # no module sends so long a segment
_EMPTY = const(4)  # so many empty lines in a row are what a header has left that lost a digit
_NAP_MS = const(1000)
_SETTLE_MS = const(5)  # silence behind it that means it was whole


class PushParser(InlineParser):
    """Parser of what is pushed: no trailer follows, but whatever comes next begins with CR LF."""

    def __init__(self, push, sink, size):
        super().__init__(sink, size)
        self.pushed = True
        self._push = push
        self._edge = 0  # bytes of that CR LF still to come
        self._blank = 0  # so many empty lines in a row

    def expect(self, n, take, trailer=True):
        super().expect(n, take, trailer)
        self._edge = 0 if trailer else 2

    def reset(self):
        self.prompt = False  # what is pushed does not end with the command

    def restart(self):
        """Forget a partial line or payload."""
        super().reset()
        self._edge = 0

    def _special(self, i, n):
        if self._edge:
            if self.buf[i] == (13 if self._edge == 2 else 10):
                self._edge -= 1
                if not self._edge:
                    self.empty = True
                    self._push.proven()
                return 1
            if self.bare and self._edge == 2 and self.buf[i] == 36:  # NMEA
                self._push.proven()
            else:
                self._push.spoilt()
            self._edge = 0
        return super()._special(i, n)

    def _emit(self, buf, i, j):
        self._blank = self._blank + 1 if j - i < 2 and buf[i] in b"\r\n" else 0
        if self._blank == _EMPTY:
            self._push.spoilt()
        if self.text and damaged(buf, i, j, 1):  # in a text this is less likely than two lost bytes in front of it
            self._push.spoilt()
        super()._emit(buf, i, j)


class Push(Buffered):
    """The bytes behind a header, and the proof that none is missing. Who inherits from it knows the headers."""

    PARSER = PushParser

    def __init__(self, m):
        super().__init__(m, 0, _RING * m.READ_MAX)
        self._from = None  # where the segment came from that is not proven yet: (host, port), of port 0: not known
        self._senders = ()  # those of before, behind the bytes that named them: making them anew would take heap
        self.take = self.take  # bound here: each binding would allocate
        self._into = drop  # … and who takes it
        self._odd = 0  # as many lines would be unknown with one that a header or payload has left
        channel = self._channel
        self.former = parser = channel.parser
        self._parser = channel.parser = self.PARSER(self, parser.sink, len(parser.buf))

    def poll(self, got):
        """Silence tells what is proven, and what will not come."""
        channel = self._channel
        if self.link and not got and not channel.parser.need and channel.quiet(_SETTLE_MS) and self.settled():
            got = 1
        if channel.mute:
            self.lost()
        self.check()
        self.nap_ms = _SETTLE_MS if self.link else _NAP_MS
        return got

    def settled(self):
        """Silence behind the counted bytes: whether that proves them."""
        self.proven()
        return True

    def next(self):
        """Nothing is to be asked for; what is closed was sent before."""
        m = self._modem
        table = m.links
        while table.reading:
            link = table.reader()
            table.reading &= ~link.bit
            # Without steps: a client that is not accepted yet.
            if link.state == State.DRAINING and link.task.steps and not link.pending:
                self.over(link)
                m.wake(link)
        return False

    def over(self, link):
        """The peer has closed it, and everything is here."""
        self._modem.links.release(link)

    # Lines

    def _comes(self, link):
        # ``got`` bytes follow, for ``link``.
        self.link = None
        self._into = drop
        sender = self._from
        other = sender and sender[1] and link and link.proto == "TCP" and link.peer[1] and sender[1] != link.peer[1]
        if other:  # from another link's peer: a digit of the number is damaged
            other = sender[1] in [each.peer[1] for each in self._modem.links.slots if each]
        if other or not 0 < self.got <= _MOST:
            return self.spoilt()
        if link and link.state == State.OPEN:
            self.link = link
            try:
                if link.ring is None:  # a client that is not accepted yet
                    self.rings.lend(link)
                self._into = link.take
            except MemoryError:
                self._overrun()
        self._parser.expect(self.got, self.take, False)

    def _other(self, buf, i, j):
        if damaged(buf, i, j, 1):
            self.spoilt()
            return True
        if not innocent(self._modem, buf, i, j):
            self._odd = self._channel.strays + 1
        return False

    def check(self):
        """Was the last odd line nobody's?"""
        if self._odd and self._channel.strays >= self._odd:
            self.spoilt()
        self._odd = 0

    def _address(self, buf, i, j):
        # The sender whom ``buf[i:j]`` names.
        for named, sender in self._senders:
            if len(named) == j - i and buf.startswith(named, i):
                return sender
        sender = self._pair(text(buf, i, j))
        if sender[1]:
            self._senders = ((bytes(buf[i:j]), sender),) + self._senders[: self._modem.LINKS]
        return sender

    def take(self, buf, i, n):
        """Takes the bytes; they may be more than fit."""
        k = self._into(buf, i, n)
        if k is not None and k < n:
            self._overrun()

    def _overrun(self):
        link = self.link
        self.link = None
        self._into = drop
        self._modem.broken(link, EIO, "received bytes were lost: no room in the ring; read sooner, or not by push")

    def proven(self):
        """The segment is whole."""
        link = self.link
        self.link = None
        if link and link.ring is not None:
            link.heard = ticks_ms()
            m = self._modem
            m.came = (m.came + self.got) & 0x3FFFFFFF
            datagram = getattr(link, "datagram", None)
            if datagram:
                datagram(self.got, self._from if self._from and self._from[1] else None)
            else:
                link.ready += self.got

    def lost(self):
        """Bytes are missing: whose, nobody knows. All links fail; what still comes of them is dropped."""
        self.spoilt()
        self._parser.restart()

    def spoilt(self):
        """What is counted is no payload, perhaps: nor is anything else sure."""
        m = self._modem
        self.link = None
        self._into = drop
        for link in m.links.slots:
            # Without its bit: that of transparent mode has no headers. Behind the report of a close nothing can come,
            # unless it was another link's.
            if link and link.bit and (link.state == State.OPEN or (link.state == State.DRAINING and link.pending)):
                m.broken(link, EIO, "received bytes were lost: UART and modem want the same rxbuf, 2048")
