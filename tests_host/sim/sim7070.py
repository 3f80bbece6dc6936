"""SIM7070: SIM7080 with GSM, where the network names no APN."""

from .sim7080 import Module as Sim7080


class Module(Sim7080):
    """The SIM7070 profile."""

    family = "sim7070"
    settings = {"CNMP": "2"}
    model, revision = "SIM7070", "1951B17SIM7070"
    imei, iccid, imsi = "860016040000070", "89860000000000000070", "001010000000070"

    @property
    def lte(self) -> bool:
        """Whether AT+CNMP lets it use LTE."""
        return self.values["CNMP"] != "13"

    def do_CEREG(self, op, args):
        """On GSM, EPS registration is none."""
        if op == "?" and not self.lte:
            self.info("+CEREG: %d,0" % self.reports["CEREG"])
            return "OK"
        return super().do_CEREG(op, args)
