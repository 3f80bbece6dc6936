"""The CIPSTART dialect of SIM800 and SIM7000: PDP contexts, settings, names."""

from .address import numeric
from .at import BAD_PARAMETER, ERROR, NO_FINAL, NOT_ALLOWED, OK, PENDING, number
from .link import CLOSED, CONNECTED, INITIAL, Link
from .push import Push

IP_INITIAL, IP_START, IP_CONFIG = "IP INITIAL", "IP START", "IP CONFIG"
IP_GPRSACT, IP_STATUS, PDP_DEACT = "IP GPRSACT", "IP STATUS", "PDP DEACT"

# What test forms tell of settings that are one number, where it is not the range.
_FORMS = {"CIPMUX": "(0,1)", "CIPQSEND": "(0,1)", "CIPSGTXT": "(0,1)", "CIPMODE": "(0-NORMAL MODE,1-TRANSPARENT MODE)"}


class Context:
    """One PDP context."""

    def __init__(self, apn: str):
        self.state = IP_INITIAL
        self.apn, self.user, self.password = apn, "", ""


class CipNet(Push):
    """Bring-up and shutdown, and what belongs to no link."""

    default_apn = "CMNET"
    ciicr_ms = 1000
    shut_ms = 300
    bringup = "ok"  # "error", "deact": the next bring-ups fail
    CHOICES = {
        "cme_socket": (True, False),  # wrong state: +CME ERROR: 3, or plain ERROR whatever +CMEE says
        "empty_apn": ("taken", "refused"),  # CSTT=""
        "cstt_account": ("cleared", "kept"),  # user and password that CSTT omits
        "clport_link": ("works",),  # CLPORT=n,…; by name: "refused", "ignored", as both notes have it
        "processing": ("stays", "ends"),  # IP PROCESSING behind the last closed link
    }
    settings = {"CIPRDTIMER": "2000,3500", "CIPDPDP": "1,10,3", "CSCLK": "0"}
    settings["CIPTKA"] = "0,7200,75,9"  # on, idle, interval (both in seconds), probes
    ranges = {"CIPRDTIMER": "(100-4000),(100-7000)", "CIPDPDP": "(0,1),(1-180),(1-10)"}
    ranges["CIPTKA"] = "(0,1),(30-7200),(30-600),(1-9)"

    def _reset(self) -> None:
        super()._reset()
        self.contexts = [Context(self.default_apn), Context(self.default_apn)]
        self.selected = 0
        self.mux = self.mode = 0
        self.dns = ["0.0.0.0", "0.0.0.0"]
        self.local_ports: dict = {}
        self._clear_links()

    # --- state

    @property
    def context(self) -> Context:
        """The selected context."""
        return self.contexts[self.selected]

    @property
    def state(self) -> str:
        """The state that CIPSTATUS tells."""
        state = self.context.state
        if state != IP_STATUS:
            return state
        if self.mux:
            mine = [link.state for link in self.links if link.bearer == self.selected and link.state != INITIAL]
            if self.serves():
                return "IP PROCESSING"
            ended = all(state == CLOSED for state in mine) and self.choices["processing"] == "ends"
            return "IP PROCESSING" if mine and not ended else IP_STATUS
        link = self.links[0]
        words = {INITIAL: IP_STATUS, CONNECTED: "CONNECT OK"}
        return words.get(link.state, "%s %s" % (link.proto, link.state))

    def serves(self) -> bool:
        """Whether a server listens in the selected context."""
        return False

    def refuse(self):
        """The answer to a command in the wrong state."""
        return NOT_ALLOWED if self.choices["cme_socket"] else ERROR

    def say(self, link: Link, text: str) -> str:
        """A result line of a link: `n, TEXT` in multi mode."""
        return "%d, %s" % (link.n, text) if self.mux else text

    def link_of(self, args: list) -> "Link | None":
        """The link that a command names; args loses the number. None: no such link."""
        if not self.mux:
            return self.links[0]
        n = number(args, 0, 0, len(self.links) - 1)
        if n is None:
            return None
        del args[0]
        return self.links[n]

    def _range(self) -> str:
        return "(0-%d)," % (len(self.links) - 1) if self.mux else ""

    # --- settings

    def _initial(self) -> bool:
        return all(context.state == IP_INITIAL for context in self.contexts)

    def do_CIPMUX(self, op, args):
        if op == "=" and (not self._initial() or (args == ["1"] and self.mode)):
            return self.refuse()
        return self.switch("CIPMUX", "mux", op, args)

    def do_CIPMODE(self, op, args):
        if op == "=" and (not self._initial() or (args == ["1"] and self.mux)):
            return self.refuse()
        return self.switch("CIPMODE", "mode", op, args)

    def do_CIPSGTXT(self, op, args):
        if op == "=" and not self.mux:
            return self.refuse()
        return self.switch("CIPSGTXT", "selected", op, args)

    def switch(self, name: str, attribute: str, op: str, args: list, highest: int = 1):
        if op != "=?" or name not in _FORMS:
            return super().switch(name, attribute, op, args, highest)
        self.info("+%s: %s" % (name, _FORMS[name]))
        return OK

    def do_CLPORT(self, op, args):
        if op == "?":
            ports = [self.local_ports.get((0, proto), 0) for proto in ("TCP", "UDP")]
            self.info("TCP: %d\r\nUDP: %d" % tuple(ports))
            return OK
        if op == "=?":
            self.info('+CLPORT: %s("TCP","UDP"),(0-65535)' % self._range())
            return OK
        n: "int | None" = 0
        if len(args) == 3:
            if self.choices["clport_link"] == "refused":
                return self.refuse()
            n, args = number(args, 0, 0, len(self.links) - 1), args[1:]
        port = number(args, 1, 0, 65535)
        if n is None or port is None or args[0].upper() not in ("TCP", "UDP"):
            return BAD_PARAMETER
        if not (self.mux and self.choices["clport_link"] == "ignored"):
            self.local_ports[n, args[0].upper()] = port
        return OK

    def do_CIPTKA(self, op, args):
        return self._limited("CIPTKA", ((0, 1), (30, 7200), (30, 600), (1, 9)), op, args)

    def do_CIPRDTIMER(self, op, args):
        return self._limited("CIPRDTIMER", ((100, 4000), (100, 7000)), op, args)

    def do_CIPDPDP(self, op, args):
        return self._limited("CIPDPDP", ((0, 1), (1, 180), (1, 10)), op, args)

    def _limited(self, name: str, limits: tuple, op: str, args: list):
        """A setting of several numbers, omitted ones unchanged."""
        if op != "=":
            return self._setting(name, op, "") if op else ERROR
        before = self.values[name].split(",")
        fresh = [number(args, i, *limit, int(before[i])) for i, limit in enumerate(limits)]
        if None in fresh or not 1 <= len(args) <= len(limits):
            return BAD_PARAMETER
        return self._setting(name, op, ",".join(map(str, fresh)))

    def link_vanished(self, link: Link) -> None:
        """AT+CIPTKA finds out."""
        on, idle, interval, probes = map(int, self.values["CIPTKA"].split(","))
        connection = link.connection

        def due() -> None:
            if link.connection is connection and link.open:
                link.drop(CLOSED)
                self.link_closed(link)

        if on:
            self.later((idle + interval * probes) * 1000, due)

    def do_CDNSCFG(self, op, args):
        if op == "?":
            self.info("PrimaryDns: %s\r\nSecondaryDns: %s" % tuple(self.dns))
        elif op == "=?":
            self.info('+CDNSCFG: ("Primary DNS"),("Secondary DNS")')
        else:
            if not 1 <= len(args) <= 2 or not all(numeric(each) for each in args):
                return BAD_PARAMETER
            self.dns[: len(args)] = args
        return OK

    # --- bring-up and shutdown

    def do_CSTT(self, op, args):
        context = self.context
        if op == "?":
            self.info('+CSTT: "%s","%s","%s"' % (context.apn, context.user, context.password))
            return OK
        if op == "=?":
            self.info('+CSTT: "APN","USER","PWD"')
            return OK
        if context.state != IP_INITIAL:
            return self.refuse()
        if op == "=" and not args or max(map(len, args), default=0) > 50:
            return BAD_PARAMETER
        if len(args) > 3 or (args and not args[0] and self.choices["empty_apn"] == "refused"):
            return BAD_PARAMETER
        rest = ["", ""] if self.choices["cstt_account"] == "cleared" else [context.user, context.password]
        context.apn, context.user, context.password = (
            args + rest[len(args) - 1 :] if args else (self.default_apn, "", "")
        )
        context.state = IP_START
        return OK

    def do_CIICR(self, op, args):
        context = self.context
        if op == "=?":
            return OK
        if op or context.state != IP_START:
            return self.refuse()
        self.bring_up(context, self._brought_up)
        return PENDING

    def bring_up(self, context: Context, done) -> None:
        """Activate a context; done("ok"), done("error") or done("deact")."""
        context.state = IP_CONFIG
        self.later(self.ciicr_ms, lambda: done(self._outcome(context)))

    def _outcome(self, context: Context) -> str:
        if context.state != IP_CONFIG:  # the network, or CIPSHUT, took it away meanwhile
            return "error"
        known = self.home_apns is None or context.apn in self.home_apns
        outcome = self.bringup if self.grants() and known else "error"
        context.state = {"ok": IP_GPRSACT, "error": IP_INITIAL, "deact": PDP_DEACT}[outcome]
        return outcome

    def _brought_up(self, outcome: str) -> None:
        if outcome == "deact":
            self.line("+PDP: DEACT")
        self.resume(OK if outcome == "ok" else ERROR)

    def has_address(self) -> bool:
        """The context is up."""
        return self.context.state in (IP_GPRSACT, IP_STATUS)

    def do_CIFSR(self, op, args):
        if op == "=?":
            return OK
        if op or not self.has_address():
            return self.refuse()
        self.context.state = IP_STATUS
        self.info(self.net.local_addresses[self.selected])
        return NO_FINAL

    def do_CIPSHUT(self, op, args):
        if op:
            return OK if op == "=?" else ERROR
        context = self.context
        self._transparent = False
        for link in self.links:
            if link.bearer == self.selected:
                link.drop(INITIAL)
                link.clear()
        self.links_lost(self.selected)
        self.later(self.shut_ms, lambda: self._shut(context))
        return PENDING

    def _shut(self, context: Context) -> None:
        context.state = IP_INITIAL
        self.line("SHUT OK")
        self.resume(NO_FINAL)

    def pdp_deact(self, bearer: int = 0) -> None:
        """The network takes a context away."""
        context = self.contexts[bearer]
        if context.state in (IP_INITIAL, IP_START, PDP_DEACT):
            return
        context.state = PDP_DEACT
        for link in self.links:
            if link.bearer == bearer and link.state != INITIAL:
                link.drop(CLOSED)
                link.forget_data()
        self.exception("+PDP: DEACT")
        self.links_lost(bearer)

    def network_lost(self) -> None:
        for bearer in range(2):
            self.pdp_deact(bearer)

    def function_off(self) -> None:
        self.line("+SAPBR 1: DEACT")
        self.detached()
        self.line("+CPIN: NOT READY")

    # --- names

    def do_CDNSGIP(self, op, args):
        if op == "=?":
            return OK
        if op != "=" or len(args) != 1 or not args[0]:
            return BAD_PARAMETER
        if not self.has_address():
            return self.refuse()
        name, generation = args[0], self._generation

        def resolved(found: list) -> None:
            if generation != self._generation:
                return
            if found:
                self.report('+CDNSGIP: 1,"%s",%s' % (name, ",".join('"%s"' % address for address in found)))
            else:
                self.report("+CDNSGIP: 0,8")

        self.after_final(lambda: self.net.resolve(name, resolved))
        return OK
