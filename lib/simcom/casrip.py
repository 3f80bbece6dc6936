"""Receiving where headers name the sender (AT+CASRIP=1): "+CARECV: address,port,n,", or the length first."""

from .carecv import CaRecv
from .pump import text


def sources(m):
    """Steps: have the module name senders, from the next read on."""
    plain = m.receiver
    m.use(Sources(m))  # now: the next read may come before the next step
    try:
        yield b"AT+CASRIP=1"
    except OSError:
        m.use(plain)
        raise
    m.SETTINGS = tuple([cmd for cmd in m.SETTINGS if not cmd.startswith(b"AT+CASRIP")]) + (b"AT+CASRIP=1",)


class Sources(CaRecv):
    """The three fields come one by one: the parser cuts at each comma."""

    _REST = (b"", b",")

    _at = 0  # so many of them are here
    _n = 0  # the length, if it was the first
    _host = ""

    def __init__(self, m):
        old = m.receiver
        super().__init__(m, m.read_max, old.size)
        self.rings = old.rings

    def read(self, link):
        self._at = 0
        super().read(link)

    def on_head(self, buf, i, j):
        self._header(buf, i, j)

    def _header(self, buf, i, j):
        if not self._at:
            if not buf.startswith(b"+CARECV:", i):
                return -2
            i += 8
        if buf[i] == 32:
            i += 1
        n = digits(buf, i, j)
        if not self._at and not n:
            self._empty = True
            return -1
        j -= 1
        if j <= i or buf[j] != 44 or (self._at == 2 and n < 0):
            self._channel.lost(True)
        else:
            self._field(n, buf, i, j)
        return -1

    def _field(self, n, buf, i, j):
        at = self._at
        self._at = at + 1
        link = self.link
        if not at:
            self._n = n  # -1: an address
            self._channel.parser.inline = self._REST
            link.known = link.known or 1  # now something is announced
        if link.borders:
            if at == (self._n >= 0):
                self._host = text(buf, i, j).strip('" ')
            elif n >= 0 and at == 1 + (self._n >= 0):
                link.source = (self._host, n)
        if at == 2:
            self._come(n if self._n < 0 else self._n)


def digits(buf, i, j):
    """The number that ends at a comma or at ``j``; -1: it is none."""
    n = -1
    while i < j and buf[i] != 44:
        if not 48 <= buf[i] <= 57:
            return -1
        n = max(n, 0) * 10 + buf[i] - 48
        i += 1
    return n
