"""Where the methods live that a program calls once or seldom: in files that are loaded then."""

from .pump import once

_ONCE = ("power", "bringup", "finish", "context_")  # too seldom to keep
_MODEM = {
    "active": "power",
    "connect": "bringup",
    "disconnect": "finish",
    "flush": "finish",
    "settle": "finish",
    "context_up": "context_",  # and the dialect
    "context_check": "context_",
    "context_down": "context_",
    "at": "command",
    "on_urc": "callbacks",
    "socket": "door",
    "single": "single",
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
}
_SOCKET = {
    "bind": "bind",
    "listen": "server",
    "accept": "server",
    "setsockopt": "sockopt",
    "fileno": "kinds",
    "sendto": "addressed",
    "recvfrom": "addressed",
    "recvfrom_into": "addressed",
}


class _Method:
    """A method that nothing keeps."""

    def __init__(self, function, owner):
        self._function = function
        self._owner = owner

    def __call__(self, *args, **kwargs):
        return self._function(self._owner, *args, **kwargs)


def of_modem(modem, name):
    """Modem.__getattr__()"""
    return _method(modem, name, _MODEM)


def of_socket(socket, name):
    """socket.__getattr__()"""
    return _method(socket, name, _SOCKET)


def _method(owner, name, homes):
    if name not in homes:
        raise AttributeError(name)
    home = homes[name]
    if home in _ONCE:
        return _Method(getattr(once(home + owner.DIALECT if home[-1] == "_" else home), name), owner)
    # From now on it is a method like the others.
    setattr(type(owner), name, getattr(__import__("simcom." + home, None, None, ["*"]), name))
    return getattr(owner, name)
