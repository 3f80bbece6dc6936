"""Power-up, bring-up and resynchronisation: procedures for the pump, loaded when they are needed."""

import errno
import time

from .pump import check_text

_RATES = (115200, 9600, 460800, 921600, 230400, 57600, 38400, 19200)
_FILL = 1500  # the longest payload a module can have been left waiting for


def active(m, on: "bool | None" = None, *, init: "tuple | None" = None, timeout_ms: int = 90000) -> bool:
    """Switch the module on (True), off (False), or tell whether it is on.

    True adopts a module that answers at any usual rate, and presses ``pwrkey`` only when none does. ``init``: commands
    such as ``("+CNMP=38", "+CMNB=1")``, sent now and after every restart. ``timeout_ms=0`` starts and returns. Raises
    OSError(ETIMEDOUT) when nothing answers, ATError when an ``init`` command is refused.
    """
    if on is None:
        m.pump()
        return m.on
    for cmd in init or ():
        check_text("init", cmd, 550, "")
    if on != m.on or init:
        m.init = init or m.init
        steps = power_up(m) if on else power_down(m)
        if timeout_ms:
            m.run(steps, timeout_ms, "active")
        else:
            m.start(steps)
    return m.on


def connect(m, apn: str, user: str = "", key: str = "", *, timeout_ms: int = 180000):
    """Bring the PDP context up: SIM, registration, attach, context; switches the module on first if need be.

    ``timeout_ms=0`` starts and returns: the pump does the steps, ``isconnected()`` and ``status()`` tell.
    Raises OSError saying which step failed and what to check; ValueError for a bad ``apn``, ``user`` or ``key``.
    """
    for what in (apn, user, key):
        check_text("apn, user or key", what, m.TEXT_MAX)
    m.apn = (apn, user, key)
    if not m.up and (m.bringup is None or m.bringup.done):
        steps = bring_up(m, apn, user, key, timeout_ms or 180000)
        if timeout_ms:
            m.run(steps, timeout_ms + 5000, "connect")
        else:
            m.bringup = m.start(steps)


