"""The CIPOPEN dialect of SIM7028 and A76XX: receiving."""

from .at import ERROR, NO_FINAL, OK, PENDING, number
from .link import Link
from .netopen import INVALID, NO_DATA
from .opensend import OpenSend


class OpenReceive(OpenSend):
    """The complete dialect: buffer access, the headers of direct push, the way back into transparent mode."""

    fetch_limit = 1500
    last_link = 9  # the highest link number that CIPRXGET takes, whatever the number of links
    CHOICES = {
        "trailer": (b"\r\nOK\r\n", b"\r\n\r\nOK\r\n"),  # behind the bytes of mode 2
        "recv_from": (b"RECV FROM:", b"RCV FROM:", b"+RECV FROM:", b"RECV FROM: "),
        "ipd": (b"+IPD%d", b"+IPD(%d)"),
        "receive": (b"+RECEIVE,%d,%d:", b"+RECEIVE,%d,%d"),
    }

    def _factory(self) -> None:
        super()._factory()
        self.rxget = 0

    # --- buffer access

    def do_CIPRXGET(self, op, args):
        if op == "?":
            self.info("+CIPRXGET: %d" % self.rxget)
            return OK
        if op == "=?":
            self.info("+CIPRXGET: (0-4),(0-%d),(1-%d)" % (len(self.links) - 1, self.fetch_limit))
            return OK
        mode = number(args, 0, 0, 4)
        if op != "=" or mode is None:
            return self.ip_error(INVALID) if op else ERROR
        if mode < 2:
            self.rxget = mode
            self.after_final(self._push_data)
            return OK
        n = number(args, 1, 0, self.last_link)
        limit = self.fetch_limit // 2 if mode == 3 else self.fetch_limit
        count = number(args, 2, 1, limit, limit)
        if n is None or count is None or len(args) > (2 if mode == 4 else 3):
            return self.ip_error(INVALID)
        link = self.links[n] if n < len(self.links) else None
        if mode == 4:
            self.info("+CIPRXGET: 4,%d,%d" % (n, link.rx_count if link else 0))
            return OK
        self.before_read()
        if link is None or not link.rx:
            return self.ip_error(NO_DATA)
        data, _ = link.take(count, borders=False)
        text = "+CIPRXGET: %d,%d,%d,%d" % (mode, n, len(data), link.rx_count)
        self._fetched(text, data.hex().upper().encode() if mode == 3 else data, mode)
        return NO_FINAL

    def link_data(self, link: Link) -> None:
        """Data has come: it is put out, or told of, DelayTm later."""
        if self.config[1] and not link.shown_ms > self.clock.ms:
            link.shown_ms = self.clock.ms + self.config[1]
        if not self.rxget or self.streams(link):
            self._push_data()
        elif link.notice_due:
            link.notice_due = False
            self.later(self.config[1], lambda: link.rx and self.urc("+CIPRXGET: 1,%d" % link.n))

    def _may_push(self, link: Link) -> bool:
        wait_ms = link.shown_ms - self.clock.ms
        if link.rx and wait_ms > 0:
            self._push_event = self.later(wait_ms, self._push_data)
            return False
        return super()._may_push(link)

    # --- direct push

    def _header(self, link: Link, count: int, source: tuple) -> bytes:
        head = b""
        if self.show_source:
            head += b"\r\n" + self.choices["recv_from"] + ("%s:%d" % source[:2]).encode()
        if self.head:
            form = self.choices["receive"] % (link.n, count) if self.config[4] else self.choices["ipd"] % count
            head += b"\r\n" + form
        return head + b"\r\n" if head else b""

    # --- transparent mode

    def connect_text(self) -> str:
        return "CONNECT %d" % self.baud if self.choices["connect_rate"] else "CONNECT"

    def do_O(self, op, args):
        if not (self._transparent and self.links[0].open):
            return ERROR
        self._enter()
        return PENDING
