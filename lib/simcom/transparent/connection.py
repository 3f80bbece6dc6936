"""A connection in transparent mode: what it keeps others from, and what the module says of it."""

import errno
from time import ticks_ms

from ..channel import passed
from ..hooks import Hook
from ..links import State, Wait
from ..pump import text


def _told(commands):
    """Steps: what other links want, before the first of them is opened."""
    for cmd in commands:
        yield cmd


class Tunnel:
    """What a stream is at, and who else may talk to the module meanwhile."""

    def __init__(self, commands):
        self._commands = commands  # that its user chose, for bring-up
        self._server = False
        self._port = 0  # the local one, if it was chosen
        self._beside = ()  # what the module is to be told before another link is opened
        self._shut = False  # the peer has closed; the module may still hold bytes
        self._gone = False  # the connection has ended
        self._over = False  # … and everything is as it was

    def _place(self):
        # The only number of transparent mode; without its bit, as nothing is to be read by command.
        self._link.n = 0
        self._modem.links.slots[0] = self._link

    def _move(self, n):
        # The module has chosen the number.
        slots = self._modem.links.slots
        slots[self._link.n] = None
        slots[n] = self._link
        self._link.n = n

    def _drop(self):
        # Its owner is done with it: the pump does the rest.
        self._closed = True
        if self._link.n >= 0:
            self._modem.up = False
        self._modem.forget(self._link)
        self._modem.wake(self._link)

    # What it keeps others from

    def refuse(self):
        """Nothing else can be opened, but in command mode where the module has other links beside."""
        m = self._modem
        if not (self._link.error or self._over):
            left = self._closed or self._link.state == State.DRAINING
            if left or m.exclusive or not self._words.BESIDE:
                how = "being left: wait, or recover()" if left else "on: escape() or close() its stream"
                raise OSError(errno.EALREADY, "transparent mode is " + how)
            m.links.spare = ()
            if self._beside:
                m.start(_told(self._beside))
                self._beside = ()

    def _claim(self):
        # Whoever wants a number has to ask refuse().
        links = self._modem.links
        links.spare = (self,) * len(links.slots)

    def _alone(self, flag):
        # Whether nobody else may talk to the module.
        m = self._modem
        task = self._link.task
        if flag:
            m.reserve(task)
            m.exclusive = self
            self._claim()
        else:
            if m.reserved() is task:  # else a resync has ended that
                m.reserve(None)
            m.exclusive = None

    def _others(self):
        # The links beside its own.
        return [link for link in self._modem.links.slots if link and link is not self._link]

    def _busy(self):
        # Whether one of them is at something that the module has still to report.
        for link in self._others():
            if link.tx_n or link.pending or link.state == State.CLOSING:
                return True

    # Hook

    def on_line(self, buf, i, j):
        link = self._link
        if not self._over:
            if buf.startswith(b"CONNECT", i):
                if j - i == 7 or 48 <= buf[i + 8] <= 57:  # the rate
                    self._enter()
                elif buf.startswith(b" FAIL", i + 7):
                    self._refused()
                return True
            if buf.startswith(b"+CAOPEN: 0,", i) and link.state == State.CONNECTING:
                self._modem.cursor = i + 11
                link.report = self._modem.number(buf, j)
                return True
            if buf.startswith(b"+CASTATE: %d,0" % link.n, i):
                self._shut = True
                self._modem.wake(link)
                return True
            if self._doubted and buf.startswith(b"+APP PDP", i):
                return True
            if buf.startswith(b"+IPCLOSE: 0,2", i):
                self._cut()
            if j - i == 6 and buf.startswith(b"CLOSED", i) or buf.startswith(b"NO CARRIER", i):
                if not self._others():  # else it may be one of theirs: ATO will tell
                    self._ended()
            elif self._server and link.state == State.CONNECTING:
                peer = self._words.client(text(buf, i, j))
                if peer:
                    link.peer = peer[:2]
                    self._move(peer[2])
                    return True
        return False

    on_lost = Hook.on_lost

    def _enter(self):
        channel = self._modem.channel
        self._first = self._modem.came if channel.busy else -1
        self._entered = ticks_ms()
        channel.busy = False  # this is the answer
        self._lines.data = self._take
        self._data = True
        self._pluses = 0
        self._sent = ticks_ms()
        if self._link.state == State.CONNECTING:
            self._link.to(State.OPEN)
        self._alone(True)
        self._modem.wake(self._link)

    def _cut(self):
        # The module has two reasons, and one number for both.
        dtr = self._dtr
        why = "sending timed out" if dtr else "sending timed out, or DTR off"
        self._link.fail(errno.ETIMEDOUT, "closed by the module: " + ("DTR is off" if dtr and dtr.value() else why))
        self._ended()

    def _ended(self):
        self._gone = True
        self._modem.wake(self._link)

    def _refused(self):
        link = self._link
        if link.state == State.CONNECTING:
            late = passed(self._sent, Wait.REFUSED_MS)
            link.fail(errno.ETIMEDOUT if late else errno.ECONNREFUSED, "connect %s:%d: CONNECT FAIL" % link.peer)
            self._modem.wake(link)
