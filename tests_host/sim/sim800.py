"""SIM800: six links, autobauding, GPRS."""

from .bearer import Bearer
from .link import Link


class Module(Bearer):
    """The SIM800 profile."""

    family = "sim800"
    link_count = 6
    boot_ms = 3000
    off_press_ms = 1000
    restart_press_ms = 33_000
    reset_press_ms = 105
    default_autobaud = True
    boot_lines = ((0, "RDY"), (150, "+CFUN: 1"), (300, "+CPIN: READY"), (1800, "Call Ready"), (2100, "SMS Ready"))
    settings = {"CSGS": "0", "CNETLIGHT": "1", "EXUNSOL": '"SQ",0', "CSDT": "0", "DDET": "0", "GSMBUSY": "0"}
    settings.update({"CLVL": "60", "CMIC": "0,10", "CHFA": "0", "CBAND": '"ALL_BAND"', "CFGRI": "0"})
    ranges = {"CSGS": "(0-2)", "CNETLIGHT": "(0,1)", "DDET": "(0,1)", "GSMBUSY": "(0,1)", "CLVL": "(0-100)"}
    ranges.update({"CHFA": "(0-4)", "CFGRI": "(0-1)"})
    CHOICES = {
        "boot_noise": (b"", b"\x00IIII\xff\xff\xff\xff"),
        "ready_order": ("call first", "sms first"),
        "close_prefix": (b"", b"OK"),  # in front of the CLOSED OK of some firmware
    }
    model = "SIM800"
    revision = "1418B05SIM800L24"
    imei, iccid, imsi = "866050030000018", "89860000000000000018", "001010000000018"
    identity = {"I": "%(model)s R14.18", "GCAP": "+GCAP: +FCLASS,+CGSM"}

    ri_ms = {"sms": 120, "call": 50}
    lte = False
    operator_act = None
    cell = ',"1A2B","D4E5"'
    do_CEREG = do_CPSI = None  # a 2G module without them: it attaches without an APN

    def _boot_line(self, text: str) -> None:
        if self.choices["ready_order"] == "sms first":
            text = {"Call Ready": "SMS Ready", "SMS Ready": "Call Ready"}.get(text, text)
        super()._boot_line(text)

    def _closed_by_host(self, link: Link) -> None:
        if self.choices["close_ok"] == b"CLOSED OK" and self.choices["close_prefix"]:
            self.line(self.choices["close_prefix"])
        super()._closed_by_host(link)
