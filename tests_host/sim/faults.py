"""Faults of a line. Faulty wraps anything that has a UART's methods, needs no hook in what uses it.

Offsets count the bytes of one direction ("rx": module to host, "tx": host to module) from the moment of wrapping, as
they are without faults.
"""

import random
import time
from collections.abc import Callable

from shim import clock as _clock

_POLL, _IN, _OUT = 3, 1, 4


def _wake() -> None:
    """Whoever sleeps until something happens looks again."""


class _Rule:
    """Something that happens to the bytes start..end-1."""

    def __init__(self, start: int, end: int, change: Callable[[int, bytes], bytes]):
        self.start, self.end, self.change = start, end, change


class Faults:
    """What happens to the bytes of both directions on their way."""

    def __init__(self):
        self.offset = {"rx": 0, "tx": 0}  # bytes that have passed
        self._rules: dict[str, list] = {"rx": [], "tx": []}

    def _add(self, direction: str, start: int, count: int, change) -> None:
        if start < self.offset[direction]:
            raise ValueError("these bytes have passed")
        self._rules[direction].append(_Rule(start, start + count, change))

    def drop(self, direction: str, offset: int, count: int = 1) -> None:
        """Lose bytes."""
        self._add(direction, offset, count, lambda at, byte: b"")

    def flip(self, direction: str, offset: int, mask: int = 1, count: int = 1) -> None:
        """Turn bits over."""
        self._add(direction, offset, count, lambda at, byte: bytes([byte[0] ^ mask]))

    def insert(self, direction: str, offset: int, data: bytes) -> None:
        """Put bytes in front of the byte at offset."""
        self._add(direction, offset, 1, lambda at, byte: data + byte)

    def duplicate(self, direction: str, offset: int, count: int = 1) -> None:
        """Let bytes come twice."""
        seen = bytearray()

        def change(at: int, byte: bytes) -> bytes:
            seen.extend(byte)
            return byte + bytes(seen) if at == offset + count - 1 else byte

        self._add(direction, offset, count, change)

    def call(self, direction: str, offset: int, fn: Callable[[], object]) -> None:
        """Call fn() when the byte at offset passes: vm.restart for a brown-out, a change of the network."""

        def change(at: int, byte: bytes) -> bytes:
            fn()
            return byte

        self._add(direction, offset, 1, change)

    def _faulted(self, direction: str, data: bytes) -> bytes:
        begin = self.offset[direction]
        end = self.offset[direction] = begin + len(data)
        rules = [rule for rule in self._rules[direction] if rule.start < end and rule.end > begin]
        if not rules:
            return data
        out = bytearray()
        for i in range(len(data)):
            piece = data[i : i + 1]
            for rule in rules:
                if rule.start <= begin + i < rule.end:
                    piece = rule.change(begin + i, piece) if piece else piece
            out += piece
        self._rules[direction] = [rule for rule in self._rules[direction] if rule.end > end]
        return bytes(out)


class Faulty(Faults):
    """The wrapped UART; give it to the driver instead of the real one."""

    def __init__(self, uart):
        super().__init__()
        self.uart = uart
        self._moments: list = []  # (ticks, bytes)
        self._raw = bytearray()  # taken from the UART, not yet past the faults
        self._ready = bytearray()  # past the faults
        self._stalls: dict[str, list] = {"rx": [], "tx": []}  # (offset, ms)
        self._stalled_until: dict[str, "int | None"] = {"rx": None, "tx": None}
        self._pieces: "Callable[[], int] | None" = None

    def __getattr__(self, name):
        return getattr(self.uart, name)

    # --- faults

    def stall(self, offset: int, ms: int, direction: str = "rx") -> None:
        """For ms milliseconds nothing is received, or nothing taken, in front of the byte at offset."""
        self._stalls[direction].append((offset, ms))
        self._stalls[direction].sort()

    def insert_at(self, ms: int, data: bytes) -> None:
        """Receive bytes ms milliseconds from now, whatever is going on."""
        self._moments.append((time.ticks_add(time.ticks_ms(), ms), data))
        _clock.clock.after_ms(ms + 1, _wake)

    def split(self, longest: int, seed: "int | None" = None) -> None:
        """Let no read give more than `longest` bytes; with a seed, 1 to longest at random."""
        if seed is None:
            self._pieces = lambda: longest
        else:
            draw = random.Random(seed)
            self._pieces = lambda: draw.randint(1, longest)

    # --- the way through

    def _passing(self, direction: str, count: int) -> int:
        """How many of the next bytes a stall lets pass now."""
        now, until, stalls = time.ticks_ms(), self._stalled_until[direction], self._stalls[direction]
        if until is not None and time.ticks_diff(now, until) < 0:
            return 0
        self._stalled_until[direction] = None
        if stalls and stalls[0][0] < self.offset[direction] + count:
            offset, ms = stalls[0]
            count = max(0, offset - self.offset[direction])
            if not count:
                stalls.pop(0)
                self._stalled_until[direction] = time.ticks_add(now, ms)
                _clock.clock.after_ms(ms + 1, _wake)
        return count

    def _pull(self) -> None:
        """Take what the UART has and let it pass, up to a stall."""
        count = self.uart.any()
        if count:
            self._raw += self.uart.read(count) or b""
        while self._raw:
            count = self._passing("rx", len(self._raw))
            if not count:
                break
            piece = bytes(self._raw[:count])
            del self._raw[:count]
            self._ready += self._faulted("rx", piece)
        if self._moments:
            now = time.ticks_ms()
            for moment in [each for each in self._moments if time.ticks_diff(now, each[0]) >= 0]:
                self._moments.remove(moment)
                self._ready += moment[1]

    def any(self) -> int:
        """Bytes that can be read at once."""
        self._pull()
        count = len(self._ready)
        return min(count, self._pieces()) if self._pieces and count else count

    def readinto(self, buf, nbytes=None) -> "int | None":
        """Read into buf."""
        want = len(buf) if nbytes is None else min(nbytes, len(buf))
        want = min(want, self.any())
        if not want:
            time.sleep_ms(1)
            return None
        buf[:want] = self._ready[:want]
        del self._ready[:want]
        return want

    def read(self, nbytes=-1) -> "bytes | None":
        """Read what is there."""
        buf = bytearray(self.any() if nbytes is None or nbytes < 0 else nbytes)
        return bytes(buf[: self.readinto(buf) or 0]) or None

    def write(self, buf, *args) -> "int | None":
        """Write; bytes that meet a fault are all taken."""
        offset, count = (0, args[0]) if len(args) == 1 else args if args else (0, len(buf))
        if self._stalls["tx"] or self._stalled_until["tx"] is not None:
            count = self._passing("tx", count)
            if not count:
                return None
        data = bytes(buf[offset : offset + count])
        begin = self.offset["tx"]
        if not any(rule.start < begin + len(data) and rule.end > begin for rule in self._rules["tx"]):
            done = self.uart.write(data)
            self.offset["tx"] += done or 0
            return done
        rest = self._faulted("tx", data)
        while rest:
            rest = rest[self.uart.write(rest) or 0 :]
            if rest:
                time.sleep_ms(1)
        return len(data)

    def ioctl(self, request: int, arg: int = 0) -> int:
        """The stream protocol."""
        if request != _POLL:
            return self.uart.ioctl(request, arg)
        self._pull()
        bits = self.uart.ioctl(_POLL, arg & ~_IN)
        return bits | (_IN if arg & _IN and self._ready else 0)
