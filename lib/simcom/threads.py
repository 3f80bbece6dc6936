"""Loading in a program with several threads: one file at a time."""

from _thread import allocate_lock, get_ident

import simcom.pump as pump

_lock = allocate_lock()
_plain = pump.load
_owner = None  # the thread that loads: what it loads may load more


def _load(name, keep=True):
    global _owner
    if _owner == get_ident():
        return _plain(name, keep)
    with _lock:
        try:
            _owner = get_ident()
            return _plain(name, keep)
        finally:
            _owner = None


def guard():
    """From here on whoever loads a file waits while another thread does."""
    pump.load = _load
