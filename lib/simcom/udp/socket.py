"""UDP: what SOCK_DGRAM makes of a socket."""

import errno
from time import ticks_ms

from .peer import Association, used
from .receive import Datagrams
from ..links import State
from ..lazy import capability, method, once
from ..endpoint import Poll, flat, span


_FACE = (
    "bind connect listen accept via close sendto sendall send write recvfrom recvfrom_into recv recv_into readinto read"
    " readline settimeout setblocking setsockopt fileno makefile ioctl"
)


def datagrams(m, s):
    """Make a new socket, which has nothing of its own yet, one for datagrams."""
    parts = m.parts
    if "datagrams" not in parts:
        parts["datagrams"] = Datagrams(m, capability(m, "udp"))
    face = DatagramSocket(m)
    for name in _FACE.split():
        setattr(s, name, getattr(face, name))


class DatagramSocket(Association):
    """A UDP socket: what a socket that is made with SOCK_DGRAM hands all its calls to."""

    setsockopt = method("setsockopt")
    fileno = method("fileno")
    makefile = method("makefile")

    # Sending

    def sendto(self, buf, address) -> int:
        """Send ``buf``, 1 to 1460 bytes (SIM7028 and A76XX: 1500), as one datagram; returns its length.

        Waits until the module has it: 30 s, or the time-out if that is longer, for its name to be found and the link to
        be opened, from then on for the time-out. Not blocking: it goes out by and by; OSError(EAGAIN) while the one
        before waits. OSError(EINVAL): too long or empty, nothing is sent, or longer than 1024 bytes for a firmware of
        SIM7000 that refuses it, which is found out once; -2: unknown name. With several connections of
        SIM800 or SIM7000 another address than the last one closes the link and opens it anew.
        """
        address = self._known(address)
        buf = flat(buf)
        m = self._modem
        n = len(buf)
        begin = start = self._start(True)
        longest = m.parts["datagrams"].longest
        if not 0 < n <= longest:
            raise OSError(errno.EINVAL, "a datagram has 1 to %d bytes, not %d" % (longest, n))
        while True:
            link = self._live(address)
            if not (link.tx_n or link.turning):
                break
            start = self._paced(start, begin)
        link.goal = self._last = address
        link.cut = False
        m.send(link, buf, 0, n)
        if n > m.SEND_MAX:  # longer than what streams send at once
            link.tx = bytearray(buf)
            link.tx_n = n
        m.pump()
        if self._timeout == 0:
            return n
        begin = start = ticks_ms()
        try:
            while (link.tx_n or link.turning) and link.live():
                start = self._paced(start, begin)
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
        self._start()
        if not self._peer:
            raise OSError(errno.ENOTCONN, "not connected: sendto(), or connect() first")
        return self.sendto(buf, self._peer)

    def sendall(self, buf):
        """As ``send()``."""
        self.send(buf)

    def write(self, buf, off: "int | None" = None, n: "int | None" = None):
        """As ``send()``: one datagram. Not blocking: None while the one before waits."""
        buf = flat(buf)
        off, n = span(buf, off, n)
        try:
            return self.send(memoryview(buf)[off : off + n])
        except OSError as e:
            if e.errno != errno.EAGAIN:
                raise

    # Receiving

    def _await(self, start):
        """Wait for a datagram: its length."""
        used(self._link)
        begin = start
        try:
            while True:
                n = self._oldest()
                if n:
                    return n
                if self._timeout != 0:
                    self._modem.may_wait()
                link = self._checked()
                if link.state != State.DRAINING:
                    link = self._live(self._last)
                self._modem.hungry(link, 1)
                start = self._paced(start, begin)
        finally:
            self._link.want = 0

    def _oldest(self, buf=None, n=0):
        # The length of the datagram that is read next; with `buf` it is read: its sender. As critical() does, which
        # would take heap for its arguments.
        m = self._modem
        link = self._link
        pumping = m.pumping
        m.pumping = True
        try:
            return link.oldest() if buf is None else link.read(buf, n)
        finally:
            m.pumping = pumping

    def _read(self, buf, n):
        address = self._oldest(buf, n)
        self._modem.hungry(self._link, 0)  # there is room again
        return address

    def recvfrom(self, n: int, flags: int = 0) -> tuple:
        """The next datagram, or its first ``n`` bytes: (bytes, (host, port)).

        Who sent it: the peer, as it was given to sendto() or connect(); where everybody is heard (SIM7028 and A76XX
        with ``receive="push"``, SIM800 and SIM7000 with ``mux=False``) the address of the sender. Without push SIM7028
        and A76XX tell neither that, it is the last address of sendto() then, nor where one datagram of several that
        wait ends. OSError: EAGAIN when not blocking and none is there; why the link was lost, once.
        """
        if flags or not isinstance(n, int) or n < 0:
            return once("stream.flags").datagram(self, n, flags)
        k = min(self._await(self._start()), n)
        buf = bytearray(k)
        address = self._read(buf, k)
        return bytes(buf), address

    def recvfrom_into(self, buf, n: int = 0) -> tuple:
        """As ``recvfrom()``, into ``buf``: (how many bytes, (host, port))."""
        buf = flat(buf, True)
        k = self._fits(buf, n)
        return k, self._read(buf, k)

    def _fits(self, buf, n):
        if not isinstance(n, int) or not 0 <= n <= len(buf):
            once("arguments").count(n, len(buf))
        return min(self._await(self._start()), n or len(buf))

    def recv(self, n: int, flags: int = 0) -> bytes:
        """The next datagram, or its first ``n`` bytes."""
        return self.recvfrom(n, flags)[0]

    def recv_into(self, buf, n: int = 0) -> int:
        """As ``recv()``, into ``buf``: how many bytes."""
        buf = flat(buf, True)
        k = self._fits(buf, n)
        self._read(buf, k)
        return k

    def readinto(self, buf, n: int = -1):
        """As ``recv_into()``: one datagram, as DTLS expects of a read. Not blocking: what is there or None."""
        try:
            buf = flat(buf, True)
            return self.recv_into(buf, n if 0 <= n <= len(buf) else 0)
        except OSError as e:
            if e.errno != errno.EAGAIN:
                raise

    def read(self, n: int = -1):
        """As ``recv()``: there is no end to wait for, so one datagram. Not blocking: what is there or None."""
        try:
            return self.recv(self._modem.READ_MAX if n is None or n < 0 else n)
        except OSError as e:
            if e.errno != errno.EAGAIN:
                raise

    readline = read

    def _poll(self, want):
        if self._closed:
            return Poll.NVAL
        m = self._modem
        m.pump()
        link = self._link
        used(link)
        bits = Poll.IN if self._oldest() else 0
        if link.refused or (link.error and link.state != State.CONNECTING):
            bits |= Poll.IN | Poll.OUT | Poll.ERR
        elif not (link.tx_n or link.turning):
            bits |= Poll.OUT
        if not bits & Poll.IN:
            m.hungry(link, 1)
        return bits & (want | Poll.ERR | Poll.HUP)
