"""Transparent mode: one connection has the UART to itself."""

import errno
from time import ticks_diff, ticks_ms

from micropython import const

from .datamode import DataMode
from .lacks import start_only
from .pump import text
from .tcpip import check_host

# Link.state, as in links.py
_CONNECTING = const(1)
_OPEN = const(2)
_CLOSED = const(5)

_OF_SOCKETS = b"CIPMUX CIPMODE CIPRXGET CIPHEAD CIPSRIP CIPQSEND CIPSENDMODE CIPSPRT CIPATS".split()
_TUNING = ((3, 8), (2, 10), (1, 1460), (0, 1), (0, 1), (50, 1460), (20, 1000))

_told = False


def transparent(
    m,
    address: tuple,
    *,
    udp: bool = False,
    local_port: int = 0,
    timeout_ms: int = 240000,
    tuning: "tuple | None" = None,
    flow_control: bool = False,
    dtr=None,
    dcd=None,
):
    """Connect to (host, port) in transparent mode; returns a stream whose bytes are the connection's, unchanged.

    The context is raised anew for it, without any other socket: OSError(EALREADY) while one is open. ``local_port``: 0
    for any. ``tuning``: the 4 to 7 numbers of AT+CIPCCFG (NmRetry, WaitTm, SendSz, esc, Rxmode, RxSize, Rxtimer),
    OSError(EOPNOTSUPP) on SIM7028 and A76XX. ``flow_control``: AT+IFC=2,2; make the UART with rts=, cts= and flow=.
    ``dtr``: Pin at the module's DTR, which then leaves data mode instead of "+++". ``dcd``: Pin at DCD, low while
    connected, which tells at once whether ``CLOSED`` is the module's word or the peer's; without it "+++" finds out.
    ``timeout_ms=0`` starts and returns; the stream is writable when it is connected. Raises what connecting raises.
    """
    host, port = address
    check_host(host)
    _check_port("port", port, 1)
    _check_port("local_port", local_port, 0)
    t = Transparent(m, tuning, flow_control, dtr, dcd)
    t._link.peer = (host, port)
    t._link.proto = "UDP" if udp else "TCP"
    t._port = local_port
    return t._begin(t._words.dial(m, t._link, local_port), timeout_ms)


def transparent_server(
    m,
    port: int,
    *,
    timeout_ms: "int | None" = None,
    tuning: "tuple | None" = None,
    flow_control: bool = False,
    dtr=None,
    dcd=None,
):
    """Wait for a TCP client at ``port``: returns the stream to it; the rest as with ``transparent()``.

    Its ``peer`` is (address, port), the port 0 where the module does not tell. ``timeout_ms=None`` waits for ever.
    """
    _check_port("port", port, 1)
    t = Transparent(m, tuning, flow_control, dtr, dcd)
    t._link.peer = ("", port)
    t._server = True
    return t._begin(t._words.listen(m, port), timeout_ms)


def _check_port(what, port, low):
    if not isinstance(port, int) or not low <= port <= 65535:
        raise ValueError("%s: a number from %d to 65535" % (what, low))


def _commands(m, tuning, flow_control, dtr):
    commands = ()
    if tuning is not None:
        start_only(m, "tuning of transparent mode")
        if not 4 <= len(tuning) <= 7:
            raise ValueError("tuning: 4 to 7 numbers")
        for value, (low, high) in zip(tuning, _TUNING):
            if not isinstance(value, int) or not low <= value <= high:
                raise ValueError("tuning: %r is not from %d to %d" % (value, low, high))
        if not (tuning[3] or dtr):
            raise ValueError("tuning: without esc only dtr= leaves data mode")
        commands = (b"AT+CIPCCFG=" + ",".join([str(value) for value in tuning]).encode(),)
    if flow_control:
        commands += (b"AT+IFC=2,2",)
    if dtr:
        commands += (b"AT&D1",)
    return commands


