"""What both TCP/IP dialects share: the life of a link."""

import errno
from time import ticks_ms

from micropython import const

from .channel import passed
from .lazy import once
from .links import LinkTable, State, drop
from .modem import Modem

_SEND_MS = const(10000)
_REPORT_MS = const(10000)  # a late result that has not come by then may have been lost: the module is asked
_QUIET_MS = const(10000)  # after this long without a word a link is asked: its state, its data


class TcpIp(Modem):
    """The life of a link; what a dialect words in its own way is in a class derived from this one, which has:

    ``DIALECT``: how the files with its other words are called, in the folders ``bringup``, ``local_port``, ``server``,
        ``udp``, ``transparent``, ``options``, ``commands``.
    ``SETTINGS``: commands in front of a context. ``OPEN``: text for link number, "TCP" or "UDP", host, port. ``SEND``,
        ``ACK``: for link number and length, for link number, where they are not those of CIP. ``RESOLVE``: what
        stands behind the name in AT+CDNSGIP.
        ``DNS``: marks of the answer to AT+CDNSGIP. ``OFF``: the command that switches the module off.
        ``RECOUNTS``: not 0: payload that was refused may be there in part; of so many numbers in the answer to ``ACK``
        the largest is what was taken. ``RECEIVER``: the class that receives in buffer access; ``BUFFERED``: commands
        that begin that, if not AT+CIPRXGET=1. ``SEND_MAX``, ``CONNECT_MS``,
        ``STALL_MS``, ``ANSWER_MS``.
    ``dial(link, more)``: where ``OPEN`` alone will not do: steps that ask for the connection. They may take as long as
        they like and block the channel, and say themselves what has become of it, by ``connected(link)``, or by
        ``link.fail()`` or OSError. When they say nothing ``outcome()`` waits for a report.
    ``ask(link)``: steps that find out what a link is at, and call ``connected(link)`` or ``gone(link)``.
    ``ack(link)``: steps that clear ``link.unacked`` when the peer has everything; where it is never set: none.
    ``shut(link)``: steps that close it, whatever it is at: no OSError when it is closed already.
    ``marks(n)``: as those of a Task: what ends a send on link ``n``, False: OK.
    ``accepted(link, info, n)``: called with the lines of that answer: sets ``link.report`` to how many of ``n`` bytes
        the module took, or to a negative errno; or leaves it to on_line() when a report tells; ``link.unacked``, when
        ``ack()`` is to be asked. A send that is refused, after its payload too, ends in stream/partial.py.
    ``on_line(buf, i, j)``: knows the reports: ``connected(link)`` or ``link.fail()`` while ``link.pending``,
        ``gone(link)``, ``link.report``, ``on_lost()``, and wakes the link; passes on to super() what it does not know.
    ``gone(link)``, ``refusal(line)``: where something is to be remembered, as ``owed``.
    """

    SEND = b"AT+CIPSEND=%d,%d"
    LINKS = 1
    READ_MAX = 1460  # AT+CIPRXGET=2
    SEND_MAX = 1460
    CONNECT_MS = 80000  # the module's own time-out, and some more
    STALL_MS = 125000  # so long a link may take nothing of what is to be sent

    owed = 0  # numbers whose peer closed, as bits: to be closed by us too before they are used again
    flushing = 0  # 1: somebody waits for acknowledgements; 2: every write does
    gave_up = False  # since the last flush() a closed link ended before the peer had all

    def prepare(self, rxbuf):
        """What is made once, for a UART that holds ``rxbuf`` bytes."""
        self.links = LinkTable(self.LINKS)
        self.read_max = n = min(self.READ_MAX, rxbuf - 56)
        # Found at once, not in the sixth class: a sixth of the cost of a byte.
        self.pump = self.pump
        self.wait = self.wait
        self.nap = self.nap
        self.receive = self.receive
        self.hungry = self.hungry
        self.number = self.number
        self.use(self.RECEIVER(self, n, 2 * n))

    def use(self, receiver):
        """Received bytes come as ``receiver`` says, on links that are opened from now on."""
        self.receiver = self.channel.receiver = receiver
        self.ring_size = receiver.size

    # What a reader does

    def receive(self, link, buf, n):
        """Move ``n`` of the ready bytes to the start of ``buf``."""
        if n:
            link.ring.readinto(buf, n)
            link.ready -= n
            if link.known:
                self.links.reading |= link.bit
                if not self.channel.busy:  # the module need not wait for the reader's next call
                    self.pump()
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
        if link is self.receiver.link:
            self.channel.parser.take = drop
        self.receiver.rings.give_back(link)

    def broken(self, link, code=errno.ECONNRESET, why="the module dropped waiting bytes"):
        """Received bytes are lost: ``link`` ends, behind what is verified."""
        link.fail(code, why)
        if link.n >= 0:
            link.to(State.CLOSING)
            self.links.reading &= ~link.bit
        self.wake(link)

    def wake(self, link=None):
        """Its task has something to do; without a link: the module stays awake, see ``sleep()``."""
        if not link:
            self.awake()
        elif link.task:
            link.task.pause(0)
            self._laps = 0

    def number(self, buf, j):
        """The number at the cursor, which moves behind the comma that follows."""
        k = self.cursor
        n = 0
        while k < j:
            c = buf[k]
            k += 1
            if c == 44:
                break
            if 48 <= c <= 57:
                n = n * 10 + c - 48
        self.cursor = k
        return n

    # What sockets ask for: noted here, done by the pump

    def open(self, link, address):
        """Owe a TCP connection to ``link``. OSError: ENOTCONN without context, ENOBUFS without a number."""
        if not self.up:
            raise OSError(errno.ENOTCONN, "no PDP context: connect() the modem first")
        if not self.links.place(link):
            once("stream.reclaim").displace(self.links, link)
        self.receiver.equip(link)
        link.peer = address
        link.to(State.CONNECTING)
        link.heard = link.touched = ticks_ms()
        self.serve(link)

    def send(self, link, buf, off, n):
        """Copy up to ``n`` bytes from ``buf[off:]`` into the send buffer; returns how many fitted."""
        at = link.tx_n
        if "sender" in self.parts:
            self.parts["sender"].check(buf, off, n)
        n = min(n, self.SEND_MAX - at)
        if n > 0:
            if not link.tx:
                link.tx = bytearray(self.SEND_MAX)
            link.tx[at : at + n] = memoryview(buf)[off : off + n]
            if not at:
                link.moved = ticks_ms()
            link.tx_n = at + n
            if not link.hold or link.tx_n == self.SEND_MAX:
                self.wake(link)
            elif not at:
                link.task.pause(link.hold)
        return n

    def close(self, link):
        """The owner is done with ``link``: what it sent still goes out, what it did not read is dropped."""
        self.forget(link)
        if link.abort:
            link.tx_n = 0
        if link.state == State.DRAINING or link.n < 0:
            self.links.release(link)
        else:
            link.to(State.CLOSING)
            link.touched = ticks_ms()
            self.links.reading &= ~link.bit
        self.wake(link)

    # The life of a link, as a task

    def serve(self, link):
        """Begin the life of a link."""
        link.task = self.start(self._live(link, self.closing(link)))  # both made now: later there may be no room

    def _live(self, link, end):
        try:
            if link.stale and link.n >= 0:  # else its number is another's before it was its own
                yield from self.shut(link)
            while link.n >= 0:
                closing = link.state == State.CLOSING
                if link.state == State.CONNECTING:
                    yield from self._open(link)
                elif closing and (link.abort or passed(link.touched, link.linger)):
                    break
                elif link.state == State.DRAINING:
                    if link.pending:
                        yield from once("recovery.silence").whose(self, link)
                    elif link.tx_n:
                        link.cut = 2
                        link.tx_n = 0
                    self.links.reading |= link.bit
                    yield 500
                elif link.tx_n:
                    yield from (link.kind or self).transmit(link)
                elif link.unacked and (closing or self.flushing):
                    yield from self.ack(link)
                elif closing:
                    break
                elif passed(link.heard, _QUIET_MS):
                    yield from self.inquire(link)
                else:
                    yield 1000
            if not link.abort and (link.tx_n or link.unacked and (link.n >= 0 or link.error)):  # else the peer closed
                self.gave_up = True
        except OSError as e:
            link.fail(*e.args)  # none: there was no room for them
        except MemoryError:
            link.fail()
        except (ValueError, IndexError):
            link.fail(errno.EIO, "answer not understood")
        except KeyboardInterrupt:  # it ends this task
            link.fail(errno.ECONNABORTED, "interrupted")
            link.task = self.start(end)
            raise
        yield from end

    def closing(self, link):
        """Steps: closed, and its number is free."""
        while link.n >= 0:
            self.links.reading &= ~link.bit
            link.to(State.CLOSING)
            try:
                yield from self.shut(link)
                break
            except MemoryError:
                yield 1000
        if link.tx_n:
            link.cut = 2
            link.tx_n = 0
        self.links.release(link)

    def _open(self, link):
        # One attempt; as long as the link is neither open nor failed there is another.
        n = link.n
        if self.owed & link.bit:
            self.owed &= ~link.bit
            yield from self.shut(link)
        link.heard = link.moved = ticks_ms()
        link.pending = True
        try:
            yield from (link.kind or self).dial(link)
            yield from self.outcome(link, n)
            link.pending = link.state == State.CLOSING
        except OSError as e:
            yield from once("stream.reopen").again(self, link, n, e)
        if link.error and link.state == State.CONNECTING:  # refused: the number is free again
            self.links.release(link)

    def dial(self, link, more=b""):
        """Steps: ask the module to open ``link``, with ``more`` behind the usual parameters."""
        yield (self.OPEN % ((link.n, link.proto) + link.peer)).encode() + more, self.ANSWER_MS, False

    def outcome(self, link, n):
        """Steps: until on_line() sees what has become of opening number ``n``."""
        while link.pending and link.state == State.CONNECTING and not link.error:
            if link.n != n or passed(link.moved, self.CONNECT_MS):
                raise OSError(errno.ETIMEDOUT, "connect %s:%d: no result" % link.peer)
            if passed(link.heard, _QUIET_MS):
                yield from self.inquire(link)
            yield 500

    def inquire(self, link):
        """Steps: is it still what we think it is, and ours?"""
        link.heard = ticks_ms()
        n = link.n
        servers = self.parts.get("servers")
        if servers:
            yield from servers.check(n)
        if link.n == n:  # else a client has that number
            yield from self.ask(link)

    def reported(self, link, ms):
        """Steps: until on_line() sees the late result of its last command, ten seconds or ``ms`` at most."""
        start = ticks_ms()
        while link.report is None and link.n >= 0 and link.state != State.DRAINING:
            if passed(start, min(ms, _REPORT_MS)):
                raise OSError(errno.ETIMEDOUT, "%s:%d: no result" % link.peer)
            yield 500

    def transmit(self, link):
        """Steps: send what is in the send buffer, or some of it."""
        n = link.tx_n
        bit = link.bit
        info = error = None
        link.report = None
        link.sending = n
        try:
            info = yield self.SEND % (link.n, n) + link.suffix, _SEND_MS, self.marks(link.n), (link.tx, n)
            self.accepted(link, info, n)
            yield from self.reported(link, self.STALL_MS)
        except (OSError, ValueError) as e:
            error = e
        took = n
        if error or link.report != n or self.flushing > 1:
            from .stream.partial import settle_send

            took = yield from settle_send(self, link, n, bit, info, error)
        link.sending = 0
        if took:
            link.total += took
            self.went = (self.went + took) & 0x3FFFFFFF
            link.tx_n = rest = max(link.tx_n - took, 0)
            if rest:
                link.tx[:rest] = memoryview(link.tx)[took : took + rest]
            link.heard = link.moved = ticks_ms()
            link.cut = link.state != State.OPEN

    # Events

    def connected(self, link):
        """The connection is there."""
        if link.state == State.CONNECTING:
            link.to(State.OPEN)

    def gone(self, link):
        """The peer closed: EOF, once the module's buffer is empty."""
        if link.state == State.OPEN:
            link.to(State.DRAINING)
            link.pending = self.links.slots.count(None) < self.LINKS - 1
            self.links.reading |= link.bit
            if link.known == -1:
                link.known = 1  # at least: if they are gone this is no EOF
        elif link.state == State.CLOSING:
            link.tx_n = 0
        link.unacked = False
        self.wake(link)
        channel = self.channel
        if self._task is link.task and channel.busy:
            if channel.sent < 0:
                channel.sent = -2
            channel.hurry(300)  # the answer may never come

    def on_lost(self, code, why):
        for hook in self.hooks:
            if hook.on_lost(code, why):
                return
        self.links.last = 0
        for link in self.links.slots:
            if link:
                link.fail(code, why)
                self.links.release(link)
                self.wake(link)
        super().on_lost(code, why)
