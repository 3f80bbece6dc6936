"""Transparent mode as CAOPEN modules word it: an open connection is switched to it."""

import errno
from time import ticks_ms

from micropython import const

from ..channel import passed
from ..lazy import once
from ..links import State
from ..local_port.caopen import local_port
from ..query import fields, perhaps

_SERVER = const(12)  # the number of a server; its client mostly gets the lowest
BESIDE = True  # other links and servers go on in command mode
MUTE = True  # the module may not say that the peer has closed, or that the context was lost: lost() asks
STOP = (b"AT+CACLOSE=12", 10000)


def events(m):
    """What the module may say in data mode, beside what all do."""
    return (b"CLOSED", b"OK", b"+CASTATE: 0,0", b"+APP PDP: DEACTIVE", b"+APP PDP: %d,DEACTIVE" % m.pdp)


def settings(ordinary):
    """What is set before the context is raised."""
    return ()


def dial(m, link, port):
    """Connect; ``port``: the local one, or 0. What becomes of it is told later."""
    if port:
        yield from local_port(0, port)
    link.moved = ticks_ms()
    link.stale = 2
    link.report = error = None
    try:
        plain = m.OPEN.replace(",1", "")  # pushed bytes do not go with it
        yield (plain % ((0, m.pdp, link.proto) + link.peer)).encode(), m.CONNECT_MS, False
        while m.up and link.report is None and not link.error:
            if passed(link.moved, m.CONNECT_MS):
                return
            yield 100
    except OSError as e:
        error = e
    if link.report == 0:
        yield from _switched(m, link)
    elif link.report or error:
        yield from once("errors.caopen").refused(m, link, error)


def _switched(m, link):
    # OK and CONNECT come in either order, or CONNECT alone.
    try:
        yield b"AT+CASWITCH=%d,1" % link.n, 10000, False
    except OSError:
        if not (yield from closed(m, link)):
            raise
        if link.state == State.CONNECTING:
            link.to(State.OPEN)  # what came before is still to be read
        return
    for _ in range(100):
        if m.channel.parser.data:
            return
        yield 100
    raise OSError(errno.ETIMEDOUT, "AT+CASWITCH: no CONNECT")


def closed(m, link):
    """Steps: whether the peer has closed, where only that tells."""
    try:
        for n, state in (yield from perhaps(m, b"AT+CASTATE?", _state)):
            if n == link.n:
                return state == "0"
    except OSError:
        return False
    return True


def _state(line):
    n, state = fields(line)
    return int(n), state


def lost(m):
    """Steps: notice that the context was lost, where only +CASTATE tells."""
    try:
        yield from once("bringup.caopen").context_check(m)
    except OSError as e:
        if hasattr(e, "line"):
            m.on_lost(errno.ENOTCONN, e.args[1])


def again(m, link):
    """Back to data mode where ATO is refused."""
    if not (yield from closed(m, link)):
        yield from _switched(m, link)


def listen(m, link, port):
    """Wait for a client; whether that is refused."""
    since = ticks_ms()
    kind = b"TCP6" if ":" in m.address else b"TCP"
    rows = yield b'AT+CASERVER=%d,%d,"%s",%d' % (_SERVER, m.pdp, kind, port), 30000
    result = int(fields(rows[-1])[1])
    if result:
        errors = once("errors.caopen")
        code, ends = yield from errors.cause(m, m.pdp, result, since)
        errors.heard(m, ends)
        raise OSError(code, rows[-1])
    m.links.last |= 1 << _SERVER
    m.links.slots[0] = None
    link.n = _SERVER
    m.links.slots[_SERVER] = link
    while m.up and link.n == _SERVER:
        yield 100
    if link.n != _SERVER:
        yield from _switched(m, link)


def client(line):
    """(address, port, link number) of a client, if this line tells of one."""
    if line.startswith("+CANEW:"):
        _, n, address, port = fields(line)
        return (address, int(port), int(n))


def close(m, link, port):
    """From command mode."""
    try:
        yield b"AT+CASWITCH=%d,0" % link.n
    except OSError as e:
        if not hasattr(e, "line"):
            raise
    yield from m.shut(link)
    m.links.last &= ~(1 << _SERVER)
    if port:
        yield from local_port(0, 0)
