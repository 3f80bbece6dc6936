"""How data goes to the module: ``config(send=, prompt=, stall_ms=)``."""

from time import ticks_ms

from micropython import const

from ..channel import passed
from ..parser import Answer
from ..checks import check_number
from ..supported import need, start_only
from ..pump import text
from ..query import fields
from ..stages import Stage, add, remove

_QUESTION = b"AT+CIPSEND?\r"
_TRIES = const(3)
_REFUSAL_MS = const(100)  # without a prompt: what is not refused within this time is taken for accepted
_SILENT_MS = const(2000)  # without a result: so is payload


def set_send(m, form):
    """ "fixed": each send tells its length; "variable": Ctrl-Z ends it; "timed" or ("timed", seconds): 1 to 100 seconds
    of time end it, 1 if not told (AT+CIPATS).

    Without a length SIM800 and SIM7000 cannot send the bytes 8, 26, 27: ValueError from whatever sends them.
    """
    form, seconds = form if isinstance(form, tuple) and len(form) == 2 else (form, 1)
    if form not in ("fixed", "variable", "timed"):
        raise ValueError('send: "fixed", "variable", "timed" or ("timed", seconds), not %r' % (form,))
    need(m, 'send="%s"' % form)
    cmd = b"AT+CIPATS=0"
    if form == "timed":
        start_only(m, "timer for sends")
        cmd = b"AT+CIPATS=1,%d" % check_number("send: seconds", seconds, 1, 100)
    sender = m.parts.get("sender")
    if m.DIALECT != "cipstart" or not (form == "timed" or (sender and sender.form == "timed")):
        cmd = b""  # there is no timer, or it is off
    return _set(m, cmd, form, seconds)


def set_stall_ms(m, ms):
    """So many ms (1000 or more) a link may take nothing of what is to be sent, before it is given up."""
    if not isinstance(ms, int) or ms < 1000:
        raise ValueError("stall_ms: 1000 or more")
    m.STALL_MS = ms


def set_prompt(m, mode):
    """1: the module asks for payload and tells what became of it; 0: it does not ask; 2: neither (AT+CIPSPRT).

    Where it does not ask, payload follows its command after 100 ms without a refusal.
    """
    start_only(m, "setting of the prompt")
    if mode not in (0, 1, 2):
        raise ValueError("prompt: 0, 1 or 2, not %r" % (mode,))
    return _set(m, b"AT+CIPSPRT=%d" % mode, "", mode)


def _free(line):
    row = fields(line)
    return int(row[0]) if len(row) > 1 else 0, int(row[-1])


def _set(m, cmd, form, value):
    # Now, and whenever the context comes up: a form and its seconds, else what is done about the prompt.
    if cmd:
        if m.up:
            yield cmd
        name = cmd[: cmd.find(b"=") + 1]
        m.SETTINGS = tuple([each for each in m.SETTINGS if not each.startswith(name)]) + (cmd,)
    sender = _sender(m)
    if form:
        sender.form = form
        sender.seconds = value if form == "timed" else 0
    else:
        sender.prompt = value
    sender.settle()
    yield 0


def _sender(m):
    return m.parts.get("sender") or Sender(m)


