"""A module that owes an answer and says nothing: it may have hung and go on later, or what was said was lost. And one
that may have said of another link what it said of one."""

import errno
from time import ticks_ms

from micropython import const

from ..channel import passed
from ..parser import Answer
from ..links import Link, State


_QUESTION = b"AT+CMEE?\r"
_AGAIN_MS = const(4000)  # so often it is asked
_ALIVE_MS = const(1000)  # who answers within this time was never silent
_FILL = const(1500)  # bytes: no send is longer, whatever length the module understood …
_SLICE = const(100)  # … so many at a time, every …
_SLICE_MS = const(20)


def late(m):
    """The module owes an answer, or the rest of one, and says nothing."""
    Doubt(m).late()


class Doubt:
    """``channel.doubt``, from when an answer did not come in its time until answers fit commands again.

    Only what would lose bytes if it were given up is waited for, ``silence_ms`` long: received payload that stops in
    the middle, the answer to AT+CIPRXGET, the prompt and the result of AT+CIPSEND. Meanwhile the module is asked
    something else: if it answers that first, it never heard the command, or the answer was lost.
    """

    def __init__(self, m):
        self._modem = m
        self._channel = channel = m.channel
        self._take = None  # who takes the payload …
        self._watching = self._watch
        self._handler = None  # whom the result of a send is for
        self._anew()
        channel.doubt = self
        channel.desync = True

    def _anew(self):
        self._cmd = self._channel.cmd
        self._seen = b""  # what came of received payload since the question
        self._asked = 0  # how often …
        self._first = self._last = self._since = ticks_ms()  # … since when, and when last; when filler went out
        self._answers = 0  # so many were answered
        self._n = 0  # payload bytes that were sent without a prompt
        self._spoke = False  # a send is under way, and something else was said
        self._taken = False  # … its result has come
        self._filled = 0  # … or so much filler went out for the case that bytes of it were lost

    def late(self):
        """Again nothing has come."""
        channel = self._channel
        parser = channel.parser
        m = self._modem
        if channel.busy and channel.cmd is not self._cmd and not parser.need:
            self._anew()
        inside = parser.need or parser.tail
        if self._answer():
            if channel.cmd is _QUESTION:  # whose answer this was
                channel.busy = False
            return self._cut()
        # Who says something, but never what was asked, may have other words for it.
        gone = not m.on or channel.quiet(m.silence_ms) or (self._asked and passed(self._first, m.silence_ms))
        if inside and channel.busy and not channel.head and channel.cmd is not _QUESTION:
            self._cut()  # it is pushed, and a question could become payload
        elif channel.busy and (channel.filler or self._n):
            self._of_send(gone)
        elif gone or not (inside or (channel.busy and channel.head)):
            self._give_up(inside)
        elif not self._asked or passed(self._last, _AGAIN_MS):
            if channel.cmd is not _QUESTION:
                self._ask()
            if not parser.need or channel.cmd is _QUESTION:
                channel.hurry(_AGAIN_MS)

    def _cut(self):
        # Bytes are missing in what is counted.
        if self._channel.parser.pushed:
            self._modem.receiver.lost()
        else:
            self._channel.lost(True)

    def _give_up(self, inside):
        channel = self._channel
        if inside:
            self._cut()
        elif channel.head and self._asked and passed(self._first, _ALIVE_MS):  # nothing was answered: it is asked anew
            link = self._modem.receiver.link
            if link.known == -1 and not link.borders:  # those that were announced, or they were in a lost answer
                link.known = 1
            self._modem.links.reading |= link.bit
            channel.busy = False
            channel.lost(False)
        else:
            channel.filler = self._n or channel.filler
            channel.lost(False)

    def _ask(self):
        channel = self._channel
        parser = channel.parser
        self._last = ticks_ms()
        if not self._asked:
            self._first = self._last
        self._asked += 1
        self._seen = b""
        if parser.need and parser.take is not self._watching:
            self._take = parser.take
            parser.take = self._watching
        if channel.busy:
            channel.write(_QUESTION, len(_QUESTION))
        else:  # payload that is pushed
            self._cmd = _QUESTION
            self._modem.stage.start(_QUESTION, len(_QUESTION), self._nothing, self._modem.silence_ms, 2)

    def _nothing(self, kind, buf, i, j):
        # The handler of a question in its own right.
        return kind >= Answer.OK or (kind == 0 and buf.startswith(b"+CMEE:", i))

    def _watch(self, buf, i, n):
        took = self._take(buf, i, n)
        if len(self._seen) < 40:
            self._seen += bytes(buf[i : i + min(n, 40)])
            if self._answer():
                self._wrong()
        return took

    def _answer(self):
        # Whether an answer was counted as payload, perhaps after a restart, with its echo.
        return self._seen.startswith(b"\r\n+CMEE") or _QUESTION[:-1] in self._seen

    def _wrong(self):
        # Now: what comes behind the answer may look like the end of payload.
        receiver = self._modem.receiver
        if self._channel.parser.pushed:
            receiver.spoilt()
        else:
            receiver.got = 0
            self._modem.broken(
                receiver.link, errno.EIO, "received bytes were lost: UART and modem want the same rxbuf, 2048"
            )

    def answered(self, buf, i, j):
        """Whether a line is the answer of a question: then what was awaited before it will not come."""
        channel = self._channel
        if self._n and buf[i] not in b"+*":  # a result: the prompt itself was lost
            channel.parser.prompt = False
        mine = channel.busy and channel.cmd.startswith(_QUESTION[:7])
        # Late ones, of questions that were given up.
        if j - i == 12 and buf.startswith(b"+CIPRXGET: ", i):
            return mine or not channel.busy
        if j - i == 2 and buf.startswith(b"OK", i):
            return not channel.busy
        if mine or not buf.startswith(b"+CMEE:", i):
            return False
        if self._asked and channel.busy and channel.cmd is self._cmd and not channel.parser.tail:
            self._answers += 1
            if channel.head and (channel.refused or channel.own == 3):  # that, or OK alone, was the answer to the read
                refused = channel.refused or b"OK"
                kind = Answer.ERROR if channel.refused else Answer.OK
                channel.refused = None
                channel.busy = False
                channel.handler(kind, refused, 0, len(refused))
            elif not self._taken:
                if channel.sent < 0:  # nor will there be a prompt
                    self._n = channel.filler = 0
                    for link in self._modem.links.slots:
                        if link and link.task is self._modem.current():
                            link.report = 0
                self._give_up(False)
            elif self._answers == self._asked:
                channel.busy = False
                if channel.own != 1:
                    self._handler(Answer.OK, buf, i, j)
        return True

    # A send. If bytes of its payload were lost, what comes behind them completes it. Filler: then the result comes at
    # once, and is wrong. Questions: then not all are answered.

    def _of_send(self, gone):
        channel = self._channel
        closed = False
        for link in self._modem.links.slots:
            if link and link.task is self._modem.current():
                closed = link.state != State.OPEN
        if closed or gone or self._taken:
            return self._give_up(False)
        if channel.sent < 0 and not (self._asked or self._payload()):
            return self._wait()
        if channel.handler != self._result:
            self._handler = channel.handler
            channel.handler = self._result
        if channel.sent >= 0 and not self._n and self._filled < _FILL:
            self._filled += _SLICE
            self._since = ticks_ms()
            channel.write(b"\r" * _SLICE, _SLICE)
            if self._filled < _FILL:  # or a question would be payload
                return channel.hurry(_SLICE_MS)
        elif not self._asked or passed(self._last, _AGAIN_MS):
            self._ask()
        channel.hurry(_ALIVE_MS)

    def _payload(self):
        # Without the prompt, unless it may be a command if the module never heard ours.
        channel = self._channel
        n = channel.filler
        data = bytes(memoryview(channel.out)[:n]).upper()
        if b"AT" in data or b"A/" in data:
            return False
        channel.write(channel.out, n)
        self._n = n
        channel.filler = 0
        return True

    def _wait(self):
        # For the prompt; a module that speaks, or has restarted, is not silent.
        channel = self._channel
        if not self._modem.doubt and channel.quiet(_ALIVE_MS if self._spoke else channel.ms):
            channel.hurry(_ALIVE_MS)
        elif self._spoke or self._modem.doubt:
            channel.lost(False)
        else:
            self._spoke = True
            channel.hurry(channel.ms)

    def _result(self, kind, buf, i, j):
        if kind > Answer.OK or (self._filled and passed(self._since, _ALIVE_MS)):
            return self._handler(kind, buf, i, j)
        if kind == Answer.OK:
            self._channel.busy = True
        elif not self._handler(kind, buf, i, j):
            return False
        self._taken = True
        self._channel.hurry(0 if self._filled else 2 * _ALIVE_MS)
        return False


def _open(m, link):
    asked = Link()  # stands for it
    asked.n = link.n
    asked.to(State.CONNECTING)
    asked.to(State.OPEN)
    yield from m.inquire(asked)
    return asked.state == State.OPEN


def whose(m, link):
    """Steps: the module reported that the peer of ``link`` closed. It is open still, as another one whose number was
    damaged has closed, when the module says so of both: some may tell those as open that were closed by the peer.
    """
    if (yield from _open(m, link)):
        for other in m.links.slots:
            if other and other is not link and other.state > State.CONNECTING and not (yield from _open(m, other)):
                if link.state == State.DRAINING:
                    link.to(State.OPEN)
                    if link.tx_n or link.cut:
                        m.broken(link, errno.EIO, "send: what became of it is not known")
                if other.state == State.OPEN:
                    m.gone(other)
                break
    link.pending = False
