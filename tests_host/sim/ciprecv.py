"""The CIPSTART dialect of SIM800 and SIM7000: receiving, by buffer access or pushed."""

from .at import BAD_PARAMETER, NO_FINAL, OK, number
from .cipsend import CipSend
from .link import INITIAL, Link


class CipReceive(CipSend):
    """CIPRXGET, and the headers of direct push."""

    CHOICES = {
        "trailer": (b"\r\nOK\r\n", b"\r\n\r\nOK\r\n"),  # behind the bytes of mode 2
        "rxget": (b"+CIPRXGET: ", b"+CIPRXGET:"),
        "empty": ("zero", "error"),  # mode 2 on a closed link without data
        "late_rxget": ("ok", "error"),  # changing CIPRXGET while a link exists
        "recv_from": (b"RECV FROM:", b"RECV FROM: ", b"RCV FROM:"),
    }

    def _factory(self) -> None:
        super()._factory()
        self.rxget = self.head = self.show_source = self.show_type = 0

    def do_CIPHEAD(self, op, args):
        return self.switch("CIPHEAD", "head", op, args)

    def do_CIPSRIP(self, op, args):
        return self.switch("CIPSRIP", "show_source", op, args)

    def do_CIPSHOWTP(self, op, args):
        return self.switch("CIPSHOWTP", "show_type", op, args)

    # --- buffer access

    def do_CIPRXGET(self, op, args):
        head = self.choices["rxget"].decode()
        if op == "?":
            self.info("%s%d" % (head, self.rxget))
            return OK
        if op == "=?":
            self.info("%s(0-4),%s(1-%d)" % (head, self._range(), self.fetch_limit))
            return OK
        mode = number(args, 0, 0, 4)
        if mode is None:
            return BAD_PARAMETER
        if mode < 2:
            if any(link.open for link in self.links) and mode != self.rxget and self.choices["late_rxget"] == "error":
                return self.refuse()
            self.rxget = mode
            return OK
        args = args[1:]
        link = self.link_of(args)
        limit = self.fetch_limit // 2 if mode == 3 else self.fetch_limit
        count = number(args, 0, 1, limit, limit)
        if link is None or count is None or len(args) > 1:
            return BAD_PARAMETER
        if mode != 4:
            self.before_read()
        drained = not link.open and not link.rx
        if not self.rxget or link.state == INITIAL or (drained and self.choices["empty"] == "error"):
            return self.refuse()
        number_of = "%d," % link.n if self.mux else ""
        if mode == 4:
            self.info("%s4,%s%d" % (head, number_of, link.rx_count))
            return OK
        data, source = link.take(count)
        text = "%s%d,%s%d,%d%s" % (head, mode, number_of, len(data), link.rx_count, self._source(source))
        self._fetched(text, data.hex().upper().encode() if mode == 3 else data, mode)
        return NO_FINAL

    def _source(self, source: tuple) -> str:
        return ',"%s":%d' % source if self.show_source else ""

    def link_data(self, link: Link) -> None:
        """Data has come."""
        if not self.rxget or self._transparent:
            self._push_data()
        elif link.notice_due:
            link.notice_due = False
            number_of = ",%d" % link.n if self.mux else ""
            self.urc("%s1%s%s" % (self.choices["rxget"].decode(), number_of, self._source(link.rx[0][1])))

    # --- direct push

    def _header(self, link: Link, count: int, source: tuple) -> bytes:
        address = "%s:%d" % source
        if self.mux:
            return b"\r\n+RECEIVE,%d,%d%s:\r\n" % (link.n, count, b"," + address.encode() if self.show_source else b"")
        head = b""
        if self.show_source:
            head += b"\r\n" + self.choices["recv_from"] + address.encode() + b"\r\n"
        if self.head:
            head += b"\r\n+IPD,%d%s:" % (count, b"," + link.proto.encode() if self.show_type else b"")
        return head

    def _tell_end(self, link: Link) -> None:
        super()._tell_end(link)
        self._abandon_send()
