"""The network behind a virtual module: names, addresses, scripted peers.

Names get addresses from 198.51.100.1 on (TEST-NET-2); the module itself has 10.78.245.128.
A module's link talks to a connection by send(), window_opened(), hang_up(); a connection answers by the link's
connected(address), failed(why), data(bytes, source), acked(count), closed(), and asks its room().
"""

import ipaddress

from shim import clock as _clock

from .peers import Blackhole, Peer, Refuse

MSS = 1460
CONNECT_TIMEOUT_MS = 75_000


class Network:
    """Names, servers and what lies between."""

    local_addresses = ["10.78.245.128", "10.204.70.11"]  # of the module, by bearer

    def __init__(self, connect_ms: float = 300, latency_ms: float = 20, dns_ms: float = 200):
        self.clock = _clock.clock
        self.connect_ms = connect_ms
        self.latency_ms = latency_ms  # one way
        self.dns_ms = dns_ms
        self.names: dict[str, list[str]] = {}
        self.servers: dict[tuple, object] = {}
        self.connections: list["Connection"] = []
        self.listeners: dict[int, object] = {}  # port -> the module's accept(connection)

    # --- what a test sets up

    def name(self, name: str, *addresses: str) -> None:
        """Give a name its addresses."""
        self.names[name.lower()] = list(addresses)

    def serve(self, host: str, port: int, peer, proto: str = "TCP") -> None:
        """Put a peer at a host: a Peer class, a function that makes one, or one Peer for all connections."""
        self.servers[proto, self._address_of(host), port] = peer

    def _address_of(self, host: str) -> str:
        if numeric(host):
            return host
        if host.lower() not in self.names:
            self.name(host, "198.51.100.%d" % (len(self.names) + 1))
        return self.names[host.lower()][0]

    def dial(self, port: int, peer, address: str = "10.78.103.220", source_port: int = 2020) -> "Connection | None":
        """A peer connects to a server on the module; None when nobody listens there."""
        accept = self.listeners.get(port)
        if accept is None:
            return None
        connection = Connection(self, _make(peer), "TCP", address, source_port)
        link = accept(address, source_port, connection)
        if link is None:
            return None
        connection.attach(link)
        return connection

    # --- what a module uses

    def resolve(self, name: str, done) -> None:
        """Look a name up; done(list of addresses), an empty list when there is none."""
        found = [name] if numeric(name) else list(self.names.get(name.lower(), ()))
        self.clock.after_ms(self.dns_ms, lambda: done(found))

    def open(self, link, proto: str, host: str, port: int, local_port: int = 0) -> "Opening":
        """Connect a link; it hears connected() or failed(why) with why of "dns", "refused", "timeout"."""
        opening = Opening(self, link, proto, port)
        if numeric(host):
            opening.resolved([host])
        else:
            self.resolve(host, opening.resolved)
        return opening

    def listen(self, port: int, accept) -> bool:
        """The module's server: accept(address, port, connection) gives a link or None."""
        if port in self.listeners:
            return False
        self.listeners[port] = accept
        return True

    def unlisten(self, port: int) -> None:
        """The module's server is gone."""
        self.listeners.pop(port, None)


class Opening:
    """A connection attempt; hang_up() gives it up."""

    def __init__(self, net: Network, link, proto: str, port: int):
        self.net, self.link, self.proto, self.port = net, link, proto, port

    def resolved(self, addresses: list) -> None:
        """The name has been looked up."""
        if self.link is None:
            return
        net = self.net
        if not addresses:
            self._fail("dns")
            return
        self.address = addresses[0]
        maker = net.servers.get((self.proto, self.address, self.port))
        peer = _make(maker) if maker is not None else Refuse() if self.proto == "TCP" else Peer()
        if isinstance(peer, Blackhole) and self.proto == "TCP":
            net.clock.after_ms(CONNECT_TIMEOUT_MS, lambda: self._fail("timeout"))
        elif isinstance(peer, Refuse) and self.proto == "TCP":
            net.clock.after_ms(net.connect_ms, lambda: self._fail("refused"))
        else:
            net.clock.after_ms(net.connect_ms, lambda: self._done(peer))

    def _fail(self, why: str) -> None:
        link, self.link = self.link, None
        if link is not None:
            link.failed(why)

    def _done(self, peer: Peer) -> None:
        link, self.link = self.link, None
        if link is not None:
            connection = Connection(self.net, peer, self.proto, self.address, self.port)
            link.connected(connection, self.address)
            connection.attach(link)

    def hang_up(self) -> None:
        """Nobody is interested any more."""
        self.link = None


