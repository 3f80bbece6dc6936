"""Keep-alive probes of the module's TCP, the same for all links."""

from ..lazy import capability
from .remembered import after
from ..bringup.optional import note
from ..foreground import run

_NAME = "keepalive"


def change(m, which, value, later):
    """Set one of on, idle time (s), interval (s), count; sent at once when the context is up, and by every connect().

    ``later``: leave it to the pump. A module that does not know the command refuses it, and is not asked again.
    """
    values = list(m.__dict__.get(_NAME) or (0, 7200, 75, 9))
    if which and value < 1:
        raise ValueError("keep-alive: at least 1")
    was = values[0]
    values[which] = int(bool(value)) if not which else value
    m.keepalive = values
    if not (was or values[0]):
        return
    after(m, _NAME, again)
    if m.up:
        if later:
            m.start(_first(m, values))
        else:
            run(m, _first(m, values))


def _first(m, values):
    try:
        yield from capability(m, "options").keepalive(*values)
    except OSError as e:
        if hasattr(e, "line"):
            m.keepalive = [0] + values[1:]
            _drop(m)
            note(m, _NAME, e.args[1])
        raise
    _taken(m)


def _taken(m):
    note(m, _NAME)
    if not m.keepalive[0]:
        _drop(m)


def _drop(m):
    m.extra = [each for each in m.extra if each[0] != _NAME]


def again(m):
    """Tell the module once more; a refusal is noted."""
    try:
        yield from capability(m, "options").keepalive(*m.keepalive)
    except OSError as e:
        if not hasattr(e, "line"):  # no answer at all
            raise
        note(m, _NAME, e.args[1])
    else:
        _taken(m)
