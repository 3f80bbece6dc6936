"""Transparent mode as CIPOPEN modules word it."""

from time import ticks_diff, ticks_ms

from ..query import fields, query

MUTE = False  # the module may not say that the peer has closed
STOP = (b"AT+SERVERSTOP=0", 10000)
BESIDE = True  # links and servers other than 0 go on in command mode


def events(m):
    """What the module may say in data mode, beside what all do."""
    return (b"CLOSED", b"+IPCLOSE: 0,0", b"+IPCLOSE: 0,1", b"+IPCLOSE: 0,2", b"+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY")


def settings(ordinary):
    """What is set before the network is opened."""
    return (b"AT+CIPMODE=1", b"AT+CIPRXGET=0")


def dial(m, link, port):
    """Connect; ``port``: the local one, or 0, and UDP gets one. Whether it failed."""
    if link.proto == "UDP" and not port:
        port = 49152 + (ticks_diff(ticks_ms(), 0) & 16383)
    link.local = port
    return (yield _cmd(m, link), m.CONNECT_MS, (b"CONNECT FAIL",))


def _cmd(m, link):
    cmd = (m.OPEN % ((0, link.proto) + link.peer)).encode()
    return cmd + b",%d" % link.local if link.local else cmd


def again(m, link):
    """Back to data mode where ATO is refused: the same command once more, while the connection is there."""
    for row in (yield from query(m, b"AT+CIPOPEN?", fields)):
        if row[0] == "0" and len(row) > 2:
            yield _cmd(m, link), 10000, (b"CONNECT FAIL",)


def closed(m, link):
    """Steps: whether the peer has closed, where only that tells: it is said."""
    return ()


def listen(m, link, port):
    """Wait for a client."""
    yield b"AT+SERVERSTART=%d,0" % port


def client(line):
    """(address, port, link number) of a client, if this line tells of one."""
    if line.startswith("+CLIENT:"):
        address, port = line[line.rfind(",") + 1 :].rsplit(":", 1)
        return (address, int(port), 0)


def close(m, link, port):
    """From command mode."""
    yield from m.shut(link)
