"""Loads beforehand what a program will need, so that nothing is loaded in the middle of traffic."""

import gc

import simcom.lazy as lazy

# capability, as its list for mip is called: the files that it comes to load; _ stands for _<dialect>
_FILES = {
    "tcp": (
        "socket",
        "query",
        "checks",
        "counters",
        "registry",
        "bringup",
        "power",
        "card",
        "apn",
        "radio",
        "model",
        "optional",
        "context_",
        "resync",
        "finish",
        "doubt",
        "strays",
        "shortfall",
        "reopen",
        "again",
        "displace",
        "echo",
        "iperror",
        "cmeerror",
        "masking",
        "arguments",
        "addressed",
        "flagged",
        "socktype",
        "sockopt",
        "info",
    ),
    "udp": ("datagram", "udp_", "bind_"),
    "server": ("bind", "bind_", "server", "server_"),
    "transparent": ("transparent", "transparent_"),
    "receive": ("receiving", "push"),
    "send": ("sending",),
    "single": ("single",),
    "sleep": ("sleeping",),
    "context": ("contexts", "second_", "dglink"),
    "background": ("background",),
    "recover": ("recover", "restart", "options_"),
    "at": ("command", "reserved", "callbacks"),
    "options": ("netconf", "states", "forms", "forms_", "keepalive", "lte", "options_"),
    "tap": ("tap",),
    "detect": ("detect",),
    "lowpower": ("lowpower",),
}
# What one dialect alone has, beside that.
_ALSO = {"caopen": {"tcp": ("caerror", "caroom", "lookup", "senders_caopen"), "receive": ("push_caopen",)}}


def preload(m, *names):
    """Load beforehand, and keep, what a TCP client and these capabilities come to need: then nothing is loaded in the
    middle of traffic, where a file costs 12 to 46 ms on a Pico.

    ``names``: "tcp", "udp", "server", "transparent", "receive", "send", "single", "sleep", "context", "background",
    "recover", "at", "options", "tap", as their lists for mip are called; ValueError: another. ImportError: it is not
    installed; OSError(EOPNOTSUPP): the family has no such thing; ENOMEM.
    """
    for name in names:
        if name not in _FILES:
            raise ValueError("preload: one of %s, not %r" % (", ".join(sorted(_FILES)), name))
    also = _ALSO.get(m.DIALECT, {})
    for name in ("tcp",) + names:
        for file in _FILES[name] + also.get(name, ()):
            if file[-1] == "_":
                file += m.DIALECT
            gc.collect()  # else they lie scattered among what loading leaves behind
            lazy.kept[file] = lazy.load(file)
