"""From a module that is off, or on, to a PDP context: a procedure for the pump, loaded when it is needed."""

import errno
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from ..lazy import capability, once
from ..foreground import run

_query = once("query")
asked = _query.asked
flag = _query.flag

_NEAR = const(150)  # ms before the deadline in which nothing more is asked
_LIMITED = (6, 7, 8, 11)  # <stat>: for SMS, for emergency calls
_LIMITED_MS = const(30000)  # so long without another word it stays so


def connect(
    m,
    apn: "str | tuple" = (),
    user: "str | tuple" = (),
    key: "str | tuple" = (),
    *,
    timeout_ms: int = 180000,
):
    """Bring the PDP context up: SIM, registration, attach, context; switches the module on first if need be.

    What is omitted stays as ``init`` or an earlier program set it in the module; ``apn=""``: the network's own.
    ``timeout_ms=0`` starts and returns: the pump does the steps, ``isconnected()`` and ``status()`` tell. While it is
    up, or under way, the same call joins it; another raises OSError(EALREADY). Raises OSError saying which step failed
    and what to check; ValueError for a bad ``apn``, ``user`` or ``key``.
    """
    checks = once("checks")
    apn, user, key = account = tuple(
        [
            what if what == () else checks.check_text(name, what)
            for name, what in (("apn", apn), ("user", user), ("key", key))
        ]
    )
    checks.check_number("timeout_ms", timeout_ms)
    task = m.bringup
    if task and task.done:
        task = None
    if m.up or task:
        for mine, its in zip(account, m.apn):
            if mine != () and (mine or ()) != (its or ()):
                raise OSError(errno.EALREADY, "connect: another account is in use (%s): disconnect() first" % m.step)
        if not m.up and timeout_ms:
            run(m, _joined(task), timeout_ms, "connect")
        return
    m.apn = account
    m.stat = None
    steps = bring_up(m, apn, user, key, timeout_ms or 180000)
    if not timeout_ms:
        m.bringup = m.start(steps)
        return
    try:
        run(m, steps, timeout_ms + 50, "connect")
    except OSError:
        if m.stat is None:
            raise
        e = _unregistered(m.stat, m.__dict__.get("dbm"))  # the time ended in the middle of a question
        raise OSError(e.errno, "connect, registration: " + e.args[1])


def _joined(task):
    while not task.done:
        yield 50
    if task.error:
        raise task.error


def bring_up(m, apn, user, key, timeout_ms):
    """Everything from power to context, and again while answers get lost, as of a module that restarts."""
    give_up = ticks_add(ticks_ms(), timeout_ms)
    if not m.on:
        yield 10  # a task that waits its turn has waited for this file already
        yield from once("bringup.power").power_up(m)
    tries = 2  # the network may refuse the context, and change its mind
    try:
        while not m.up:
            try:
                yield from _steps(m, apn, user, key, give_up)
            except OSError as e:
                # Late, or a PIN's answer, which must not be given twice.
                if ticks_diff(give_up, ticks_ms()) < timeout_ms * 2 // 3 or m.__dict__.get("given"):
                    raise
                if "no answer" in e.args[1]:
                    yield from once("bringup.power").power_up(m)
                elif tries and m.step == "context":
                    tries -= 1
                    yield 2000
                else:
                    raise
    except OSError as e:
        m.stat = None
        code = e.errno
        advice = ""
        if m.step != "sim":
            advice = once("bringup.model").other(m)
        if advice:
            code = errno.ENODEV
        elif m.step == "attach":
            advice = " (no data service? check the plan)"
        elif m.step == "context":
            advice = " (check APN, user and key)"
        raise OSError(code, "connect, %s: %s%s" % (m.step, e.args[1], advice))
    finally:
        m.step = "up" if m.up else "idle" if m.on else "off"


def _steps(m, apn, user, key, give_up):
    m.step = "sim"
    yield from once("bringup.card").ready(m)
    m.step = "registration"
    apn = yield from once("bringup.apn").define(m, apn, user, key)
    yield from _register(m, give_up)
    m.step = "attach"
    if (yield from asked(b"AT+CGATT?", flag))[-1:] == [False]:
        yield b"AT+CGATT=1", 75000
    m.step = "context"
    yield from capability(m, "bringup", False).context_up(m, apn, user, key)
    if m.channel.echoed:  # it has restarted meanwhile, and forgotten what it was told before
        yield from once("recovery.resync").configure(m)
        yield from capability(m, "bringup", False).context_up(m, apn, user, key)
    for _, steps in m.extra:
        yield from steps(m)
    m.up = True


def _register(m, give_up):
    radio = once("bringup.registration")
    since = ticks_ms()  # it has been limited
    while True:
        m.stat = state = yield from radio.registration(m)
        now = ticks_ms()
        if state in radio.REGISTERED:
            m.stat = None
            return
        if state not in _LIMITED:
            since = now
        elif ticks_diff(now, since) >= _LIMITED_MS:
            break
        yield min(ticks_diff(give_up, now), 1000)
        if ticks_diff(give_up, ticks_ms()) <= _NEAR:
            break
    rssi = None
    try:
        rssi = yield from radio.signal(m)
    except OSError:  # refused: what is known already is told
        pass
    raise _unregistered(state, rssi)


def _unregistered(state, rssi):
    """What the last word about registration means."""
    if state in _LIMITED:
        return OSError(errno.EACCES, "registered for SMS/emergency only: check plan and APN (state %d)" % state)
    if state == 3:
        return OSError(errno.EACCES, "denied by the network: check the plan, roaming, radio mode (+CNMP)")
    why = "no network (registration %d, signal %s dBm): check antenna, bands, radio mode (+CNMP)"
    return OSError(errno.ETIMEDOUT, why % (state, rssi))
