"""Command lines: cut into commands, dispatched, answered with final result codes."""

import collections
import re

from .mux import Mux

OK = "OK"  # what a command handler returns: done
NO_FINAL = "none"  # the information was the whole answer
PENDING = "pending"  # the handler calls resume() later
ERROR = -1  # plain ERROR whatever +CMEE says

CME_TEXT = {3: "operation not allowed", 4: "operation not supported", 10: "SIM not inserted", 11: "SIM PIN required"}
CME_TEXT.update({13: "SIM failure", 14: "SIM busy", 16: "incorrect password", 30: "no network service"})
CME_TEXT.update({50: "Incorrect parameters", 58: "invalid command line", 100: "unknown"})
NOT_ALLOWED, SIM_ABSENT, SIM_PIN, SIM_BUSY, BAD_PASSWORD, BAD_PARAMETER = 3, 10, 11, 14, 16, 50

RATES = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1000000, 2000000, 3000000)


# What a module may do to the answer of a question: every one of them, or, by a seed, now and then one.
CLEAN, LATE_OK, GARBLED = "clean", "late OK before an answer", "garbled answer"
UNKNOWN_BEFORE, UNKNOWN_BEHIND = "unknown line before an answer", "unknown line in an answer"
UNKNOWN = (
    b"\r\nSERVER OK\r\n",
    b"\xff\xff\xff\xff\xff",
    b"\r\n\xff\xff\xff\xff\xff\r\n",
    b"\r\nMISSED_CALL: 10:30AM 5550100\r\n",
)
_ASKING = ("CSQ", "CIFSR", "IPADDR", "CIPACK", "CIPSTATUS", "CDNSGIP", "CAACK")  # questions without a question mark
# What a driver asks by itself; a seed leaves alone what only a person wants to know.
_OFTEN = (*_ASKING, "CPIN", "CMEE", "CREG", "CGREG", "CEREG", "CGATT", "CGMM", "CIPOPEN", "NETOPEN", "CIPSERVER")
_OFTEN += ("SERVERSTART", "CIPQSEND", "CIPSEND", "GSN", "CGSN", "CIMI", "COPS", "CNACT")


