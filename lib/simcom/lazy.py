"""Methods whose files are loaded when they are first called."""

from .pump import once

loader = once  # background.py has another


def method(name: str):
    """A method ``name`` that loads itself; whoever only looks it up loads nothing."""

    def first(self, *args, **kwargs):
        return loader("extras").function(self, name)(self, *args, **kwargs)

    return first
