"""What the module says of the commands of its TCP/IP stack: the values they take, and those they have."""

from ..lazy import capability


def get_ranges(m):
    """The test forms (AT+CIPCCFG=?): a dict of command name and values, as this firmware words them.

    "" for a command that the firmware has and of which it tells no more. One that it refuses is not in it.
    """
    words = capability(m, "commands")
    return _told(m, words.STACK + words.ACTIONS, b"AT+%s=?")


def get_stack(m):
    """The read forms (AT+CIPCCFG?): a dict of command name and what is set, as this firmware words it."""
    return _told(m, capability(m, "commands").STACK, b"AT+%s?")


def _told(m, names, form):
    found = {}
    for name in names.split():
        cmd = form % name.encode()
        start = "+" + name + ":"
        try:
            for left in (2, 1, 0):
                lines = yield cmd, m.ANSWER_MS, ()
                mine = [line[len(start) :].strip() for line in lines if line.startswith(start)]
                if len(mine) == len(lines) or not left:  # else it may be damaged
                    break
            found[name] = "; ".join(mine)
        except OSError as e:
            if not hasattr(e, "line"):  # no answer at all
                raise
    return found
