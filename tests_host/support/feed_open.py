"""As much of a module of the CIPOPEN dialect as a driver needs, and a driver connected to it."""

import errno
import time

import pytest
import shim
from feed import ERROR, OK, Module, info

import simcom

LINKS = {"sim7028": 2, "a76xx": 10}
FAMILIES = tuple(LINKS)
GONE = (errno.ENOTCONN, errno.ECONNABORTED)  # what tells that the context is lost
OTHERS = b"CIPSTART CIPMUX CIPQSEND CIPSPRT CSTT CIICR CIFSR CIPSHUT CIPSTATUS CPOWD".split()  # the other dialect's
IP_ERRORS = {  # <err_info>
    4: b"Network is already opened",
    8: b"Network not opened",
    11: b"Connection is not created",
    12: b"Invalid parameter",
    22: b"No data",
}


def refused(line: bytes) -> bytes:
    """The line that tells the cause, then ERROR."""
    return b"\r\n" + line + b"\r\n" + ERROR


def block(*lines: bytes) -> bytes:
    """Information lines that share their line ends, and OK."""
    return b"\r\n" + b"\r\n".join(lines) + b"\r\n" + OK


class OpenModule(Module):
    """The CIPOPEN twin of Module: results are lines of their own, `net_ms`, `connect_ms`, `send_ms`, `close_ms` later.

    `net`: NETOPEN was done. `connect_error[host]`: <err> of an attempt; None: it never ends. `confirm`: function of
    (link, requested) that gives <cnf> of +CIPSEND; None for no result at all. `numbers`: <err_info> is one (errMode 0).
    `outbox[n]`: what the peer of link n got.
    """

    def __init__(self, family="a76xx"):
        super().__init__()
        self.links = LINKS[family]
        self.inbox = {n: bytearray() for n in range(self.links)}
        self.outbox = {n: bytearray() for n in range(self.links)}
        self.received = [0] * self.links  # what the host read from each
        self.connecting: dict = {}  # the attempt that a link is at
        self.hosts: dict = {}  # with whom each link was connected last
        self.net = False
        self.numbers = False
        self.settings: dict = {}  # the last value of each AT+NAME=value
        self.prompt = b"\r\n>"
        self.connect_error: dict = {}
        self.confirm = lambda n, requested: requested
        self.net_ms = self.close_ms = self.send_ms = 30

    # what a test does

    def line(self, text: bytes, ms: float = 0) -> None:
        """An unsolicited line, so much later."""
        self.uart.later(ms, b"\r\n" + text + b"\r\n")

    def close_peer(self, n: int, reason: int = 1) -> None:
        """The peer of link n closes; what it had sent can still be read."""
        self.open.discard(n)
        self.line(b"+IPCLOSE: %d,%d" % (n, reason))

    def lose_network(self) -> None:
        """The network takes the context, and every link with it."""
        self.net = False
        self.open.clear()
        self.connecting.clear()
        self.line(b"+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY")

    def ip_error(self, number: int) -> bytes:
        """+IP ERROR in words or as a number, then ERROR."""
        return refused(b"+IP ERROR: " + (b"%d" % number if self.numbers else IP_ERRORS[number]))

    # what the module does

    def usual(self, line):
        """The answer of a module that is registered."""
        name, given, rest = line.partition(b"=")
        fields = rest.split(b",")
        if given:
            self.settings[name] = rest
        if name[3:] in OTHERS:
            return ERROR
        if rest == b"?":
            return OK
        answer = getattr(self, "at_" + name[3:].decode().lower().replace("?", "_read"), None)
        if answer:
            return answer(*fields) if given else answer()
        if line == b"AT+CREG?":
            return info(b"+CREG: 0,1")
        return super().usual(line)

    def at_cgmm(self):
        return info(b"A7670E-FASE" if self.links > 2 else b"SIM7028")

    def at_cipccfg(self, *fields):
        if len(fields) > 3:
            self.numbers = fields[3] == b"0"
        return OK

    def at_netopen(self):
        if self.net:
            return self.ip_error(4)

        def opened():
            self.net = True
            self.uart.say(b"\r\n+NETOPEN: 0\r\n")

        shim.clock.clock.after_ms(self.net_ms, opened)
        return OK

    def at_netopen_read(self):
        return info(b"+NETOPEN: %d" % self.net)

    def at_netclose(self):
        if not self.net:
            return refused(b"+NETCLOSE: 2")
        for n in sorted(self.open):
            self.line(b"CLOSED", self.net_ms)
            self.line(b"+CIPCLOSE: %d,0" % n, self.net_ms)
        self.net = False
        self.open.clear()
        self.connecting.clear()
        self.line(b"+NETCLOSE: 0", self.net_ms + 5)
        return OK

    def at_ipaddr(self):
        return info(b"+IPADDR: 10.1.2.3") if self.net else self.ip_error(8)

    def at_cipopen(self, n, kind=b"", host=b"", *_):
        n = int(n)
        if n >= self.links:
            return self.ip_error(12)
        if not self.net or n in self.open or n in self.connecting:
            return refused(b"+CIPOPEN: %d,%d" % (n, 4 if self.net else 2))
        name = host.strip(b'"').decode()
        error = self.connect_error.get(name, 0)
        attempt = self.connecting[n] = object()
        self.inbox[n].clear()

        def opened():
            if self.connecting.get(n) is attempt:
                del self.connecting[n]
                if not error:
                    self.open.add(n)
                    self.hosts[n] = name
                self.uart.say(b"\r\n+CIPOPEN: %d,%d\r\n" % (n, error))

        if error is not None:
            shim.clock.clock.after_ms(self.connect_ms, opened)
        return OK

    def at_cipopen_read(self):
        lines = [b"+CIPOPEN: %d" % n for n in range(self.links)]
        for n in self.open:
            lines[n] += b',"TCP","1.2.3.4",80,-1'
        return block(*lines)

    def at_cipsend(self, n, length, *_):
        n = int(n)
        if n not in self.open:
            return refused(b"+CIPERROR: 4")
        if not 0 < int(length) <= 1500:
            return ERROR

        def done(payload):
            confirmed = self.confirm(n, len(payload))
            if confirmed is not None:
                self.outbox[n] += payload[: max(0, confirmed)]
                self.line(b"+CIPSEND: %d,%d,%d" % (n, len(payload), confirmed), self.delay_ms + self.send_ms)
            return OK

        return self.prompt, int(length), done

    def at_cipclose(self, n, *_):
        n = int(n)
        self.connecting.pop(n, None)
        if n not in self.open:
            return refused(b"+CIPCLOSE: %d,4" % n)
        self.open.discard(n)
        self.line(b"+CIPCLOSE: %d,0" % n, self.delay_ms + self.close_ms)
        return OK

    def at_cipclose_read(self):
        return info(b"+CIPCLOSE: " + b",".join(b"%d" % (n in self.open) for n in range(self.links)))

    def at_cipack(self, n):
        n = int(n)
        if n not in self.open:
            return self.ip_error(11)
        return info(b"+CIPACK: %d,0,%d" % (len(self.outbox[n]), self.received[n]))

    def at_cdnsgip(self, name):
        return info(b'+CDNSGIP: 1,%s,"192.0.2.7"' % name)

    def at_ciprxget(self, mode, n=b"0", most=b"1500"):
        n = int(n)
        if mode == b"4":
            return info(b"+CIPRXGET: 4,%d,%d" % (n, len(self.inbox.get(n, b""))))
        return self.read(n, int(most)) if mode == b"2" else OK

    def read(self, n, most):
        """The answer to AT+CIPRXGET=2."""
        if not self.inbox.get(n):
            return self.ip_error(22)
        self.received[n] += min(most, len(self.inbox[n]))
        return super().read(n, most)


