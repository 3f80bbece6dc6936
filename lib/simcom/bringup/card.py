"""The SIM card: switched on, unlocked with the PIN once, and never locked by us."""

import errno

from ..lazy import once

_query = once("query")
asked = _query.asked
fields = _query.fields
query = _query.query
refusal = _query.refusal


def sim(line):
    """What AT+CPIN? says: words, "PH-SIM PIN", "SIM PUK2", "SIM not inserted"."""
    state = ", ".join(fields(line))
    if not state or state.upper().strip("ABCDEFGHIJKLMNOPQRSTUVWXYZ -,2"):
        raise ValueError
    return state


def _level(line):
    return int(fields(line)[0])


def ready(m):
    """Until there is a card that wants nothing of us."""
    if (yield from asked(b"AT+CFUN?", _level))[-1:] in ([0], [4]):  # an earlier program left it so
        yield b"AT+CFUN=1", 20000
    radio = once("bringup.registration")
    answer = state = ""
    for n in range(20):
        try:
            answer = "+CPIN: " + (yield from query(m, b"AT+CPIN?", sim))[-1]
        except OSError as e:
            answer = refusal(e)
        state = answer.split(":")[-1].strip()
        if state == "READY":
            if m.__dict__.get("given"):  # it was right
                m.pin = m.given
                m.given = ""
            return
        if "PUK" in answer or state == "12" or "PH-" in answer:
            raise OSError(errno.EACCES, answer + ": a PUK is for a phone, PH- locked to a network: ask its seller")
        if state in ("SIM PIN", "SIM PIN required", "11"):
            yield from _unlock(m, answer)
        elif n > 1 and ("ERROR" in answer or "PIN2" in state):
            if (yield from radio.registration(m)) in radio.REGISTERED:
                return  # so there is one
        yield 1000
    if state == "14" or "busy" in state:  # for ever: registration tells
        return
    if m.__dict__.get("given"):
        raise OSError(errno.EACCES, answer + " still after pin= was given, which is not tried again")
    raise OSError(errno.ENODEV, answer + ": is a SIM card in?")


def _unlock(m, answer):
    # At most once until the card has said that it was right, whatever happens: three wrong ones lock it.
    if m.__dict__.get("given"):
        return
    why = "%s: pin= is missing or wrong: give the modem the right one, or the card, by at('+CPIN=\"...\"')"
    if not m.pin:
        raise OSError(errno.EACCES, why % answer)
    left = yield from _tries(m)
    if left is not None and left < 2:
        raise OSError(errno.EACCES, (why % answer) + ", which has %d tries left" % left)
    m.given = m.pin
    m.pin = ""
    try:
        yield b'AT+CPIN="%s"' % m.given.encode()
    except OSError as e:
        line = refusal(e)
        if line.endswith(" 16") or "incorrect" in line:
            m.given = ""
            raise OSError(errno.EACCES, why % line)


def _tries(m):
    """How many wrong PINs the card still forgives; None: the module tells nobody."""
    for cmd in (b"AT+SPIC", b"AT+CPINR"):
        for _ in range(3):  # a refusal may be another command's
            try:
                return min((yield from query(m, cmd, _left)))
            except OSError as e:
                if e.errno != errno.EIO:  # a bare OK tells nothing either
                    refusal(e)
    return None


def _left(line):
    row = fields(line)
    if row[0].isdigit():  # +SPIC: PIN, PUK, …
        return int(row[0])
    return int(row[1]) if row[0] == "SIM PIN" else 99  # +CPINR: name, left, …