class Connection:
    """A connection between a module's link and a peer."""

    def __init__(self, net: Network, peer: Peer, proto: str, address: str, port: int):
        self.net, self.peer, self.proto, self.address, self.port = net, peer, proto, address, port
        self.clock = net.clock
        self.link = None
        self.received = bytearray()  # what the peer got
        self.is_open = True
        self.fin = False
        self.notes: dict = {}  # what a peer remembers about this connection
        self.stalled = False  # the peer takes and acknowledges nothing
        self._out: list = []  # (bytes, source) to the module
        self._flying = 0
        self._kept = bytearray()  # what a stalled peer has not taken
        net.connections.append(self)

    def attach(self, link) -> None:
        """Both ends know each other: the peer begins."""
        self.link = link
        self.peer.opened(self)

    def _later(self, fn) -> None:
        self.clock.after_ms(self.net.latency_ms, fn)

    # --- the module's side

    def send(self, data: bytes) -> None:
        """Bytes (or one datagram) from the module."""
        self._later(lambda: self._delivered(data))

    def _delivered(self, data: bytes) -> None:
        if self.stalled:
            self._kept += data
            return
        self.received += data
        self._later(lambda: self.link and self.link.acked(len(data)))
        if self.is_open:
            self.peer.received(self, data)

    def window_opened(self) -> None:
        """The link has room again."""
        self._pump()

    def redirect(self, address: str, port: int) -> None:
        """Datagrams go to another address from now on."""
        self.address, self.port = address, port
        maker = self.net.servers.get((self.proto, address, port))
        self.peer = _make(maker) if maker is not None else Peer()
        self.peer.opened(self)

    def hang_up(self) -> None:
        """The module closes, or vanishes."""
        self.link = None
        if self.is_open:
            self.is_open = False
            self._later(lambda: self.peer.closed(self))

    # --- the peer's side

    def write(self, data: bytes, source: "tuple | None" = None) -> None:
        """Send bytes (or one datagram, perhaps from another address) to the module."""
        if self.is_open and not self.fin:
            self._out.append((bytes(data), source or (self.address, self.port)))
            self._pump()

    def close(self) -> None:
        """End the stream behind what was written."""
        self.fin = True
        self._pump()

    def reset(self) -> None:
        """End the connection at once; what is on its way is lost."""
        self._out.clear()
        self._end()

    def resume(self) -> None:
        """A stalled peer takes what has come meanwhile."""
        self.stalled = False
        kept, self._kept = bytes(self._kept), bytearray()
        if kept:
            self._delivered(kept)

    def _pump(self) -> None:
        while self._out and self.link is not None:
            data, source = self._out[0]
            room = self.link.room() - self._flying
            if self.proto == "UDP":
                self._out.pop(0)
                if len(data) > room:
                    continue  # a datagram without room is lost
                piece = data
            else:
                piece = data[: min(MSS, room)]
                if not piece:
                    return
                if len(piece) < len(data):
                    self._out[0] = data[len(piece) :], source
                else:
                    self._out.pop(0)
            self._flying += len(piece)
            self._later(lambda piece=piece, source=source: self._arrive(piece, source))
        if self.fin and self.is_open and not self._out and not self._flying:
            self._end()

    def _end(self) -> None:
        """The end of the stream sets out for the module."""
        self.is_open = False
        self._later(self._ended)

    def _ended(self) -> None:
        link, self.link = self.link, None
        if link is not None:
            link.closed()

    def _arrive(self, piece: bytes, source: tuple) -> None:
        self._flying -= len(piece)
        if self.link is not None:
            self.link.data(piece, source)
            self._pump()


def numeric(host: str) -> bool:
    """Whether a host is an address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _make(peer) -> Peer:
    return peer if isinstance(peer, Peer) else peer()
