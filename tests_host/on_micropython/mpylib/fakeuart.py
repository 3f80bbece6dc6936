"""A module small enough for MicroPython, at the other end of a UART that costs no heap while data is read.

It speaks the dialect of the family it is told to be: CIPSTART, CIPOPEN with numbers for errors, or CAOPEN.

Its receive buffer is a RingIO, its answers lie ready, and numbers are read and written digit by digit. Only bring-up,
sending and closing allocate. It also runs on CPython behind the shim. Host names with a meaning: `refuse.example` does
not listen, `mute.example` never answers the attempt; everybody else connects and takes what is sent.
"""

import errno
import io
import sys

from micropython import RingIO

_Stream = io.IOBase if sys.implementation.name == "micropython" else object

OPENERS = {"sim7028": 2, "a76xx": 10}  # who speaks CIPOPEN, on how many links
CALLERS = {"sim7080": 13}  # who speaks CAOPEN
LINKS = 8  # of the others
BLOCK = 2048  # payload is copied from this; the byte at position k of a link's stream is k % 251
PERIOD = 251
WAITING_MAX = 4096  # what a header says is waiting, at most

OK = b"\r\nOK\r\n"
LONG_OK = b"\r\n\r\nOK\r\n"
NET_CLOSED = b"\r\n+IP ERROR: Network not opened\r\n"
NO_DATA = b"\r\n+IP ERROR: 22\r\n\r\nERROR\r\n"
ANSWERS = (
    (b"ATE0", OK),
    (b"AT+CGMI", b"\r\nSIMCOM_Ltd\r\n\r\nOK\r\n"),
    (b"AT+CGMR", b"\r\nRevision:1351B04SIM7000E\r\n\r\nOK\r\n"),
    (b"AT+CFUN?", b"\r\n+CFUN: 1\r\n\r\nOK\r\n"),
    (b"AT+CPIN?", b"\r\n+CPIN: READY\r\n\r\nOK\r\n"),
    (b"AT+CGDCONT?", b'\r\n+CGDCONT: 1,"IP","internet"\r\n\r\nOK\r\n'),
    (b"AT+CGAUTH?", b'\r\n+CGAUTH: 1,0,"",""\r\n\r\nOK\r\n'),
    (b"AT+CIPCCFG?", b"\r\n+CIPCCFG: 10,0,0,1,0,0,500\r\n\r\nOK\r\n"),
    (b"AT+CEREG?", b"\r\n+CEREG: 0,1\r\n\r\nOK\r\n"),
    (b"AT+CGREG?", b"\r\n+CGREG: 0,1\r\n\r\nOK\r\n"),
    (b"AT+CGATT?", b"\r\n+CGATT: 1\r\n\r\nOK\r\n"),
    (b"AT+CSQ", b"\r\n+CSQ: 20,0\r\n\r\nOK\r\n"),
    (b"AT+CMEE?", b"\r\n+CMEE: 1\r\n\r\nOK\r\n"),
)
START_ANSWERS = (
    (b"AT+CGMM", b"\r\nSIMCOM_SIM7000E\r\n\r\nOK\r\n"),
    (b"AT+CPOWD=1", b"\r\nNORMAL POWER DOWN\r\n"),
)
OPEN_ANSWERS = (
    (b"AT+CGMM", b"\r\nA7670E-FASE\r\n\r\nOK\r\n"),
    (b"AT+CREG?", b"\r\n+CREG: 0,1\r\n\r\nOK\r\n"),
    (b"AT+CPOF", OK),
)
CA_ANSWERS = (
    (b"AT+CGMM", b"\r\nSIMCOM_SIM7080\r\n\r\nOK\r\n"),
    (b"AT+CNCFG?", b'\r\n+CNCFG: 0,1,"internet","","",0\r\n\r\nOK\r\n'),
    (b"AT+CPOWD=1", b"\r\nNORMAL POWER DOWN\r\n"),
)
SILENT = (b"AT", b"AT+CMEE", b"AT+CNMI", b"AT+CFUN", b"AT+CIPRXGET")  # what is answered OK, and no more
START_SILENT = (
    b"AT+CIPMODE", b"AT+CIPMUX", b"AT+CIPQSEND", b"AT+CIPSPRT", b"AT+CSTT", b"AT+CIPTKA",
    b"AT+CIPHEAD", b"AT+CIPSRIP",
)  # fmt: skip
OPEN_SILENT = (
    b"AT+CGDCONT", b"AT+CGAUTH", b"AT+CGEREP", b"AT+CIPMODE", b"AT+CIPSENDMODE", b"AT+CIPCCFG", b"AT+CIPTIMEOUT",
    b"AT+CSOCKSETPN", b"AT+CTCPKA", b"AT+CIPHEAD", b"AT+CIPSRIP",
)  # fmt: skip
CA_SILENT = (b"AT+CNCFG", b"AT+CASRIP", b"AT+CACFG")


