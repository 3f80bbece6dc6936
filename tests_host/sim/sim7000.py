"""SIM7000: eight links, a fixed rate, LTE Cat-M/NB."""

from .bearer import Bearer
from .lowpower import LowPower
from .services import Gnss


class Module(Gnss, LowPower, Bearer):
    """The SIM7000 profile."""

    family = "sim7000"
    link_count = 8
    boot_lines = ((0, "RDY"), (150, "+CFUN: 1"), (300, "+CPIN: READY"), (1500, "SMS Ready"))
    boot_lines += ((3100, '*PSUTTZ: 24/05/17,10:11:12","+08",0'), (3110, "DST: 0"))
    settings = {"CNMP": "2", "CMNB": "1", "CBANDCFG": '"CAT-M",20', "CNBP": "0", "CSGS": "0"}
    settings.update({"CNCFG": "0", "CREBOOT": ""})
    ranges = {"CNMP": "((2-Automatic),(13-GSM Only),(38-LTE Only),(51-GSM And LTE Only))"}
    ranges.update({"CMNB": "((1-Cat-M),(2-NB-IoT),(3-Cat-M And NB-IoT))", "CSGS": "(0-2)"})
    system_mode = 7
    model = "SIM7000G"
    revision = "1529B11SIM7000G"
    imei, iccid, imsi = "868822040000017", "89860000000000000017", "001010000000017"
    identity = {"I": "%(model)s R1529"}

    def do_CIFSREX(self, op, args):
        """Like CIFSR, with a prefix and an OK."""
        if op or not self.has_address():
            return self.refuse()
        self.context.state = "IP STATUS"
        self.info("+CIFSREX: " + self.net.local_addresses[self.selected])
        return "OK"