class Transparent(DataMode):
    """A stream as a connected socket is one; ``escape()`` and ``resume()`` switch between data and commands."""

    def __init__(self, m, tuning, flow_control, dtr, dcd):
        self._words = __import__("simcom.transparent_" + m.DIALECT, None, None, ["*"])
        dtr = dtr or m.__dict__.get("dtr")
        super().__init__(m, self._words.EVENTS, dtr, dcd)
        self._commands = _commands(m, tuning, flow_control, dtr)
        self._safe = flow_control
        self._server = False
        self._port = 0  # the local one, if it was chosen
        self._gone = False  # the connection has ended
        self._over = False  # … and everything is as it was

    @property
    def peer(self):
        """(host, port) of the other end."""
        return self._link.peer

    def _begin(self, dial, timeout_ms):
        global _told
        m = self._modem
        link = self._link
        if not m.isconnected():
            raise OSError(errno.ENOTCONN, "no PDP context: connect() the modem first")
        have = m.__dict__
        second = have.get("second")
        servers = have.get("servers")
        if any(m.links.slots) or (second and second.up) or (servers and servers.busy()):
            raise OSError(errno.EALREADY, "transparent mode is for one: close all sockets first: " + m.links.peers())
        if have.get("sleeper"):
            m.awake()
        if not self._safe and not _told:
            _told = True
            print("simcom: transparent mode without flow_control: lost bytes cannot be noticed")
        self._place()
        m.equip(link)
        link.state = _CONNECTING
        self._open = m.open
        self._start_task = m.start
        m.open = self._open_another
        link.task = m.start(self._life(dial))
        start = ticks_ms()
        try:
            while link.state == _CONNECTING and not link.error and timeout_ms != 0:
                if timeout_ms and ticks_diff(ticks_ms(), start) >= timeout_ms:
                    raise OSError(errno.ETIMEDOUT, "transparent %s:%d: not within %d ms" % (link.peer + (timeout_ms,)))
                m.wait()
        finally:
            if timeout_ms != 0 and link.state == _CONNECTING and not link.error:
                self._drop()
        if link.error:
            self.close()
            raise OSError(*link.error)
        return self

    def _place(self):
        # The only number of transparent mode; without its bit, as nothing is to be read by command.
        self._link.n = 0
        self._modem.links.slots[0] = self._link

    def close(self):
        """Leave data mode, close the connection, raise the context anew for sockets: waits for that unless the stream
        does not block. The modem's ``isconnected()`` tells how it ended."""
        if not self._closed:
            self._drop()
        while not (self._timeout == 0 or self._link.task.done or self._modem.pumping):
            self._modem.wait()

    def _drop(self):
        # Its owner is done with it: the pump does the rest.
        self._closed = True
        if self._link.n >= 0:
            self._modem.up = False
        self._modem.forget(self._link)
        self._modem.wake(self._link)

    def escape(self, *, timeout_ms: int = 10000):
        """To command mode: ``modem.at()`` and all that asks the module work again; the connection stays open.

        Takes 2.5 s. OSError: ETIMEDOUT when the module does not answer, ENOTCONN when the connection has ended,
        ENOBUFS: read what has come first.
        """
        self._switch(False, timeout_ms)

    def resume(self, *, timeout_ms: int = 15000):
        """Back to data mode (ATO).

        OSError as with ``escape()``.
        """
        self._switch(True, timeout_ms)

    def _switch(self, data, timeout_ms):
        start = self._start()
        m = self._modem
        link = self._link
        if m.pumping:
            raise OSError(errno.EALREADY, "a callback of the modem cannot wait for it")
        if self._data != data and self._room() < self.CHUNK:
            raise OSError(errno.ENOBUFS, "escape, resume: read what has come first")
        self._wish = data
        self._failed = False
        m.wake(link)
        while self._data != data and link.state == _OPEN and not link.error and not self._failed:
            self._failed = ticks_diff(ticks_ms(), start) >= timeout_ms
            m.wait()
        if link.error:
            raise OSError(*link.error)
        if link.state != _OPEN:
            raise OSError(errno.ENOTCONN, "not connected, or closed by the peer")
        if self._failed and self._data != data:
            self._wish = not data
            raise OSError(errno.ETIMEDOUT, "escape, resume: no answer")

    # What it keeps others from

    def _refuse(self, *_):
        if not self._link.error:
            raise OSError(errno.EALREADY, "transparent mode is on: escape() or close() its stream")

    def _open_another(self, link, address):
        # TcpIp.open()
        self._refuse()
        self._open(link, address)

    def _start_another(self, steps):
        # Pump.start()
        self._refuse()
        return self._start_task(steps)

    def _alone(self, flag):
        # Whether nobody else may talk to the module.
        m = self._modem
        task = self._link.task
        if flag:
            m._only = task
            m.start = self._start_another
        elif m._only is task:
            m._only = None
            m.start = self._start_task

    # Lines

    def _on_line(self, buf, i, j):
        link = self._link
        if not self._over:
            if buf.startswith(b"CONNECT", i):
                if j - i == 7 or 48 <= buf[i + 8] <= 57:  # the rate
                    self._enter()
                elif buf.startswith(b" FAIL", i + 7):
                    self._refused()
                return True
            if j - i == 6 and buf.startswith(b"CLOSED", i) or buf.startswith(b"NO CARRIER", i):
                self._ended()
            elif self._server and link.state == _CONNECTING:
                peer = self._words.client(text(buf, i, j))
                if peer:
                    link.peer = peer
                    return True
        return self._before(buf, i, j)

    def _enter(self):
        self._modem.channel.busy = False  # this is the answer
        self._lines.data = self._take
        self._data = True
        self._pluses = 0
        self._sent = ticks_ms()
        if self._link.state == _CONNECTING:
            self._link.state = _OPEN
        self._alone(True)
        self._modem.wake(self._link)

    def _ended(self):
        self._gone = True
        self._modem.wake(self._link)

    def _refused(self):
        link = self._link
        if link.state == _CONNECTING:
            late = ticks_diff(ticks_ms(), self._sent) > self._modem.REFUSED_MS
            link.fail(errno.ETIMEDOUT if late else errno.ECONNREFUSED, "connect %s:%d: CONNECT FAIL" % link.peer)
            self._modem.wake(link)

    # The life of the connection, as a task

    def _life(self, dial):
        m = self._modem
        link = self._link
        ordinary = m.SETTINGS
        self._before = hook = m.on_line
        m.on_line = mine = self._on_line
        self._begin_lines()
        self._alone(True)
        try:
            yield from self._connect(dial, ordinary)
            while link.state == _OPEN and not (self._gone or self._closed):
                yield from self._in_data() if self._data else self._in_commands()
            while link.n >= 0 and not self._closed:
                yield from self._finish() if self._data else self._wait_for_owner()
            self._alone(True)
            yield from self._finish()
            if link.n >= 0:
                m.links.release(link)
                yield from self._context(ordinary)
        except OSError as e:
            link.fail(e.errno, e.args[1])
        except (ValueError, IndexError):
            link.fail(errno.EIO, "answer not understood: " + m.command())
        finally:
            self._over = True
            m.links.release(link)
            self._end_lines()
            if m.on_line is mine:
                m.on_line = hook
            self._alone(True)
            self._alone(False)
            m.open = self._open

    def _context(self, settings):
        m = self._modem
        ordinary = m.SETTINGS
        m.up = False
        m.step = "idle"
        m.SETTINGS = settings
        try:
            yield from m.context_up(*m.apn)
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
        link.state = _CONNECTING
        theirs = tuple([cmd for cmd in ordinary if cmd[3 : cmd.find(b"=")] not in _OF_SOCKETS])
        yield from self._context(self._commands + self._words.settings(ordinary) + theirs)
        self._place()
        self._sent = ticks_ms()
        try:
            if (yield from dial):
                self._refused()
            while link.state == _CONNECTING and not link.error and not self._closed:
                if not self._server and ticks_diff(ticks_ms(), self._sent) > m.CONNECT_MS:
                    raise OSError(errno.ETIMEDOUT, "connect %s:%d: no result" % link.peer)
                yield 500
        except OSError as e:
            link.fail(e.errno, e.args[1])

    def _in_commands(self):
        if not self._wish:
            self._alone(False)
            yield 1000
            return
        self._alone(True)
        while self._room() < self.CHUNK and not self._closed:
            yield 20
        try:
            yield b"ATO", 10000, (b"NO CARRIER", b"CONNECT FAIL")
        except OSError:
            self._modem.doubt = True
        if not self._data:
            self._ended()

    def _wait_for_owner(self):
        # Closed by the peer.
        if self._server:
            yield from self._stop()
        self._alone(False)
        if self._link.n >= 0:
            self._link.state = _CLOSED
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
