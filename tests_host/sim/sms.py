"""Text messages: as much of 3GPP TS 27.005 as a program uses that sends and reads them, in text mode and as PDUs."""

from .at import BAD_PARAMETER, ERROR, OK, PENDING, AtModule, number
from .pdu import deliver, submit

BAD_PDU, BAD_INDEX, NO_NETWORK = 304, 321, 331  # of +CMS ERROR

_UNREAD, _READ, _ALL = 0, 1, 4
_STATES = ("REC UNREAD", "REC READ", "STO UNSENT", "STO SENT", "ALL")


class Sms(AtModule):
    """The message of a text is what the test gives: any bytes, of any lines."""

    settings = {"CMGF": "0", "CNMI": "2,1,0,0,0", "CPMS": '"SM","SM","SM"', "CSMP": "17,167,0,0", "CSDH": "0"}
    ranges = {"CMGF": "(0,1)", "CSDH": "(0,1)", "CSMP": "(0-255),(0-255),(0-255),(0-255)"}
    ranges.update({"CNMI": "(0-3),(0-3),(0,2),(0-2),(0,1)"})
    service_centre = "+15550001"
    sms_places = 30
    sms_ms = 1500  # until the network has taken one
    ussd: dict = {"*100#": "Your balance is 1.65 credit"}  # what the network answers to which code
    CHOICES = {
        "sms_escape": ("OK", "ERROR"),  # what ends AT+CMGS behind ESC
        "sms_gap": (b"", b"\r\n"),  # an empty line between two messages of AT+CMGL
    }

    def __init__(self, *args, **kwargs):
        self.messages: dict = {}  # index -> (sender, time, body as bytes); a test or store_sms() fills it
        self.read_messages: set = set()  # indexes of those that were read
        self.sent_sms: list = []  # (number, body as bytes)
        super().__init__(*args, **kwargs)

    def store_sms(self, body: bytes, sender: str = "+15550100", when: str = "25/04/10,18:45:46+48") -> int:
        """A message comes in; the index it is told with in +CMTI, or 0: AT+CNMI lets it go to the host at once."""
        how = self.values["CNMI"].split(",")[1]
        if how == "2":
            self.ri_pulse("sms")
            self.urc(b"\r\n+CMT: " + self._told(sender, when, body, "", with_state=False) + b"\r\n")
            return 0
        index = min(set(range(1, len(self.messages) + 2)) - self.messages.keys())
        self.messages[index] = sender, when, body
        self.read_messages.discard(index)
        if how == "1":
            self.ri_pulse("sms")
            self.urc('+CMTI: "SM",%d' % index)
        return index

    def _text_mode(self) -> bool:
        return self.values["CMGF"] == "1"

    def _cms_error(self, code: int):
        self.line("+CMS ERROR: %d" % code)
        return "none"

    def _state(self, index: int) -> int:
        return _READ if index in self.read_messages else _UNREAD

    def _told(self, sender, when, body: bytes, state: str, with_state: bool = True, listed: bool = False) -> bytes:
        """A message as CMGR, CMGL and +CMT show it."""
        if not self._text_mode():
            text, count = deliver(self.service_centre, sender, when, body)
            return ("%s,%d\r\n%s" % ("%s," % state if with_state else "", count, text)).encode()
        sender = self._coded(sender.encode()).decode()
        head = '"%s",' % state if with_state else ""
        head += '"%s",%s,"%s"' % (sender, '""' if with_state else "", when)
        if self.values["CSDH"] == "1":
            head += ",145" + ("" if listed else ',4,0,0,"%s",145' % self.service_centre) + ",%d" % len(body)
        return head.encode() + b"\r\n" + self._coded(body)

    def _coded(self, text: bytes) -> bytes:
        """A text in the character set of the host."""
        if self.values["CSCS"] == '"UCS2"':
            text = text.decode("utf-8", "replace").encode("utf-16-be")
        return text.hex().upper().encode() if self.values["CSCS"] in ('"UCS2"', '"HEX"') else text

    def _decoded(self, text: bytes) -> bytes:
        if self.values["CSCS"] not in ('"UCS2"', '"HEX"'):
            return text
        data = bytes.fromhex(text.decode("latin-1"))
        return data.decode("utf-16-be").encode() if self.values["CSCS"] == '"UCS2"' else data

    # --- settings

    def do_CMGF(self, op, args):
        if op == "=" and args not in (["0"], ["1"], []):
            return BAD_PARAMETER
        return self._setting("CMGF", op, args[0] if args else "0")

    def do_CNMI(self, op, args):
        if op == "=":
            fresh = [number(args, i, 0, highest, 0) for i, highest in enumerate((3, 3, 3, 2, 1))]
            if None in fresh or len(args) > 5:
                return BAD_PARAMETER
            self.values["CNMI"] = ",".join(map(str, fresh))
            return OK
        return self._setting("CNMI", op, "")

    def do_CPMS(self, op, args):
        used = "%d,%d" % (len(self.messages), self.sms_places)
        if op == "=?":
            self.info('+CPMS: ("SM"),("SM"),("SM")')
        elif op == "?":
            self.info("+CPMS: " + ",".join('"SM",' + used for _ in range(3)))
        elif not 1 <= len(args) <= 3 or set(args) - {"SM", ""}:
            return BAD_PARAMETER
        else:
            self.info("+CPMS: " + ",".join([used] * 3))
        return OK

    def do_CSCA(self, op, args):
        if op == "?":
            self.info('+CSCA: "%s",145' % self.service_centre)
        elif op == "=":
            if not args:
                return BAD_PARAMETER
            self.service_centre = args[0]
        return OK

    # --- sending

    def do_CMGS(self, op, args):
        """The prompt, then text up to Ctrl-Z, or ESC; each line of a text has a prompt of its own, a PDU has none."""
        if op == "=?":
            return OK
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
        try:
            if self._text_mode():
                sent = self._decoded(to.encode()).decode(), self._decoded(body)
            else:
                sent = submit(bytes.fromhex(body.decode("latin-1")))
        except (ValueError, IndexError):
            self.resume(self._cms_error(BAD_PDU))
            return
        if not self.registered:
            self.resume(self._cms_error(NO_NETWORK))
            return
        self.sent_sms.append(sent)
        self.note("text to %s: %s" % (sent[0], repr(sent[1].decode("utf-8", "replace"))[1:-1]))
        self.later(self.sms_ms, self._sms_taken)

    def _sms_taken(self) -> None:
        self.info("+CMGS: %d" % len(self.sent_sms))
        self.resume(OK)

    # --- reading

    def do_CMGR(self, op, args):
        """One message; it counts as read then."""
        if op == "=?":
            return OK
        index = number(args, 0, 1, 999)
        if index not in self.messages:
            return self._cms_error(BAD_INDEX)
        state = self._state(index)
        told = self._told(*self.messages[index], _STATES[state] if self._text_mode() else str(state))
        if args[1:] != ["1"]:
            self.read_messages.add(index)
        self.info(b"+CMGR: " + told)
        return OK

    def do_CMGL(self, op, args):
        """All messages of a kind."""
        if op == "=?":
            states = map('"{}"'.format, _STATES) if self._text_mode() else "01234"
            self.info("+CMGL: (%s)" % ",".join(states))
            return OK
        names = _STATES if self._text_mode() else tuple("01234")
        if args and args[0] not in names:
            return BAD_PARAMETER
        wanted = names.index(args[0]) if args else _UNREAD
        blocks = []
        for index, message in sorted(self.messages.items()):
            state = self._state(index)
            if wanted in (state, _ALL):
                told = self._told(*message, _STATES[state] if self._text_mode() else str(state), listed=True)
                blocks.append(b"+CMGL: %d," % index + told)
                if args[1:] != ["1"]:
                    self.read_messages.add(index)
        if blocks:
            self.info((b"\r\n" + self.choice("sms_gap")).join(blocks))
        return OK

    def do_CMGD(self, op, args):
        """Delete one, or, by its second parameter, those that were read, or all."""
        if op == "=?":
            self.info("+CMGD: (%s),(0-4)" % ",".join(map(str, sorted(self.messages))))
            return OK
        index, which = number(args, 0, 0, 999), number(args, 1, 0, 4, 0)
        if which is None:
            return BAD_PARAMETER
        if which:
            self._delete(self.messages.keys() if which == _ALL else self.read_messages)
            return OK
        return OK if self.messages.pop(index, None) else self._cms_error(BAD_INDEX)

    def do_CMGDA(self, op, args):
        """Delete all of a kind."""
        kinds = ("DEL READ", "DEL UNREAD", "DEL SENT", "DEL UNSENT", "DEL INBOX", "DEL ALL")
        if not self._text_mode():
            kinds = tuple("123456")
        if op != "=" or len(args) != 1 or args[0] not in kinds:
            return ERROR
        unread = self.messages.keys() - self.read_messages
        everything = self.messages.keys()
        self._delete((self.read_messages, unread, (), (), everything, everything)[kinds.index(args[0])])
        return OK

    def _delete(self, indexes) -> None:
        for index in list(indexes):
            self.messages.pop(index, None)
            self.read_messages.discard(index)

    # --- the network's services

    def do_CUSD(self, op, args):
        """A code for the network; its answer comes behind the OK."""
        if op == "=?":
            self.info("+CUSD: (0-2)")
        elif op == "?":
            self.info("+CUSD: 0")
        elif args[1:]:
            try:
                code = self._decoded(args[1].encode()).decode()
            except ValueError:
                code = args[1]
            found = self.ussd.get(code)
            text = '0,"%s",15' % self._coded(found.encode()).decode() if found else "4"
            self.after_final(lambda: self.later(self.sms_ms, lambda: self.urc("+CUSD: " + text)))
        return OK
