"""What a module need not take or tell: a refusal is noted, for ``status("refused")``, or met, and ends nothing."""

from micropython import const

from ..lazy import once

_query = once("query")
asked = _query.asked
flag = _query.flag
refusal = _query.refusal

# What a module does anyway, or that sockets go without: from the seventh byte of the command.
_USUAL = const(b'MODE=0 QSEND=1 SPRT=1 SENDMODE=0 RIP=0 CCFG=10,0, FG="ASYNCO')


def settings(m, tell=None, more=()):
    """Send what the driver wants, by ``tell(m, cmd)`` where that is given, and all that config() was given."""
    for cmd in m.SETTINGS + more:
        try:
            if tell:
                yield from tell(m, cmd)
            else:
                yield cmd
        except OSError as e:
            if not hasattr(e, "line") or cmd[6:16] not in _USUAL:
                m.step = "context settings"
                raise
            note(m, cmd.decode(), e.args[1])
    for name in list(m.__dict__.get("optional") or ()):
        yield from tried(m, name, m.optional[name])


def tried(m, name, commands):
    """Send ``commands`` until one is taken, which alone is sent from then on; returns whether one was."""
    for cmd in commands:
        try:
            yield cmd
        except OSError as e:
            refusal(e)
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
    state = yield from asked(b"AT+NETOPEN?", flag)
    if m.net is None and state[-1:] == [cmd == b"AT+NETOPEN"]:
        m.net = 0
