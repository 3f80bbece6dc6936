"""What a link is, beside a plain stream."""


class LinkKind:
    """``link.kind``: the steps of a link's life in which one kind differs from another. A plain stream has none: its
    steps are those of the modem itself, which these are too where a kind has no own."""

    second = None  # the context that it goes through, beside the modem's own

    def __init__(self, m):
        self.modem = m

    def dial(self, link):
        """Steps: ask the module to open ``link``; returns when that is under way: ``outcome()`` waits for the rest."""
        return self.modem.dial(link)

    def through(self, steps):
        """``steps`` that open something: through the context of this kind."""
        return steps

    def transmit(self, link):
        """Steps: send what is in the send buffer, or some of it."""
        return self.modem.transmit(link)


def between(m, link, begin, end):
    """Steps: open ``link``, which is of some kind, between ``begin``, the steps that give its number something, and
    ``end``, the command that takes it back: who has the number later must not get that with it. Ends when the
    connection is there, or not."""
    n = link.n
    error = None
    yield from begin
    try:
        yield from link.kind.through(m.dial(link))
        yield from m.outcome(link, n)
    except OSError as e:
        error = e
    if m.up:
        try:
            yield end
        except OSError:
            pass
    if error:
        raise error
