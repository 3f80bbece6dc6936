"""UDP: with whom a socket talks, and the link that this takes."""

import errno
from time import ticks_ms

from micropython import const

from ..foreground import critical
from .boundaries import Borders, DatagramLink
from ..channel import passed
from .link import Datagram
from ..links import State
from ..lazy import once
from ..endpoint import Endpoint, check_address


_UNUSED_MS = const(60000)
_OPENING_MS = const(30000)


def used(link):
    """Somebody has the socket: if nobody uses it for a minute, it may have been dropped."""
    link.touched = ticks_ms()
    link.reclaim_ms = _UNUSED_MS


class Association(Endpoint):
    """The peers of a UDP socket, and its link: opened when it is needed, and again when it was lost."""

    def __init__(self, m):
        super().__init__(m, DatagramLink())
        self._link.borders = Borders()
        self._kind = Datagram(m)
        self._peer = None  # connect()
        self._last = None  # with whom it had to do last
        self._port = 0  # bind()

    def _renew(self):
        critical(self._modem, self._replace)

    def _replace(self):
        old = self._link
        link = DatagramLink()
        link.kind = old.kind
        link.local = self._port
        link.only = self._peer
        link.inherit(old)
        self._link = link
        self._modem.close(old)

    def _checked(self):
        """The link; why it failed, or what was sent last, is raised, once."""
        link = self._link
        used(link)
        why = link.refused
        link.refused = None
        if link.error and link.state != State.CONNECTING:
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
        peer = self._kind.dialect.first(self._modem, self._port, address)
        if not peer:
            if self._timeout == 0:  # there may be one by the next call
                raise OSError(errno.EAGAIN, "not now, and no peer yet")
            raise OSError(errno.ENOTCONN, "no peer yet: sendto() or connect() first")
        if link.state:
            self._renew()
            link = self._link
        critical(self._modem, self._dial, link, peer)
        return link

    def _dial(self, link, peer):
        m = self._modem
        link.kind = link.kind or self._kind
        m.open(link, peer)
        link.take = link.store

    def _paced(self, start, begin):
        """Wait; returns from when the time-out counts: not before what is sent is out, and the link open. Until then
        an answer of the name server and the module's opening have a time of their own, from ``begin`` on."""
        link = self._link
        if self._timeout and not link.flying and (link.tx_n or link.turning or link.state == State.CONNECTING):
            if passed(begin, max(_OPENING_MS, self._timeout)):
                raise OSError(errno.ETIMEDOUT, "%s:%d: name not found or link not open in time" % link.goal)
            self._modem.wait(20, begin, max(_OPENING_MS, self._timeout))
            return ticks_ms()
        self._wait(start)
        return start

    def _known(self, address):
        """check_address(); not an address that recvfrom() gave for want of a better one."""
        if address == ("", 0):
            why = 'who sent it is not known in buffer access: modem.config(receive="push") before sockets are opened'
            raise OSError(errno.EOPNOTSUPP, why)
        return check_address(address)

    def _opened(self, link, start, own):
        begin = start
        try:
            while link.state == State.CONNECTING and self._timeout != 0:
                if own:
                    start = self._paced(start, begin)
                else:
                    self._wait(start)
        finally:
            if link.state == State.CONNECTING and self._timeout != 0:  # timed out, or Ctrl-C
                self._renew()
        self._checked()

    def bind(self, address):
        """Choose the local port (0: any) and, where a link can be opened without a peer, receive from now on.

        ``address``: ("", port). OSError: EADDRINUSE; EINVAL when the socket is in use already. SIM800 and SIM7000: with
        several connections a link hears its one peer only, so sendto() or connect() opens it, and raises EOPNOTSUPP
        when the firmware has no local port for one of several connections.
        """
        port = once("arguments").local_port(address)
        start = self._start()
        link = self._link
        if link.state or link.kind:
            raise OSError(errno.EINVAL, "bind: once, before the socket is used, and not in a second context")
        self._port = link.local = port
        if self._kind.dialect.first(self._modem, port, None):
            self._opened(self._live(None), start, True)

    def connect(self, address):
        """Choose the peer of send() and write(); waits until the link is open, for the time-out at most, unless the
        socket does not block."""
        address = self._known(address)
        start = self._start()
        link = self._link
        if link.state and link.peer != address and not self._kind.dialect.first(self._modem, self._port, None):
            self._renew()
        self._peer = self._last = self._link.only = address
        self._opened(self._live(address), start, False)

    def listen(self, *_):
        """Streams only: OSError(EOPNOTSUPP)."""
        self._start()
        raise OSError(errno.EOPNOTSUPP, "a UDP socket does not listen")

    accept = listen

    def via(self, kind):
        """context().socket(): it goes through ``kind``."""
        self._link.kind = kind
