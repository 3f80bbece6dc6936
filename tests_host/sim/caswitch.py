"""The CAOPEN dialect of SIM7070, SIM7080 and SIM7090: transparent mode."""

from .at import BAD_PARAMETER, ERROR, OK, PENDING, number
from .calink import CaLink
from .carecv import CaReceive


class CaSwitch(CaReceive):
    """The complete dialect but for names: CASWITCH, +++ and ATO."""

    CHOICES = {
        "ato": ("CONNECT", "CONNECT 150000000"),
        "switch": ("OK CONNECT", "CONNECT OK", "CONNECT"),
        # What tells of a remote close in data mode, and whether the module leaves data mode with it.
        "stream_end": ("", "CLOSED", "+CASTATE: %d,0", "NO CARRIER", "OK"),
        "stream_left": (True, False),
    }

    def _reset(self) -> None:
        self._switched: "CaLink | None" = None
        super()._reset()

    def streams(self, link: CaLink) -> bool:
        return link is self._switched

    def do_CASWITCH(self, op, args):
        if op == "=?":
            self.info("+CASWITCH: (%s),(0,1)" % self._cids())
            return OK
        if op == "?":
            self._rows(["+CASWITCH: %d,%d" % (n, self.streams(self.links[n])) for n in sorted(self.named)])
            return OK
        link, mode = self.link_number(args), number(args, 1, 0, 1)
        if op != "=" or link is None or mode is None or len(args) != 2:
            return BAD_PARAMETER
        if not mode:
            if not self.streams(link):
                return ERROR
            self._switched, self._transparent = None, False
            return OK
        if not link.open or link.listens or link.pushes or self._switched not in (None, link):
            return ERROR
        self._switched = link
        form = self.choices["switch"]
        for word in form.split():
            self.result(word, 1 if word == "CONNECT" else 0)
        self._enter()
        return PENDING

    def do_O(self, op, args):
        if self._switched is None or not self._switched.open:
            return ERROR
        self.result(self.choices["ato"], 1)
        self._enter()
        return PENDING

    def _enter(self) -> None:
        self._transparent = True
        self._stream(self._switched)

    def tell_closed(self, link: CaLink) -> None:
        text = self.choices["stream_end"]
        if not self.streams(link) or self._data is None:
            super().tell_closed(link)
            return
        text = text % link.n if "%" in text else text
        if text and self.choices["stream_left"]:
            self._switched = None
            self.exception(text)
        elif text:
            self.line(text)

    def let_go(self, link: CaLink) -> None:
        if self.streams(link):
            self._switched, self._transparent = None, False
        super().let_go(link)

    def abandon(self, link: CaLink, state: str) -> None:
        if self.streams(link):
            self._switched, self._transparent = None, False
        super().abandon(link, state)
