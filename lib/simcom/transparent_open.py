"""Transparent mode as CIPOPEN modules word it."""

from time import ticks_diff, ticks_ms

EVENTS = (b"CLOSED", b"+IPCLOSE: 0,0", b"+IPCLOSE: 0,1", b"+IPCLOSE: 0,2", b"+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY")
STOP = (b"AT+SERVERSTOP=0", 10000)


def settings(ordinary):
    """What is set before the network is opened."""
    return (b"AT+CIPMODE=1", b"AT+CIPRXGET=0")


def dial(m, link, port):
    """Connect; ``port``: the local one, or 0, and UDP gets one. Whether it failed."""
    cmd = (m.OPEN % ((0, link.proto) + link.peer)).encode()
    if port or link.proto == "UDP":
        cmd += b",%d" % (port or 49152 + (ticks_diff(ticks_ms(), 0) & 16383))
    return (yield cmd, m.CONNECT_MS, (b"CONNECT FAIL",))


def listen(m, port):
    """Wait for a client."""
    yield b"AT+SERVERSTART=%d,0" % port


def client(line):
    """(address, port) of a client, if this line tells of one."""
    if line.startswith("+CLIENT:"):
        address, port = line[line.rfind(",") + 1 :].rsplit(":", 1)
        return (address, int(port))


def close(m, link, port):
    """From command mode."""
    yield from m.shut(link)
