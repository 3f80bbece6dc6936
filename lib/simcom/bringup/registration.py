"""Where the module stands in the network."""

from ..lazy import once

_query = once("query")
fields = _query.fields
query = _query.query
refusal = _query.refusal

REGISTERED = (1, 5, 9, 10)  # <stat>: home, roaming; the same, in LTE with a preference of its own for calls
# Of two commands' words the later in this order counts: unknown, idle, denied, limited service, searching.
_ORDER = b"\x04\x00\x03\x0b\x08\x07\x06\x02"


def stat(line):
    """<stat>. A read answers <n>,<stat>[,"lac"…]; a URC that comes between says <stat>[,"lac"…]."""
    row = fields(line)
    return int(row[1 if len(row) > 1 and row[1].isdigit() else 0])


def _rssi(line):
    return int(fields(line)[0])


def registration(m):
    """<stat> of the commands of REGISTRATION together."""
    state = 4
    for cmd in m.REGISTRATION:
        try:
            for said in (yield from query(m, cmd, stat)):
                if said in REGISTERED:
                    return said
                if _ORDER.find(bytes((said,))) > _ORDER.find(bytes((state,))):
                    state = said
        except OSError as e:
            refusal(e)
    return state


def signal(m):
    """RSSI in dBm, None when the module does not know it; noted for print(modem)."""
    rssi = (yield from query(m, b"AT+CSQ", _rssi))[-1]
    m.dbm = 2 * rssi - 113 if rssi < 32 else None
    return m.dbm
