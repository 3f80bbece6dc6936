"""What a capability adds to the modem to see unsolicited lines, and lost contexts, before the modem does."""


class Hook:
    """One of ``modem.hooks``; a hook may come and go at any time, also while hooks are called."""

    def on_line(self, buf, i, j) -> bool:
        """``buf[i:j]`` is an unsolicited line. Returns whether it is this hook's: then nobody else sees it."""
        return False

    def on_lost(self, code, why) -> bool:
        """A context is gone: an errno and the text for it. Returns whether that was no affair of the links: they go
        on, and nobody else hears of it."""
        return False


# The modem's tuple is replaced, never changed: who is just going through it goes on with the one it has.


def add(m, hook, first: bool = False):
    """``hook`` sees what comes from now on. ``first``: before all others, for one that may claim a lost context."""
    m.hooks = (hook,) + m.hooks if first else m.hooks + (hook,)


def remove(m, hook):
    """``hook`` sees nothing any more; nothing happens when it is not there."""
    m.hooks = tuple([each for each in m.hooks if each is not hook])
