"""The CAOPEN dialect of SIM7070, SIM7080 and SIM7090: settings of sockets."""

from .at import BAD_PARAMETER, ERROR, OK, number
from .calink import CaLink
from .push import Push

# The keys of AT+CACFG: the ranges of the values, and how the test form tells them.
_KEYS: dict = {
    "TRANSWAITTM": (((0, 20),), "(0-20)"),
    "TRANSPKTSIZE": (((1, 1460),), "(1-1460)"),
    "SACK": (((0, 1),), "(0-1)"),
    "MSS": (((512, 1420),), "(512-1420)"),
    "ACKDELAY": (((0, 5000),), "(0-5000)"),
    "TCPIRT": (((200, 120_000),), "(200-120000)"),
    "MAXRXT": (((1, 16),), "(1-16)"),
    "TCPOT": (((200, 120_000),), "(200-120000)"),
    "KEEPALIVE": (((0, 1), (30, 86_400), (30, 86_400), (1, 100)), "(0-1),[(30-86400),(30-86400),(1-100)]"),
    "TCP_NODELAY": (((0, 1),), "(0-1)"),
    "LINGER": (((0, 1), (0, 120_000)), "(0-1),(0-120000)"),
    "SNDBUF": (((5840, 29_200),), "(5840-29200)"),
    "RCVBUF": (((5840, 29_200),), "(5840-29200)"),
    "ATOCLOSE": (((0, 1), (0, 120)), "(0-1),(0-120)"),
    "ACCEPTNUM": (((1, 7),), "(1-7)"),
    "ASYNCOPEN": (((0, 1),), "(0-1)"),
    "TIMEOUT": (((1, 60_000),), "(%s),(1-60000)"),
    "LOCALPORT": (((0, 65_535),), "(%s),(0-65535)"),
    "REMOTEADDR": ((), "(%s),64,(1-65535)"),
}
_OF_A_LINK = ("TIMEOUT", "LOCALPORT", "REMOTEADDR")
_READ = ("TRANSWAITTM", "TRANSPKTSIZE", "SACK", "ACKDELAY", "KEEPALIVE", "TCP_NODELAY", "SNDBUF", "RCVBUF")


