"""Scripted peers: what waits at the other end of a connection."""


class Peer:
    """A peer that listens and says nothing."""

    def opened(self, connection) -> None:
        """The connection is there."""

    def received(self, connection, data: bytes) -> None:
        """Bytes, or one datagram, from the module."""

    def closed(self, connection) -> None:
        """The module has closed, or vanished."""


class Sink(Peer):
    """Takes everything; `connection.received` has it."""


class Echo(Peer):
    """Sends back what it gets."""

    def received(self, connection, data):
        connection.write(data)


class Slam(Peer):
    """Closes at once."""

    def opened(self, connection):
        connection.close()


class Refuse(Peer):
    """Is not listening: the connection is refused."""


class Blackhole(Peer):
    """Never answers the connection attempt."""


class Blob(Peer):
    """Serves bytes, at once or when asked, then closes."""

    def __init__(self, data: bytes, after: "bytes | None" = None, close: bool = True):
        self.data, self.after, self.close = data, after, close  # after: wait until this has been received

    def opened(self, connection):
        if self.after is None:
            self._serve(connection)

    def received(self, connection, data):
        if self.after is not None and self.after in connection.received:
            self._serve(connection)

    def _serve(self, connection):
        if "served" not in connection.notes:
            connection.notes["served"] = True
            connection.write(self.data)
            if self.close:
                connection.close()


class Drip(Peer):
    """Serves bytes little by little."""

    def __init__(self, data: bytes, chunk: int, every_ms: float, close: bool = False):
        self.data, self.chunk, self.every_ms, self.close = data, chunk, every_ms, close

    def opened(self, connection):
        self._drop(connection, 0)

    def _drop(self, connection, at: int):
        if not connection.is_open:
            return
        if at < len(self.data):
            connection.write(self.data[at : at + self.chunk])
            connection.clock.after_ms(self.every_ms, lambda: self._drop(connection, at + self.chunk))
        elif self.close:
            connection.close()


class Stall(Peer):
    """Takes and acknowledges `first` bytes and then nothing, until connection.resume()."""

    def __init__(self, first: int = 0):
        self.first = first

    def opened(self, connection):
        connection.stalled = self.first == 0

    def received(self, connection, data):
        if len(connection.received) >= self.first > 0 and "stalled" not in connection.notes:
            connection.notes["stalled"] = connection.stalled = True


class Script(Peer):
    """Plays steps: ("expect", bytes), ("send", bytes[, source]), ("wait", ms), ("close",), ("reset",)."""

    def __init__(self, *steps: tuple):
        self.steps = list(steps)
        self._got = b""
        self._waiting = False

    def opened(self, connection):
        self._play(connection)

    def received(self, connection, data):
        self._got += data
        self._play(connection)

    def _play(self, connection):
        while self.steps and not self._waiting:
            verb, *rest = self.steps[0]
            if verb == "expect":
                at = self._got.find(rest[0])
                if at < 0:
                    return
                self._got = self._got[at + len(rest[0]) :]
            self.steps.pop(0)
            if verb == "send":
                connection.write(*rest)
            elif verb == "close":
                connection.close()
            elif verb == "reset":
                connection.reset()
            elif verb == "wait":
                self._waiting = True
                connection.clock.after_ms(rest[0], lambda: self._woken(connection))

    def _woken(self, connection):
        self._waiting = False
        self._play(connection)
