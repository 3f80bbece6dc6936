"""PDP contexts beside the first in the CAOPEN dialect: they have numbers, and each open names one."""

import errno

from ..hooks import Hook, add
from ..lazy import capability
from ..query import fields, perhaps

_MOST = 4  # with the modem's own


class Keeper(Hook):
    """Has up to three of them. ``+APP PDP: n,DEACTIVE`` ends the links of that one; without the number it is asked
    which is meant, and also when a link is closed, as some say no more when a context is lost."""

    def __init__(self, m):
        self.modem = m
        self.all = []
        self._parting = False  # the modem's own is lost alone
        self._asking = False  # _which() is about to begin
        add(m, self, True)

    def choose(self, apn):
        """That with this APN; None: a new one."""
        for second in self.all:
            if second.account[0] == apn:
                return second
        if len(self.all) < _MOST - 1:
            return None
        for second in self.all:
            if not second.up:
                return second
        raise OSError(errno.ENOBUFS, "three more contexts are connected: disconnect() one first")

    def busy(self):
        """Whether one is up."""
        return any([each.up for each in self.all])

    # Hook

    def on_line(self, buf, i, j):
        """Hook.on_line()"""
        if not buf.startswith(b"+APP PDP", i):
            if buf.startswith(b"+CASTATE", i) or buf.startswith(b"RDY", i):
                self._look()
            return False
        m = self.modem
        k = buf.find(b":", i, j) + 1
        if buf.find(b",", k, j) < 0:
            if not [each for each in self.all if each.up or each.net is None]:
                return False
            m.start(self._which())
            return True
        m.cursor = k
        n = m.number(buf, j)
        return n != m.pdp and self._told(n, buf.find(b"DEACT", k, j) < 0)

    def _look(self):
        if self.busy() and not self._asking:
            self._asking = True
            self.modem.start(self._which())

    def _which(self):
        m = self.modem
        self._asking = False
        for n, active in (yield from perhaps(m, b"AT+CNACT?", _state)):
            if active < 2:  # else it changes
                line = b"+APP PDP: %d,%sACTIVE" % (n, b"" if active else b"DE")
                m.channel.on_line(line, 0, len(line))

    def _told(self, n, active):
        for second in self.all:
            if second.pdp == n:
                second.net = active
                if not active and second.up:
                    if second.parting:  # it may come of what is off already
                        second.parting = False
                        self.modem.start(self._which())
                    else:
                        self._end(second, errno.ENOTCONN, "the network took the context (+APP PDP: %d,DEACTIVE)" % n)
                return True
        return False

    def _end(self, second, code, why):
        m = self.modem
        for link in second.mine():
            m.owed |= link.bit  # its number stays taken until it is closed by us too
        second.end(code, why)

    def on_lost(self, code, why):
        """Hook.on_lost()"""
        m = self.modem
        if self._parting:
            return False
        if m.up and code == errno.ENOTCONN and self.busy():  # the modem's own, and perhaps nothing else
            kept = []
            for second in self.all:
                kept += second.mine()
            for link in kept:
                m.links.slots[link.n] = None
            self._parting = True
            m.on_lost(code, why)
            self._parting = False
            for link in kept:
                m.links.slots[link.n] = link
            self._look()
            return True
        for second in self.all:
            second.up = False
            second.address = ""
        return False

    # Steps

    def down(self):
        """Take down those that are not to be up."""
        for second in self.all:
            if not second.up and second.pdp not in (-1, self.modem.pdp):
                yield from capability(self.modem, "bringup", False).lowered(self.modem, second)

    def raising(self, second):
        """Up."""
        m = self.modem
        taken = [m.pdp] + [each.pdp for each in self.all if each is not second]
        if second.pdp in taken + [-1]:
            second.pdp = [n for n in range(_MOST) if n not in taken][0]
        words = capability(m, "bringup", False)
        yield from words.lowered(m, second)
        yield from words.raised(m, second, *second.account)
        second.up = True

    def lowering(self, second):
        """Down."""
        return capability(self.modem, "bringup", False).lowered(self.modem, second)

    def state(self, second):
        """As AT+CNACT? has it."""
        return capability(self.modem, "options").context(self.modem, second.pdp)

    def dialling(self, second, steps):
        """They name the context themselves."""
        return steps

    def naming(self, second, steps):
        """``steps`` that ask for a name, by the name servers of this context."""
        return second.selected(steps, b"AT+CDNSPDPID=%d" % second.pdp, b"AT+CDNSPDPID=%d" % self.modem.pdp)


def _state(line):
    row = fields(line)
    return int(row[0]), ("0", "1", "2").index(row[1])
