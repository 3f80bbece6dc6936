"""A port on a pseudo-terminal, paced as a serial line is."""

import os
import pty
import tty
from collections.abc import Callable

from .loop import Loop

_TICK_US = 1000  # bytes come out in bursts this far apart
_SLICE = 16
_IN_LIMIT = 2048  # bytes on their way in; beyond it the host's write waits
_UNREAD_US = 10_000_000  # output that nobody reads for so long is lost


class PtyPort:
    """The module's UART: `path` is what the host opens. The modem keeps it open itself, so hosts may come and go."""

    def __init__(self, loop: Loop, baud: Callable[[], int]):
        self.loop, self.clock = loop, loop.clock
        self._baud = baud  # the module's present rate, at which the host is taken to send
        self._master, self._slave = pty.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self._receiver: "Callable[[bytes, int], None] | None" = None
        self._out = bytearray()
        self._step = 0.0
        self._begin = 0.0  # the burst count starts here
        self._done = 0
        self._stuck_since: "float | None" = None
        self._in_end = 0.0
        self._in_count = 0
        self._listen(True)

    def close(self) -> None:
        """Give the pseudo-terminal back."""
        self._listen(False)
        os.close(self._master)
        os.close(self._slave)

    def attach(self, receiver: Callable[[bytes, int], None]) -> None:
        """Call receiver(bytes, rate) with what the host sends, when it would have arrived."""
        self._receiver = receiver

    # --- to the host

    def feed(self, data: bytes, baud: int) -> float:
        """Send bytes at a rate; when the last will be out."""
        step = 1e7 / baud
        if not self._out or step != self._step:
            self._restart(step)
        if not self._out:
            self.clock.after(min(_TICK_US, step * len(data)), self._tick)
        self._out += data
        return self.clock.now_us + self.backlog_us()

    def backlog_us(self) -> float:
        """How long the line is still busy."""
        return len(self._out) * self._step

    def _restart(self, step: float) -> None:
        self._step, self._begin, self._done = step, self.clock.now_us, 0

    def _tick(self) -> None:
        """Release what the line would have carried by now."""
        due = min(len(self._out), int((self.clock.now_us - self._begin) / self._step + 0.5) - self._done)
        if due > 0:
            try:
                count = os.write(self._master, self._out[:due])
            except BlockingIOError:
                count = 0
            del self._out[:count]
            self._done += count
            if count == due:
                self._stuck_since = None
            else:
                self._stuck()
        if self._out:
            self.clock.after(min(_TICK_US, len(self._out) * self._step), self._tick)

    def _stuck(self) -> None:
        """The host does not read; a line would lose this, a patient one waits a while."""
        now = self.clock.now_us
        self._restart(self._step)
        if self._stuck_since is None:
            self._stuck_since = now
        elif now - self._stuck_since > _UNREAD_US:
            self._out.clear()
            self._stuck_since = None

    # --- from the host

    def _listen(self, wanted: bool) -> None:
        self.loop.watch(self._master, self._readable if wanted else None)

    def _readable(self) -> None:
        try:
            data = os.read(self._master, 1024)
        except BlockingIOError:
            return
        except OSError:  # no host has it open
            self._listen(False)
            self.clock.after_ms(100, lambda: self._listen(True))
            return
        baud = self._baud()
        step = 1e7 / baud
        begin = max(self.clock.now_us, self._in_end)
        self._in_end = begin + step * len(data)
        self._in_count += len(data)
        for at in range(0, len(data), _SLICE):
            piece = data[at : at + _SLICE]
            self.clock.at(begin + step * (at + len(piece)), lambda piece=piece: self._arrived(piece, baud))
        if self._in_count > _IN_LIMIT:
            self._listen(False)

    def _arrived(self, piece: bytes, baud: int) -> None:
        full = self._in_count > _IN_LIMIT
        self._in_count -= len(piece)
        if full and self._in_count <= _IN_LIMIT:
            self._listen(True)
        if self._receiver is not None:
            self._receiver(piece, baud)