class CaConf(Push):
    """CACFG, CASRIP, CACID and CASSLCFG; all of it is gone with a restart."""

    link_type = CaLink
    link_count = 13
    rx_limit = tx_limit = 10_240  # RCVBUF and SNDBUF of a socket whose program sets none
    missing_keys: tuple = ()  # keys of CACFG that this firmware refuses
    CHOICES = {
        "cacfg_read": ("%s", '"%s"'),  # quotes around the keys of the read form
        "keepalive_again": ("taken", "refused"),  # KEEPALIVE that is on already
        "ssl_keys": ("any", "lower"),  # the case that CASSLCFG takes
        "remoteaddr": ("any", "bare", "quoted"),  # the address of REMOTEADDR: with quotes or without
    }
    settings = {"CSSLCFG": "", "CGNSPWR": "0", "CBATCHK": "0"}

    def _factory(self) -> None:
        super()._factory()
        defaults = {"TRANSWAITTM": "2", "TRANSPKTSIZE": "1320", "SACK": "1", "ACKDELAY": "0", "KEEPALIVE": "1,,,"}
        defaults.update({"TCP_NODELAY": "1", "SNDBUF": self.tx_limit, "RCVBUF": self.rx_limit, "ASYNCOPEN": "0"})
        defaults.update({"ATOCLOSE": "0", "ACCEPTNUM": "7"})
        self.cacfg: dict = {key: str(value) for key, value in defaults.items()}  # key -> text of its values
        self.local_ports: dict = {}  # cid -> port
        self.targets: dict = {}  # cid -> (address, port) of REMOTEADDR
        self.named: list = []  # the cids that CACID named
        self.ssl: dict = {}  # cid -> {key: text}
        self.show_source = 0

    def _run(self, name: str, op: str, text: str):
        self._text = text  # with its quotes
        return super()._run(name, op, text)

    # --- link numbers

    def _cids(self) -> str:
        return "0-%d" % (len(self.links) - 1)

    def link_number(self, args: list):
        """The link that the first field names; None when there is no such number."""
        n = number(args, 0, 0, len(self.links) - 1)
        return None if n is None else self.links[n]

    # --- settings

    def configured(self, key: str, index: int = 0) -> int:
        """A value of AT+CACFG; 0 when it was not given."""
        fields = self.cacfg[key].split(",")
        return int(fields[index] or 0) if index < len(fields) else 0

    def resent_ms(self) -> "int | None":
        """How long a packet without an answer is sent again: each time is twice the one before; None: not set."""
        if "MAXRXT" not in self.cacfg and "TCPIRT" not in self.cacfg:
            return None
        return int(self.cacfg.get("TCPIRT", 1000)) * (2 ** (int(self.cacfg.get("MAXRXT", 12)) + 1) - 1)

    def do_CACFG(self, op, args):
        if op == "=?":
            rows = ['"%s",%s' % (key, form % self._cids() if "%" in form else form) for key, (_, form) in _KEYS.items()]
            self.info("\r\n".join("+CACFG: " + row for row in rows))
        elif op == "?":
            rows = [self.choices["cacfg_read"] % key + "," + self.cacfg[key] for key in _READ]
            self.info("\r\n".join("+CACFG: " + row for row in rows))
        else:
            key = args[0].upper() if args else ""
            if op != "=" or key not in _KEYS or key in self.missing_keys:
                return BAD_PARAMETER
            return self._set_of_link(key, args[1:]) if key in _OF_A_LINK else self._set(key, args[1:])
        return OK

    def _set(self, key: str, values: list):
        limits = _KEYS[key][0]
        wrong = any(number(values, i, *limits[i], 0) is None for i in range(min(len(values), len(limits))))
        if wrong or not values or not values[0] or len(values) > len(limits):
            return BAD_PARAMETER
        again = key == "KEEPALIVE" and self.configured(key) and values[0] == "1"
        if again and self.choices["keepalive_again"] == "refused":
            return ERROR
        self.cacfg[key] = ",".join(values)
        return OK

    def _set_of_link(self, key: str, values: list):
        link = self.link_number(values)
        if link is None:
            return BAD_PARAMETER
        if key == "REMOTEADDR":
            return self._set_target(link.n, values[1:])
        value = number(values, 1, *_KEYS[key][0][0])
        if value is None or len(values) != 2:
            return BAD_PARAMETER
        if key == "LOCALPORT":
            self.local_ports[link.n] = value
        return OK

    def _set_target(self, n: int, values: list):
        port = number(values, 1, 1, 65_535)
        if port is None or len(values) != 2 or not 0 < len(values[0]) <= 64:
            return BAD_PARAMETER
        quoted = '"%s"' % values[0] in self._text
        if self.choices["remoteaddr"] not in ("any", "quoted" if quoted else "bare"):
            return ERROR
        self.targets[n] = values[0], port
        return OK

    def do_CASRIP(self, op, args):
        return self.switch("CASRIP", "show_source", op, args)

    def do_CACID(self, op, args):
        if op == "=?":
            self.info("+CACID: (%s)" % self._cids())
        elif op == "?":
            if self.named:
                self.info("+CACID: %d" % self.named[-1])
        else:
            link = self.link_number(args)
            if op != "=" or link is None or len(args) != 1:
                return BAD_PARAMETER
            self.named = [n for n in self.named if n != link.n] + [link.n]
        return OK

    def do_CASSLCFG(self, op, args):
        """Accepted and kept: the virtual network has no TLS."""
        if op == "?":
            rows = []
            for n in sorted(self.named):
                kept = self.ssl.get(n, {})
                rows.append("+CASSLCFG: %d,%s,%s,,," % (n, kept.get("SSL", "0"), kept.get("CRINDEX", "0")))
            if rows:
                self.info("\r\n".join(rows))
        elif op == "=":
            link = self.link_number(args)
            if link is None or len(args) < 3:
                return BAD_PARAMETER
            if self.choices["ssl_keys"] == "lower" and args[1] != args[1].lower():
                return ERROR
            self.ssl.setdefault(link.n, {})[args[1].upper()] = args[2]
        return OK