def modem(module: Module, family: str = "a76xx", apn: "str | None" = "CMNET", **given):
    """A driver of this family on the module, switched on, and with its context up unless `apn` is None."""
    shim.reset()
    made = getattr(simcom, family.upper())(module.uart, **given)
    made.active(True)
    if apn:
        made.connect(apn)
    return made


def connected(made, host: str = "1.2.3.4", port: int = 80, timeout: "float | None" = 60):
    """A connected socket."""
    s = made.socket()
    s.settimeout(timeout)
    s.connect((host, port))
    return s


def idle(made, ms: int) -> None:
    """Let the driver do for so long what it does by itself."""
    end = shim.clock.clock.now_us + ms * 1000
    while shim.clock.clock.now_us < end:
        made.wait(50)


def elapsed(start: int) -> int:
    """Milliseconds since ticks_ms() was `start`."""
    return time.ticks_diff(time.ticks_ms(), start)


def raises(code, work, *args) -> OSError:
    """`work` must raise OSError with this errno, or one of these; returns the exception."""
    with pytest.raises(OSError) as caught:
        work(*args)
    assert caught.value.args[0] in (code if isinstance(code, tuple) else (code,)), repr(caught.value)
    return caught.value


def lands(made, s, data: bytes) -> None:
    """Write twice: what became of the first is known at the latest by the second."""
    s.write(data)
    idle(made, 2000)
    s.write(data)
