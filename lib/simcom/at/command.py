"""Any command, by ``modem.at()``: what the module answers, as it answers it."""

import errno
from time import ticks_diff, ticks_ms

from micropython import const

from ..parser import Answer
from ..checks import check_number, check_text
from ..lazy import once
from ..pump import text
from .codes import Codes


_ANSWER_MS = const(5000)
_DATA_MS = const(60000)  # the network takes an SMS
_TURN_MS = const(150000)  # no other command takes longer
_LATE_MS = const(300)  # in this time the answer comes behind an older command's OK
_PROMPT_MS = const(20)  # silence behind ">" that makes it a prompt
_FREED_MS = const(1000)  # a module that is not free so long after ESC wants a count of bytes
_ROOM = const(600)  # of two readings, ours and a timer's
_CHUNK = const(256)  # of one
_MOST = const(8192)  # characters of a line: 50 networks of AT+COPS=? with names in UCS2 have some 7,500


def at(m, cmd: str, *, data: "bytes | None" = None, end: "str | None" = None, timeout_ms: "int | None" = None) -> list:
    """Send ``"AT" + cmd`` (``at("+CSQ")``); returns the information lines, a list of str.

    ``data``: what goes out when the module asks for it with ``>``, Ctrl-Z (``b"\\x1a"``) included where the command
    wants that. ``end``: how the line begins that ends the answer, where that is not OK; AT+CIFSR, CIPSHUT, CIPSTATUS
    and CDNSGIP are known. ``timeout_ms`` holds for everything, waiting for the turn too; without: 5 s from when it was
    sent, with ``data`` 60.

    Raises ATError when the module answers ERROR; OSError: ETIMEDOUT when it does not answer, EINVAL when it asks for
    ``data`` and there is none, ENOBUFS when a line is longer than 8,192 characters. ValueError: what the driver
    relies on cannot be changed here. A line ``OK`` inside a text message cannot be told from the end: have messages
    in PDU mode (AT+CMGF=0).
    """
    cmd = check_text("at", cmd, 550, "")
    if timeout_ms is not None:
        check_number("timeout_ms", timeout_ms)
    if data is not None and not isinstance(data, (bytes, bytearray)):
        raise TypeError("data: bytes, with Ctrl-Z at the end where the command wants that, not %r" % (data,))
    if end is not None:
        end = check_text("end", end, 100, "")
    if cmd[:2].upper() == "AT":
        cmd = cmd[2:]
    parts = once("at.reserved").parts(cmd)
    after = once("at.reserved").check(m, parts)
    answer = _Answer(m, cmd, parts, data, end, timeout_ms)
    m.may_wait()
    task = m.start(answer.steps())
    start = ticks_ms()
    try:
        while not (task.done or answer.over):
            left = (timeout_ms or _TURN_MS) - ticks_diff(ticks_ms(), start)
            if answer.sent:
                answer.look()
            elif left <= 0:
                raise OSError(errno.ETIMEDOUT, "at: not sent, the module was busy with " + m.command())
            m.wait(20 if not 0 < left < 20 else left, start, timeout_ms or _TURN_MS + _DATA_MS)
    except MemoryError:
        raise OSError(errno.ENOMEM, "at: no room for the answer")
    finally:
        answer.close()
        if not task.done:
            task.done = True
            task.steps.close()
    answer.error = answer.error or task.error
    if answer.error:
        raise answer.error
    if after:
        after(m)
    return answer.result()


