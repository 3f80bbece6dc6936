"""Holds every change of a link's state to the table that the docstring of links.State is."""

import re

import shim

shim.install()

from simcom.links import Link, State  # noqa: E402


def table():
    """{state: those that it can change to}"""
    allowed = {}
    for old, new in re.findall(r"^ *([A-Z]+) -> ([A-Z, ]+)", State.__doc__, re.MULTILINE):
        allowed.setdefault(getattr(State, old), set()).update(getattr(State, each) for each in new.split(", "))
    return allowed


def hold():
    """From here a change that the table does not allow is an AssertionError, which no pump catches."""
    allowed, change = table(), Link.to

    def to(link, state):
        assert state == link.state or state in allowed[link.state], "a link changes from %d to %d" % (link.state, state)
        change(link, state)

    Link.to = to
