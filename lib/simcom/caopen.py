"""The CAOPEN dialect: how SIM7070, SIM7080 and SIM7090 open links and word results."""

import errno

from micropython import const

from .carecv import CaRecv
from .channel import passed
from .links import State
from .lazy import once
from .tcp import TcpIp

_FIRST = const(2)  # Link.known: some may come unannounced
_BUFFER = const(5840)  # few send buffers are smaller (SNDBUF)
_SILENT_MS = const(10000)  # of an open: blocked, or lost
_POLL_MS = const(400)  # who waits for bytes asks so often: some do not announce them
# +CADATAIND, +CASTATE: others look at four characters, and bytes may be joined to them.
_OURS = const(b"DS")


class CaOpen(TcpIp):
    """Wire facts (AT Command Manual V1.05, 12): the result of an open stands before OK, which ends one that failed too;
    without ASYNCOPEN nothing else is answered meanwhile. OK behind a payload: the module has it; ERROR: it is gone.
    """

    DIALECT = "caopen"
    OPEN = 'AT+CAOPEN=%d,%d,"%s","%s",%d'
    SEND = b"AT+CASEND=%d,%d"
    ACK = b"AT+CAACK=%d"
    RECOUNTS = 2
    LINKS = 13
    SERVERS = 4
    SEND_MAX = 1459  # a buffer of 1460 may refuse so many
    CONNECT_MS = 125000  # a blocked one takes 75 s
    RESOLVE = b",1,10000"
    DNS = (b"+CDNSGIP:",)  # it comes after OK
    SETTINGS = (b"AT+CASRIP=0",)
    RESET_MS = 12500  # of PWRKEY, as no pin is RESET
    LACKS = ("settings of time-outs", "sleep without DTR", 'receive="hex"', 'send="variable"', "unread count")
    RECEIVER = CaRecv
    BUFFERED = ()

    pdp = 0  # <pdp>, the number of our context
    net = None  # what its last +APP PDP said: whether it is active
    parting = False  # a DEACTIVE may come of what is off already
    blocks = False  # nothing is heard between an open and its result, whenever OK comes; None: perhaps
    tells = False  # sends are reported late too, by +CASEND

    def dial(self, link, more=b""):
        """Steps: TcpIp.dial(), whose answer may wait for the result."""
        link.report = error = None
        try:
            self._only = self.blocks is not False and self._task
            pdp = getattr(link.kind, "pdp", self.pdp)
            yield (self.OPEN % ((link.n, pdp, link.proto) + link.peer)).encode() + more, _SILENT_MS, False
            if self.blocks is None and link.state == State.CONNECTING and self.links.slots.count(None) < 12:
                yield from once("errors.caopen").beside(self, link)
            yield from self.outcome(link, link.n)
            if link.state == State.CLOSING and (link.tx_n or self.blocks is not False):
                yield from once("errors.caopen").beside(self, link)
        except OSError as e:
            error = yield from once("stream.caopen").unheard(self, link, e)
        finally:
            self._only = None
        if link.state == State.CONNECTING and not link.error:
            yield from once("errors.caopen").refused(self, link, error)

    def ask(self, link):
        """Steps: is it open? That it is not is believed when said twice: a row may be lost."""
        was = link.state
        if was == State.CONNECTING and self.blocks is not False:
            return (yield from once("stream.caopen").unheard(self, link))
        state = 0  # what is not listed is not open
        for _ in range(2):
            try:
                rows = yield b"AT+CASTATE?", self.ANSWER_MS, ()
            except OSError:
                self.doubt = True
                return
            for row in rows:
                try:
                    n, each = row[9:].split(",")[:2]
                    if int(n) == link.n:
                        state = int(each)
                except ValueError:  # damaged: it may be this one
                    return
            if state:  # 2: a server of datagrams
                return self.connected(link)
            if was == State.CONNECTING:
                return
        self.gone(link)

    def ack(self, link):
        """Steps: has the peer everything? Which number is the total depends on the firmware."""
        try:
            info = yield self.ACK % link.n, self.ANSWER_MS, ()
            link.unacked = not info or ",0," not in ",%s," % info[-1][7:].replace(" ", "")
        except OSError as e:
            link.unacked = not hasattr(e, "line")  # it is asked again
        if link.unacked:
            yield 250

    def shut(self, link):
        """Steps: close it, open or not."""
        self.owed &= ~link.bit
        try:
            yield b"AT+CACLOSE=%d" % link.n, 10000
        except OSError:  # closed already
            pass

    def marks(self, n):
        """OK ends a send."""
        return False

    def accepted(self, link, info, n):
        """OK: the module has it."""
        link.report = n
        link.unacked = link.proto == "TCP"

    def transmit(self, link):
        """Steps: TcpIp.transmit(), once the module has room: what does not fit is refused when it was sent."""
        if link.proto == "TCP" and link.total + link.tx_n > getattr(link, "limit", _BUFFER):
            from .stream.caopen import room

            if not (yield from room(self, link)):
                return
        yield from super().transmit(link)

    def hungry(self, link, n):
        link.want = n
        if link.tx_n:
            self.wake(link)
        if State.CONNECTING < link.state < State.CLOSING:
            if (link.known and link.state == State.OPEN) or passed(link.polled, _POLL_MS):
                self.links.reading |= link.bit

    def close(self, link):
        if link.state == State.DRAINING:  # its number stays taken until we close it
            link.to(State.CLOSING)
        super().close(link)

    def connected(self, link):
        super().connected(link)
        link.known = link.known or _FIRST  # what came with it is untold
        self.links.reading |= link.bit

    def gone(self, link):
        self.owed |= link.bit
        if link.state == State.OPEN:
            link.known = link.known or _FIRST
            self.doubt = self.doubt or True  # some say no more when the context is lost
        super().gone(link)

    # Lines

    def on_line(self, buf, i, j):
        self.cursor = k = buf.find(b":", i, j) + 1
        ca = buf.startswith(b"+CA", i)
        if ca and k:
            if buf[k] == 32:
                k += 1
            n = self.number(buf, j)
            link = self.links.get(n) if 48 <= buf[k] <= 57 and 48 <= buf[j - 1] <= 57 else None  # damaged
            number = self.number(buf, j)
            if buf.startswith(b"OPEN", i + 3):
                if link and link.pending and link.state != State.DRAINING:
                    link.pending = False
                    if number:
                        self.owed |= link.bit
                        link.report = number  # for dial()
                    else:
                        self.connected(link)
                    self.wake(link)
                return True
            if buf.startswith(b"SEND", i + 3):
                if link:
                    from .stream.caopen import sent

                    sent(self, link, number, self.number(buf, j))
                return True
            if buf.startswith(b"CLOSE", i + 3):
                self.owed &= ~(1 << n)
                number = 0
            elif not buf.startswith(b"STATE", i + 3) or j - k > 4:
                number = -1
            if link and not number and link.state > State.CONNECTING:
                self.gone(link)
            if number >= 0 or buf[i + 3] == 78:  # NEW
                return True
        elif buf.startswith(b"+APP PDP", i):
            if buf.find(b",", k, j) < 0 or self.number(buf, j) == self.pdp:
                self.net = buf.find(b"DEACT", k, j) < 0
                if not self.net and self.up:
                    if self.parting:
                        self.parting = False
                        self.doubt = True
                    else:
                        self.on_lost(errno.ENOTCONN, "the network took the context (+APP PDP: DEACTIVE)")
            return True
        elif buf[i] == 78:  # NO CARRIER: no context
            self.suspect()
        return not (ca and buf[i + 3] in _OURS) and super().on_line(buf, i, j)
