"""What to install for a file that is not there: which of the lists beside this folder has it."""

import sys

# list of mip: what of it is loaded first
LISTS = {
    "udp": ("datagram",),
    "server": ("server", "bind"),
    "transparent": ("transparent",),
    "receive": ("receiving",),
    "send": ("sending",),
    "single": ("single",),
    "sleep": ("sleeping",),
    "context": ("contexts",),
    "background": ("background",),
    "recover": ("recover", "restart"),
    "at": ("command", "callbacks"),
    "options": ("netconf", "states", "keepalive", "lte"),
    "tap": ("tap",),
}


def told(name, e):
    """The ImportError to raise when ``simcom.<name>`` could not be loaded because of ``e``."""
    found = [each for each in LISTS if name in LISTS[each]]
    if name.upper() in sys.modules["simcom"]._NAMES:  # a family
        found = [name]
    if not found:
        return e
    return ImportError(
        "simcom.%s is not there: mpremote mip install lib/%s.json, or package.json for all" % (name, found[0])
    )
