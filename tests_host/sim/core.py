"""The input of a virtual module: echo, command lines, payload behind the prompt, transparent mode."""

from collections.abc import Callable

from .output import HOLD_US, Output

CR, LF, ESC, CTRL_Z, BACKSPACE, MARK = 13, 10, 0x1B, 0x1A, 8, 3
GUARD_US = 990_000  # silence around +++; hosts time one second from the start of what they wrote before
_MORE = object()  # payload input is not complete


class Serial(Output):
    """One UART task: commands in, answers out, nothing known about their meaning.

    A subclass gives `execute(line)`, called when a command line is complete and the module has thought. It must call
    `ready()` when the next command may be taken.
    """

    line_limit = 556  # characters of a command line
    think_ms = 4.0
    _previous = b"AT"  # the line that A/ repeats
    plus_escapes = True  # +++ leaves data mode
    echo_payload = True  # echo, when on, also of what follows the prompt

    def __init__(self, port, seed: "int | None" = 0, **profile):
        super().__init__(port, seed)
        self.echo = True
        self.autobaud = False
        self.commands: list[bytes] = []
        self._clear_intake()
        for name, value in profile.items():
            self.check_setting(name, value)
            setattr(self, name, value)
        port.attach(self.receive)

    @classmethod
    def check_setting(cls, name: str, value) -> None:
        """TypeError when the profile has no such attribute, or wants a number there."""
        if name.startswith("_") or callable(getattr(cls, name, print)):
            public = (each for each in dir(cls) if not each.startswith("_") and each.islower())
            known = ", ".join(each for each in public if not callable(getattr(cls, each)))
            raise TypeError("no such setting: %s; there are: %s" % (name, known))
        if isinstance(getattr(cls, name), (int, float)) and not isinstance(value, (int, float)):
            raise TypeError("setting %s is a number: %r" % (name, value))

    def _clear_intake(self) -> None:
        """Forget everything half done, as a restart does."""
        self._clear_output()
        self._line = bytearray()
        self._busy = False
        self._waiting = bytearray()  # bytes that came while a command was being executed
        self._sink: "Callable[[bytes], tuple] | None" = None  # payload input: (bytes used, payload or _MORE)
        self._data: "Callable[[bytes], object] | None" = None  # transparent mode: takes every byte
        self._plus = b""
        self._plus_event = None
        self._last_in = -1e12
        self._escape: "Callable[[], None] | None" = None
        self._last_cr = False

    def _closed_to_urcs(self) -> bool:
        if self._sink is not None or self._data is not None:
            return True
        return bool(self.echo and self._line and self.clock.now_us - self._last_in < HOLD_US)

    # --- intake

    def receive(self, data: bytes, baud: int) -> None:
        """Bytes from the host."""
        self.log.append((self.clock.ms, ">", bytes(data)))
        if not self.running:
            return
        if self.hung:
            if self._keeps:
                self._unheard.append((bytes(data), baud))
            return
        if baud != self.baud:
            if not (self.autobaud and b"A" in data.upper()):
                data = bytes((byte ^ 0xA5) | 0x80 for byte in data)
            else:  # the first characters are spent on measuring
                self.baud = baud
                data = data[data.upper().index(b"A") + 1 :]
        if not self.silent and self.awake():
            self.intake(data)

    def awake(self) -> bool:
        """Whether the UART listens; a byte may wake it."""
        return True

    def intake(self, data: bytes) -> None:
        """Bytes that have passed the UART."""
        now, before = self.clock.now_us, self._last_in
        self._last_in = now
        while data:
            if self._data is not None:
                self._data_mode(data, now - before)
                return
            if self._busy:
                if self._last_cr and data.startswith(b"\n") and not self._waiting:
                    data = self._command_bytes(data)
                    continue
                self._waiting += data
                return
            if self._sink is not None:
                used, payload = self._sink(data)
                if self.echo and self.echo_payload:
                    self.send(bytes(data[:used]))
                data = data[used:]
                if payload is not _MORE:
                    self.end_payload(payload)
            else:
                data = self._command_bytes(data)

    def _command_bytes(self, data: bytes) -> bytes:
        """Take bytes to the end of one command line; the rest."""
        if bytes(self._line + data)[:2].upper() == b"A/":  # has no end
            used = 2 - len(self._line)
            self._line.clear()
            self._echo(data[:used])
            self._begin(self._previous)
            return data[used:]
        end = min((i for i in (data.find(b"\r"), data.find(b"\n")) if i >= 0), default=-1)
        piece = data if end < 0 else data[: end + 1]
        if piece == b"\n" and self._last_cr and not self._line:  # LF behind CR belongs to it
            self._last_cr = False
            self._echo(piece)
            return data[1:]
        self._last_cr = piece.endswith(b"\r")
        if not self._line and piece.strip():
            self.hook("before_echo")
        self._line += piece
        self._echo(piece.rstrip(b"\n"))  # LF that ends a line by itself does not come back
        if end < 0:
            self._release_later()
            return b""
        line = self._edit(bytes(self._line[:-1]))
        self._line.clear()
        self.hook("after_echo")
        self._release()
        start = line.upper().find(b"AT")
        if start < 0:
            return data[end + 1 :]
        line = line[start:] if len(line) <= self.line_limit else b"AT+"
        self._begin(line)
        return data[end + 1 :]

    def _begin(self, line: bytes) -> None:
        """A whole command line: think, then execute it."""
        self._previous = line
        self.commands.append(line)
        self._busy = True
        self.later(self._thinking(), lambda: self.execute(line))

    def _echo(self, data: bytes) -> None:
        if self.echo:
            self.send(data)

    @staticmethod
    def _edit(line: bytes) -> bytes:
        """Apply backspaces and drop what cannot be part of a command."""
        out = bytearray()
        for byte in line:
            if byte == BACKSPACE:
                del out[-1:]
            elif 32 <= byte < 127:
                out.append(byte)
        return bytes(out)

    def _thinking(self) -> float:
        return self.think_ms * self.random.uniform(0.7, 1.3)

    def execute(self, line: bytes) -> None:
        """A whole command line."""
        self.ready()

    def ready(self) -> None:
        """The next command may be taken."""
        self._busy = False
        data, self._waiting = bytes(self._waiting), bytearray()
        if data:
            self.intake(data)

    # --- payload after the prompt

    def collect(
        self,
        count: "int | None",
        done: Callable,
        limit: "int | None" = None,
        escapes: bool = False,
        again: bytes = b"",
    ) -> None:
        """Take payload: `count` bytes whatever they are, or up to Ctrl-Z; done(None) after ESC.

        The variable form ends by itself with the first byte beyond `limit`. With `escapes` byte 3 takes the meaning
        from the next one. `again` goes out behind each CR of the variable form: the prompt of the next line.
        """
        got = self.collected = bytearray()
        self._done = done
        escaped = False

        def fixed(data: bytes) -> tuple:
            piece = data[: count - len(got)]
            got.extend(piece)
            return len(piece), bytes(got) if len(got) == count else _MORE

        def variable(data: bytes) -> tuple:
            nonlocal escaped
            for i, byte in enumerate(data):
                plain, escaped = escaped, False
                if plain:
                    got.append(byte)
                elif byte == ESC:
                    return i + 1, None
                elif byte == MARK and escapes:
                    escaped = True
                elif byte == BACKSPACE and not escapes:
                    del got[-1:]
                elif byte != CTRL_Z:
                    got.append(byte)
                    if byte == CR:
                        self.send(again)
                if (byte == CTRL_Z and not plain) or (limit is not None and len(got) > limit):
                    return i + 1, bytes(got)
            return len(data), _MORE

        self._sink = variable if count is None else fixed
        self.ready()

    def end_payload(self, payload: "bytes | None") -> None:
        """The input is complete: let out what was held back, think, go on."""
        done = self._done
        self._sink = None
        self._busy = True
        self._release()
        self.hook("after_payload")
        self.later(self._thinking(), lambda: done(payload))

    # --- transparent mode

    def enter_data(self, take: Callable[[bytes], object], escaped: "Callable[[], None] | None") -> None:
        """Give every byte to take() until +++ with its guard times, then call escaped()."""
        self._data, self._escape, self._plus = take, escaped, b""
        self.ready()

    def leave_data(self) -> None:
        """Back to command mode; what was held back comes out."""
        self._data = None
        self.clock.cancel(self._plus_event)
        self._plus = b""

    def _data_mode(self, data: bytes, idle_us: float) -> None:
        self.clock.cancel(self._plus_event)
        held = self._plus + data
        guarded = self.plus_escapes and self._escape is not None and (self._plus or idle_us >= GUARD_US)
        if guarded and held.strip(b"+") == b"" and len(held) <= 3:
            self._plus = held
            self._plus_event = self.later(GUARD_US / 1000, self._plus_done)
            return
        self._plus = b""
        self._data(held)

    def _plus_done(self) -> None:
        held, self._plus = self._plus, b""
        if held != b"+++":
            self._data(held)
            return
        self.leave_data()
        self._escape()
        self._release()
