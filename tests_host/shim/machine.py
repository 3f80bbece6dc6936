"""CPython's stand-in for the `machine` module: pins that remember, a UART on the virtual clock."""

import errno

from . import clock as _clock
from .uart import UART  # noqa: F401

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5


class Pin:
    """A pin; all Pin objects with one id share its level and its history."""

    IN, OUT, OPEN_DRAIN, ALT = 0, 1, 2, 3
    PULL_UP, PULL_DOWN = 1, 2
    IRQ_RISING, IRQ_FALLING, IRQ_LOW_LEVEL, IRQ_HIGH_LEVEL = 1, 2, 4, 8

    _shared: dict = {}

    def __init__(self, id, mode=-1, pull=-1, *, value=None, **_):
        fresh = {"level": 0, "mode": Pin.IN, "history": [], "watchers": [], "irq": None}
        self.id = id
        self.__dict__["_state"] = Pin._shared.setdefault(id, fresh)
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None, **_) -> None:
        """Set mode, pull and level; what is not given stays."""
        state = self._state
        if mode not in (-1, None):
            state["mode"] = mode
        if pull == Pin.PULL_UP and not state["history"] and value is None:
            state["level"] = 1
        if value is not None:
            self.drive(value)

    @property
    def history(self) -> list:
        """Every level that was set: (milliseconds since the clock started, level)."""
        return self._state["history"]

    def watch(self, fn) -> None:
        """Call fn(level) at every change."""
        self._state["watchers"].append(fn)

    def drive(self, level) -> None:
        """Set the level from either side of the wire."""
        state = self._state
        level = 1 if level else 0
        before, state["level"] = state["level"], level
        state["history"].append((_clock.clock.ms, level))
        if level == before:
            return
        for fn in list(state["watchers"]):
            fn(level)
        if state["irq"]:
            handler, trigger = state["irq"]
            if trigger & (Pin.IRQ_RISING if level else Pin.IRQ_FALLING):
                handler(self)

    def value(self, level=None):
        """The level, or set it (only an output drives the wire)."""
        if level is None:
            return self._state["level"]
        if self._state["mode"] != Pin.IN:
            self.drive(level)
        return None

    __call__ = value

    def on(self) -> None:
        """Set the level to 1."""
        self.value(1)

    def off(self) -> None:
        """Set the level to 0."""
        self.value(0)

    high, low = on, off

    def toggle(self) -> None:
        """Turn the level over."""
        self.value(not self.value())

    def irq(self, handler=None, trigger=IRQ_FALLING | IRQ_RISING, **_):
        """Call handler(pin) at the edges of trigger."""
        self._state["irq"] = (handler, trigger) if handler else None
        return self

    def __repr__(self):
        return "Pin(%r)" % (self.id,)


_clock.on_reset.append(Pin._shared.clear)


class I2C:
    """A bus with the registers of its devices: `devices[address]`, a bytearray that a test puts there."""

    devices: dict = {}

    def __init__(self, id=-1, *, scl=None, sda=None, freq=400000, timeout=50000):
        """All buses are one."""

    def _registers(self, address):
        if address not in self.devices:
            raise OSError(errno.ENODEV)
        return self.devices[address]

    def readfrom_mem(self, address, register, n, *, addrsize=8) -> bytes:
        """The bytes of `n` registers from this one on."""
        return bytes(self._registers(address)[register : register + n])

    def writeto_mem(self, address, register, buf, *, addrsize=8) -> None:
        """Put bytes into the registers from this one on."""
        self._registers(address)[register : register + len(buf)] = buf


_clock.on_reset.append(I2C.devices.clear)


_alarms: list = []  # timers and watchdogs of the program
_clock.on_reset.append(_alarms.clear)


def forget() -> None:
    """The board restarts: nothing of the program before calls anything any more."""
    for alarm in _alarms:
        alarm.deinit()
    _alarms.clear()
    for state in Pin._shared.values():
        state["irq"] = None


class Timer:
    """A software timer on the clock."""

    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, id=-1, **kw):
        self._event = None
        _alarms.append(self)
        if kw:
            self.init(**kw)

    def init(self, *, mode=PERIODIC, freq=-1, period=-1, callback=None, **_) -> None:
        """Start (again)."""
        self.deinit()
        period_ms = 1000 / freq if freq > 0 else period

        def fire():
            self._event = _clock.clock.after_ms(period_ms, fire) if mode == Timer.PERIODIC else None
            callback(self)

        self._event = _clock.clock.after_ms(period_ms, fire)

    def deinit(self) -> None:
        """Stop."""
        _clock.clock.cancel(self._event)
        self._event = None


class Ended(KeyboardInterrupt):
    """The program ends, as by Ctrl-C: the board has restarted, sleeps or was switched off."""


class WDT:
    """A watchdog on the clock, which ends the program."""

    def __init__(self, id=0, timeout=5000):
        self._timeout, self._event = timeout, None
        _alarms.append(self)
        self.feed()

    def deinit(self) -> None:
        """Stop, as only a restart does."""
        _clock.clock.cancel(self._event)

    def feed(self) -> None:
        """So long again."""
        self.deinit()
        self._event = _clock.clock.after_ms(self._timeout, self._bite)

    @staticmethod
    def _bite() -> None:
        raise Ended("watchdog")


def reset() -> None:
    """The board restarts: the program ends."""
    raise Ended("reset")


soft_reset = reset


def deepsleep(time_ms=None) -> None:
    """The board sleeps and then restarts: the program ends."""
    raise Ended("deepsleep")


def idle() -> None:
    """Sleep until something happens, at most one millisecond."""
    clock = _clock.clock
    due = clock.next_change()
    end = clock.now_us + 1000
    clock.advance_to(end if due is None else max(min(due, end), clock.now_us + 5))


def lightsleep(time_ms=None) -> None:
    """Sleep."""
    if time_ms is None:
        raise RuntimeError("would wait for ever: lightsleep without a time")
    _clock.clock.sleep_ms(time_ms)


def reset_cause() -> int:
    """Always the power."""
    return PWRON_RESET


def unique_id() -> bytes:
    """A made-up number."""
    return b"\xe6\x60\x58\x38\x83\x0a\x1b\x2c"


def freq(hz=None):
    """The speed that the costs in UART stand for."""
    return 125_000_000 if hz is None else None


def disable_irq() -> int:
    """Nothing to disable."""
    return 1


def enable_irq(state=None) -> None:
    """Nothing to enable."""
