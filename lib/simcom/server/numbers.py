"""Link numbers while servers run: clients get theirs from the module, perhaps those that we were about to use."""

import errno
from time import ticks_ms


from ..stream.reclaim import all_taken
from ..links import Link, State
from ..pump import Task


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
    """``slots``: the servers; told what the module says of its links, finds out whose they are.

    ``wording``: the file of their dialect.
    """

    def __init__(self, m, wording):
        self.modem = m
        self.wording = wording
        self.slots = [None] * m.SERVERS
        self._nobody = Task(None)  # of clients that nobody has accepted yet
        self.offset = 0  # of the server's index where links are listed
        self._rumours = []  # (n, peer): one answer gave link n to somebody else; bytes of it may have been lost

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
            being_read = old is m.receiver.link and m.channel.busy and not m.current()
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
            link.kind = server.listener.kind
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
            m.receiver.equip(link)
            m.receiver.ask_for(link, old.asked)
        except OSError:
            link.number(m, n)
            m.forget(old)
            return False
        m.receiver.link = link
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
            own = [each.cid for each in self.slots if each]
            for n in range(len(slots) - 1, -1, -1):
                if not slots[n] and n not in own:
                    m.links.put(old, n)
                    old.stale = 0
                    old.report = 0  # of the number that it had none will come
                    m.forget(old)
                    m.receiver.equip(old)
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
        """Ask whose link ``n`` is; twice, if it is not whose we think. Nothing is asked while there are no servers."""
        self._rumours.clear()
        if not self.busy():
            return
        for _ in range(2):
            try:
                yield from self.wording.look(self.modem, n)
            except (OSError, ValueError, IndexError):
                pass
            if not self._rumours:
                break

    def explained(self, n, error):
        """Steps: why link ``n`` could not be opened; it is another's now, if a client has that number."""
        yield from self.check(n)
        if self.busy() and self.full():
            return OSError(errno.ENOBUFS, all_taken(self.modem.links))
        return error
