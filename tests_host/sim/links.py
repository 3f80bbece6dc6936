"""The links of a module, whatever its dialect."""

from .at import BAD_PARAMETER, OK, number
from .link import CLOSED, INITIAL, Link
from .net import Network
from .sends import Sends


class Links(Sends):
    """A module with a network behind it; subclasses speak a dialect."""

    link_type = Link
    link_count = 8
    rx_limit = 5120  # receive window of a link
    tx_limit = 11680  # send buffer of a link
    CHOICES = {
        # What the peer of a closed connection had sent and nobody had read. By name only: no driver gets back what is
        # "dropped at close".
        "unread": ("kept",),
        # Which number the next client of a server gets: a free one without unread data, or, "at once", the one that
        # was given back last, whose unread data is dropped.
        "reuse": ("lowest", "lowest", "at once"),
    }
    _left: "Link | None" = None  # the link that was closed last

    def __init__(self, port, seed: "int | None" = 0, net: "Network | None" = None, **settings):
        self.net = net if net is not None else Network()
        limits = [settings.get(name, getattr(self, name)) for name in ("rx_limit", "tx_limit")]
        self.links = [self.link_type(self, n, *limits) for n in range(settings.get("link_count", self.link_count))]
        super().__init__(port, seed, **settings)

    def _clear_links(self) -> None:
        for link in self.links:
            link.drop(INITIAL)
            link.clear()

    def free(self, link: Link) -> bool:
        """No connection, and none on its way."""
        return link.state in (INITIAL, CLOSED)

    def closing(self, link: Link) -> None:
        """The peer has closed, and nobody was told yet."""
        self._left = link
        if self.choices["unread"] == "dropped at close":
            link.forget_data()

    def successor(self, links: list) -> "Link | None":
        """The link of the next client, of those it may be; None: as the dialect has it."""
        return self._left if self.choices["reuse"] == "at once" and self._left in links else None

    def accepts(self, link: Link, source: tuple) -> bool:
        """Whether data from a sender is taken."""
        return True

    def link_vanished(self, link: Link) -> None:
        """The other side of a link is gone without a word."""

    def network_lost(self) -> None:
        """The network takes the data connection away."""

    def detached(self) -> None:
        self.network_lost()

    def links_lost(self, bearer: int = 0) -> None:
        """Links have gone without a word: whatever waited for them ends."""

    def switch(self, name: str, attribute: str, op: str, args: list, highest: int = 1):
        """A setting that is one number."""
        if op == "?":
            self.info("+%s: %d" % (name, getattr(self, attribute)))
        elif op == "=?":
            self.info("+%s: (0-%d)" % (name, highest))
        else:
            value = number(args, 0, 0, highest)
            if value is None or len(args) != 1:
                return BAD_PARAMETER
            setattr(self, attribute, value)
        return OK

    def put_prompt(self, prompt: bytes) -> None:
        """The prompt, in one piece or two."""
        for piece in (prompt[:-1], prompt[-1:]) if self.choices["prompt_pieces"] else (prompt,):
            self.send(piece)
