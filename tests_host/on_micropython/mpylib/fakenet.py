"""The small module of fakeuart.py behind a wire that takes its time, with a network that takes its own.

Bytes pass at the baud rate, a command costs the module 5 ms, the network 50 ms. A peer answers each byte it gets with
`times` bytes of the stream that FakeUart sends; on what it gets it insists: the byte at position k is k % 251.
"""

from fakeuart import OK, PERIOD, FakeUart
from virtual import NEVER, clock

THINK_US = 5000
NET_MS = 50
BOOT_MS = 3000
SLOW = {b"AT+CIICR": 1200, b"AT+NETOPEN": 900, b"AT+CGATT?": 100, b"AT+CIPSHUT": 400}  # ms

# What calls of an RP2040's UART take at 125 MHz, in us.
ANY_US = 6
CALL_US = 12
POLL_US = 5
BYTE_NS = 3200  # 192 cycles to read or write it, 210 in the interrupt that received it
INIT_US = 2000


class _Wire:
    """Bytes under way to the host, and arrived: what FakeUart takes for a RingIO."""

    def __init__(self, rate, rxbuf):
        self.rate = rate
        self.rxbuf = rxbuf
        self.overruns = 0
        self._segments = []  # [first bit at, bytes, arrived]
        self._free = 0
        self._rx = bytearray()

    def write(self, data, off, n):
        if not n:
            return
        start = max(clock.now, self._free)
        self._segments.append([start, bytes(data[off : off + n]), 0])
        self._free = start + n * 10000000 // self.rate

    def _arrive(self):
        segments = self._segments
        while segments:
            segment = segments[0]
            start, data, at = segment
            n = min((clock.now - start) * self.rate // 10000000, len(data))
            if n <= at:
                return
            room = self.rxbuf - len(self._rx)
            self._rx.extend(data[at : min(n, at + room)])
            self.overruns += max(0, n - at - room)
            segment[2] = n
            if n < len(data):
                return
            segments.pop(0)

    def any(self):
        self._arrive()
        return len(self._rx)

    def readinto(self, buf, n):
        n = min(n, self.any())
        buf[:n] = self._rx[:n]
        self._rx = self._rx[n:]
        return n

    def next_change(self):
        """When the receive interrupt comes next: after four bytes, or the last."""
        self._arrive()
        if not self._segments:
            return NEVER
        start, data, at = self._segments[0]
        return start + (min(at + 4, len(data)) * 10000000 + self.rate - 1) // self.rate


class Key:
    """The pin that the module's power key hangs on: held for a second it switches the module on."""

    def __init__(self):
        self.uart = None
        self._since = None

    def value(self, level):
        if level:
            self._since = clock.now
        elif self._since is not None:
            if clock.now - self._since >= 1000000:
                clock.after_ms(BOOT_MS, self.uart.boot)
            self._since = None


class NetUart(FakeUart):
    """`kind`: "rp2", whose write() takes what there is room for, or "esp32", whose write() blocks for the rest."""

    def __init__(self, family, kind, times=10, key=None, rate=115200, rxbuf=2048, txbuf=256):
        super().__init__(burst=rxbuf, family=family)
        self.times = times
        self.rate = rate
        self.kind = kind
        self.txbuf = txbuf
        self.wrong = 0  # bytes that are not what the peer insists on
        self.got = [0] * len(self._open)
        self._rx = _Wire(rate, rxbuf)
        self._tx_end = 0
        self._partial = bytearray()
        self._dead = key is not None
        if key:
            key.uart = self
        clock.wires.append(self._rx.next_change)

    def boot(self):
        self._dead = False

    @property
    def overruns(self):
        return self._rx.overruns

    # machine.UART

    def __repr__(self):
        return "UART(0, baudrate=%d, bits=8)" % self.rate

    def init(self, baudrate=0):
        clock.enter()
        self._deaf = baudrate != self.rate
        clock.leave(INIT_US)

    _deaf = False

    def any(self):
        clock.enter()
        n = self._rx.any()
        clock.leave(ANY_US)
        return n

    def readinto(self, buf, n=None):
        clock.enter()
        n = self._rx.readinto(buf, len(buf) if n is None else n)
        clock.leave(CALL_US + n * BYTE_NS // 1000)
        return n or None

    def write(self, buf, off=0, n=None):
        clock.enter()
        start = clock.now
        if n is None:
            n = len(buf) - off
        clock.spend(CALL_US)
        left = max(0, self._tx_end - clock.now) * self.rate // 10000000
        if self.kind == "rp2":
            n = min(n, self.txbuf - left)
        if n > 0:
            data = bytes(buf[off : off + n])
            self._tx_end = max(clock.now, self._tx_end) + n * 10000000 // self.rate
            clock.at(self._tx_end, lambda: self._went_out(data))
            clock.spend(n * BYTE_NS // 1000)
            clock.to(self._tx_end - self.txbuf * 10000000 // self.rate)
        clock.left("uart.write", start)
        clock.leave(0)
        return n or None

    def ioctl(self, request, arg):
        bits = 0
        if arg & 1 and self._rx.any():
            bits |= 1
        if arg & 4 and (self.kind == "esp32" or (self._tx_end - clock.now) * self.rate // 10000000 < self.txbuf):
            bits |= 4  # esp32 says so always
        clock.spend(POLL_US)
        return bits

    # The module

    def _went_out(self, data):
        if self._dead or self._deaf:
            return
        k = 0
        while k < len(data):
            if self._payload:
                n = min(self._payload, len(data) - k)
                at = self.got[self._link]
                for i in range(n):
                    self.wrong += data[k + i] != (at + i) % PERIOD
                self.got[self._link] = at + n
                k += n
                self.sent += n
                self._payload -= n
                if not self._payload:
                    clock.at(clock.now + THINK_US, self._taken)
                    self._answers(self._link, self._n)
                continue
            j = data.find(b"\r", k)
            if j < 0:
                self._partial.extend(data[k:])
                return
            self._partial.extend(data[k : j + 1])
            k = j + 1
            line = bytes(self._partial)
            self._partial = bytearray()
            if line.strip():
                slow = SLOW.get(line.strip(), 0)
                clock.at(clock.now + THINK_US + slow * 1000, lambda line=line: super(NetUart, self).write(line))

    def _answers(self, link, n):
        def arrive():
            if self._open[link]:
                if self._waiting[link]:
                    self.add(n * self.times, link)
                else:
                    self.offer(n * self.times, link)

        clock.after_ms(NET_MS, arrive)

    def _by_start(self, name, link, line):
        if name != b"AT+CIPSTART":
            return super()._by_start(name, link, line)
        self._put(OK)
        self._connect(link, b"\r\n%d, CONNECT OK\r\n" % link)
        return True

    def _by_open(self, name, link, line):
        if name != b"AT+CIPOPEN" or self._open[link]:
            return super()._by_open(name, link, line)
        self._put(OK)
        self._connect(link, b"\r\n+CIPOPEN: %d,0\r\n" % link)
        return True

    def _connect(self, link, report):
        def connected():
            self._connected(link)
            self.got[link] = 0
            self._put(report)

        clock.after_ms(2 * NET_MS, connected)


def stream(n):
    """The first bytes of what is sent in both directions."""
    period = bytes(range(PERIOD))
    return (period * (n // PERIOD + 1))[:n]
