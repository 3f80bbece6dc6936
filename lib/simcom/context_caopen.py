"""The PDP context in the CAOPEN dialect, loaded for bring-up."""

import errno

from .lazy import once

_query = once("query")
fields = _query.fields
query = _query.query

_TRIES = 5  # the network may refuse it, and change its mind
_SWITCH = 600  # tenths of a second: +APP PDP comes within a minute
_ON, _BUSY = "1", "2"
_ASYNC = b'AT+CACFG="ASYNCOPEN",1'
_TYPES = {"IP": 1, "IPV6": 2, "IPV4V6": 0}


def context_up(m, apn, user, key):
    """From whatever state to an active context."""
    card = once("card")
    for row in (yield from card.asked(b"AT+CASTATE?", fields)):  # of an earlier program
        try:
            yield b"AT+CACLOSE=%d" % int(row[0]), 10000
        except OSError as e:
            card.refusal(e)
    yield from context_down(m)
    pdp = (m.__dict__.get("cid") or 1) - 1
    if pdp != m.pdp:
        m.pdp = pdp
        yield from context_down(m)
    m.owed = 0
    yield from _account(m, card, apn, user, key)
    for cmd in m.SETTINGS:
        yield cmd
    if m.__dict__.get("optional"):
        yield from once("optional").settings(m)
    try:
        yield _ASYNC
    except OSError as e:  # then other links wait while one is opened
        card.refusal(e)
    for left in range(_TRIES, 0, -1):
        try:
            yield from _switch(m, 1)
            break
        except OSError as e:
            if left == 1 or e.errno == errno.ETIMEDOUT:
                raise
            yield 2000
    yield from context_check(m)


def _account(m, card, apn, user, key):
    # What is not given stays as it is, if there is something.
    if "+CNCFG" in " ".join(m.init).upper() and apn == ():
        return
    now = ()
    for row in (yield from card.asked(b"AT+CNCFG?", fields)):
        if row[0] == str(m.pdp) and len(row) > 4:
            now = row
    if apn == ():
        if now and now[2]:
            return
        apn = ""
    if not apn:  # what the network gives
        given = yield from card.asked(b"AT+CGNAPN", fields)
        apn = given[-1][1] if given and given[-1][0] == "1" else ""
    kind = _TYPES[m.__dict__.get("pdp_type") or "IP"]
    cmd = 'AT+CNCFG=%d,%d,"%s"' % (m.pdp, kind, apn)
    if user or key or (now and (now[3] or now[4])):
        cmd += ',"%s","%s",%d' % (user or "", key or "", 3 if user or key else 0)
    yield cmd.encode()


def _state(line):
    n, state, address = fields(line)[:3]
    if n.isdigit() and state in "012":
        return n, state, address
    raise ValueError


def _asked(m):
    # State and address of our context.
    for n, state, address in (yield from query(m, b"AT+CNACT?", _state)):
        if n == str(m.pdp):
            return state, address
    raise ValueError


def _switch(m, on):
    # OK says nothing, +APP PDP comes before or after it. It may have been lost, or be an older one's.
    m.net = None
    try:
        yield b"AT+CNACT=%d,%d" % (m.pdp, on), 10000, False
    except OSError as e:
        once("card").refusal(e)  # it may be so already
        m.net = False
    for n in range(_SWITCH):
        if m.net is not None or n % 50 == 49:
            heard = m.net == bool(on)
            state, _ = yield from _asked(m)
            if (state == _ON) == bool(on) and state != _BUSY:
                m.parting = not on and not heard
                return
            if m.net is not None and state != _BUSY and not (heard or n < 2):
                break
        yield 100
    code = errno.ETIMEDOUT if m.net is None else errno.EHOSTUNREACH
    raise OSError(code, "AT+CNACT=%d,%d: the context stays as it is" % (m.pdp, on))


def context_check(m):
    """Read the address; ATError when the context is off."""
    state, address = yield from _asked(m)
    if state != _ON:
        raise m.refusal("+CNACT: %d,%s: not active" % (m.pdp, state))
    m.address = address


def context_down(m):
    """Deactivate it, and with it every link."""
    if (yield from _asked(m))[0] != "0":
        yield from _switch(m, 0)
