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
        at = self._at
        if not at:
            if not buf.startswith(b"+CARECV:", i):
                return False
            i += 8
        if buf[i] == 32:
            i += 1
        n = 0
        k = i
        while k < j and 48 <= buf[k] <= 57:
            n = n * 10 + buf[k] - 48
            k += 1
        number = i < k >= j - 1  # digits alone
        if not at and number and not n:
            self._empty = True
        elif j <= i + 1 or buf[j - 1] != 44 or (at == 2 and not number):
            self._channel.lost(True)
        else:
            self._field(at, n if number else -1, buf, i, j - 1)
        return True

    def _field(self, at, n, buf, i, j):
        self._at = at + 1
        link = self.link
        if not at:
            self._n = n  # -1: an address
            self._channel.parser.inline = self._REST
        if link.borders:
            if at == (self._n >= 0):
                self._host = text(buf, i, j).strip('" ')
            elif n >= 0 and at == 1 + (self._n >= 0):
                link.source = (self._host, n)
        if at == 2:
            self._come(n if self._n < 0 else self._n)
