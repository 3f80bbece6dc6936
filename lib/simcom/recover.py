"""When nothing works any more: one remedy after the other, from the mildest on."""

import errno

from micropython import const

from .checks import check_number
from .links import Link
from .pump import once
from .restart import steps as restarted
from .socket import check_address

_CONNECTING = const(1)  # Link.state, as in links.py
_CLOSING = const(4)


def recover(m, address: "tuple | None" = None, *, timeout_ms: int = 600000):
    """Try remedies until the module works: returns the name of the one that helped.

    "probe" (it answers, nothing was wrong), "links" (every connection is closed; sockets raise ECONNABORTED), "context"
    (deactivated and raised again), "reset" (restart by command), "power" (by the RESET pin, else by ``pwrkey``). After
    each the module must answer and tell its address, as far as ``connect()`` was called before; with ``address``, a
    (host, port) where a server listens, a connection to it must come about.

    Raises OSError with all that was tried. ``timeout_ms=0`` starts and returns an object whose ``done``, ``result`` and
    ``error`` tell.
    """
    check_number("timeout_ms", timeout_ms)
    if address is not None:
        address = check_address(address)
    tunnel = m.__dict__.get("tunnel")
    if tunnel:
        tunnel.abandon()
    task = _recover(m, address)
    return m.run(task, timeout_ms, "recover")


def set_silence(m, ms):
    """``config(silence_ms=…)``: so long the module may say nothing before its connections are given up."""
    m.silence_ms = check_number("silence_ms", ms, 1000, 1 << 28)


def _recover(m, address):
    tried = []
    code = errno.ETIMEDOUT
    for name, steps in _REMEDIES:
        try:
            yield from steps(m)
            yield from _check(m, address)
            return name
        except OSError as e:
            code = e.errno
            tried.append("%s: %s" % (name, e.args[1]))
        except (ValueError, IndexError):
            tried.append("%s: answer not understood" % name)
    raise OSError(code, "recover: " + "; ".join(tried))


def _check(m, address):
    yield b"AT"
    if m.apn:
        _needs(m.up, "no context")
        yield from once("context_" + m.DIALECT).context_check(m)
    if address:
        link = Link()
        m.open(link, address)
        try:
            while link.state == _CONNECTING:
                yield 200
        finally:
            m.close(link)
        if link.error:
            raise OSError(*link.error)


def _needs(there, why):
    if not there:
        raise OSError(errno.ENOTCONN, why)


def _probe(m):
    if not m.on:  # it may have been silent for a while
        yield from once("power").power_up(m, False)
    yield b"AT"


def _links(m):
    _needs(m.up, "no context")
    for link in m.links.slots:
        if link:
            link.fail(errno.ECONNABORTED, "closed by recover()")
            link.state = _CLOSING
            m.links.reading &= ~link.bit
            m.wake(link)
            if not link.task.steps:  # a client that nobody has accepted yet
                link.task = m.start(m._end(link))
    for _ in range(80):
        if not any(m.links.slots):
            return
        yield 500
    raise OSError(errno.ETIMEDOUT, "links do not close")


def _context(m):
    _needs(m.on, "the module is off, or silent")
    _needs(m.apn, "connect() was never called")
    m.on_lost(errno.ECONNABORTED, "context raised again by recover()")
    yield from _up(m)


def _reset(m):
    _needs(m.on, "the module is off, or silent")
    yield from restarted(m, None)
    yield from _up(m)


def _power(m):
    pin = getattr(m, "reset_pin", None)
    if pin:
        yield from restarted(m, pin)
    else:
        _needs(m.pwrkey, "no RESET pin, no pwrkey")
        m.on_lost(errno.ECONNABORTED, "switched off by recover()")
        m.on = False
        power = once("power")
        yield from power.press(m, power.usual(m, "PRESS_OFF_MS"))
        yield 8000
        m.channel.desync = False
        yield from power.power_up(m)
    yield from _up(m)


def _up(m):
    if m.apn:
        yield from once("bringup").bring_up(m, *m.apn + (120000,))


_REMEDIES = (("probe", _probe), ("links", _links), ("context", _context), ("reset", _reset), ("power", _power))
