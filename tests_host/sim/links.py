"""The links of a module, whatever its dialect."""

from .at import BAD_PARAMETER, OK, number
from .basic import Basic
from .link import CLOSED, INITIAL, Link
from .net import Network


class Links(Basic):
    """A module with a network behind it; subclasses speak a dialect."""

    link_count = 8
    rx_limit = 5120  # receive window of a link
    tx_limit = 11680  # send buffer of a link

    def __init__(self, port, seed: "int | None" = 0, net: "Network | None" = None, **settings):
        self.net = net if net is not None else Network()
        limits = [settings.get(name, getattr(self, name)) for name in ("rx_limit", "tx_limit")]
        self.links = [Link(self, n, *limits) for n in range(settings.get("link_count", self.link_count))]
        super().__init__(port, seed, **settings)

    def _clear_links(self) -> None:
        for link in self.links:
            link.drop(INITIAL)
            link.clear()

    def free(self, link: Link) -> bool:
        """No connection, and none on its way."""
        return link.state in (INITIAL, CLOSED)

    def accepts(self, link: Link, source: tuple) -> bool:
        """Whether data from a sender is taken."""
        return True

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
