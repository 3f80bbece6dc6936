"""The PDP context in the CAOPEN dialect, for bring-up."""

import errno

from micropython import const

from ..lazy import once

_query = once("query")
asked = _query.asked
fields = _query.fields
query = _query.query
refusal = _query.refusal

_SWITCH = const(600)  # tenths of a second, in which +APP PDP comes


def context_up(m, apn, user, key):
    """From any state to an active context."""
    for row in (yield from asked(b"AT+CASTATE?", fields)):  # of an earlier program
        n = int(row[0])
        if not m.links.get(n):
            try:
                yield b"AT+CACLOSE=%d" % n, 10000
            except OSError as e:
                refusal(e)
    yield from context_down(m)
    pdp = (m.__dict__.get("cid") or 1) - 1
    if pdp != m.pdp:
        m.pdp = pdp
        yield from context_down(m)
    m.owed = 0
    yield from raised(m, m, apn, user, key)


def raised(m, who, apn, user, key):
    """Steps: ``who``, modem or other context, gets up."""
    yield from _account(m, who, apn, user, key)
    if who is m:
        cmd = 'AT+CACFG="ASYNCOPEN",1'
        yield from once("bringup.optional").settings(m, None, (cmd.encode(),))
        m.blocks = cmd in (m.__dict__.get("refusals") or ()) or None
    yield from _switch(m, who, True)
    yield from context_check(m, who)


def _account(m, who, apn, user, key):
    # What is not given stays, if there is something.
    if "+CNCFG" in " ".join(m.init).upper() and apn == ():
        return
    now = ("",) * 5
    for row in (yield from asked(b"AT+CNCFG?", fields)):
        if row[0] == str(who.pdp) and len(row) > 4:
            now = row
    if apn == ():
        if now[2]:
            return
        apn = ""
    if not apn:  # what the network gives
        given = yield from asked(b"AT+CGNAPN", fields)
        apn = given[-1][1] if given and given[-1][0] == "1" else ""
    kind = {"IPV6": 2, "IPV4V6": 0}.get(m.__dict__.get("pdp_type"), 1)
    cmd = 'AT+CNCFG=%d,%d,"%s"' % (who.pdp, kind, apn)
    if user or key or now[3] or now[4]:
        cmd += ',"%s","%s",%d' % (user or "", key or "", 3 if user or key else 0)
    yield cmd.encode()


def _state(line):
    n, state, address = fields(line)[:3]
    if n.isdigit() and state in "012":
        return n, state, address
    raise ValueError


def state_of(m, pdp):
    """Steps: the state of a context, "0": off, "1": active, "2": changing, and its address."""
    for n, state, address in (yield from query(m, b"AT+CNACT?", _state)):
        if n == str(pdp):
            return state, address
    raise ValueError


def _switch(m, who, on):
    # OK says nothing, +APP PDP comes before or after it, is lost, or an older one's.
    who.net = None
    try:
        yield b"AT+CNACT=%d,%d" % (who.pdp, on), 10000, False
    except OSError as e:
        refusal(e)  # it may be so already
        who.net = False
    for n in range(_SWITCH):
        if who.net is not None or n % 50 == 49:
            heard = who.net == on
            state, _ = yield from state_of(m, who.pdp)
            if (state == "1") == on and state != "2":
                who.parting = not on and not heard
                return
            if who.net is not None and state != "2" and not (heard or n < 2):
                break
        yield 100
    code = errno.ETIMEDOUT if who.net is None else errno.EHOSTUNREACH
    raise OSError(code, "AT+CNACT=%d,%d: the context stays as it is" % (who.pdp, on))


def context_check(m, who=None):
    """Read the address of ``who``, else of the modem; ATError when it is off."""
    who = who or m
    state, address = yield from state_of(m, who.pdp)
    if state != "1":
        raise m.refusal("+CNACT: %d,%s: not active" % (who.pdp, state))
    who.address = address


def context_down(m):
    """Deactivate it, with every link; and those beside it that are not to be up."""
    others = m.parts.get("contexts")
    if others:
        yield from others.down()
    yield from lowered(m, m)


def lowered(m, who):
    """Steps: ``who`` is off."""
    if (yield from state_of(m, who.pdp))[0] != "0":
        yield from _switch(m, who, False)
