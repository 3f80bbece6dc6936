"""Pumping from a timer, for programs that do not call the library for long."""

import errno
import sys

import simcom.lazy as lazy
from ..foreground import critical
from ..checks import check_number
from ..lazy import once


def function(owner, name):
    """As in registry.py; the timer may not load a file that is being loaded."""
    return critical(owner if hasattr(owner, "pumping") else owner._modem, _function, owner, name)


def _function(owner, name):
    return once("registry").function(owner, name)


def _guarded(_):
    # in place of pump.once(), for lazy.py
    return sys.modules[__name__]


class _Guarded:
    """A method during which the timer must not pump: it would see half a change."""

    def __init__(self, modem, method):
        self._modem = modem
        self._method = method

    def __call__(self, *args):
        return critical(self._modem, self._method, *args)


def _made(modem, method):
    return method if isinstance(method, _Guarded) else _Guarded(modem, method)


class _Tick:
    def __init__(self, modem):
        self._modem = modem

    def __call__(self, _):
        m = self._modem
        m.ticking = True
        m.pump()
        m.ticking = False


def background(m, period_ms: int = 50, timer: int = -1):
    """Pump every ``period_ms`` from ``machine.Timer(timer)``, also while the program does something else; 0: no longer.

    The timer must be a soft one, as it is by default; on ESP32 give the number of a free one. Costs an idle pump a
    period. Raises OSError(EOPNOTSUPP) where the port has no timers.
    """
    check_number("period_ms", period_ms)
    check_number("timer", timer, -1)
    try:
        from machine import Timer
    except ImportError:
        raise OSError(errno.EOPNOTSUPP, "background: this port has no machine.Timer")
    running = m.parts.pop("timer", None)
    if running:
        running.deinit()
    if period_ms:
        lazy.loader = _guarded
        m.open = _made(m, m.open)
        m.send = _made(m, m.send)
        m.close = _made(m, m.close)
        m.receive = _made(m, m.receive)
        m.hungry = _made(m, m.hungry)
        m.forget = _made(m, m.forget)
        m.parts["timer"] = running = Timer(timer)
        running.init(period=period_ms, mode=Timer.PERIODIC, callback=_Tick(m))
