"""SIM808: SIM800 with GNSS."""

from .services import Gnss
from .sim800 import Module as Sim800


class Module(Gnss, Sim800):
    """The SIM808 profile."""

    family = "sim808"
    off_press_ms = 1000
    model, revision = "SIM808", "1418B02SIM808M32"
    imei, iccid, imsi = "866050030000808", "89860000000000000808", "001010000000808"
