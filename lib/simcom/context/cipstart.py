"""A second PDP context in the CIPSTART dialect: AT+CIPSGTXT tells for which one what follows is."""

import errno

from ..bringup.cipstart import SHUT, account, address
from ..hooks import Hook, add
from ..lazy import capability
from ..query import ask, query

_ON = b"AT+CIPSGTXT=1"
_OFF = b"AT+CIPSGTXT=0"


class Keeper(Hook):
    """Has the second context, which is the only one.

    ``+PDP: DEACT`` does not tell which context is meant and ends both. While this one is being raised it is taken for
    the reason why that fails, and the first one is asked after.
    """

    def __init__(self, m):
        self.modem = m
        self.all = []
        self._used = False
        self._rising = False
        add(m, self, True)

    def choose(self, apn):
        """The one there is, with whatever account."""
        return self.all and self.all[0]

    def busy(self):
        """Whether it is up."""
        return self.all[0].up

    # Hook

    def on_lost(self, code, why):
        """Hook.on_lost()"""
        if self._rising and code == errno.ENOTCONN:
            self.modem.doubt = True
            return True
        for second in self.all:
            second.up = False
            second.address = ""
        return False

    # Steps

    def down(self):
        """To IP INITIAL, before the first one."""
        if self._used:
            try:
                yield from self.lowering(self.all[0])
            except OSError:  # after a restart there is nothing to take down
                pass

    def raising(self, second):
        """Up."""
        return second.selected(self._raise(second), _ON, _OFF)

    def _raise(self, second):
        self._used = True
        yield SHUT
        try:
            self._rising = True
            yield from account(*second.account)
        finally:
            self._rising = False
        second.address = (yield from query(self.modem, b"AT+CIFSR", address, 10000, (b".",)))[-1]
        second.up = True

    def lowering(self, second):
        """Down."""
        return second.selected(ask(*SHUT), _ON, _OFF)

    def state(self, second):
        """As AT+CIPSTATUS words it."""
        return second.selected(capability(self.modem, "options").context(self.modem), _ON, _OFF)

    def dialling(self, second, steps):
        """``steps`` for this context."""
        return second.selected(steps, _ON, _OFF)

    naming = dialling
