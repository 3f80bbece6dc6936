"""The other ends of the shared cases: TCP peers as a program, each kind on a port of its own.

    python3 peer.py [--bind ADDRESS] [--first PORT]

Prints the ports as one line of JSON and serves until it is stopped. Bound to an address that others reach, it answers
anybody: meant for the time of a test.

A peer is written once, for a connection that has write(), close(), reset(), notes (a dict) and clock.after_ms(): real
ones (here) and those of the virtual network have these alike.
"""

import argparse
import asyncio
import hashlib
import json
import signal
import socket
import struct


def pattern(n, seed=1):
    """`n` bytes that look random and are the same everywhere; `target.py` has the same."""
    data = bytearray(n)
    for i in range(n):
        seed = (seed * 75 + 74) % 65537
        data[i] = seed & 255
    return bytes(data)


class Peer:
    """Listens and says nothing."""

    def opened(self, connection):
        """The connection is there."""

    def received(self, connection, data):
        """Bytes have come."""

    def closed(self, connection):
        """The other side has closed."""


class Echo(Peer):
    """Sends back what it gets."""

    def received(self, connection, data):
        connection.write(data)


class Slam(Peer):
    """Closes at once."""

    def opened(self, connection):
        connection.close()


class Reset(Peer):
    """Takes one byte, then resets the connection."""

    def received(self, connection, data):
        connection.reset()


class Asked(Peer):
    """Waits for a line of numbers, then for what belongs to it."""

    def received(self, connection, data):
        notes = connection.notes
        data = notes.pop("line", b"") + data
        if "asked" not in notes:
            line, newline, data = data.partition(b"\n")
            if not newline:
                notes["line"] = line
                return
            notes["asked"] = [int(word) for word in line.split()]
            self.asked(connection, *notes["asked"])
        if data:
            self.more(connection, data)

    def more(self, connection, data):
        """Bytes behind the line."""


class Blob(Asked):
    """After `COUNT`: serves so many bytes of pattern(), then closes."""

    def asked(self, connection, count):
        connection.write(pattern(count))
        connection.close()


class Drip(Asked):
    """After `COUNT CHUNK MS`: serves COUNT bytes of pattern(), CHUNK bytes every MS milliseconds, then closes."""

    def asked(self, connection, count, chunk, ms):
        self.drop(connection, pattern(count), chunk, ms)

    def drop(self, connection, data, chunk, ms):
        connection.write(data[:chunk])
        if len(data) > chunk:
            connection.clock.after_ms(ms, lambda: self.drop(connection, data[chunk:], chunk, ms))
        else:
            connection.close()


class Sink(Asked):
    """After `COUNT`: takes so many bytes, answers with their SHA-256, closes."""

    def asked(self, connection, count):
        connection.notes["left"] = count
        connection.notes["digest"] = hashlib.sha256()

    def more(self, connection, data):
        notes = connection.notes
        notes["digest"].update(data)
        notes["left"] -= len(data)
        if notes["left"] <= 0:
            connection.write(notes["digest"].digest())
            connection.close()


# "refused" is a port where nobody listens
KINDS = {"echo": Echo, "sink": Sink, "drip": Drip, "blob": Blob, "slam": Slam, "reset": Reset, "mute": Peer}


class Served(asyncio.Protocol):
    """A real connection, handed to a peer."""

    clock = None  # it has after_ms() itself

    def __init__(self, peer):
        self.peer, self.notes, self.clock = peer, {}, self

    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.peer.opened(self)

    def data_received(self, data):
        self.peer.received(self, data)

    def connection_lost(self, exc):
        self.peer.closed(self)

    def write(self, data):
        self.transport.write(data)

    def close(self):
        self.transport.close()

    def reset(self):
        linger = struct.pack("ii", 1, 0)
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.transport.abort()

    def after_ms(self, ms, fn):
        asyncio.get_running_loop().call_later(ms / 1000, lambda: self.transport.is_closing() or fn())


async def serve(bind, first):
    """Serve every kind; `first`: the port of the first kind, the others follow, 0 for free ones."""
    loop = asyncio.get_running_loop()
    refusing = socket.socket()  # bound, so that nobody else gets it, but not listening
    ports = {}
    for i, kind in enumerate(KINDS):
        server = await loop.create_server(lambda kind=kind: Served(KINDS[kind]()), bind, first and first + i)
        ports[kind] = server.sockets[0].getsockname()[1]
    refusing.bind((bind, first and first + len(KINDS)))
    ports["refused"] = refusing.getsockname()[1]
    print(json.dumps(ports), flush=True)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await ended.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bind", default="127.0.0.1", help="address to listen at (default: this machine only)")
    parser.add_argument("--first", type=int, default=0, help="port of the first kind; the others follow")
    options = parser.parse_args()
    asyncio.run(serve(options.bind, options.first))


if __name__ == "__main__":
    main()
