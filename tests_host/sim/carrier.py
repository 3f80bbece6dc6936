"""A link of the program on a real socket."""

import errno
import fcntl
import socket
import struct
import termios

from .connection import MSS

_SEND_BUFFER = 4096  # of the real socket: small, so that a peer that does not read is felt
_CONNECT_US = 75_000_000
_LINGER_US = 30_000_000
_ACK_POLL_US = 2000


class Carrier:
    """One link's socket: the attempt and the connection."""

    def __init__(self, net, link, proto: str, port: int, local_port: int):
        self.net, self.link, self.proto, self.port, self.local_port = net, link, proto, port, local_port
        self.loop, self.clock = net.loop, net.clock
        self.sock: "socket.socket | None" = None
        self.address = ""
        self._out = bytearray()
        self._written = self._acked = 0
        self._up = False
        self._polling = False

    def begin(self, host: str) -> "Carrier":
        """Resolve, then connect."""
        self.net.resolve(host, self._resolved)
        return self

    def _resolved(self, addresses: list) -> None:
        if self.link is None:
            return
        if not addresses:
            self._fail("dns")
            return
        self.address = addresses[0]
        target = self.net.target(self.address, self.port)
        if target is None:
            self._fail("refused")
            return
        self._target = target
        self.clock.after_ms(self.net.connect_ms, self._start)

    def _start(self) -> None:
        if self.link is None:
            return
        kind = socket.SOCK_STREAM if self.proto == "TCP" else socket.SOCK_DGRAM
        sock = self.sock = socket.socket(_family(self._target[0]), kind)
        sock.setblocking(False)
        if self.proto == "UDP":
            try:
                sock.bind(("127.0.0.1", self.local_port))
            except OSError as error:
                self.net.log("cannot bind UDP port %d: %s" % (self.local_port, error.strerror))
                self._fail("refused")
            else:
                self._connected()
            return
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = sock.connect_ex(self._target)
        if code not in (0, errno.EINPROGRESS):
            self._fail("refused")
            return
        self.loop.watch(sock, None, self._answered)
        self.clock.after(_CONNECT_US, lambda: self._up or self._fail("timeout"))

    def _answered(self) -> None:
        code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self.net.log("%s:%d: %s" % (*self._target, errno.errorcode.get(code, code)))
            self._fail("timeout" if code == errno.ETIMEDOUT else "refused")
        else:
            self._connected()

    def _fail(self, why: str) -> None:
        link = self.link
        self._drop()
        if link is not None:
            link.failed(why)

    def _connected(self) -> None:
        self._up = True
        self.link.connected(self, self.address)
        self._watch()

    def adopt(self, sock: socket.socket, link, address: str) -> None:
        """An accepted connection."""
        self.sock, self.link, self.address, self._up = sock, link, address, True
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        self._watch()

    # --- the module's side

    def send(self, data: bytes) -> None:
        """Bytes, or one datagram, from the module."""
        if self.proto == "UDP":
            try:
                self.sock.sendto(data, self._target)
            except OSError as error:
                self.net.log("datagram lost: %s" % error)
        else:
            self._out += data
            self._write()

    def window_opened(self) -> None:
        """The link has room again."""
        self._watch()

    def redirect(self, address: str, port: int) -> None:
        """Datagrams go to another address from now on."""
        target = self.net.target(address, port)
        if target is not None:
            self.address, self.port, self._target = address, port, target

    def hang_up(self) -> None:
        """The module closes: what it has taken still goes out."""
        self.link = None
        if self._up and self._out:
            self._watch()
            self.clock.after(_LINGER_US, self._drop)
        else:
            self._drop()

    # --- the socket's side

    def _watch(self) -> None:
        if self.sock is not None and self._up:
            wants = self.link is not None and self.link.room() > 0
            self.loop.watch(self.sock, self._read if wants else None, self._write if self._out else None)

    def _write(self) -> None:
        if self.sock is None:
            return
        try:
            count = self.sock.send(self._out)
        except BlockingIOError:
            count = 0
        except OSError:
            self._ended()
            return
        del self._out[:count]
        self._written += count
        if self.link is None and not self._out:
            self._drop()
            return
        self._watch()
        if not self._polling:
            self._polling = True
            self._count_acks()

    def _count_acks(self) -> None:
        """Tell the link what the peer's side has acknowledged."""
        self._polling = False
        if self.sock is None or self.link is None:
            return
        held = struct.unpack("i", fcntl.ioctl(self.sock.fileno(), termios.TIOCOUTQ, bytes(4)))[0]
        fresh = self._written - held - self._acked
        self._acked += fresh
        if self._acked < self._written or self._out:
            self._polling = True
            self.clock.after(_ACK_POLL_US, self._count_acks)
        if fresh > 0:
            self.link.acked(fresh)

    def _read(self) -> None:
        source: tuple = (self.address, self.port)
        try:
            if self.proto == "UDP":
                data, sender = self.sock.recvfrom(65535)
                if sender[:2] != self._target[:2]:
                    source = sender[:2]
            else:
                data = self.sock.recv(min(MSS, self.link.room()))
        except BlockingIOError:
            return
        except OSError:
            if self.proto == "TCP":
                self._ended()
            return
        if data:
            self.link.data(data, source)
            self._watch()
        elif self.proto == "TCP":
            self._ended()

    def _ended(self) -> None:
        """FIN or reset."""
        link = self.link
        self._drop()
        if link is not None:
            link.closed()

    def _drop(self) -> None:
        self.link = None
        sock, self.sock = self.sock, None
        if sock is not None:
            self.loop.watch(sock)
            sock.close()


class DatagramCarrier:
    """The socket of a link without a fixed peer."""

    def __init__(self, net, link, sock: socket.socket):
        self.net, self.link, self.sock = net, link, sock
        self._known: dict = {}  # real address -> the one that the module used
        sock.setblocking(False)
        net.loop.watch(sock, self._read)

    def send_to(self, data: bytes, address: str, port: int) -> None:
        """One datagram from the module."""
        target = self.net.target(address, port)
        if target is None:
            return
        self._known[target] = address, port
        try:
            self.sock.sendto(data, target)
        except OSError as error:
            self.net.log("datagram lost: %s" % error)

    def _read(self) -> None:
        try:
            data, sender = self.sock.recvfrom(65535)
        except OSError:
            return
        if len(data) <= self.link.room():
            self.link.data(data, self._known.get(sender[:2], sender[:2]))

    def window_opened(self) -> None:
        """The link has room again."""

    def hang_up(self) -> None:
        """The module closes."""
        self.net.loop.watch(self.sock)
        self.sock.close()


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
