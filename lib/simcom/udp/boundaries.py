"""A link whose ring keeps the borders of datagrams."""

from array import array

from micropython import const

from ..links import Link, State
from ..dns import numeric


_MOST = const(32)  # datagrams that wait to be read


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
        if self.report is None:  # then it is not waited for any more
            self.report = 0

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
            self.pool = old.pool
            old.ring = None
        self.borders = old.borders or Borders()

    def live(self):
        """Open, or on its way."""
        return self.state == State.CONNECTING or self.state == State.OPEN or self.turning
