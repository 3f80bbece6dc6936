"""The wire between the virtual module and whatever UART the program makes."""

from shim import clock as _clock
from sim.faults import Faults


class Wire(Faults):
    """A port of the virtual module; bytes may be lost on it or change (`drop`, `flip`, `insert`, `duplicate`, `call`).

    `offset` tells how many have passed: `wire.drop("rx", wire.offset["rx"] + 10)` loses the eleventh that the module
    sends from now on.
    """

    def __init__(self):
        super().__init__()
        self._uart = None
        self._receiver = None

    def plug(self, uart) -> None:
        """From here this is the UART at the other end."""
        if self._uart is not None:
            self._uart.attach(None)
        self._uart = uart
        uart.attach(self._heard)

    def attach(self, receiver) -> None:
        """Call receiver(bytes, rate) with what comes from the program."""
        self._receiver = receiver

    def _heard(self, data: bytes, baud: int) -> None:
        data = self._faulted("tx", data)
        if data:
            self._receiver(data, baud)

    def feed(self, data: bytes, baud: "int | None" = None) -> float:
        """Bytes from the module; the time when the last will have come."""
        data = self._faulted("rx", data)
        return self._uart.feed(data, baud) if self._uart is not None else _clock.clock.now_us

    def backlog_us(self) -> float:
        """How long the line is still busy."""
        return self._uart.backlog_us() if self._uart is not None else 0.0
