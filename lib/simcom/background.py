"""Pumping from a timer, for programs that do not call the library for long."""

import errno

from .alone import alone
from .modem import Modem
from .socket import socket

_modem_getattr = Modem.__getattr__
_socket_getattr = socket.__getattr__


# Nor may it load a file that is being loaded.


def _of_modem(m, name):
    return alone(m, _modem_getattr, m, name)


def _of_socket(s, name):
    return alone(s._modem, _socket_getattr, s, name)


class _Guarded:
    """A method during which the timer must not pump: it would see half a change."""

    def __init__(self, modem, name):
        self._modem = modem
        self._method = getattr(modem, name)

    def __call__(self, *args):
        return alone(self._modem, self._method, *args)


class _Tick:
    def __init__(self, modem):
        self._modem = modem

    def __call__(self, _):
        self._modem.pump()


def background(m, period_ms: int = 50, timer: int = -1):
    """Pump every ``period_ms`` from ``machine.Timer(timer)``, also while the program does something else; 0: no longer.

    The timer must be a soft one, as it is by default; on ESP32 give the number of a free one. Costs an idle pump a
    period. Raises OSError(EOPNOTSUPP) where the port has no timers.
    """
    try:
        from machine import Timer
    except ImportError:
        raise OSError(errno.EOPNOTSUPP, "background: this port has no machine.Timer")
    running = getattr(m, "timer", None)
    if running:
        running.deinit()
        m.timer = None
    if period_ms:
        Modem.__getattr__ = _of_modem
        socket.__getattr__ = _of_socket
        for name in ("open", "send", "close", "receive", "hungry", "forget"):
            if not isinstance(getattr(m, name), _Guarded):
                setattr(m, name, _Guarded(m, name))
        m.timer = Timer(timer)
        m.timer.init(period=period_ms, mode=Timer.PERIODIC, callback=_Tick(m))
