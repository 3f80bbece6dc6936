"""When nothing works any more: one remedy after the other, from the mildest on."""

import errno

from ..checks import check_number
from ..links import Link, State
from ..lazy import capability, once
from .reset import steps as restarted
from ..endpoint import check_address
from ..foreground import run


def recover(m, address: "tuple | None" = None, *, timeout_ms: int = 600000):
    """Try remedies until the module works: returns the name of the one that helped.

    "probe" (it answers, nothing was wrong), "links" (every connection is closed; sockets raise ECONNABORTED), "context"
    (deactivated and raised again), "radio" (off and on), "reset" (restart by command), "power" (by the RESET pin, else
    by ``pwrkey``). After each the module must answer and, as far as ``connect()`` was called before, tell its address
    and have the settings that it was told; where it refused to open a connection it is to try another one to there.
    With ``address``, a (host, port) where a server listens, a connection to it must come about. Transparent mode ends.

    Raises OSError with all that was tried. ``timeout_ms=0`` starts and returns an object whose ``done``, ``result`` and
    ``error`` tell.
    """
    check_number("timeout_ms", timeout_ms)
    if address is not None:
        address = check_address(address)
    tunnel = m.parts.get("tunnel")
    if tunnel:
        tunnel.abandon()
    task = _recover(m, address)
    return run(m, task, timeout_ms, "recover")


def set_silence_ms(m, ms):
    """``config(silence_ms=…)``: so long the module may say nothing before its connections are given up."""
    m.silence_ms = check_number("silence_ms", ms, 1000, 1 << 28)


def _recover(m, address):
    tried = []
    code = errno.ETIMEDOUT
    patience = m.silence_ms
    m.silence_ms = 0  # who calls this has waited long enough
    try:
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
    finally:
        m.silence_ms = patience
    raise OSError(code, "recover: " + "; ".join(tried))


def _check(m, address):
    yield b"AT"
    if m.channel.echoed:
        yield from once("recovery.resync").configure(m)
    if m.apn:
        _needs(m.up, "no context")
        yield from capability(m, "bringup", False).context_check(m)
        for cmd in m.SETTINGS:
            wrong = ""
            for _ in range(2):  # an answer may be damaged
                wrong = yield from _differs(m, *cmd.decode().split("=")) if b"=" in cmd else ""
                if not wrong:
                    break
            if wrong:
                raise OSError(errno.EIO, "the module has lost a setting: " + wrong)
    spurned = m.__dict__.get("spurned")
    m.spurned = None
    if address or (spurned and m.up):
        link = yield from _try(m, address or spurned)
        if link.error and (address or m.spurned):  # the latter: refused again; else the module has tried
            raise OSError(*link.error)


def _differs(m, name, value):
    # What AT+NAME? says, if it is not the value.
    try:
        lines = yield name.encode() + b"?"
    except OSError as e:
        if not hasattr(e, "line"):
            raise
        return ""  # it cannot be asked
    want = value.split(",")
    for line in lines:
        now = [each.strip() for each in line.split(":")[-1].split(",")]
        if line.startswith(name[2:] + ":"):
            if len(now) != len(want):  # a notice
                m.on_line(line.encode(), 0, len(line))
            elif now != want and not "".join(now).strip("0123456789"):
                return line
    return ""


def _try(m, address):
    link = Link()
    m.open(link, address)
    try:
        while link.state == State.CONNECTING:
            yield 200
    finally:
        m.close(link)
    return link


def _needs(there, why):
    if not there:
        raise OSError(errno.ENOTCONN, why)


def _probe(m):
    if not m.on:  # it may have been silent for a while
        yield from once("bringup.power").power_up(m, False)
    yield b"AT"


def _links(m):
    _needs(m.up, "no context")
    for link in m.links.slots:
        if link:
            link.fail(errno.ECONNABORTED, "closed by recover()")
            link.to(State.CLOSING)
            m.links.reading &= ~link.bit
            m.wake(link)
            if not link.task.steps:  # a client that nobody has accepted yet
                link.task = m.start(m.closing(link))
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


def _radio(m):
    _needs(m.on, "the module is off, or silent")
    _needs(m.apn, "connect() was never called")
    m.on_lost(errno.ECONNABORTED, "radio switched off and on by recover()")
    try:
        yield b"AT+CFUN=4", 20000
        yield 1000
        yield b"AT+CFUN=1", 20000
    except OSError as e:
        if not hasattr(e, "line"):
            raise
        yield b"AT+CGATT=0", 75000
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
        power = once("bringup.power")
        yield from power.press(m, power.usual(m, "PRESS_OFF_MS"))
        yield 8000
        m.channel.desync = False
        yield from power.power_up(m)
    yield from _up(m)


def _up(m):
    if m.apn:
        yield from once("bringup.connect").bring_up(m, *m.apn + (120000,))


_REMEDIES = (
    ("probe", _probe),
    ("links", _links),
    ("context", _context),
    ("radio", _radio),
    ("reset", _reset),
    ("power", _power),
)
