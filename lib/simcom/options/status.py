"""The longer answers of ``status()``: steps for the pump, by the command that is asked."""

from ..supported import need, start_only
from ..pump import ATError
from ..links import State
from ..lazy import capability, once
from ..query import fields, flag, perhaps, query


def _number(line):
    return int(fields(line)[0])


def _numbers(line):
    return [int(each) for each in fields(line)]


def _context(line):
    cid, kind, apn = fields(line)[:3]
    return int(cid), kind, apn


def get_sim(m):
    """AT+CPIN?: "READY", "SIM PIN", "SIM PUK", …; ATError (ENODEV) without a card."""
    return (yield from query(m, b"AT+CPIN?", once("bringup.card").sim))[-1]


def get_attached(m):
    """AT+CGATT?: whether the packet service has us."""
    return (yield from query(m, b"AT+CGATT?", flag))[-1]


def get_system(m):
    """AT+CPSI?: a list of str as the module words it: system mode, operation mode, operator, area, cell, …"""
    need(m, "AT+CPSI")
    return _system(m)


def _system(m):
    return (yield from query(m, b"AT+CPSI?", fields))[-1]


def get_function(m):
    """AT+CFUN?: 0 minimum, 1 full, 4 radio off."""
    return (yield from query(m, b"AT+CFUN?", _number))[-1]


def get_contexts(m):
    """AT+CGDCONT?: a list of (cid, type, apn)."""
    return (yield from perhaps(m, b"AT+CGDCONT?", _context))


def get_context(m):
    """The state of what sockets need, in the words of the documents.

    SIM800, SIM7000: STATE: of AT+CIPSTATUS ("IP INITIAL", "IP STATUS", "IP PROCESSING", "PDP DEACT", …); SIM7028,
    A76XX: AT+NETOPEN?, "OPEN" or "CLOSED".
    """
    return capability(m, "options").context(m)


def get_links(m):
    """A list of (n, type, host, port, state, server, bearer), one for every link of the module, used or not.

    SIM800, SIM7000: states of AT+CIPSTATUS ("INITIAL", "CONNECTING", "CONNECTED", "REMOTE CLOSING", "CLOSING",
    "CLOSED"); SIM7028, A76XX: AT+CIPOPEN?, "CONNECTED" or "INITIAL". ``server``: the index of the server whose client
    it is, None for others, and where the module does not tell (SIM800, SIM7000). ``bearer``: 1 in the second context
    (SIM7080: the number of its context).
    """
    return capability(m, "options").links(m)


def get_waiting(m):
    """AT+CIPRXGET=4 for every connected link: a list of (n, bytes that wait in the module); none do by direct push."""
    need(m, "unread count")
    return _each(m, b"AT+CIPRXGET=4,%d", _waiting)


def _waiting(n, answer):
    return n, answer[-1]


def get_room(m):
    """AT+CIPSEND?, AT+CASEND of every connected link: how many bytes the module takes now, {link number: bytes}."""
    cmd = capability(m, "options").ROOM
    if not cmd:
        start_only(m, "AT+CIPSEND?")
    return _room(m, cmd)


def _room(m, cmd):
    if b"%" in cmd:
        return dict((yield from _each(m, cmd, _waiting)))
    try:
        return dict([([0] + row)[-2:] for row in (yield from query(m, cmd, _numbers))])
    except ATError:  # no link is open
        return {}


def get_registrations(m):
    """A dict: what AT+CREG?, AT+CGREG? and AT+CEREG? say, for each that this firmware has: <stat> of TS 27.007."""
    stat = once("bringup.registration").stat
    found = {}
    for name in ("CREG", "CGREG", "CEREG"):
        try:
            found[name] = (yield from query(m, b"AT+%s?" % name.encode(), stat))[-1]
        except OSError as e:
            if not hasattr(e, "line"):  # no answer at all
                raise
    return found


def get_servers(m):
    """A list of (index, port) of the servers that listen."""
    return capability(m, "options").servers(m)


def get_acknowledged(m):
    """AT+CIPACK, AT+CAACK for every connected link: a list of (n, sent, acknowledged, received), in bytes.

    None for what a family does not count: SIM800 and SIM7000 know nothing of received bytes, SIM7028 and A76XX nothing
    of acknowledged ones. Datagrams are never acknowledged.
    """
    return _each(m, getattr(m, "ACK", b"AT+CIPACK=%d"), capability(m, "options").counts)


def _each(m, cmd, row):
    # What ``row`` makes of the number and the answer of each connected link.
    found = []
    for link in m.links.slots:
        if link and link.state == State.OPEN:
            n = link.n
            try:
                asked = cmd % n if m.mux else (cmd % n).replace(b",0", b"")  # of AT+CIPRXGET
                answer = (yield from query(m, asked, _numbers))[-1]
            except OSError:  # closed meanwhile
                continue
            found.append(row(n, answer))
    return found