class Sender(Stage):
    """``modem.parts["sender"]``, unless it is done as without: asked whenever something is to be sent."""

    LEVEL = 2

    form = "fixed"
    seconds = 0  # when timed
    prompt = 1

    def __init__(self, m):
        self._modem = m
        self._escapes = m.DIALECT != "cipstart"
        self._unsized = getattr(m, "UNSIZED", b",")  # what stands for the length in front of an address
        self._held = ()  # the arguments of a command, while it is asked how much the module takes …
        self._link = None  # … of which link …
        self._room = -1  # … which is so much; -1: not known …
        self._left = 0  # … and is asked so often yet
        self._handler = None  # who wants the result
        self._n = 0  # payload bytes of the command in flight
        self._since = 0  # when it went out, or its payload
        self._open = False  # it has no length
        self._filled = False  # it was refused, and filler went out for the case that it was not
        m.parts["sender"] = self
        add(m, self)

    def settle(self):
        """A setting has changed."""
        if self.form == "fixed" and self.prompt == 1:
            remove(self._modem, self)
            del self._modem.parts["sender"]

    def check(self, buf, off, n):
        """ValueError for bytes that cannot be sent."""
        if self.form != "fixed" and not self._escapes:
            data = bytes(memoryview(buf)[off : off + n])
            for c in b"\x08\x1a\x1b":
                if c in data:
                    raise ValueError("send: byte %d cannot be sent without a length; config(send='fixed')" % c)

    def start(self, cmd, n, handler, ms, own=0, payload=None, payload_n=0):
        """Channel.start()"""
        self._open = self._filled = False
        if payload is not None:
            self._since = ticks_ms()
            self._n = payload_n
            link = cmd.startswith(b"AT+CIPSEND=") and self._modem.links.get(int(cmd[11 : cmd.find(b",")]))
            if self.form == "fixed" or not link:
                pass
            elif not self._escapes:
                self._held = (cmd, handler, ms, own, payload, payload_n)
                self._link = link
                self._left = _TRIES
                return self._ask()
            elif not getattr(link, "server", None):  # of accepted clients these modules want the length
                return self._go(cmd, handler, ms, own, payload, payload_n)
        self.below.start(cmd, n, handler, ms, own, payload, payload_n)

    # Where it is not escaped: first of all, how much does the module take?

    def _ask(self):
        self._left -= 1
        self._room = -1
        self.below.start(_QUESTION, len(_QUESTION), self._on_room, self._modem.ANSWER_MS, 2)

    def _on_room(self, kind, buf, i, j):
        cmd, handler, ms, own, payload, n = self._held
        if kind < Answer.OK:
            if kind or not buf.startswith(b"+CIPSEND:", i):
                return False
            try:
                link, room = _free(text(buf, i, j))
                if link == self._link.n:
                    self._room = room
            except (ValueError, IndexError):
                pass
            return True
        if kind == Answer.LOST:
            return handler(kind, buf, i, j)
        if kind == Answer.OK and self._room < 0 and self._left:
            return self._ask()
        self._handler = handler
        if self._room <= 0 or (self._link.borders and self._room < n):  # unknown, or a datagram that must not be cut
            self.below.start(cmd, len(cmd), handler, ms, own, payload, n)
        else:
            self._go(cmd, self._on_result, ms, own, payload, min(n, self._room))
        return True

    def _on_result(self, kind, buf, i, j):
        if not kind and j - i > 6 and buf.startswith(b"SEND OK", j - 7):  # of what was really sent
            line = b"DATA ACCEPT:%d,%d" % (self._link.n, self._n)
            return self._handler(kind, line, 0, len(line))
        return self._handler(kind, buf, i, j)

    def _go(self, cmd, handler, ms, own, payload, n):
        self._n = n
        cmd, payload = self._variable(cmd, payload, n)
        self.below.start(cmd, len(cmd), handler, ms + 1000 * self.seconds, own, payload, len(payload))

    def _variable(self, cmd, payload, n):
        self._open = True
        data = bytes(memoryview(payload)[:n])
        if self._escapes:
            for c in b"\x03\x1a\x1b":  # 3 first: it is the escape
                data = data.replace(bytes([c]), bytes([3, c]))
        if self.form != "timed":
            data += b"\x1a"
        k = cmd.find(b",")
        to = cmd.find(b",", k + 1)
        if to > 0:
            return cmd[:k] + self._unsized + cmd[to:], data
        return cmd[:k] + b"\r", data

    def poll(self):
        """Channel.poll()"""
        got = self.below.poll()
        channel = self._modem.channel
        if self._open and channel.desync:  # ESC ends what has no length
            self._open = False
            channel.write(b"\x1b", 1)
        if self.prompt != 1 and channel.busy and not got:
            now = ticks_ms()
            if channel.refused:
                if not self._filled:  # that may have been another command's ERROR; else the module does not mind
                    self._filled = True
                    filler = b"\x1b" if self._open else b"\r" * self._n
                    channel.write(filler, len(filler))
            elif channel.parser.prompt:
                if passed(self._since, _REFUSAL_MS):
                    self._since = now
                    channel.parser.prompt = False
                    channel.on_prompt()
            elif self.prompt == 2 and channel.sent >= channel.filler > 0:  # it is out
                if passed(self._since, _SILENT_MS + 1000 * self.seconds):
                    line = b"DATA ACCEPT:0,%d" % self._n
                    channel.on_line(line, 0, len(line))
        return got
