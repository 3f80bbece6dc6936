"""A whole program on the virtual clock: what else it finds on a board, how it is switched on and off.

`install()` changes what CPython has only in what it does on a board: for everybody else, and for other threads,
`time.sleep`, `time.time` and `asyncio` stay as they are.
"""

import asyncio
import contextlib
import functools
import gc
import importlib
import sys
import threading
import time

from . import aio
from . import clock as _clock
from . import install as _install
from .machine import Ended, forget

EPOCH = 1_609_459_200  # time.time() at power-up: 2021-01-01, as on a Pico whose clock nobody has set
_ASK_US = 10  # on a board, of a call of time.ticks_ms
# Old programs write a u in front of these.
_BUILTIN = "asyncio binascii collections errno hashlib heapq io json os random re struct sys time zlib"

_thread: "int | None" = None  # whose time is virtual
_socket = importlib.import_module("socket")


def on_board() -> bool:
    """Whether the caller is a program on a board that is switched on."""
    return _thread == threading.get_ident()


def _sleep(seconds: float) -> None:
    _clock.clock.sleep_ms(max(0, seconds) * 1000)


def _time() -> int:
    _clock.asked()
    return EPOCH + _clock.clock.ms // 1000


def _on_board(ours, own):
    @functools.wraps(own)
    def either(*args, **kw):
        return (ours if on_board() else own)(*args, **kw)

    either.own = own
    return either


def install() -> None:
    """Put the modules in place, once."""
    _install()
    if hasattr(time.sleep, "own"):
        return
    time.sleep = _on_board(_sleep, time.sleep)
    time.time = _on_board(_time, time.time)
    for each in aio.ADDED:
        setattr(asyncio, each.__name__, each)
    for each in aio.OTHER:
        setattr(asyncio, each.__name__, _on_board(each, getattr(asyncio, each.__name__)))
    for name in _BUILTIN.split():
        sys.modules.setdefault("u" + name, importlib.import_module(name))
    gc.mem_free = lambda: 100_000  # a number to print
    gc.mem_alloc = lambda: 100_000
    gc.threshold = lambda amount=-1: None


def _restart() -> None:
    """Nothing of a program before is left: `import socket` is no modem any more."""
    forget()
    sys.modules["socket"] = _socket
    sys.modules.pop("usocket", None)


def power_on() -> None:
    """From here the caller is a program on a board that has just been switched on."""
    global _thread
    install()
    _thread = threading.get_ident()
    asyncio.StreamReader = asyncio.StreamWriter = aio.Stream
    _clock.ask_us = _ASK_US


def power_off() -> None:
    """Time is real again."""
    global _thread
    with contextlib.suppress(Ended):
        aio.end()
    _restart()
    asyncio.StreamReader, asyncio.StreamWriter = asyncio.streams.StreamReader, asyncio.streams.StreamWriter
    _clock.ask_us = 0.0
    _thread = None


def run(program, seconds: "float | None" = None) -> str:
    """Call program() as a board does at power-up, for so many virtual seconds at most; how it ended.

    "returned": by itself; "stopped": the seconds are over; "reset" (machine.reset), "deepsleep", "watchdog". What
    stops it is a KeyboardInterrupt. An exception of its own goes on to the caller.
    """
    __tracebackhide__ = True
    aio.new_event_loop()
    _restart()
    clock = _clock.clock
    event, how = None, "returned"

    def stop():
        nonlocal event, how
        event = clock.after_ms(1000, stop)  # once more, if it takes no notice
        how = "stopped"
        raise Ended(how)

    if seconds is not None:
        event = clock.after_ms(seconds * 1000, stop)
    try:
        result = program()
        if asyncio.iscoroutine(result):
            aio.run(result)
    except Ended as end:
        how = str(end)
    finally:
        with contextlib.suppress(Ended):
            aio.end()
        clock.cancel(event)
        if how != "returned":
            _restart()
    return how
