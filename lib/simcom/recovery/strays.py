"""Which lines that the modem does not act on are unsolicited codes, and which may be what lost bytes have left."""

import errno

from micropython import const

from ..counters import counted
from ..links import State


_MOST = const(6)  # so many characters may be missing from a header

# The first four bytes of codes that have no business with sockets, beside those that the modem knows.
_CODES = const(
    b"+CGN+CGP+UGN+CAG+GNS+CEN+CSC+CNS+CPS+CED+CSQ+HCS+STI+STK+MST+CUS+ICC+MISMISSQCRDQCN:*REJ*ISI*MGU^MOD^DSC^SIM"
    b"^HCS+CDS+CCW+CSS+CSM+COL+CNA+CIE+CAL+DTM+RXDRXDT+AUD+CRE+CTT+CMQ+SMS+HTT+FTP+CFT+CHT+CNT+CLB+CNE+QIN+BTA+BTC"
    b"+BTD+BTO+BTP+BTSBEGIBUSYPACSSIM SIMCMO CMO RNetw+CFO+CGU+CBC+CAD+CCL+CHA+CHS+DIS+CGA+CLC+CDR+SMT+POP+SJD+EXU"
    b"+CLT+SHR+SHS+SMP"
)
_LEARNT = const(60)  # bytes of those, at most, that the module has shown
# What stands in front of received bytes, and what is left of it at the end of a line whose own end was lost with it.
_HEADS = (b"CIPRXGET:", b"RECEIVE,", b"IPD", b"RECV FROM:", b'CAURC: "recv",')
_ENDS = (b"XGET:", b"EIVE,", b"V FROM:", b'cv",') + tuple([b"PD" + bytes((c,)) for c in b",(123456789"])
_READ_BACK = (b"AT+CIPMUX", b"AT+CIPRXGET", b"AT+CIPHEAD")


def damaged(buf, i, j, first: int = 0):
    """Whether ``buf[i:j]`` may be a header of received bytes, whole or with up to six characters missing.

    ``first``: 1 leaves those of AT+CIPRXGET out.
    """
    for end in _ENDS[first:]:
        if buf.find(end, i, j) >= 0:
            return True
    if buf[i] == 43:  # "+"; it may be what is missing
        i += 1
    for head in _HEADS[first:]:
        n = len(head)
        k = i
        at = 0
        while k < j:
            next_ = head.find(buf[k : k + 1], at)
            if next_ < 0:
                break
            at = next_ + 1
            k += 1
        # A number is next, or its colon or comma, if that is not gone too.
        if i < k >= i + n - _MOST and (k == j or 48 <= buf[k] <= 58 or buf[k] in b",(" or buf[k - 1] in b",:"):
            return True
    return False


def shaped(buf, i, j):
    """Whether ``buf[i:j]`` is worded as codes are: one of ``+*^$``, capitals up to a colon or comma, all printable."""
    if buf[i] not in b"+*^$":
        return False
    k = i + 1
    while k < j and (65 <= buf[k] <= 90 or (k > i + 1 and (48 <= buf[k] <= 57 or buf[k] == 95))):
        k += 1
    if k < i + 3 or k == j or buf[k] not in b":,":
        return False
    while k < j and 32 <= buf[k] <= 126:
        k += 1
    return k == j


def listed(buf, i, j, codes=_CODES):
    """Whether ``buf[i:j]`` begins as one of ``codes``."""
    return j > i + 3 and codes.find(bytes(buf[i : i + 4])) % 4 == 0


def innocent(m, buf, i, j):
    """Whether a line that the modem does not know is an unsolicited code: nothing was lost.

    CR LF around it proves nothing, payload is made of lines too. Behind the counted bytes of an answer nothing of them
    can stand, nor when nothing is awaited: there the shape is enough, and the code is known from then on. In front of
    them it may be what has lost its header.
    """
    channel = m.channel
    parser = channel.parser
    pushed = parser.pushed
    if buf[i] == 36:  # NMEA: "$GNRMC,…", of some modules without CR LF in front; which they are is learnt in peace
        reading = any(m.links.slots) if pushed else channel.busy and not m.current()
        if not reading:
            parser.bare = not parser.empty
        return (parser.bare or parser.empty) and shaped(buf, i, j)
    if not parser.empty or damaged(buf, i, j):
        return False
    learnt = m.parts.get("codes", b"")
    if listed(buf, i, j) or listed(buf, i, j, learnt):
        return True
    if not (parser.tail or pushed or not channel.busy) or not shaped(buf, i, j):
        return False
    if not pushed:
        m.parts["codes"] = learnt[4 - _LEARNT :] + bytes(buf[i : i + 4])
    return True


def settle_strays(m):
    """Steps after lines that nobody knows: does the module still hand out received bytes as it was told?

    A module that pushes them, or sends no headers, is told again; what it has pushed so far is lost.
    """
    channel = m.channel
    parser = channel.parser
    n = channel.strays
    if not n and getattr(parser, "asked", 0) == parser.held:
        return  # a line that never ends
    parser.asked = parser.held
    wrong = []
    # Transparent mode has settings of its own.
    for cmd in m.SETTINGS if m.up and "tunnel" not in m.parts else ():
        if cmd[: cmd.find(b"=")] in _READ_BACK:
            if (yield from _differs(m, cmd)) and (yield from _differs(m, cmd)):  # an answer may be damaged
                wrong.append(cmd)
    if wrong:  # perhaps it has restarted
        m.doubt = 2
        yield from m.recovery().recheck(m)
    if wrong and m.up:
        for link in m.links.slots:
            if link:
                m.broken(link, errno.EIO, "received bytes were lost: the module had forgotten how to hand them out")
        for _ in range(100):  # with a connection open it may refuse
            if not any(m.links.slots):
                break
            yield 100
        try:
            for cmd in wrong:
                yield cmd
        except OSError as e:
            m.on_lost(errno.ECONNABORTED, e.args[1])
    if parser.pushed:
        m.receiver.check()
    channel.strays -= n
    counted(m, "strays", n)
    for link in m.links.slots:
        if link and link.state == State.DRAINING:  # it was not told before
            m.links.reading |= link.bit


def _differs(m, cmd):
    name, _, value = cmd.decode().partition("=")
    other = False
    try:
        for line in (yield name.encode() + b"?"):
            if "," in line:  # a notice
                m.receiver.on_line(line.encode(), 0, len(line))
            elif line.startswith(name[2:]):
                now = line.split(":")[-1].strip()
                other = now.isdigit() and now != value
    except OSError:  # it cannot be asked
        pass
    return other
