"""How CIPOPEN modules are made servers."""

import errno
from time import ticks_ms

from micropython import const

from ..channel import passed
from ..lazy import once
from ..pump import text
from ..query import fields, query

OWN = 0  # link numbers that a server takes for itself

_BACKLOG = const(3)
_STOP_MS = const(10000)


def start(m, server, listener):
    """Listen."""
    cmd = b"AT+SERVERSTART=%d,%d" % (listener.port, server.index)
    if listener.backlog:
        cmd += b",%d" % min(max(listener.backlog, 1), _BACKLOG)
    yield cmd, 10000


def runs(m, index, port):
    """Whether the module listens."""
    try:
        return (index, port) in (yield from query(m, b"AT+SERVERSTART?", _server, 2000))
    except OSError as e:
        if e.errno != errno.EIO or hasattr(e, "line"):
            raise
    return False  # there is none


def _server(line):
    row = fields(line)
    return int(row[0]), int(row[1])


def stop(m, server):
    """Listen no longer; accepted clients stay, and may be the reason to refuse."""
    server.report = None
    start = ticks_ms()
    yield b"AT+SERVERSTOP=%d" % server.index, 10000, False
    while server.report is None:
        if passed(start, _STOP_MS):
            raise OSError(errno.ETIMEDOUT, "AT+SERVERSTOP=%d: no result" % server.index)
        yield 500
    if server.report:
        code = once("errors.ip").code(server.report)
        raise OSError(code, "AT+SERVERSTOP=%d: error %d" % (server.index, server.report))


def look(m, n):
    """Ask whose all links are."""
    was = m.links.slots[:]
    for row in (yield from query(m, b"AT+CIPOPEN?", fields)):
        n = int(row[0])
        if m.links.slots[n] is not was[n]:  # it has changed hands behind the answer, which is of the one before
            continue
        if len(row) == 2:  # the report of a connection that is just opened looks nearly the same
            line = ("+CIPOPEN:" + ",".join(row)).encode()
            m.on_line(line, 0, len(line))
        elif len(row) > 4 and int(row[4]) >= 0:
            m.parts["servers"].found(n, int(row[4]), (row[2], int(row[3])))


def search(m):
    """As ``look()``."""
    return look(m, 0)


def on_line(servers, buf, i, j):
    """ "+CLIENT: link,server,address:port", "+SERVERSTOP: server,err"."""
    if buf.startswith(b"+CIPSEND: ", i):  # before the payload went out it is of who had the number before
        channel = servers.modem.channel
        mine = channel.cmd.startswith(b"AT+CIPSEND=" + bytes(buf[i + 10 : i + 11]))
        return mine and channel.busy and channel.sent < 0
    stopped = buf.startswith(b"+SERVERSTOP:", i)
    if not stopped and not buf.startswith(b"+CLIENT:", i):
        return False
    try:
        row = text(buf, i, j).split(":", 1)[1].split(",")
        if stopped:
            server = servers.slots[int(row[0])]
            server.report = int(row[1])
            servers.modem.wake(server)
        else:
            host, port = row[2].strip(' "').rsplit(":", 1)
            servers.client(int(row[0]), servers.slots[int(row[1])], (host, int(port)), True)
    except (ValueError, IndexError, AttributeError):  # garbled, or no server of ours
        return False
    return True
