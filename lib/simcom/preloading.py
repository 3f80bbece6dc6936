"""Loads beforehand what a program will need, so that nothing is loaded in the middle of traffic."""

import gc

import simcom.lazy as lazy

# capability, as its list for mip is called: the files that it comes to load; after a dot comes the dialect
_FILES = {
    "tcp": (
        "socket",
        "query",
        "checks",
        "counters",
        "registry",
        "bringup.connect",
        "bringup.power",
        "bringup.card",
        "bringup.apn",
        "bringup.registration",
        "bringup.model",
        "bringup.optional",
        "bringup.",
        "recovery.resync",
        "bringup.shutdown",
        "recovery.silence",
        "recovery.strays",
        "stream.partial",
        "stream.reopen",
        "stream.reclaim",
        "stream.echo",
        "errors.ip",
        "errors.cme",
        "masking",
        "arguments",
        "stream.calls",
        "stream.flags",
        "options.sockopt",
        "options.config",
    ),
    "udp": ("udp.socket", "udp.", "local_port."),
    "server": ("local_port.bind", "local_port.", "server.socket", "server."),
    "transparent": ("transparent.stream", "transparent."),
    "receive": ("receive.mode", "receive.headers", "receive.hex"),
    "send": ("modes.send",),
    "single": ("modes.single",),
    "sleep": ("modes.sleep",),
    "context": ("context.second", "context.", "udp.link", "options."),
    "background": ("modes.background",),
    "recover": ("recovery.recover", "recovery.reset", "options."),
    "at": ("at.command", "at.reserved", "at.urc", "options.remembered"),
    "options": (
        "options.stack",
        "options.status",
        "commands.values",
        "commands.",
        "options.keepalive",
        "options.lte",
        "options.",
    ),
    "tap": ("tap",),
    "detect": ("detect",),
    "lowpower": ("modes.lowpower",),
}
# What one dialect alone has, beside that.
_ALSO = {"caopen": {"tcp": ("errors.caopen", "stream.caopen", "dns", "casrip"), "receive": ("receive.caopen",)}}


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
    names = list(names)
    names.insert(0, "tcp")  # not in a tuple, where the name of a file would stand as made
    for name in names:
        for file in _FILES[name] + also.get(name, ()):
            if file[-1] == ".":
                file += m.DIALECT
            gc.collect()  # else they lie scattered among what loading leaves behind
            lazy.kept[file] = lazy.load(file)
