"""The virtual module at the UART of a program, and what a test can tell it."""

import shim

shim.install()

import machine  # noqa: E402
import simcom  # noqa: E402
from shim import uart as _uart  # noqa: E402
from sim import Network, Peer, VirtualModem  # noqa: E402

from .wire import Wire  # noqa: E402


class Hang(BaseException):
    """More virtual time has passed than any correct program would need."""


class Module:
    """A virtual module, its network and its SIM card, on a virtual clock that has just begun.

    `family`: of the module, or its model in any spelling. `uart`: the number of the UART that it is wired to; None: of
    the first that the program makes. `pwrkey`: the number of the pin that switches it on while its level is `pressed`;
    without one it is running from the start (`powered`). `seed`: which module of its kind; None: an ordinary one.
    `net`: its network. Other settings are those of the virtual module's profile. What is not told here `vm` can do, the
    virtual module itself.
    """

    # a slip in a test, `module.signl = 5`, is an error
    __slots__ = ("family", "net", "clock", "wire", "pwrkey", "vm", "_number", "_guard")

    def __init__(
        self, family="sim7000", *, uart=None, pwrkey=None, pressed=1, powered=None, seed=None, net=None, **settings
    ):
        shim.reset()
        self.net = net or Network()
        self.clock = self.net.clock
        self.wire = Wire()
        self.pwrkey = None if pwrkey is None else machine.Pin(pwrkey, machine.Pin.OUT, value=1 - pressed)
        self.vm = VirtualModem(
            family,
            self.wire,
            seed=seed,
            powered=pwrkey is None if powered is None else powered,
            pwrkey=self.pwrkey,
            net=self.net,
            **{"pwrkey_level": pressed} | settings,
        )
        self.family = self.vm.family
        if seed is None:
            self.vm.random.seed(0)  # the recommended readings, and jitter that is the same in every run
        self._number = uart
        self._guard = None

    def await_uart(self) -> None:
        """From here each `machine.UART` that the program makes with the right number has the module at its end."""

        def made(uart):
            if self._number is None:
                self._number = uart.id
            if uart.id == self._number:
                self.wire.plug(uart)

        _uart.on_make.append(made)

    def __repr__(self):
        return "<virtual %s>" % self.family.upper()

    @property
    def driver(self):
        """The class of the library for it."""
        return getattr(simcom, self.family.upper())

    # --- time

    def after(self, seconds: float, fn) -> None:
        """Call fn() so many virtual seconds from now, whatever the program is doing then."""
        self.clock.after_ms(seconds * 1000, fn)

    @property
    def seconds(self) -> float:
        """Virtual time since the test began."""
        return self.clock.ms / 1000

    def patience(self, ms: "float | None" = 900_000) -> None:
        """From now so many virtual milliseconds until a wait is taken for endless; None: it never is."""

        def give_up():
            raise Hang("still waiting after %d s of virtual time" % (ms / 1000))

        self.clock.cancel(self._guard)
        self._guard = None if ms is None else self.clock.after_ms(ms, give_up)

    # --- the network

    def serve(self, host: str, port: int, peer, proto: str = "TCP"):
        """Put a peer somewhere in the network: a Peer, or a class or function that makes one per connection.

        Returns it. Until then a connection to this address is refused, and the name is unknown. `proto`: "TCP", "UDP".
        """
        if not (callable(peer) or isinstance(peer, Peer)):
            raise TypeError("%r is no peer: Blob(%r) serves bytes, see pytest_simcom" % (peer, b"..."))
        self.net.serve(host, port, peer, proto)
        return peer

    @property
    def connections(self) -> list:
        """Every connection that there was, with `received` (bytes that the peer has got), `is_open`, `port`."""
        return self.net.connections

    def dial(self, port: int, peer, address: str = "192.0.2.7", source_port: int = 50001):
        """A peer connects to a server on the module: the connection, or None when nobody listens."""
        return self.net.dial(port, peer, address, source_port)

    def lose_context(self) -> None:
        """The network takes the data connection away (`+PDP: DEACT`): every connection is dead."""
        self.vm.network_lost()

    @property
    def registration(self) -> int:
        """As AT+CREG tells it: 1 at home, 5 roaming, 2 searching, 3 denied, 0 not searching; set it."""
        return self.vm.registration

    @registration.setter
    def registration(self, state: int) -> None:
        self.vm.registration = state

    @property
    def signal(self) -> int:
        """As AT+CSQ tells it: 0 (-113 dBm) to 31 (-51 dBm), 99: unknown; set it."""
        return self.vm.csq

    @signal.setter
    def signal(self, csq: int) -> None:
        self.vm.csq = csq

    # --- the SIM card

    def sim(self, state: str, pin: str = "1234") -> None:
        """Another card: "READY", "SIM PIN" (it asks for `pin`) or "NOT INSERTED"."""
        self.vm.insert(state, pin)

    @property
    def pins(self) -> list:
        """Every PIN that the card was given: three wrong ones would lock it."""
        return self.vm.pins

    # --- the module

    def restart(self) -> None:
        """It restarts by itself, as after a dip of its supply."""
        self.vm.restart()

    def power_cut(self) -> None:
        """Its supply is gone, without a word; the power key switches it on again, or restart()."""
        self.vm.power_cut()

    def hang(self, seconds: float) -> None:
        """Say nothing for so long, then go on as if nothing had been."""
        self.vm.hang(seconds * 1000)

    def urc(self, line: str) -> None:
        """An unsolicited line: "+CMTI: \\"SM\\",3"."""
        self.vm.urc(line)

    def inject(self, position: str, line: str) -> None:
        """A line at a place of the next answer: "before_echo", "after_echo", "before_info", "before_ok", "after_ok",
        "before_prompt", "after_payload", "before_report", "after_report", "before_data_ok"."""
        self.vm.inject(position, line)

    @property
    def commands(self) -> list:
        """Every AT command that it has taken, as text."""
        return [line.decode("latin-1") for line in self.vm.commands]
