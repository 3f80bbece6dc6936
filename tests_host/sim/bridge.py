"""The network of the program: links become real sockets, on loopback addresses only."""

import socket
from collections.abc import Callable

from .address import loopback, native, numeric
from .carrier import Carrier, DatagramCarrier
from .loop import Loop
from .net import Network
from .terminal import say


class Bridge(Network):
    """Names and ports of `table` lead to loopback addresses; a loopback address leads to itself; nothing else exists.

    table: {(host, port): (address, port)}.
    """

    def __init__(self, loop: Loop, table: "dict | None" = None, log: Callable[[str], None] = say, **kw):
        super().__init__(**kw)
        self.loop, self.log = loop, log
        self.table: dict = {}
        self.listen_table: dict = {}  # the module's server port -> the real one
        self._servers: dict = {}
        for (host, port), target in (table or {}).items():
            if not loopback(target[0]):
                raise ValueError("not a loopback address: %s" % target[0])
            self.table[self._address_of(host), port] = target

    def resolve(self, name, done):
        if name.lower() == "localhost":
            name = "127.0.0.1"
        elif not numeric(name) and name.lower() not in self.names:
            self.log("no such name: %s (give it with --map)" % name)
        super().resolve(name, done)

    def target(self, address: str, port: int) -> "tuple | None":
        """Where a destination really is."""
        address = native(address)
        found = self.table.get((address, port))
        if found is None and loopback(address):
            return address, port
        if found is None:
            self.log("no way to %s:%d (give it with --map)" % (address, port))
        return found

    def open(self, link, proto, host, port, local_port=0):
        return Carrier(self, link, proto, port, local_port).begin(host)

    def bind(self, link, port):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.bind(("127.0.0.1", self.listen_table.get(port, port)))
        except OSError as error:
            self.log("cannot bind UDP port %d: %s" % (port, error))
            sock.close()
            return None
        return DatagramCarrier(self, link, sock)

    def listen(self, port, accept):
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(("127.0.0.1", self.listen_table.get(port, port)))
        except OSError as error:
            self.log("cannot listen for port %d: %s" % (port, error))
            server.close()
            return False
        server.listen(8)
        server.setblocking(False)
        self._servers[port] = server
        self.loop.watch(server, lambda: self._accept(server, accept))
        return True

    def _accept(self, server, accept) -> None:
        sock, (address, port) = server.accept()
        carrier = Carrier(self, None, "TCP", port, 0)
        link = accept(address, port, carrier)
        if link is None:
            sock.close()
        else:
            carrier.adopt(sock, link, address)

    def unlisten(self, port):
        server = self._servers.pop(port, None)
        if server is not None:
            self.loop.watch(server)
            server.close()
