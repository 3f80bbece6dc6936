"""SIM900: SIM800 with eight links and fewer boot lines."""

from .sim800 import Module as Sim800


class Module(Sim800):
    """The SIM900 profile."""

    family = "sim900"
    link_count = 8
    restart_press_ms = 1e12
    boot_ms = 2200
    boot_lines = ((0, "RDY"), (150, "+CFUN: 1"), (300, "+CPIN: READY"), (2500, "Call Ready"))
    model, revision = "SIM900", "1137B13SIM900M64_ST"
    imei, iccid, imsi = "013226000000900", "89860000000000000900", "001010000000900"
