"""What both TCP/IP dialects share: the life of a link."""

import errno
from time import ticks_ms

from micropython import const

from .channel import passed
from .links import State
from .pump import once
from .rxget import BufferAccess

_REPORT_MS = const(10000)  # a late result that has not come by then may have been lost: the module is asked
_QUIET_MS = const(10000)  # after this long without a word a link is asked: its state, its data


class TcpIp(BufferAccess):
    SEND_MAX = 1460
    SEND_MS = 10000
    CONNECT_MS = 80000  # the module's own time-out, and some more
    STALL_MS = 125000  # so long a link may take nothing of what is to be sent

    flushing = 0  # 1: somebody waits for acknowledgements; 2: every write does
    gave_up = False  # since the last flush() a closed link ended before the peer had all

    # What sockets ask for: noted here, done by the pump

    def open(self, link, address):
        """Owe a TCP connection to ``link``. OSError: ENOTCONN without context, ENOBUFS without a number."""
        if not self.up:
            raise OSError(errno.ENOTCONN, "no PDP context: connect() the modem first")
        if not self.links.place(link):
            once("displace").displace(self.links, link)
        self.equip(link)
        link.peer = address
        link.to(State.CONNECTING)
        link.heard = link.touched = ticks_ms()
        self.serve(link)

    def send(self, link, buf, off, n):
        """Copy up to ``n`` bytes from ``buf[off:]`` into the send buffer; returns how many fitted."""
        at = link.tx_n
        sender = self.parts.get("sender")
        if sender:
            sender.check(buf, off, n)
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
        link.task = self.start(self._live(link, self._end(link)))  # both made now: later there may be no room

    def _live(self, link, end):
        try:
            if link.stale and link.n >= 0:  # else its number is another's before it was its own
                yield from self._shut(link)
            if link.state == State.CONNECTING:
                yield from self._open(link)
            while link.n >= 0:
                closing = link.state == State.CLOSING
                if closing and (link.abort or passed(link.touched, link.linger)):
                    break
                if link.state == State.DRAINING:
                    self._cut(link)
                    yield 1000
                elif link.tx_n:
                    yield from self._transmit(link)
                elif link.unacked and (closing or self.flushing):
                    yield from self._ack(link)
                elif closing:
                    break
                elif passed(link.heard, _QUIET_MS):
                    link.heard = ticks_ms()
                    yield from self._ask(link)
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

    def _end(self, link):
        while link.n >= 0:
            self.links.reading &= ~link.bit
            link.to(State.CLOSING)
            try:
                yield from self._shut(link)
                break
            except MemoryError:
                yield 1000
        self._cut(link)
        self.links.release(link)

    def _cut(self, link):
        if link.tx_n:
            link.cut = 2
            link.tx_n = 0

    def _open(self, link):
        start = link.moved = ticks_ms()
        link.pending = True
        try:
            if link.opener:
                yield from link.opener(self, link)
            else:
                yield (self.OPEN % ((link.n, link.proto) + link.peer)).encode(), self.ANSWER_MS, False
            while link.state == State.CONNECTING and not link.error:  # until on_line() sees the report
                if passed(start, self.CONNECT_MS):
                    link.stale = 3
                    raise OSError(errno.ETIMEDOUT, "connect %s:%d: no result" % link.peer)
                if passed(link.heard, _QUIET_MS):
                    link.heard = ticks_ms()
                    yield from self._ask(link)
                yield 500
            link.pending = link.state == State.CLOSING
        except OSError as e:
            yield from once("reopen").again(self, link, e)
        if link.error and link.n >= 0 and link.state == State.CONNECTING:  # refused: the number is free again
            self.links.release(link)

    def _reported(self, link, ms):
        # Until on_line() sees the late result of the last command of this link, ten seconds or ``ms`` at most.
        start = ticks_ms()
        ms = min(ms, _REPORT_MS)
        while link.report is None and link.n >= 0 and link.state != State.DRAINING:
            if passed(start, ms):
                raise OSError(errno.ETIMEDOUT, "%s:%d: no result" % link.peer)
            yield 500

    def _transmit(self, link):
        if link.sender:
            return (yield from link.sender(self))
        n = link.tx_n
        sender = self.parts.get("sender")
        if sender:
            n = yield from sender.fits(link, n)
        bit = link.bit
        info = error = None
        link.report = None
        link.sending = n
        try:
            info = yield b"AT+CIPSEND=%d,%d" % (link.n, n) + link.suffix, self.SEND_MS, self.marks(link.n), (link.tx, n)
            if info:
                self.accepted(link, info[-1], n)
            yield from self._reported(link, self.STALL_MS)
        except (OSError, ValueError) as e:
            error = e
        took = n
        if error or link.report != n or self.flushing > 1:
            from .shortfall import settle

            took = yield from settle(self, link, n, bit, info, error)
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
            self.links.reading |= link.bit
            if link.known < 0:
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
