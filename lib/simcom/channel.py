"""The AT channel: one command in flight, its deadline, its answer."""

import select
from time import sleep_ms, ticks_add, ticks_diff, ticks_ms

from micropython import const

from .parser import Answer, Parser


_AHEAD = const(1 << 22)  # ms from now: no deadline is later
_CHUNK = const(256)
_BURST = const(64)  # payload bytes worth a UART read, or worth a write
_PATIENCE_MS = const(20)  # how long to wait for so many; then there are …
_READS = const(16)  # … so many reads in one call, of fewer
_EARLY_MS = const(3)  # so long before all is here the UART is asked again …
_TRIES = const(150)  # … so often, for 2 ms on a Pico
_LINE_MS = const(2)  # so long a line comes
_DOUBLE_MS = const(50)  # so long an ERROR may come twice, or the answer behind it: then it was another command's
_ARMED_MS = const(300)  # … and the prompt
_STRAY_MS = const(100)  # silence behind ">" that makes it a prompt, not the start of somebody's text


class Pace:
    """How often it is looked for what comes."""

    GAP_MS = 1000  # silence inside payload after which it is in doubt
    DEAF_MS = 64  # so long nothing is asked of the UART, at most
    REST_MS = 10  # when nothing was to be done it is not looked for so long, unless something comes


def passed(start, ms):
    """Whether ``ms`` have passed since ``start``; with ``ms`` 0 it may lie ahead, but not far. Ticks that seem to lie
    ahead otherwise are days old: nobody has called in the meantime."""
    return not -_AHEAD * (not ms) <= ticks_diff(ticks_ms(), start) < ms


