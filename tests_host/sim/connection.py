"""A connection of a virtual module with a scripted peer, from the attempt to the end."""

from .address import native
from .peers import Blackhole, Peer, Refuse

MSS = 1460
CONNECT_TIMEOUT_MS = 75_000


class Opening:
    """A connection attempt; hang_up() gives it up."""

    def __init__(self, net, link, proto: str, port: int):
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
        maker = net.servers.get((self.proto, native(self.address), self.port))
        peer = make_peer(maker) if maker is not None else Refuse() if self.proto == "TCP" else Peer()
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


class Datagrams:
    """A bound UDP port of the module; each address it has to do with is a connection of its own."""

    def __init__(self, net, link, port: int):
        self.net, self.link, self.port = net, link, port
        self._connections: dict[tuple, "Connection"] = {}

    def connection(self, address: str, port: int) -> "Connection":
        """The connection with an address."""
        if (address, port) not in self._connections:
            maker = self.net.servers.get(("UDP", native(address), port))
            made = Connection(self.net, make_peer(maker) if maker is not None else Peer(), "UDP", address, port)
            self._connections[address, port] = made
            made.attach(self.link)
        return self._connections[address, port]

    def send_to(self, data: bytes, address: str, port: int) -> None:
        """One datagram from the module."""
        self.connection(address, port).send(data)

    def window_opened(self) -> None:
        """The link has room again."""

    def hang_up(self) -> None:
        """The module closes, or vanishes."""
        self.net.ports.pop(self.port, None)
        for connection in self._connections.values():
            connection.hang_up()


class Connection:
    """A connection between a module's link and a peer."""

    def __init__(self, net, peer: Peer, proto: str, address: str, port: int):
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
        self._arrival = 0.0  # of what is on its way
        self._kept = bytearray()  # what a stalled peer has not taken
        net.connections.append(self)

    def attach(self, link) -> None:
        """Both ends know each other: the peer begins."""
        self.link = link
        self.peer.opened(self)

    def _later(self, fn) -> None:
        self._arrival = max(self._arrival, self.clock.now_us + self.net.latency_ms * 1000)  # none overtakes another
        self.clock.at(self._arrival, fn)

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
        self.peer = make_peer(maker) if maker is not None else Peer()
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

    def vanish(self) -> None:
        """The peer has lost its power: it takes nothing, and answers no keep-alive probe."""
        self.stalled = True
        if self.link is not None:
            self.link.vanished()

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


def make_peer(peer) -> Peer:
    """A peer, or what a class or function makes."""
    return peer if isinstance(peer, Peer) else peer()
