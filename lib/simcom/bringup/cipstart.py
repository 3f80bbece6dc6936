"""The PDP context in the CIPSTART dialect, loaded for bring-up."""

import errno

from ..lazy import once

_query = once("query")
fields = _query.fields
query = _query.query

SHUT = (b"AT+CIPSHUT", 65000, (b"SHUT OK",))


def context_up(m, apn, user, key):
    """From whatever state to IP STATUS."""
    known = ""
    if apn == ():
        try:
            known = (yield from query(m, b"AT+CSTT?", _account))[-1]
        except OSError as e:
            if e.errno == errno.ETIMEDOUT:
                raise
    yield from context_down(m)  # whatever an earlier life left open
    yield from once("bringup.optional").settings(m)
    if apn == ():
        yield ("AT+CSTT=" + known if known else "AT+CSTT").encode()
        yield b"AT+CIICR", 85000
    else:
        yield from account(apn, user or "", key or "", m.__dict__.get("keyed"))
        m.keyed = bool(user or key)
    yield from context_check(m)


def _account(line):
    return line.split(":", 1)[1].strip()


def account(apn, user, key, keyed=False):
    """From IP INITIAL to IP GPRSACT. ``keyed``: the module may remember an earlier user."""
    cmd = 'AT+CSTT="%s"' % apn
    if user or key or keyed:
        cmd += ',"%s","%s"' % (user, key)
    try:
        yield cmd.encode()
    except OSError as e:
        if apn or user or key or not hasattr(e, "line"):
            raise
        yield b"AT+CSTT"  # the network's own
    yield b"AT+CIICR", 85000


def context_check(m):
    """Read the address; ATError when there is no context. Only then is the module in IP STATUS."""
    if m.up and not m.mux and b"AT+CIPQSEND=1" in m.SETTINGS:
        # A module that has restarted raises one by itself for AT+CIPSTART, and has forgotten all that it was told.
        if not (yield from query(m, b"AT+CIPQSEND?", _number))[-1]:
            raise m.refusal("+CIPQSEND: 0: the module restarted")
    m.address = (yield from query(m, b"AT+CIFSR", address, 10000, (b".",)))[-1]


def _number(line):
    return int(fields(line)[0])


def address(line):
    """What AT+CIFSR says: nothing but an IPv4 address."""
    if [part for part in line.split(".") if not part.isdigit() or int(part) > 255] or line.count(".") != 3:
        raise ValueError
    return line


def context_down(m):
    """To IP INITIAL; legal in any state."""
    second = m.parts.get("contexts")  # PDP context
    if second:
        yield from second.down()
    try:
        yield SHUT
    except OSError:  # +PDP: DEACT can come in place of SHUT OK
        yield SHUT
