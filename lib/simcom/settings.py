"""What ``config()`` sets, what ``status()`` asks for: names, with the files that hold the functions."""

# config(name=value): (file, function(modem, value)). The function checks the value, sends nothing and returns the steps
# that the pump is to run, or None.
SETTERS = {
    "receive": ("receiving", "set_receive"),
    "send": ("sending", "set_send"),
    "prompt": ("sending", "set_prompt"),
    "stall_ms": ("sending", "set_stall"),
    "dns": ("netconf", "set_dns"),
    "pdp_type": ("netconf", "set_pdp_type"),
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
    "callbacks": ("callbacks", "get_callbacks"),
}


def function(table, name, what):
    """The function that ``table`` has for ``name``; ValueError when there is none."""
    if name not in table:
        raise ValueError("%s: no parameter %s" % (what, name))
    file, attribute = table[name]
    return getattr(__import__("simcom." + file, None, None, ["*"]), attribute)


def change(m, settings):
    """Check all of ``settings`` (name: value), then do all."""
    todo = [(function(SETTERS, name, "config"), value) for name, value in settings.items()]
    for steps in [setter(m, value) for setter, value in todo]:
        if steps:
            m.run(steps)