def power_up(m):
    """Find the module, awake or asleep, and make it ours."""
    if not m.on:
        m.step = "power"
        m._only = m._task
        try:
            awake = yield from _awake(m)
            if not awake and m.pwrkey:
                for _ in range(2):  # the first press may have switched a deaf module off
                    yield from press(m, m.PRESS_ON_MS)
                    awake = yield from hello(m, m.BOOT_MS // 500, 500)
                    if awake:
                        break
        finally:
            m._only = None
            m.channel.desync = m.channel.mute = False
            m.step = "off"
        if not awake:
            raise OSError(errno.ETIMEDOUT, "AT: no answer at any rate: check supply, TX/RX, pwrkey and its level")
    yield from _configure(m)
    if not m.on:
        m.on = True
        m.step = "idle"
        m.start(m.watch())


def _awake(m):
    if (yield from hello(m, 3, 300)):
        return True
    yield from _fill(m, _FILL)  # our last life ended inside a payload …
    if (yield from hello(m, 2, 300)):
        return True
    yield 1100  # … or in data mode
    m.channel.write(b"+++", 3)
    yield 1100
    if (yield from hello(m, 2, 300)):
        return True
    for rate in _RATES:
        m.channel.uart.init(baudrate=rate)
        if (yield from hello(m, 2, 200)):
            return True
    m.channel.uart.init(baudrate=m.baudrate or _RATES[0])
    return False


def hello(m, tries, ms):
    """Whether the module answers within so many tries of so long."""
    for _ in range(tries):
        m.channel.parser.reset()
        m.channel.mute = False
        try:
            yield b"AT", ms
            return True
        except OSError:
            pass
    return False


def _fill(m, n):
    # A module inside a fixed-length payload takes everything for data, ESC and AT too.
    while n > 0:
        m.channel.write(b"\r" * 50, 50)
        n -= 50
        yield 1


def press(m, ms):
    """Hold the power key for so long."""
    m.pwrkey.value(m.pressed)
    try:
        yield ms
    finally:
        m.pwrkey.value(1 - m.pressed)


def _configure(m):
    channel = m.channel
    for _ in range(40):  # a late OK, boot messages
        if channel.quiet(300):
            break
        yield 50
    yield b"AT+CMEE?", 10000, ()  # takes the OKs that come late
    for _ in range(3):
        yield b"ATE0"
        channel.echoed = False
        yield b"AT"
        if not channel.echoed:
            break
    yield b"AT+CMEE=1"
    m.model = " ".join((yield b"AT+CGMM"))
    if m.baudrate:
        yield b"AT+IPR=%d" % m.baudrate
        channel.uart.init(baudrate=m.baudrate)
        yield 100
    try:
        yield b"AT+CNMI=2,1"  # no SMS text on this line; refused without a SIM
    except OSError as e:
        _refusal(e)
    for cmd in m.init:
        yield b"AT" + cmd.encode()
    m.doubt = channel.echoed = False


def recheck(m):
    """After a boot line, an echo or a refusal: does the module still know what it was told?"""
    try:
        yield from _configure(m)
        if m.up:
            yield from m.context_check()
    except OSError as e:
        _refusal(e)
        m.on_lost(errno.ENOTCONN, e.args[1])


def power_down(m):
    """By command; where that is not answered, by the key."""
    m.on_lost(errno.ENOTCONN, "switched off")
    m.on = False
    m.step = "off"
    try:
        yield m.OFF
    except OSError:
        if m.pwrkey:
            yield from press(m, m.PRESS_OFF_MS)
            yield 7000
    m.channel.desync = False


def bring_up(m, apn, user, key, timeout_ms):
    """Everything from power to context."""
    give_up = time.ticks_add(time.ticks_ms(), timeout_ms)
    if not m.on:
        yield from power_up(m)
    advice = ""
    try:
        m.step = "sim"
        yield from _sim(m)
        m.step = "registration"
        yield from _register(m, give_up)
        m.step = "attach"
        advice = " (no data service? check the plan)"
        if (yield b"AT+CGATT?")[-1] != "+CGATT: 1":
            yield b"AT+CGATT=1", 75000
        m.step = "context"
        advice = " (check APN, user and key)"
        yield from m.context_up(apn, user, key)
        for _, steps in m.extra:
            yield from steps(m)
        m.up = True
    except OSError as e:
        raise OSError(e.errno, "connect, %s: %s%s" % (m.step, e.args[1], advice))
    finally:
        m.step = "up" if m.up else "idle"


def _sim(m):
    answer = ""
    for _ in range(20):
        try:
            answer = (yield b"AT+CPIN?")[-1]
        except OSError as e:
            answer = _refusal(e)
        if answer == "+CPIN: READY":
            return
        if answer == "+CPIN: SIM PIN" and m.pin:
            pin = m.pin
            m.pin = ""  # never twice: three wrong ones lock the card
            try:
                yield b'AT+CPIN="%s"' % pin.encode()
                m.pin = pin
            except OSError as e:
                answer = _refusal(e)
        if "PUK" in answer or answer.endswith(": 16") or (answer == "+CPIN: SIM PIN" and not m.pin):
            raise OSError(errno.EACCES, answer + ": give the right pin= to the modem, a PUK to a phone")
        yield 1000
    raise OSError(errno.ENODEV, answer + ": is a SIM card in?")


def _register(m, give_up):
    denied = 0
    while True:
        state = yield from registration(m)
        if state == 1 or state == 5:
            return
        denied = denied + 1 if state == 3 else 0
        if denied == 10:
            raise OSError(errno.EACCES, "denied by the network: check the plan, roaming, radio mode (+CNMP)")
        if time.ticks_diff(give_up, time.ticks_ms()) < 0:
            rssi = yield from signal(m)
            why = "no network (registration %d, signal %s dBm): check antenna, bands, radio mode (+CNMP)"
            raise OSError(errno.ETIMEDOUT, why % (state, rssi))
        yield 1000


def registration(m):
    """<stat>. A read answers <n>,<stat>[,"lac"…]; a URC that comes between says <stat>[,"lac"…]."""
    state = 4
    for cmd in m.REGISTRATION:
        try:
            for line in (yield cmd):
                fields = line.split(":")[-1].split(",")
                state = int(fields[1 if len(fields) > 1 and fields[1].strip().isdigit() else 0])
                if state == 1 or state == 5:
                    return state
        except OSError as e:
            _refusal(e)
    return state


def _refusal(e):
    """The line of an ATError, which is loaded only when there is one; another error is raised again."""
    if not hasattr(e, "line"):
        raise e
    return e.line


def signal(m):
    """RSSI in dBm, None when the module does not know it."""
    rssi = int((yield b"AT+CSQ")[-1].split(":")[-1].split(",")[0])
    return 2 * rssi - 113 if rssi < 32 else None


def resync(m):
    """After a command without an answer, or lost bytes: until answers fit commands again."""
    channel = m.channel
    cmd = m.command()
    try:
        for _ in range(4):
            for _ in range(40):  # what is pushed may never pause
                if channel.quiet(300):
                    break
                yield 50
            channel.parser.reset()
            channel.mute = False
            filler = channel.filler
            try:
                yield b"AT+CMEE?", 2000, ()
                return
            except OSError:
                pass
            yield from _fill(m, filler)
        m.on_silent(cmd + ": no answer, nor to AT+CMEE?")
    finally:
        channel.desync = False
        m._only = None
