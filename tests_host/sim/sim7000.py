"""SIM7000: eight links, a fixed rate, LTE Cat-M/NB."""

from .cipdata import CipData
from .lowpower import LowPower


class Module(LowPower, CipData):
    """The SIM7000 profile."""

    family = "sim7000"
    link_count = 8
    boot_lines = ((0, "RDY"), (150, "+CFUN: 1"), (300, "+CPIN: READY"), (1500, "SMS Ready"))
    boot_lines += ((3100, '*PSUTTZ: 24/05/17,10:11:12","+08",0'), (3110, "DST: 0"))
    settings = {"CNMP": "2", "CMNB": "1", "CBANDCFG": '"CAT-M",20', "CNBP": "0", "CSGS": "0"}
    settings.update({"CGNSPWR": "0", "CNCFG": "0", "SAPBR": "1,1", "CREBOOT": ""})
    identity = {
        "I": "SIM7000G R1529",
        "CGMI": "SIMCOM_Ltd",
        "GMI": "SIMCOM_Ltd",
        "CGMM": "SIMCOM_SIM7000G",
        "GMM": "SIMCOM_SIM7000G",
        "CGMR": "Revision:1529B11SIM7000G",
        "GMR": "Revision:1529B11SIM7000G",
        "CGSN": "868822040000017",
        "GSN": "868822040000017",
        "CCID": "89860000000000000017",
        "CIMI": "001010000000017",
    }

    def do_CIFSREX(self, op, args):
        """Like CIFSR, with a prefix and an OK."""
        if op or not self.has_address():
            return self.refuse()
        self.context.state = "IP STATUS"
        self.info("+CIFSREX: " + self.net.local_addresses[self.selected])
        return "OK"
