"""The one loader: what is used seldom lies in files that are loaded when it is used."""

import errno
import sys

kept: dict = {}  # {name: module}: what preload() keeps


def load(name, m=None, keep=True):  # threads.py has another
    """The module ``simcom.<name>``. ImportError: which list of mip has it; OSError: the family of ``m`` lacks it.
    Without ``keep`` it is for one use: unless preload() has it, nothing does, and its heap is free again afterwards."""
    full = "simcom." + name
    try:
        module = __import__(full, None, None, ["*"])
        if not keep and name not in kept:
            del sys.modules[full]
            folder, last = full.rsplit(".", 1)
            delattr(sys.modules[folder], last)
        return module
    except MemoryError:
        raise OSError(errno.ENOMEM, "no room to load " + full)
    except ImportError as e:
        from .registry import absent

        raise absent(name, e, m)


def once(name):
    """The module ``simcom.<name>`` for one use."""
    return load(name, None, False)


def capability(m, name, keep=True):
    """What the dialect of ``m`` words in its own way: its file in the folder ``name``."""
    return load(name + "." + m.DIALECT, m, keep)


loader = once  # modes/background.py has another


def method(name: str):
    """A method ``name`` that loads itself; whoever only looks it up loads nothing."""

    def first(self, *args, **kwargs):
        return loader("registry").function(self, name)(self, *args, **kwargs)

    return first
