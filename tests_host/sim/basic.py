"""The commands of V.250 and 3GPP TS 27.007 that every family answers."""

from .at import BAD_PARAMETER, ERROR, NO_FINAL, OK, PENDING, RATES, number
from .attach import Attach
from .phone import Phone
from .profile import UserProfile
from .sms import Sms


class Basic(UserProfile, Sms, Phone, Attach):
    """Settings, function level, power."""

    rates = RATES  # that IPR takes
    CHOICES = {
        "cfun_cpin": ("before", "behind"),  # +CPIN: and the OK of CFUN=1
        "reset_answer": ("ok", "none", "garbage"),  # of the command that restarts the module
    }

    settings = {"CSCS": '"IRA"', "CGEREP": "0", "ICF": "3,3"}
    ranges = {"CSCLK": "(0-2)", "CSCS": '("IRA","GSM","UCS2","HEX")', "CGEREP": "(0-2),(0-1)", "ICF": "(0-6),(0-4)"}

    # --- V.250

    def do_E(self, op, args):
        value = number(args, 0, 0, 1, 0)
        self.echo = bool(value)
        return ERROR if value is None else OK

    def do_V(self, op, args):
        value = number(args, 0, 0, 1, 0)
        if value is not None:
            self.verbose = value != 0
        return ERROR if value is None else OK

    def do_Q(self, op, args):
        value = number(args, 0, 0, 1, 0)
        if value is not None:
            self.quiet = value == 1
        return ERROR if value is None else OK

    def do_AMP_D(self, op, args):
        value = number(args, 0, 0, 2, 0)
        if value is not None:
            self.dtr_mode = value
        return ERROR if value is None else OK

    def do_IPR(self, op, args):
        if op == "?":
            self.info("+IPR: %d" % (0 if self.autobaud else self.baud))
        elif op == "=?":
            self.info("+IPR: (),(0,%s)" % ",".join(map(str, self.rates)))
        else:
            rate = number(args, 0, 0, 10**7)
            if rate != 0 and rate not in self.rates:
                return ERROR
            self.after_final(lambda: self._set_rate(rate))
        return OK

    def _set_rate(self, rate: int) -> None:
        """After the OK has left at the old rate."""
        self.saved_autobaud = rate == 0
        self.saved_baud = rate or self.baud

        def change():
            self.autobaud, self.baud = self.saved_autobaud, self.saved_baud

        self.later(self.port.backlog_us() / 1000, change)

    def do_IFC(self, op, args):
        if op == "?":
            self.info("+IFC: %s" % self.values.get("IFC", "0,0"))
        elif op == "=?":
            self.info("+IFC: (0-2),(0-2)")
        else:
            if number(args, 0, 0, 2) is None or number(args, 1, 0, 2, 0) is None:
                return ERROR
            self.values["IFC"] = ",".join(args)
        return OK

    def do_CSCLK(self, op, args):
        if op == "=" and number(args, 0, 0, 2) is None:
            return ERROR
        return self._setting("CSCLK", op, ",".join(args)) if op else ERROR

    def do_CMEE(self, op, args):
        if op == "?":
            self.info("+CMEE: %d" % self.cmee)
        elif op == "=?":
            self.info("+CMEE: (0-2)")
        else:
            value = number(args, 0, 0, 2)
            if value is None:
                return BAD_PARAMETER
            self.cmee = value
        return OK

    # --- function level and power

    def do_CFUN(self, op, args):
        if op == "?":
            self.info("+CFUN: %d" % self.cfun)
            return OK
        if op == "=?":
            self.info("+CFUN: (0,1,4),(0,1)")
            return OK
        level = number(args, 0, 0, 7)
        if level not in (0, 1, 4):
            return BAD_PARAMETER
        if number(args, 1, 0, 1, 0) == 1:
            return self.restarting()
        self.later(200, lambda: self._set_function(level))
        return PENDING

    def restarting(self):
        """The command to restart was taken: what is answered, before the module goes down."""
        self.after_final(lambda: self.later(self.port.backlog_us() / 1000 + 100, self.restart))
        answer = self.choice("reset_answer")
        if answer == "garbage":
            self.send(b"\r\n+CPIN: NOT READY\r\n\x00\xf8\x80O")
        return OK if answer == "ok" else NO_FINAL

    def _set_function(self, level: int) -> None:
        before, self.cfun = self.cfun, level
        self.function = level
        if level != 1 and before == 1:
            self.function_off()
            self.registration_changed()
        elif level == 1 and before != 1:
            self._up_since = self.clock.now_us
            self.searching()
            if before == 0:
                self.card_power()
            self.search()
            if self.choices["cfun_cpin"] == "before":
                self.line("+CPIN: " + self.sim)
            else:
                self.after_final(lambda: self.urc("+CPIN: " + self.sim))
        self.resume(OK)

    def function_off(self) -> None:
        """The radio goes off: contexts die."""

    def do_CPOWD(self, op, args):
        """NORMAL POWER DOWN instead of OK."""
        if op != "=" or number(args, 0, 0, 1) is None:
            return ERROR
        self.power_off(self.off_text if args[0] == "1" else "")
        return PENDING