class FakeUart(_Stream):
    """`burst`: bytes that any() tells and a read gives at most; `long`: the trailer has an empty line before OK."""

    def __init__(self, burst=64, long=False, family="sim7000"):
        links = OPENERS.get(family) or CALLERS.get(family, LINKS)
        self.opens = family in OPENERS
        self.calls = family in CALLERS
        self.burst = burst
        self.trailer = LONG_OK if long else OK
        self.segment = BLOCK  # bytes that one answer brings at most
        self.notice = b"\r\n+CADATAIND: 0\r\n" if self.calls else b"\r\n+CIPRXGET: 1,0\r\n"  # bytes wait on link 0
        self.nothing = b"\r\n+CARECV: 0\r\n\r\nOK\r\n"  # the answer when no byte waits
        self.sender = b""  # of AT+CASRIP=1, before the length
        self.inside = b""  # comes between payload and its OK …
        self.after = b""  # … and after that OK
        self.tunnel = False  # AT+CIPMODE=1: a connection has the line to itself
        self.rxgets = 0  # AT+CIPRXGET=2 answered with payload
        self.commands = 0
        self.strange = []  # commands that nobody taught it
        self.sent = 0  # payload bytes taken
        self.lose = 0  # bytes of the next payload that never come
        self.refuse = False  # the next AT+CIPSEND
        self.cut = False  # the next count of bytes taken lacks its last digit
        self.idle = None  # called when it is asked for bytes and has none
        self._rx = RingIO(4 * BLOCK)
        self._blocks = bytes([k % PERIOD for k in range(BLOCK + PERIOD)])
        self._head = bytearray(b"\r\n+CARECV:      " if self.calls else b"\r\n+CIPRXGET: 2,0,            ")
        self._waiting = [0] * links
        self._at = [0] * links
        self._sent = [0] * links
        self._open = [False] * links
        self._net = False  # NETOPEN, CIICR
        self._payload = 0  # bytes still to come behind the prompt
        self._n = self._link = 0
        self._cursor = 0

    # What a test does with it

    def offer(self, n, link=0):
        """`n` more bytes wait on a link; the module says so."""
        self.add(n, link)
        self._put(self.notice if not link else self.notice.replace(b"0\r", b"%d\r" % link))

    def add(self, n, link=0):
        """The same without a word, and without heap."""
        self._waiting[link] += n

    def put(self, data):
        """The module says something unasked."""
        self._put(data)

    def push(self, header, n, link=0):
        """`n` more bytes of a link come unasked, behind their header, without heap."""
        self._put(header)
        at = self._at[link]
        self._at[link] = at + n
        self._rx.write(self._blocks, at % PERIOD, n)
        self._put(self.after)

    def close_peer(self, link=0):
        self._open[link] = False
        self._put(
            (
                b"\r\n+CASTATE: %d,0\r\n"
                if self.calls
                else b"\r\n+IPCLOSE: %d,1\r\n"
                if self.opens
                else b"\r\n%d, CLOSED\r\n"
            )
            % link
        )

    def down(self):
        """Context and links are gone, without a word."""
        self._net = False
        self._open = [False] * len(self._open)

    # machine.UART

    def init(self, baudrate=0):
        """There is no rate."""

    def any(self):
        n = self._rx.any()
        return n if n < self.burst else self.burst

    def readinto(self, buf, n=None):
        if n is None:
            n = len(buf)
        if n > self.burst:
            n = self.burst
        return self._rx.readinto(buf, n) or None

    def write(self, buf, off=0, n=None):
        if n is None:
            n = len(buf) - off
        if self._payload:
            if n > self._payload:
                n = self._payload
            self._payload -= n
            self.sent += n
            if not self._payload:
                self._taken()
        elif buf.startswith(b"AT+CIPRXGET=2,", off):
            self._rxget(buf, off + 14)
        elif buf.startswith(b"AT+CARECV=", off):
            self._carecv(buf, off + 10)
        else:
            self._command(bytes(buf[off : off + n]))
        return n

    def ioctl(self, request, arg):
        if request == 3:  # MP_STREAM_POLL
            if self._rx.any():
                return arg & 5
            if self.idle:
                self.idle()
            return arg & 4
        return -errno.EINVAL

    # The module

    def _put(self, data):
        self._rx.write(data, 0, len(data))

    def _rxget(self, buf, i):
        self.commands += 1
        self._cursor = i
        link = self._number(buf)
        n = self._number(buf)
        waiting = self._waiting[link]
        if n > self.segment:
            n = self.segment
        if n > waiting:
            n = waiting
            if self.opens and not n:
                return self._put(NO_DATA)
        waiting -= n
        self._waiting[link] = waiting
        head = self._head
        head[15] = 48 + link
        self._cursor = 17
        self._digits(n)
        head[self._cursor] = 44
        self._cursor += 1
        self._digits(waiting if waiting < WAITING_MAX else WAITING_MAX)
        head[self._cursor] = 13
        head[self._cursor + 1] = 10
        self._rx.write(head, 0, self._cursor + 2)
        if not n:
            self._put(OK)
            return
        self._segment(link, n)

    def _carecv(self, buf, i):
        self.commands += 1
        self._cursor = i
        link = self._number(buf)
        n = min(self._number(buf), self.segment, self._waiting[link])
        if not n:
            return self._put(self.nothing)
        self._waiting[link] -= n
        if self.sender:
            self._rx.write(b"\r\n+CARECV: ")
            self._rx.write(self.sender)
        self._cursor = 11
        self._digits(n)
        self._head[self._cursor] = 44
        begin = 11 if self.sender else 0
        self._rx.write(self._head, begin, self._cursor + 1 - begin)
        self._segment(link, n)

    def _segment(self, link, n):
        self.rxgets += 1
        at = self._at[link]
        self._at[link] = at + n
        self._rx.write(self._blocks, at % PERIOD, n - self.lose)
        self.lose = 0
        self._put(self.inside)
        self._put(self.trailer)
        self._put(self.after)

    def _number(self, buf):
        n = 0
        k = self._cursor
        while 48 <= buf[k] <= 57:
            n = n * 10 + buf[k] - 48
            k += 1
        self._cursor = k + 1
        return n

    def _digits(self, n):
        scale = 1000
        while scale > 1 and n < scale:
            scale //= 10
        while scale:
            self._head[self._cursor] = 48 + n // scale % 10
            self._cursor += 1
            scale //= 10

    def _taken(self):
        self._sent[self._link] += self._n
        took = self._n // 10 if self.cut else self._n
        self.cut = False
        if self.calls:
            self._put(OK)
        elif self.opens:
            self._put(OK)
            self._put(b"\r\n+CIPSEND: %d,%d,%d\r\n" % (self._link, self._n, took))
        else:
            self._put(b"\r\nDATA ACCEPT:%d,%d\r\n" % (self._link, took))

    def _command(self, line):
        line = line.strip()
        self.commands += 1
        if line == b"AT+IPADDR" and not self._net:
            return self._put(b"\r\n+IP ERROR: Network not opened\r\n\r\nERROR\r\n")
        for table in (ANSWERS, CA_ANSWERS if self.calls else OPEN_ANSWERS if self.opens else START_ANSWERS):
            for cmd, answer in table:
                if line == cmd:
                    return self._put(answer)
        name, _, text = line.partition(b"=")
        if name == b"AT+CIPMODE":
            self.tunnel = text == b"1"
        args = text.split(b",")
        link = int(args[0]) if args[0].isdigit() else 0
        if name == b"AT+CIPSEND" or (name == b"AT+CASEND" and len(args) > 1):
            if self._open[link] and not self.refuse:
                self._link, self._n = link, int(args[1])
                self._payload = self._n
                self._put(b"\r\n>" if self.opens else b"\r\n> ")
            else:
                self.refuse = False
                self._put(b"\r\n+CIPERROR: 4\r\n\r\nERROR\r\n" if self.opens else b"\r\nERROR\r\n")
        elif self.tunnel and name in (b"AT+CIPSTART", b"AT+CIPOPEN", b"AT+CASWITCH"):
            self._connected(0)
            self._put(b"\r\nCONNECT\r\n")
        elif not (self._by_ca if self.calls else self._by_open if self.opens else self._by_start)(name, link, line):
            if name not in SILENT + (CA_SILENT if self.calls else OPEN_SILENT if self.opens else START_SILENT):
                self.strange.append(line)
            self._put(OK)

    def _connected(self, link):
        self._open[link] = True
        self._at[link] = self._waiting[link] = self._sent[link] = 0

    def _by_start(self, name, link, line):
        if name == b"AT+CIFSR":
            self._put(b"\r\n10.78.245.128\r\n" if self._net else b"\r\nERROR\r\n")
        elif name == b"AT+CIICR":
            self._net = True
            self._put(OK)
        elif name == b"AT+CIPSHUT":
            self.down()
            self._put(b"\r\nSHUT OK\r\n")
        elif name == b"AT+CIPSTART":
            self._put(OK)
            if b"refuse.example" in line:
                self._put(b"\r\n%d, CONNECT FAIL\r\n" % link)
            elif b"mute.example" not in line:
                self._connected(link)
                self._put(b"\r\n%d, CONNECT OK\r\n" % link)
        elif name == b"AT+CIPCLOSE":
            self._open[link] = False
            self._put(b"\r\n%d, CLOSE OK\r\n" % link)
        elif name == b"AT+CIPACK":
            self._put(b"\r\n+CIPACK: %d,%d,0\r\n\r\nOK\r\n" % ((self._sent[link],) * 2))
        elif name == b"AT+CIPSTATUS":
            state = b"CONNECTED" if self._open[link] else b"CLOSED"
            self._put(b'\r\n+CIPSTATUS: %d,0,"TCP","192.0.2.1","80","%s"\r\n\r\nOK\r\n' % (link, state))
        else:
            return False
        return True

    def _by_open(self, name, link, line):
        if name == b"AT+CIPOPEN":
            if self._open[link] or not self._net:
                self._put(b"\r\n+CIPOPEN: %d,%d\r\n\r\nERROR\r\n" % (link, 4 if self._net else 2))
                return True
            self._put(OK)
            if b"refuse.example" in line:
                self._put(b"\r\n+CIPOPEN: %d,1\r\n" % link)
            elif b"mute.example" not in line:
                self._connected(link)
                self._put(b"\r\n+CIPOPEN: %d,0\r\n" % link)
        elif name == b"AT+CIPOPEN?":
            for n in range(len(self._open)):
                self._put(b"\r\n+CIPOPEN: %d" % n)
                if self._open[n]:
                    self._put(b',"TCP","192.0.2.1",80,-1')
            self._put(LONG_OK)
        elif name == b"AT+CIPCLOSE":
            if self._open[link]:
                self._open[link] = False
                self._put(OK)
                self._put(b"\r\n+CIPCLOSE: %d,0\r\n" % link)
            else:
                self._put(b"\r\n+CIPCLOSE: %d,4\r\n\r\nERROR\r\n" % link)
        elif name == b"AT+CIPCLOSE?":
            self._put(b"\r\n+CIPCLOSE: " + b",".join([b"%d" % each for each in self._open]) + LONG_OK)
        elif name == b"AT+CIPACK":
            self._put(b"\r\n+CIPACK: %d,0,%d\r\n\r\nOK\r\n" % (self._sent[link], self._at[link]))
        elif name == b"AT+IPADDR":
            self._put(b"\r\n+IPADDR: 10.148.0.17\r\n" if self._net else NET_CLOSED)
            self._put(OK if self._net else b"\r\nERROR\r\n")
        elif name == b"AT+NETOPEN?":
            self._put(b"\r\n+NETOPEN: %d\r\n\r\nOK\r\n" % self._net)
        elif name == b"AT+NETOPEN":
            self._put(b"\r\n+IP ERROR: 4\r\n\r\nERROR\r\n" if self._net else b"\r\nOK\r\n\r\n+NETOPEN: 0\r\n")
            self._net = True
        elif name == b"AT+NETCLOSE":
            self._put(b"\r\nOK\r\n\r\n+NETCLOSE: 0\r\n" if self._net else b"\r\n+NETCLOSE: 2\r\n\r\nERROR\r\n")
            self.down()
        else:
            return False
        return True

    def _by_ca(self, name, link, line):
        if name == b"AT+CNACT?":
            state = b'1,"10.94.36.44"' if self._net else b'0,"0.0.0.0"'
            self._put(b'\r\n+CNACT: 0,%s\r\n+CNACT: 1,0,"0.0.0.0"' % state)
            self._put(LONG_OK)
        elif name == b"AT+CNACT":
            self._net = line.endswith(b"1")
            self._put(OK)
            self._put(b"\r\n+APP PDP: 0,%s\r\n" % (b"ACTIVE" if self._net else b"DEACTIVE"))
        elif name == b"AT+CAOPEN":
            if b"mute.example" in line:
                return True
            result = 23 if b"refuse.example" in line else 0
            if not result:
                self._connected(link)
            self._put(b"\r\n+CAOPEN: %d,%d\r\n\r\nOK\r\n" % (link, result))
        elif name == b"AT+CASTATE?":
            for n in range(len(self._open)):
                if self._open[n]:
                    self._put(b"\r\n+CASTATE: %d,1" % n)
            self._put(LONG_OK)
        elif name == b"AT+CASEND":
            self._put(b"\r\n+CASEND: 10240\r\n\r\nOK\r\n")
        elif name == b"AT+CACLOSE":
            self._put(OK if self._open[link] else b"\r\nERROR\r\n")
            self._open[link] = False
        elif name == b"AT+CAACK":
            self._put(b"\r\n+CAACK: %d,0\r\n\r\nOK\r\n" % self._sent[link])
        else:
            return False
        return True


def up(family="SIM7000", rxbuf=2048, idle=None, **settings):
    """(UART, modem with its context up)."""
    import simcom

    uart = FakeUart(family=family.lower(), **settings)
    uart.idle = idle
    modem = getattr(simcom, family)(uart, rxbuf=rxbuf)
    modem.connect("internet")
    return uart, modem


def opened(modem, uart, host="a.example"):
    """A connected socket that has read one byte, so that the trailer's form is known."""
    s = modem.socket()
    s.settimeout(5)
    s.connect((host, 80))
    uart.offer(2)
    s.readinto(bytearray(2))
    return s
