"""Which class fits the module that is there."""

import sys

# How models are called whose class is not called so.
_ALSO = [("SIM75", "SIM7600"), ("SIM78", "SIM7600"), ("SIM767", "A76XX"), ("SIM908", "SIM900")]
# For a model that nobody knows: the class that fits whoever has all these commands; the first that does.
COMMANDS = (
    ((b"AT+NETOPEN=?",), "A76XX"),
    ((b"AT+CIPMUX=?", b"AT+CEREG=?"), "SIM7000"),
    ((b"AT+CIPMUX=?",), "SIM800"),
    ((b"AT+CAOPEN=?",), "SIM7080"),
)


def names():
    """What this version has, classes and other."""
    return sys.modules["simcom"].NAMES.split()


def fitting(text):
    """(model, name of its class) of the first model in ``text``, as AT+CGMM and ATI give it; () when there is none."""
    starts = _ALSO + [(name.rstrip("X"), name) for name in names() if name[-1] in "0123456789X"]
    for word in text.replace("_", " ").replace("-", " ").split():
        for start, name in starts:
            if word.startswith(start):
                return word, name
    return ()


def other(m):
    """ ": this is an …: use simcom.…" when the model is of another class than that of ``m``, else ""."""
    found = fitting(m.model)
    if not found:
        return ""
    word, name = found
    home = sys.modules.get("simcom." + name.lower())
    if home and isinstance(m, getattr(home, name)):
        return ""
    return ": this is a%s %s: use simcom.%s" % ("n" if word[0] == "A" else "", word, name)
