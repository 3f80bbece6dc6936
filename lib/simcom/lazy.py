"""The one loader: what is used seldom lies in files that are loaded when it is used."""

import errno
import sys

kept: dict = {}  # {name: module}: what preload() keeps


def load(name, m=None, keep=True):  # threads.py has another
    """The module ``simcom.<name>``. ImportError: which list of mip has it; OSError: the family of ``m`` lacks it.
    Without ``keep`` it is for one use: unless preload() has it, nothing does, and its heap is free again afterwards."""
    try:
        module = __import__("simcom." + name, None, None, ["*"])
        if not keep and name not in kept:
            del sys.modules["simcom." + name]
            delattr(sys.modules["simcom"], name)
        return module
    except MemoryError:
        raise OSError(errno.ENOMEM, "no room to load simcom." + name)
    except ImportError as e:
        from .registry import absent

        raise absent(name, e, m)


def once(name):
    """The module ``simcom.<name>`` for one use."""
    return load(name, None, False)


def capability(m, name, keep=True):
    """The file with what the dialect of ``m`` words in its own way about ``name``."""
    return load(name + "_" + m.DIALECT, m, keep)


loader = once  # background.py has another


def method(name: str):
    """A method ``name`` that loads itself; whoever only looks it up loads nothing."""

    def first(self, *args, **kwargs):
        return loader("registry").function(self, name)(self, *args, **kwargs)

    return first
