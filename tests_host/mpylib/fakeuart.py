"""A SIM7000 small enough for MicroPython, at the other end of a UART that costs no heap while data is read.

Its receive buffer is a RingIO, its answers lie ready, and numbers are read and written digit by digit. Only bring-up,
sending and closing allocate. It also runs on CPython behind the shim. Host names with a meaning: `refuse.example` does
not listen, `mute.example` never answers the attempt; everybody else connects and takes what is sent.
"""

import errno
import io
import sys

try:
    from micropython import RingIO
except ImportError:
    from simcom.ring import RingIO

_Stream = io.IOBase if sys.implementation.name == "micropython" else object

LINKS = 8
BLOCK = 2048  # payload is copied from this; the byte at position k of a link's stream is k % 251
PERIOD = 251
WAITING_MAX = 4096  # what a header says is waiting, at most

OK = b"\r\nOK\r\n"
LONG_OK = b"\r\n\r\nOK\r\n"
ANSWERS = (
    (b"ATE0", OK),
    (b"AT+CGMI", b"\r\nSIMCOM_Ltd\r\n\r\nOK\r\n"),
    (b"AT+CGMM", b"\r\nSIMCOM_SIM7000E\r\n\r\nOK\r\n"),
    (b"AT+CGMR", b"\r\nRevision:1351B04SIM7000E\r\n\r\nOK\r\n"),
    (b"AT+CPIN?", b"\r\n+CPIN: READY\r\n\r\nOK\r\n"),
    (b"AT+CEREG?", b"\r\n+CEREG: 0,1\r\n\r\nOK\r\n"),
    (b"AT+CGREG?", b"\r\n+CGREG: 0,1\r\n\r\nOK\r\n"),
    (b"AT+CGATT?", b"\r\n+CGATT: 1\r\n\r\nOK\r\n"),
    (b"AT+CSQ", b"\r\n+CSQ: 20,0\r\n\r\nOK\r\n"),
    (b"AT+CMEE?", b"\r\n+CMEE: 1\r\n\r\nOK\r\n"),
    (b"AT+CIFSR", b"\r\n10.78.245.128\r\n"),
    (b"AT+CIPSHUT", b"\r\nSHUT OK\r\n"),
    (b"AT+CPOWD=1", b"\r\nNORMAL POWER DOWN\r\n"),
)


class FakeUart(_Stream):
    """`burst`: bytes that any() tells and a read gives at most; `long`: the trailer has an empty line before OK."""

    def __init__(self, burst=64, long=False):
        self.burst = burst
        self.trailer = LONG_OK if long else OK
        self.segment = BLOCK  # bytes that one answer brings at most
        self.inside = b""  # comes between payload and its OK …
        self.after = b""  # … and after that OK
        self.rxgets = 0  # AT+CIPRXGET=2 answered with payload
        self.commands = 0
        self.strange = []  # commands that nobody taught it
        self.sent = 0  # payload bytes taken
        self.idle = None  # called when it is asked for bytes and has none
        self._rx = RingIO(4 * BLOCK)
        self._blocks = bytes([k % PERIOD for k in range(BLOCK + PERIOD)])
        self._head = bytearray(b"\r\n+CIPRXGET: 2,0,            ")
        self._waiting = [0] * LINKS
        self._at = [0] * LINKS
        self._open = [False] * LINKS
        self._payload = 0  # bytes still to come behind the prompt
        self._n = self._link = 0
        self._cursor = 0

    # What a test does with it

    def offer(self, n, link=0):
        """`n` more bytes wait on a link; the module says so."""
        self.add(n, link)
        self._put(b"\r\n+CIPRXGET: 1,%d\r\n" % link)

    def add(self, n, link=0):
        """The same without a word, and without heap."""
        self._waiting[link] += n

    def put(self, data):
        """The module says something unasked."""
        self._put(data)

    def close_peer(self, link=0):
        self._open[link] = False
        self._put(b"\r\n%d, CLOSED\r\n" % link)

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
                self._put(b"\r\nDATA ACCEPT:%d,%d\r\n" % (self._link, self._n))
        elif buf.startswith(b"AT+CIPRXGET=2,", off):
            self._rxget(buf, off + 14)
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
        self.rxgets += 1
        at = self._at[link]
        self._at[link] = at + n
        self._rx.write(self._blocks, at % PERIOD, n)
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

    def _command(self, line):
        line = line.strip()
        self.commands += 1
        for cmd, answer in ANSWERS:
            if line == cmd:
                return self._put(answer)
        name, _, text = line.partition(b"=")
        args = text.split(b",")
        link = args[0][0] - 48 if args[0].isdigit() else 0
        if name == b"AT+CIPSTART":
            self._put(OK)
            if b"refuse.example" in line:
                self._put(b"\r\n%d, CONNECT FAIL\r\n" % link)
            elif b"mute.example" not in line:
                self._open[link] = True
                self._at[link] = self._waiting[link] = 0
                self._put(b"\r\n%d, CONNECT OK\r\n" % link)
        elif name == b"AT+CIPSEND":
            if self._open[link]:
                self._link, self._n = link, int(args[1])
                self._payload = self._n
                self._put(b"\r\n> ")
            else:
                self._put(b"\r\nERROR\r\n")
        elif name == b"AT+CIPCLOSE":
            self._open[link] = False
            self._put(b"\r\n%d, CLOSE OK\r\n" % link)
        elif name == b"AT+CIPACK":
            self._put(b"\r\n+CIPACK: %d,%d,0\r\n\r\nOK\r\n" % (self.sent, self.sent))
        elif name == b"AT+CIPSTATUS":
            state = b"CONNECTED" if self._open[link] else b"CLOSED"
            self._put(b'\r\n+CIPSTATUS: %d,0,"TCP","192.0.2.1","80","%s"\r\n\r\nOK\r\n' % (link, state))
        else:
            if name not in (b"AT", b"AT+CIPMUX", b"AT+CIPQSEND", b"AT+CIPSPRT", b"AT+CIPRXGET", b"AT+CSTT", b"AT+CIICR",
                            b"AT+CMEE", b"AT+CNMI", b"AT+CFUN", b"AT+CIPSHUT", b"AT+CIPTKA"):  # fmt: skip
                self.strange.append(line)
            self._put(OK)


def up(family="SIM7000", rxbuf=2048, idle=None, **settings):
    """(UART, modem with its context up)."""
    import simcom

    uart = FakeUart(**settings)
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
