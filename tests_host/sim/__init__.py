"""A virtual SIMCom module: `VirtualModem("sim7000", uart)` plays the TA at the other end of a UART."""

import importlib

from .families import find
from .net import Network
from .peers import Blackhole, Blob, Drip, Echo, Peer, Refuse, Script, Sink, Slam, Stall

__all__ = ["Blackhole", "Blob", "Drip", "Echo", "Network", "Peer", "Refuse", "Script", "Sink", "Slam", "Stall"]
__all__ += ["VirtualModem"]


def VirtualModem(family: str, uart, seed: "int | None" = 0, **settings):
    """A module of a family, or of a model, at a port (the shim's UART, a pseudo-terminal).

    seed: which of the readings the module follows where documents differ (`choices`), and its jitter; None takes the
    recommended reading everywhere. powered: it is already running. pwrkey, status: pins. net: a Network. choices:
    readings to pin. Everything else overrides an attribute of the profile (think_ms, boot_ms, csq...).
    """
    name, model = find(family)
    if model is not None:
        settings.setdefault("model", model)
    return importlib.import_module("." + name, __name__).Module(uart, seed, **settings)
