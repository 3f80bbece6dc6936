"""Hitches of bring-up that few modules have, loaded by the first."""

from .pump import once

_card = once("card")


def again(m, cmd, e):
    """Steps after the refusal ``e`` of ``cmd``, an APN, as while the context of an earlier program is up: once more,
    without context and packet service. Who asked for it attaches anew."""
    _card.refusal(e)
    yield from once("context_" + m.DIALECT).context_down(m)
    yield b"AT+CGATT=0", 75000
    yield cmd


def told(m, cmd):
    """Steps when AT+NETOPEN or AT+NETCLOSE is not reported: ``m.net`` is 0 when the network is as ``cmd`` wants it."""
    state = yield from _card.asked(b"AT+NETOPEN?", _open)
    if m.net is None and state[-1:] == [cmd == b"AT+NETOPEN"]:
        m.net = 0


def _open(line):
    return ("0", "1").index(_card.fields(line)[0]) == 1