class _Answer(Codes):
    """A command of a program, and what comes back."""

    def __init__(self, m, cmd, parts, data, end, ms):
        super().__init__(m, parts)
        self._cmd = b"AT" + cmd.encode() + b"\r"
        self._late = _LATE_MS * (cmd[:1] == "+" and not [args for _, args in parts if args and args != "?"])
        self._ms = ms and min(ms, 1 << 22)  # no deadline of the channel is later
        self._data = data
        self._end = end or self._known(parts)
        self._ended = False
        self._asked = False  # there was a prompt
        self._freed = False  # … and ESC was the answer
        self._began = ticks_ms()
        self.lines = []
        self.error = None
        self._short = None  # the parser's own buffer
        self.sent = False
        self.over = False

    def _known(self, parts):
        # What ends an answer that OK does not end.
        m = self._m
        if m.DIALECT == "cipstart" and len(parts) == 1 and parts[0][1] not in ("?", "=?"):
            name, args = parts[0]
            if name == "CIPSTATUS" and not args:
                return "C: %d," % (m.LINKS - 1) if m.mux else "STATE:"
            return {"CIFSR": "", "CIPSHUT": "SHUT OK", "CDNSGIP": "+CDNSGIP:"}.get(name)

    def steps(self):
        """The command, as a task of the pump."""
        m = self._m
        ms = self._ms
        if ms:
            ms = max(ms - ticks_diff(ticks_ms(), self._began), 1)
        else:
            ms = _ANSWER_MS if self._data is None else _DATA_MS
        self.sent = True
        self._short = m.channel.parser.line
        data = self._data or b""
        m.stage.start(self._cmd, len(self._cmd), self.on_answer, ms, 0, data, len(data))
        m.channel.parser.prompt = False  # look() sees it
        yield 0

    def close(self):
        """The room of a long line is free again."""
        short = self._short
        parser = self._m.channel.parser
        if short and short is not parser.line:
            k = parser.held  # what came behind the answer
            if k > len(short):
                k = parser.held = 0
            short[:k] = parser.line[:k]
            parser.line = short

    def look(self):
        """Between two readings of the UART: is there a prompt, which is ">" and nothing behind, or a long line?"""
        channel = self._m.channel
        parser = channel.parser
        n = len(parser.line)
        if parser.held and n - parser.held < _ROOM and n < _MOST:
            parser.line = parser.line + bytearray(n)
        if self.lines or not channel.busy or channel.cmd is not self._cmd:
            return
        if 0 < parser.held < 3 and parser.line[0] == 62 and channel.quiet(_PROMPT_MS):
            parser.reset()
            if not self._asked:  # else it is that of the next line
                self._prompted()

    def _prompted(self):
        channel = self._m.channel
        self._asked = True
        if self._data is None:
            self._freed = True
            channel.write(b"\x1b", 1)
            channel.filler = once("at.reserved").count(self._cmd)  # if it wants so many bytes, ESC is the first
            channel.hurry(_FREED_MS)
        else:
            channel.on_prompt()

    # What the channel tells

    def on_answer(self, kind, buf, i, j):
        """The channel's handler."""
        if kind < Answer.OK:
            return self._line(kind, buf, i, j)
        m = self._m
        if kind == Answer.OK and self._end is not None and not self._ended:
            m.channel.busy = True  # the answer is still to come
            return True
        if kind == Answer.OK and self._late > 0 and not self.lines:
            m.channel.busy = True  # it may be an older command's
            m.channel.own = 3
            m.channel.hurry(self._late)
            self._late = -1
            return True
        if kind == Answer.LOST and self._late < 0:  # it was its own, and that line no answer
            m.channel.desync = False
            kind = Answer.OK
        self.over = True
        if self._freed or kind > Answer.LOST:
            self.error = OSError(errno.EINVAL, "%s: the module asks for data (>): give data=" % m.command())
        elif kind == Answer.ERROR:
            m.current().info = self.lines
            self.error = m.refusal(text(buf, i, j))
        elif kind == Answer.LOST and m.channel.mute:
            self.error = OSError(errno.ENOMEM, m.command() + ": no room for the answer, or interrupted")
        elif kind == Answer.LOST:
            self.error = OSError(errno.ETIMEDOUT, m.command() + ": no answer")
        elif self._data is not None and not self._asked:
            self.error = OSError(errno.EINVAL, m.command() + ": the module did not ask for data")
        return True

    def _line(self, kind, buf, i, j):
        channel = self._m.channel
        first = not channel.parser.empty  # it stands right behind the line before it
        while self._text and i > 0 and buf[i - 1] == 32:
            i -= 1
        if kind or (j - i == len(self._cmd) - 1 and buf.startswith(self._cmd[:-1], i)):  # its echo
            return False
        if j == len(buf) > _CHUNK:
            self.error = OSError(errno.ENOBUFS, "%s: a line of more than %d characters" % (self._m.command(), j))
        line = text(buf, i, j)
        if not self._text and line[:2] in ("b'", 'b"'):  # garbage
            return False
        if line.strip() == ">" and (self._asked or not self.lines):
            if not self._asked:
                self._prompted()
            return True
        end = self._end
        if end is not None and (_same(line, end) if end else line.count(".") == 3 and line[0].isdigit()):
            channel.own = 1
            self._ended = True
        elif not (self._text and first and self.lines) and self._code(line):
            return False
        self.lines.append(line)
        return True

    def result(self):
        """The lines, without codes that no list has, where the answer's own lines tell."""
        mine = [line for line in self.lines if line.partition(":")[0] in self._names]
        if not mine or self._text or self._end is not None:
            return self.lines
        return [line for line in self.lines if line in mine or not _shaped(line)]


def _same(line, start):
    # Some firmware has no blank behind the colon.
    return line.replace(": ", ":").startswith(start.replace(": ", ":"))


def _shaped(line):
    # As an unsolicited code: +NAME:, *NAME:, ^NAME:, $NAME,
    name = line.partition(":")[0]
    return line[:1] in ("+", "*", "^", "$") and name != line and name[1:].upper() == name[1:]
