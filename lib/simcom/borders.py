"""A link whose ring keeps the borders of datagrams."""

import errno
from array import array
from time import ticks_ms

from micropython import const

from .channel import passed
from .links import Link, State
from .lookup import numeric

_MOST = const(32)  # datagrams that wait to be read
_RETRY_MS = const(250)
_TRIES = const(4)


class Borders:
    """Where the datagrams in a ring end, and whose they are; oldest first. Bytes of nobody are a hole."""

    def __init__(self):
        self._lengths = array("H", [0] * _MOST)
        self._whose = [None] * _MOST
        self._first = 0
        self.count = 0

    def add(self, n, address):
        """The next ``n`` bytes are a datagram; None, or no place for one more: a hole."""
        last = (self._first + self.count - 1) % _MOST
        if self.full():
            address = None
        if self.count and not (address or self._whose[last]):  # holes become one
            self._lengths[last] = min(self._lengths[last] + n, 65535)
            return
        last = (last + 1) % _MOST
        self._lengths[last] = n
        self._whose[last] = address
        self.count += 1

    def full(self):
        """No place for one more."""
        return self.count >= _MOST - 1

    def length(self):
        """Of the oldest."""
        return self._lengths[self._first]

    def whose(self):
        """Of the oldest: its address; None: a hole."""
        return self._whose[self._first]

    def pop(self):
        """The oldest was read."""
        self._first = (self._first + 1) % _MOST
        self.count -= 1


