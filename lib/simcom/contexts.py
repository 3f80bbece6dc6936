"""A second PDP context beside the first (AT+CIPSGTXT)."""

import errno

from micropython import const

from .hooks import Hook, add as add_hook
from .context_start import SHUT, account, address
from .supported import need
from .linkkind import LinkKind
from .lookup import resolved
from .lazy import once
from .checks import check_number, check_text
from .query import ask, query

_SOCK_DGRAM = const(2)


def context(m, apn: str, user: str = "", key: str = ""):
    """The second PDP context, with ``connect``, ``disconnect``, ``isconnected``, ``ifconfig``, ``socket``,
    ``resolve``.

    The modem itself must be connected first; there is one second context. OSError(EOPNOTSUPP) where there is none:
    SIM7028, A76XX, and single-connection mode.
    """
    need(m, "second PDP context")
    if len(m.links.slots) == 1:
        raise OSError(errno.EOPNOTSUPP, "a second PDP context needs more than a single connection")
    apn = check_text("apn", apn)
    user = check_text("user", user)
    key = check_text("key", key)
    second = m.parts.get("contexts")
    if not second:
        second = m.parts["contexts"] = Context(m)
    if second.up:
        raise OSError(errno.EALREADY, "the second context is connected: disconnect() it first")
    second.account = (apn, user, key)
    return second


class Context(LinkKind, Hook):
    """The second PDP context of a modem, and the kind of its clients.

    ``+PDP: DEACT`` does not tell which context is meant and ends both. While this one is being raised it is taken for
    the reason why that fails, and the first one is asked after.
    """

    def __init__(self, m):
        super().__init__(m)
        self.up = False
        self.address = ""
        self.account = ("", "", "")
        self._udp = False  # the kind of its UDP sockets, once there are any
        self._used = False
        self._rising = False
        add_hook(m, self, True)

    def connect(self, *, timeout_ms: int = 180000):
        """Raise it; OSError says what failed."""
        check_number("timeout_ms", timeout_ms, 1)
        if not self.modem.isconnected():
            raise OSError(errno.ENOTCONN, "connect() the modem first")
        if not self.up:
            self.modem.run(self.selected(self._raise()), timeout_ms, "second context")

    def disconnect(self):
        """Send what is owed, close its links, take it down: 90 s at most, else OSError(ETIMEDOUT)."""
        m = self.modem
        m.may_wait()
        m.flush()
        for link in m.links.slots:
            if link and (link.kind is self or link.kind is self._udp):
                link.fail(errno.ENOTCONN, "second context disconnected")
                m.links.release(link)
                m.wake(link)
        self.up = False
        self.address = ""
        m.run(self.selected(ask(*SHUT)), 80000, "second context")

    def isconnected(self) -> bool:
        """Whether it is up; pumps, returns at once."""
        self.modem.pump()
        return self.up

    def ifconfig(self) -> tuple:
        """(address, netmask, gateway, DNS server); a point-to-point link has only the first."""
        return (self.address or "0.0.0.0", "255.255.255.255", "0.0.0.0", "0.0.0.0")

    def socket(self, *args):
        """A TCP client or a UDP socket that goes through this context; arguments as ``socket.socket``."""
        m = self.modem
        s = m.socket(*args)
        kind = self
        if len(args) > 1 and args[1] == _SOCK_DGRAM:
            if not self._udp:
                from .dglink import Datagram

                self._udp = Datagram(m)
                self._udp.dialect = _Through(self, self._udp.dialect)
            kind = self._udp
        s._link.kind = kind
        return s

    def resolve(self, host: str, *, timeout_ms: int = 30000) -> list:
        """As ``modem.resolve()``, by the name servers of this context."""
        host = once("arguments").host(host)
        check_number("timeout_ms", timeout_ms, 1)
        self.may_dial()
        return self.modem.run(self.selected(resolved(self.modem, host, timeout_ms)), timeout_ms, "resolve")

    def may_dial(self):
        """OSError(ENOTCONN) while it is down."""
        if not self.up:
            raise OSError(errno.ENOTCONN, "the second context is down: connect() it first")

    # Hook

    def on_lost(self, code, why):
        if self._rising and code == errno.ENOTCONN:
            self.modem.doubt = True
            return True
        self.up = False
        self.address = ""
        return False

    # Steps

    def down(self):
        """To IP INITIAL, before the first one."""
        if self._used:
            try:
                yield from self.selected(ask(*SHUT))
            except OSError:  # after a restart there is nothing to take down
                pass

    def _raise(self):
        self._used = True
        yield SHUT
        try:
            self._rising = True
            yield from account(*self.account)
        finally:
            self._rising = False
        self.address = (yield from query(self.modem, b"AT+CIFSR", address, 10000, (b".",)))[-1]
        self.up = True

    def dial(self, link):
        self.may_dial()
        return self.selected(self.modem.dial(link))

    def selected(self, steps):
        """``steps`` for this context. Nothing else may be sent meanwhile: it would be for this one too."""
        m = self.modem
        before = m._only  # transparent mode wants nobody else anyway
        m._only = m._task
        back = False
        try:
            yield b"AT+CIPSGTXT=1"
            try:
                result = yield from steps
            except OSError:
                back = True
                yield b"AT+CIPSGTXT=0"
                raise
            back = True
            yield b"AT+CIPSGTXT=0"
            return result
        finally:
            m._only = before
            if not back:  # given up half-way
                m._only = m.start(_back(m))


def _back(m):
    try:
        yield b"AT+CIPSGTXT=0"
    finally:
        m._only = None


class _Through:
    """The UDP of the dialect, with links that are opened through the second context."""

    def __init__(self, second, dialect):
        self.second = second
        self._dial = dialect.dial
        self.toward = dialect.toward

    def dial(self, m, link):
        """Steps: open ``link``."""
        self.second.may_dial()
        return self.second.selected(self._dial(m, link))
