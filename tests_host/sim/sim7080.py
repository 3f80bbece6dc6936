"""SIM7080: thirteen links, four contexts, LTE Cat-M and NB-IoT, sockets by CAOPEN only."""

from .caname import CaName


class Module(CaName):
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
    cell = ',"5B57","195071B",9'
    operator_act = 9
    cpsi = "LTE NB-IOT,Online,001-01,0x5B57,26544923,101,EUTRAN-BAND5,2506,0,0,-11,-88,-61,13"
    settings = {"CNMP": "38", "CMNB": "3"}
    identity = {
        "I": "SIM7080 R1951",
        "CGMI": "SIMCOM_Ltd",
        "GMI": "SIMCOM_Ltd",
        "CGMM": "SIMCOM_SIM7080",
        "GMM": "SIMCOM_SIM7080",
        "CGMR": "Revision:1951B17SIM7080",
        "GMR": "Revision:1951B17SIM7080",
        "CGSN": "860016040000080",
        "GSN": "860016040000080",
        "CCID": "89860000000000000080",
        "CIMI": "001010000000080",
    }
    rates = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 921600)
    rates += (2000000, 2900000, 3000000, 3200000, 3686400, 4000000)
    untold = ("RDY", "+CFUN: 1")
    CHOICES = {
        "cfun_cpin": ("behind", "before"),
        # What a module without a fixed rate says once it has measured it: nothing, `+CPIN: READY` and `SMS Ready`, or
        # only `SMS Ready`, during registration.
        "autobaud_boot": ("none", "cpin", "late"),
    }
    _untrained = False  # no character has told it the rate since it started

    # --- start

    def _booted(self) -> None:
        super()._booted()
        self._untrained = self.autobaud
        if self.autobaud:
            self.baud = 0

    def _feed(self, data: bytes) -> None:
        if not self._untrained:
            super()._feed(data)

    def receive(self, data: bytes, baud: int) -> None:
        """Bytes from the host: the first characters tell the rate and are lost."""
        super().receive(data, baud)
        if self._untrained and self.baud:
            self._untrained = False
            form = self.choices["autobaud_boot"]
            if form == "cpin":
                self._boot_line("+CPIN: READY")
            if form != "none":
                self.later(4000 if form == "late" else 1500, lambda: self._boot_line("SMS Ready"))

    def _boot_line(self, text: str) -> None:
        super()._boot_line(text)
        if text == "+CPIN: READY" and self.sim == "NOT INSERTED":
            super()._boot_line("+CPIN: NOT READY")
