"""What CPython lacks to run MicroPython code: `machine`, `micropython`, ticks in `time`, polling of streams."""

import selectors  # noqa: F401  (takes the real select.poll before the proxy is in place)
import sys
import time
import traceback

from . import clock as _clock

_TICKS = ("ticks_ms", "ticks_us", "ticks_add", "ticks_diff", "sleep_ms", "sleep_us")


def install(clock: "_clock.Clock | None" = None, real: bool = False) -> None:
    """Put the modules in place; virtual time by default, `real=True` for a program on a pseudo-terminal."""
    from . import machine, micropython, polling

    if clock is None and real != _clock.clock.real:
        clock = _clock.RealClock() if real else _clock.Clock()
    if clock is not None:
        _clock.clock = clock
    for name in _TICKS:
        setattr(time, name, getattr(_clock, name))
    time.ticks_cpu = _clock.ticks_us
    sys.print_exception = lambda e, file=None: traceback.print_exception(e, file=file)
    sys.modules["machine"] = machine
    sys.modules["micropython"] = micropython
    sys.modules["select"] = sys.modules["uselect"] = polling.proxy


def reset() -> None:
    """Fresh time and fresh pins for the next test."""
    _clock.reset()
