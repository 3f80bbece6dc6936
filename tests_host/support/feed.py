"""How tests feed bytes: to a parser in three ways, to a channel or a driver through a scripted UART."""

import re

import pytest
import shim

shim.install()

from shim import clock as _clock  # noqa: E402
from simcom.parser import Parser  # noqa: E402
from transcript import transcripts  # noqa: E402

STALE = b"\r\nERROR\r\n> 0, CLOSED\r\n"  # what an earlier, longer read may have left behind the new bytes
FOLLOWS = b"\r\n+CSQ: 20,0\r\n"  # a line that comes next
_FOLLOWING = ("line", b"+CSQ: 20,0")


def counted(line: bytes) -> "tuple[int, bool] | None":
    """(payload bytes behind a header line, whether a trailer follows them) of the CIPSTART dialect; None: no header."""
    match = re.fullmatch(rb"\+CIPRXGET: ?([23]),([0-9, ]+)", line)
    if match:
        fields = [int(field) for field in match.group(2).split(b",")]
        return fields[-2] * (2 if match.group(1) == b"3" else 1), True
    match = re.match(rb"\+RECEIVE,\d+,(\d+)", line)
    return (int(match.group(1)), False) if match else None


# The most that one read of the UART gives; 0: whatever is there.
CHUNKS = [pytest.param(0, id="whole"), pytest.param(1, id="byte-by-byte"), pytest.param(7, id="by-seven")]


def those(numbers, *families):
    """The transcripts of a number, or of several in one text, whole and in pieces."""
    found = [each for number in numbers.split() for each in transcripts(*families, number=number)]
    assert found
    return lambda test: pytest.mark.parametrize("transcript", found, ids=lambda each: each.name)(
        pytest.mark.parametrize("chunk", CHUNKS)(test)
    )


class Sink:
    """Notes tokens: ("line", bytes), ("prompt",), ("data", bytes), ("end", ok); counts payload by `header(line)`.

    `urc(line)` tells the parser whether a line is a known unsolicited code.
    """

    def __init__(
        self, header=counted, urc=lambda line: line.startswith((b"+CIPRXGET: 1", b"OVER-", b"RING", b"+CMTI"))
    ):
        self.tokens: list = []
        self.parser = None
        self._header = header
        self._urc = urc

    def on_line(self, buf, i, j):
        line = bytes(buf[i:j])
        self.tokens.append(("line", line))
        found = self._header(line)
        if found and found[0]:
            self.parser.expect(found[0], self.take, found[1])
        return bool(self._urc(line))

    def on_prompt(self):
        self.tokens.append(("prompt",))

    def take(self, buf, i, n):
        assert n > 0, "empty payload token"
        data = bytes(buf[i : i + n])
        if self.tokens and self.tokens[-1][0] == "data":
            self.tokens[-1] = ("data", self.tokens[-1][1] + data)
        else:
            self.tokens.append(("data", data))

    def on_end(self, ok):
        self.tokens.append(("end", ok))


def parser(size: int = 256, form: "bool | None" = None, **hooks) -> "tuple[Parser, Sink]":
    """A parser with its sink; `form`: the trailer it has learnt, True the long one."""
    sink = Sink(**hooks)
    made = sink.parser = Parser(sink, size)
    if form is not None:
        feed(made, b"\r\n+CIPRXGET: 2,0,1,0\r\nx" + TRAILER[form], [size])
        assert sink.tokens[-1] == ("end", True)
        sink.tokens.clear()
    return made, sink


TRAILER = {False: b"\r\nOK\r\n", True: b"\r\n\r\nOK\r\n"}


