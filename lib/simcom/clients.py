"""Link numbers while servers run: clients get theirs from the module, perhaps those that we were about to use."""

import errno
from time import ticks_ms

from .bind import outcome, plain
from .displace import all_taken
from .links import Link, State
from .pump import Task


class Client(Link):
    """The link of a client that came; ``report`` is None until its address is known."""

    state = State.OPEN
    server = None  # to which it came
    told = True  # whether the module announced it; else we found it

    def number(self, m, n):
        """Its number is ``n``, in ``m`` too."""
        m.links.slots[n] = self
        self.n = n
        self.bit = 1 << n
        self.to(State.OPEN)


def _same(link, peer):
    # Whether a connection may be that with ``peer``; a name, no host and port 0 may be anybody's.
    host, port = link.peer
    if port and peer[1] and port != peer[1]:
        return False
    return host == peer[0] or not peer[0] or not host.replace(".", "").isdigit()


class Numbers:
    """``slots``: the servers; stands in front of the methods of the modem that give numbers to links."""

    def __init__(self, m):
        self.modem = m
        self.wording = __import__("simcom.server_" + m.DIALECT, None, None, ["*"])
        self.slots = [None] * m.SERVERS
        self._nobody = Task(None)  # of clients that nobody has accepted yet
        self.offset = 0  # of the server's index where links are listed
        self._rumours = []  # (n, peer): one answer gave link n to somebody else; bytes of it may have been lost
        self._ask = m._ask
        self._owe = m.open
        self._steps = m._open
        m._ask = self.ask
        m.open = self.open
        m._open = self.steps

    def busy(self):
        """Whether there are servers."""
        return any(self.slots)

    def client(self, n, server, peer, told):
        """Link ``n`` is a client's: the module says so by itself (``told``), or was asked."""
        m = self.modem
        if not 0 <= n < len(m.links.slots):
            return
        old = m.links.slots[n]
        being_read = False
        if old:
            mine = isinstance(old, Client)
            if _same(old, peer) and (not told or (mine and old.state == State.OPEN and (peer[1] or not old.told))):
                if mine:
                    old.told = old.told or told
                    if not old.peer[1]:
                        old.peer = peer
                return
            if not told and (n, peer) not in self._rumours:
                self._rumours.append((n, peer))
                return
            being_read = old is m._link and m.channel.busy and not m._task
            if being_read and m.channel.parser.tail:  # its bytes are all here, and then a whole line: none is lost
                if old.ring is not None:
                    old.ready = old.ring.any()
                being_read = False
            self._displace(old)
        link = Client()
        link.peer = peer
        link.told = told
        link.task = self._nobody
        link.heard = ticks_ms()
        link.number(m, n)
        if being_read and m.channel.own and not self._inherits(link, old):
            server = None  # its first bytes are lost
        if peer[1]:
            link.report = 0
        if server and server.listener:
            link.server = server
            server.listener.waiting.append(link)
            m.wake(server)
        else:
            self.dismiss(link)

    def _inherits(self, link, old):
        # The answer to the command that is to read ``old`` is still to come: it is about the number, so it is the
        # client's. Returns whether there is room for it.
        m = self.modem
        n = link.n
        try:
            m.equip(link)
            m._ask_for(link, old.asked)
        except OSError:
            link.number(m, n)
            m.forget(old)
            return False
        m._link = link
        return True

    def found(self, n, index, peer):
        """The list of links names link ``n`` as a client's of a server."""
        old = self.modem.links.get(n)
        if isinstance(old, Client) and old.peer == peer:
            if old.told and old.server:
                self.offset = index - old.server.index  # some list the next number
            return
        for k in (index - self.offset, index, index - 1):
            if 0 <= k < len(self.slots) and self.slots[k] and self.slots[k].listener:
                return self.client(n, self.slots[k], peer, False)
        self.client(n, None, peer, False)

    def over(self, n, peer):
        """If link ``n`` is a client's: it has closed."""
        link = self.modem.links.get(n)
        if isinstance(link, Client):
            if not link.peer[1] and link.peer[0] == peer[0]:
                link.peer = peer
            if link.state == State.OPEN:
                self.modem.gone(link)

    def dismiss(self, link):
        """Close a client that nobody accepts."""
        m = self.modem
        m.close(link)
        if link.n >= 0:
            m.serve(link)

    def _displace(self, old):
        # Its number is a client's now: while connecting it gets another, else it has been closed.
        m = self.modem
        slots = m.links.slots
        if old.state == State.CONNECTING:
            for n in range(len(slots) - 1, -1, -1):
                if not slots[n]:
                    m.links.put(old, n)
                    old.stale = 0
                    old.report = 0  # of the number that it had none will come
                    m._rings.give_back(old)
                    m.equip(old)
                    m.wake(old)
                    return
            old.fail(errno.ENOBUFS, all_taken(m.links))
        elif old.state == State.OPEN or old.known:
            old.fail(errno.ECONNRESET, "%s:%d: closed, its link number is a client's" % old.peer)
        m.links.release(old)
        m.wake(old)

    def full(self):
        """Whether clients have taken what is not the server's own number."""
        return self.modem.links.slots.count(None) < self.wording.OWN

    def check(self, n):
        """Ask whose link ``n`` is; twice, if it is not whose we think."""
        self._rumours.clear()
        for _ in range(2):
            try:
                yield from self.wording.look(self.modem, n)
            except (OSError, ValueError, IndexError):
                pass
            if not self._rumours:
                break

    # In front of the modem's methods

    def ask(self, link):
        """TcpIp._ask()"""
        if self.busy():
            yield from self.check(link.n)
        if link.n >= 0:
            yield from self._ask(link)

    def open(self, link, address):
        """TcpIp.open()"""
        if not self.busy():
            return self._owe(link, address)
        slots = self.modem.links.slots
        n = slots.index(None) if self.wording.OWN and None in slots else -1
        if n >= 0:  # the server has a number of its own: which one, the module does not tell
            slots[n] = own = Link()
            own.peer = ("server", self.slots[0].running)
        try:
            self._owe(link, address)
        finally:
            if n >= 0:
                slots[n] = None

    def steps(self, link):
        """TcpIp._open()"""
        if isinstance(link, Client):
            return
        opener = link.opener
        if self.busy() and link.state == State.CONNECTING and not isinstance(opener, _Outgoing):
            link.opener = _Outgoing(opener)
        try:
            yield from self._steps(link)
        finally:
            link.opener = opener


class _Outgoing:
    """Link.opener of a client while there are servers: the module may have given its number away."""

    def __init__(self, inner):
        self._inner = inner

    def __call__(self, m, link):
        while link.state == State.CONNECTING and link.n >= 0:
            n = link.n
            error = None
            try:
                yield from (self._inner or plain)(m, link)
                yield from outcome(m, link, n)
            except OSError as e:
                error = e
            if error and link.n == n:
                yield from m.servers.check(n)
            if link.n == n:
                if error and m.servers.full():
                    error = OSError(errno.ENOBUFS, all_taken(m.links))
                if error:
                    raise error
                return
            if link.n >= 0:
                link.error = None
