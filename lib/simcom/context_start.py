"""The PDP context in the CIPSTART dialect, loaded for bring-up."""

from .pump import once

_query = once("query")
fields = _query.fields
query = _query.query

SHUT = (b"AT+CIPSHUT", 65000, (b"SHUT OK",))


def context_up(m, apn, user, key):
    """From whatever state to IP STATUS."""
    yield from context_down(m)  # whatever an earlier life left open
    for cmd in m.SETTINGS:
        yield cmd
    yield from account(apn, user, key)
    yield from context_check(m)


def account(apn, user, key):
    """From IP INITIAL to IP GPRSACT."""
    cmd = 'AT+CSTT="%s"' % apn
    if user or key:
        cmd += ',"%s","%s"' % (user, key)
    yield cmd.encode()
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
    second = m.__dict__.get("second")  # PDP context
    if second:
        yield from second.down()
    try:
        yield SHUT
    except OSError:  # +PDP: DEACT can come in place of SHUT OK
        yield SHUT
