"""The module's end of a connection: its state and its two buffers."""

INITIAL, CONNECTING, CONNECTED = "INITIAL", "CONNECTING", "CONNECTED"
REMOTE_CLOSING, CLOSING, CLOSED = "REMOTE CLOSING", "CLOSING", "CLOSED"


class Link:
    """One link; its owner hears link_connected, link_failed, link_data, link_acked, link_closed."""

    def __init__(self, owner, n: int, rx_limit: int, tx_limit: int):
        self.owner, self.n = owner, n
        self.rx_limit, self.tx_limit = rx_limit, tx_limit
        self.clear()

    def clear(self) -> None:
        """As after power-up."""
        self.state = INITIAL
        self.proto = self.address = ""
        self.port = self.bearer = 0
        self.connection = None  # or the attempt, while connecting
        self.rx: list = []  # [bytes, source]; one entry per datagram
        self.rx_count = 0
        self.sent = self.acknowledged = 0
        self.end_told = True  # the host knows that the link is closed
        self.notice_due = True  # the next data is announced
        self.server: "int | None" = None  # the index of the server that accepted it
        self.received = 0
        self.shown_ms = 0.0  # what has come last is shown at this time

    @property
    def open(self) -> bool:
        """Can send."""
        return self.state in (CONNECTED, REMOTE_CLOSING)

    @property
    def unacknowledged(self) -> int:
        """Bytes in the send buffer."""
        return self.sent - self.acknowledged

    def tx_room(self) -> int:
        """Bytes that the send buffer takes now."""
        return self.tx_limit if self.proto == "UDP" else max(0, self.tx_limit - self.unacknowledged)

    def send(self, data: bytes) -> None:
        """Hand bytes (or one datagram) to the network."""
        self.sent += len(data)
        self._note("%d bytes out" % len(data))
        self.connection.send(data)

    def take(self, count: int, borders: bool = True) -> tuple:
        """Up to count buffered bytes, of one datagram at most unless borders do not matter: (bytes, source)."""
        if not self.rx:
            return b"", (self.address, self.port)
        got, source = bytearray(), self.rx[0][1]
        while self.rx and len(got) < count and (self.proto == "TCP" or not borders or not got):
            piece = self.rx[0][0][: count - len(got)]
            got += piece
            if len(piece) < len(self.rx[0][0]):
                self.rx[0][0] = self.rx[0][0][len(piece) :]
            else:
                self.rx.pop(0)
        self.rx_count -= len(got)
        if not self.rx_count:
            self.notice_due = True
        if got and self.connection is not None and self.open:
            self.connection.window_opened()
        return bytes(got), source

    def drop(self, state: str) -> None:
        """Let go of the connection without a word to the host."""
        connection, self.connection = self.connection, None
        self.state = state
        self.end_told = True
        if connection is not None:
            connection.hang_up()

    def forget_data(self) -> None:
        """Unread bytes are lost."""
        self.rx.clear()
        self.rx_count = 0
        self.notice_due = True

    def _note(self, text: str) -> None:
        self.owner.note("link %d: %s" % (self.n, text))

    # --- what the network calls

    def room(self) -> int:
        """Bytes that the receive buffer takes now."""
        return self.rx_limit - self.rx_count

    def connected(self, connection, address: str) -> None:
        """The other side has answered."""
        self.connection, self.address, self.state = connection, address, CONNECTED
        self.end_told = False
        self._note("connected to %s:%d, %s" % (address, self.port, self.proto))
        self.owner.link_connected(self)

    def failed(self, why: str) -> None:
        """No connection: "dns", "refused", "timeout"."""
        self._note("no connection to %s:%d: %s" % (self.address, self.port, why))
        self.connection = None
        self.state = INITIAL if why == "dns" else CLOSED
        self.owner.link_failed(self, why)

    def data(self, data: bytes, source: tuple) -> None:
        """Bytes, or one datagram, have come."""
        if data and self.owner.accepts(self, source):
            self.received += len(data)
            self._note("%d bytes in" % len(data))
            self.owner.ri_pulse("data")
            self.rx.append([bytes(data), source])
            self.rx_count += len(data)
            self.owner.link_data(self)

    def acked(self, count: int) -> None:
        """The other side has acknowledged bytes."""
        if self.proto == "TCP":
            self.acknowledged += count
            self.owner.link_acked(self)

    def closed(self) -> None:
        """The other side has closed."""
        self._note("closed by the peer")
        self.connection = None
        self.state = CLOSED
        self.owner.closing(self)
        self.owner.link_closed(self)

    def vanished(self) -> None:
        """The other side is gone, and nothing tells."""
        self.owner.link_vanished(self)
