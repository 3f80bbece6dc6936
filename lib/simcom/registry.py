"""Where everything lives that is loaded when it is used, and which list of mip installs it."""

import errno
import gc
import sys

import simcom.lazy as lazy

_ONCE = ("bringup", "finish")  # too seldom to keep
# method, of a modem: the file with a function of that name, called as function(modem, ...)
_METHODS = {
    "connect": "bringup",
    "disconnect": "finish",
    "flush": "finish",
    "settle": "finish",
    "at": "command",
    "on_urc": "callbacks",
    "socket": "socktype",
    "config": "info",
    "status": "info",
    "ifconfig": "info",
    "ipconfig": "info",
    "resolve": "info",
    "background": "background",
    "reset": "restart",
    "recover": "recover",
    "context": "contexts",
    "sleep": "sleeping",
    "awake": "sleeping",
    "psm": "lowpower",
    "edrx": "lowpower",
    "transparent": "transparent",
    "transparent_server": "transparent",
    "preload": "preloading",
    # of sockets
    "bind": "bind",
    "listen": "server",
    "accept": "server",
    "setsockopt": "sockopt",
    "fileno": "socktype",
    "makefile": "addressed",
    "sendall": "addressed",
    "sendto": "addressed",
    "recvfrom": "addressed",
    "recvfrom_into": "addressed",
}
# config(name=value): the file with set_<name>(modem, value), which checks the value, sends nothing and returns the
# steps that the pump is to run, or None.
SETTERS = {
    "receive": "receiving",
    "send": "sending",
    "prompt": "sending",
    "stall_ms": "sending",
    "silence_ms": "recover",
    "dns": "netconf",
    "pdp_type": "lte",
    "cid": "lte",
    "function": "lte",
    "timeouts": "netconf",
    "retries": "netconf",
    "delay_ms": "netconf",
    "resend_ms": "netconf",
    "async_mode": "netconf",
    "error_texts": "netconf",
    "link_headers": "netconf",
    "show_type": "netconf",
    "stack": "netconf",
    "acknowledge": "netconf",
    "reset": "restart",
}
# status(name): the file with get_<name>(modem), which returns the steps whose result is the answer.
GETTERS = {
    "room": "sending",
    "dns": "netconf",
    "timeouts": "netconf",
    "sim": "states",
    "attached": "states",
    "system": "states",
    "function": "states",
    "contexts": "states",
    "context": "states",
    "links": "states",
    "servers": "states",
    "waiting": "states",
    "registrations": "states",
    "ranges": "forms",
    "stack": "forms",
    "acknowledged": "states",
    "counters": "counters",
    "voltage": "counters",
    "refused": "netconf",
}
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
    "options": ("netconf", "states", "forms", "keepalive", "lte"),
    "tap": ("tap",),
    "detect": ("detect",),
    "lowpower": ("lowpower",),
}


def function(owner, name):
    """What ``owner.name(...)`` calls; most is a method like the others from now on."""
    home = _METHODS[name]
    if home in _ONCE:
        return getattr(lazy.once(home), name)
    gc.collect()  # else what stays lies scattered among what does not
    found = getattr(lazy.load(home), name)
    setattr(type(owner), name, found)
    return found


def setting(table, name, what, more=()):
    """The function that SETTERS or GETTERS have for ``name``; ValueError when there is none, that tells these and
    ``more``."""
    if not isinstance(name, str) or name not in table:
        raise ValueError("%s: one of %s, not %r" % (what, ", ".join(sorted(list(table) + list(more))), name))
    return getattr(lazy.load(table[name]), ("set_" if table is SETTERS else "get_") + name)


def absent(name, e, m=None):
    """The error to raise when ``simcom.<name>`` could not be loaded for ``m`` because of ``e``: ImportError, or
    OSError(EOPNOTSUPP) when the family lacks it."""
    what = name.rsplit("_", 1)[0]
    if m and what in m.LACKS:
        return OSError(errno.EOPNOTSUPP, "%s has no %s" % (type(m).__name__, what))
    found = [each for each in LISTS if name in LISTS[each]]
    if name.upper() in sys.modules["simcom"]._NAMES.split():  # a family
        found = [name]
    if not found:
        return e
    return ImportError(
        "simcom.%s is not there: mpremote mip install lib/%s.json, or package.json for all" % (name, found[0])
    )
