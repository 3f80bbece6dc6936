"""What a module need not take or tell: a refusal is noted, for ``status("refused")``, or met, and ends nothing."""

from time import ticks_ms

from micropython import const

from .channel import passed
from .pump import once

_REPORT_MS = const(10000)  # as in tcpip.py
_CLOSE_MS = const(125000)  # AT+CIPCLOSE reports within two minutes


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


def again(m, cmd, e):
    """Steps after the refusal ``e`` of ``cmd``, an APN, as while the context of an earlier program is up: once more,
    without context and packet service. Who asked for it attaches anew."""
    once("card").refusal(e)
    yield from once("context_" + m.DIALECT).context_down(m)
    yield b"AT+CGATT=0", 75000
    yield cmd


def told(m, cmd):
    """Steps when AT+NETOPEN or AT+NETCLOSE is not reported: ``m.net`` is 0 when the network is as ``cmd`` wants it."""
    card = once("card")
    state = yield from card.asked(b"AT+NETOPEN?", card.attached)  # 0 or 1 as well
    if m.net is None and state[-1:] == [cmd == b"AT+NETOPEN"]:
        m.net = 0


def closed(m, link):
    """Steps when AT+CIPCLOSE is not reported: until the report comes after all, or AT+CIPOPEN? shows the number free,
    which is given last then: the module may be at it yet."""
    start = ticks_ms()
    m.links.last |= link.bit  # until something is reported of it
    while link.report is None and link.n >= 0 and not (link.pending or passed(start, _CLOSE_MS)):
        try:
            for line in (yield from once("card").asked(b"AT+CIPOPEN?", str)):
                row = line[line.find(":") + 1 :].split(",")
                if len(row) == 2:  # a connection's report
                    m.on_line(line.encode(), 0, len(line))
                elif len(row) == 1 and row[0].strip() == str(link.n):
                    return
            yield from m._reported(link, _REPORT_MS)
        except OSError:
            pass
