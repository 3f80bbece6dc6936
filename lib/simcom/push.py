"""Receiving by direct push (AT+CIPRXGET=0): the module sends what arrives, unasked."""

from errno import EIO
from time import ticks_ms

from micropython import const

from .critical import critical
from .channel import Pace
from .links import State, drop
from .parser import Parser
from .pump import text
from .strays import damaged, innocent


_MOST = const(4096)  # no module sends so long a segment
_EMPTY = const(4)  # so many empty lines in a row are what a header has left that lost a digit
_SETTLE_MS = const(5)  # silence behind it that means it was whole


class PushParser(Parser):
    """Parser of what is pushed: no trailer follows, but whatever comes next begins with CR LF."""

    pushed = True  # nothing is counted but what comes unasked

    def __init__(self, push, sink, size):
        super().__init__(sink, size)
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

    def _text(self, i, n):
        if self._edge:
            if self.buf[i] == (13 if self._edge == 2 else 10):
                self._edge -= 1
                if not self._edge:
                    self.empty = True
                    self._push.proven()
                return i + 1
            if self.bare and self._edge == 2 and self.buf[i] == 36:  # NMEA
                self._push.proven()
            else:
                self._push.lost()
            self._edge = 0
        return self._header(i, n)

    def _header(self, i, n):
        return super()._text(i, n)

    def _emit(self, buf, i, j):
        self._blank = self._blank + 1 if j - i < 2 and buf[i] in b"\r\n" else 0
        if self._blank == _EMPTY:
            self._push.lost()
        if self.text and damaged(buf, i, j, 1):  # in a text this is less likely than two lost bytes in front of it
            self._push.lost()
        super()._emit(buf, i, j)


class SingleParser(PushParser):
    """The header of a single connection has no line end: ``+IPD,5:`` or ``+IPD,5,TCP:`` and the bytes."""

    def _header(self, i, n):
        k = self.buf.find(b":", i, n)
        if k < 0 or self.buf.find(b"\n", i, k) >= 0:
            return super()._header(i, n)
        k += 1
        self._hold(i, k)
        if self.line.startswith(b"+IPD"):
            held = self.held
            self.held = 0
            self._emit(self.line, 0, held)
        return k


