"""Finishing what is owed, before the program sleeps, writes flash or leaves the network."""

import errno
from time import ticks_diff, ticks_ms

from .pump import once

_CLOSING = 4  # Link.state, as in links.py


def flush(m, timeout_ms: int = 10000) -> bool:
    """Wait until the peers have what was written and closed sockets are closed; call it before ``deepsleep``.

    Returns whether that was so in time, also of sockets whose close() did not wait for it.
    """
    if not isinstance(timeout_ms, int) or timeout_ms < 0:
        raise ValueError("timeout_ms: a whole number of ms, 0 or more, not %r" % (timeout_ms,))
    start = ticks_ms()
    m.flushing = True
    try:
        for link in m.links.slots:
            if link:
                m.wake(link)
                while link.n >= 0 and (link.tx_n or link.unacked or link.state == _CLOSING):
                    if ticks_diff(ticks_ms(), start) >= timeout_ms:
                        return False
                    m.wait()
        return not m.gave_up
    finally:
        m.gave_up = False
        m.flushing = False


def settle(m):
    """Wait until nothing is under way on the UART; nothing new is asked before the next call.

    Call it before writing flash, which loses what arrives meanwhile.
    """
    m.still = True
    try:
        while m.channel.busy:
            m.wait()
    finally:
        m.still = False


def disconnect(m):
    """Send what is owed, close every link, take the context down; a connect() under way is given up."""
    m.may_wait()
    once("power").give_up(m)
    flush(m)
    m.on_lost(errno.ENOTCONN, "disconnected")
    m.run(m.context_down())
