"""Which class fits the module that is there."""

import sys


def other(m):
    """ ": this is an …: use simcom.…" when the model is of another class than that of ``m``, else ""."""
    package = sys.modules["simcom"]
    for word in m.model.replace("_", " ").replace("-", " ").split():
        for name in package._NAMES.split():
            if name[-1] in "0123456789X" and word.startswith(name.rstrip("X")):
                home = sys.modules.get("simcom." + name.lower())
                if home and isinstance(m, getattr(home, name)):
                    return ""
                return ": this is a%s %s: use simcom.%s" % ("n" if word[0] == "A" else "", word, name)
    return ""
