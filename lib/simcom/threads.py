"""Loading in a program with several threads: one file at a time."""

from _thread import allocate_lock, get_ident

_lock = allocate_lock()
_plain = None  # lazy.load, as it was
_inside: dict = {}  # threads that load: what they load, or a timer that strikes then, may load more


def _load(name, m=None, keep=True):
    me = get_ident()
    if me in _inside:
        return _plain(name, m, keep)
    _inside[me] = True  # before it has the lock, and still behind it: a timer may strike in between
    try:
        with _lock:
            return _plain(name, m, keep)
    finally:
        del _inside[me]


def guard(lazy):
    """From here on whoever loads a file by ``lazy.load()`` waits while another thread does."""
    global _plain
    if lazy.load is not _load:
        _plain = lazy.load
        lazy.load = _load