class AtModule(Mux):
    """A module that understands commands; handlers are methods do_NAME(op, parameters).

    `spoil`: what happens to the next answers, {name of a command: how many times}, "" standing for any; it happens in
    the manner of choices["answers"]. A seed that chose a manner spoils one answer of four, and that of no command twice
    in a row.

    `lost_reports`: so many of the next late result lines never come out, {name: how many}.
    """

    CHOICES = {
        "answers": (CLEAN, CLEAN, CLEAN, LATE_OK, GARBLED, UNKNOWN_BEFORE, UNKNOWN_BEHIND),
        "errors": ("once", "once", "twice"),  # how often ERROR comes
    }
    spoil: dict = {}
    lost_reports: dict = {}
    _name = ""  # the command that is being executed
    _spoiled: frozenset = frozenset()  # commands whose last answer was spoilt
    _sign = ""  # in front of its name
    _asks = False

    def __init__(self, *args, **settings):
        self.not_known = collections.Counter()  # commands that this module does not have -> how often they came
        super().__init__(*args, **settings)

    def execute(self, line: bytes) -> None:
        """Run the commands of one line, one after another."""
        if self.clock.now_us < self._deaf_until:
            self.ready()
            return
        self._rest = line[2:].decode("latin-1")
        self._after: list = []
        self._next(OK)

    def _next(self, result) -> None:
        while result in (OK, NO_FINAL) and self._rest.strip():
            name, op, text = self._cut()
            self._name, self._asks = (
                name,
                op == "?" or name in self.identity or (name in _ASKING and (op or name != "CIPSTATUS")),
            )
            result = self._run(name, op, text)
        if result is not PENDING:
            self._final(result)

    def resume(self, result) -> None:
        """The pending command is done."""
        self._next(result)

    def _cut(self) -> tuple:
        """Take one command off the line: (name, operator, text behind it)."""
        rest = self._rest.lstrip(" ;")
        self._sign = rest[:1] if rest.startswith(("+", "*", "^", "$")) else ""
        register = re.match(r"S(\d+)(=\d*|\?)?", rest, re.IGNORECASE)
        if register:
            self._rest = rest[register.end() :]
            op = (register[2] or "=")[:1]
            return "S", op, "%s,%s" % (register[1], (register[2] or "=").lstrip("=?"))
        if rest[:1].upper() == "D":  # a number to dial takes the rest of the line
            self._rest = ""
            return "D", "=", rest[1:]
        if not self._sign:
            n = 2 if rest.startswith("&") else 1
            m = n
            while m < len(rest) and rest[m].isdigit():
                m += 1
            self._rest = rest[m:].lstrip(";")
            return rest[:n].upper(), "=", rest[n:m]
        quoted, end = False, len(rest)
        for i, char in enumerate(rest):
            if char == '"':
                quoted = not quoted
            elif char == ";" and not quoted:
                end = i
                break
        self._rest = rest[end + 1 :]
        body = rest[1:end].strip()
        for op in ("=?", "?", "="):
            at = body.find(op)
            if at >= 0 and (op == "=" or body.endswith(op)) and "=" not in body[:at]:
                return body[:at].strip().upper(), op, body[at + len(op) :]
        return body.upper(), "", ""

    def _run(self, name: str, op: str, text: str):
        extended = len(name.lstrip("&")) > 1
        if name in self.unknown or extended != bool(self._sign) or self._sign in ("^", "$"):
            return self.unheard()
        handler = getattr(self, "do_" + name.replace("&", "AMP_"), None)
        if handler is not None:
            return handler(op, split(text))
        if name in self.identity:
            if op != "=?":
                self.info(self.identity[name])
            return OK
        if name in self.values:
            return self._setting(name, op, text)
        return self.unheard()

    def unheard(self):
        """The answer to a command that this firmware does not know."""
        self.not_known[self._sign + self._name] += 1
        return ERROR if self.cmee == 0 else 100

    def _setting(self, name: str, op: str, text: str):
        if op == "?":
            self.info("+%s: %s" % (name, self.values[name]))
        elif op == "=?":
            if name in self.ranges:
                self.info("+%s: %s" % (name, self.ranges[name]))
        elif op == "=":
            self.values[name] = text
        return OK

    def info(self, text: str) -> None:
        """An information line, or a block of lines with one frame."""
        self.hook("before_info")
        manner = self.choices["answers"] if self._spoils() else CLEAN
        if manner == LATE_OK:
            self.result("OK", 0)
        elif manner == UNKNOWN_BEFORE or (manner == UNKNOWN_BEHIND and self._name == "CIFSR"):  # it has no OK
            self.send(self.random.choice(UNKNOWN))
        elif manner == GARBLED:
            at = self.random.randrange(len(text.splitlines()[0]))
            lost = text.startswith("+") and at < 4 and self.random.random() < 0.5  # elsewhere nobody could tell
            text = text[:at] + ("" if lost else "\xff") + text[at + 1 :]
        self.line(text)
        if manner == UNKNOWN_BEHIND and self._name != "CIFSR":
            self.send(self.random.choice(UNKNOWN))

    def line(self, text: "bytes | str") -> None:
        """One line of an answer with its framing, that of ATV0 or ATV1."""
        if self.verbose:
            super().line(text)
        else:
            self.send((text.encode("latin-1") if isinstance(text, str) else text) + b"\r\n")

    def _spoils(self) -> bool:
        """Whether something happens to the answer of this command."""
        name = self._name
        if not self._asks or self.choices["answers"] == CLEAN:
            return False
        for key in (name, ""):
            if self.spoil.get(key):
                self.spoil[key] -= 1
                return True
        twice = name in self._spoiled
        clean = name not in _OFTEN or twice or self.spoil or self.pushing() or self.random.random() > 0.25
        self._spoiled = self._spoiled - {name} if clean else self._spoiled | {name}
        return not clean

    def pushing(self) -> bool:
        """Received data may come at any time: a damaged line cannot be told from damaged data."""
        return False

    def _final(self, result) -> None:
        self.note("%s: %s" % (self._previous.decode("latin-1"), self._noted(result)))
        if result == OK:
            self.hook("before_ok")
            self.result("OK", 0)
            self.hook("after_ok")
        elif result != NO_FINAL:
            self.error(result)
        after, self._after = self._after, []
        self.ready()
        for fn in after:
            fn()

    def _noted(self, result) -> str:
        """A final result for the person at the terminal."""
        if result in (OK, NO_FINAL):
            return "OK" if result == OK else "answered"
        name = self._sign + self._name
        return "refused, " + ("there is no " + name if name in self.not_known else CME_TEXT.get(result, "ERROR"))

    def result(self, text: str, number: int) -> None:
        """A final result code in the form that ATV and ATQ ask for."""
        if not self.quiet:
            self.send(b"\r\n" + text.encode() + b"\r\n" if self.verbose else b"%d\r" % number)

    def error(self, code: int) -> None:
        """ERROR or +CME ERROR."""
        if code == ERROR or self.cmee == 0:
            for _ in range(1 + (self.choices["errors"] == "twice")):
                self.result("ERROR", 4)
        else:
            self.line("+CME ERROR: %s" % (code if self.cmee == 1 else CME_TEXT.get(code, "unknown")))

    def report(self, text: str) -> None:
        """A late result line behind the OK."""
        name = text[1:].partition(":")[0]
        if self.lost_reports.get(name):
            self.lost_reports[name] -= 1
            return
        self.hook("before_report")
        self.push(b"\r\n" + text.encode("latin-1") + b"\r\n")
        self.hook("after_report")

    def after_final(self, fn) -> None:
        """Call fn() when the final result of this command line is out."""
        self._after.append(fn)


def split(text: str) -> list:
    """The parameters of a command: quotes taken off, numbers still text, an omitted one is ''."""
    if not text.strip():
        return []
    fields, field, quoted = [], "", False
    for char in text:
        if char == '"':
            quoted = not quoted
        elif char == "," and not quoted:
            fields.append(field.strip())
            field = ""
        else:
            field += char
    return fields + [field.strip()]


def number(fields: list, index: int, low: int, high: int, default: "int | None" = None) -> "int | None":
    """Field `index` as a number in a range; the default when omitted, None when it is wrong."""
    text = fields[index] if index < len(fields) else ""
    if text == "":
        return default
    return int(text) if text.isdigit() and low <= int(text) <= high else None
