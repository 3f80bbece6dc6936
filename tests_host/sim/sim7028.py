"""SIM7028: two links, two servers, NB-IoT."""

from .lowpower import LowPower
from .openrecv import OpenReceive

LOADER = (
    b"LoadVerifyImageHead read(len=272), Time(ms)->0.\r\ntest:VerifyImageHead skip\r\nVerifyImageBody sha256 skip\r\n"
)


class Module(LowPower, OpenReceive):
    """The SIM7028 profile."""

    family = "sim7028"
    link_count = 2
    server_count = 2
    boot_ms = 2000
    on_press_ms = 500
    reset_press_ms = 300
    socket_context = attach_context = 0
    only_context = True
    ip_versions = (1, 6)
    operator_act = 9
    cell = ',"3F29","055A7B07",9'
    cpsi = "NB,Online,001-01,0x3F29,055A7B07,101,EUTRAN-BAND20,6300,3,3,-11,-88,-61,13"
    boot_lines = ((0, "*ATREADY: 1"), (400, "+CPIN: READY"), (2500, "+CESQ: 99,99,255,255,31,70"))
    settings = {"QCBAND": "0,8,20", "CNBP": "0"}
    ranges = {"QCBAND": "(0,1,3,5,8,20,28)"}
    voice = False
    battery_in_volts = True
    system_mode = 9
    dns_default = ("183.230.126.224", "183.230.126.225", "2409:8060:20EA:101::1", "2409:8060:20EA:201::1")
    CHOICES = {"profile": (0, 1)}  # <cid> of the only context: a field log, the note
    CHOICES |= {"boot_noise": (LOADER, b""), "recv_from": (b"RECV FROM:", b"RCV FROM:", b"+RECV FROM:", b"RECV FROM: ")}
    model = "SIM7028"
    revision = "2110B07SIM7028"
    imei, iccid, imsi = "867900060000028", "89860000000000000028", "001010000000028"
    identity = {"I": "%(model)s R2110", "CGMM": "%(model)s", "CGMR": "%(revision)s"}
    identity |= {"CESQ": "+CESQ: 99,99,255,255,31,70"}

    def _factory(self):
        self.socket_context = self.attach_context = self.choices["profile"]
        super()._factory()
