"""Transparent mode: one connection has the UART to itself."""

import errno
from time import ticks_diff, ticks_ms

from micropython import const

from ..checks import check_number, check_pin
from ..supported import start_only
from ..links import State
from ..lazy import capability, once
from ..socket import socket
from .connection import Tunnel
from .datamode import DataMode
from .escape import Escape
from .life import Life

_TUNING = ((3, 8), (2, 10), (1, 1460), (0, 1), (0, 1), (50, 1460), (20, 1000))

_WRITE = const(4)  # MP_STREAM_POLL_WR
_LOSING = const(460800)  # above it bytes are lost without RTS/CTS, as measured on an emulated Pico
_CLOSE_MS = const(150000)  # +++, AT+CIPCLOSE, the context down and up

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
    for any. ``tuning``, on SIM800 and SIM7000 alone: the 4 to 7 numbers of AT+CIPCCFG (NmRetry, WaitTm, SendSz, esc,
    Rxmode, RxSize, Rxtimer). ``flow_control``: AT+IFC=2,2; make the UART with rts=, cts= and flow=.
    ``dtr``: Pin at the module's DTR, which then leaves data mode instead of "+++". ``dcd``: Pin at DCD, low while
    connected, which tells at once whether ``CLOSED`` is the module's word or the peer's; without it "+++" finds out.
    ``timeout_ms=0`` starts and returns; the stream is writable when it is connected. Raises what connecting raises.
    """
    address = once("arguments").address(address)
    check_number("local_port", local_port, 0, 65535)
    check_number("timeout_ms", timeout_ms)
    return Transparent(m, tuning, flow_control, dtr, dcd)._dial(address, udp, local_port, timeout_ms)


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
    check_number("port", port, 1, 65535)
    if timeout_ms is not None:
        check_number("timeout_ms", timeout_ms)
    return Transparent(m, tuning, flow_control, dtr, dcd)._listen(port, timeout_ms)


def _commands(m, tuning, flow_control, dtr):
    commands = ()
    if tuning is not None:
        start_only(m, "tuning of transparent mode")
        if not isinstance(tuning, (tuple, list)) or not 4 <= len(tuning) <= 7:
            raise ValueError("tuning: 4 to 7 numbers, not %r" % (tuning,))
        for value, (low, high) in zip(tuning, _TUNING):
            check_number("tuning", value, low, high)
        if not (tuning[3] or dtr):
            raise ValueError("tuning: without esc only dtr= leaves data mode")
        commands = (b"AT+CIPCCFG=" + ",".join([str(value) for value in tuning]).encode(),)
    if flow_control:
        commands += (b"AT+IFC=2,2",)
    if dtr:
        commands += (b"AT&D1",)
    return commands


class Transparent(socket, DataMode, Escape, Life, Tunnel):
    """A stream as a connected socket is one; ``escape()`` and ``resume()`` switch between data and commands."""

    def __init__(self, m, tuning, flow_control, dtr, dcd):
        for name, pin in (("dtr", dtr), ("dcd", dcd)):
            if pin is not None:
                check_pin(name, pin)
        dtr = dtr or m.__dict__.get("dtr")
        socket.__init__(self, modem=m)
        self._words = capability(m, "transparent")
        DataMode.__init__(self, m, self._words.events(m), dtr, dcd)
        Tunnel.__init__(self, _commands(m, tuning, flow_control, dtr))
        self._safe = flow_control

    @property
    def peer(self):
        """(host, port) of the other end."""
        return self._link.peer

    def _dial(self, address, udp, port, timeout_ms):
        link = self._link
        link.peer = address
        link.proto = "UDP" if udp else "TCP"
        self._port = port
        return self._begin(self._words.dial(self._modem, link, port), timeout_ms)

    def _listen(self, port, timeout_ms):
        self._link.peer = ("", port)
        self._server = True
        return self._begin(self._words.listen(self._modem, self._link, port), timeout_ms)

    def _begin(self, dial, timeout_ms):
        global _told
        m = self._modem
        link = self._link
        if not m.isconnected():
            raise OSError(errno.ENOTCONN, "no PDP context: connect() the modem first")
        have = m.parts
        second = have.get("contexts")
        servers = have.get("servers")
        if any(m.links.slots) or (second and second.busy()) or (servers and servers.busy()):
            raise OSError(
                errno.EALREADY,
                "transparent mode is for one: close all sockets first: " + once("stream.reclaim").peers(m.links),
            )
        if have.get("sleeper"):
            m.awake()
        if not self._safe and not _told:
            _told = True
            print("simcom: transparent mode without flow_control: lost bytes cannot be noticed")
            if m.baudrate > _LOSING:
                print("simcom: at %d baud a Raspberry Pi Pico loses one byte in six" % m.baudrate)
        self._place()
        m.receiver.equip(link)
        link.to(State.CONNECTING)
        link.pending = True
        self._claim()
        have["tunnel"] = self
        link.task = m.start(self._life(dial))
        start = ticks_ms()
        try:
            while link.state == State.CONNECTING and not link.error and timeout_ms != 0:
                if timeout_ms and ticks_diff(ticks_ms(), start) >= timeout_ms:
                    raise OSError(errno.ETIMEDOUT, "transparent %s:%d: not within %d ms" % (link.peer + (timeout_ms,)))
                m.wait(20, start, timeout_ms)
        finally:
            if timeout_ms != 0 and link.state == State.CONNECTING and not link.error:
                self._drop()
        if link.error:
            self.close()
            raise OSError(*link.error)
        return self

    # The stream, where it is not as with sockets

    def _wait(self, start):
        if not (self._wish or self._data) and self._link.state == State.OPEN:
            raise OSError(errno.EALREADY, "in command mode: resume() first")
        limit = self._timeout
        if self._brief and (limit is None or ticks_diff(ticks_ms(), start) < limit):
            self._brief = False
            self._modem.wait(1, start, limit)
        else:
            super()._wait(start)

    def _await(self, n, start):
        # The other half of the ring is for what cannot be read before it is known what it is.
        return super()._await(min(n, self._size // 2), start)

    def _send(self, buf, off, n, done=0):
        link = self._link
        if link.error or link.state != State.OPEN:
            return super()._send(buf, off, n, 1)  # no write is good any more
        if not self._wish:
            raise OSError(errno.EALREADY, "in command mode: resume() first")
        self._brief = True
        if not self._data or self._after:
            return 0
        return self._put(buf, off, n)

    def _poll(self, want):
        bits = super()._poll(want)
        link = self._link
        if link.state == State.OPEN and not link.error and (self._after or not (self._data and self._wish)):
            bits &= ~_WRITE
        return bits

    # Its end, and its modes

    def close(self):
        """Leave data mode, close the connection, raise the context anew for sockets: waits for that unless the stream
        does not block, 150 s at most; then the pump goes on. The modem's ``isconnected()`` tells how it ended."""
        if not self._closed:
            self._drop()
        start = ticks_ms()
        while not (self._timeout == 0 or self._link.task.done or self._modem.pumping):
            if ticks_diff(ticks_ms(), start) >= _CLOSE_MS:
                break
            self._modem.wait(20, start, _CLOSE_MS)

    def escape(self, *, timeout_ms: int = 10000):
        """To command mode: ``modem.at()`` and all that asks the module work again; the connection stays open.

        SIM7028, A76XX: other sockets can be opened, and servers, one fewer than else. In data mode they wait: nothing
        of them moves until the next ``escape()``, and ``close()`` ends them.

        Takes 2.5 s. OSError: ETIMEDOUT when the module does not answer, ENOTCONN when the connection has ended,
        ENOBUFS: read what has come first.
        """
        self._switch(False, timeout_ms)

    def resume(self, *, timeout_ms: int = 15000):
        """Back to data mode (ATO), once other sockets have sent what they were given.

        OSError as with ``escape()``.
        """
        self._switch(True, timeout_ms)

    def _switch(self, data, timeout_ms):
        check_number("timeout_ms", timeout_ms)
        start = self._start()
        m = self._modem
        link = self._link
        if m.pumping:
            raise OSError(errno.EALREADY, "a callback of the modem cannot wait")
        if self._data != data and self._room() < self.CHUNK:
            raise OSError(errno.ENOBUFS, "escape, resume: read what has come first")
        self._wish = data
        self._failed = False
        m.wake(link)
        while (self._data != data or self._asking) and link.state == State.OPEN and not link.error and not self._failed:
            self._failed = ticks_diff(ticks_ms(), start) >= timeout_ms
            m.wait(20, start, timeout_ms)
        link.check()
        if link.state != State.OPEN:
            raise OSError(errno.ENOTCONN, "not connected, or closed by the peer")
        if self._failed and self._data != data:
            self._wish = not data
            raise OSError(errno.ETIMEDOUT, "escape, resume: no answer")
