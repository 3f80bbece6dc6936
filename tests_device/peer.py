"""The other ends of the shared cases: peers as a program, each kind on a port of its own, some over UDP too.

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


class Ntp(Peer):
    """Tells the time, always the same, to whoever asks in the form of RFC 5905."""

    def received(self, connection, data):
        if len(data) == 48 and data[0] & 7 == 3:
            seconds = struct.pack(">II", 3944678400, 0)  # 2025-01-01
            connection.write(b"\x24\x01\x06\xec" + bytes(8) + b"SIM\0" + seconds + data[40:48] + seconds * 2)


# Served over UDP too, on ports with the same numbers
DATAGRAM_KINDS = ("echo", "mute", "ntp")
# "refused" is a port where nobody listens
KINDS = {"echo": Echo, "sink": Sink, "drip": Drip, "blob": Blob, "slam": Slam, "reset": Reset, "mute": Peer}
KINDS["ntp"] = Ntp


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


class Answered:
    """One sender of datagrams, as the peer knows it."""

    def __init__(self, transport, address):
        self.transport, self.address, self.notes, self.clock = transport, address, {}, self

    def write(self, data):
        self.transport.sendto(data, self.address)

    def after_ms(self, ms, fn):
        asyncio.get_running_loop().call_later(ms / 1000, fn)


class Datagrams(asyncio.DatagramProtocol):
    """A UDP port, served by a peer."""

    def __init__(self, peer):
        self.peer, self.senders = peer, {}

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        if address not in self.senders:
            self.senders[address] = Answered(self.transport, address)
        self.peer.received(self.senders[address], data)


async def serve_kind(kind, bind, port):
    """Serve one kind at a port (0: a free one), over UDP too if it is one of those; returns the port."""
    loop = asyncio.get_running_loop()
    for _ in range(20):
        server = await loop.create_server(lambda: Served(KINDS[kind]()), bind, port)
        found = server.sockets[0].getsockname()[1]
        if kind not in DATAGRAM_KINDS:
            return found
        try:
            await loop.create_datagram_endpoint(lambda: Datagrams(KINDS[kind]()), local_addr=(bind, found))
            return found
        except OSError:  # free for TCP, but not for UDP
            server.close()
            if port:
                raise
    raise OSError("no port is free for both TCP and UDP")


async def serve(bind, first):
    """Serve every kind; `first`: the port of the first kind, the others follow, 0 for free ones."""
    loop = asyncio.get_running_loop()
    refusing = socket.socket()  # bound, so that nobody else gets it, but not listening
    ports = {}
    for i, kind in enumerate(KINDS):
        ports[kind] = await serve_kind(kind, bind, first and first + i)
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
