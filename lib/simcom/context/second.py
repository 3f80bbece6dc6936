"""PDP contexts beside the modem's own."""

import errno

from ..linkkind import LinkKind
from ..dns import resolved
from ..endpoint import Type
from ..lazy import capability, once
from ..checks import check_number, check_text
from ..supported import need
from ..foreground import run


def context(m, apn: str, user: str = "", key: str = ""):
    """Another PDP context, with ``connect``, ``disconnect``, ``isconnected``, ``status``, ``ifconfig``, ``socket``,
    ``resolve``.

    The modem itself must be connected first. SIM800, SIM7000: there is one more, which another call gives another
    account; SIM7080: three more, one for each APN, OSError(ENOBUFS) when all are connected, and what is open there goes
    on when the modem's own is lost. OSError(EALREADY): it is connected; OSError(EOPNOTSUPP) where there is none:
    SIM7028, A76XX, and single-connection mode.
    """
    need(m, "second PDP context")
    if len(m.links.slots) == 1:
        raise OSError(errno.EOPNOTSUPP, "a single connection has no second PDP context")
    account = (check_text("apn", apn), check_text("user", user), check_text("key", key))
    keeper = m.parts.get("contexts")
    if not keeper:
        keeper = m.parts["contexts"] = capability(m, "context").Keeper(m)
    second = keeper.choose(apn)
    if not second:
        second = Context(m, keeper)
        keeper.all.append(second)
    if second.up:
        raise OSError(errno.EALREADY, "this context is connected: disconnect() it first")
    second.account = account
    return second


def via(self, kind):
    """``Context.socket()``: a stream goes through ``kind``."""
    self._link.kind = kind


class Context(LinkKind):
    """A PDP context beside the modem's own, and the kind of its clients.

    ``keeper`` has what the dialect words in its own way: ``raising(context)``, ``lowering(context)``: steps that take
    it up and down; ``state(context)``: steps that ask for its state; ``dialling(context, steps)``, ``naming(context,
    steps)``: ``steps`` that open a link, that ask for a name, through it.
    """

    pdp = -1  # <pdp>, where contexts have numbers, once it has been connected
    net = None  # see CaOpen
    parting = False

    def __init__(self, m, keeper):
        super().__init__(m)
        self.keeper = keeper
        self.second = self
        self.up = False
        self.address = ""
        self.account = ("", "", "")
        self._udp = False  # the kind of its UDP sockets, once there are any

    def connect(self, *, timeout_ms: int = 180000):
        """Raise it; OSError says what failed."""
        check_number("timeout_ms", timeout_ms, 1)
        if not self.modem.isconnected():
            raise OSError(errno.ENOTCONN, "connect() the modem first")
        if not self.up:
            run(self.modem, self.keeper.raising(self), timeout_ms, "second context")

    def disconnect(self):
        """Send what is owed, close its links, take it down: 90 s at most, else OSError(ETIMEDOUT)."""
        m = self.modem
        m.may_wait()
        m.flush()
        self.end(errno.ENOTCONN, "second context disconnected")
        run(m, self.keeper.lowering(self), 80000, "second context")

    def mine(self) -> list:
        """Its links."""
        links = [link for link in self.modem.links.slots if link and link.kind]
        return [link for link in links if link.kind.second is self or link.kind is self._udp]

    def end(self, code, why):
        """It is down, and its links have ended."""
        m = self.modem
        for link in self.mine():
            link.fail(code, why)
            m.links.release(link)
            m.wake(link)
        servers = m.parts.get("servers")
        if servers:
            servers.end(self, code, why)
        self.up = False
        self.address = ""

    def isconnected(self) -> bool:
        """Whether it is up; pumps, returns at once."""
        self.modem.pump()
        return self.up

    def status(self, *, timeout_ms: int = 30000) -> str:
        """Its state, in the words of the documents, as ``modem.status("context")`` tells the modem's own."""
        check_number("timeout_ms", timeout_ms, 1)
        return run(self.modem, self.keeper.state(self), timeout_ms, "status")

    def ifconfig(self) -> tuple:
        """(address, netmask, gateway, DNS server); a point-to-point link has only the first."""
        return (self.address or "0.0.0.0", "255.255.255.255", "0.0.0.0", "0.0.0.0")

    def socket(self, *args):
        """A socket that goes through this context: TCP client, server, UDP; arguments as ``socket.socket``."""
        m = self.modem
        s = m.socket(*args)
        kind = self
        if len(args) > 1 and args[1] == Type.DGRAM:
            if not self._udp:
                from ..udp.link import Datagram

                self._udp = Datagram(m)
                self._udp.dialect = _Through(self, self._udp.dialect)
            kind = self._udp
        s.via(kind)
        return s

    def resolve(self, host: str, *, timeout_ms: int = 30000) -> list:
        """As ``modem.resolve()``, by the name servers of this context."""
        host = once("arguments").host(host)
        check_number("timeout_ms", timeout_ms, 1)
        self.may_dial()
        return run(self.modem, self.keeper.naming(self, resolved(self.modem, host, timeout_ms)), timeout_ms, "resolve")

    def may_dial(self):
        """OSError(ENOTCONN) while it is down."""
        if not self.up:
            raise OSError(errno.ENOTCONN, "the second context is down: connect() it first")

    # Steps

    def dial(self, link):
        self.may_dial()
        return self.keeper.dialling(self, self.modem.dial(link))

    def selected(self, steps, begin, end):
        """``steps`` between the commands ``begin``, which has all that follows be for this context, and ``end``.
        Nothing else may be sent meanwhile: it would be for this one too."""
        m = self.modem
        before = m.reserved()  # transparent mode wants nobody else anyway
        m.reserve(m.current())
        back = False
        try:
            yield begin
            try:
                result = yield from steps
            except OSError:
                back = True
                yield end
                raise
            back = True
            yield end
            return result
        finally:
            m.reserve(before)
            if not back:  # given up half-way
                m.reserve(m.start(_back(m, end)))


def _back(m, end):
    try:
        yield end
    finally:
        m.reserve(None)


class _Through:
    """The UDP of the dialect, with links that are opened through the second context."""

    def __init__(self, second, dialect):
        self.second = second
        self._dial = dialect.dial
        self.toward = dialect.toward

    def dial(self, m, link):
        """Steps: open ``link``."""
        self.second.may_dial()
        link.kind.pdp = self.second.pdp
        return self.second.keeper.dialling(self.second, self._dial(m, link))
