"""UDP: what SOCK_DGRAM makes of a socket."""

import errno
from time import ticks_ms

from micropython import const

from .borders import Borders, DatagramLink
from .dgrxget import Datagrams
from .pump import once
from .socket import check_address

# Link.state, as in links.py
_CONNECTING = const(1)
_OPEN = const(2)
_DRAINING = const(3)

_IN = const(1)  # as in socket.py
_OUT = const(4)
_ERR = const(8)
_HUP = const(16)
_NVAL = const(32)

_FACE: tuple = (
    "bind",
    "connect",
    "listen",
    "accept",
    "close",
    "sendto",
    "send",
    "write",
    "recvfrom",
    "recvfrom_into",
    "recv",
)
_FACE += ("recv_into", "readinto", "_gather", "_poll")


def equip(s):
    """Make a new socket one for datagrams."""
    if not getattr(s._modem, "datagrams", None):
        s._modem.datagrams = Datagrams(s._modem)
    face = DatagramSocket(s)
    for name in _FACE:
        setattr(s, name, getattr(face, name))


class DatagramSocket:
    """The methods of a UDP socket, in place of a stream's."""

    def __init__(self, s):
        self._s = s
        self._modem = s._modem
        self._dialect = s._modem.datagrams.dialect
        self._peer = None  # connect()
        self._last = None  # with whom it had to do last
        self._port = 0  # bind()
        self._close = s.close
        s._link = DatagramLink()
        s._link.borders = Borders()

    # The link: opened when it is needed, and again when it was lost.

    def _renew(self):
        s = self._s
        old = s._link
        link = DatagramLink()
        link.opener = old.opener
        link.local = self._port
        link.only = self._peer
        link.inherit(old)
        s._link = link
        self._modem.close(old)

    def _checked(self):
        """The link; why it failed, or what was sent last, is raised, once."""
        link = self._s._link
        why = link.refused
        link.refused = None
        if link.error and link.state != _CONNECTING:
            why = link.error
            self._renew()
        if why:
            raise OSError(*why)
        return link

    def _live(self, address):
        """The link, opened if need be; ``address``: towards whom, None: nobody yet."""
        link = self._checked()
        if link.live():
            return link
        peer = self._dialect.first(self._modem, self._port, address)
        if not peer:
            if self._s._timeout == 0:  # there may be one by the next call
                raise OSError(errno.EAGAIN, "not now, and no peer yet")
            raise OSError(errno.ENOTCONN, "no peer yet: sendto() or connect() first")
        if link.state:
            self._renew()
            link = self._s._link
        m = self._modem
        ring = link.ring
        ready = link.ready
        if not link.opener:
            link.opener = self._dialect.opener
        link.ring = None
        try:
            m.open(link, peer)
        finally:
            if ring is not None:  # what it holds was not read yet
                m._rings.give_back(link)
                link.ring = ring
                link.ready = ready
        link.take = link.store
        return link

    def _opened(self, link, start):
        try:
            while link.state == _CONNECTING and self._s._timeout != 0:
                self._s._wait(start)
        finally:
            if link.state == _CONNECTING and self._s._timeout != 0:  # timed out, or Ctrl-C
                self._renew()
        self._checked()

    def bind(self, address):
        """Choose the local port (0: any) and, where a link can be opened without a peer, receive from now on.

        ``address``: ("", port). OSError: EADDRINUSE; EINVAL when the socket is in use already. SIM800 and SIM7000: with
        several connections a link hears its one peer only, so sendto() or connect() opens it, and raises EOPNOTSUPP
        when the firmware has no local port for one of several connections.
        """
        _, port = address
        if not isinstance(port, int) or not 0 <= port <= 65535:
            raise ValueError("port: a number from 0 to 65535")
        s = self._s
        start = s._start()
        link = s._link
        if link.state or link.opener:
            raise OSError(errno.EINVAL, "bind: once, before the socket is used, and not in a second context")
        self._port = link.local = port
        if self._dialect.first(self._modem, port, None):
            self._opened(self._live(None), start)

    def connect(self, address):
        """Choose the peer of send() and write(); waits until the link is open, unless the socket does not block."""
        address = check_address(address)
        s = self._s
        start = s._start()
        link = s._link
        if link.state and link.peer != address and not self._dialect.first(self._modem, 0, None):
            self._renew()
        self._peer = self._last = s._link.only = address
        self._opened(self._live(address), start)

    def listen(self, *_):
        """Streams only: OSError(EOPNOTSUPP)."""
        raise OSError(errno.EOPNOTSUPP, "a UDP socket does not listen")

    accept = listen

    def close(self):
        """Close the link; a datagram that waits still goes out."""
        self._close()

    # Sending

    def sendto(self, buf, address) -> int:
        """Send ``buf``, 1 to 1460 bytes (SIM7000: 1024, SIM7028 and A76XX: 1500), as one datagram; returns its length.

        Waits until the module has it. Not blocking: it goes out by and by; OSError(EAGAIN) while the one before waits.
        OSError(EINVAL): too long or empty, nothing is sent; -2: unknown name. With several connections of SIM800 or
        SIM7000 another address than the last one closes the link and opens it anew.
        """
        address = check_address(address)
        m = self._modem
        n = len(buf)
        if not 0 < n <= m.SEND_MAX:
            raise OSError(errno.EINVAL, "a datagram has 1 to %d bytes, not %d" % (m.SEND_MAX, n))
        s = self._s
        start = s._start()
        while True:
            link = self._live(address)
            if not (link.tx_n or link.turning):
                break
            s._wait(start)
        link.goal = self._last = address
        link.cut = False
        m.send(link, buf, 0, n)
        m.pump()
        if s._timeout == 0:
            return n
        opening = link.state == _CONNECTING
        try:
            while (link.tx_n or link.turning) and link.live():
                if opening and link.state == _OPEN:
                    opening = False
                    start = ticks_ms()
                s._wait(start)
        finally:
            if (link.tx_n or link.turning) and not link.flying and not link.error:
                link.tx_n = link.turning = 0
                link.cut = True
        if link.cut or link.tx_n or link.refused:
            self._checked()
            raise OSError(errno.ECONNABORTED, "sendto %s:%d: the module closed the link" % address)
        return n

    def send(self, buf) -> int:
        """As ``sendto()`` to the peer of ``connect()``."""
        if not self._peer:
            raise OSError(errno.ENOTCONN, "not connected: sendto(), or connect() first")
        return self.sendto(buf, self._peer)

    def write(self, buf, off: "int | None" = None, n: "int | None" = None):
        """As ``send()``: one datagram. Not blocking: None while the one before waits."""
        if n is None:
            n = len(buf) if off is None else off
            off = 0
        try:
            return self.send(memoryview(buf)[off : off + n])
        except OSError as e:
            if e.errno != errno.EAGAIN:
                raise

    # Receiving

    def _await(self, start):
        """Wait for a datagram: its length."""
        s = self._s
        try:
            while True:
                n = s._link.oldest()
                if n:
                    return n
                link = self._checked()
                if link.state != _DRAINING:
                    link = self._live(self._last)
                self._modem.hungry(link, 1)
                s._wait(start)
        finally:
            s._link.want = 0

    def _read(self, buf, n):
        link = self._s._link
        address = link.read(buf, n)
        self._modem.hungry(link, 0)  # there is room again
        return address

    def recvfrom(self, n: int, flags: int = 0) -> tuple:
        """The next datagram, or its first ``n`` bytes: (bytes, (host, port)).

        Who sent it: the peer, as it was given to sendto() or connect(); where everybody is heard (SIM7028 and A76XX
        with ``receive="push"``, SIM800 and SIM7000 with ``mux=False``) the address of the sender. Without push SIM7028
        and A76XX tell neither that, it is the last address of sendto() then, nor where one datagram of several that
        wait ends. OSError: EAGAIN when not blocking and none is there; why the link was lost, once.
        """
        if flags:
            return once("flagged").datagram(self._s, self, n, flags)
        k = min(self._await(self._s._start()), n)
        buf = bytearray(k)
        address = self._read(buf, k)
        return bytes(buf), address

    def recvfrom_into(self, buf, n: int = 0) -> tuple:
        """As ``recvfrom()``, into ``buf``: (how many bytes, (host, port))."""
        k = min(self._await(self._s._start()), n or len(buf), len(buf))
        return k, self._read(buf, k)

    def recv(self, n: int, flags: int = 0) -> bytes:
        """The next datagram, or its first ``n`` bytes."""
        return self.recvfrom(n, flags)[0]

    def recv_into(self, buf, n: int = 0) -> int:
        """As ``recv()``, into ``buf``: how many bytes."""
        k = min(self._await(self._s._start()), n or len(buf), len(buf))
        self._read(buf, k)
        return k

    def readinto(self, buf, n: int = -1):
        """Fill ``buf`` or its first ``n`` bytes, if it takes several datagrams: how many. Not blocking: what is there
        or None. As ``read(n)``: what is left of a datagram is dropped."""
        if not 0 <= n <= len(buf):
            n = len(buf)
        start = self._s._start()
        done = 0
        while done < n:
            try:
                k = min(self._await(start), n - done)
            except OSError as e:
                if done:
                    break
                if e.errno == errno.EAGAIN:
                    return None
                raise
            self._read(memoryview(buf)[done:] if done else buf, k)
            done += k
            start = ticks_ms()
        return done

    def _gather(self, limit, line):
        # read() and readline(): there is no end to wait for, so one datagram.
        try:
            return self.recv(limit if limit >= 0 else self._modem.READ_MAX)
        except OSError as e:
            if e.errno != errno.EAGAIN:
                raise

    def _poll(self, want):
        s = self._s
        if s._closed:
            return _NVAL
        m = self._modem
        m.pump()
        link = s._link
        bits = _IN if link.oldest() else 0
        if link.refused or (link.error and link.state != _CONNECTING):
            bits |= _IN | _OUT | _ERR
        elif not (link.tx_n or link.turning):
            bits |= _OUT
        if not bits & _IN:
            m.hungry(link, 1)
        return bits & (want | _ERR | _HUP)
