"""Finishing what is owed, before the program sleeps, writes flash, leaves the network or switches the module off."""

import errno
from time import ticks_diff, ticks_ms

from ..checks import check_number
from ..links import State
from ..lazy import capability
from ..foreground import run

_FLUSH_MS = 10000


def flush(m, timeout_ms: int = 10000) -> bool:
    """Wait until the peers have what was written and closed sockets are closed; call it before ``deepsleep``.

    Returns whether that was so in time, also of sockets whose close() did not wait for it.
    """
    check_number("timeout_ms", timeout_ms)
    start = ticks_ms()
    m.flushing |= 1
    try:
        while _owing(m):
            if ticks_diff(ticks_ms(), start) >= timeout_ms:
                return False
            m.wait(20, start, timeout_ms)
        return not m.gave_up
    finally:
        m.gave_up = False
        m.flushing &= 2


def _owing(m):
    # Whether a link has something to send, or to hear of.
    for link in m.links.slots:
        if link and link.n >= 0 and (link.tx_n or link.unacked or link.state == State.CLOSING):
            m.wake(link)
            return True
    return False


def settle(m, timeout_ms: int = 10000) -> bool:
    """Wait until nothing is under way on the UART; nothing new is asked before the next call.

    Call it before writing flash, which loses what arrives meanwhile. Returns whether that was so in time.
    """
    check_number("timeout_ms", timeout_ms)
    start = ticks_ms()
    m.still = True
    try:
        while m.channel.busy:
            if ticks_diff(ticks_ms(), start) >= timeout_ms:
                return False
            m.wait(20, start, timeout_ms)
        return True
    finally:
        m.still = False


def disconnect(m, *, timeout_ms: int = 150000):
    """Send what is owed, for 10 s at most, close every link, take the context down; a connect() under way is given up.

    ``timeout_ms=0`` starts and returns a Task whose ``done`` and ``error`` tell. OSError(ETIMEDOUT): the module does
    not answer; the context counts as down.
    """
    check_number("timeout_ms", timeout_ms)
    m.may_wait()
    give_up(m)
    tunnel = m.parts.get("tunnel")
    if tunnel:
        tunnel.abandon(errno.ENOTCONN)
    return run(m, _leave(m, min(timeout_ms or _FLUSH_MS, _FLUSH_MS)), timeout_ms, "disconnect")


def _leave(m, ms):
    start = ticks_ms()
    m.flushing |= 1
    try:
        while _owing(m) and ticks_diff(ticks_ms(), start) < ms:
            yield 50
    finally:
        m.flushing &= 2
    m.up = False  # by us
    m.step = "idle"
    m.on_lost(errno.ENOTCONN, "disconnected")
    yield from capability(m, "bringup", False).context_down(m)


def power_down(m, press):
    """By command; where that is not answered, by the key: the steps ``press``."""
    give_up(m)
    m.up = False  # by us
    m.on_lost(errno.ENOTCONN, "switched off")
    m.on = False
    m.step = "off"
    beat = m.__dict__.get("beat")
    if beat:
        beat.deinit()
    try:
        yield m.OFF
    except OSError:
        if m.pwrkey:
            yield from press
            yield 7000
    m.channel.desync = False
    m.off = m.pwrkey and (ticks_ms(),)


def give_up(m):
    """End a connect() that the pump is at."""
    task = m.bringup
    if task and not task.done:
        task.done = True
        task.steps.close()