def feed(made: Parser, stream: bytes, sizes) -> None:
    """Feed a stream in chunks of the sizes, the last of which repeats; behind each chunk stands stale text."""
    sizes = list(sizes)
    at = turn = 0
    while at < len(stream):
        n = min(sizes[min(turn, len(sizes) - 1)], len(made.buf), len(stream) - at)
        turn += 1
        made.buf[:n] = stream[at : at + n]
        rest = len(made.buf) - n
        made.buf[n:] = (STALE * (rest // len(STALE) + 1))[:rest]
        made.feed(n)
        assert len(made.buf) == n + rest, "the buffer grew"
        at += n


def tokens(stream: bytes, sizes, *, size: int = 256, form=None, prompt=False, **hooks) -> list:
    """The tokens of a stream that a new parser gets in chunks of these sizes."""
    made, sink = parser(size, form, **hooks)
    made.prompt = prompt
    feed(made, stream, sizes)
    return sink.tokens


def three_ways(stream: bytes, *, follows: bytes = FOLLOWS, form=None, prompt=False, longest: int = 0, **hooks) -> list:
    """The tokens of a stream, which must be the same whole, byte by byte, and with more behind it.

    What follows, first a part of it, must neither change them nor be changed; "" for a stream that ends in the middle.
    `longest`: the size of the buffer, where the stream must not come in one piece.
    """
    size = longest or len(stream) + len(follows) + 1
    given = {"size": size, "form": form, "prompt": prompt, **hooks}
    whole = tokens(stream, [size], **given)
    assert tokens(stream, [1], **given) == whole, "byte by byte is not the same as whole"
    if follows:
        for part in (2, len(follows) // 2, len(follows) - 1):
            made, sink = parser(size, form, **hooks)
            made.prompt = prompt
            feed(made, stream + follows[:part], [size])
            assert sink.tokens == whole, "%r behind it changes the tokens" % follows[:part]
            made.prompt = False
            feed(made, follows[part:], [size])
            assert sink.tokens == [*whole, _FOLLOWING], "what follows was touched"
    return whole


class ScriptedUart:
    """A UART without a module: `rx` is what can be read, `sent` what was written, `on_write(bytes)` may answer.

    `write_plan` makes `write` short: each number is the most that one call takes, None a call that takes nothing and
    says so; when it is used up everything is taken. `slow_us`: what a written byte costs (a write that blocks).
    `break_at`: raise KeyboardInterrupt when so many bytes have been written (before or after taking them), or read.
    """

    def __init__(self, on_write=None):
        self.rx = bytearray()
        self.sent = bytearray()
        self.on_write = on_write
        self.write_plan: list = []
        self.slow_us = 0.0
        self.chunk = 0  # what is said comes in pieces of this size, a millisecond apart; 0: in one
        self._said_us = 0.0  # when the last piece comes
        self.break_write: "tuple[int, bool] | None" = None  # (bytes written, whether those of the call go out)
        self.break_read: "int | None" = None  # bytes read
        self.taken = 0
        self._empty = 0  # writes of no bytes in a row
        self.polls = 0
        self.settings: dict = {}

    # what a test does

    def say(self, data: bytes) -> None:
        """The module sends, now."""
        if not self.chunk:
            self.rx += data
            return
        self._said_us = max(self._said_us, _clock.clock.now_us)
        for at in range(0, len(data), self.chunk):
            _clock.clock.at(self._said_us, lambda piece=data[at : at + self.chunk]: self.rx.extend(piece))
            self._said_us += 1000

    def later(self, ms: float, data: bytes) -> None:
        """The module sends so much later."""
        _clock.clock.after_ms(ms, lambda: self.say(data))

    # the MicroPython face

    def init(self, **settings):
        self.settings.update(settings)

    def any(self):
        _clock.clock.advance(100)
        return len(self.rx)

    def readinto(self, buf, n=None):
        want = len(buf) if n is None else n
        if not self.rx:
            _clock.clock.advance(1000)
            return None
        if self.break_read is not None and self.taken + min(want, len(self.rx)) > self.break_read:
            self.break_read = None
            raise KeyboardInterrupt
        _clock.clock.advance(20)
        piece = self.rx[: min(want, len(self.rx))]
        del self.rx[: len(piece)]
        self.taken += len(piece)
        buf[: len(piece)] = piece
        return len(piece)

    def write(self, buf, *args):
        off, n = (0, args[0]) if len(args) == 1 else args if args else (0, len(buf))
        data = bytes(memoryview(buf)[off : off + n])
        self._empty = 0 if data else self._empty + 1
        assert self._empty < 100, "nothing is written over and over"
        most = self.write_plan.pop(0) if self.write_plan else len(data)
        if most is None:
            return None
        data = data[:most]
        _clock.clock.advance(20 + self.slow_us * len(data))
        if self.break_write and len(self.sent) + len(data) > self.break_write[0]:
            at, out = self.break_write
            self.break_write = None
            self._out(data if out else data[: max(0, at - len(self.sent))])
            raise KeyboardInterrupt
        self._out(data)
        return len(data)

    def _out(self, data):
        self.sent += data
        if data and self.on_write:
            self.on_write(data)

    def ioctl(self, request, arg=0):
        if request != 3:
            return -22
        self.polls += 1
        _clock.clock.advance(100)
        return arg & (5 if self.rx else 4)

    def next_us(self):
        """For poll(): nothing but the clock's events brings bytes."""


class Answerer:
    """A module that answers command lines by a function, and takes fixed-length payload behind a prompt.

    `answer(line)` returns what to send, or (prompt, payload length, function of the payload that gives what to send).
    """

    delay_ms = 2

    def __init__(self, answer):
        self.uart = ScriptedUart(self.receive)
        self.lines: list = []
        self.payloads: list = []
        self._answer = answer
        self._line = bytearray()
        self._payload = bytearray()
        self.missing = 0  # payload bytes that are awaited
        self._done = None

    def say(self, data: "bytes | None") -> None:
        """Send after a moment's thought."""
        if data:
            self.uart.later(self.delay_ms, data)

    def receive(self, data: bytes) -> None:
        """Bytes from the host."""
        for byte in data:
            if self.missing:
                self._payload.append(byte)
                self.missing -= 1
                if not self.missing:
                    payload = bytes(self._payload)
                    self._payload.clear()
                    self.payloads.append(payload)
                    self.say(self._done(payload))
            elif byte == 13:
                line = bytes(self._line)
                self._line.clear()
                if line:
                    self._take(line)
            elif byte != 10:
                self._line.append(byte)

    def _take(self, line):
        self.lines.append(line)
        reply = self._answer(line)
        if isinstance(reply, tuple):
            reply, self.missing, self._done = reply
        self.say(reply)


OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"


def info(*lines: bytes) -> bytes:
    """Information lines and OK."""
    return b"".join(b"\r\n" + line for line in lines) + b"\r\n\r\nOK\r\n"


class Module(Answerer):
    """As much of a SIM7000 in multi-connection buffer access as a driver needs; `say_to` replaces answers.

    `say_to`: beginning of a command line -> bytes, or function of the line that returns what Answerer's takes, or None
    for the usual answer. `inbox[n]`: received bytes of a link; `arrive(n, data)` adds to them and sends the notice.
    """

    def __init__(self):
        super().__init__(self._reply)
        self.say_to: dict = {}
        self.inbox = {n: bytearray() for n in range(8)}
        self.open: set = set()
        self.trailer = OK
        self.connect_ms = 30

    def sent(self, beginning: bytes) -> list:
        """The command lines that begin so."""
        return [line for line in self.lines if line.startswith(beginning)]

    def arrive(self, n: int, data: bytes) -> None:
        """The peer of link n sends."""
        if not self.inbox[n]:
            self.uart.say(b"\r\n+CIPRXGET: 1,%d\r\n" % n)
        self.inbox[n] += data

    def _reply(self, line):
        for beginning in sorted(self.say_to, key=len, reverse=True):
            if line.startswith(beginning):
                answer = self.say_to[beginning]
                answer = answer if isinstance(answer, bytes) else answer(line)
                if answer is not None:
                    return answer
        return self.usual(line)

    def usual(self, line: bytes):
        """The answer of a module that is registered."""
        simple = {
            b"AT+CMEE?": info(b"+CMEE: 1"),
            b"AT+CGMM": info(b"SIMCOM_SIM7000E"),
            b"AT+CPIN?": info(b"+CPIN: READY"),
            b"AT+CSQ": info(b"+CSQ: 20,0"),
            b"AT+CEREG?": info(b"+CEREG: 0,1"),
            b"AT+CGREG?": info(b"+CGREG: 0,1"),
            b"AT+CGATT?": info(b"+CGATT: 1"),
            b"AT+CIFSR": b"\r\n10.1.2.3\r\n",
            b"AT+CIPSHUT": b"\r\nSHUT OK\r\n",
        }
        if line in simple:
            return simple[line]
        name, _, rest = line.partition(b"=")
        fields = rest.split(b",")
        n = int(fields[0]) if fields[0].isdigit() else 0
        if name == b"AT+CIPSTART":
            self.open.add(n)
            self.uart.later(self.connect_ms, b"\r\n%d, CONNECT OK\r\n" % n)
        elif name == b"AT+CIPSEND":
            if n not in self.open:
                return ERROR
            return b"\r\n> ", int(fields[1]), lambda payload: b"\r\nDATA ACCEPT:%d,%d\r\n" % (n, len(payload))
        elif name == b"AT+CIPACK":
            return info(b"+CIPACK: %d,%d,0" % ((len(b"".join(self.payloads)),) * 2)) if n in self.open else ERROR
        elif name == b"AT+CIPSTATUS":
            state = b"CONNECTED" if n in self.open else b"CLOSED"
            return info(b'+CIPSTATUS: %d,0,"TCP","1.2.3.4","80","%s"' % (n, state))
        elif name == b"AT+CIPCLOSE":
            if n not in self.open:
                return ERROR
            self.open.discard(n)
            return b"\r\n%d, CLOSE OK\r\n" % n
        elif name == b"AT+CIPRXGET" and len(fields) == 3:
            return self.read(int(fields[1]), int(fields[2]))
        elif name == b"AT+CIPRXGET" and len(fields) == 2:
            return info(b"+CIPRXGET: 4,%d,%d" % (int(fields[1]), len(self.inbox[int(fields[1])])))
        return OK

    def read(self, n: int, most: int) -> bytes:
        """The answer to AT+CIPRXGET=2."""
        box = self.inbox[n]
        got = bytes(box[:most])
        del box[:most]
        head = b"\r\n+CIPRXGET: 2,%d,%d,%d\r\n" % (n, len(got), len(box))
        return head + got + (self.trailer if got else OK)


class Scripted:
    """What a Module has that answers by a script: what is left of it, and an echo until ATE0."""

    echo = False

    def __init__(self, *args):
        super().__init__(*args)
        self.script: list = []  # (command or payload, [answers, pauses in ms])

    def finish(self):
        """Whether all was asked."""
        assert [line for line, _ in self.script] == []

    def _take(self, line):
        if self.echo:
            self.uart.later(self.delay_ms, line + b"\r")
            self.echo = line != b"ATE0"
        super()._take(line)


def unasked(made, cmd: str) -> list:
    """The information lines of a command that ``at()`` leaves to the driver: as if another program had sent it."""
    from simcom.foreground import run
    from simcom.query import ask

    return run(made, ask(b"AT" + cmd.encode(), 5000))


class Loaded(Scripted):
    """One that answers what was loaded of a transcript, in its order; everything else as usual."""

    def __init__(self, *args, chunk=0, echo=False):
        super().__init__(*args)
        self.uart.chunk = chunk
        self.echo = echo
        self._anytime: tuple = ()

    def load(self, transcript, *, anytime=(), dropped=(), first=None, end=None):
        """Take the exchanges from the one that begins with `first` to before `end`; returns itself.

        `anytime`: beginnings of commands that the driver sends earlier or later than the host of the transcript.
        `dropped`: those that it never sends.
        """
        entries = transcript.exchanges()
        texts = [line for line, _ in entries]
        begin = texts.index(first) if first else 0
        del entries[texts.index(end, begin) if end else len(texts) :]
        self.script = [entry for entry in entries[begin:] if not entry[0].startswith(tuple(dropped))]
        self._anytime = tuple(anytime)
        return self

    def same(self, line, theirs):
        """Whether the driver's command is what the host of the transcript sent."""
        return line.replace(b'"', b"") == theirs.replace(b'"', b"")

    def _reply(self, line):
        for at, (theirs, answers) in enumerate(self.script):
            if self.same(line, theirs):
                del self.script[at]
                return self._play(line, answers, at)
            if not theirs.startswith(self._anytime):
                break
        return super()._reply(line)
