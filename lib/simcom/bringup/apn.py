"""The context that an LTE module attaches with: told its APN before registration is waited for."""

import errno

from ..lazy import capability, once

_query = once("query")
asked = _query.asked
fields = _query.fields
query = _query.query
refusal = _query.refusal


def _context(line):
    row = fields(line)
    return int(row[0]), row[1], row[2]


def _credentials(line):
    row = fields(line)
    return [int(row[0]), int(row[1])] + row[2:]


def define(m, apn, user, key):
    """Write what differs, attach anew if anything did; returns the APN for what follows."""
    if "LTE context" in m.LACKS:
        return apn
    init = " ".join(m.init).upper()
    found = {}
    try:
        for n, kind, name in (yield from query(m, b"AT+CGDCONT?", _context)):
            found[n] = (kind, name)
    except OSError as e:
        if e.errno == errno.ETIMEDOUT:
            raise
    cid = m.__dict__.get("cid")
    chosen = m.__dict__.get("pdp_type")
    changed = False
    kept = ()
    # Which one the sockets use is told differently for some: then it is what the module lists.
    for n in (1, 0) if cid is None else (cid,):
        now = found.get(n)
        if now or n == cid or n:
            kind = chosen or "IP"
            if now and not chosen and (now[0] != "IPV6" or "+CGDCONT" in init):
                kind = now[0]
            wanted = (kind, (now[1] if now else None) if apn == () else apn)
            if wanted[1] is not None and wanted != now:
                cmd = b'AT+CGDCONT=%d,"%s","%s"' % ((n,) + tuple([each.encode() for each in wanted]))
                try:
                    yield cmd
                except OSError as e:
                    yield from _once_more(m, cmd, e, init)
                changed = True
            if now and not kept and "+CSTT" not in init:
                kept = now[1] or ()
    if m.DIALECT == "cipopen" and (yield from _account(m, cid if cid is not None else 1, user, key, init)):
        changed = True
    if changed:
        yield from _attach(init)
    return kept if apn == () else apn


def _once_more(m, cmd, e, init):
    """Steps after the refusal ``e`` of ``cmd``, an APN, as while the context of an earlier program is up: once more,
    without context and packet service. Who asked for it attaches anew."""
    refusal(e)
    yield from capability(m, "bringup", False).context_down(m)
    yield from _attach(init, 1)
    yield cmd


def _account(m, cid, user, key, init):
    """Whether user and password had to be told, or taken back."""
    if user == () and "+CGAUTH" in init:
        return False
    mine = []
    for row in (yield from asked(b"AT+CGAUTH?", _credentials)):
        if row[0] == cid and row[1]:
            mine = row
    if user or key:
        if mine[2:] == [key or "", user or ""]:
            return False
        yield b'AT+CGAUTH=%d,1,"%s","%s"' % (cid, (key or "").encode(), (user or "").encode())
        m.keyed = True
        return True
    if not mine and not m.__dict__.get("keyed"):
        return False
    try:
        yield b"AT+CGAUTH=%d,0" % cid
    except OSError as e:
        refusal(e)
    m.keyed = False
    return True


def _attach(init, steps=2):
    """Leave the packet service (``steps`` 1), and come back, with what is defined now; by COPS only if ``init`` has
    chosen no network."""
    ways = ((b"AT+CGATT=0", b"AT+CGATT=1"), (b"AT+COPS=2", b"AT+COPS=0"))
    for way in ways[: 1 if "+COPS" in init else 2]:
        taken = True
        for cmd in way[:steps]:
            try:
                yield cmd, 75000
            except OSError as e:
                refusal(e)
                taken = False
        if taken:
            return
