"""Loading in a program with several threads: one file at a time."""

from _thread import allocate_lock, get_ident

import simcom.lazy as lazy

_lock = allocate_lock()
_plain = lazy.load
_owner = None  # the thread that loads: what it loads may load more


def _load(name, m=None, keep=True):
    global _owner
    if _owner == get_ident():
        return _plain(name, m, keep)
    with _lock:
        try:
            _owner = get_ident()
            return _plain(name, m, keep)
        finally:
            _owner = None


def guard():
    """From here on whoever loads a file waits while another thread does."""
    lazy.load = _load
