"""A76XX: ten links, four servers, LTE Cat-1."""

from .openrecv import OpenReceive


class Module(OpenReceive):
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
    settings = {"CGEREP": "2,0", "CNMP": "2", "CNBP": "0", "CSDVC": "1", "CGPSINFO": "0"}
    CHOICES = {
        "ipaddr_error": (b"+IPADDR: ", b"+IP ERROR: "),
        "recv_from": (b"RECV FROM:", b"+RECV FROM:", b"RECV FROM: "),
    }
    identity = {
        "I": "Manufacturer: INCORPORATED\r\nModel: A7670E-FASE\r\nRevision: A011B09A7670M7_F\r\nIMEI: 000000000000000",
        "CGMI": "INCORPORATED",
        "GMI": "INCORPORATED",
        "CGMM": "A7670E-FASE",
        "GMM": "A7670E-FASE",
        "CGMR": "+CGMR: A011B09A7670M7_F",
        "GMR": "+CGMR: A011B09A7670M7_F",
        "CGSN": "866340060000076",
        "GSN": "866340060000076",
        "CICCID": "+ICCID: 89860000000000000076",
        "CIMI": "001010000000076",
        "SIMCOMATI": "Manufacturer: INCORPORATED\r\nModel: A7670E-FASE\r\nRevision: A011B09A7670M7_F\r\n"
        "A7670M7_B09V01_250619\r\nQCN:\r\nIMEI: 000000000000000\r\nMEID:\r\n+GCAP: +CGSM,+FCLASS,+DS\r\n"
        "DeviceInfo:",
    }

    do_CCID = None  # its name is CICCID

    def do_CICCID(self, op, args):
        return self._number_of("CICCID")
