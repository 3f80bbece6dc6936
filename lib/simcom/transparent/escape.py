"""The ways out of data mode: asked for by us, or said by the module."""

import errno
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from ..channel import passed
from ..links import State
from .datamode import BOOT, ESCAPED, Plus

_EARLY_MS = const(900)  # the module's OK comes no sooner after +++ …
_ANSWER_MS = const(3000)  # … and no later
_DTR_MS = const(1100)
_LAST = (b"CLOSED", b"NO CARRIER", b"+IPCLOSE: 0,0", b"+IPCLOSE: 0,1", b"+IPCLOSE: 0,2", b"+CASTATE: 0,0")
_TOLD = _LAST + (b"OK",)
_CONTEXT = const(b"\r\n+APP PDP")
_IDLE = const(30)  # seconds without a byte, after which it is asked whether the peer has closed
_PIECES_MS = const(100)  # so far apart the pieces of a line may come


def _only_lines(data):
    """Whether the module may have said this in command mode, the last of it perhaps not all."""
    while data:
        j = data.find(b"\r\n", 2)
        line = data[2:j] if j >= 0 else data[2:].rstrip(b"\r")
        if data[:2] != b"\r\n"[: len(data)] or [c for c in line if not 32 <= c <= 126]:
            return False
        data = data[j + 2 :] if j >= 0 else b""
    return True


def _closes(lines):
    for line in _LAST:
        if lines.find(b"\r\n%s\r\n" % line) >= 0:
            return True
    return False


def _to_commands(m):
    try:
        yield Plus.GUARD_MS
        m.channel.write(b"+++", 3)
        yield Plus.GUARD_MS
    finally:
        m.reserve(None)


class Escape:
    """What leaves data mode: steps of the task of a stream."""

    def abandon(self, code=errno.ECONNABORTED):
        """For who must have the module whatever its stream is at, whoever has that: it ends, the context too."""
        m = self._modem
        m.may_wait()
        task = self._link.task
        self._link.fail(code, "transparent mode was ended by recover(), reset(), disconnect() or active(False)")
        if not task.done:
            task.done = True
            task.steps.close()
        if not self._over:  # it had not begun
            self._put_back()
        m.on_lost(errno.ECONNABORTED, "transparent mode ended")
        m.channel.hurry(300)  # some modules are deaf while they connect
        if self._data:
            m.reserve(m.start(_to_commands(m)))

    def _in_data(self):
        channel = self._modem.channel
        # One generator for as long as there is nothing but payload: each is heap.
        while self._wish and not (self._after or self._closed) and self._link.state == State.OPEN:
            if self._held:
                if channel.quiet(_PIECES_MS) and self._room():  # a line would go on
                    self._no_beginning()
                else:
                    yield 20
            elif not self._words.MUTE and self._dcd and self._dcd.value() and channel.quiet(_EARLY_MS):
                self._command_lines(b"")  # the line is lost that told of it
                return self._ended()
            else:
                now = ticks_ms()
                idle = passed(self._sent, Plus.GUARD_MS)
                if idle:  # ticks go round
                    self._sent = ticks_add(now, -Plus.GUARD_MS)
                self._idle = self._idle + 1 if idle and channel.quiet(_EARLY_MS) else 0
                if self._idle == _IDLE and self._words.MUTE:
                    break
                yield 1000
        if self._after:
            yield from self._judge()
        elif not self._wish:
            if not (yield from self._leave()):
                self._wish = self._failed = True
        elif self._idle == _IDLE and self._words.MUTE:
            self._idle = 0
            if not (yield from self._escape()):  # then back, if it is open still
                self._ended()
            yield 1000

    def _judge(self):
        # The end, or payload that reads like it?
        for _ in range(5):
            yield 20
            if not self._last_words():
                return
        if self._dcd:
            if self._dcd.value():
                self._event_it_was()
            else:
                self._no_event()
        elif not (yield from self._escape()) and self._last_words():
            self._event_it_was()
            yield 100

    def _last_words(self):
        """Whether there is still something that may be the end."""
        while self._after:
            after = bytes(self._after)
            n = after.find(b"\n", 2) + 1
            more = after[n:].replace(b"+++", b"")  # after a restart that is echoed
            said = after[:n]
            # It is said once. The end of the connection is said last: what reads like a restart, or like the end of the
            # context, in front of it is the peer's; but where either order is possible.
            if more.find(said) < 0 and _only_lines(more):
                if said[2:-2] in _LAST or not _closes(more):
                    return True
                if said.startswith(_CONTEXT):
                    self._doubted = said
                    return True
            self._no_event()
        return False

    def _no_event(self):
        n = self._after.find(b"\n", 2) - 1  # its line end may be the beginning of another one
        after = self._payload(n)
        self._take(after, n, len(after) - n)

    def _event_it_was(self):
        after = bytes(self._after)
        self._after = bytearray()
        m = self._modem
        m.channel.write(b"\r", 1)  # +++ is no command
        self._command_lines(after)
        self._ended()
        if m.up and after[2 : after.find(b"\r", 2)] in BOOT:  # not all boot lines mean that elsewhere
            m.doubt = True
            m.on_lost(errno.ECONNABORTED, "the module restarted")

    def _leave(self):
        """Out of data mode, at its end or ours; returns whether that went well."""
        for _ in range(2):
            if self._data and not (yield from self._escape()) and self._last_words():
                self._event_it_was()
                yield 100
            if not self._data:
                return True
        return False

    def _escape(self):
        """Ask for command mode: whether the module says OK. What came before that is data."""
        channel = self._modem.channel
        dtr = self._dtr
        early = 0
        if dtr:
            level = dtr.value()
            dtr.value(0)
            try:
                yield _DTR_MS
            finally:
                dtr.value(1)
        else:
            while not passed(self._sent, Plus.GUARD_MS):
                yield 50
                if not self._last_words() and self._wish and not self._closed:
                    return False
            channel.write(b"+++", 3)
            early = _EARLY_MS
        start = ticks_ms()
        self._asking = True
        ms = 0
        skip = 0
        k = -1
        while (ms < _ANSWER_MS or self._room() <= 0) and not (k >= 0 and channel.quiet(200)):
            yield 50
            ms = ticks_diff(ticks_ms(), start)
            if early and not passed(start, early):
                skip = len(self._after)
            else:
                k = bytes(self._after).rfind(ESCAPED, skip)
        if dtr:
            dtr.value(level)
        if k >= 0:
            after = bytes(self._payload(0))
            self._command_lines(after[k + 6 :])
            # Some say the end and stay in data mode.
            if not (after[2 : k - 2] in _TOLD and (yield from self._words.closed(self._modem, self._link))):
                self._store(after, 0, k)
        self._asking = False
        return k >= 0
