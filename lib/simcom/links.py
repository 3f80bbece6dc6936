"""The state of each connection: its receive ring, its send buffer, its place in the module."""

import errno

from micropython import RingIO


_FULL = (errno.ENOMEM, "out of memory")


class State:
    """What a link is at, and to what else it can change; under the tests every change is held to this table.

    IDLE -> CONNECTING, CLOSED
    CONNECTING -> OPEN, CLOSING, CLOSED
    OPEN -> DRAINING, CLOSING, CLOSED
    DRAINING -> CLOSING, CLOSED
    DRAINING -> OPEN: the report was another link's
    CLOSING -> CLOSED, CONNECTING: datagrams to another peer want another link in the module
    CLOSED -> CONNECTING: transparent mode raises the context anew before it connects
    CLOSED -> OPEN: a client that waits, as there was no room for its ring
    """

    IDLE = 0
    CONNECTING = 1
    OPEN = 2
    DRAINING = 3  # closed by the peer; the module may still hold bytes of it
    CLOSING = 4  # closed by us, or failed; the module must still hear of it
    CLOSED = 5  # the link number is given back; ready bytes stay readable


class Wait:
    """Times in the life of a link that several files keep."""

    RETRY_MS = 250  # the module may be still closing what had the number before
    UNHEARD_MS = 100000  # after so long a link is asked after
    REFUSED_MS = 5000  # a failure within this time is taken for a refusal, later for a time-out


class Link:
    """One connection, owned by a socket; it outlives its link number in the module."""

    state = State.IDLE
    n = -1  # <link_num>, -1: none
    bit = 0  # 1 << n, 0: none
    proto = "TCP"
    peer = ("", 0)
    kind = None  # whose dial() opens it, whose transmit() sends; None: the modem's, for a stream with any local port
    suffix = b""  # what follows the length in its AT+CIPSEND
    linger = 10000  # so many ms a close waits for the peer to have what was sent
    abort = False  # closed at once, unsent bytes dropped (SO_LINGER 0)
    take = None  # takes payload: the ring's write(buf, off, n), or drop()
    ring = None  # received bytes; ``pool`` lent it
    want = 0  # bytes that a blocked reader waits for
    tx = None  # bytes to send …
    sending = 0  # … tx_n, of which so many are on their way to the module
    total = 0  # bytes that the module took since the link was opened
    moved = 0  # ticks_ms when it took some last, or the first of these were to be sent, or it was asked to connect
    hold = 0  # ms that bytes may wait for more to go with them (TCP_NODELAY off)
    cut = 0  # 1: the peer has closed, and one write was good nevertheless; 2: bytes that were to be sent never will be
    unacked = False  # the module took bytes that the peer may not have
    report = None  # late result of the command under way: what the module took of a send, or -errno; None: not yet
    pending = False  # the module owes the result of opening it; DRAINING: it is to be asked whether it closed
    stale = 0  # not 0: the number was another link's: to be closed before it is opened
    reclaim_ms = (
        0  # its owner may have dropped it: untouched for so long its number may be another's; -1: at once; 0: never
    )
    heard = 0  # ticks_ms of the last sign of life …
    touched = 0  # … and of the last call or poll of its owner, while reclaim_ms is not 0, or of its close
    task = None  # the Task that opens, sends, asks, closes
    borders = None  # of the datagrams in the ring; None: it is a stream
    asked = 0  # bytes that the prebuilt command asks for which reads
    handler = None  # handles the answer, if it is not the receiver that does

    def __init__(self):
        # Here, as there may be no room for them when it fails.
        self.error = None  # (errno, text): why the link failed; raised once what is ready was read
        self.ready = 0  # bytes in the ring that are verified; others wait for the trailer, or until its form is known
        self.tx_n = 0  # bytes to send
        self.known = 0  # bytes known to wait in the module; -1: some; -2: it told of fewer than before

    def to(self, state):
        """Change to ``state``: nobody else writes it."""
        self.state = state

    def fail(self, code=errno.ENOMEM, why="out of memory"):
        """Note the first reason; what is verified stays readable before it is raised."""
        try:
            self.error = self.error or (code, why)
        except MemoryError:
            self.error = _FULL
        self.tx_n = self.known = 0

    def check(self):
        """Raise why it failed. ETIMEDOUT once: the next time it would be taken for "nothing came in time"."""
        error = self.error
        if error:
            if error[0] == errno.ETIMEDOUT:
                self.error = (errno.ECONNABORTED, error[1])
            raise OSError(*error)


class LinkTable:
    """Which link has which number, and which may be read: a bit mask, so that finding none costs one test. When all
    numbers are taken stream/reclaim.py finds one."""

    def __init__(self, size):
        self.slots = [None] * size
        self.reading = 0
        self.last = 0  # numbers, as bits, that are given after all others: the module may be busy with them
        self.upward = -1  # lowest free number first; 1: highest, while the module numbers the clients of a server
        self.spare = ()  # for whom so many numbers stay free; each has refuse(), which may raise OSError, and a peer
        self._turn = 0

    def get(self, n):
        """The link with that number, or None."""
        return self.slots[n] if 0 <= n < len(self.slots) else None

    def reader(self):
        """Round robin over ``reading``, which is not 0."""
        n = self._turn
        while self.reading != 1 << n:  # mostly there is one
            n = (n + 1) % len(self.slots)
            if self.reading >> n & 1:
                break
        self._turn = n
        return self.slots[n]

    def release(self, link):
        """Its number is free; what it received stays with it."""
        if link.n >= 0:
            self.slots[link.n] = None
            self.reading &= ~link.bit
        link.n = -1
        link.bit = 0
        link.to(State.CLOSED)

    def place(self, link):
        """Give ``link`` a free number, see ``upward``, ``last`` and ``spare``. Returns whether there was one."""
        free = []
        for n, other in enumerate(self.slots):
            if not other:
                free.append((self.last >> n & 1, -n * self.upward, n))
        if len(free) <= len(self.spare):
            return False
        self.put(link, min(free)[2])
        return True

    def put(self, link, n):
        """``link`` has number ``n`` from now on."""
        self.slots[n] = link
        link.n = n
        link.bit = 1 << n


def drop(buf, off, n):
    """Takes payload that nobody wants any more."""


class RingPool:
    """Rings are made once and lent: after weeks the heap may have no hole left that is large enough."""

    def __init__(self, size):
        self._size = size
        self.free = []
        self._scratch = bytearray(64)

    def lend(self, link):
        """Give ``link`` a ring, unless it has one; MemoryError when there is no room for another."""
        if link.ring is None:
            link.ring = self.free.pop() if self.free else RingIO(self._size)
            link.pool = self
        link.take = link.ring.write

    def give_back(self, link):
        """Take its ring, emptied; it goes back to who lent it."""
        ring = link.ring
        link.take = drop  # also of a link whose ring is another's by now
        if ring is not None:
            link.ring = None
            link.ready = 0
            while ring.any():
                ring.readinto(self._scratch)
            link.pool.free.append(ring)
