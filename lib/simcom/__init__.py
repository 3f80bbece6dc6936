"""A SIMCom cellular module on a UART becomes sockets."""

import errno
import sys
import time

# Found at once by the files to come; each `import errno` would search the file system first, 2.5 ms on a Pico.
sys.modules["errno"] = errno
sys.modules["time"] = time

__version__ = "0.1.0"

# What is used is loaded, and nothing else: as asyncio does it.
NAMES = (
    " SIM800 SIM7000 SIM7028 A76XX SIM7600 SIM808 SIM868 SIM900 SIM7080 SIM7070 SIM7090"
    " detect ATError Tap install socket "
)


def __getattr__(name):
    if " %s " % name not in NAMES:
        raise AttributeError("simcom has no %s; it has %s" % (name, ", ".join(NAMES.split())))
    home = "socket" if name == "install" else name.lower()
    from .lazy import load

    value = load(home)
    if name != "socket":
        value = getattr(value, name)
    globals()[name] = value
    return value
