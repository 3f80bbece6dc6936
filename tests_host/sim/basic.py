"""The commands of V.250 and 3GPP TS 27.007 that every family answers."""

from .at import BAD_PARAMETER, BAD_PASSWORD, ERROR, NO_FINAL, NOT_ALLOWED, OK, PENDING, RATES
from .at import SIM_ABSENT, SIM_BUSY, SIM_PIN, number
from .sms import Sms


class Basic(Sms):
    """Identification, settings, SIM and network commands."""

    settings = {"CNMI": "2,1,0,0,0", "CSCS": '"IRA"', "CLIP": "0", "CPMS": '"SM",0,30', "CGEREP": "0"}
    settings.update({"CTZR": "0", "CTZU": "0", "CLTS": "0", "CGDCONT": '1,"IP",""', "CSMP": "17,167,0,0"})

    networks: tuple = ((2, "Simulated", "Sim", "00101", 7),)  # of AT+COPS=?: (stat, long, short, number, AcT)
    scan_ms = 3000  # how long AT+COPS=? takes
    CHOICES = {
        "reset_answer": ("ok", "none", "garbage"),  # of the command that restarts the module
        # behind an identity, before its OK: what the module happens to tell then
        "identity_tail": (b"", b'*ISIMAID: "A0000000000000000000000000000000"', b"DST: 1", b"+CSCON: 1"),
    }

    cell = ',"1A2B","01C3D4E5",7'  # <tac>,<ci>,<AcT>
    cpsi = "LTE CAT-M1,Online,001-01,0x1A2B,29611237,101,EUTRAN-BAND20,6300,3,3,-11,-88,-61,13"

    # --- V.250

    def do_E(self, op, args):
        value = number(args, 0, 0, 1, 0)
        self.echo = bool(value)
        return ERROR if value is None else OK

    def do_V(self, op, args):
        self.verbose = number(args, 0, 0, 1, 0) != 0
        return OK

    def do_Q(self, op, args):
        self.quiet = number(args, 0, 0, 1, 0) == 1
        return OK

    def do_Z(self, op, args):
        self._factory()
        return OK

    do_AMP_F = do_Z

    def do_AMP_D(self, op, args):
        value = number(args, 0, 0, 2, 0)
        if value is not None:
            self.dtr_mode = value
        return ERROR if value is None else OK

    def do_AMP_W(self, op, args):
        return ERROR if number(args, 0, 0, 2, 0) is None else OK

    def do_I(self, op, args):
        self.info(self.identity["I"])
        return OK

    def do_IPR(self, op, args):
        if op == "?":
            self.info("+IPR: %d" % (0 if self.autobaud else self.baud))
        elif op == "=?":
            self.info("+IPR: (),(0,%s)" % ",".join(map(str, RATES)))
        else:
            rate = number(args, 0, 0, 10**7)
            if rate != 0 and rate not in RATES:
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
        elif op == "=":
            if number(args, 0, 0, 2) is None or number(args, 1, 0, 2, 0) is None:
                return ERROR
            self.values["IFC"] = ",".join(args)
        return OK

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
        if level != 1 and before == 1:
            self.function_off()
        elif level == 1 and before != 1:
            self._up_since = self._search_since = self.clock.now_us
            self.line("+CPIN: " + self.sim)
        self.resume(OK)

    def function_off(self) -> None:
        """The radio goes off: contexts die."""

    def do_CPOWD(self, op, args):
        """NORMAL POWER DOWN instead of OK."""
        if op != "=" or number(args, 0, 0, 1) is None:
            return ERROR
        self.power_off("NORMAL POWER DOWN" if args[0] == "1" else "")
        return PENDING

    # --- SIM and network

    def do_CPIN(self, op, args):
        if self.clock.now_us - self._up_since < self.sim_busy_ms * 1000:
            return SIM_BUSY
        if self.sim == "NOT INSERTED" or self.cfun == 0:
            return SIM_ABSENT
        if op == "?":
            self.info("+CPIN: " + self.sim)
        elif op == "=":
            if self.sim != "SIM PIN":
                return NOT_ALLOWED
            if args[:1] != [self.pin]:
                return BAD_PASSWORD
            self.sim = "READY"
            self._search_since = self.clock.now_us
            self.after_final(lambda: self.urc("+CPIN: READY"))
        return OK

    def _card(self, name: str):
        """A number read from the card."""
        if self.sim == "NOT INSERTED":
            return SIM_ABSENT
        if self.sim != "READY" and name == "CIMI":
            return SIM_PIN
        self.info(self.identity[name])
        if self.choice("identity_tail"):
            self.line(self.choice("identity_tail"))
        return OK

    def do_CIMI(self, op, args):
        return self._card("CIMI")

    def do_CCID(self, op, args):
        return self._card("CCID")

    _registration = 1

    @property
    def registration(self) -> int:
        """The registration state that CREG, CGREG and CEREG tell; set it to change the network."""
        if self.sim != "READY" or self.cfun != 1:
            return 0
        if self._registration in (1, 5) and self.clock.now_us - self._search_since < self.register_ms * 1000:
            return 2
        return self._registration

    @registration.setter
    def registration(self, value: int) -> None:
        self._registration = value
        for name, mode in self.reports.items() if self.running else ():
            if mode:
                self.urc("+%s: %d%s" % (name, value, self._cell(mode, value)))

    @property
    def registered(self) -> bool:
        """Home or roaming."""
        return self.registration in (1, 5)

    def _cell(self, mode: int, state: int) -> str:
        return self.cell if mode == 2 and state in (1, 5) else ""

    def _report(self, name: str, op: str, args: list):
        if op == "?":
            mode, state = self.reports[name], self.registration
            self.info("+%s: %d,%d%s" % (name, mode, state, self._cell(mode, state)))
        elif op == "=?":
            self.info("+%s: (0-2)" % name)
        else:
            mode = number(args, 0, 0, 2, 0)
            if mode is None:
                return BAD_PARAMETER
            self.reports[name] = mode
        return OK

    def do_CREG(self, op, args):
        return self._report("CREG", op, args)

    def do_CGREG(self, op, args):
        return self._report("CGREG", op, args)

    def do_CEREG(self, op, args):
        return self._report("CEREG", op, args)

    def do_CSQ(self, op, args):
        if op == "=?":
            self.info("+CSQ: (0-31,99),(0-7,99)")
        else:
            self.info("+CSQ: %d,%d" % (self.csq, 99 if self.csq == 99 else 0))
        return OK

    def do_COPS(self, op, args):
        if op == "?":
            self.info('+COPS: 0,0,"%s",7' % self.operator if self.registered else "+COPS: 0")
        elif op == "=?":
            self.later(self.scan_ms, self._scanned)
            return PENDING
        return OK

    def _scanned(self) -> None:
        found = ",".join('(%d,"%s","%s","%s",%d)' % each for each in self.networks)
        self.info("+COPS: %s,,(0,1,2,3,4),(0,1,2)" % found)
        self.resume(OK)

    def do_CPSI(self, op, args):
        if not self.registered:
            self.info("+CPSI: NO SERVICE,Online")
        else:
            self.info("+CPSI: " + self.cpsi)
        return OK

    attached_by_host = True

    @property
    def attached(self) -> bool:
        """Attached to the packet service."""
        return self.registered and self.attached_by_host

    def do_CGATT(self, op, args):
        if op == "?":
            self.info("+CGATT: %d" % self.attached)
            return OK
        if op == "=?":
            self.info("+CGATT: (0,1)")
            return OK
        value = number(args, 0, 0, 1)
        if value is None:
            return BAD_PARAMETER
        if value and not self.registered:
            return ERROR
        self.later(300, lambda: self._attach(value))
        return PENDING

    def _attach(self, value: int) -> None:
        self.attached_by_host = bool(value)
        if not value:
            self.detached()
        self.resume(OK)

    def detached(self) -> None:
        """The packet service is gone: contexts die."""
