"""What the CAOPEN dialect words in its own way and a program seldom asks for."""

from ..query import fields, perhaps, query

RESET = b"AT+CREBOOT"
ROOM = b"AT+CASEND=%d"
# What config() sets by a key of AT+CACFG: which, least, most.
KEYS = {"retries": ("MAXRXT", 1, 16), "resend_ms": ("TCPIRT", 200, 120000)}
_STATES = {0: "REMOTE CLOSING", 1: "CONNECTED", 2: "LISTENING"}


def context(m, pdp=None):
    """The state of our context, or of that with this number, by AT+CNACT?."""
    for n, state in (yield from query(m, b"AT+CNACT?", _context)):
        if n == (m.pdp if pdp is None else pdp):
            return ("DEACTIVE", "ACTIVE", "IN OPERATION")[state]
    return "DEACTIVE"


def _context(line):
    row = fields(line)
    return int(row[0]), ("0", "1", "2").index(row[1])


def links(m):
    """Every link, by AT+CAOPEN? and AT+CASTATE?."""
    found = [(n, "", "", 0, "INITIAL", None, 0) for n in range(m.LINKS)]
    states = {}
    for n, state in (yield from perhaps(m, b"AT+CASTATE?", _state)):
        states[n] = _STATES[state]
        found[n] = (n, "", "", 0, states[n], None, 0)
    for n, pdp, kind, host, port in (yield from perhaps(m, b"AT+CAOPEN?", _link)):
        if n in states:
            found[n] = (n, kind, host, port, states[n], None, pdp)
    return found


def _state(line):
    n, state = fields(line)
    if int(state) not in _STATES:
        raise ValueError
    return int(n), int(state)


def _link(line):
    row = fields(line)
    return int(row[0]), int(row[1]), row[2], row[3], int(row[4])


def servers(m):
    """Every server, by AT+CASERVER?; its index is a link's number."""
    return (yield from perhaps(m, b"AT+CASERVER?", _server))


def _server(line):
    row = fields(line)
    return int(row[0]), int(row[3])


def counts(n, answer):
    """(n, sent, acknowledged, received) of AT+CAACK, whose numbers stand either way round."""
    return n, max(answer), max(answer) - min(answer), None


def keepalive(on, idle_s, interval_s, count):
    """Steps: have idle connections probed, or not.

    Some refuse what differs from what is set. The manual says ms, its ranges are those of seconds.
    """
    off = b'AT+CACFG="KEEPALIVE",0'
    if not on:
        yield off
        return
    times = [min(max(seconds, 30), 86400) for seconds in (idle_s, interval_s)]
    for unit in (1, 1, 1000):
        try:
            yield b'AT+CACFG="KEEPALIVE",1,%d,%d,%d' % (times[0] * unit, times[1] * unit, min(count, 100))
            return
        except OSError as e:
            if unit > 1 or not hasattr(e, "line"):
                raise
        try:
            yield off
        except OSError:
            pass
