"""The network behind a virtual module: names, addresses, scripted peers.

Names get addresses from 198.51.100.1 on (TEST-NET-2); the module itself has 10.78.245.128.
A module's link talks to a connection by send(), window_opened(), hang_up(); a connection answers by the link's
connected(address), failed(why), data(bytes, source), acked(count), closed(), and asks its room().
"""

from shim import clock as _clock

from .address import numeric
from .connection import Connection, Datagrams, Opening, make_peer


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
        self.connections: list[Connection] = []
        self.ports: dict[int, Datagrams] = {}  # the module's UDP ports that are bound
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
        connection = Connection(self, make_peer(peer), "TCP", address, source_port)
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

    def bind(self, link, port: int) -> "Datagrams | None":
        """A UDP port of the module for datagrams from and to anywhere; None when it is taken."""
        if port in self.ports:
            return None
        self.ports[port] = Datagrams(self, link, port)
        return self.ports[port]

    def datagram(self, port: int, data: bytes, source: tuple) -> None:
        """Somebody sends a datagram to a UDP port of the module."""
        if port in self.ports:
            self.ports[port].connection(*source).write(data)

    def listen(self, port: int, accept) -> bool:
        """The module's server: accept(address, port, connection) gives a link or None."""
        if port in self.listeners:
            return False
        self.listeners[port] = accept
        return True

    def unlisten(self, port: int) -> None:
        """The module's server is gone."""
        self.listeners.pop(port, None)
