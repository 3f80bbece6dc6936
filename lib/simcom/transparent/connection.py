"""The life of a connection in transparent mode."""

import errno
from time import ticks_ms


from ..channel import passed
from ..hooks import Hook, add as add_hook, remove as remove_hook
from .escape import Escape
from ..links import State, Wait
from ..lazy import capability
from ..pump import text
from ..recovery.strays import innocent  # noqa: F401  (now: deep in the stack, later, there may be no room to load it)

_OF_SOCKETS = b"CIPMUX CIPMODE CIPRXGET CIPHEAD CIPSRIP CIPQSEND CIPSENDMODE CIPSPRT CIPATS".split()


def _told(commands):
    """Steps: what other links want, before the first of them is opened."""
    for cmd in commands:
        yield cmd


class Tunnel(Escape):
    """The task that opens the connection, keeps others from the module, and puts everything back as it was."""

    def __init__(self, m, commands, dtr, dcd):
        self._words = capability(m, "transparent")
        super().__init__(m, self._words.events(m), dtr, dcd)
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

    # The life of the connection, as a task

    def _life(self, dial):
        m = self._modem
        link = self._link
        ordinary = m.SETTINGS
        add_hook(m, self)
        self._begin_lines()
        self._alone(True)
        try:
            yield from self._connect(dial, ordinary)
            while link.state == State.OPEN and not (self._gone or self._closed):
                yield from self._in_data() if self._data else self._in_commands()
            while link.n >= 0 and not self._closed:
                yield from self._finish() if self._data else self._wait_for_owner()
            self._alone(True)
            yield from self._finish()
            if link.n >= 0:
                m.on_lost(errno.ECONNABORTED, "transparent mode has ended, and the context with it")
                yield from self._context(ordinary)
        except OSError as e:
            link.fail(e.errno, e.args[1])
        except (ValueError, IndexError):
            link.fail(errno.EIO, "answer not understood: " + m.command())
        finally:
            self._end_lines()
            remove_hook(m, self)
            self._put_back()

    def _put_back(self):
        m = self._modem
        self._over = True
        m.links.release(self._link)
        self._alone(True)
        self._alone(False)
        m.links.spare = ()
        m.parts.pop("tunnel", None)

    def _context(self, settings):
        m = self._modem
        ordinary = m.SETTINGS
        m.up = False
        m.step = "idle"
        m.SETTINGS = settings
        try:
            yield from capability(m, "bringup", False).context_up(m, *m.apn)
            for _, steps in m.extra:
                yield from steps(m)
            m.up = True
            m.step = "up"
        finally:
            m.SETTINGS = ordinary

    def _connect(self, dial, ordinary):
        m = self._modem
        link = self._link
        m.links.release(link)
        link.to(State.CONNECTING)
        theirs = tuple([cmd for cmd in ordinary if cmd[3 : cmd.find(b"=")] not in _OF_SOCKETS])
        self._beside = tuple([cmd for cmd in ordinary if cmd not in theirs and cmd[6:10] != b"MODE"])
        yield from self._context(self._commands + self._words.settings(ordinary) + theirs)
        self._place()
        self._sent = ticks_ms()
        try:
            if (yield from dial):
                self._refused()
            while link.state == State.CONNECTING and not link.error and not self._closed:
                if not self._server and passed(self._sent, m.CONNECT_MS):
                    raise OSError(errno.ETIMEDOUT, "connect %s:%d: no result" % link.peer)
                yield 500
        except OSError as e:
            link.fail(e.errno, e.args[1])

    def _in_commands(self):
        if self._shut:
            yield from self._remainder()
        elif not self._wish or self._busy():
            self._alone(False)
            self._read_by(self._parser)
            yield 50 if self._wish else 1000
        else:
            yield from self._resume()

    def _resume(self):
        self._alone(True)
        self._read_by(self._lines)
        while self._room() < self.CHUNK and not self._closed:
            yield 20
        try:
            self._shut = yield from self._words.closed(self._modem, self._link)
            if self._shut:
                return
            yield b"ATO", 10000, (b"NO CARRIER", b"CONNECT FAIL")
        except OSError:
            self._modem.doubt = True
            yield from self._again()
        if not self._data:
            self._ended()

    def _remainder(self):
        # What the module still holds comes as on any connection.
        m = self._modem
        link = self._link
        self._alone(False)
        self._claim()
        self._read_by(self._parser)
        if self._parser.pushed:  # it does not come by itself
            m.broken(link, errno.EIO, "closed in command mode: bytes may be lost")
        link.bit = 1 << link.n
        m.gone(link)
        link.pending = False  # the module was asked
        while link.state == State.DRAINING and not self._closed:
            yield 50
        m.links.reading &= ~link.bit
        link.bit = 0
        self._ended()

    def _again(self):
        if not self._server:
            try:
                yield from self._words.again(self._modem, self._link)
            except OSError:  # then it is over
                pass

    def _wait_for_owner(self):
        # Closed by the peer.
        if self._server:
            yield from self._stop()
        self._alone(False)
        self._read_by(self._parser)
        if self._link.n >= 0:
            self._link.to(State.CLOSED)
        yield 1000

    def _finish(self):
        m = self._modem
        m.up = self._wish = False
        if self._data and not (yield from self._leave()):
            m.on_silent("transparent mode: no answer to +++")
        if self._link.n < 0:
            return
        try:
            yield from self._words.close(m, self._link, self._port)
        except OSError:  # closed already
            pass
        if self._server:
            yield from self._stop()

    def _stop(self):
        self._server = False
        try:
            yield self._words.STOP
        except OSError:  # it has ended by itself
            pass
