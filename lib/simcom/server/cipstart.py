"""How CIPSTART modules are made servers."""

import errno

from ..pump import text
from ..query import fields, query

OWN = 1  # link numbers that a server takes for itself


def start(m, server, listener):
    """Listen; there is no backlog."""
    return listener.kind.through(_start(listener))


def _start(listener):
    line = (yield b"AT+CIPSERVER=1,%d" % listener.port, 10000, (b"SERVER OK", b"SERVER FAIL"))[-1]
    if line.endswith("FAIL"):
        raise OSError(errno.EADDRINUSE, line)


def runs(m, index, port):
    """Whether the module listens."""
    listens, found = (yield from query(m, b"AT+CIPSERVER?", _server))[-1]
    return listens and (not found or found == port)


def _server(line):
    row = fields(line)
    return ("0", "1").index(row[0]), int(row[1]) if len(row) > 1 else 0


def stop(m, server):
    """Listen no longer; accepted clients stay."""
    yield b"AT+CIPSERVER=0", 10000, (b"SERVER CLOSE",)


def look(m, n):
    """Ask for the state of link ``n``, and whose it is."""
    link = m.links.get(n)
    found = (yield from query(m, b"AT+CIPSTATUS=%d" % n, _whose))[-1]
    if link is not m.links.get(n):  # a client came behind the answer: that is of an older connection
        return
    peer = (found[3], int(found[4] or 0))
    if found[-1] != "CONNECTED" and found[-1] != "REMOTE CLOSING":
        m.parts["servers"].over(n, peer)
    elif found[2] != "UDP":
        m.parts["servers"].client(n, m.parts["servers"].slots[0], peer, False)


def search(m):
    """Ask for the links that we think unused."""
    for n, link in enumerate(m.links.slots):
        if not link:
            yield from look(m, n)


def on_line(servers, buf, i, j):
    """ "n, REMOTE IP: x", which says nothing of the port."""
    if j - i < 8 or buf[i + 1] != 44 or buf.find(b"REMOTE IP:", i, j) < 0:
        return False
    host = text(buf, i, j).split(":", 1)[1].strip()
    servers.client(buf[i] - 48, servers.slots[0], (host, 0), True)
    return True


def _whose(line):
    row = fields(line)
    if "/%s/" % row[-1] not in "/CONNECTED/REMOTE CLOSING/CONNECTING/CLOSING/CLOSED/INITIAL/":
        raise ValueError
    int(row[4] or 0)
    return row
