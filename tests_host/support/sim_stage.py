"""What surrounds the virtual modem while it plays a transcript."""

import dataclasses
from collections.abc import Callable

from sim import Script
from sim_host import Host


def nothing(host: Host) -> None:
    """The module as it is when switched on."""


@dataclasses.dataclass
class Stage:
    """`settings` make the host, `setup(host)` prepares it, `between[i](host)` runs before host line i is sent."""

    setup: Callable[[Host], object] = nothing
    between: dict = dataclasses.field(default_factory=dict)
    settings: dict = dataclasses.field(default_factory=dict)


def serve(host: Host, address: tuple, *steps: tuple, proto: str = "TCP") -> None:
    """A scripted peer."""
    host.net.serve(address[0], address[1], Script(*steps), proto)


def inject(*codes: tuple) -> Callable[[Host], None]:
    """Unsolicited codes, as (position, text)."""

    def run(host: Host) -> None:
        for position, text in codes:
            host.vm.inject(position, text)

    return run
