"""A link of the CAOPEN dialect."""

from .link import CLOSED, CONNECTED, INITIAL, Link

LISTENING = "LISTENING"  # a TCP server


class CaLink(Link):
    """Its number stays taken, whatever becomes of it, until AT+CACLOSE."""

    def clear(self) -> None:
        """As after power-up."""
        super().clear()
        self.host = ""  # as CAOPEN named it
        self.kind = ""  # of a server: TCP, TCP6, UDP, UDP6
        self.newest: "tuple | None" = None  # the sender that a UDP server has told of last
        self.pushes = False  # recv_mode 1
        self.listens = False  # a server, UDP ones too
        self.senders: set = set()  # whom a UDP server has told of with +CANEW
        self.noticed = 0  # how much had been received at the last notice
        self.full = False  # the host was told so
        self.opened_at = 0.0

    @property
    def taken(self) -> bool:
        """Not free for AT+CAOPEN."""
        return self.state != INITIAL

    @property
    def status(self) -> "int | None":
        """What CASTATE? tells: 0 closed, 1 connected, 2 listening; None: no such link."""
        if self.listens:
            return 2
        return {CONNECTED: 1, CLOSED: 0}.get(self.state)

    def drop(self, state: str) -> None:
        """Let go of the connection without a word to the host."""
        super().drop(state)
        self.listens = False
