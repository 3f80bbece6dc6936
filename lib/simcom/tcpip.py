"""What both TCP/IP dialects share: the life of a link, sending, receiving in buffer access."""

import errno
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from .links import LinkTable, RingPool, drop
from .modem import Modem
from .pump import check_text

# Link.state, as in links.py
_CONNECTING = const(1)
_OPEN = const(2)
_DRAINING = const(3)
_CLOSING = const(4)
_CLOSED = const(5)

_OK = const(2)  # as in channel.py
_ERROR = const(3)
_LOST = const(4)

_SEND_MS = const(10000)
_READ_MS = const(10000)
_QUIET_MS = const(10000)  # after this long without a word a link is asked: its state, its data
_LINGER_MS = const(10000)
_RETRY_MS = const(250)


def check_host(host):
    """Names of at most 254 characters, labels of at most 63, nothing that could end the command line."""
    check_text("host", host, 254, '", ;')
    if not host or max([len(label) for label in host.split(".")]) > 63:
        raise ValueError("host: empty, or a label of more than 63 characters")


class TcpIp(Modem):
    """``rxbuf``: what the UART was made with; reads ask for no more than fits there."""

    LINKS = 1
    READ_MAX = 1460  # AT+CIPRXGET=2
    SEND_MAX = 1460  # AT+CIPSEND
    CONNECT_MS = 80000

    def __init__(self, uart, *, pwrkey=None, pressed: int = 1, pin: str = "", baudrate: int = 0, rxbuf: int = 2048):
        if rxbuf < 128:
            raise ValueError("rxbuf: at least 128, better 2048")
        self.links = LinkTable(self.LINKS)
        self.ring_size = 2 * min(self.READ_MAX, rxbuf - 56)  # one half is read while the other comes
        self._rings = RingPool(self.ring_size)
        self._link = None  # which is being read …
        self._n = 0  # … under which number
        self._got = 0  # payload bytes its header announced
        self._cursor = 0
        self._laps = 0  # reads since the tasks were looked at
        self._flushing = False  # somebody waits for acknowledgements
        self._reader = self._on_read
        super().__init__(uart, pwrkey, pressed, pin, baudrate)

    # What sockets ask for: noted here, done by the pump

    def open(self, link, address):
        """Owe a TCP connection to ``link``. OSError: ENOTCONN without context, ENOBUFS without a number."""
        if not self.up:
            raise OSError(errno.ENOTCONN, "no PDP context: connect() the modem first")
        if not self.links.place(link):
            raise OSError(errno.ENOBUFS, "all links taken, by " + self.links.peers())
        try:
            self._rings.lend(link)
        except MemoryError:
            self.links.release(link)
            raise OSError(errno.ENOMEM, "no room for a receive ring")
        link.rxget = bytearray(b"AT+CIPRXGET=2,%d,    \r" % link.n)
        link.head = b"+CIPRXGET: 2,%d,%d," % (link.n, self.ring_size // 2)
        link.peer = address
        link.state = _CONNECTING
        link.heard = ticks_ms()
        link.task = self.start(self._serve(link))

    def send(self, link, buf, off, n):
        """Copy up to ``n`` bytes from ``buf[off:]`` into the send buffer; returns how many fitted."""
        at = link.tx_n
        if n > self.SEND_MAX - at:
            n = self.SEND_MAX - at
        if n > 0:
            if not link.tx:
                link.tx = bytearray(self.SEND_MAX)
            link.tx[at : at + n] = memoryview(buf)[off : off + n]
            link.tx_n = at + n
            self._wake(link)
        return n

    def receive(self, link, buf, n):
        """Move ``n`` of the ready bytes to the start of ``buf``."""
        link.ring.readinto(buf, n)
        link.ready -= n
        if link.known:
            self.links.reading |= link.bit
        return n

    def hungry(self, link, n):
        """A reader waits for ``n`` bytes."""
        link.want = n
        if link.known or link.state == _DRAINING:
            self.links.reading |= link.bit

    def drained(self, link):
        """The owner has read all there will be."""
        if link.n < 0:
            self._rings.give_back(link)

    def close(self, link):
        """The owner is done with ``link``: what it sent still goes out, what it did not read is dropped."""
        if link is self._link:
            self.channel.parser.take = drop
        self._rings.give_back(link)
        if link.state == _DRAINING or link.n < 0:
            self.links.release(link)
        else:
            link.state = _CLOSING
            self.links.reading &= ~link.bit
        self._wake(link)

    def flush(self, timeout_ms: int = 10000) -> bool:
        """Wait until the peers have what was written and closed sockets are closed; call it before ``deepsleep``.

        Returns whether that was so in time.
        """
        start = ticks_ms()
        self._flushing = True
        for link in self.links.slots:
            if link:
                self._wake(link)
                while link.n >= 0 and (link.tx_n or link.unacked or link.state == _CLOSING):
                    if ticks_diff(ticks_ms(), start) >= timeout_ms:
                        self._flushing = False
                        return False
                    self.wait()
        self._flushing = False
        return True

    def _wake(self, link):
        if link.task:
            link.task.wake = ticks_ms()
            self._due = True

    # The life of a link, as a task

    def _serve(self, link):
        try:
            if link.stale:
                yield from self._shut(link)
            yield from self._open(link)
            while link.state == _OPEN or link.state == _DRAINING:
                now = ticks_ms()
                if link.state == _DRAINING:
                    self._cut(link)
                    yield 1000
                elif link.tx_n:
                    yield from self._transmit(link)
                elif link.unacked and self._flushing:
                    yield from self._ack(link)
                    yield _RETRY_MS
                elif ticks_diff(now, link.heard) >= _QUIET_MS:
                    link.heard = now
                    yield from self._ask(link)
                else:
                    yield 1000
            give_up = ticks_add(ticks_ms(), _LINGER_MS)
            while link.n >= 0 and (link.tx_n or link.unacked) and ticks_diff(give_up, ticks_ms()) > 0:
                yield from self._transmit(link) if link.tx_n else self._ack(link)
                yield _RETRY_MS
        except OSError as e:
            link.fail(e.errno, e.args[1])
        except (ValueError, IndexError):
            link.fail(errno.EIO, "answer not understood: " + self.command())
        if link.n >= 0:
            self.links.reading &= ~link.bit
            link.state = _CLOSING
            yield from self._shut(link)
        self._cut(link)
        self.links.release(link)

    def _cut(self, link):
        if link.tx_n:
            link.cut = True
            link.tx_n = 0

    def _transmit(self, link):
        n = link.tx_n
        try:
            line = (yield self.SEND % (link.n, n), _SEND_MS, self.marks(link.n), (link.tx, n))[-1]
        except OSError as e:
            if link.state == _DRAINING or link.n < 0:  # closed by the peer meanwhile
                return
            if link.task.prompted:
                raise OSError(errno.EIO, "send: what became of %d bytes is not known" % n)
            if e.errno == errno.ETIMEDOUT:
                raise
            yield from self._ask(link)  # refused before the prompt: closed, or the module's buffer full?
            yield _RETRY_MS
            return
        took = self.accepted(line, n)
        if took < 0:
            yield from self._ask(link)
            if link.state == _OPEN:  # else the peer closed: what it said before is still to be read
                raise OSError(errno.ECONNABORTED, "send: " + line)
            return
        link.sent(took)
        link.unacked = True
        link.heard = ticks_ms()
        if not took:
            yield _RETRY_MS

    # Receiving

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
        cmd = link.rxget
        if link.asked != n:
            link.asked = n
            at = 16
            scale = 1000
            while scale:  # formatting would allocate
                if n >= scale:
                    cmd[at] = 48 + n // scale % 10
                    at += 1
                scale //= 10
            cmd[at] = 13
            link.rxget_n = at + 1
        self._link = link
        self._n = link.n
        self._task = None
        self._got = 0
        self.channel.read(cmd, link.rxget_n, link.head, self._reader, _READ_MS)

    def _on_read(self, kind, buf, i, j):
        link = self._link
        if kind < _OK:
            return self._header(link, buf, i, j, kind)
        if kind == _LOST:
            if self.channel.mute:
                self._broken(link, errno.EIO, "received bytes were lost: UART and modem want the same rxbuf, 2048")
            else:
                self._broken(link, errno.ETIMEDOUT, self.command() + ": no answer")
        elif kind == _ERROR and link.known:
            self._broken(link, errno.ECONNRESET, "the module dropped bytes that were waiting")
        else:  # nothing there
            link.known = 0
            self.links.reading &= ~link.bit
            if link.state == _DRAINING:
                self.links.release(link)
                self._wake(link)
        return True

    def _header(self, link, buf, i, j, kind):
        if not kind:
            if not buf.startswith(b"+CIPRXGET:", i):
                return False
            self._cursor = i + 10
            if self.number(buf, j) != 2:
                return False
            if self.number(buf, j) == self._n:
                self._segment(self.number(buf, j), buf, j)
                return True
        self.channel.on_end(False)  # no header is ours: what follows may be payload
        return True

    def on_head(self, buf, j):
        """The header of a full segment."""
        self._cursor = j  # the number behind the last comma
        while buf[self._cursor - 1] != 44:
            self._cursor -= 1
        self._segment(self.ring_size // 2, buf, j)

    def _segment(self, got, buf, j):
        link = self._link
        self._got = got
        link.known = self.number(buf, j)
        self.links.reading &= ~link.bit  # a notice that comes after this is news
        if got > link.asked:
            self.channel.on_end(False)
        elif got:
            self.channel.parser.expect(got, link.take)

    def _broken(self, link, code, why):
        link.fail(code, why)
        if link.n >= 0:
            link.state = _CLOSING
            self.links.reading &= ~link.bit
        self._wake(link)

    def on_trailer(self):
        link = self._link
        form = self.channel.parser.long
        link.heard = ticks_ms()
        if link.ring is not None:
            if form is None and link.known:
                link.unproven += self._got
            elif link.unproven and form:
                return self._broken(link, errno.EIO, "received bytes were lost")
            else:
                link.ready += link.unproven + self._got
                link.unproven = 0
            if link.known or link.state == _DRAINING:
                self.links.reading |= link.bit
        # The next command goes out before the user sees these bytes. Sleeping tasks get a look now and then.
        self._laps += 1
        if self._due or self._laps > 3 or self.channel.desync or self._calls:
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

    # Events

    def on_line(self, buf, i, j):
        if not buf.startswith(b"+CIPRXGET:", i):
            return super().on_line(buf, i, j)
        self._cursor = i + 10
        if self.number(buf, j) == 1:
            link = self.links.get(self.number(buf, j))
            if link and link.ring:
                link.known = link.known or 1
                self.links.reading |= link.bit
        return True

    def gone(self, link):
        """The peer closed: EOF, once the module's buffer is empty."""
        if link.state == _OPEN:
            link.state = _DRAINING
            self.links.reading |= link.bit
        else:
            link.tx_n = 0
        link.unacked = False
        self._wake(link)
        if self._task is link.task and self.channel.busy:
            self.channel.hurry(300)  # the answer may never come

    def on_lost(self, code, why):
        for link in self.links.slots:
            if link:
                link.fail(code, why)
                self.links.release(link)
                self._wake(link)
        super().on_lost(code, why)

    # Rarely used

    def socket(self, *args):
        """A socket on this modem; arguments as ``socket.socket``."""
        from .socket import socket

        return socket(*args, modem=self)

    def resolve(self, host: str, *, timeout_ms: int = 30000) -> list:
        """Ask the module's resolver (AT+CDNSGIP): a list of one or two addresses. OSError(-2): unknown name."""
        check_host(host)
        from .info import resolve

        return resolve(self, host, timeout_ms)
