"""TCP servers: sockets that listen."""

import errno
from time import ticks_diff, ticks_ms

from ..foreground import critical
from ..lazy import capability
from ..local_port.bind import Bound
from ..links import Link
from .keeper import Servers
from ..endpoint import Poll


def listen(self, backlog: int = 0):
    """Let clients come to the port of ``bind()``; returns when the module listens, at once when not blocking.

    On a single connection (``mux=False``) it raises the context first if there is none, as AT+CIPSERVER does, with the
    account of the last ``connect()``, else the one that the module has.
    ``backlog``: how many the module may keep waiting, where it can be told (SIM7028, A76XX: 1 to 3). OSError: EINVAL
    without a port, ENOTCONN without a context, EADDRINUSE, ENOBUFS when the family has no more servers (SIM800 and
    SIM7000: one, SIM7028: two, A76XX: four), or what the module refused it with; when not blocking the latter shows
    as POLLERR, and in ``accept()``.
    """
    if not isinstance(backlog, int):
        raise TypeError("backlog: a number of clients, not %r" % (backlog,))
    start = self._start()
    m = self._modem
    listener = self._link
    bound = listener.kind
    again = isinstance(listener, Listener)
    if not again and (listener.state or not isinstance(bound, Bound) or not bound.port):
        raise OSError(errno.EINVAL, "listen: bind() to a port first")
    tunnel = m.parts.get("tunnel")
    if tunnel:
        tunnel.refuse()
    if not m.up:
        if m.mux or self._timeout == 0:
            raise OSError(errno.ENOTCONN, "no PDP context: connect() the modem first")
        m.connect(*m.apn, timeout_ms=self._timeout or 180000)
    if bound.second:
        bound.second.may_dial()
    if self._timeout != 0:
        m.may_wait()
    if not again or listener.error:
        servers = m.parts.get("servers") or Servers(m, capability(m, "server"))
        listener = Listener(m, bound, backlog)
        critical(m, servers.take, listener)
        self._link = listener
        self._poll = lambda want: _Socket.poll(self, want)
        self.close = lambda: _Socket.close(self)
        self.connect = lambda address: _Socket.connect(self)
    m.pump()
    try:
        while self._timeout != 0 and not (listener.error or listener.listens()):
            self._wait(start)
    finally:
        if self._timeout != 0 and not listener.listens():  # failed, timed out, or Ctrl-C
            listener.fail(errno.ETIMEDOUT, "listen, port %d: given up" % listener.port)
            critical(m, listener.leave)
    if listener.error and self._timeout != 0:
        raise OSError(*listener.error)


def accept(self):
    """The next client: (its socket, (address, port)); the port is 0 where the module does not tell it.

    OSError: ETIMEDOUT; EAGAIN when not blocking and nobody is there; why it listens no longer, after the last client.
    That the context was lost is raised once; the socket listens again when there is one again.
    """
    start = self._start()
    m = self._modem
    listener = self._link
    if not isinstance(listener, Listener):
        raise OSError(errno.EINVAL, "accept: listen() first")
    made = critical(m, _accepted, m, listener)
    while not made:
        if listener.error:
            error = listener.error
            if listener.lost:
                critical(m, listener.revive)
            raise OSError(*error)
        self._wait(start)
        made = critical(m, _accepted, m, listener)
    return made


def _accepted(m, listener):
    # A socket for the next client and its address, if there is one.
    link = listener.client()
    if not link:
        return
    made = m.socket()
    n = link.n
    state = link.state
    try:
        if link.ring is None:
            m.receiver.equip(link)
    except OSError:
        link.number(m, n)  # it waits for better times
        link.to(state)
        raise
    listener.waiting.pop(0)
    _Socket.adopt(made, link)
    link.heard = ticks_ms()
    if n >= 0:
        m.serve(link)
    m.links.reading |= link.bit  # what came before had no ring
    return made, link.peer


class _Socket:
    """Methods that sockets get: ``self`` is the one that was accepted, or listens, whose client's it has no use for."""

    def adopt(self, link):
        link.hold = self._link.hold
        self._link = link

    def poll(self, want):
        if self._closed:
            return Poll.NVAL
        self._modem.pump()
        listener = self._link
        bits = Poll.IN if listener.client() else 0
        if listener.error:
            bits |= Poll.IN | Poll.ERR
        return bits & (want | Poll.ERR | Poll.HUP)

    def connect(self):
        self._start()
        raise OSError(errno.EALREADY, "the socket listens")

    def close(self):
        # Accepted clients stay; waits until the module has stopped, unless it does not block.
        if self._closed:
            return
        self._closed = True
        m = self._modem
        listener = self._link
        critical(m, listener.leave)
        m.pump()
        server = listener.server
        start = ticks_ms()
        while self._timeout != 0 and server.running and not server.listener and not server.stuck:
            if m.pumping or ticks_diff(ticks_ms(), start) >= listener.linger:
                break
            m.wait(20, start, listener.linger)


class Listener(Link):
    """What a socket that listens has for a link."""

    lost = False  # with its context: accept() has to say so

    def __init__(self, m, bound, backlog):
        super().__init__()
        self.modem = m
        self.kind = bound
        self.port = bound.port
        self.backlog = backlog
        self.peer = ("server", bound.port)
        self.server = None
        self.waiting = []  # clients, in the order they came

    def listens(self):
        """Whether the module listens for it."""
        return self.server.running == self.port and self.server.listener is self

    def revive(self):
        """It waits for the next context."""
        self.error = None
        self.lost = False
        try:
            self.modem.parts["servers"].take(self)
        except OSError as e:
            self.error = e.args

    def client(self):
        """The first that can be accepted, or None."""
        waiting = self.waiting
        while waiting and waiting[0].n < 0 and (waiting[0].error or waiting[0].ring is None):
            self.modem.forget(waiting.pop(0))  # gone, and its number is another's
        # One that is gone may have left its bytes here.
        return waiting[0] if waiting and (waiting[0].report is not None or waiting[0].n < 0) else None

    def leave(self):
        """The server is somebody else's, or nobody's; clients that nobody accepted are closed."""
        server = self.server
        m = self.modem
        if server.listener is self:
            server.listener = None
            server.stuck = False
            m.wake(server)
        while self.waiting:
            m.parts["servers"].dismiss(self.waiting.pop())
