"""A SIMCom cellular module on a UART becomes sockets."""

# What is used is loaded, and nothing else: as asyncio does it.
_HOME = {
    "SIM800": "sim800",
    "SIM7000": "sim7000",
    "SIM7028": "sim7028",
    "A76XX": "a76xx",
    "ATError": "aterror",
    "Tap": "tap",
    "install": "socket",
    "socket": None,
}


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(name)
    module = _HOME[name] or name
    value = __import__("simcom." + module, None, None, ["*"])
    if _HOME[name]:
        value = getattr(value, name)
    globals()[name] = value
    return value
