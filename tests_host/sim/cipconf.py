"""The CIPOPEN dialect of SIM7028 and A76XX: settings."""

from .address import numeric
from .at import BAD_PARAMETER, ERROR, OK, number
from .push import Push

CLOSED, OPENING, OPEN, CLOSING = "closed", "opening", "open", "closing"
LOST = "lost"  # taken away by the network while NETOPEN? still says 1


class CipConf(Push):
    """Everything that is set and read back."""

    keepalive_early = False  # AT+CTCPKA works before NETOPEN
    only_context = False  # no other context can be activated
    ip_versions: tuple = (1,)  # <type> of CSOCKSETPN: 1 IPv4, 6 IPv6
    dns_default: tuple = ("0.0.0.0", "0.0.0.0", "::", "::")
    CHOICES = {
        "creg": ("registered", "denied"),  # CREG? of a module that is registered with EPS
    }
    settings = {"CSCLK": "0"}

    def _reset(self) -> None:
        super()._reset()
        self.network = CLOSED
        self.active_contexts = {self.socket_context}

    def _factory(self) -> None:
        super()._factory()
        self.contexts = self.definitions
        if not hasattr(self, "auth"):  # flash
            self.auth: dict = {}  # cid -> (type, password, user)
        self.head = self.show_source = 1
        self.mode = self.send_mode = 0
        self.timeouts = [120_000, 120_000, 120_000]  # NETOPEN, CIPOPEN, CIPSEND
        self.config = [10, 0, 0, 1, 0, 0, 500]  # NmRetry, DelayTm, Ack, errMode, HeaderType, AsyncMode, TimeoutVal
        self.ip_version = 1
        self.dns = [list(self.dns_default[:2]), list(self.dns_default[2:])]
        self.keepalive = [0, 1, 1, 1]

    # --- links

    def default(self, attribute: str, value: int, op: str, name: str, args: list):
        """A setting of one number that has an execute form."""
        if op:
            return self.switch(name, attribute, op, args)
        setattr(self, attribute, value)
        return OK

    def do_CIPHEAD(self, op, args):
        return self.default("head", 1, op, "CIPHEAD", args)

    def do_CIPSRIP(self, op, args):
        return self.default("show_source", 1, op, "CIPSRIP", args)

    def do_CIPSENDMODE(self, op, args):
        return self.default("send_mode", 0, op, "CIPSENDMODE", args)

    def do_CIPMODE(self, op, args):
        if op in ("", "=") and self.network != CLOSED:
            return ERROR
        return self.default("mode", 0, op, "CIPMODE", args)

    def _numbers(self, name: str, attribute: str, limits: tuple, op: str, args: list):
        """A setting of several numbers, omitted ones unchanged."""
        values = getattr(self, attribute)
        if op == "?":
            self.info("+%s: %s" % (name, ",".join(map(str, values))))
        elif op == "=?":
            self.info("+%s: %s" % (name, ",".join("(%s)" % "-".join(map(str, sorted(set(pair)))) for pair in limits)))
        elif op == "=":
            fresh = [number(args, i, *limits[i], values[i]) for i in range(len(values))]
            if None in fresh or not 1 <= len(args) <= len(values):
                return ERROR
            setattr(self, attribute, fresh)
        return OK

    def do_CIPTIMEOUT(self, op, args):
        return self._numbers("CIPTIMEOUT", "timeouts", ((3000, 120_000),) * 3, op, args)

    def do_CIPCCFG(self, op, args):
        if op == "":
            self.config = [10, 0, 0, 1, 0, 0, 500]
        limits = ((0, 10), (0, 1000), (0, 0), (0, 1), (0, 1), (0, 1), (500, 120_000))
        return self._numbers("CIPCCFG", "config", limits, op, args)

    def resent_ms(self) -> int:
        """When all repetitions of a packet were in vain: each comes after twice the time of the one before."""
        return self.config[6] * (2 ** (self.config[0] + 1) - 1)

    def do_CTCPKA(self, op, args):
        if op == "=?":
            return OK
        if op == "=" and self.network != OPEN and not self.keepalive_early:
            return ERROR
        return self._numbers("CTCPKA", "keepalive", ((0, 1), (1, 120), (1, 10), (1, 120)), op, args)

    # --- registration, contexts

    def registration_of(self, name: str) -> int:
        if name == "CREG" and self.registered and self.choices["creg"] == "denied":
            return 3
        return super().registration_of(name)

    def do_CGAUTH(self, op, args):
        """`AT+CGAUTH=<cid>[,<auth_type>[,<passwd>[,<user>]]]`, as the command manuals of the newer parts have it."""
        if op == "=?":
            self.info("+CGAUTH: (0-15),(0-3),64,64")
        elif op == "?":
            rows = ['+CGAUTH: %d,%d,"%s","%s"' % (cid, *self.auth[cid]) for cid in sorted(self.auth)]
            if rows:
                self.info("\r\n".join(rows))
        else:
            cid, kind = number(args, 0, 0, 15), number(args, 1, 0, 3, 0)
            if op != "=" or cid is None or kind is None or len(args) > 4 or (kind and len(args) < 4):
                return ERROR
            self.auth[cid] = (kind, *args[2:4]) if kind else (0, "", "")
        return OK

    def do_CGACT(self, op, args):
        if op == "?":
            self.info(
                "\r\n".join("+CGACT: %d,%d" % (cid, cid in self.active_contexts) for cid in sorted(self.contexts))
            )
            return OK
        if op == "=?":
            self.info("+CGACT: (0,1)")
            return OK
        state, cid = number(args, 0, 0, 1), number(args, 1, 0, 15, self.socket_context)
        if state is None or cid is None:
            return ERROR
        if self.only_context and cid != self.socket_context:
            return 134  # the network has no second one
        if not state and cid == self.socket_context:
            self.network_lost()
        self.active_contexts = self.active_contexts | {cid} if state else self.active_contexts - {cid}
        return OK

    def do_CSOCKSETPN(self, op, args):
        if op == "?":
            self.info("+CSOCKSETPN: 1,%d" % self.ip_version)
        elif op == "=?":
            self.info("+CSOCKSETPN: 1,(%s)" % ",".join(map(str, self.ip_versions)))
        else:
            cid, version = number(args, 0, 1, 15), number(args, 1, 1, 6, 1)
            if cid is None or version not in self.ip_versions or self.network != CLOSED:
                return ERROR
            if cid != 1 and self.only_context:
                return ERROR
            if not self.only_context:
                self.socket_context = cid
            self.ip_version = version
        return OK

    def do_CDNSCFG(self, op, args):
        if op == "?":
            rows = zip(("IPv4", "IPv4", "IPv6", "IPv6"), self.dns[0] + self.dns[1])
            text = ["%s %s DNS: %s" % (("Primary", "Secondary")[i % 2], *row) for i, row in enumerate(rows)]
            self.info("%s,%s\r\n%s,%s" % tuple(text))
        elif op == "=?":
            self.info('+CDNSCFG: ("Primary DNS"),("Secondary DNS"),type')
        elif op == "=":
            version = number(args, 2, 0, 1, 0)
            if version is None or not args or not all(numeric(each) for each in args[:2]):
                return BAD_PARAMETER
            self.dns[version][: len(args[:2])] = args[:2]
        return OK
