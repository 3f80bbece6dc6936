"""What ``config()`` sets of the radio and of the context that an LTE module attaches with."""

import errno

from ..supported import need
from .remembered import forget, remember


def set_cid(m, cid):
    """0 to 15 (SIM7080: 1 to 4): which context of AT+CGDCONT is ours, from the next connect() on; None: the module's
    usual one."""
    need(m, "LTE context")
    first, last = (1, 4) if m.DIALECT == "caopen" else (0, 15)  # that of AT+CNACT has a number one less
    if cid is not None and not (isinstance(cid, int) and first <= cid <= last):
        raise ValueError("cid: %d to %d, not %r" % (first, last, cid))
    return _profile(m, cid, m.__dict__.get("pdp_type"))


def set_pdp_type(m, kind):
    """ "IP", "IPV6" or "IPV4V6", from the next connect() on; None: as the module has it."""
    if kind not in ("IP", "IPV6", "IPV4V6", None):
        raise ValueError('pdp_type: "IP", "IPV6" or "IPV4V6", not %r' % (kind,))
    if kind == "IPV6":
        need(m, "IPv6")
    if "LTE context" not in m.LACKS:
        return _profile(m, m.__dict__.get("cid"), kind)
    if kind == "IPV4V6":
        need(m, "LTE context")


def _profile(m, cid, kind):
    m.cid = cid
    m.pdp_type = kind
    forget(m, "AT+CSOCKSETPN=")
    if m.DIALECT == "cipopen":
        new = kind and "IPv6" not in m.LACKS
        if cid not in (None, 0, 1) or new:
            remember(m, b"AT+CSOCKSETPN=%d%s" % (cid or 1, (b",6" if kind == "IPV6" else b",1") if new else b""))
    yield 0


def set_function(m, level):
    """AT+CFUN: 0 minimum, 1 full, 4 radio off. The next connect() goes back to 1."""
    if level not in (0, 1, 4):
        raise ValueError("function: 0, 1 or 4, not %r" % (level,))
    if not m.on:
        raise OSError(errno.ENOTCONN, "function: active(True) first")
    return _function(m, level)


def _function(m, level):
    yield b"AT+CFUN=%d" % level, 20000
    if level != 1:
        m.on_lost(errno.ENOTCONN, "radio off by config(function=)")
