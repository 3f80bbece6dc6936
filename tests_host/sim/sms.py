"""Text messages: as much of 3GPP TS 27.005 as a program uses that sends and reads them."""

from .at import ERROR, OK, PENDING, AtModule, number

NO_MESSAGE = 321  # +CMS ERROR: invalid memory index


class Sms(AtModule):
    """AT+CMGF, CMGS, CMGR, CMGL and CMGD. The message of a text is what the test gives: any bytes, of any lines."""

    settings = {"CMGF": "0"}
    sms_ms = 1500  # until the network has taken one
    CHOICES = {
        "sms_escape": ("OK", "ERROR"),  # what ends AT+CMGS behind ESC
        "sms_gap": (b"", b"\r\n"),  # an empty line between two messages of AT+CMGL
    }

    def __init__(self, *args, **kwargs):
        self.messages: dict = {}  # index -> (sender, time, body as bytes); a test or store_sms() fills it
        self.sent_sms: list = []  # (number, body as bytes)
        super().__init__(*args, **kwargs)

    def store_sms(self, body: bytes, sender: str = "+15550100", when: str = "25/04/10,18:45:46+48") -> int:
        """A message comes in; the index it is told with in +CMTI."""
        index = max(self.messages, default=0) + 1
        self.messages[index] = sender, when, body
        self.urc('+CMTI: "SM",%d' % index)
        return index

    def _text_mode(self) -> bool:
        return self.values["CMGF"] == "1"

    def _cms_error(self, code: int):
        self.line("+CMS ERROR: %d" % code)
        return "none"

    def _body(self, body: bytes) -> bytes:
        return body if self._text_mode() else body.hex().upper().encode()

    def do_CMGS(self, op, args):
        """The prompt, then text up to Ctrl-Z, or ESC; each line of a text has a prompt of its own, a PDU has none."""
        if op != "=" or not args:
            return ERROR
        self.hook("before_prompt")
        self.send(b"\r\n> ")
        self.collect(None, lambda body: self._send_sms(args[0], body), again=b"\r\n> " if self._text_mode() else b"")
        return PENDING

    def _send_sms(self, to: str, body: "bytes | None") -> None:
        if body is None:
            self.resume(OK if self.choice("sms_escape") == "OK" else ERROR)
            return
        self.sent_sms.append((to, body))
        self.later(self.sms_ms, self._sms_taken)

    def _sms_taken(self) -> None:
        self.info("+CMGS: %d" % len(self.sent_sms))
        self.resume(OK)

    def do_CMGR(self, op, args):
        """One message."""
        index = number(args, 0, 1, 999)
        if index not in self.messages:
            return self._cms_error(NO_MESSAGE)
        sender, when, body = self.messages[index]
        head = '+CMGR: "REC UNREAD","%s","","%s"' % (sender, when) if self._text_mode() else "+CMGR: 0,,%d" % len(body)
        self.info(head.encode() + b"\r\n" + self._body(body))
        return OK

    def do_CMGL(self, op, args):
        """All messages."""
        blocks = []
        for index, (sender, when, body) in sorted(self.messages.items()):
            head = '+CMGL: %d,"REC READ","%s","","%s"' % (index, sender, when)
            head = head if self._text_mode() else "+CMGL: %d,1,,%d" % (index, len(body))
            blocks.append(head.encode() + b"\r\n" + self._body(body))
        if blocks:
            self.info((b"\r\n" + self.choice("sms_gap")).join(blocks))
        return OK

    def do_CMGD(self, op, args):
        """Delete one."""
        return OK if self.messages.pop(number(args, 0, 1, 999), None) else self._cms_error(NO_MESSAGE)
