"""A module that sleeps between commands (AT+CSCLK), with its connections open."""

from time import ticks_diff, ticks_ms

from micropython import const

from ..channel import passed
from ..checks import check_number, check_pin
from ..query import ask
from ..supported import need
from ..links import State
from ..stages import Stage, add, remove
from ..foreground import run


_DTR_MS = const(60)  # DTR to a UART that listens
_CHAR_MS = const(120)  # the character that wakes to a UART that listens
_AWAKE_MS = const(4000)  # without DTR it falls asleep after 5 s
_DOZE_MS = const(1000)  # silence after which DTR lets it sleep
_ASK_MS = const(600000)  # how long links are not asked whether they live


def sleep(m, dtr=None, *, level: int = 1, timeout_ms: int = 10000):
    """Let the module sleep whenever nothing is to be said; received data wakes it, and so does whatever is sent.

    ``dtr``: Pin at the module's DTR, remembered; ``level``: its level that lets the module sleep. Without: by silence,
    where the family has that. Connections stay open; idle ones are asked every 10 minutes instead of every 10 s. After
    a restart connect() has it sleep again. OSError: EOPNOTSUPP on SIM7028, and without ``dtr`` on SIM7000, SIM7080;
    ETIMEDOUT.
    """
    need(m, "sleep")
    if dtr is not None:
        check_pin("dtr", dtr)
    check_number("level", level, 0, 1)
    dtr = dtr or getattr(m, "dtr", None)
    if not dtr:
        need(m, "sleep without DTR")
    else:
        m.dtr = dtr
        dtr.value(1 - level)
    start = ticks_ms()
    awake(m, timeout_ms)
    cmd = b"AT+CSCLK=%d" % (1 if dtr else 2)
    run(m, ask(cmd, m.ANSWER_MS), max(timeout_ms - ticks_diff(ticks_ms(), start), 1), "sleep")
    m.parts["sleeper"] = sleeper = _Sleeper(m, dtr, level, cmd)
    m.extra = list(m.extra) + [("sleep", sleeper.again)]


def awake(m, timeout_ms: int = 10000):
    """``wake()``: the module stays awake from here; 10 s at most, else OSError(ETIMEDOUT)."""
    sleeper = m.parts.get("sleeper")
    if sleeper:
        run(m, ask(b"AT+CSCLK=0", m.ANSWER_MS), timeout_ms, "wake")
        sleeper.stop()
        del m.parts["sleeper"]
        m.extra = [each for each in m.extra if each[0] != "sleep"]


class _Sleeper(Stage):
    """What is to be sent waits until the module listens."""

    LEVEL = 3

    def __init__(self, m, dtr, level, cmd):
        self._modem = m
        self._cmd = cmd
        self._dtr = dtr
        self._level = level
        self._held = None  # (function, arguments): to be sent when the module listens
        self._awake = True
        self._used = self._sent = ticks_ms()
        add(m, self)

    def again(self, m):
        """Steps of a connect(): a module that has restarted does not sleep."""
        yield self._cmd

    def stop(self):
        """The module stays awake."""
        remove(self._modem, self)
        if self._dtr:
            self._dtr.value(1 - self._level)
        if self._held:
            self._go()

    def start(self, *args):
        """Channel.start()"""
        self._send(self.below.start, args, args[2])

    def read(self, *args):
        """Channel.read()"""
        self._send(self.below.read, args, args[3])

    def _send(self, function, args, handler):
        now = self._sent = ticks_ms()
        if not self._dtr and passed(self._used, _AWAKE_MS):
            self._awake = False
        self._used = now
        if self._awake:
            return function(*args)
        channel = self._modem.channel
        channel.cmd = args[0]  # as if it were sent: lines that come meanwhile are nobody's answer
        channel.handler = handler
        channel.own = 1
        channel.busy = True
        channel.hurry(10000)
        self._held = (function, args)
        if self._dtr:
            self._dtr.value(1 - self._level)
        else:
            channel.write(b"\r", 1)

    def rouse(self):
        """By DTR: in so many ms the module listens."""
        self._awake = True
        self._used = ticks_ms()
        self._dtr.value(1 - self._level)
        return _DTR_MS

    def _go(self):
        function, args = self._held
        self._held = None
        function(*args)

    def poll(self):
        """Channel.poll()"""
        now = ticks_ms()
        channel = self._modem.channel
        if self._held:
            if not channel.busy:  # Ctrl-C
                self._held = None
            elif passed(self._used, _DTR_MS if self._dtr else _CHAR_MS):
                self._awake = True
                self._used = now
                self._go()
        got = self.below.poll()
        if self._held:
            pass
        elif channel.busy or (got and self._dtr and self._awake):
            self._used = now
        elif self._dtr and self._awake and passed(self._used, _DOZE_MS):
            self._awake = False
            self._dtr.value(self._level)
        if not passed(self._sent, _ASK_MS):
            for link in self._modem.links.slots:
                if link and link.state == State.OPEN and not link.tx_n:  # idle
                    link.heard = now
        return got
