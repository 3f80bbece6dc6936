"""The CIPSTART dialect of SIM800 and SIM7000: sending."""

from .at import BAD_PARAMETER, ERROR, NO_FINAL, OK, PENDING, number
from .cipstart import CipStart
from .link import CLOSED, Link

GIVE_UP_MS = 645_000  # unacknowledged data ends the link


class CipSend(CipStart):
    """CIPSEND in all its forms, quick send, what has been acknowledged."""

    send_limit = 1460
    prompt = b"\r\n> "
    fail_sends = 0  # this many sends answer SEND FAIL
    CHOICES = {
        "accept": (b"DATA ACCEPT:", b"DATA ACCEPT: "),
        "ack_comma": (b",", b", "),
        "full": ("partial", "error"),  # CIPSEND longer than the free send buffer
        "send_on_closed": (b"SEND FAIL", b"ERROR", b""),  # payload for a link that closed meanwhile
        "prompt_pieces": (False, True),
    }

    def _reset(self) -> None:
        self._ack_wait: "tuple | None" = None  # (link, bytes that must be acknowledged)
        super()._reset()

    def _factory(self) -> None:
        super()._factory()
        self.quick, self.show_prompt = 0, 1
        self.auto_send = (0, 1)

    def do_CIPQSEND(self, op, args):
        return self.switch("CIPQSEND", "quick", op, args)

    def do_CIPSPRT(self, op, args):
        return self.switch("CIPSPRT", "show_prompt", op, args, 2)

    def do_CIPATS(self, op, args):
        mode, seconds = number(args, 0, 0, 1), number(args, 1, 1, 100, 1)
        if op == "?":
            self.info("+CIPATS: %d,%d" % self.auto_send)
        elif op == "=?":
            self.info("+CIPATS: (0,1),(1-100)")
        else:
            if mode is None or seconds is None:
                return BAD_PARAMETER
            self.auto_send = (mode, seconds)
        return OK

    def do_CIPSEND(self, op, args):
        if op == "=?":
            self.info("+CIPSEND: %s<length>" % self._range())
            return OK
        if op == "?":
            return self._send_sizes()
        link = self.link_of(args)
        if link is None or len(args) > 1 or (not self.mux and op == "=" and not args):
            return BAD_PARAMETER
        if not link.open:
            return self.refuse()
        room = self._send_room(link)
        count = number(args, 0, 1, self.send_limit) if args else None
        if args and count is None:
            return BAD_PARAMETER
        if self.send_refused():
            return self.refuse()
        if args and count > room and (self.choices["full"] == "error" or not self.quick or not room):
            return self.refuse()

        def ask():
            self._prompt()
            self.collect(count, lambda payload: self._collected(link, payload), None if args else room)

        if self.prompt_late(ask):
            return self.refuse()
        ask()
        if not args and self.auto_send[0]:
            collected = self.collected
            self.later(self.auto_send[1] * 1000, lambda: self._auto_send(collected))
        return PENDING

    def _send_room(self, link: Link) -> int:
        return min(self.send_limit, link.tx_room())

    def _send_sizes(self):
        links = [link for link in self.links if link.open]
        if not links:
            return self.refuse()
        if not self.mux:
            self.info("+CIPSEND: %d" % self._send_room(links[0]))
        else:
            self.info("\r\n".join("+CIPSEND: %d,%d" % (link.n, self._send_room(link)) for link in links))
        return OK

    def _prompt(self) -> None:
        if self.show_prompt == 1:
            self.before_prompt()
            self.put_prompt(self.prompt)

    def _auto_send(self, collected: bytearray) -> None:
        if self._sink is not None and self.collected is collected:
            self.end_payload(bytes(collected))

    def _collected(self, link: Link, payload: "bytes | None") -> None:
        """The payload of CIPSEND is complete."""
        if payload is None:  # ESC
            self.resume(OK)
            return
        room = self._send_room(link) if link.open else 0
        if not link.open:
            self._send_result(link, self.choices["send_on_closed"].decode())
        elif self.fail_sends:
            self.fail_sends -= 1
            self._send_result(link, "SEND FAIL")
        elif len(payload) > room and (not self.quick or room == 0 or len(payload) > self.send_limit):
            self.resume(ERROR)
        elif self.quick:
            taken = payload[:room]
            if taken:
                self._hand_over(link, taken)
            text = self.choices["accept"].decode()
            told = self.told(link, len(taken))
            self.line(text + ("%d,%s" % (link.n, told) if self.mux else told))
            self.resume(NO_FINAL)
        else:
            if payload:
                self._hand_over(link, payload)
            self._ack_wait = link, link.sent
            self.link_acked(link)

    def _hand_over(self, link: Link, data: bytes) -> None:
        link.send(data)
        if link.proto == "TCP":
            connection, mark = link.connection, link.acknowledged
            self.later(GIVE_UP_MS, lambda: self._give_up(link, connection, mark))

    def _give_up(self, link: Link, connection, mark: int) -> None:
        if link.connection is connection and link.acknowledged == mark and link.open:
            link.drop(CLOSED)
            self.link_closed(link)

    def _send_result(self, link: Link, text: str) -> None:
        if text == "ERROR":
            self.resume(ERROR)
            return
        if text and self.show_prompt != 2:
            self.line(self.say(link, text))
        self.resume(NO_FINAL)

    def link_acked(self, link: Link) -> None:
        """The peer has acknowledged something: perhaps what SEND OK waits for."""
        if self._ack_wait is not None and self._ack_wait[0] is link:
            if link.proto == "UDP" or link.acknowledged >= self._ack_wait[1]:
                self._ack_wait = None
                self._send_result(link, "SEND OK")

    def _abandon_send(self) -> None:
        """The link of the running CIPSEND is gone."""
        if self._ack_wait is not None and not self._ack_wait[0].open:
            link, self._ack_wait = self._ack_wait[0], None
            self.later(self._thinking(), lambda: self._send_result(link, self.choices["send_on_closed"].decode()))

    def links_lost(self, bearer: int = 0) -> None:
        super().links_lost(bearer)
        self._abandon_send()

    def do_CIPACK(self, op, args):
        if op == "=?":
            return OK
        link = self.link_of(args)
        if link is None or op == "?":
            return BAD_PARAMETER
        if not link.open:
            return self.refuse()
        counts = link.sent, link.acknowledged, link.unacknowledged
        self.info("+CIPACK: " + self.choice("ack_comma").decode().join(map(str, counts)))
        return OK
