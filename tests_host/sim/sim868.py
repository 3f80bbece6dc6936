"""SIM868: SIM800 with GNSS, another key and other last words."""

from .services import Gnss
from .sim800 import Module as Sim800


class Module(Gnss, Sim800):
    """The SIM868 profile."""

    family = "sim868"
    off_press_ms = 1500
    off_text = "NORMAL POWER OFF"
    model, revision = "SIM868", "1418B04SIM868M32"
    imei, iccid, imsi = "866050030000868", "89860000000000000868", "001010000000868"
