"""What happened, and how often."""

from time import ticks_diff, ticks_ms

_NAMES = ("strays", "resynchronisations", "restarts", "callbacks dropped", "callbacks failed")
_WARNING_MS = 60000  # a module in need warns every few seconds


def counted(m, what, n=1):
    """``what`` happened ``n`` times more."""
    m.counts[what] = m.counts.get(what, 0) + n


def get_counters(m):
    """A dict: how often since the object was made "strays" (lines that nobody knew), "resynchronisations" (after an
    answer that did not come, or lost bytes), "restarts" (of the module, while the context was up), "contexts lost",
    "callbacks dropped", "callbacks failed"; payload bytes "received" and "sent", modulo 2**30.
    """
    yield 0
    found = {name: m.counts.get(name, 0) for name in _NAMES}
    found["contexts lost"] = m.losses
    found["received"] = m.came
    found["sent"] = m.went
    return found


def get_voltage(m):
    """How the module warned of its supply in the last minute: "UNDER-VOLTAGE WARNNING", as it writes it; "": not."""
    yield 0
    when, what = m.__dict__.get("voltage") or (0, "")
    return what if ticks_diff(ticks_ms(), when) < _WARNING_MS else ""
