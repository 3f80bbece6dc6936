"""Switching the module on: procedures for the pump, loaded when they are needed."""

import errno
import sys
from time import ticks_diff, ticks_ms

from micropython import const

from ..channel import Pace
from ..lazy import once
from ..foreground import run

_RATES = (115200, 9600, 460800, 921600, 230400, 57600, 38400, 19200)
_FILL = 1500  # the longest payload a module can have been left waiting for
_BEAT_MS = const(50)  # between two interrupts, where a poll() waits for one
# How long the key is held, how long until the module answers, and for how long after its last word it takes no notice
# of its key, where its family says nothing else.
_USUAL_MS = {"PRESS_ON_MS": 1100, "PRESS_OFF_MS": 1800, "BOOT_MS": 15000, "OFF_MS": 3000}
_CLOSE_DOWN = b"\xf9\x03\xef\x05\xc3\x01\xf2\xf9"  # 27.010: the end of the multiplexer, on its control channel


def switch(m, on, init, timeout_ms):
    """``modem.active(on, ...)``."""
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
    if init is not None:
        m.init = init
        m.refused = 0
    if not on and "tunnel" in m.parts:
        m.parts["tunnel"].abandon()
    if on != m.on or init:
        if on:
            steps = power_up(m)
        else:
            steps = once("bringup.shutdown").power_down(m, press(m, usual(m, "PRESS_OFF_MS")))
        if timeout_ms:
            run(m, steps, timeout_ms, "active")
        else:
            m.start(steps)
    return m.on


def usual(m, name):
    """PRESS_ON_MS, PRESS_OFF_MS, BOOT_MS or OFF_MS of the family."""
    return getattr(m, name, _USUAL_MS[name])


def _spread(each):
    # Every call of a method looks for it in the table of the object's attributes first, in vain and for long if that is
    # nearly full: so it grows.
    names = ["_%d" % n for n in range(16)]
    for name in names:
        setattr(each, name, None)
    for name in names:
        delattr(each, name)


def power_up(m, key=True):
    """Find the module, awake or asleep, and make it ours; ``key``: by its power key, if it does not answer."""
    if not m.on:
        yield from find(m, key)
    yield from once("recovery.resync").configure(m)
    if not m.on:
        baud = str(m.channel.uart).partition("baudrate=")[2].partition(",")[0]  # as each port's tells
        if baud.isdigit():
            m.channel.rate = int(baud) * Pace.DEAF_MS // 10000 or 1
        m.on = True
        m.step = "idle"
        for each in (m, m.channel, m.channel.parser):
            _spread(each)
        if not m.watcher or m.watcher.done:  # it sleeps: it may not have noticed that the module was off
            m.watcher = m.start(m.watch())
        if sys.platform == "rp2":
            _beat(m)


def find(m, key=True):
    """Steps: until the module answers, at the rate that the UART has then."""
    m.step = "power"
    m.reserve(m.current())
    try:
        awake = yield from _awake(m)
        if not awake and key and m.pwrkey:
            # One that is on and deaf is switched off by the long press, and some are by the first.
            for name in ("PRESS_ON_MS", "PRESS_OFF_MS", "PRESS_ON_MS"):
                yield from press(m, usual(m, name))
                awake = yield from hello(m, usual(m, "BOOT_MS") // 500, 500)
                if awake:
                    break
    finally:
        m.reserve(None)
        m.channel.desync = m.channel.mute = False
        m.step = "off"
    if not awake:
        why = "AT: no answer at any rate: check supply, TX/RX, pwrkey and its level"
        if b"\xf9" in bytes(m.channel.parser.buf):
            why = "AT: answered by frames only: it was left in multiplexer mode (CMUX): switch it off and on"
        raise OSError(errno.ETIMEDOUT, why)


def _beat(m):
    # There poll(), and so asyncio, asks a socket again after an interrupt only: what is due after some time, as a
    # question behind a lost notice is, would wait for the module's next byte.
    from machine import Timer

    m.beat = m.__dict__.get("beat") or Timer(-1)
    m.beat.init(period=_BEAT_MS, mode=Timer.PERIODIC, callback=bool)  # which does nothing


def _awake(m):
    if (yield from hello(m, 3, 300)):
        return True
    off = m.__dict__.get("off")
    if off:  # by us
        m.off = None
        off_ms = usual(m, "OFF_MS")
        left = off_ms - ticks_diff(ticks_ms(), off[0])
        if 0 < left <= off_ms:
            yield left
        return False
    m.channel.write(_CLOSE_DOWN, 8)
    yield from once("recovery.resync").fill(m, _FILL)  # our last life ended inside a payload …
    if (yield from hello(m, 2, 300)):
        return True
    yield 1100  # … or in data mode
    m.channel.write(b"+++", 3)
    yield 1100
    if (yield from hello(m, 2, 300)):
        return True
    for rate in _RATES:
        m.channel.uart.init(baudrate=rate)
        m.channel.write(_CLOSE_DOWN, 8)
        if (yield from hello(m, 2, 200)):
            return True
    m.channel.uart.init(baudrate=m.baudrate or _RATES[0])
    return False


def hello(m, tries, ms):
    """Whether the module answers within so many tries of so long."""
    for n in range(tries):
        m.channel.parser.reset()
        m.channel.mute = False
        try:
            yield (b"ATQ0V1" if n & 1 else b"AT"), ms  # its results may be switched off, or digits
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
