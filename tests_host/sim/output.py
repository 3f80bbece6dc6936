"""The output of a virtual module: blocks of bytes in order, unsolicited codes in between, codes a test injects."""

import random
from collections.abc import Callable

from shim import clock as _clock

HOLD_US = 100_000  # a half typed command keeps unsolicited codes back this long

POSITIONS = ("before_echo", "after_echo", "before_info", "before_ok", "after_ok", "before_prompt", "after_payload")
POSITIONS += ("before_report", "after_report", "before_data_ok")


class Output:
    """What comes out of the module's UART.

    A port is anything with `attach(receiver)`, `feed(bytes, rate)` and `backlog_us()`: the shim's UART, or the
    pseudo-terminal.
    """

    baud = 115200
    running = False
    silent = False  # a hung module: takes everything, answers nothing
    on_note: "Callable[[str], object] | None" = None  # hears what a person at the terminal may want to know
    split_ms = 0.0  # longest pause inside an answer; 0: answers come in one piece

    def __init__(self, port, seed: "int | None" = 0):
        self.clock = _clock.clock
        self.port = port
        self.random = random.Random(seed)
        self.log: list[tuple[int, str, bytes]] = []  # (ms, "<" out | ">" in, bytes)
        self._hooks: dict[str, list[bytes]] = {}
        self._hangs_at: "tuple | None" = None  # (bytes of output until then, ms, keeps)
        self._generation = 0
        self._clear_output()

    def _clear_output(self) -> None:
        """Forget everything half done, as a restart does."""
        self._generation += 1  # what an older generation scheduled never runs
        self._held: list[bytes] = []
        self._queue: list[bytes] = []
        self._sending = False
        self.hung = False
        self._unsaid = bytearray()  # what would have come out while it hung
        self._unheard: list = []  # (bytes, rate) that came meanwhile

    def hang(self, ms: float, keeps: bool = True, after: int = 0) -> None:
        """After `after` more bytes of output, perhaps inside a payload, say nothing for `ms`; then go on.

        What is told the module meanwhile it hears then, or, with `keeps` off, never. Its connections live on. A
        restart ends the hang.
        """
        self._hangs_at = (after, ms, keeps)
        if not after:
            self._out(b"")

    def _begin_hang(self, ms: float, keeps: bool) -> None:
        self._hangs_at = None
        self.hung, self._keeps = True, keeps
        self.later(ms, self._end_hang)

    def _end_hang(self) -> None:
        self.hung = False
        data, self._unsaid = bytes(self._unsaid), bytearray()
        if data:
            self._out(data)
        heard, self._unheard = self._unheard, []
        for each in heard:
            self.receive(*each)

    def receive(self, data: bytes, baud: int) -> None:
        """Bytes from the host."""

    def later(self, ms: float, fn: Callable[[], object]):
        """Call fn() in ms milliseconds, unless the module has restarted by then."""
        generation = self._generation

        def run():
            if generation == self._generation:
                fn()

        return self.clock.after_ms(ms, run)

    def send(self, data: bytes) -> None:
        """Put bytes on the line behind what is there, as one block."""
        if not data or not self.running or self.silent:
            return
        self._queue.append(bytes(data))
        if not self._sending:
            self._emit()

    def _emit(self) -> None:
        """Feed the port; with split_ms, in pieces with pauses that no other block gets into."""
        while self._queue:
            data = self._queue.pop(0)
            if self.split_ms and len(data) > 1 and self.random.random() < 0.4:
                cut = self.random.randrange(1, len(data))
                self._queue.insert(0, data[cut:])
                data = data[:cut]
                self._out(data)
                self._sending = True
                self.later(self.port.backlog_us() / 1000 + self.random.uniform(0, self.split_ms), self._emit)
                return
            self._out(data)
        self._sending = False

    def _out(self, data: bytes) -> None:
        if self._hangs_at and not self.hung and len(data) >= self._hangs_at[0]:
            n, ms, keeps = self._hangs_at
            self._begin_hang(ms, keeps)
            self._feed(data[:n])
            self._unsaid += data[n:]
        elif self.hung:
            self._unsaid += data
        else:
            if self._hangs_at:
                self._hangs_at = (self._hangs_at[0] - len(data), *self._hangs_at[1:])
            self._feed(data)

    def _feed(self, data: bytes) -> None:
        if data:
            self.log.append((self.clock.ms, "<", data))
            self.port.feed(data, self.baud)

    def line(self, text: "bytes | str") -> None:
        """One line of an answer with its framing."""
        self.send(b"\r\n" + _bytes(text) + b"\r\n")

    def urc(self, text: "bytes | str") -> None:
        """An unsolicited code, now or as soon as it may come out; what begins with CR LF is taken as framed."""
        data = _bytes(text)
        if not data.startswith(b"\r\n"):
            data = b"\r\n" + data + b"\r\n"
        self.push(data)

    def note(self, text: str) -> None:
        """Something has happened."""
        if self.on_note is not None:
            self.on_note(text)

    def push(self, data: bytes) -> None:
        """Unasked bytes, kept back while payload or a half typed command is on its way in."""
        self.note("says " + " | ".join(data.decode("latin-1").split("\r\n")).strip(" |"))
        if self._closed_to_urcs():
            self._held.append(data)
            self._release_later()
        else:
            self.send(data)

    def _closed_to_urcs(self) -> bool:
        """Something is coming in that an unsolicited code must not interrupt."""
        return False

    def _release(self) -> None:
        if self._closed_to_urcs():
            return
        held, self._held = self._held, []
        for data in held:
            self.send(data)
        self.released()

    def released(self) -> None:
        """Unasked output is possible again."""

    def _release_later(self) -> None:
        if self._held:
            self.later(HOLD_US / 1000 + 1, self._release)

    # --- injection

    def inject(self, position: str, data: "bytes | str") -> None:
        """Emit data once, when the output next passes a position.

        Positions: before_echo, after_echo, before_info, before_ok, after_ok, before_prompt, after_payload,
        before_report, after_report, before_data_ok (between counted bytes and their OK).
        """
        if position not in POSITIONS:
            raise ValueError("no such position: %s" % position)
        data = _bytes(data)
        if not data.startswith(b"\r\n"):
            data = b"\r\n" + data + b"\r\n"
        self._hooks.setdefault(position, []).append(data)

    def hook(self, position: str) -> None:
        """The output passes a position."""
        for data in self._hooks.pop(position, ()):
            self.send(data)


def _bytes(text: "bytes | str") -> bytes:
    return text.encode("latin-1") if isinstance(text, str) else bytes(text)
