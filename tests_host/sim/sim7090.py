"""SIM7090: SIM7080 by another name."""

from .sim7080 import Module as Sim7080


class Module(Sim7080):
    """The SIM7090 profile."""

    family = "sim7090"
    model, revision = "SIM7090", "1951B17SIM7090"
    imei, iccid, imsi = "860016040000090", "89860000000000000090", "001010000000090"
