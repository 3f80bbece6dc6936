"""The servers of the module: each is made what the socket that listens, or nobody, wants."""

import errno
from time import ticks_ms

from micropython import const

from ..channel import passed
from ..hooks import add as add_hook
from ..lazy import capability
from .numbers import Numbers

_ASK_MS = const(10000)  # so often the module is asked what it may have said in vain
_STOP_MS = const(5000)  # so often it is told again to stop


class Server:
    """One server of the module."""

    port = 0  # at which it listened last
    cid = -1  # the link number that it takes, where it takes one of our choice
    running = 0  # the port at which it listens; negative: while it is being stopped; 0: none
    listener = None  # whose clients they are; None: nobody's, they are closed
    stuck = False  # the module refuses to stop it while its clients are connected
    report = None  # <err> of +SERVERSTOP
    heard = 0  # ticks_ms when the module was asked last
    task = None

    def __init__(self, index):
        self.index = index


class _Own:
    """The number that the module takes for a server; it does not tell which."""

    def __init__(self, server):
        self.peer = ("server", server.port)

    def refuse(self):
        """The other numbers may be given to others."""


class Servers(Numbers):
    """``modem.parts["servers"]``, from the first ``listen()`` on."""

    def __init__(self, m, wording):
        super().__init__(m, wording)
        add_hook(m, self)
        m.parts["servers"] = self

    def take(self, listener):
        """Give the listener a server: one that has the port already, an unused one, one that is being stopped."""
        m = self.modem
        best = None
        rank = 0
        for index, server in enumerate(self.slots):
            if server is None:
                mine = 2 if index or "tunnel" not in m.parts else 0  # transparent mode has the first
            elif server.listener:
                mine = 0
                if server.listener.port == listener.port:
                    raise OSError(errno.EADDRINUSE, "port %d: another socket listens there" % listener.port)
            else:
                mine = 3 if abs(server.running) == listener.port else 1
            if mine > rank:
                rank = mine
                best = index
        if best is None:
            ports = ", ".join([str(server.listener.port) for server in self.slots if server])
            raise OSError(errno.ENOBUFS, "all servers of the module are taken, by port %s" % ports)
        server = self.slots[best] or Server(best)
        if server.task:
            m.wake(server)
        else:
            server.task = m.start(self._run(server))
        self.slots[best] = listener.server = server
        server.listener = listener
        m.links.upward = 1  # the module numbers the clients, mostly from the lowest
        self._reserve()

    def _run(self, server):
        # The life of a server, as a task: what the module does is made what is wanted.
        m = self.modem
        while server.listener or (server.running and m.up):
            listener = server.listener
            port = listener.port if listener else 0
            try:
                if not m.up or (listener and listener.kind.second and not listener.kind.second.up):
                    yield 1000
                elif server.running == port:
                    yield from self._attend(server, listener)
                elif server.running:
                    yield from self._stop(server)
                else:
                    yield from self._start(server, listener)
            except (OSError, ValueError, IndexError):
                m.doubt = True  # neither server nor context?
                yield 1000
        self.slots[server.index] = None
        self._reserve()
        if not self.busy():
            m.links.upward = -1

    def _reserve(self):
        # As many numbers stay free as the servers take themselves.
        own = [_Own(server.listener or server) for server in self.slots if server and self.wording.OWN]
        self.modem.links.spare = tuple(own)

    def _start(self, server, listener):
        try:
            yield from self.wording.start(self.modem, server, listener)
        except OSError as e:
            if not (yield from self._runs(server, listener.port)):
                if server.listener is listener:
                    server.listener = None
                listener.fail(e.errno, "listen, port %d: %s" % (listener.port, e.args[1]))
                return
        server.running = server.port = listener.port
        server.heard = ticks_ms()

    def _stop(self, server):
        port = abs(server.running)
        server.running = -port
        try:
            yield from self.wording.stop(self.modem, server)
        except OSError as e:
            if (yield from self._runs(server, port)):
                server.running = port
                server.stuck = True
                listener = server.listener
                if listener and listener.port != port:
                    server.listener = None
                    listener.fail(errno.ENOBUFS, "listen: a server cannot be stopped: " + e.args[1])
                yield _STOP_MS
                return
        server.running = 0

    def _runs(self, server, port):
        try:
            return (yield from self.wording.runs(self.modem, server.index, port))
        except (OSError, ValueError, IndexError):
            return False

    def _attend(self, server, listener):
        for link in listener.waiting:
            if link.report is None and link.n >= 0:
                try:
                    yield from self.wording.look(self.modem, link.n)
                finally:
                    link.report = 0
                return
        if not passed(server.heard, _ASK_MS):
            yield 1000
            return
        server.heard = ticks_ms()
        if (yield from self.wording.runs(self.modem, server.index, server.running)):
            yield from self.wording.search(self.modem)  # the notice of a client may have been lost
        else:
            m = self.modem  # if it has restarted it would raise a context of its own
            yield from capability(m, "bringup", False).context_check(m)
            server.running = 0

    # Hook

    def on_line(self, buf, i, j):
        return self.wording.on_line(self, buf, i, j)

    def on_lost(self, code, why):
        self.end(None, code, why)
        return False

    def end(self, second, code, why):
        """The servers of this context have ended, None: of all."""
        for server in self.slots:
            if server and (not second or (server.listener and server.listener.kind.second is second)):
                server.running = 0
                if server.listener:
                    # ETIMEDOUT would be "nobody came" to who calls accept() again and again
                    server.listener.fail(errno.ECONNABORTED if code == errno.ETIMEDOUT else code, why)
                    server.listener.lost = True
                    server.listener = None
                self.modem.wake(server)