class Push:
    """What takes the place of reading: headers, the bytes behind them, the proof that none is missing."""

    def __init__(self, m):
        self._modem = m
        self._channel = channel = m.channel
        self._link = None  # whose segment is not proven yet …
        self._got = 0  # … its length
        self._from = ""  # … where it came from
        self._sender = ""  # where the next one comes from
        self._into = drop  # … and who takes it
        self._colon = False  # headers with an address end in one, on this module
        self._odd = 0  # as many lines would be unknown with one that a header or payload has left
        self._parser = parser = channel.parser
        self._on_end = channel.on_end
        self._own = channel.parser = (PushParser if m.mux else SingleParser)(self, parser._sink, len(parser.buf))
        self._size = m.ring_size
        self._pump = m.pump
        self._wait = m.wait
        self._read = m._read
        self._on_line = m.on_line
        self._equip = m.equip
        m.equip = self.equip
        m.pump = self.pump
        m.wait = self.wait
        m._read = self.read
        self._hook = m.on_line = self.on_line
        channel.on_end = self.on_end

    def remove(self):
        """Back to reading."""
        m = self._modem
        self._channel.parser = self._parser
        self._channel.on_end = self._on_end
        m.pump = self._pump
        m.wait = self._wait
        m.equip = self._equip
        m._read = self._read
        m._link = None
        if m.on_line is self._hook:
            m.on_line = self._on_line
        self._hook = None  # else others stand on it: it stays, and looks at nothing
        from .receiving import resize

        resize(m, self._size)

    def pump(self):
        """Pump.pump()"""
        m = self._modem
        if m.pumping:
            return 0
        got = self._pump()
        if self._channel.parser is self._own:  # else transparent mode is on
            critical(m, self._look, got)
        return got

    def _look(self, got):
        m = self._modem
        channel = self._channel
        if not got:
            if channel.parser.need:
                if channel.quiet(Pace.GAP_MS):
                    (channel.doubt or m).late()
            elif self._link and channel.quiet(_SETTLE_MS):
                self.proven()
        self.check()
        if channel.mute:
            self.on_end(False)

    def wait(self, ms=20, since=0, bound=None):
        """Pump.wait()"""
        self._wait(_SETTLE_MS if self._link and ms > _SETTLE_MS else ms, since, bound)

    def read(self):
        """BufferAccess._read(): nothing is to be asked for; what is closed was sent before."""
        table = self._modem.links
        while table.reading:
            link = table.reader()
            table.reading &= ~link.bit
            if link.state == State.DRAINING and link.task.steps:  # None: a client that is not accepted yet
                table.release(link)
                self._modem.wake(link)
        return False

    def equip(self, link):
        """BufferAccess.equip(), but for who was sent something before."""
        if link.ring is None:
            self._equip(link)

    # Lines

    def on_line(self, buf, i, j):
        """Modem.on_line()"""
        if not self._hook or self._channel.parser is not self._own:
            return self._on_line(buf, i, j)
        m = self._modem
        n = -1
        self.check()
        if buf.startswith(b"+RECEIVE,", i):
            if not (48 <= buf[i + 9] <= 57 and buf[i + 10] == 44 and buf[j] == 13):
                self.lost()
                return True
            m._cursor = i + 9
            n = m.number(buf, j)
        elif buf.startswith(b"+IPD", i):
            m._cursor = i + (5 if buf[i + 4] == 44 else 4)
            n = self._only()
        else:
            return self._other(buf, i, j)
        k = m._cursor
        self._got = m.number(buf, j)
        while k < m._cursor:
            c = buf[k]
            k += 1
            if not (48 <= c <= 57 or c in b"(), " or (c == 58 and k == j)):  # its end is missing: payload follows
                self.lost()
                return True
        self._from = self._sender
        self._sender = ""
        if buf[i + 1] == 82 and (m._cursor < j or not (self._from or buf[j - 1] == 58)):
            self._from = self._address(buf, m._cursor, j)
            colon = buf[j - 1] == 58
            if not _pair(self._from) or colon < self._colon:  # a line has cut it
                self.lost()
                return True
            self._colon = colon
        self._link = m._link = None
        self._into = drop
        if not 0 < self._got <= _MOST:
            self.lost()
            return True
        link = m.links.get(n)
        if link and link.state == State.OPEN:
            self._link = m._link = link
            try:
                if link.ring is None:  # a client that is not accepted yet
                    m._rings.lend(link)
                self._into = link.take
            except MemoryError:
                self._overrun()
        self._channel.parser.expect(self._got, self.take, False)
        return True

    def _other(self, buf, i, j):
        if self._sender:  # a header stands behind it, always
            self._sender = ""
            self.lost()
        k = buf.find(b" FROM:", i, i + 11)
        if k > 0 and buf.startswith(b"R", i if buf[i] != 43 else i + 1):
            self._sender = self._address(buf, k + 6, j)
            return True
        if damaged(buf, i, j, 1):
            self.lost()
            return True
        if self._on_line(buf, i, j):
            return True
        if not innocent(self._modem, buf, i, j):
            self._odd = self._channel.strays + 1
        return False

    def _address(self, buf, i, j):
        sender = text(buf, i, j).strip(" :")
        if sender.strip("0123456789abcdefABCDEF.: "):
            self.lost()
        return sender

    def check(self):
        """Was the last odd line nobody's?"""
        if self._odd and self._channel.strays >= self._odd:
            self.lost()
        self._odd = 0

    def _only(self):
        # The header names no link: that of the only one that is open, or the only one with this peer.
        found = [link for link in self._modem.links.slots if link and link.state == State.OPEN]
        if len(found) > 1:
            address = _pair(self._sender)
            found = [link for link in found if link.peer == address]
        return found[0].n if len(found) == 1 else -1

    def take(self, buf, i, n):
        """Takes the bytes; they may be more than fit."""
        k = self._into(buf, i, n)
        if k is not None and k < n:
            self._overrun()

    def _overrun(self):
        m = self._modem
        link = self._link
        self._link = m._link = None
        self._into = drop
        m._broken(link, EIO, "received bytes were lost: no room in the ring; read sooner, or not by push")

    def proven(self):
        """The segment is whole."""
        link = self._link
        self._link = None
        if link and link.ring is not None:
            link.heard = ticks_ms()
            m = self._modem
            m.came = (m.came + self._got) & 0x3FFFFFFF
            datagram = getattr(link, "datagram", None)
            if datagram:
                datagram(self._got, _pair(self._from))
            else:
                link.ready += self._got

    def on_end(self, ok):
        """Channel.on_end(): bytes are missing inside payload. Other commands, and segments, go on."""
        if self._channel.parser is not self._own:
            return self._on_end(ok)
        self.lost()
        self._own.restart()

    def lost(self):
        """Bytes are missing: whose, nobody knows. All links fail; what still comes of them is dropped."""
        self._link = self._modem._link = None
        self._into = drop
        for link in self._modem.links.slots:
            if link and (link.state == State.OPEN or link.state == State.DRAINING):
                self._modem._broken(link, EIO, "received bytes were lost: UART and modem want the same rxbuf, 2048")


def _pair(sender):
    # With an IPv6 address there are many colons.
    host, _, port = sender.rpartition(":")
    port = port.strip()
    return (host.strip(), int(port)) if host and port.isdigit() else None
