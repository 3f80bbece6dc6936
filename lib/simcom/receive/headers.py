"""The headers of pushed bytes in CIPSTART and CIPOPEN modules: +RECEIVE or +IPD, and the line that names the sender."""

from .push import Push
from ..links import State


class CipPush(Push):
    """Push behind such headers (AT+CIPRXGET=0)."""

    def __init__(self, m):
        super().__init__(m)
        self._sender = None  # where the next one comes from
        self._colon = False  # headers with an address end in one, on this module
        if not m.mux:  # +IPD,5: or +IPD,5,TCP:
            self._parser.inline = (b"+IPD", b":")

    def on_line(self, buf, i, j):
        m = self._modem
        if self._channel.parser is not self._parser:
            return False
        n = -1
        self.check()
        if buf.startswith(b"+RECEIVE,", i):
            if not (48 <= buf[i + 9] <= 57 and buf[i + 10] == 44 and buf[j] == 13):
                self.spoilt()
                return True
            m.cursor = i + 9
            n = m.number(buf, j)
        elif buf.startswith(b"+IPD", i):
            m.cursor = i + (5 if buf[i + 4] == 44 else 4)
            n = self._only()
        else:
            return self._sent_by(buf, i, j) or self._other(buf, i, j)
        k = m.cursor
        self.got = m.number(buf, j)
        while k < m.cursor:
            c = buf[k]
            k += 1
            if not (48 <= c <= 57 or c in b"(), " or (c == 58 and k == j)):  # its end is missing: payload follows
                self.spoilt()
                return True
        self._from = self._sender
        self._sender = None
        if buf[i + 1] == 82 and (m.cursor < j or not (self._from or buf[j - 1] == 58)):
            self._from = self._address(buf, m.cursor, j)
            colon = buf[j - 1] == 58
            if not self._from[1] or colon < self._colon:  # a line has cut it
                self.spoilt()
                return True
            self._colon = colon
        link = m.links.get(n)
        if link or buf[i + 1] != 82:
            self._comes(link)
        else:  # a digit of the number is damaged
            self.spoilt()
        return True

    def _sent_by(self, buf, i, j):
        # A line that no header is: whether it names the sender, or is one of before.
        if self._sender:  # a header stands behind it, always
            self._sender = None
            self.spoilt()
        k = buf.find(b" FROM:", i, i + 11)
        if k > 0 and buf.startswith(b"R", i if buf[i] != 43 else i + 1):
            self._sender = self._address(buf, k + 6, j)
            return True
        m = self._modem
        m.cursor = i + 10
        return buf.startswith(b"+CIPRXGET:", i) and m.number(buf, j) == 1

    def _pair(self, sender):
        # With an IPv6 address there are many colons.
        sender = sender.strip(" :")
        if sender.strip("0123456789abcdefABCDEF.: "):
            self.spoilt()
            sender = ""
        host, _, port = sender.rpartition(":")
        port = port.strip()
        return (host.strip(), int(port)) if host and port.isdigit() else ("", 0)

    def _only(self):
        # The header names no link: that of the only one that is open, or the only one with this peer.
        n = self._number_of(None)
        return n if n > -2 else self._number_of(self._sender)

    def _number_of(self, peer):
        # -1: no link is open, to this peer; -2: more than one.
        n = -1
        for link in self._modem.links.slots:
            if link and link.state == State.OPEN and (not peer or link.peer == peer):
                n = link.n if n == -1 else -2
        return n