class Channel:
    """``owner`` has ``on_line(buf, i, j)``, ``late()``, ``hooks``, ``on_wait``, ``ticking``.

    ``receiver``, which the owner sets, has ``on_head``, ``on_line`` (of buf, i, j), ``on_trailer()``, see buffered.py.
    """

    doubt = None  # what was awaited beyond its time, until answers fit commands again; see recovery/silence.py

    def __init__(self, uart, owner):
        self.uart = uart
        self.parser = Parser(self, _CHUNK)
        self.busy = False
        self.head = None  # start of a line that goes to receiver.on_head() at once: of most payload
        self.cmd = b""  # the last command, also after its end
        self.own = 0  # what ends it. 0: OK; 1: the line that the handler takes; 2: OK, after an awaited line …
        # … 3: there was an OK without it, of an older command: the answer comes in a quarter of its time, or not …
        # … 4: it came behind that OK, which may have been its own: another comes at once, or not
        self.filler = 0  # payload bytes that the last command promised …
        self.sent = -1  # … and so many were written; -1: there was no prompt yet; -2: it is not awaited behind an ERROR
        self.refused = None  # an ERROR: it is the answer if no other comes within a moment …
        self.owed = 0  # payload bytes that were refused, or given up: the module may ask for them yet, or miss some
        self.stray = False  # it did ask: it takes for payload what it gets
        self.desync = False  # answers and commands may not fit; the pump sees to it
        self.mute = False  # bytes were lost: lines mean nothing until silence
        # Not 0: the module echoes: 1, and 1 for each byte of payload whose echo came; cleared by the modem.
        self.echoed = 0
        self.skip = 0  # so many lines are somebody's text (after +CMT: …) …
        self.more = None  # … who wants it, as more(buf, i, j)
        self.strays = 0  # lines that nobody knew, and of which it was not asked yet what they were; see settle()
        self._owner = owner
        self.handler = None
        self.heard = self._deadline = ticks_ms()
        self.ms = 0
        self._feeding = False
        self.out = None  # payload: written from sent to _end once the prompt came
        self._end = 0
        self._full = False  # the UART has no room, perhaps until …
        self._rest = 0
        self.rate = 737  # bytes that come in DEAF_MS: as at 115200 baud, until power_up() asks the UART
        self.due = self.heard  # ticks_ms: what is counted cannot be here before, and nothing is asked of the UART
        self.any = uart.any  # bound here: each binding would allocate
        self._readinto = uart.readinto
        poll = select.poll()
        poll.register(uart, select.POLLIN)
        self.ready = poll.ipoll

    def start(self, cmd, n, handler, ms, own=0, payload=None, payload_n=0):
        """Send ``cmd[:n]``, after the prompt ``payload[:payload_n]``."""
        self.busy = True
        self.cmd = cmd
        self.own = own
        self.filler = payload_n
        self.sent = -1
        self.handler = handler
        self.ms = ms
        self.out = payload
        self.parser.prompt = payload is not None
        self.head = None
        self.hurry(ms)
        self.write(cmd, n)

    def read(self, cmd, n, head, handler, ms):
        """As ``start()``, for what is sent most often."""
        self.busy = True
        self.cmd = cmd
        self.own = 2  # an OK without a header is not its answer
        self.filler = 0
        self.head = head
        self.handler = handler
        self.hurry(ms)
        ms = self.uart.write(cmd, 0, n) or 0  # one local more, and the frame would be on the heap
        if ms < n:
            self.write(cmd, n, ms)

    def hurry(self, ms):
        """The answer is awaited for ``ms`` from now."""
        self._deadline = ticks_add(ticks_ms(), ms)

    def write(self, buf, n, at=0):
        """``buf[at:n]``, all of it, unless flow control holds us back for a second; the end of what went out."""
        for _ in range(Pace.GAP_MS):
            at += self.uart.write(buf, at, n - at) or 0
            if at >= n:
                break
            sleep_ms(1)
            if self._owner.on_wait and not self._owner.ticking:
                self._owner.on_wait()
        return at

    def quiet(self, ms):
        """Whether the module has said nothing for ``ms``."""
        return passed(self.heard, ms)

    def wait(self, ms):
        """Sleep until the UART has something, about ``ms`` at most, and then until it is all there."""
        n = ticks_diff(self.due, ticks_ms())
        if 0 < n <= Pace.DEAF_MS:
            return sleep_ms(n)
        for _ in self.ready(self._full if self._end else ms):
            break
        if not self._end:
            self._linger()

    def _linger(self):
        due = min(self._counted(), 2 * _BURST)
        if due:
            for _ in range(_TRIES):
                if not 0 < self.any() < due:
                    break
        elif not (self.head or self.out) and self.any():
            sleep_ms(_LINE_MS)

    def _counted(self):
        # Payload to come, and the OK behind it.
        parser = self.parser
        return parser.need + (8 if parser.long else 6) * parser.tail

    def _plan(self):
        ms = (self._counted() - self.any()) * Pace.DEAF_MS // self.rate - _EARLY_MS
        if ms > 0:
            most = min(self._owner.read_max * (Pace.DEAF_MS // 2) // self.rate, Pace.DEAF_MS)
            self.due = ticks_add(self.heard, min(ms, most))

    def poll(self):
        """One read of the UART, as much payload as it takes at once; returns the bytes read."""
        got = 0
        # Not uart.any() first: on rp2 that ends in an event, and nobody sleeps.
        for _ in self.ready(0):
            self._feeding = True
            got = self._read()
            self._feeding = False
            break
        if self._end:
            while self._push():
                pass
        elif self.refused and not self.parser.tail:
            if passed(self._deadline, 0):
                self.owed = self.filler or self.owed
                self._answered(Answer.ERROR, self.refused)
        elif not got and (self.busy or self.parser.held or self.parser.need):
            parser = self.parser
            if parser.need or parser.tail:
                late = self.quiet(Pace.GAP_MS)
            elif 0 < parser.held < 3 and parser.line[0] == 62 and self.quiet(_STRAY_MS):
                late = self._stray()
            else:
                late = self.busy and passed(self._deadline, 0)
                if late and self.own > 2:
                    late = self._answered(Answer.OK)
            if late:
                (self.doubt or self._owner).late()
        return got

    def _read(self):
        parser = self.parser
        n = self.any()
        got = 0
        while n:
            if n < parser.need:
                k = n
                n = self._pour(n)
                if n != k:
                    got = 1
                    self.heard = ticks_ms()
            need = parser.need
            if n < _BURST and n < need + 6 * parser.tail and need and not self.quiet(_PATIENCE_MS):
                break  # one call for many bytes, and the trailer with the last
            n = self._readinto(parser.buf, n if n < _CHUNK else _CHUNK) or 0
            parser.feed(n)
            got += 1
            if got > _READS:  # the rest next time, without patience
                self.heard = ticks_add(ticks_ms(), -_PATIENCE_MS)
                return got
            if not need:  # for what follows a header there is some
                self.heard = ticks_ms()
            n = self.any() if parser.need or parser.tail else 0
        if got:
            self.heard = ticks_ms()
            if parser.need:
                self._plan()
        return got

    def _pour(self, n):
        # Payload but for its end: from the UART to who takes it, and nothing else. As many locals as fit a frame
        # on the stack.
        any_ = self.any
        readinto = self._readinto
        buf = self.parser.buf
        take = self.parser.take
        need = self.parser.need
        while _BURST <= n < need:
            n = readinto(buf, n if n < _CHUNK else _CHUNK)
            take(buf, 0, n)
            need -= n
            n = any_()
        self.parser.need = need
        return n

    def _push(self):
        # A slice of the payload; returns whether the UART may take the next one at once.
        # Counted before it is written: after Ctrl-C the module may lack bytes
        # (filler frees it) but never gets more than it waits for.
        at = self.sent
        n = self._end - at
        if n > _BURST:
            n = _BURST
        if n:
            now = ticks_ms()
            if self._full and ticks_diff(self._rest, now) > 0:
                return
            self.sent = at + n
            took = self.uart.write(self.out, at, n) or 0
            self.sent = at + took
            if took:
                self.hurry(self.ms)
                # A write that blocked t ms has filled the UART's buffer; in 2 t ms there is room for all of the next.
                end = ticks_ms()
                n -= took
                now = 2 * ticks_diff(end, now)
                self._full = n > 0 or now > 0
                self._rest = ticks_add(end, now if now < _PATIENCE_MS else _PATIENCE_MS)
                return not self._full
        if at == self._end:
            self._end = 0
        elif passed(self._deadline, 0):
            self.lost(False)  # flow control holds us back

    def interrupted(self):
        """After Ctrl-C: what the module was promised goes out, now; what it was saying is not known."""
        if self._feeding:
            self._feeding = False
            self.lost(True)
        while self._end:
            self._full = False  # whatever it takes
            self._push()

    def lost(self, mute):
        """What is under way is given up; ``mute``: bytes of it were lost."""
        self._end = 0
        self.parser.reset()
        self.mute = mute
        self.owed = self.busy and self.filler or self.owed
        self.desync = True
        self._answered(Answer.LOST)

    def _answered(self, kind, line=b""):
        if self.busy:
            self.busy = self.parser.prompt = False
            self.refused = None
            self.handler(kind, line, 0, len(line))

    def _stray(self):
        # ESC ends what has no length, an SMS too; of what has one it is the first byte of filler.
        self.write(b"\x1b", 1)
        self.stray = True
        if self.head:  # a read: its link is still to be read
            self.busy = False
        self.lost(False)

    # The parser's sink. Whose line is it? Decided here, in this order.

    def on_line(self, buf, i, j):
        if self.skip or self.parser.text:
            if self.skip:
                self.skip -= 1
                if self.more:
                    self.more(buf, i, j)
            return True
        if self.doubt and self.doubt.answered(buf, i, j):
            return False
        if self.owed and buf[i] == 62 and j - i < 3:  # a prompt, and what was sent since was payload to the module
            self._stray()
            return False
        if not self.parser.tail:
            if self.head and self.busy and buf.startswith(self.head, i):
                self.receiver.on_head(buf, i, j)
                return False
            if self.mute:
                return False
            if self.echoed and self.sent >= 0:
                from .stream.echo import behind

                if behind(self, bytes(buf[i:j])):  # of our payload
                    return False
            # No answer is believed before the payload is out.
            if (
                self.busy
                and not self._end > self.sent >= 0
                # Of what comes before the prompt only a refusal is an answer.
                and (self._final(buf, i, j) or (not self.parser.prompt and self._taken(Answer.LINE, buf, i, j)))
            ):
                return False
        if self._owner.hooks and self._hooked(buf, i, j):
            return True
        if self.receiver.on_line(buf, i, j) or self._owner.on_line(buf, i, j):
            return True
        if buf.startswith(b"AT", i):
            self.echoed = 1
        elif self.parser.tail or not self._taken(Answer.TEXT, buf, i, j):
            self.strays += 1
        return False

    def _hooked(self, buf, i, j):
        for hook in self._owner.hooks:
            if hook.on_line(buf, i, j):
                return True

    def _final(self, buf, i, j):
        n = j - i
        if (n == 5 and buf.startswith(b"ERROR", i)) or (n > 10 and buf.startswith(b" ERROR:", i + 4)):
            # Answers come in the order of their commands: of two the last is ours.
            if not self.refused:
                self.refused = self.cmd if self.head else bytes(buf[i:j])  # of a read: a copy would take heap
                self.receiver.refusal()
                self.hurry(_ARMED_MS if self.parser.prompt and self.sent == -1 else _DOUBLE_MS)
        elif n == 2 and buf.startswith(b"OK", i) and not self.parser.prompt:
            if not self.own & 3:
                self._answered(Answer.OK, b"OK")
            elif self.own == 2:
                self.own = 3
                self.hurry(self.ms // 4)
        else:
            return False
        return True

    def _taken(self, kind, buf, i, j):
        if not self.busy or not self.handler(kind, buf, i, j):
            return False
        if self.own == 1:
            self.busy = False
            self.refused = None
        else:
            self.own = 4 * (self.own > 2)
            if self.own:
                self.hurry(_ARMED_MS)
        return True

    def on_prompt(self):
        self.refused = None
        self._end = self.filler
        self.sent = self.owed = 0
        self._full = False

    def on_end(self, ok):
        if ok:
            self.busy = False
            self.refused = None  # of a read that was answered behind it
            self.receiver.on_trailer()
        else:
            self.lost(True)
