"""What the CIPOPEN dialect words in its own way and a program seldom asks for."""

from ..query import fields, perhaps, query

RESET = b"AT+CRESET"
ROOM = b""  # nothing tells


def context(m):
    """Whether the network is open."""
    return "OPEN" if (yield from query(m, b"AT+NETOPEN?", _flag))[-1] else "CLOSED"


def _flag(line):
    return ("0", "1").index(fields(line)[0])


def links(m):
    """Every link, by AT+CIPOPEN?; a report that comes between looks nearly the same."""
    found = []
    for line, row in (yield from query(m, b"AT+CIPOPEN?", _row)):
        if len(row) > 2:
            server = int(row[4]) if len(row) > 4 else -1
            found.append(
                (int(row[0]), row[1], row[2], int(row[3] or 0), "CONNECTED", server if server >= 0 else None, 0)
            )
        elif len(row) == 1:
            found.append((int(row[0]), "", "", 0, "INITIAL", None, 0))
        else:
            m.on_line(line.encode(), 0, len(line))
    return found


def _row(line):
    row = fields(line)
    int(row[0])
    if len(row) > 2:
        int(row[3] or 0)
        int(row[-1])
    return line, row


def servers(m):
    """Every server, by AT+SERVERSTART?."""
    return (yield from perhaps(m, b"AT+SERVERSTART?", _server))


def _server(line):
    row = fields(line)
    return int(row[0]), int(row[1])


def counts(n, answer):
    """(n, sent, acknowledged, received) of AT+CIPACK; its second field is reserved."""
    return n, answer[0], None, answer[2]


def keepalive(on, idle_s, interval_s, count):
    """Steps: have idle connections probed, or not; in minutes."""
    minutes = [min(max(-(-seconds // 60), 1), 120) for seconds in (idle_s, interval_s)]
    yield b"AT+CTCPKA=%d,%d,%d,%d" % (on, minutes[0], min(count, 10), minutes[1])
