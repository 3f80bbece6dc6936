"""The CAOPEN dialect of SIM7070, SIM7080 and SIM7090: sending."""

from .address import numeric
from .at import BAD_PARAMETER, ERROR, NO_FINAL, OK, PENDING, number
from .calink import CaLink
from .caserver import CaServer
from .link import CLOSED


class CaSend(CaServer):
    """CASEND and CAACK."""

    send_limit = 1460
    send_ms = 30  # OK to the late +CASEND
    CHOICES = {
        "prompt": (b"\r\n> ", b"\r\n>"),
        "prompt_pieces": (False, True),
        "payload_echo": (True, False),  # with ATE1
        "late_casend": ("none", "behind", "instead"),  # `+CASEND: n,0,len` of old firmware, and the OK
        "input_over": ("error", "ok", "silence"),  # the input time is over: ERROR, OK and the short data sent, nothing
        # More than the send buffer takes: ERROR behind the payload, of which nothing or a part was taken, or at once.
        "full": ("behind", "behind part", "before"),
        "caack": ("total first", "unacked first"),
        # What AT+CASEND=n tells of its send buffer: what it takes, or a byte more.
        "room": ("told", "one more"),
    }

    def _factory(self) -> None:
        super()._factory()
        self.echo_payload = self.choices["payload_echo"]

    def do_CASEND(self, op, args):
        if op == "=?":
            self.info("+CASEND: (%s),(1-%d),(100-10000)" % (self._cids(), self.send_limit))
            return OK
        link = self.link_number(args)
        if op != "=" or link is None or len(args) > 3 or not link.open:
            return ERROR
        if len(args) == 1:
            self.info("+CASEND: %d" % link.tx_room())
            return OK
        count, input_ms = number(args, 1, 1, self.send_limit), number(args, 2, 100, 10_000, 5000)
        if count is None or input_ms is None:
            return BAD_PARAMETER
        full = self.choices["full"] == "before" and self._room(link) < count
        if full or self._target_of(link) is None or self.send_refused():
            return ERROR

        def ask():
            self.before_prompt()
            self.put_prompt(self.choices["prompt"])
            self.collect(count, lambda payload: self._collected(link, count, payload))
            got = self.collected
            self.later(input_ms, lambda: self._input_over(got))

        if self.prompt_late(ask):
            return ERROR
        ask()
        return PENDING

    def _room(self, link: CaLink) -> int:
        """What its send buffer really takes now."""
        return max(0, link.tx_room() - (link.proto == "TCP" and self.choices["room"] == "one more"))

    def _target_of(self, link: CaLink) -> "tuple | None":
        """Where a datagram of a UDP server goes; () for a link with a peer."""
        if not link.listens:
            return ()
        return self.targets.get(link.n) or link.newest

    def _input_over(self, got: bytearray) -> None:
        if self._sink is not None and self.collected is got:
            self.end_payload(bytes(got))

    def _collected(self, link: CaLink, count: int, payload: bytes) -> None:
        """The payload, or as much of it as came in time."""
        if len(payload) < count and self.choices["input_over"] != "ok":
            self.resume(ERROR if self.choices["input_over"] == "error" else NO_FINAL)
            return
        room = self._room(link) if link.open else 0
        if room < len(payload):
            if link.open and self.choices["full"] == "behind part":
                link.send(payload[:room])
            self.resume(ERROR)
            return
        if payload:
            self._hand_over(link, payload)
        late = "+CASEND: %d,0,%s" % (link.n, self._taken(len(payload)))
        form = self.choices["late_casend"]
        if form == "behind":
            self.after_final(lambda: self.later(self.send_ms, lambda: self.report(late)))
        elif form == "instead":
            self.info(late)
        self.resume(NO_FINAL if form == "instead" else OK)

    def _taken(self, count: int) -> str:
        if not self.lies:
            return "%d" % count
        text, *self.lies = self.lies
        return text

    def _hand_over(self, link: CaLink, payload: bytes) -> None:
        target = self._target_of(link)
        if not target:
            if link.proto == "UDP" and link.n in self.targets:
                link.connection.redirect(*self.targets[link.n])
            link.send(payload)
            self._watch(link)
            return

        def resolved(found: list) -> None:
            if found and link.open:
                link.connection.send_to(payload, found[0], target[1])

        link.sent += len(payload)
        if numeric(target[0]):
            resolved([target[0]])
        else:
            self.net.resolve(target[0], resolved)

    def _watch(self, link: CaLink) -> None:
        """What is not acknowledged when it was sent for the last time ends the link, as MAXRXT and TCPIRT say."""
        connection, mark, limit = link.connection, link.acknowledged, self.resent_ms()

        def due() -> None:
            if link.connection is connection and link.acknowledged == mark and link.unacknowledged:
                link.drop(CLOSED)
                self._tell_end(link)

        if limit is not None and link.proto == "TCP":
            self.later(limit, due)

    def link_acked(self, link: CaLink) -> None:
        """The peer has acknowledged bytes: only CAACK and the free room tell."""

    def do_CAACK(self, op, args):
        if op == "=?":
            self.info("+CAACK: (%s)" % self._cids())
            return OK
        link = self.link_number(args)
        if op != "=" or link is None or not link.open:
            return ERROR
        fields = link.sent, link.unacknowledged if link.proto == "TCP" else 0
        self.info("+CAACK: %d,%d" % (fields if self.choices["caack"] == "total first" else fields[::-1]))
        return OK
