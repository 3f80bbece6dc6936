"""Power saving of LPWA modules: PSM and eDRX, as 3GPP TS 27.007 and 24.008 have them."""

import errno
from time import ticks_ms

from ..checks import check_number
from ..hooks import Hook, add
from ..pump import ATError
from ..query import fields, query
from ..supported import need
from ..foreground import run

# Units of T3324 and of the extended T3412, with their bits; five bits more count them.
_ACTIVE_S = ((2, 0), (60, 1), (360, 2))
_TAU_S = ((2, 3), (30, 4), (60, 5), (600, 0), (3600, 1), (36000, 2), (1152000, 6))
_CYCLE_S = (
    5.12,
    10.24,
    20.48,
    40.96,
    61.44,
    81.92,
    102.4,
    122.88,
    143.36,
    163.84,
    327.68,
    655.36,
    1310.72,
    2621.44,
) + (5242.88, 10485.76)
# <AcT>: the values of eDRX that it has, and the unit of its paging time window
_ACCESS = {4: (range(14), 1.28), 5: ((2, 3, 5, 9, 10, 11, 12, 13, 14, 15), 2.56)}
_LACK = "PSM or eDRX"
_GRANTED_MS = 5000  # so long the network may take


def psm(m, tau_s: "int | None" = None, active_s: int = 60, *, timeout_ms: int = 30000) -> "tuple | None":
    """Power saving mode: (tau_s, active_s) as the network has granted them, None: it has not.

    ``psm(tau_s, active_s)``: the module sleeps when it has been idle for ``active_s``, and wakes for a sign of life
    after ``tau_s``; both are rounded up to what there is. ``psm(0)``: never any more. ``psm()``: only asks. A sleeping
    module has no context and no connection, and its UART is dead: the sockets raise ECONNABORTED, and ``connect()``
    wakes it by its key. With an ``active_s`` so short that it sleeps before it can be asked, what it was told is
    returned. OSError: EOPNOTSUPP where the family has no such thing, ENOTCONN before ``active(True)``.
    """
    _check(m, "psm", timeout_ms)
    cmd = b""
    told = None
    if tau_s is not None:
        check_number("tau_s", tau_s, 0, 31 * 1152000)
        check_number("active_s", active_s, 0, 31 * 360)
        cmd = b"AT+CPSMS=0"
        if tau_s:
            tau = _bits(tau_s, _TAU_S)
            active = _bits(active_s, _ACTIVE_S)
            cmd = b'AT+CPSMS=1,,,"%s","%s"' % (tau, active)
            told = _seconds(tau, _TAU_S), _seconds(active, _ACTIVE_S)
        _watch(m, tau_s)
    return run(m, _psm(m, cmd, told), timeout_ms, "psm")


def edrx(m, cycle_s: "float | None" = None, *, timeout_ms: int = 30000) -> "tuple | None":
    """Extended discontinuous reception: (cycle_s, window_s) as the network has granted them, None: it has not.

    ``edrx(cycle_s)``: the module listens to the network once in so many seconds, 5.12 to 10485.76, rounded up to what
    there is; connections stay, and what arrives comes so much later. ``edrx(0)``: never any more. ``edrx()``: only
    asks. OSError as for ``psm()``.
    """
    _check(m, "edrx", timeout_ms)
    if cycle_s is not None and not (isinstance(cycle_s, (int, float)) and 0 <= cycle_s <= _CYCLE_S[-1]):
        raise ValueError("cycle_s: 0 to 10485.76, not %r" % (cycle_s,))
    return run(m, _edrx(m, cycle_s), timeout_ms, "edrx")


def _check(m, what, timeout_ms):
    need(m, _LACK)
    check_number("timeout_ms", timeout_ms, 1)
    if not m.on:
        raise OSError(errno.ENOTCONN, what + ": active(True) first")


def _bits(s, units):
    """The timer that is the shortest of at least ``s``."""
    for unit, bits in units:
        count = -(-s // unit)
        if count < 32:
            text = bin(256 + (bits << 5) + count)
            return text[-8:].encode()


def _seconds(bits, units):
    """What a timer comes to; 0: it is off."""
    value = int(bits, 2)
    for unit, known in units:
        if known == value >> 5:
            return unit * (value & 31)
    return 0


def _psm(m, cmd, told):
    if not cmd:
        return (yield from _granted(m))
    yield cmd
    yield from _tell(told)
    for _ in range(_GRANTED_MS // 500 if told else 0):
        yield 500
        try:
            found = m.on and (yield from _granted(m))
        except OSError:
            if m.on:
                raise
        if not m.on:  # it is asleep already
            return told
        if found:
            return found


def _tell(on):
    try:
        yield b"AT+CPSMSTATUS=%d" % (1 if on else 0)
    except ATError:  # a firmware that falls asleep without a word
        pass


def _granted(m):
    try:
        mode, _, _, active_s, tau_s = (yield from query(m, b"AT+CPSMRDP", _numbers))[-1][:5]
    except ATError:  # it has none: its registration tells
        yield b"AT+CEREG=4"
        mode, active_s, tau_s = (yield from query(m, b"AT+CEREG?", _timers))[-1]
    return (tau_s, active_s) if mode and tau_s else None


def _numbers(line):
    found = [int(each) for each in fields(line)]
    found[4]
    return found


def _timers(line):
    row = fields(line)
    if len(row) < 8:
        int(row[0])
        return 0, 0, 0
    active, tau = row[-2:]
    return 1, _seconds(active, _ACTIVE_S), _seconds(tau, _TAU_S)


def _edrx(m, cycle_s):
    if cycle_s is not None:
        taken = False
        for act in sorted(_ACCESS):
            cmd = b"AT+CEDRXS=0,%d" % act
            if cycle_s:
                values = _ACCESS[act][0]
                value = [each for each in values if _CYCLE_S[each] >= cycle_s][:1] or [values[-1]]
                cmd = b'AT+CEDRXS=1,%d,"%s"' % (act, bin(16 + value[0])[-4:].encode())
            try:
                yield cmd
                taken = True
            except ATError as e:  # it has one radio of the two
                refused = e
        if not taken:
            raise refused
    row = (yield from query(m, b"AT+CEDRXRDP", fields))[-1]
    act = int(row[0])
    if act not in _ACCESS or len(row) < 4 or not row[2]:
        return None
    return _CYCLE_S[int(row[2], 2)], (int(row[3], 2) + 1) * _ACCESS[act][1]


def _watch(m, wanted):
    part = m.parts.get("psm")
    if not part:
        m.parts["psm"] = part = _Sleepy(m)
        add(m, part)
    m.extra = [each for each in m.extra if each[0] != "psm"]
    if wanted:
        m.extra.append(("psm", part.again))


class _Sleepy(Hook):
    """Knows when the module falls asleep, where it tells."""

    def __init__(self, m):
        self._modem = m

    def again(self, m):
        """Steps of a connect(): the rest a module keeps over its sleep."""
        yield from _tell(True)

    def on_line(self, buf, i, j):
        """Hook.on_line()"""
        if not buf.startswith(b"+CPSMSTATUS:", i):
            return False
        m = self._modem
        if buf.find(b"ENTER", i, j) < 0:
            m.suspect()  # it has woken
        elif m.on:
            m.on_lost(errno.ECONNABORTED, "the module has fallen asleep (PSM): connect() wakes it")
            m.on = False
            m.step = "off"
            m.off = m.pwrkey and (ticks_ms(),)  # no other rate is tried before its key
        return True
