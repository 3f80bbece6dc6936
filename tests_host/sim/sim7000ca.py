"""The CA commands of newer SIM7000 firmware: one context, opens without context and type.

The CIPSTART commands beside them have contexts of their own; the profile `sim7000` plays those.
"""

from .at import BAD_PARAMETER, OK, number
from .caname import CaName
from .sim7000 import Module as Sim7000


class Module(CaName):
    """SIM7000 as its CA commands see it."""

    family = "sim7000ca"
    context_count = 1
    boot_lines = Sim7000.boot_lines
    settings = Sim7000.settings
    identity, model, revision = Sim7000.identity, Sim7000.model, Sim7000.revision
    imei, iccid, imsi = Sim7000.imei, Sim7000.iccid, Sim7000.imsi
    CHOICES = {"pdp_index": ("never",), "late_casend": ("behind", "none")}

    def do_CNACT(self, op, args):
        """`AT+CNACT=1[,"apn"]`, `AT+CNACT=0`."""
        context = self.contexts[0]
        if op == "?":
            self.info('+CNACT: %d,"%s"' % (context.status, self.address(context)))
            return OK
        action = number(args, 0, 0, 2)
        if op != "=" or action is None or len(args) > 2:
            return BAD_PARAMETER
        if len(args) == 2:
            context.config[1] = args[1]
        return self._switch(context, action)

    def _named(self, args: list) -> list:
        """The parameters of an open or a server as SIM7080 has them; without CACID there is no such link."""
        cid = args[0] if args else ""
        if not (cid.isdigit() and int(cid) in self.named):
            return []
        udp = self.ssl.get(int(cid), {}).get("PROTOCOL") == "1"
        typed = [] if args[1:2] in (["TCP"], ["UDP"]) else ["UDP" if udp else "TCP"]
        return [cid, "0", *typed, *args[1:]]

    def fields_of_open(self, args: list) -> "tuple | None":
        return super().fields_of_open(self._named(args))

    def fields_of_server(self, args: list) -> "tuple | None":
        return super().fields_of_server(self._named(args))
