"""The longer answers of ``status()``: steps for the pump, by the command that is asked."""

from .supported import need
from .links import State
from .lazy import capability, once
from .query import fields, perhaps, query


def _number(line):
    return int(fields(line)[0])


def _numbers(line):
    return [int(each) for each in fields(line)]


def _context(line):
    cid, kind, apn = fields(line)[:3]
    return int(cid), kind, apn


def get_sim(m):
    """AT+CPIN?: "READY", "SIM PIN", "SIM PUK", …; ATError (ENODEV) without a card."""
    return (yield from query(m, b"AT+CPIN?", once("card").sim))[-1]


def get_attached(m):
    """AT+CGATT?: whether the packet service has us."""
    return (yield from query(m, b"AT+CGATT?", once("card").attached))[-1]


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
    """A list of (n, type, host, port, state), one for every link of the module, used or not.

    SIM800, SIM7000: states of AT+CIPSTATUS ("INITIAL", "CONNECTING", "CONNECTED", "REMOTE CLOSING", "CLOSING",
    "CLOSED"); SIM7028, A76XX: AT+CIPOPEN?, "CONNECTED" or "INITIAL".
    """
    return capability(m, "options").links(m)


def get_servers(m):
    """A list of (index, port) of the servers that listen."""
    return capability(m, "options").servers(m)


def get_acknowledged(m):
    """AT+CIPACK for every connected link: a list of (n, sent, acknowledged, received), in bytes.

    None for what a family does not count: SIM800 and SIM7000 know nothing of received bytes, SIM7028 and A76XX nothing
    of acknowledged ones. Datagrams are never acknowledged.
    """
    return _acknowledged(m, capability(m, "options").counts)


def _acknowledged(m, counts):
    found = []
    for link in m.links.slots:
        if link and link.state == State.OPEN:
            n = link.n
            try:
                answer = (yield from query(m, b"AT+CIPACK=%d" % n, _numbers))[-1]
            except OSError:  # closed meanwhile
                continue
            found.append((n,) + counts(answer))
    return found
