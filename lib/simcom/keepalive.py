"""Keep-alive probes of the module's TCP, the same for all links."""

from .lacks import more
from .netconf import after


def change(m, which, value, later):
    """Set one of on, idle time (s), interval (s), count; sent at once when the context is up, and by every connect().

    ``later``: leave it to the pump.
    """
    values = getattr(m, "keepalive", None)
    if not values:
        values = m.keepalive = [0, 7200, 75, 9]
    if which and value < 1:
        raise ValueError("keep-alive: at least 1")
    was = values[0]
    values[which] = int(bool(value)) if not which else value
    after(m, "keepalive", steps)
    if m.up and (was or values[0]):
        task = steps(m)
        if later:
            m.start(task)
        else:
            m.run(task)


def steps(m):
    """Tell the module."""
    yield more(m).keepalive(*m.keepalive)
