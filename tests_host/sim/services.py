"""What the network knows beside: the time, the place. And a GNSS receiver that sees no satellite."""

from .at import BAD_PARAMETER, ERROR, OK, PENDING, AtModule, number


class Services(AtModule):
    """Answers as from a server that is always there; the place is always the same."""

    place = "8.680000", "50.110000"  # longitude, latitude
    service_ms = 500
    ntp_done = 1  # what +CNTP tells of success
    settings = {"CNTPCID": "1"}

    def _reset(self) -> None:
        super()._reset()
        self._ntp = ["", "0"]

    def do_CNTP(self, op, args):
        if op == "?":
            self.info("+CNTP: %s,%s" % tuple(self._ntp))
        elif op == "=":
            if not args[0] or len(args) > 4 or number(args, 1, -47, 56, 0) is None:
                return BAD_PARAMETER
            self._ntp = [args[0], "".join(args[1:2]) or "0"]
        elif op == "":
            if not self._ntp[0]:
                return ERROR
            self.after_final(lambda: self.later(self.service_ms, lambda: self.report("+CNTP: %d" % self.ntp_done)))
        return OK

    def do_CLBS(self, op, args):
        """Where the cell is."""
        if op != "=" or number(args, 0, 1, 4) is None:
            return OK if op == "=?" else ERROR
        self.later(self.service_ms, lambda: self._place_told("+CLBS: 0,%s,%s,550" % self.place))
        return PENDING

    def _place_told(self, text: str) -> None:
        self.info(text if self.attached else text.split(":")[0] + ": 1")
        self.resume(OK)


class Gnss(AtModule):
    """AT+CGNSPWR and AT+CGNSINF."""

    settings = {"CGNSPWR": "0"}
    ranges = {"CGNSPWR": "(0,1)"}

    def do_CGNSINF(self, op, args):
        if op == "":
            on = self.values["CGNSPWR"] == "1"
            self.info("+CGNSINF: " + ("1,0,19800106000022.000,,,,0.00,0.0,0,,,,,,0,0,,,,," if on else "0" + "," * 20))
        return OK if op in ("", "=?") else ERROR


class GnssInfo(AtModule):
    """AT+CGPS and AT+CGNSSINFO."""

    settings = {"CGPS": "0,1", "CGNSSPWR": "0", "CGNSSMODE": "15,1"}
    ranges = {"CGPS": "(0,1),(1-3)", "CGNSSPWR": "(0,1)", "CGNSSMODE": "(0-15),(0,1)"}

    def do_CGNSSINFO(self, op, args):
        if op in ("", "="):
            self.info("+CGNSSINFO: " + "," * 15)
        return OK if op in ("", "=", "=?") else ERROR
