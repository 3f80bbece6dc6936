"""The CIPOPEN dialect of SIM7028 and A76XX: sending."""

from .address import numeric
from .at import ERROR, OK, PENDING, number
from .cipconf import OPEN
from .cipserver import CipServer
from .link import CLOSED, Link
from .netopen import BUSY, NOT_SUPPORTED, WRONG


class Sending:
    """A payload between its OK and its result."""

    def __init__(self, payload: bytes, waits: bool):
        self.payload = payload
        self.waits = waits  # for room in the send buffer
        self.taken = 0
        self.mark = 0  # as many bytes of the link must be acknowledged
        self.due = False


class OpenSend(CipServer):
    """CIPSEND in all its forms and its late result."""

    send_limit = 1500
    send_ms = 30  # OK to +CIPSEND when nothing is waited for
    fail_sends = 0  # this many sends confirm no byte
    told_asked: "tuple | list" = ()  # what the next results tell in place of the number of bytes that were to be sent
    confirm: "tuple | list" = ()  # the next sends confirm these numbers (-1: the link is disconnected)
    CHOICES = {
        "prompt": (b"\r\n>", b"\r\n> "),
        "prompt_pieces": (False, True),
        "full": ("zero", "short", "wait"),  # more than the send buffer takes: none of it, a part, or later
        "closed_err": (4, 2),  # CIPSEND while the network is closed
        "send_at_close": ("behind", "before", "none"),  # the result of a send under way, and +IPCLOSE
    }

    def _reset(self) -> None:
        self._pending: dict[Link, Sending] = {}
        super()._reset()

    def do_CIPSEND(self, op, args):
        if op == "=?":
            self.info("+CIPSEND: (0-%d),(1-%d)" % (len(self.links) - 1, self.send_limit))
            return OK
        n = number(args, 0, 0, 99)
        if op != "=" or n is None or len(args) > 4:
            return ERROR
        if len(args) == 3 and not args[2]:  # n,length and a comma
            args = args[:2]
        elif len(args) == 3:  # n,"address",port
            args = [args[0], "", *args[1:]]
        code = self._refusal(n, args) or (self.send_refused() and BUSY)
        if code:
            return self.fail("CIPERROR", code)
        count = number(args, 1, 1, self.send_limit, 0)
        if count is None:
            return ERROR
        link, target = self.links[n], (args[2], int(args[3])) if len(args) == 4 else None
        limit = None if count else self.send_limit

        def ask():
            self.before_prompt()
            self.put_prompt(self.choices["prompt"])
            self.collect(count or None, lambda payload: self._collected(link, payload, target), limit, escapes=True)

        if self.prompt_late(ask):
            return self.fail("CIPERROR", NOT_SUPPORTED)
        ask()
        return PENDING

    def _refusal(self, n: int, args: list) -> int:
        """The err of a CIPSEND that gets no prompt, or 0."""
        if n >= len(self.links):
            return WRONG
        link = self.links[n]
        if not link.open:
            return NOT_SUPPORTED if self.network == OPEN else self.choices["closed_err"]
        addressed = len(args) == 4 and bool(args[2]) and number(args, 3, 1, 65535) is not None
        wants_address = link.proto == "UDP" and not link.port
        if addressed != wants_address or (len(args) == 4 and not addressed):
            return WRONG
        if link.server is not None and not "".join(args[1:2]):
            return NOT_SUPPORTED  # of accepted links only the fixed length is known
        return BUSY if link in self._pending else 0

    def _collected(self, link: Link, payload: "bytes | None", target: "tuple | None") -> None:
        """The payload of CIPSEND is complete."""
        if payload is None:  # ESC
            self.resume(OK)
            return
        if len(payload) > self.send_limit:
            self.resume(ERROR)
            return
        connection = link.connection
        self.after_final(lambda: self._hand_over(link, connection, payload, target))
        self.resume(OK)

    def _hand_over(self, link: Link, connection, payload: bytes, target: "tuple | None") -> None:
        asked = len(payload)
        if not link.open or link.connection is not connection:
            self.later(self.send_ms, lambda: self._confirm(link, asked, -1))
        elif self.confirm:
            value, *self.confirm = self.confirm
            self.later(self.send_ms, lambda: self._confirm(link, asked, value))
        elif self.fail_sends:
            self.fail_sends -= 1
            self.later(self.send_ms, lambda: self._confirm(link, asked, 0))
        elif target is not None:
            self._send_to(link, payload, target)
        else:
            self._pending[link] = self._taken(link, payload)
            self.later(self.send_ms, lambda: self._due(link))

    def _taken(self, link: Link, payload: bytes) -> "Sending":
        """Put what goes into the send buffer there."""
        room, form = link.tx_room(), self.choices["full"]
        sending = Sending(payload, form == "wait" and room < len(payload))
        if sending.waits:
            connection = link.connection
            self.later(self.timeouts[2], lambda: self._no_room(link, connection, sending))
        else:
            self._put(link, sending, payload if room >= len(payload) else payload[:room] if form == "short" else b"")
        return sending

    def _put(self, link: Link, sending: "Sending", data: bytes) -> None:
        sending.taken = len(data)
        if data:
            self._packet(link, data, self.timeouts[2])
        sending.mark = link.sent if self.send_mode and link.proto == "TCP" else 0

    def _packet(self, link: Link, data: bytes, limit: float = float("inf")) -> None:
        """Without an acknowledgement it is sent again, as CIPCCFG says."""
        link.send(data)
        connection, mark = link.connection, link.acknowledged
        self.later(min(limit, self.resent_ms()), lambda: self._not_acknowledged(link, connection, mark))

    def stream_out(self, link: Link, data: bytes) -> None:
        """Bytes from the line in data mode."""
        if link.open:
            self._packet(link, data)

    def _send_to(self, link: Link, payload: bytes, target: tuple) -> None:
        """A datagram to an address of its own."""

        def resolved(found: list) -> None:
            if found and link.open:
                link.sent += len(payload)
                link.connection.send_to(payload, found[0], target[1])
            self.later(self.send_ms, lambda: self._confirm(link, len(payload), len(payload) if found else 0))

        if numeric(target[0]):
            resolved([target[0]])
        else:
            self.resolve(target[0], resolved)

    def _due(self, link: Link) -> None:
        if link in self._pending:
            self._pending[link].due = True
            self.link_acked(link)

    def link_acked(self, link: Link) -> None:
        """The peer has acknowledged something, or the result is due."""
        sending = self._pending.get(link)
        if sending is None or not link.open:
            return
        if sending.waits and link.tx_room() >= len(sending.payload):
            sending.waits = False
            self._put(link, sending, sending.payload)
        if sending.due and not sending.waits and link.acknowledged >= sending.mark:
            self._result(link, sending.taken)

    def _result(self, link: Link, count: int) -> None:
        if link in self._pending:
            self._confirm(link, len(self._pending.pop(link).payload), count)

    def _no_room(self, link: Link, connection, sending: "Sending") -> None:
        """The send time-out of a payload that found no room."""
        if link.connection is connection and self._pending.get(link) is sending and sending.waits:
            self._result(link, 0)

    def _not_acknowledged(self, link: Link, connection, mark: int) -> None:
        """Data on its way has been sent for the last time, or for too long: without any progress it ends the link."""
        if link.connection is connection and link.open and link.proto == "TCP":
            if link.acknowledged == mark and link.unacknowledged:
                self._result(link, 0)
                link.drop(CLOSED)
                self._tell_end(link, 2)

    def _confirm(self, link: Link, asked: int, count: int) -> None:
        told = self.told(link, count)
        if self.told_asked:
            asked, *self.told_asked = self.told_asked
        self.report("+CIPSEND: %d,%s,%s" % (link.n, asked, told))

    def _tell_end(self, link: Link, reason: int = 1) -> None:
        if self.choices["send_at_close"] == "before":
            self._lost_sends(0)
        super()._tell_end(link, reason)

    def links_lost(self) -> None:
        super().links_lost()
        self._lost_sends(self.send_ms)

    def _lost_sends(self, ms: float) -> None:
        """The results of sends whose links have gone."""
        for link in [each for each in self._pending if not each.open]:
            sending = self._pending.pop(link)
            count = sending.taken if sending.taken and link.acknowledged >= link.sent else -1
            values = link, len(sending.payload), count
            if not ms:
                self._confirm(*values)
            elif self.choices["send_at_close"] != "none":
                self.later(ms, lambda values=values: self._confirm(*values))
