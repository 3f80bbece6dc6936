"""Restarting the module, by command or by its RESET pin."""

import errno

from ..checks import check_number, check_pin
from ..lazy import capability, once
from ..foreground import run


def reset(m, hard: bool = False, *, pin=None, timeout_ms: int = 90000):
    """Restart the module: every connection and the context are gone; ``connect()`` again.

    By command (AT+CFUN=1,1 or AT+CRESET); ``hard``: by the RESET pin, for a module that does not answer. ``pin``: that
    Pin (implies ``hard``; or earlier by ``config(reset=Pin)``), whose active level is that of ``pwrkey``.
    ``timeout_ms=0`` starts and returns. Raises OSError(ETIMEDOUT) when the module does not come back.
    """
    check_number("timeout_ms", timeout_ms)
    if pin is not None:
        _keep(m, check_pin("pin", pin))
    pin = getattr(m, "reset_pin", None) if hard or pin else None
    if hard and not pin:
        raise ValueError("reset: hard needs pin=, the Pin at the module's RESET")
    tunnel = m.parts.get("tunnel")
    if tunnel:
        tunnel.abandon()
    task = steps(m, pin)
    if timeout_ms:
        run(m, task, timeout_ms, "reset")
    else:
        m.start(task)


def set_reset(m, pin):
    """``config(reset=Pin)``: which pin restarts the module."""
    return _kept(m, check_pin("reset", pin))


def _kept(m, pin):
    _keep(m, pin)
    yield 0


def _keep(m, pin):
    m.reset_pin = pin
    pin.value(1 - m.pressed)


def steps(m, pin):
    """Restart, wait for the boot, make the module ours again."""
    power = once("bringup.power")
    m.up = False  # by us
    m.on_lost(errno.ECONNABORTED, "reset")
    m.on = False
    m.step = "off"
    if pin:
        pin.value(m.pressed)
        try:
            yield getattr(m, "RESET_MS", 310)  # how long the pin is held
        finally:
            pin.value(1 - m.pressed)
    else:
        m.reserve(m.current())  # also when the answer never comes: it may have restarted all the same
        try:
            yield capability(m, "options").RESET, 10000
        except OSError as e:
            if hasattr(e, "line"):
                m.reserve(None)
                raise
    m.reserve(m.current())
    try:
        yield 2000  # its last words
        yield from power.hello(m, power.usual(m, "BOOT_MS") // 500, 500)
    finally:
        m.reserve(None)
        m.channel.desync = False
    yield from power.power_up(m)
