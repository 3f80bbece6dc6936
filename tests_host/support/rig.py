"""A modem of the library on a virtual module, in one process and on virtual time."""

from pytest_simcom import Echo, Hang, Module, Peer  # noqa: F401 - first: it puts the shim in place

import families
import machine
import simcom
from sim import Network

ECHO = ("echo.example", 7)
# A polling program runs some ten times fewer rounds per millisecond than on a board: that is real time saved.
COARSE = {"any": 60.0, "call": 60.0, "byte": 1.5, "ioctl": 240.0, "empty": 1000.0}
QUICK = {"think_ms": 1, "register_ms": 0, "close_ms": 20}


class Port:
    """A UART with something between it and the modem."""

    def __init__(self, uart):
        self.uart = uart

    def __getattr__(self, name):
        return getattr(self.uart, name)


class Watched(Port):
    """Calls `called()` before each call that the modem makes."""

    def readinto(self, buf, n):
        self.called()
        return self.uart.readinto(buf, n)

    def ioctl(self, request, arg=0):
        self.called()
        return self.uart.ioctl(request, arg)

    def any(self):
        self.called()
        return self.uart.any()

    def write(self, *args):
        self.called()
        return self.uart.write(*args)


class Dialled(Peer):
    """A peer that connects to the module's server, moved by the test; `taken`: whether the module had a link for it."""

    def __init__(self, rig, port, address, source_port):
        self.rig = rig
        self.ended = False
        self.at = 0  # bytes that recv() has given
        self.connection = rig.net.dial(port, self, address, source_port)
        self.taken = self.connection is not None

    def closed(self, connection):
        self.ended = True

    def send(self, data):
        """Send bytes."""
        self.connection.write(data)

    def recv(self, n):
        """The next n bytes, fewer only at the end."""
        while len(self.connection.received) < self.at + n and not self.ended:
            self.rig.modem.wait()
        got = bytes(self.connection.received[self.at : self.at + n])
        self.at += len(got)
        return got

    def close(self):
        """End the stream."""
        self.connection.close()
        self.ended = True


class Rig:
    """`vm`, `net`, `uart`, `port` (what the modem was given) and `modem`, with an echo peer at ECHO.

    `wrap` makes the port of the UART. `on` and `up`: how far the modem is brought; `powered`: whether the module runs
    before that. `costs`: what the calls of the UART cost, None for a board's. `modem_args` go to the modem, everything
    else to the virtual module.
    """

    family = "sim7000"

    def __init__(
        self,
        seed=None,
        wrap=None,
        on=True,
        up=True,
        powered=True,
        costs=COARSE,
        modem_args=None,
        family=None,
        **settings,
    ):
        self.family = family or self.family
        net = Network(connect_ms=20, latency_ms=5, dns_ms=5)
        settings = QUICK | families.quick(self.family) | settings
        module = Module(self.family, pwrkey=4, powered=powered, seed=seed, net=net, **settings)
        self.patience = module.patience
        self.vm, self.net, self.clock, self.pwrkey = module.vm, net, net.clock, module.pwrkey
        self.net.serve(*ECHO, Echo)
        self.uart = machine.UART(1, 115200, rxbuf=2048)
        self.uart.costs = costs or machine.UART.costs
        module.wire.plug(self.uart)
        self.port = wrap(self.uart) if wrap else self.uart
        self.patience()
        self.make(**modem_args or {})
        if on:
            self.modem.active(True)
        if on and up:
            self.modem.connect("internet")

    def make(self, port=None, **args):
        """A new modem object: the microcontroller has started (again)."""
        self.port = port or self.port
        args.setdefault("pwrkey", self.pwrkey)
        self.modem = getattr(simcom, self.family.upper())(self.port, **args)
        return self.modem

    @property
    def sent(self):
        """The commands that the module has taken, as text."""
        return [line.decode() for line in self.vm.commands]

    def serve(self, peer, host="peer.example", port=80):
        """Put a peer somewhere; returns its address."""
        self.net.serve(host, port, peer)
        return host, port

    def socket(self, address=None, timeout=30):
        """A socket, connected (waiting for it, whatever the time-out) when there is an address."""
        s = self.modem.socket()
        if address:
            s.settimeout(30)
            s.connect(address)
        s.settimeout(timeout)
        return s

    def pump(self, ms):
        """Let so much time pass in a program that only pumps."""
        end = self.clock.now_us + ms * 1000
        while self.clock.now_us < end:
            self.modem.wait(20)

    def dial(self, port, address="192.0.2.7", source_port=None):
        """Somebody connects to a server on the module."""
        self._dialled = getattr(self, "_dialled", 50000) + 1
        return Dialled(self, port, address, source_port or self._dialled)

    def connection(self):
        """The newest connection in the network."""
        return self.net.connections[-1]

    def works(self, data=b"still alive"):
        """Whether a new connection carries data both ways."""
        s = self.socket(ECHO)
        s.write(data)
        got = s.read(len(data))
        s.close()
        assert got == data
        return True
