"""Settings of the module's TCP/IP stack that a program may want otherwise: checked, sent, sent again by connect()."""

from .aterror import ATError
from .lacks import more, need
from .checks import check_number, check_text
from .query import fields, query

_TIMES = "settings of time-outs"


def keep(m, cmd):
    """The steps that send ``cmd`` if the module is on, and have every later connect() send it."""
    if m.on:
        yield cmd
    remember(m, cmd)


def remember(m, cmd):
    """connect() sends ``cmd``, instead of what it sent with that name, before the context is raised."""
    name = cmd[: cmd.find(b"=") + 1]
    known = [each.startswith(name) for each in m.SETTINGS]
    at = known.index(True) if True in known else len(known)
    m.SETTINGS = m.SETTINGS[:at] + (cmd,) + m.SETTINGS[at + 1 :]


def after(m, name, steps):
    """connect() does ``steps(modem)`` when the context is up, instead of those of that name."""
    m.extra = [each for each in m.extra if each[0] != name] + [(name, steps)]


def _numbers(what, values, least, low, high):
    if isinstance(values, int):
        values = (values,)
    if not isinstance(values, (tuple, list)) or not least[0] <= len(values) <= least[1]:
        raise ValueError("%s: %d numbers from %d to %d, not %r" % (what, least[1], low, high, values))
    for value in values:
        check_number(what, value, low, high)
    return values


def set_dns(m, addresses):
    """``(primary[, secondary])``, or one address as a str: AT+CDNSCFG."""
    if isinstance(addresses, str):
        addresses = (addresses,)
    if not isinstance(addresses, (tuple, list)) or not 1 <= len(addresses) <= 2:
        raise ValueError('dns: one or two addresses, as ("1.1.1.1", "8.8.8.8"), not %r' % (addresses,))
    for address in addresses:
        check_text("dns", address, 45, '", ;')
        digits = "0123456789abcdefABCDEF.:" if ":" in address else "0123456789."
        if (address.count(".") != 3 and ":" not in address) or address.strip(digits):
            raise ValueError("dns: %r is no address" % address)
    return _dns(m, more(m).dns(m, addresses))


def _dns(m, cmd):
    remember(m, cmd)
    try:
        if m.on:
            yield cmd
    except ATError:
        plain = cmd.replace(b'"', b"")
        try:
            yield plain
            remember(m, plain)
        except ATError:
            if not m.up:  # else it is taken before the context is raised
                raise


def get_dns(m):
    """AT+CDNSCFG?: the addresses of the name servers, a tuple of str."""
    found = []
    for addresses in (yield from query(m, b"AT+CDNSCFG?", more(m).dns_of, 0, True)):
        found += addresses
    return tuple(found)


def set_pdp_type(m, kind):
    """ "IP" or "IPV6", from the next connect() on: AT+CGDCONT, AT+CSOCKSETPN."""
    if kind not in ("IP", "IPV6"):
        raise ValueError('pdp_type: "IP" or "IPV6", not %r' % (kind,))
    if kind != "IP":
        need(m, "IPv6")
    if "IPv6" not in m.LACKS:
        return _pdp_type(m, kind)


def _pdp_type(m, kind):
    m.PDP = kind.encode()
    remember(m, b"AT+CSOCKSETPN=1,%d" % (6 if kind == "IPV6" else 1))
    yield 0


def set_timeouts(m, values):
    """``(network, open, send)``: ms, 3000 to 120000 each: AT+CIPTIMEOUT."""
    need(m, _TIMES)
    return keep(m, b"AT+CIPTIMEOUT=%d,%d,%d" % tuple(_numbers("timeouts", values, (3, 3), 3000, 120000)))


def get_timeouts(m):
    """AT+CIPTIMEOUT?: (network, open, send) in ms."""
    need(m, _TIMES)
    return _timeouts(m)


def _timeouts(m):
    return (yield from query(m, b"AT+CIPTIMEOUT?", _three))[-1]


def _three(line):
    values = tuple([int(each) for each in fields(line)])
    if len(values) != 3:
        raise ValueError
    return values


def set_retries(m, count):
    """How often a packet is sent again, 0 to 10: the first number of AT+CIPCCFG, whose others are the driver's."""
    need(m, _TIMES)
    (count,) = _numbers("retries", count, (1, 1), 0, 10)
    for cmd in m.SETTINGS:
        if cmd.startswith(b"AT+CIPCCFG="):
            return keep(m, b"AT+CIPCCFG=%d%s" % (count, cmd[cmd.find(b",") :]))


def set_acknowledge(m, flag):
    """True: a write returns when the peer has what was written: AT+CIPQSEND=0, AT+CIPSENDMODE=1."""
    if flag not in (0, 1):
        raise ValueError("acknowledge: True or False, not %r" % (flag,))
    return _acknowledge(m, *more(m).acknowledge(bool(flag)))


def _acknowledge(m, ms, cmd):
    yield from keep(m, cmd)
    m.SEND_MS = ms
