"""Transparent mode as CIPSTART modules word it."""

MUTE = False  # the module may not say that the peer has closed
STOP = (b"AT+CIPSERVER=0", 10000, (b"SERVER CLOSE",))
BESIDE = False  # there is one link


def events(m):
    """What the module may say in data mode, beside what all do."""
    return (b"CLOSED", b"+PDP: DEACT", b"+PDP DEACT")


def settings(ordinary):
    """What is set before the context is raised."""
    commands = (b"AT+CIPMUX=0", b"AT+CIPMODE=1", b"AT+CIPRXGET=0")
    for cmd in (b"AT+CIPHEAD=1", b"AT+CIPSRIP=1"):
        if cmd in ordinary:
            commands += (cmd[:11] + b"0",)
    return commands


def dial(m, link, port):
    """Connect; ``port``: the local one, or 0. What becomes of it is told later."""
    if port:
        yield b'AT+CLPORT="%s",%d' % (link.proto.encode(), port)
    yield b'AT+CIPSTART="%s","%s",%d' % (link.proto.encode(), link.peer[0].encode(), link.peer[1]), m.ANSWER_MS, False


def again(m, link):
    """Back to data mode where ATO is refused: there is no other way."""
    return ()


def closed(m, link):
    """Steps: whether the peer has closed, where only that tells: it is said."""
    return ()


def listen(m, link, port):
    """Wait for a client; whether that is refused."""
    return (yield b"AT+CIPSERVER=1,%d" % port, 10000, (b"SERVER ",))[-1] != "SERVER OK"


def client(line):
    """(address, port, link number) of a client, if this line tells of one; there is no port."""
    return (line[10:].strip(), 0, 0) if line.startswith("REMOTE IP:") else None


def close(m, link, port):
    """From command mode."""
    yield b"AT+CIPCLOSE", 30000, (b"CLOSE",)
    if port:
        yield b'AT+CLPORT="%s",0' % link.proto.encode()
