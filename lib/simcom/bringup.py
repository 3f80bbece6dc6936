"""From a module that is off, or on, to a PDP context: a procedure for the pump, loaded when it is needed."""

import errno
import time

from micropython import const

from .pump import once

_query = once("query")
fields = _query.fields
query = _query.query

_TEXT_MAX = const(50)  # APN, user, key


def connect(m, apn: str, user: str = "", key: str = "", *, timeout_ms: int = 180000):
    """Bring the PDP context up: SIM, registration, attach, context; switches the module on first if need be.

    ``timeout_ms=0`` starts and returns: the pump does the steps, ``isconnected()`` and ``status()`` tell.
    Raises OSError saying which step failed and what to check; ValueError for a bad ``apn``, ``user`` or ``key``.
    """
    checks = once("checks")
    apn = checks.check_text("apn", apn, _TEXT_MAX)
    user = checks.check_text("user", user, _TEXT_MAX)
    key = checks.check_text("key", key, _TEXT_MAX)
    checks.check_number("timeout_ms", timeout_ms)
    m.apn = (apn, user, key)
    if not m.up and (m.bringup is None or m.bringup.done):
        steps = bring_up(m, apn, user, key, timeout_ms or 180000)
        if timeout_ms:
            m.run(steps, timeout_ms + 5000, "connect")
        else:
            m.bringup = m.start(steps)


def bring_up(m, apn, user, key, timeout_ms):
    """Everything from power to context."""
    give_up = time.ticks_add(time.ticks_ms(), timeout_ms)
    if not m.on:
        yield 10  # a task that waits its turn has waited for this file already
        yield from once("power").power_up(m)
    advice = ""
    try:
        m.step = "sim"
        yield from _sim(m)
        m.step = "registration"
        yield from _register(m, give_up)
        m.step = "attach"
        advice = " (no data service? check the plan)"
        if not (yield from query(m, b"AT+CGATT?", attached))[-1]:
            yield b"AT+CGATT=1", 75000
        m.step = "context"
        advice = " (check APN, user and key)"
        yield from m.context_up(apn, user, key)
        if m.channel.echoed:  # it has restarted meanwhile, and forgotten what it was told before
            yield from once("resync").configure(m)
            yield from m.context_up(apn, user, key)
        for _, steps in m.extra:
            yield from steps(m)
        m.up = True
    except OSError as e:
        raise OSError(e.errno, "connect, %s: %s%s" % (m.step, e.args[1], advice))
    finally:
        m.step = "up" if m.up else "idle"


def attached(line):
    """Whether AT+CGATT? says so."""
    return ("0", "1").index(fields(line)[0]) == 1


def sim(line):
    """What AT+CPIN? says: words of capitals, "PH-SIM PIN", "SIM PUK2"."""
    state = ", ".join(fields(line))
    if not state or state.strip("ABCDEFGHIJKLMNOPQRSTUVWXYZ -,2"):
        raise ValueError
    return state


def _sim(m):
    answer = ""
    for _ in range(20):
        try:
            answer = "+CPIN: " + (yield from query(m, b"AT+CPIN?", sim))[-1]
        except OSError as e:
            answer = _refusal(e)
        state = answer.split(":")[-1].strip()
        if state == "READY":
            return
        if state == "SIM PIN" and m.pin:
            pin = m.pin
            m.pin = ""  # never twice: three wrong ones lock the card
            try:
                yield b'AT+CPIN="%s"' % pin.encode()
                m.pin = pin
            except OSError as e:
                answer = _refusal(e)
        if "PUK" in answer or answer.endswith(": 16") or (state == "SIM PIN" and not m.pin):
            raise OSError(errno.EACCES, answer + ": give the right pin= to the modem, a PUK to a phone")
        yield 1000
    raise OSError(errno.ENODEV, answer + ": is a SIM card in?")


def _refusal(e):
    """The line of an ATError, which is loaded only when there is one; another error is raised again."""
    if not hasattr(e, "line"):
        raise e
    return e.line


def _register(m, give_up):
    radio = once("radio")
    denied = 0
    while True:
        state = yield from radio.registration(m)
        if state == 1 or state == 5:
            return
        denied = denied + 1 if state == 3 else 0
        if denied == 10:
            raise OSError(errno.EACCES, "denied by the network: check the plan, roaming, radio mode (+CNMP)")
        if time.ticks_diff(give_up, time.ticks_ms()) < 0:
            rssi = yield from radio.signal(m)
            why = "no network (registration %d, signal %s dBm): check antenna, bands, radio mode (+CNMP)"
            raise OSError(errno.ETIMEDOUT, why % (state, rssi))
        yield 1000
