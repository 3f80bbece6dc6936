"""What a program can ask of the module, or of us, about itself."""

import errno

from ..checks import check_number
from ..dns import resolved
from ..lazy import once
from ..pump import ATError
from ..query import query
from ..bringup.registration import registration, signal
from ..recovery.resync import identity, named
from ..foreground import run


def _fifteen(line):
    digits = identity(line)
    if not digits.isdigit() or not 14 <= len(digits) <= 17:
        raise ValueError
    return digits


def _iccid(line):
    digits = identity(line)
    if not 18 <= len(digits) <= 22 or digits.strip("0123456789ABCDEFabcdef"):
        raise ValueError
    return digits


def _operator(line):
    return line.split(": ")[-1]


_NAMES = {"manufacturer": b"AT+CGMI", "model": b"AT+CGMM", "firmware": b"AT+CGMR"}
_CONFIG = {
    "imei": (b"AT+GSN", _fifteen, 0, True),
    "iccid": (b"AT+CCID", _iccid, 0, True),
    "imsi": (b"AT+CIMI", _fifteen, 0, True),
    "operator": (b"AT+COPS?", _operator),
}
_STATUS = {"rssi": signal, "registration": registration}


def config(m, *param, timeout_ms: int = 30000, **settings):
    """Ask the module for "manufacturer", "model", "firmware", "imei", "iccid", "imsi" or "operator": a str.

    With keywords: set something. ``receive``: how received data comes: "buffer", "hex" or "push". ``send``: how data
    goes to the module: "fixed", "variable" or "timed". ``prompt``: 0, 1 or 2 (AT+CIPSPRT). ``stall_ms``: so long a
    connection may take nothing of what is to be sent before it is given up, 125000 if not told. ``silence_ms``: so long
    the module may say nothing, 60000 if not told. ``dns``: one or two
    addresses (AT+CDNSCFG). ``acknowledge=True``: a write returns when the peer has the bytes; ``stall_ms`` holds
    here too. ``pdp_type``: "IP", "IPV4V6" or "IPV6" (SIM7028, SIM7080), ``cid``: 0 to 15 (SIM7080: 1 to 4), both
    of the LTE context, from the next connect() on. ``function``: 0, 1 or 4 (AT+CFUN), now; connect() goes back to 1.
    ``timeouts``: (network, open, send) in ms, 3000 to 120000; ``retries``: 0 to 10; ``delay_ms``, ``resend_ms``,
    ``async_mode``, ``error_texts``, ``link_headers``: other fields of AT+CIPCCFG; ``stack="default"``: as its maker
    has it, now (all SIM7028, A76XX; SIM7080: ``retries``, 1 to 16, and ``resend_ms`` alone, by AT+CACFG).
    ``show_type``: AT+CIPSHOWTP (SIM800, SIM7000). ``reset``:
    Pin at the module's RESET, for ``reset(hard=True)``. Everything is sent again by every connect(); ``dns``,
    ``pdp_type``, ``cid``, ``timeouts`` and ``retries`` are taken back with None. ``timeout_ms=0`` starts and returns a
    Task whose ``done``, ``result`` and ``error`` tell.
    """
    check_number("timeout_ms", timeout_ms)
    if settings or len(param) != 1 or param[0] not in list(_CONFIG) + list(_NAMES):
        return _change(m, list(_CONFIG) + list(_NAMES), param, settings, timeout_ms)
    return run(m, _config(m, *param), timeout_ms, "config")


def _change(m, readable, param, settings, timeout_ms):
    # Check all of ``settings`` (name: value), then do all. ValueError for ``param`` beside them, or without, if it is
    # not ``readable``.
    registry = once("registry")
    known = registry.known(registry.SETTERS)
    if len(param) == 1 and isinstance(param[0], str) and param[0] in known:
        raise ValueError("config: %s is set, not read: config(%s=...)" % (param[0], param[0]))
    if param or not settings:
        names = ", ".join(sorted(readable))
        raise ValueError("config: one of %s to be read, or name=value to set %s" % (names, ", ".join(sorted(known))))
    todo = [(registry.setting(registry.SETTERS, name, "config"), value) for name, value in settings.items()]
    todo = [setter(m, value) for setter, value in todo]
    return run(m, _all(todo), timeout_ms, "config") if any(todo) else None


