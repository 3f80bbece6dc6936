"""A76XX: ten links, four servers, LTE Cat-1."""

from .openrecv import OpenReceive
from .services import GnssInfo, Services


class Module(Services, GnssInfo, OpenReceive):
    """The A76XX profile."""

    family = "a76xx"
    link_count = 10
    server_count = 4
    boot_ms = 5000
    on_press_ms = 50
    off_press_ms = 2500
    reset_press_ms = 2500
    deaf_ms = 200
    boot_lines = ((200, "*ATREADY: 1"), (250, "+CPIN: READY"), (1500, "SMS DONE"))
    boot_lines += ((3000, "+CGEV: EPS PDN ACT 1"), (4500, "PB DONE"))
    cpsi = "LTE,Online,001-01,0x230A,175499523,318,EUTRAN-BAND3,1650,5,0,21,67,255,19"
    settings = {"CGEREP": "2,0", "CNMP": "2", "CNBP": "0", "CSDVC": "1", "CGPSINFO": "0", "CLVL": "3", "CMIC": "3"}
    ranges = {"CNMP": "(2,13,14,38,48,54,60)", "CSDVC": "(1-3)", "CLVL": "(0-7)"}
    keepalive_early = True
    battery_in_volts = True
    ntp_done = 0
    system_mode = 8
    CHOICES = {
        "ipaddr_error": (b"+IPADDR: ", b"+IP ERROR: "),
        "recv_from": (b"RECV FROM:", b"+RECV FROM:", b"RECV FROM: "),
    }
    model = "A7670E-FASE"
    revision = "A011B09A7670M7_F"
    imei, iccid, imsi = "866340060000076", "89860000000000000076", "001010000000076"
    identity = {
        "I": "Manufacturer: INCORPORATED\r\nModel: %(model)s\r\nRevision: %(revision)s\r\nIMEI: %(imei)s",
        "CGMI": "INCORPORATED",
        "CGMM": "%(model)s",
        "CGMR": "+CGMR: %(revision)s",
        "GCAP": "+GCAP: +CGSM,+FCLASS,+DS",
        "CCID": None,
        "CICCID": "+ICCID: %(iccid)s",
        "CPMUTEMP": "+CPMUTEMP: 36",
        "SIMCOMATI": "Manufacturer: INCORPORATED\r\nModel: %(model)s\r\nRevision: %(revision)s\r\n"
        "A7670M7_B09V01_250619\r\nQCN:\r\nIMEI: %(imei)s\r\nMEID:\r\n+GCAP: +CGSM,+FCLASS,+DS\r\n"
        "DeviceInfo:",
    }

    do_CCID = None  # its name is CICCID

    def do_CICCID(self, op, args):
        return self._number_of("CICCID")
