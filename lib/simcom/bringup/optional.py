"""What a module need not take or tell: a refusal is noted, for ``status("refused")``, or met, and ends nothing."""

from ..lazy import once


def settings(m):
    """Send all that config() was given."""
    for name in list(m.optional):
        yield from tried(m, name, m.optional[name])


def tried(m, name, commands):
    """Send ``commands`` until one is taken, which alone is sent from then on; returns whether one was."""
    for cmd in commands:
        try:
            yield cmd
        except OSError as e:
            if not hasattr(e, "line"):  # no answer at all
                raise
            note(m, name, e.args[1])
        else:
            note(m, name)
            if name in m.optional:
                m.optional[name] = (cmd,)
            return True
    return False


def note(m, name, why=""):
    """Note why the module refused what is called ``name``; no longer when there is no reason."""
    known = dict(m.__dict__.get("refusals") or {})
    known.pop(name, None)
    if why:
        known[name] = why
    m.refusals = known


def told(m, cmd):
    """Steps when AT+NETOPEN or AT+NETCLOSE is not reported: ``m.net`` is 0 when the network is as ``cmd`` wants it."""
    card = once("bringup.card")
    state = yield from card.asked(b"AT+NETOPEN?", card.attached)  # 0 or 1 as well
    if m.net is None and state[-1:] == [cmd == b"AT+NETOPEN"]:
        m.net = 0
