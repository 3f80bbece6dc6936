"""What SIM800 and SIM7000 have beside their sockets: the contexts of 27.007, SAPBR's bearer, HTTP."""

from .at import BAD_PARAMETER, ERROR, NOT_ALLOWED, OK, PENDING, number
from .cipdata import CipData
from .services import Services

_CONNECTED, _CLOSED = 1, 3  # <status> of AT+SAPBR=2
_TAGS = {"CONTYPE": "GPRS", "APN": "CMNET", "PHONENUM": "", "USER": "", "PWD": "", "RATE": "2"}


class Bearer(Services, CipData):
    """Nothing of it touches the sockets."""

    settings = {"HTTPPARA": "", "CIPSSL": "0"}
    ranges = {"CIPSSL": "(0-1)"}

    def _reset(self) -> None:
        super()._reset()
        self.active_contexts: set = set()
        self._bearers = [dict(_TAGS), dict(_TAGS)]  # profiles 1 and 2
        self._bearer_states = [_CLOSED, _CLOSED]
        self._http = False

    # --- contexts

    def do_CGACT(self, op, args):
        """It attaches first, where need be."""
        if op == "=?":
            self.info("+CGACT: (0,1)")
        elif op == "?":
            rows = ["+CGACT: %d,%d" % (cid, cid in self.active_contexts) for cid in sorted(self.definitions)]
            if rows:
                self.info("\r\n".join(rows))
        else:
            state, cid = number(args, 0, 0, 1), number(args, 1, 1, 15, 1)
            if state is None or cid is None:
                return BAD_PARAMETER
            if state and not self.registered:
                return ERROR
            self.later(300, lambda: self._activate(state, cid))
            return PENDING
        return OK

    def _activate(self, state: int, cid: int) -> None:
        if state:
            self.attached_by_host = True
        self.active_contexts = self.active_contexts | {cid} if state else self.active_contexts - {cid}
        self.resume(OK)

    def network_lost(self) -> None:
        super().network_lost()
        self.active_contexts = set()
        self._bearer_states = [_CLOSED, _CLOSED]

    # --- the bearer of the services beside the sockets

    def do_SAPBR(self, op, args):
        if op == "=?":
            self.info("+SAPBR: (0-4),(1-2),(CONTYPE,APN,PHONENUM,USER,PWD,RATE),(VALUE)")
            return OK
        verb, cid = number(args, 0, 0, 4), number(args, 1, 1, 2)
        if op != "=" or verb is None or cid is None:
            return ERROR
        n = cid - 1
        if verb < 2:
            return self._switch_bearer(n, verb)
        if verb == 2:
            state = self._bearer_states[n]
            address = self.net.local_addresses[n] if state == _CONNECTED else "0.0.0.0"
            self.info('+SAPBR: %d,%d,"%s"' % (cid, state, address))
        elif verb == 3:
            if len(args) != 4 or args[2].upper() not in _TAGS:
                return ERROR
            self._bearers[n][args[2].upper()] = args[3]
        else:
            self.info("+SAPBR:\r\n" + "\r\n".join("%s: %s" % pair for pair in self._bearers[n].items()))
        return OK

    def _switch_bearer(self, n: int, on: int):
        state = _CONNECTED if on else _CLOSED
        if self._bearer_states[n] == state or not self.attached:
            return NOT_ALLOWED
        self.later(self.ciicr_ms if on else self.shut_ms, lambda: self._switched(n, state))
        return PENDING

    def _switched(self, n: int, state: int) -> None:
        known = self.home_apns is None or self._bearers[n]["APN"] in self.home_apns
        if state == _CONNECTED and not (self.attached and known):
            self.resume(ERROR)
            return
        self._bearer_states[n] = state
        self.resume(OK)

    def do_CIPGSMLOC(self, op, args):
        """Place and time, by the first bearer."""
        if op != "=" or number(args, 0, 1, 2) is None or number(args, 1, 1, 2) is None:
            return OK if op == "=?" else ERROR
        up = self._bearer_states[int(args[1]) - 1] == _CONNECTED
        now = ",2024/05/17,02:11:12"
        self.later(self.service_ms, lambda: self._located("0,%s,%s" % self.place + now if up else "601"))
        return PENDING

    def _located(self, text: str) -> None:
        self.info("+CIPGSMLOC: " + text)
        self.resume(OK)

    # --- HTTP

    def do_HTTPINIT(self, op, args):
        if self._http:
            return NOT_ALLOWED
        self._http = True
        return OK

    def do_HTTPTERM(self, op, args):
        result = OK if self._http else NOT_ALLOWED
        self._http = False
        return result

    def do_HTTPACTION(self, op, args):
        """There is no HTTP in the virtual network: every request ends as a failed name lookup."""
        if not self._http:
            return NOT_ALLOWED
        self.after_final(lambda: self.later(500, lambda: self.report("+HTTPACTION: %s,603,0" % args[0])))
        return OK
