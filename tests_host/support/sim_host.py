"""The host side of a virtual modem, for the tests of the modem itself: it sends text and looks at bytes."""

import shim

shim.install()

import machine  # noqa: E402
from sim import Network, VirtualModem  # noqa: E402

UP = ('AT+CSTT="CMNET"', "AT+CIICR", "AT+CIFSR")
MULTI_UP = ("AT+CIPMUX=1", "AT+CIPRXGET=1", *UP)
UP_CIPOPEN = ("AT+NETOPEN", "AT+CIPRXGET=1")


class Host:
    """A fresh clock, a UART and a module that is running with its echo off."""

    def __init__(self, family="sim7000", seed=None, echo=False, powered=True, net=None, baud=115200, **settings):
        shim.reset()
        self.uart = machine.UART(1, baud, rxbuf=16384, txbuf=16384)
        self.net = net if net is not None else Network(latency_ms=1)
        self.clock = self.net.clock
        self.vm = VirtualModem(family, self.uart, seed=seed, powered=powered, net=self.net, **settings)
        self.vm.echo = echo

    def send(self, data: "bytes | str") -> None:
        """Put bytes on the line."""
        data = data.encode() if isinstance(data, str) else data
        assert self.uart.write(data) == len(data)

    def read(self) -> bytes:
        """What has come so far."""
        return self.uart.read(self.uart.any()) or b""

    def collect(self, count: int, limit_ms: int = 20_000) -> bytes:
        """Wait for so many bytes."""
        got = bytearray()
        for _ in range(limit_ms):
            got += self.uart.read(min(self.uart.any(), count - len(got))) or b""
            if len(got) >= count:
                break
            self.clock.sleep_ms(1)
        return bytes(got)

    def wait(self, ms: float) -> bytes:
        """What comes within some time."""
        self.clock.sleep_ms(ms)
        return self.read()

    def ask(self, command: "bytes | str", ms: float = 100) -> bytes:
        """A command, and what comes within some time."""
        self.send(command if isinstance(command, bytes) else command + "\r")
        return self.wait(ms)

    def do(self, *commands: str) -> None:
        """Commands whose answers do not matter."""
        for command in commands:
            self.ask(command, 2000)
