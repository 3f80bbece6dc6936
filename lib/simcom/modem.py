"""What V.250 and 3GPP TS 27.007 say every module does, behind MicroPython's network interface face."""

import errno
import sys
from time import ticks_ms

from micropython import const

from .lazy import method, once
from .pump import Pump, text

_PAUSE_MS = const(1000)  # silence inside a line that means that its end will not come
# The first four bytes of the unsolicited codes that only a callback of on_urc() can want. Behind the first four, when
# a colon (or the D of +CUSD) is next, lines of text may follow.
_CODES = const(
    b"+CMT+CBM+CDS+CUS+CPI+CFU+CRE+CGR+CER+CGE+CLI+CRIRINGNO C+CTZ*PSU*PSNDST:SMS CallPB DOVERUNDECHAR+SAP+APPVOICNORM"
    b"+CTV+CAD+CAS+CCH+CES+SIM+SER"
)
# Methods that registry.py finds when they are called: dir(), hasattr() and getattr() load nothing.
_LATER = const(
    " connect disconnect flush settle at on_urc config status ifconfig ipconfig resolve background reset"
    " recover context sleep awake psm edrx transparent transparent_server preload datagrams "
)

# Boot lines, also those that come late: in mid-session they mean a restart, perhaps.
_BOOT = (b"RDY", b"*ATREADY", b"+CFUN: 1", b"QCRDY", b"SMS ", b"+CPIN: ", b"Call R", b"PB D")


class Modem(Pump):
    """A module behind a UART, with the methods of MicroPython's network interfaces.

    ``uart``: machine.UART, made with ``rxbuf=2048``. ``pwrkey``: Pin of the power key; ``pressed``: its level while the
    key is held (1 behind the usual transistor, 0 on a bare module). ``pin``: the SIM's PIN. ``baudrate``: bits/s to
    change to, on both sides, once the module answers. ``rxbuf``: what the UART was made with; reads ask for no more
    than fits there. ``mux``: False for the single-connection mode, where there is one link.
    """

    OFF: tuple = (b"AT+CPOWD=1", 10000, (b" POWER ",))
    REGISTRATION = (b"AT+CEREG?", b"AT+CGREG?")
    RESTART: tuple = _BOOT[:4] + (b"SMS DONE",)  # after these it is told all anew
    LACKS: tuple = ()  # words for what the family cannot do

    up = False  # the PDP context is active
    on = False  # the module answers and is configured
    doubt = 0  # the module may have lost the context; 2: or restarted, as a boot line says
    model = ""
    address = ""
    init: tuple = ()  # commands of active()
    extra: tuple = ()  # (name, steps(modem)): done when the context is up
    apn: tuple = ()  # the last connect(): APN, user, password
    bringup = None  # the Task of a connect(timeout_ms=0)
    watcher = None  # the Task of watch()
    losses = 0  # of the context

    def __init__(
        self,
        uart,
        *,
        pwrkey=None,
        pressed: int = 1,
        pin: str = "",
        baudrate: int = 0,
        rxbuf: int = 2048,
        mux: bool = True,
    ):
        once("checks").check_modem(Pump, uart, pwrkey, pressed, pin, baudrate, rxbuf)
        super().__init__(uart)
        self.prepare(rxbuf)
        self.pwrkey = pwrkey
        self.pressed = pressed
        self.pin = pin
        self.baudrate = baudrate
        self.mux = mux
        if not mux:
            once("modes.single").single(self)
        if pwrkey is not None:
            pwrkey.value(1 - pressed)

    def __repr__(self):
        return once("options.config").describe(self)

    def socket(self, *args):
        """A socket on this modem, whichever is installed; arguments as ``socket.socket``."""
        return sys.modules["simcom"].socket.socket(*args, modem=self)

    def isconnected(self) -> bool:
        """Whether the PDP context is up; pumps, returns at once."""
        self.pump()
        return self.up

    def __getattr__(self, name):
        if " %s " % name not in _LATER:
            raise AttributeError(name)
        setattr(Modem, name, method(name))
        return getattr(self, name)

    def active(self, on: "bool | None" = None, *, init: "tuple | None" = None, timeout_ms: int = 90000) -> bool:
        """Switch the module on (True), off (False), or tell whether it is on.

        True adopts a module that answers at any usual rate, and presses ``pwrkey`` only when none does. ``init``:
        commands such as ``("+CNMP=38", "+CMNB=1")``, sent now and after every restart; ``()``: none any more.
        ``timeout_ms=0`` starts and returns. Raises OSError(ETIMEDOUT) when nothing answers, ATError when an ``init``
        command is refused.
        """
        if on is None:  # programs poll this: nothing is loaded
            self.pump()
            return self.on
        return once("bringup.power").switch(self, on, init, timeout_ms)

    # Events

    def late(self):
        """An answer has not come in time: see recovery/silence.py, loaded alone: two files take too long."""
        once("recovery.silence").late(self)

    def recovery(self):
        """The steps of recovery/resync.py, for one use."""
        return once("recovery.resync")

    def suspect(self):
        """The module may have restarted: it is asked at once."""
        self.doubt = 2
        if self.up:
            self.watcher.pause(0)
            channel = self.channel
            if channel.busy and channel.sent < 0:  # it may have forgotten what is under way
                channel.hurry(300)

    def watch(self):
        """The task that looks after a module that is on."""
        try:
            while self.on:
                if self.doubt or self.channel.echoed:
                    try:
                        yield from self.recovery().recheck(self)
                    except MemoryError:  # first: the others want room
                        self.doubt = True
                    except (OSError, ValueError, IndexError):  # the next time
                        self.doubt = True
                if self.channel.strays or (self.channel.parser.held and self.channel.quiet(_PAUSE_MS)):
                    from .recovery.strays import settle_strays

                    yield from settle_strays(self)
                yield 500
        except KeyboardInterrupt:  # it ends this task
            self.watcher = self.start(self.watch())
            raise

    def on_lost(self, code, why):
        """The context is gone, and every link with it."""
        if self.up:
            self.step = "idle"
            self.losses += 1
        self.up = False
        self.address = ""

    def on_silent(self, why):
        """The module answers nothing any more."""
        self.on_lost(errno.ETIMEDOUT, why)
        self.on = False
        self.step = "off"

    def on_line(self, buf, i, j):
        """An unsolicited line; returns whether it is a known one."""
        known = self.urcs and self.urcs.take(buf, i, j)
        for line in _BOOT if self.up else self.RESTART:
            if buf.startswith(line, i):
                known = True
                self.suspect()
        if buf.find(b" POWER ", i, j) > 0 and self.on:
            self.on_silent("the module switched itself off: " + text(buf, i, j))
        k = _CODES.find(bytes(buf[i : i + 4])) if j - i > 3 else -1
        if k % 4:
            if known or (buf[i] != 36 and self._task and self.channel.busy):  # a task's answer perhaps
                return known
            try:
                from .recovery.strays import innocent
            except (MemoryError, RuntimeError):  # no room, or too deep in the stack: the watch loads it
                return False
            return innocent(self, buf, i, j)
        if k < 16 and buf[i + 4] in b":D":
            self.channel.parser.text = True
        if buf.find(b"-VOLTAGE", i, j) > 0:
            self.voltage = (ticks_ms(), text(buf, i, j))  # when, and how, the module warned of its supply last
        return True
