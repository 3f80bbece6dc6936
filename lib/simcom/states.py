"""The longer answers of ``status()``: steps for the pump, by the command that is asked."""

from micropython import const

from .lacks import more, need

_OPEN = const(2)  # Link.state, as in links.py


def fields(line):
    """What follows the colon of an information line, cut at commas, without quotes and blanks: a list of str."""
    return [field.strip(' "') for field in line.split(":", 1)[-1].split(",")]


def get_sim(m):
    """AT+CPIN?: "READY", "SIM PIN", "SIM PUK", …; ATError (ENODEV) without a card."""
    return ", ".join(fields((yield b"AT+CPIN?")[-1]))


def get_attached(m):
    """AT+CGATT?: whether the packet service has us."""
    return fields((yield b"AT+CGATT?")[-1]) == ["1"]


def get_system(m):
    """AT+CPSI?: a list of str as the module words it: system mode, operation mode, operator, area, cell, …"""
    need(m, "AT+CPSI")
    return _system()


def _system():
    return fields((yield b"AT+CPSI?")[-1])


def get_function(m):
    """AT+CFUN?: 0 minimum, 1 full, 4 radio off."""
    return int(fields((yield b"AT+CFUN?")[-1])[0])


def get_contexts(m):
    """AT+CGDCONT?: a list of (cid, type, apn)."""
    found = []
    for line in (yield b"AT+CGDCONT?"):
        cid, kind, apn = fields(line)[:3]
        found.append((int(cid), kind, apn))
    return found


def get_context(m):
    """The state of what sockets need, in the words of the documents.

    SIM800, SIM7000: STATE: of AT+CIPSTATUS ("IP INITIAL", "IP STATUS", "IP PROCESSING", "PDP DEACT", …); SIM7028,
    A76XX: AT+NETOPEN?, "OPEN" or "CLOSED".
    """
    return more(m).context(m)


def get_links(m):
    """A list of (n, type, host, port, state), one for every link of the module, used or not.

    SIM800, SIM7000: states of AT+CIPSTATUS ("INITIAL", "CONNECTING", "CONNECTED", "REMOTE CLOSING", "CLOSING",
    "CLOSED"); SIM7028, A76XX: AT+CIPOPEN?, "CONNECTED" or "INITIAL".
    """
    return more(m).links(m)


def get_servers(m):
    """A list of (index, port) of the servers that listen."""
    return more(m).servers(m)


def get_acknowledged(m):
    """AT+CIPACK for every connected link: a list of (n, sent, acknowledged, received), in bytes.

    None for what a family does not count: SIM800 and SIM7000 know nothing of received bytes, SIM7028 and A76XX nothing
    of acknowledged ones. Datagrams are never acknowledged.
    """
    return _acknowledged(m, more(m).counts)


def _acknowledged(m, counts):
    found = []
    for link in m.links.slots:
        if link and link.state == _OPEN:
            n = link.n
            try:
                answer = fields((yield b"AT+CIPACK=%d" % n)[-1])
            except OSError:  # closed meanwhile
                continue
            found.append((n,) + counts([int(each) for each in answer]))
    return found
