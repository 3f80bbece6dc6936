"""SIM7080: thirteen links, four contexts, LTE Cat-M and NB-IoT, sockets by CAOPEN only."""

from .at import BAD_PARAMETER, ERROR, OK
from .caname import CaName
from .lowpower import LowPower

_MODES = "((2-Automatic),(13-GSM Only),(38-LTE Only),(51-GSM And LTE Only))"
_NETWORKS = "((1-Cat-M),(2-NB-IoT),(3-Cat-M And NB-IoT))"
# Settings that are saved at once: their values, and the test form.
_SAVED = {"CSCLK": (("0", "1"), "(0,1)"), "CNMP": (("2", "13", "38", "51"), _MODES)}
_SAVED["CMNB"] = (("1", "2", "3"), _NETWORKS)


class Module(LowPower, CaName):
    """The SIM7080 profile."""

    family = "sim7080"
    line_limit = 559
    boot_ms = 2000
    on_press_ms = 1000
    off_press_ms = 1200
    restart_press_ms = 12_000
    reset_press_ms = 1e12  # there is no RESET pin
    default_autobaud = True
    boot_lines = ((0, "RDY"), (150, "+CFUN: 1"), (300, "+CPIN: READY"), (1500, "SMS Ready"))
    untold = ("RDY", "+CFUN: 1", "+CPIN: READY", "SMS Ready")
    rates = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 921600)
    rates += (2000000, 2900000, 3000000, 3200000, 3686400, 4000000)
    cell = ',"5B57","195071B",9'
    operator_act = 9
    cpsi = "LTE NB-IOT,Online,001-01,0x5B57,26544923,101,EUTRAN-BAND5,2506,0,0,-11,-88,-61,13"
    settings = {"CNMP": "38", "CMNB": "3", "CSCLK": "0"}
    CHOICES = {
        "cfun_cpin": ("behind", "before"),
        "reset_answer": ("ok", "none", "garbage", "late"),  # late: OK behind the restart, when the rate is fixed
        # What a module without a fixed rate says once it has measured it: nothing, `+CPIN: READY` and `SMS Ready`, or
        # only `SMS Ready`, during registration.
        "autobaud_boot": ("none", "cpin", "late"),
    }
    model, revision = "SIM7080", "1951B17SIM7080"
    imei, iccid, imsi = "860016040000080", "89860000000000000080", "001010000000080"
    identity = {"I": "%(model)s R1951"}
    _untrained = False  # no character has told it the rate since it started
    _owes_ok = False  # of the command that restarted it

    # --- start

    def _booted(self) -> None:
        super()._booted()
        self._untrained = self.autobaud
        if self._owes_ok:
            self.result("OK", 0)
            self._owes_ok = False

    def _feed(self, data: bytes) -> None:
        if not self._untrained:
            super()._feed(data)

    def receive(self, data: bytes, baud: int) -> None:
        """Bytes from the host: the first A or a tells the rate, and is lost with what stands in front."""
        if self._untrained and self.running:
            at = data.upper().find(b"A")
            spent, data = (data, b"") if at < 0 else (data[: at + 1], data[at + 1 :])
            self.log.append((self.clock.ms, ">", spent))
            if at >= 0:
                self._trained(baud)
        super().receive(data, baud)

    def _trained(self, baud: int) -> None:
        self._untrained, self.baud = False, baud
        form = self.choices["autobaud_boot"]
        if form == "cpin":
            self._boot_line("+CPIN: READY")
        if form != "none":
            self.later(4000 if form == "late" else 1500, lambda: self._boot_line("SMS Ready"))

    def _boot_line(self, text: str) -> None:
        super()._boot_line(text)
        if text == "+CPIN: READY" and self.sim == "NOT INSERTED":
            super()._boot_line("+CPIN: NOT READY")

    def restarting(self):
        self._owes_ok = self.choices["reset_answer"] == "late" and not self.autobaud
        return super().restarting()

    def do_CREBOOT(self, op, args):
        if op == "":
            return self.restarting()
        return OK if op == "=?" else ERROR

    def do_CFUN(self, op, args):
        """6 restarts."""
        return self.restarting() if op == "=" and args == ["6"] else super().do_CFUN(op, args)

    # --- settings in flash

    def _factory(self) -> None:
        super()._factory()
        if not hasattr(self, "_flash"):
            self._flash = {name: self.values[name] for name in _SAVED}
        self.values.update(self._flash)

    def _setting(self, name: str, op: str, text: str):
        if name in _SAVED:
            values, form = _SAVED[name]
            if op == "=?":
                self.info("+%s: %s" % (name, form))
                return OK
            if op == "=":
                if text not in values:
                    return BAD_PARAMETER
                self._flash[name] = text
        return super()._setting(name, op, text)