class DatagramLink(Link):
    """A UDP link. ``ready`` are the bytes of whole datagrams.

    Who parses headers gives the bytes to ``take`` and calls ``datagram(n, address)`` when they are verified; or, for
    answers of AT+CIPRXGET, which name no sender, ``arrived(n)``.
    """

    proto = "UDP"
    local = 0  # the local port; 0: any
    goal = ("", 0)  # where the datagram in the send buffer goes
    named = ("", "")  # a host, and its address
    only = None  # connect(): from nobody else
    source = None  # who sent what is just being read, where the header tells
    turning = 0  # bytes of the datagram in the send buffer, while the link is closed to be opened towards its goal
    flying = False  # the datagram in the send buffer may be on its way to the module
    tries = 0  # how often the module did not take it
    halves = False  # the longest comes in two answers …
    half = 0  # … of which so many bytes are the first
    refused = None  # (errno, text): why the last one went nowhere, though the link is well
    borders = None

    def fail(self, *why):
        """Link.fail(); what was to be sent is not forgotten but cut when the link has ended."""
        n = self.tx_n
        super().fail(*why)
        self.tx_n = n

    def store(self, buf, i, n):
        """``take``: what does not fit is missed in ``datagram()``."""
        self.ring.write(buf, i, n)

    def arrived(self, n):
        """So many bytes are verified: one datagram, or the first half of one, when it is as long as an answer can be
        and more waits. One of just that length is taken for such a half."""
        if self.halves and n == self.asked and self.known > 0 and not self.half:
            self.half = n
            return
        self.datagram(self.half + n, self.source)
        self.half = 0
        self.source = None

    def datagram(self, n, address=None):
        """The ``n`` bytes that ``take`` got last are a datagram from ``address``, else from the peer."""
        if self.ring is None:
            return
        have = self.ring.any() - self.ready
        if have != n or (self.only and address and not self._known(address)):
            address = None
        else:
            address = address or self.peer
        if have > 0:
            self.borders.add(have, address)
            self.ready += have

    def _known(self, address):
        host, port = self.only
        if self.named[0] == host:
            host = self.named[1]
        # Where nobody has asked for the address of a name the module lets in its peer only, or nothing was sent yet.
        return address[1] == port and (address[0] == host or not numeric(host))

    def oldest(self):
        """The length of the datagram that is read next; 0: there is none."""
        borders = self.borders
        if not self.ready:
            borders.count = 0
        while borders.count:
            n = borders.length()
            if borders.whose():
                return n
            self._skip(n)
            borders.pop()
        return 0

    def read(self, buf, n):
        """Move the first ``n`` bytes of the oldest datagram to ``buf``, drop the others; returns its sender."""
        borders = self.borders
        rest = borders.length() - n
        if n:
            self.ring.readinto(buf, n)
        self.ready -= n
        if rest:
            self._skip(rest)
        address = borders.whose()
        borders.pop()
        return address

    def _skip(self, n):
        self.ready -= n
        scratch = bytearray(min(n, 64))
        while n:
            n -= self.ring.readinto(scratch, min(n, 64)) or n

    def inherit(self, old):
        """Take over what was received and not read; bytes behind it that were never verified are a hole."""
        if old.ring is not None and old.borders:
            rest = old.ring.any() - old.ready
            if rest:
                old.borders.add(rest, None)
            self.ready = old.ready + rest
            self.ring = old.ring
            old.ring = None
        self.borders = old.borders or Borders()

    def live(self):
        """Open, or on its way."""
        return self.state == State.CONNECTING or self.state == State.OPEN or self.turning

    def sender(self, m):
        """TcpIp._transmit(): the datagram in the send buffer, or the next try."""
        if self.goal != self.peer or (self.only and not m.mux and self.named[0] != self.goal[0]):
            try:
                yield from m.datagrams.dialect.toward(m, self)
            except OSError as e:
                if e.errno != -2:
                    raise
                self.refused = (-2, e.args[1])
                self.tx_n = 0
            if self.goal != self.peer:  # given up meanwhile, and another one takes its place
                return
        if self.error and self.tx_n:  # perhaps it was sent
            self.tx_n = 0
            self.cut = True
        n = self.tx_n
        if not n or self.n < 0 or self.state == State.DRAINING or self.state == State.CONNECTING:
            return
        took = 0
        sender = m.parts.get("sender")
        if sender and (yield from sender.fits(self, n)) < n:  # the module has no room for it yet
            yield _RETRY_MS
            return
        self.report = None
        self.sending = n
        self.flying = True
        try:
            info = yield b"AT+CIPSEND=%d,%d" % (self.n, n) + self.suffix, m.SEND_MS, m.marks(self.n), (self.tx, n)
            if info:
                m.accepted(self, info[-1], n)
            self.unacked = False
            start = since = ticks_ms()
            while self.report is None and self.n >= 0 and self.state != State.DRAINING and not self.error:
                if passed(start, m.CONNECT_MS):
                    raise OSError(errno.ETIMEDOUT, "sendto %s:%d: no result" % self.goal)
                yield 500
                if passed(since, m.SEND_MS):  # it may have been lost
                    since = ticks_ms()
                    yield from self._counted(m, n)
            if self.report == 0:  # or it has lost its first digits
                yield from self._counted(m, n)
            took = self.report
        except OSError as e:
            if self.state == State.DRAINING or self.n < 0:
                return
            if self.task.prompted or (e.errno == errno.ETIMEDOUT and self.report != 0):
                raise
            yield from m._ask(self)  # refused before the prompt: closed?
        finally:
            self.flying = False
        if took == n or took == -1:  # -1: the report of another one, or damaged
            m.went = (m.went + n) & 0x3FFFFFFF
            self.tx_n = self.tries = 0
            self.total += n
            self.heard = ticks_ms()
        elif took == 0:
            self.tries += 1
            if self.tries >= _TRIES and self.state == State.OPEN:
                raise OSError(errno.EIO, "sendto %s:%d: the module does not take it" % self.goal)
            yield _RETRY_MS
        elif took is not None:
            raise OSError(errno.ECONNABORTED, "sendto %s:%d: failed" % self.goal)

    def _counted(self, m, n):
        # Does the module count the datagram as sent?
        from .shortfall import sent

        if (yield from sent(m, self)) == n:
            self.report = n
