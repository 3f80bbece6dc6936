"""The CIPSTART dialect of SIM800 and SIM7000: transparent mode, UDP to many peers."""

from .at import BAD_PARAMETER, NO_FINAL, OK, number
from .cipnet import IP_STATUS
from .link import CLOSED, Link
from .tuning import Tuning


class CipData(Tuning):
    """The complete dialect."""

    def _factory(self) -> None:
        super()._factory()
        self.udp_mode: dict = {}

    # --- transparent mode

    def link_connected(self, link: Link) -> None:
        if self.mode:
            self._enter()
        else:
            super().link_connected(link)

    def do_O(self, op, args):
        if not (self._transparent and self.links[0].open):
            return self.refuse()
        self._enter()
        return NO_FINAL

    def dtr_off(self) -> None:
        link = self.links[0]
        link.drop(CLOSED)
        self._tell_end(link)

    def accepted(self, link: Link) -> None:
        if self.mode:
            self._enter()

    # --- UDP to many peers

    def do_CIPUDPMODE(self, op, args):
        link = self.link_of(args) if op == "=" else self.links[0]
        if op == "=?":
            self.info('+CIPUDPMODE: %s(0-2),("(0-255).(0-255).(0-255).(0-255)"),(1-65535)' % self._range())
            return OK
        if op == "?":
            if self.udp_mode.get(0):
                self.info('+CIPUDPMODE: 1,"%s",%d' % (link.address, link.port))
            else:
                self.info("+CIPUDPMODE: 0")
            return OK
        mode = number(args, 0, 0, 2) if link is not None else None
        if mode is None:
            return BAD_PARAMETER
        if mode < 2:
            self.udp_mode[link.n] = mode
            return OK
        port = number(args, 2, 1, 65535)
        if port is None or not (link.open and link.proto == "UDP" and self.context.state == IP_STATUS):
            return self.refuse()
        link.address, link.port = args[1], port
        link.connection.redirect(args[1], port)
        return OK

    def accepts(self, link: Link, source: tuple) -> bool:
        """Whether data from a sender is taken."""
        return link.proto == "TCP" or bool(self.udp_mode.get(link.n)) or source == (link.address, link.port)
