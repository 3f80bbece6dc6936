"""The life of a connection in transparent mode, as a task."""

import errno
from time import ticks_ms

from ..channel import passed
from ..hooks import add as add_hook, remove as remove_hook
from ..links import State
from ..lazy import capability
from ..recovery.strays import innocent  # noqa: F401  (now: deep in the stack, later, there may be no room to load it)

_OF_SOCKETS = b"CIPMUX CIPMODE CIPRXGET CIPHEAD CIPSRIP CIPQSEND CIPSENDMODE CIPSPRT CIPATS".split()


class Life:
    """Steps: the connection is opened, goes between data and commands, ends, and everything is as it was."""

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
        if self._words.MUTE and self._link.state == State.OPEN:
            yield from self._words.lost(self._modem)
            if self._modem.up:
                self._store(self._doubted, 0, len(self._doubted))
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
