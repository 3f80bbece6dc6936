"""Switching the module on and off: procedures for the pump, loaded when they are needed."""

import errno

from .pump import once

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
    if init or timeout_ms != 90000:
        checks = once("checks")
        checks.check_number("timeout_ms", timeout_ms)
        if isinstance(init, str):
            init = (init,)
        if init:
            if not isinstance(init, (tuple, list)):
                raise TypeError('init: commands, as ("+CNMP=38", "+CMNB=1"), not %r' % (init,))
            init = tuple([checks.check_text("init", cmd, 550, "") for cmd in init])
    if on not in (0, 1):
        raise TypeError("active: on: True, False, or nothing, not %r" % (on,))
    if on != m.on or init:
        m.init = init or m.init
        steps = power_up(m) if on else power_down(m)
        if timeout_ms:
            m.run(steps, timeout_ms, "active")
        else:
            m.start(steps)
    return m.on


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
    yield from once("resync").configure(m)
    if not m.on:
        m.on = True
        m.step = "idle"
        if m.watcher not in m._tasks:  # it sleeps: it may not have noticed that the module was off
            m.watcher = m.start(m.watch())


def _awake(m):
    if (yield from hello(m, 3, 300)):
        return True
    if m.__dict__.get("off"):  # by us
        m.off = False
        return False
    yield from once("resync").fill(m, _FILL)  # our last life ended inside a payload …
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


def press(m, ms):
    """Hold the power key for so long."""
    m.pwrkey.value(m.pressed)
    try:
        yield ms
    finally:
        m.pwrkey.value(1 - m.pressed)


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
    m.off = bool(m.pwrkey)
