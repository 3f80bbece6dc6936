"""How a call of the program goes with the pump: waits for what that does, or keeps it still."""

import errno
from time import ticks_ms

from .channel import passed


def critical(m, work, *args):
    """``work(*args)``, with every pump meanwhile doing nothing."""
    pumping = m.pumping
    m.pumping = True
    try:
        return work(*args)
    finally:
        m.pumping = pumping


def run(m, steps, timeout_ms: int = 30000, what: str = ""):
    """Wait for a procedure: its result, or what it raises.

    ``timeout_ms=0`` starts it and returns its Task, whose ``done``, ``result`` and ``error`` tell.
    """
    if not timeout_ms:
        return m.start(steps)
    m.may_wait()
    task = m.start(steps)
    start = ticks_ms()
    try:
        while not task.done:
            if passed(start, timeout_ms):
                raise OSError(
                    errno.ETIMEDOUT,
                    "%s: not done after %d ms, at %s, %s" % (what, timeout_ms, m.step, m.command()),
                )
            m.wait(20, start, timeout_ms)
    finally:
        if not task.done:
            task.done = True
            steps.close()
    if task.error:
        raise task.error
    return task.result
