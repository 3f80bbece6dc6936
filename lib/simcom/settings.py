"""What ``config()`` sets, what ``status()`` asks for: names, with the files that hold the functions."""

from .pump import load

# config(name=value): (file, function(modem, value)). The function checks the value, sends nothing and returns the steps
# that the pump is to run, or None.
SETTERS = {
    "receive": ("receiving", "set_receive"),
    "send": ("sending", "set_send"),
    "prompt": ("sending", "set_prompt"),
    "stall_ms": ("sending", "set_stall"),
    "silence_ms": ("recover", "set_silence"),
    "dns": ("netconf", "set_dns"),
    "pdp_type": ("lte", "set_pdp_type"),
    "cid": ("lte", "set_cid"),
    "function": ("lte", "set_function"),
    "timeouts": ("netconf", "set_timeouts"),
    "retries": ("netconf", "set_retries"),
    "acknowledge": ("netconf", "set_acknowledge"),
    "reset": ("restart", "set_reset"),
}
# status(name): (file, function(modem)). The function returns the steps, whose result is the answer.
GETTERS = {
    "room": ("sending", "get_room"),
    "dns": ("netconf", "get_dns"),
    "timeouts": ("netconf", "get_timeouts"),
    "sim": ("states", "get_sim"),
    "attached": ("states", "get_attached"),
    "system": ("states", "get_system"),
    "function": ("states", "get_function"),
    "contexts": ("states", "get_contexts"),
    "context": ("states", "get_context"),
    "links": ("states", "get_links"),
    "servers": ("states", "get_servers"),
    "acknowledged": ("states", "get_acknowledged"),
    "counters": ("counters", "get_counters"),
    "voltage": ("counters", "get_voltage"),
    "refused": ("netconf", "get_refused"),
}


def function(table, name, what, more=()):
    """The function that ``table`` has for ``name``; ValueError when there is none, that tells these and ``more``."""
    if not isinstance(name, str) or name not in table:
        raise ValueError("%s: one of %s, not %r" % (what, ", ".join(sorted(list(table) + list(more))), name))
    file, attribute = table[name]
    return getattr(load(file), attribute)


def change(m, readable, param, settings, timeout_ms):
    """Check all of ``settings`` (name: value), then do all. ValueError for ``param`` beside them, or without, if it is
    not ``readable``."""
    if len(param) == 1 and isinstance(param[0], str) and param[0] in SETTERS:
        raise ValueError("config: %s is set, not read: config(%s=...)" % (param[0], param[0]))
    if param or not settings:
        names = ", ".join(sorted(readable))
        raise ValueError("config: one of %s to be read, or name=value to set %s" % (names, ", ".join(sorted(SETTERS))))
    todo = [(function(SETTERS, name, "config"), value) for name, value in settings.items()]
    todo = [setter(m, value) for setter, value in todo]
    return m.run(_all(todo), timeout_ms, "config") if any(todo) else None


def _all(todo):
    for steps in todo:
        if steps:
            yield from steps
