"""Receiving by direct push as CAOPEN modules word it: each open asks for it (recv_mode 1)."""

from micropython import const

from ..links import State
from .push import Push, PushParser
from ..casrip import Sources, digits

_HEAD = const(b'+CAURC: "recv",')
_LONGEST = const(2)  # empty lines behind the bytes
_NONE = const(9)
_WAIT_MS = const(100)  # silence behind another number of empty lines than is usual


def change(m, mode):
    """The steps that have received bytes come as ``mode`` says, from the next open on; None: there is nothing to do."""
    if m.channel.parser.pushed:
        m.channel.parser = m.receiver.former
        _unasked(m)
    elif mode != "push":
        return
    m.SETTINGS = tuple([cmd for cmd in m.SETTINGS if not cmd.startswith(b"AT+CASRIP")])
    if mode == "push":
        m.OPEN += ",1"
        m.SETTINGS += (b"AT+CASRIP=1",)
        m.use(CaPush(m))
    else:
        m.SETTINGS += (b"AT+CASRIP=0",)
        m.use(m.RECEIVER(m, m.read_max, 2 * m.read_max))
    return _told(m.SETTINGS[-1]) if m.up else None


def _told(cmd):
    yield cmd


def _unasked(m):
    # The next open asks for it no more.
    if "OPEN" in m.__dict__:
        del m.OPEN


def _on_request(m):
    # Not at once: a line may be just coming.
    channel = m.channel
    while channel.parser.held:
        yield 20
    if not channel.parser.pushed:
        return
    channel.parser = m.receiver.former
    m.use(Sources(m))
    print('simcom: this firmware refuses receive="push"')
    for each in m.links.slots:
        if each:
            m.receiver.equip(each)
            m.links.reading |= each.bit


class CaPushParser(PushParser):
    """What follows pushed bytes: no, one or two empty lines, always as many, and then the one before the next line."""

    pairs = 0  # of CR LF so far

    def expect(self, n, take, trailer=True):
        super().expect(n, take, trailer)
        self.pairs = 0

    def _special(self, i, n):
        if self._edge:
            c = self.buf[i]
            if c == (13 if self._edge == 2 else 10):
                self._edge = 3 - self._edge
                self.pairs += self._edge - 1
                return 1
            whole = self._edge == 2
            self._edge = 0
            self.empty = self.pairs > 0
            self._push.ends(self.pairs - (c != 36 or not self.bare) if whole else -1)  # NMEA has none before it
        return super()._special(i, n)


def _code(buf, i, j):
    # Whether this "+CA…" is no header that has lost something.
    if buf.startswith(b"URC", i + 3):
        return buf.find(b" full", i, j) > 0
    return buf.find(b":", i, i + 12) > 0


class CaPush(Push):
    """With the sender in each header (AT+CASRIP=1), which tells whether it is damaged.

    Bytes that are missing make the count eat what follows. So that is exact: as many empty lines as always. Until it is
    known what this firmware does another number than one is loss the first time, and what it does the second time.
    """

    PARSER = CaPushParser

    def __init__(self, m):
        super().__init__(m)
        self._usual = 1  # so many empty lines …
        self._sure = False  # … as was seen
        self._seen = _NONE  # another number that was seen instead
        self._named = False  # headers tell the sender, on this module

    def word(self, link):
        """Nothing is read by command."""
        link.polled = 0

    def without(self, link):
        """The module has refused to open ``link``, perhaps because it knows no recv_mode: bytes are read on request
        from now on, and ``link`` is opened anew, under another number. Returns whether that is possible."""
        m = self._modem
        for each in m.links.slots:
            if each and each.state != State.CONNECTING:  # it does know it
                return False
        n = link.n
        if not m.links.place(link):
            return False
        m.links.slots[n] = None
        _unasked(m)
        m.start(_on_request(m))
        return True

    def over(self, link):
        m = self._modem
        if not m.doubt:
            link.to(State.CLOSING)  # its number stays taken until it is closed by us too
        elif m.up and not m.channel.echoed:  # some say no more when the context is lost: it is asked first
            m.watcher.pause(0)

    def ends(self, n):
        """So many empty lines were behind the counted bytes."""
        if n != self._usual and (n != self._seen or self._sure):
            self._seen = n if 0 <= n <= _LONGEST else _NONE
            return self.spoilt()
        self._usual = n
        self._sure = True
        self.proven()

    def settled(self):
        parser = self._parser
        if parser.pairs == self._usual:
            self.proven()
        elif self._channel.quiet(_WAIT_MS):
            parser.restart()
            self.ends(parser.pairs)
        return not self.link

    def on_line(self, buf, i, j):
        if self._channel.parser is not self._parser:
            return False
        self.check()
        link = None
        if buf.startswith(_HEAD, i):
            link = self._header(buf, i + len(_HEAD), j)
        elif not buf.startswith(b"+CA", i) or _code(buf, i, j):
            return self._other(buf, i, j)
        if link is None:
            self.spoilt()
        else:
            self._comes(link)
        return True

    def _header(self, buf, i, j):
        # The link whose bytes follow; None: the header is damaged.
        if buf[j - 1] == 44:  # a comma where there is no sender
            j -= 1
        n = digits(buf, i, j)
        i = buf.find(b",", i, j) + 1
        self.got = digits(buf, i, j) if i else -1
        i = buf.find(b",", i, j) + 1 if i else 0
        self._from = self._address(buf, i, j) if i else None
        if n < 0 or self.got < 0 or (not self._from[1] if i else self._named):
            return None
        link = self._modem.links.get(n)
        if i:
            if link and link.proto == "TCP" and link.peer[1] and self._from[1] != link.peer[1]:
                return None
            self._named = True
        if link:
            self.word(link)  # a client that is not accepted yet
        return link

    def _pair(self, sender):
        host, _, port = sender.rpartition(",")
        host = host.strip('"')
        if not host or host.strip("0123456789abcdefABCDEF.:") or not port.isdigit():
            return ("", 0)
        return (host, int(port))
