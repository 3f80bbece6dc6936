"""What the CIPSTART dialect words in its own way and a program seldom asks for."""

from ..hooks import Hook, add as add_hook, remove as remove_hook
from ..pump import text
from ..query import fields, query

RESET = b"AT+CFUN=1,1"
ROOM = b"AT+CIPSEND?"


class _Listing(Hook):
    """Takes the lines of AT+CIPSTATUS, which come after OK, until the last one."""

    def __init__(self):
        self.lines = []

    def on_line(self, buf, i, j):
        for start in (b"STATE:", b"S:", b"C:"):
            if buf.startswith(start, i):
                self.lines.append(text(buf, i, j))
                return True
        return False


def _listing(m):
    """All lines of AT+CIPSTATUS."""
    listing = _Listing()
    last = (b"STATE:",)
    if len(m.links.slots) > 1:
        last = (b"C: %d," % (m.LINKS - 1), b"C:%d," % (m.LINKS - 1))
    add_hook(m, listing)
    try:
        end = yield b"AT+CIPSTATUS", m.ANSWER_MS, last
    finally:
        remove_hook(m, listing)
    return listing.lines + end


def context(m):
    """The state of the selected context."""
    for line in (yield from _listing(m)):
        if line.startswith("STATE:"):
            return fields(line)[0]


def links(m):
    """Every link, by AT+CIPSTATUS."""
    found = []
    for line in (yield from _listing(m)):
        if line.startswith("C:"):
            row = fields(line)
            host, port, state = row[-3:]  # a comma may be missing before them
            bearer = int(row[1]) if len(row) > 5 and row[1] else 0
            found.append((int(row[0]), row[-4], host, int(port or 0), state, None, bearer))
        elif len(m.links.slots) == 1:
            link = m.links.slots[0]
            host, port = link.peer if link else ("", 0)
            found.append((0, link.proto if link else "", host, port, fields(line)[0], None, 0))
    return found


def servers(m):
    """The server, by AT+CIPSERVER?."""
    port = (yield from query(m, b"AT+CIPSERVER?", _port))[-1]
    return [(0, port)] if port else []


def _port(line):
    row = fields(line)
    return int(row[1]) if ("0", "1").index(row[0]) else 0


def counts(n, answer):
    """(n, sent, acknowledged, received) of AT+CIPACK."""
    return n, answer[0], answer[1], None


def keepalive(on, idle_s, interval_s, count):
    """Steps: have idle connections probed, or not."""
    yield b"AT+CIPTKA=%d,%d,%d,%d" % (on, min(max(idle_s, 30), 7200), min(max(interval_s, 30), 600), min(count, 9))
