"""Settings of the module's TCP/IP stack that a program may want otherwise."""

import errno

from ..supported import need, start_only
from ..checks import check_number, check_text
from ..lazy import capability
from ..pump import ATError
from ..query import fields, query
from .remembered import forget, keep, remember

_TIMES = "settings of time-outs"


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
    version = b""
    if m.DIALECT == "cipopen" and ":" in addresses[0]:
        addresses = (addresses * 2)[:2]  # the version stands behind two of them
        version = b",1"
    return _dns(m, b'AT+CDNSCFG="%s"%s' % ('","'.join(addresses).encode(), version))


def _dns(m, cmd):
    from ..bringup.optional import tried

    commands = (cmd, cmd.replace(b'"', b""))  # not every module takes quotes
    was = m.__dict__.get("optional")
    remember(m, *commands)
    if m.on and not (yield from tried(m, "AT+CDNSCFG=", commands)) and not m.up:
        m.optional = was
        raise ATError(str(cmd, "ascii"), "ERROR")
    # While the context is up it may be too late: the next connect() tells.


def get_dns(m):
    """AT+CDNSCFG?: the addresses of the name servers, a tuple of str."""
    found = []
    for addresses in (yield from query(m, b"AT+CDNSCFG?", _servers, 0, True)):
        found += addresses
    return tuple(found)


def _servers(line):
    # Zeros where none is set; IPv6 stands behind IPv4.
    found = [part.split(":", 1)[1].strip() for part in line.split(",") if "DNS:" in part.upper()]
    if not found:
        raise ValueError
    return found


def get_refused(m):
    """What the module did not take of keep-alive and of config(), a list of str."""
    yield 0
    return list((m.__dict__.get("refusals") or {}).values())


def set_timeouts(m, values):
    """``(network, open, send)``: ms, 3000 to 120000 each: AT+CIPTIMEOUT. None: no longer ours; None for one of them: as
    it is."""
    need(m, _TIMES)
    if values is None:
        m.parts.pop("timeouts", None)
        return forget(m, "AT+CIPTIMEOUT=")
    given = values
    if isinstance(values, (tuple, list)) and len(values) == 3:
        given = [value for value in values if value is not None]
    _numbers("timeouts", given, (3 if given is values else 1, 3), 3000, 120000)
    return _keep_timeouts(m, values)


def _keep_timeouts(m, values):
    was = m.parts.get("timeouts") or ("",) * 3
    values = [old if new is None else str(new) for old, new in zip(was, values)]
    yield from keep(m, b"AT+CIPTIMEOUT=" + ",".join(values).rstrip(",").encode())
    m.parts["timeouts"] = values


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


# Fields of AT+CIPCCFG: name, place, least, most.
_RETRIES = ("retries", 0, 0, 10)
_DELAY = ("delay_ms", 1, 0, 1000)
_TEXTS = ("error_texts", 3, 0, 1)
_HEADERS = ("link_headers", 4, 0, 1)
_ASYNC = ("async_mode", 5, 0, 1)
_RESEND = ("resend_ms", 6, 500, 120000)


def set_retries(m, count):
    """How often a packet is sent again, 0 to 10: NmRetry of AT+CIPCCFG; SIM7080: 1 to 16: MAXRXT of AT+CACFG. None: as
    the module has it."""
    return _field(m, count, *_RETRIES)


def set_delay_ms(m, ms):
    """How long received data is held back, 0 to 1000: DelayTm of AT+CIPCCFG. None: as the module has it."""
    return _field(m, ms, *_DELAY)


def set_error_texts(m, flag):
    """Whether the module words its errors: errMode of AT+CIPCCFG. None: numbers."""
    return _field(m, flag, *_TEXTS)


def set_link_headers(m, flag):
    """False: headers of direct push without the number of their link: HeaderType 0 of AT+CIPCCFG. Whose bytes they are
    is known by their sender, or when one connection is open. None: with it."""
    return _field(m, flag, *_HEADERS)


