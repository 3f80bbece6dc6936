"""How CAOPEN modules are made servers: each takes a link's number of our choice."""

import errno
from time import ticks_add, ticks_ms

from ..lazy import once
from ..links import State, Wait
from ..pump import text
from ..query import fields, perhaps

OWN = 1  # link numbers that a server takes for itself


def start(m, server, listener):
    """Listen; there is no backlog."""
    taken = [each.cid for each in m.parts["servers"].slots if each and each is not server and each.running]
    free = [n for n, link in enumerate(m.links.slots) if not link and n not in taken]
    if not free:
        raise OSError(errno.ENOBUFS, "no link number for a server")
    n = server.cid = free[0]
    m.links.last |= 1 << n  # its number is nobody else's
    if m.owed >> n & 1:
        m.owed &= ~(1 << n)
        yield from _closed(n)
    since = ticks_ms()
    kind = b"TCP6" if ":" in (listener.kind.second or m).address else b"TCP"
    mode = b",1" * m.channel.parser.pushed
    pdp = (listener.kind.second or m).pdp
    rows = yield b'AT+CASERVER=%d,%d,"%s",%d%s' % (n, pdp, kind, listener.port, mode), 30000
    result = int(fields(rows[-1])[1])
    if result:
        m.owed |= 1 << n
        errors = once("errors.caopen")
        code, ends = yield from errors.cause(m, pdp, result, since)
        errors.heard(m, ends)
        raise OSError(code, rows[-1])


def _closed(n):
    try:
        yield b"AT+CACLOSE=%d" % n, 10000
    except OSError as e:
        if not hasattr(e, "line"):
            raise


def runs(m, index, port):
    """Whether the module listens."""
    for cid, kind, found in (yield from perhaps(m, b"AT+CASERVER?", _server)):
        if found == port and kind.startswith("TCP"):
            m.parts["servers"].slots[index].cid = cid
            return True
    return False


def _server(line):
    row = fields(line)
    return int(row[0]), row[2], int(row[3])


def stop(m, server):
    """Listen no longer. Whether accepted clients outlive that is not known: they are waited for."""
    for link in m.links.slots:
        if link and getattr(link, "server", None) is server and link.state == State.OPEN:
            raise OSError(errno.EAGAIN, "its clients might be closed with it")
    yield b"AT+CACLOSE=%d" % server.cid, 10000
    m.links.last &= ~(1 << server.cid)
    for link in m.links.slots:
        if link:
            link.heard = ticks_add(ticks_ms(), -Wait.UNHEARD_MS)


def look(m, n):
    """Ask what links there are, and who has those that we do not know."""
    servers = m.parts["servers"]
    ghost = yield from _ghost(m, n)
    was = m.links.slots[:]
    unknown = []
    for cid, state in (yield from perhaps(m, b"AT+CASTATE?", _state)):
        link = m.links.slots[cid]
        if link is not was[cid]:  # it has changed hands behind the answer, which is of the one before
            continue
        if state == 0:
            servers.over(cid, ("", 0))
        elif state == 1 and not link and not m.owed >> cid & 1:  # +CANEW was lost
            unknown.append(cid)
    if not unknown:
        return
    peers = {}
    for cid, peer in (yield from perhaps(m, b"AT+CAOPEN?", _peer)):
        peers[cid] = peer
    running = [each for each in servers.slots if each and each.listener] or (None,)
    for cid in unknown:
        if not m.links.slots[cid]:
            servers.client(cid, running[0], peers.get(cid, ghost), False)


def _ghost(m, n):
    # Whose link is not there, as a digit of its number came twice, is no client; its peer, if link ``n`` is such a one.
    link = m.links.slots[n]
    if getattr(link, "odd", False):
        link.odd = False
        for _ in range(2):  # a row may be lost
            if n in [cid for cid, _ in (yield from perhaps(m, b"AT+CASTATE?", _state))]:
                break
        else:
            if m.links.slots[n] is link and link.server.listener:
                link.server.listener.waiting.remove(link)
                m.links.release(link)
                return link.peer
    return "", 0


def search(m):
    """As ``look()``."""
    return look(m, 0)


def _peer(line):
    row = fields(line)
    return int(row[0]), (row[3], int(row[4]))


def _state(line):
    n, state = fields(line)
    return int(n), ("0", "1", "2").index(state)


def on_line(servers, buf, i, j):
    """ "+CANEW: server,link,address,port", "+CAURC: "incoming full"": the module refused one."""
    if buf.startswith(b"+CANEW:", i):
        try:
            cid, n, host, port = text(buf, i, j).split(":", 1)[1].split(",")
            peer = (host.strip(' "'), int(port))
            n = int(n)
            cid = int(cid)
        except ValueError:  # damaged: it is found by asking
            return True
        if n == cid:  # a sender of datagrams
            return False
        for server in servers.slots:
            if server and server.running and server.cid == cid:
                break
        else:
            server = None
        servers.modem.owed &= ~(1 << n)
        slots = servers.modem.links.slots
        free = None in slots and slots.index(None)
        servers.client(n, server, peer, True)
        link = servers.modem.links.get(n)
        if server and link and n > 9 and n != free and link.report == 0:
            link.odd = True
            link.report = None  # it is asked after before it is accepted
        return True
    return buf.startswith(b'+CAURC: "incoming', i)
