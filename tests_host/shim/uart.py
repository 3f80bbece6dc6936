"""`machine.UART` on the virtual clock, with its wire, its buffers and what its calls cost."""

from . import clock as _clock

_POLL, _FLUSH = 3, 1
_EINVAL = 22
_NEVER = float("inf")
_SLICE = 16  # sent bytes reach the other side in groups of this many

on_make: list = []  # called with each UART that a program makes: who has the other end plugs it in
_clock.on_reset.append(on_make.clear)


class UART:
    """A UART whose other end is whatever was given to attach().

    `kind` is "rp2" (write returns short, or None, when txbuf is full) or "esp32" (write blocks until all but txbuf is
    out). `costs` are microseconds per call, about those of an RP2040 at 125 MHz; None makes all calls free.
    """

    RTS, CTS = 2, 1
    INV_TX, INV_RX = 1, 2
    IRQ_RXIDLE, IRQ_RX = 0x40, 0x10

    kind = "rp2"
    costs = {"any": 5.6, "call": 12.0, "byte": 1.5, "ioctl": 5.0, "empty": 1000.0}

    def __init__(self, id, baudrate=115200, bits=8, parity=None, stop=1, **kw):
        self.id = id
        self._config = {"baudrate": baudrate, "bits": bits, "parity": parity, "stop": stop, "txbuf": 256, "rxbuf": 256}
        self._config.update(timeout=0, timeout_char=0, flow=0)
        self.overruns = 0  # received bytes that found no room
        self.tx_log = bytearray()  # sent bytes, while nothing is attached
        self._rx = bytearray()
        self._line: list[list] = []  # [not before, us per byte, bytes, position, start or None, rate]
        self._line_end = self._feed_end = self._tx_end = 0.0
        self._next_at = _NEVER  # when the next byte of _line is complete
        self._receiver = None
        self.init(**kw)
        _clock.clock.sources.append(self.next_us)
        for fn in on_make:
            fn(self)

    def init(self, baudrate=None, *_, **kw) -> None:
        """Change the settings that are given, keep the others."""
        if baudrate is not None:
            kw["baudrate"] = baudrate
        self._arrive()  # what is here came at the old rate
        self._config.update(kw)

    @property
    def baudrate(self) -> int:
        """The present rate."""
        return self._config["baudrate"]

    def deinit(self) -> None:
        """What is on the line and in the buffer is lost."""
        self._line.clear()
        self._next_at = _NEVER
        self._rx.clear()

    # --- the wire: what the virtual modem uses

    def attach(self, receiver) -> None:
        """Call receiver(bytes, rate) when bytes have gone out on the wire."""
        self._receiver = receiver

    def feed(self, data: bytes, baud: "int | None" = None) -> float:
        """Let the other side send bytes, after those already on the line; the time when the last will have come."""
        now = _clock.clock.now_us
        if not data:
            return max(now, self._feed_end)
        rate = baud or self.baudrate
        step = 1e7 / rate
        self._line.append([now, step, bytes(data), 0, None, rate])
        if len(self._line) == 1:
            self._next_at = self._start(self._line[0]) + step
        self._feed_end = max(now, self._feed_end) + step * len(data)
        return self._feed_end

    def backlog_us(self) -> float:
        """How long the line is still busy with what was fed."""
        return max(0.0, self._feed_end - _clock.clock.now_us)

    def next_us(self) -> "float | None":
        """When the next byte arrives, or the transmit buffer gets room."""
        now = _clock.clock.now_us
        if now >= self._next_at:
            self._arrive()
        due = _NEVER if self._stalled() else self._next_at
        if now < self._tx_end and self._room() <= 0:
            due = min(due, now + self._step())
        return None if due == _NEVER else due

    def _start(self, segment: list) -> float:
        if segment[4] is None:
            segment[4] = max(segment[0], self._line_end)
        return segment[4]

    def _stalled(self) -> bool:
        return bool(self._config["flow"] & self.RTS) and len(self._rx) >= self._config["rxbuf"]

    def _arrive(self) -> None:
        """Move what has arrived by now into the receive buffer."""
        now = _clock.clock.now_us
        if now < self._next_at:
            return
        while self._line:
            segment = self._line[0]
            start, step, data, pos = self._start(segment), segment[1], segment[2], segment[3]
            count = min(int((now - start) / step + 1e-6), len(data)) - pos
            if count <= 0:
                self._next_at = start + (pos + 1) * step
                return
            room = self._config["rxbuf"] - len(self._rx)
            if count > room and self._config["flow"] & self.RTS:
                count = room
                segment[4] = start = now - (pos + count) * step  # the rest waits at the sender
                if count == 0:
                    self._next_at = now
                    return
            piece = data[pos : pos + count]
            if segment[5] != self.baudrate:
                piece = bytes((byte ^ 0xA5) | 0x80 for byte in piece)
            self._rx += piece[:room]
            self.overruns += max(0, count - room)
            segment[3] = pos + count
            if segment[3] < len(data):
                self._next_at = start + (segment[3] + 1) * step
                return
            self._line_end = start + step * len(data)
            del self._line[0]
        self._next_at = _NEVER

    # --- the MicroPython face

    def _charge(self, call: str, count: int = 0) -> None:
        if self.costs:
            clock = _clock.clock
            clock.advance_to(clock.now_us + self.costs[call] + count * self.costs["byte"])

    def _available(self) -> int:
        if _clock.clock.now_us >= self._next_at:
            self._arrive()
        return len(self._rx)

    def any(self) -> int:
        """The number of bytes that can be read at once."""
        self._charge("any")
        return self._available()

    def _take(self, want: int) -> bytes:
        """Up to `want` bytes, waiting for the first and for each further one as the firmware does."""
        clock = _clock.clock
        empty = self.costs["empty"] if self.costs else 0
        char_ms = max(self._config["timeout_char"], 13000 // self.baudrate + 1 if empty else 0)
        got = bytearray()
        wait_us = self._config["timeout"] * 1000 + empty
        while len(got) < want:
            if not self._available() and not (wait_us and clock.wait(self._available, clock.now_us + wait_us)):
                break
            piece = self._rx[: want - len(got)]
            del self._rx[: len(piece)]
            got += piece
            wait_us = char_ms * 1000
        return bytes(got)

    def readinto(self, buf, nbytes=None) -> "int | None":
        """Read into buf; None when nothing came in time."""
        want = len(buf) if nbytes is None else min(nbytes, len(buf))
        data = self._take(want)
        self._charge("call", len(data))
        buf[: len(data)] = data
        return len(data) or (None if want else 0)

    def read(self, nbytes=-1) -> "bytes | None":
        """Read some bytes, or all that come without a pause."""
        data = self._take(1 << 30 if nbytes is None or nbytes < 0 else nbytes)
        self._charge("call", len(data))
        return data or (None if nbytes else b"")

    def readline(self) -> "bytes | None":
        """Read to a newline or a pause."""
        line = bytearray()
        while not line.endswith(b"\n"):
            byte = self._take(1)
            if not byte:
                break
            line += byte
        self._charge("call", len(line))
        return bytes(line) or None

    def _step(self) -> float:
        return 1e7 / self.baudrate

    def _room(self) -> int:
        """Free bytes in the transmit buffer."""
        busy = self._tx_end - _clock.clock.now_us
        if busy <= 0:
            return self._config["txbuf"]
        return self._config["txbuf"] - int(busy / self._step() + 0.999)

    def write(self, buf, *args) -> "int | None":
        """write(buf), write(buf, n), write(buf, offset, n): the number of bytes taken, or None when none was."""
        offset, count = (0, args[0]) if len(args) == 1 else args if args else (0, len(buf))
        data = bytes(memoryview(buf.encode() if isinstance(buf, str) else buf)[offset : offset + count])
        self._charge("call", len(data))
        if self.kind == "rp2":
            room = self._room()
            if room < len(data):
                end = _clock.clock.now_us + self._config["timeout"] * 1000
                _clock.clock.wait(lambda: self._room() >= len(data), end)
            taken = data[: max(0, self._room())]
        else:
            taken = data
        if taken:
            self._send(taken)
        if self.kind != "rp2":  # it returns when no more is left than the buffer holds
            _clock.clock.advance_to(self._tx_end - self._config["txbuf"] * self._step())
        return len(taken) or (None if data else 0)

    def _send(self, data: bytes) -> None:
        clock, step, rate = _clock.clock, self._step(), self.baudrate
        if self._receiver is None:
            self.tx_log += data
        begin = max(clock.now_us, self._tx_end)
        self._tx_end = begin + step * len(data)
        for at in range(0, len(data), _SLICE):
            piece = data[at : at + _SLICE]
            clock.at(begin + step * (at + len(piece)), lambda piece=piece: self._deliver(piece, rate))

    def _deliver(self, data: bytes, rate: int) -> None:
        if self._receiver is not None:
            self._receiver(data, rate)

    def txdone(self) -> bool:
        """Whether everything is out."""
        return _clock.clock.now_us >= self._tx_end

    def flush(self) -> None:
        """Wait until everything is out."""
        _clock.clock.advance_to(self._tx_end)

    def sendbreak(self) -> None:
        """A break is not modelled."""

    def irq(self, handler=None, trigger=0, hard=False):
        """Interrupts of the UART are not modelled."""

    def ioctl(self, request: int, arg: int = 0) -> int:
        """The stream protocol: poll and flush; -EINVAL for anything else."""
        self._charge("ioctl")
        if request == _POLL:
            bits = 1 if arg & 1 and self._available() else 0
            return bits | 4 if arg & 4 and self._room() > 0 else bits
        if request == _FLUSH:
            self.flush()
            return 0
        return -_EINVAL

    def __repr__(self):
        return "UART(%r, baudrate=%d, bits=8)" % (self.id, self.baudrate)  # and more, on a board