def set_async_mode(m, flag):
    """AsyncMode of AT+CIPCCFG, 0 or 1; some firmware takes one of them only. None: as the module has it."""
    return _field(m, flag, *_ASYNC)


def set_resend_ms(m, ms):
    """The shortest time after which a packet is sent again, 500 to 120000 ms: TimeoutVal of AT+CIPCCFG; SIM7080: the
    first time, 200 to 120000 ms: TCPIRT of AT+CACFG. None: as the module has it."""
    return _field(m, ms, *_RESEND)


def _field(m, value, name, place, low, high):
    key = m.DIALECT == "caopen" and capability(m, "options").KEYS.get(name)
    if key:
        key, low, high = key
    else:
        need(m, _TIMES)
    if value is not None:
        (value,) = _numbers(name, value, (1, 1), low, high)
    return _keyed(m, name, 'AT+CACFG="%s"' % key, value) if key else _fields(m, name, place, value)


def _keyed(m, name, cmd, value):
    if value is None:
        return forget(m, cmd)
    try:
        yield from keep(m, b"%s,%d" % (cmd.encode(), value))
    except OSError as e:
        raise _refused(name, value, e)


def _refused(name, value, e):
    if not hasattr(e, "line"):
        return e
    return OSError(errno.EOPNOTSUPP, '%s=%s: %s; status("ranges") tells what it takes' % (name, value, e.args[1]))


def _fields(m, name, place, value):
    was = m.parts.get("fields") or {}
    mine = m.parts["fields"] = dict(was)
    mine.pop(place, None)
    if value is not None:
        mine[place] = int(value)
    try:
        if m.on and (value is not None or 3 <= place <= 4):
            yield from _configure(m)
    except OSError as e:
        m.parts["fields"] = was
        raise _refused(name, value, e)


def _configure(m):
    for cmd in m.SETTINGS:
        if cmd.startswith(b"AT+CIPCCFG="):
            yield from capability(m, "bringup", False).context_setting(m, cmd)


def set_stack(m, value):
    """ "default": as the module's maker has it, whatever a program before left: the execute forms of AT+CIPHEAD,
    AT+CIPSRIP, AT+CIPSENDMODE, AT+CIPCCFG and, without a context, AT+CIPMODE. What the driver needs, and config() was
    told, is set again behind it."""
    if value != "default":
        raise ValueError('stack: "default", not %r' % (value,))
    need(m, _TIMES)
    if not m.on:
        raise OSError(errno.ENOTCONN, "stack: active(True) first")
    return _default(m)


def _default(m):
    for name in (b"AT+CIPHEAD", b"AT+CIPSRIP", b"AT+CIPSENDMODE", b"AT+CIPCCFG", b"AT+CIPMODE"):
        mine = [cmd for cmd in m.SETTINGS if cmd.startswith(name + b"=")]
        if not (m.up and name.endswith(b"CIPMODE")):
            yield name
            for cmd in mine:
                yield from capability(m, "bringup", False).context_setting(m, cmd)


def set_show_type(m, flag):
    """True: headers of direct push on a single connection tell TCP or UDP: AT+CIPSHOWTP."""
    start_only(m, "AT+CIPSHOWTP")
    if flag not in (0, 1):
        raise ValueError("show_type: True or False, not %r" % (flag,))
    return keep(m, b"AT+CIPSHOWTP=%d" % flag)


def set_acknowledge(m, flag):
    """True: a write returns when the peer has what was written: by AT+CIPSENDMODE=1, or as AT+CIPACK tells."""
    if flag not in (0, 1):
        raise ValueError("acknowledge: True or False, not %r" % (flag,))
    return _acknowledge(m, bool(flag))


def _acknowledge(m, flag):
    if m.DIALECT == "cipopen":
        yield from keep(m, b"AT+CIPSENDMODE=%d" % flag)
    else:  # AT+CIPQSEND=0 would keep the module from everything else until the peer answers, eleven minutes if need be
        yield 0
    m.flushing = 2 * flag
