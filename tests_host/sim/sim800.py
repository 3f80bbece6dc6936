"""SIM800: six links, autobauding, GPRS."""

from .at import ERROR, NOT_ALLOWED, OK
from .cipdata import CipData
from .link import Link


class Module(CipData):
    """The SIM800 profile."""

    family = "sim800"
    link_count = 6
    boot_ms = 3000
    off_press_ms = 1000
    restart_press_ms = 33_000
    reset_press_ms = 105
    default_autobaud = True
    boot_lines = ((0, "RDY"), (150, "+CFUN: 1"), (300, "+CPIN: READY"), (1800, "Call Ready"), (2100, "SMS Ready"))
    settings = {"CIPSSL": "0", "CSGS": "0", "CNETLIGHT": "1", "EXUNSOL": '"SQ",0', "CSDT": "0", "HTTPPARA": ""}
    CHOICES = {
        "boot_noise": (b"", b"\x00IIII\xff\xff\xff\xff"),
        "ready_order": ("call first", "sms first"),
        "close_prefix": (b"", b"OK"),  # in front of the CLOSED OK of some firmware
    }
    identity = {
        "I": "SIM800 R14.18",
        "CGMI": "SIMCOM_Ltd",
        "GMI": "SIMCOM_Ltd",
        "CGMM": "SIMCOM_SIM800",
        "GMM": "SIMCOM_SIM800",
        "CGMR": "Revision:1418B05SIM800L24",
        "GMR": "Revision:1418B05SIM800L24",
        "CGSN": "866050030000018",
        "GSN": "866050030000018",
        "CCID": "89860000000000000018",
        "CIMI": "001010000000018",
    }

    lte = False
    do_CEREG = do_CPSI = do_CGDCONT = None  # a 2G module without them: it attaches without an APN

    def _boot_line(self, text: str) -> None:
        if self.choices["ready_order"] == "sms first":
            text = {"Call Ready": "SMS Ready", "SMS Ready": "Call Ready"}.get(text, text)
        super()._boot_line(text)

    def _closed_by_host(self, link: Link) -> None:
        if self.choices["close_ok"] == b"CLOSED OK" and self.choices["close_prefix"]:
            self.line(self.choices["close_prefix"])
        super()._closed_by_host(link)

    # --- the bearer and HTTP set beside the sockets

    def _reset(self) -> None:
        super()._reset()
        self._bearer_open = self._http = False

    def do_SAPBR(self, op, args):
        verb = args[0] if op == "=" and args else ""
        if verb in ("0", "1"):
            if self._bearer_open == (verb == "1") or not self.attached:
                return NOT_ALLOWED
            self._bearer_open = verb == "1"
        elif verb == "2":
            state = '1,"%s"' % self.net.local_addresses[0] if self._bearer_open else '3,"0.0.0.0"'
            self.info("+SAPBR: 1," + state)
        elif verb not in ("3", "4"):
            return ERROR
        return OK

    def do_HTTPINIT(self, op, args):
        if self._http:
            return NOT_ALLOWED
        self._http = True
        return OK

    def do_HTTPTERM(self, op, args):
        result = OK if self._http else NOT_ALLOWED
        self._http = False
        return result

    def do_HTTPACTION(self, op, args):
        """There is no HTTP in the virtual network: every request ends as a failed name lookup."""
        if not self._http:
            return NOT_ALLOWED
        self.after_final(lambda: self.later(500, lambda: self.report("+HTTPACTION: %s,603,0" % args[0])))
        return OK