def _all(todo):
    for steps in todo:
        if steps:
            yield from steps


def _config(m, param):
    if param in _NAMES:
        return (yield from named(m, _NAMES[param]))
    try:
        return (yield from query(m, *_CONFIG[param]))[-1]
    except ATError:
        if param != "iccid":
            raise
    return (yield from query(m, b"AT+CICCID", _iccid, 0, True))[-1]  # its name in the CIPOPEN family


def status(m, param: str = "", *, timeout_ms: int = 30000):
    """Without ``param``: the step of bring-up, at once: "off", "power", "idle", "sim", "registration", "attach",
    "context", "up", or the OSError that ended the last ``connect(timeout_ms=0)``. With one, asks the module:
    "rssi" (dBm, None when unknown), "registration" (<stat> of TS 27.007: 1 home, 2 searching, 3 denied, 5 roaming),
    "sim" ("READY", "SIM PIN", …), "attached" (bool), "function" (0, 1, 4), "system" (AT+CPSI's fields, a list; not
    SIM800), "contexts" (a list of (cid, type, apn)), "context" (its state), "links" (a list of (n, type, host, port,
    state, server, bearer)), "waiting" (a list of (n, bytes)), "registrations" (a dict), "ranges", "stack" (dicts: what
    each command of the TCP/IP stack takes, and has),
    "servers" (a list of (index, port)), "acknowledged" (a list of (n, sent, acknowledged, received), bytes or None),
    "dns" (a tuple of addresses), "timeouts" ((network, open, send), ms), "counters" (a dict), "voltage" (a warning),
    "refused" (what the module did not take of optional settings, a list of str). More: options/status.py,
    commands/values.py.
    ``timeout_ms=0`` starts the question and returns a Task whose ``done``, ``result`` and ``error`` tell.
    """
    if param != "":
        check_number("timeout_ms", timeout_ms)
        getter = _STATUS.get(param) if isinstance(param, str) else None
        if not getter:
            registry = once("registry")
            getter = registry.setting(registry.GETTERS, param, "status", _STATUS)
        return run(m, getter(m), timeout_ms, "status")
    m.pump()
    task = m.bringup
    return m.step if m.up or not task or not task.error else task.error


def describe(m) -> str:
    """Family, model, step of bring-up, signal as far as it was asked for: "SIM7000 (SIMCOM_SIM7000E), up, -71 dBm"."""
    dbm = m.__dict__.get("dbm")
    return "%s (%s), %s%s" % (
        type(m).__name__,
        m.model or "not asked yet",
        m.step,
        "" if dbm is None else ", %d dBm" % dbm,
    )


def ifconfig(m) -> tuple:
    """(address, netmask, gateway, DNS server); a point-to-point link has only the first."""
    return (m.address or "0.0.0.0", "255.255.255.255", "0.0.0.0", "0.0.0.0")


def ipconfig(m, param: str):
    """``ipconfig("addr4")``: (address, netmask); "addr6": a list of (address, state, preferred, valid lifetime)."""
    new = ":" in m.address
    if param == "addr6":
        return [(m.address, 0x30, 0xFFFFFFFF, 0xFFFFFFFF)] if new else []
    if param != "addr4":
        raise ValueError('ipconfig: "addr4" or "addr6", not %r' % (param,))
    return ("0.0.0.0" if new else ifconfig(m)[0], "255.255.255.255")


def resolve(m, host: str, *, timeout_ms: int = 30000) -> list:
    """Ask the module's resolver (AT+CDNSGIP): a list of one or two addresses. OSError(-2): unknown name."""
    host = once("arguments").host(host)
    check_number("timeout_ms", timeout_ms)
    if not m.isconnected():
        raise OSError(errno.ENOTCONN, "resolve: no PDP context: connect() the modem first")
    return run(m, resolved(m, host, timeout_ms or 30000), timeout_ms, "resolve")
