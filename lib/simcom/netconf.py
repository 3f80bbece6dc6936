"""Settings of the module's TCP/IP stack that a program may want otherwise: checked, sent, sent again by connect()."""

from .supported import need
from .checks import check_number, check_text
from .lazy import capability
from .pump import ATError
from .query import fields, query

_TIMES = "settings of time-outs"


def keep(m, cmd):
    """The steps that send ``cmd`` if the module is on, and have every later connect() send it if it was taken."""
    if m.on:
        yield cmd
    remember(m, cmd)


def remember(m, *commands):
    """connect() sends the command, instead of what it sent with that name, before the context is raised.

    What the driver does not need is optional: of several ``commands`` the first that is taken; none: no matter.
    """
    name = commands[0][: commands[0].find(b"=") + 1]
    known = [each.startswith(name) for each in m.SETTINGS]
    if True in known:
        at = known.index(True)
        m.SETTINGS = m.SETTINGS[:at] + commands[:1] + m.SETTINGS[at + 1 :]
    else:
        forget(m, str(name, "ascii"))
        m.optional[str(name, "ascii")] = commands


def forget(m, name):
    """connect() sends nothing with that name any more, unless the driver needs it."""
    m.optional = dict(m.__dict__.get("optional") or {})
    m.optional.pop(name, None)


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
    """``(primary[, secondary])``, or one address as a str: AT+CDNSCFG. None: the network's own, from the next context
    of a module that has restarted on."""
    if addresses is None:
        return forget(m, "AT+CDNSCFG=")
    if isinstance(addresses, str):
        addresses = (addresses,)
    if not isinstance(addresses, (tuple, list)) or not 1 <= len(addresses) <= 2:
        raise ValueError('dns: one or two addresses, as ("1.1.1.1", "8.8.8.8"), not %r' % (addresses,))
    addresses = [check_text("dns", address, 45, '", ;') for address in addresses]
    for address in addresses:
        digits = "0123456789abcdefABCDEF.:" if ":" in address else "0123456789."
        if (address.count(".") != 3 and ":" not in address) or address.strip(digits):
            raise ValueError("dns: %r is no address" % address)
    return _dns(m, capability(m, "options").dns(m, addresses))


def _dns(m, cmd):
    from .optional import tried

    commands = (cmd, cmd.replace(b'"', b""))  # not every module takes quotes
    was = m.__dict__.get("optional")
    remember(m, *commands)
    if m.on and not (yield from tried(m, "AT+CDNSCFG=", commands)) and not m.up:
        m.optional = was
        raise ATError(str(cmd, "ascii"), "ERROR")
    # While the context is up it may be too late for it: the next connect() tells.


def get_dns(m):
    """AT+CDNSCFG?: the addresses of the name servers, a tuple of str."""
    found = []
    for addresses in (yield from query(m, b"AT+CDNSCFG?", capability(m, "options").dns_of, 0, True)):
        found += addresses
    return tuple(found)


def get_refused(m):
    """What the module did not take of keep-alive and of config(), a list of str."""
    yield 0
    return list((m.__dict__.get("refusals") or {}).values())


def set_timeouts(m, values):
    """``(network, open, send)``: ms, 3000 to 120000 each: AT+CIPTIMEOUT. None: no longer ours."""
    need(m, _TIMES)
    if values is None:
        return forget(m, "AT+CIPTIMEOUT=")
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
    """How often a packet is sent again, 0 to 10: the first number of AT+CIPCCFG. None: as the module has it."""
    need(m, _TIMES)
    if count is not None:
        (count,) = _numbers("retries", count, (1, 1), 0, 10)
    return _retries(m, count)


def _retries(m, count):
    was = m.__dict__.get("retries")
    m.retries = count
    try:
        if m.on and count is not None:
            for cmd in m.SETTINGS:
                if cmd.startswith(b"AT+CIPCCFG="):
                    yield from capability(m, "context", False).context_setting(m, cmd)
    except OSError:
        m.retries = was
        raise


def set_acknowledge(m, flag):
    """True: a write returns when the peer has what was written: by AT+CIPSENDMODE=1, or as AT+CIPACK tells."""
    if flag not in (0, 1):
        raise ValueError("acknowledge: True or False, not %r" % (flag,))
    return _acknowledge(m, bool(flag))


def _acknowledge(m, flag):
    if m.DIALECT == "open":
        yield from keep(m, b"AT+CIPSENDMODE=%d" % flag)
    else:  # AT+CIPQSEND=0 would keep the module from everything else until the peer answers, eleven minutes if need be
        yield 0
    m.flushing = 2 * flag
