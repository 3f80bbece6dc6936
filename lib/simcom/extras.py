"""Where the methods live that a program calls once or seldom: in files that are loaded then."""

from .pump import load, once

_ONCE = ("bringup", "finish", "doubt")  # too seldom to keep
_HOMES = {
    "connect": "bringup",
    "disconnect": "finish",
    "flush": "finish",
    "settle": "finish",
    "late": "doubt",
    "at": "command",
    "on_urc": "callbacks",
    "socket": "door",
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
    "transparent": "transparent",
    "transparent_server": "transparent",
    # of sockets
    "bind": "bind",
    "listen": "server",
    "accept": "server",
    "setsockopt": "sockopt",
    "fileno": "kinds",
    "makefile": "addressed",
    "sendall": "addressed",
    "sendto": "addressed",
    "recvfrom": "addressed",
    "recvfrom_into": "addressed",
}


def function(owner, name):
    """What ``owner.name(...)`` calls; most is a method like the others from now on."""
    home = _HOMES[name]
    if home in _ONCE:
        return getattr(once(home), name)
    found = getattr(load(home), name)
    setattr(type(owner), name, found)
    return found
