"""The CIPOPEN dialect of SIM7028 and A76XX: the network and its names."""

from .address import translated
from .at import ERROR, OK, PENDING, number
from .cipconf import CLOSED, CLOSING, LOST, OPEN, OPENING, CipConf
from .link import INITIAL, Link

# err of the result lines
FAILURE, NOT_OPENED, WRONG, NOT_SUPPORTED, NO_SOCKET, NOT_BOUND, LISTENING = range(1, 8)
BUSY, SOCKETS_OPENED, TIMEOUT, NO_NAME = range(8, 12)

IP_ERROR = {4: "Network is already opened", 5: "Network is already closed", 8: "Network not opened"}
IP_ERROR.update({11: "Connection is not created", 12: "Invalid parameter", 22: "No data"})
ALREADY_OPENED, ALREADY_CLOSED, NET_NOT_OPENED, NOT_CREATED, INVALID, NO_DATA = IP_ERROR


class NetOpen(CipConf):
    """NETOPEN and NETCLOSE, and what belongs to no link."""

    netopen_ms = 600
    netclose_ms = 300
    bringup: "str | int" = "ok"  # "error": NETOPEN answers ERROR; a number: it reports that err
    cgev_ms = 0.0  # +CGEV comes so often, for ever
    tcpip = True  # False: firmware without the TCP/IP commands
    stays_open = False  # NETOPEN and NETCLOSE of an open network get a bare ERROR
    names_behind_ok = False  # the result of CDNSGIP comes behind OK, and no other OK
    ipv6_address = "2409:8960:1e64:94d8:1:0:3b3b:7118"
    CHOICES = {
        "ipaddr_error": (b"+IP ERROR: ", b"+IPADDR: "),
        "netopen_read": ("short", "long"),  # `+NETOPEN: 1`, `+NETOPEN: 1, 0`
        "unregistered": ("error", "late"),  # NETOPEN without a network: ERROR, or OK and err 1
        "netclose_closed": ("err", "ip error"),  # NETCLOSE of a closed network
        "netclose_links": ("closed", "result", "silent"),  # a line CLOSED, +CIPCLOSE, or nothing for each open link
        "lost": (CLOSED, LOST),
        "net_report": ("told", "told", "told", "lost now and then"),  # +NETOPEN and +NETCLOSE
    }
    settings = {"CSCLK": "0", "CTZR": "0"}

    do_CPOWD = None

    def _reset(self) -> None:
        super()._reset()
        self.network = CLOSED
        self._net_closings = 0
        self._clear_links()

    # --- errors

    def ip_error(self, code: int):
        """`+IP ERROR: ...` in the form that errMode asks for, then ERROR."""
        self.info("+IP ERROR: %s" % (IP_ERROR[code] if self.config[3] else code))
        return ERROR

    def fail(self, name: str, *fields: int):
        """A result line with its err, then ERROR."""
        self.info("+%s: %s" % (name, ",".join(map(str, fields))))
        return ERROR

    def _run(self, name: str, op: str, text: str):
        if not self.tcpip and name.startswith(("NET", "CIP", "SERVER", "IPADDR", "CSOCK", "CTCPKA", "CDNS")):
            return ERROR
        return super()._run(name, op, text)

    # --- NETOPEN, NETCLOSE

    def do_NETOPEN(self, op, args):
        if op == "=?":
            return OK
        if op == "?":
            up = self.network in (OPEN, LOST, CLOSING)
            self.info("+NETOPEN: " + ("%d" % up if self.choices["netopen_read"] == "short" else ("0,0", "1, 0")[up]))
            return OK
        if op == "=":
            return ERROR
        if self.network in (OPEN, LOST):
            return ERROR if self.stays_open else self.ip_error(ALREADY_OPENED)
        bad = self.bringup == "error" or (not self.attached and self.choices["unregistered"] == "error")
        if bad or self.network != CLOSED:
            return ERROR
        self.network = OPENING
        limit = self.timeouts[0]
        self.after_final(lambda: self.later(min(self.netopen_ms, limit), lambda: self._net_opened(limit)))
        return OK

    def _net_opened(self, limit: int) -> None:
        kind, apn = self.definitions.get(self.socket_context, ("", None))
        let_in = self.grants() and (self.home_apns is None or apn in self.home_apns)
        let_in = let_in and (self.home_types is None or kind in self.home_types)
        if (kind, apn) != tuple(self.stored_context):  # as made it opens both, as the example in the note shows
            let_in = let_in and kind in ("", "IPV4V6", {1: "IP", 6: "IPV6"}[self.ip_version])
        code = self.bringup if isinstance(self.bringup, int) else 0 if let_in else FAILURE
        if self.netopen_ms > limit:
            code = TIMEOUT
        if self.network == OPENING:
            self.network = CLOSED if code else OPEN
            self._net_report("+NETOPEN: %d" % code)

    def _net_report(self, text: str) -> None:
        if self.choices["net_report"] == "told" or self.random.random() < 0.5:
            self.report(text)

    def do_NETCLOSE(self, op, args):
        if op == "=?":
            return OK
        if op:
            return ERROR
        if self.network in (CLOSED, OPENING):
            if self.choices["netclose_closed"] == "ip error":
                return self.ip_error(ALREADY_CLOSED)
            return self.fail("NETCLOSE", NOT_OPENED)
        if self.stays_open:
            return ERROR
        self._net_closings += 1  # repeated, it answers OK and has its result with the others
        if self.network != CLOSING:
            self.network = CLOSING
            self.after_final(lambda: self.later(self.netclose_ms, self._net_closed))
        return OK

    def _net_closed(self) -> None:
        self.network = CLOSED
        form = self.choices["netclose_links"]
        for link in self.links:
            if link.open:
                if form == "closed":
                    self.exception("CLOSED")
                if form != "silent":
                    self.report("+CIPCLOSE: %d,0" % link.n)
            self.abandon(link)
        self._transparent = False
        self.links_lost()
        count, self._net_closings = self._net_closings, 0
        for _ in range(count):
            self._net_report("+NETCLOSE: 0")

    def network_lost(self) -> None:
        """The network takes the context away: all links are dead."""
        if self.network == CLOSED:
            return
        before, self.network = self.network, self.choices["lost"]
        if before in (OPENING, CLOSING):
            self.network, self._net_closings = CLOSED, 0
            self.report("+NETOPEN: 1" if before == OPENING else "+NETCLOSE: 0")
        for link in self.links:
            self.abandon(link)
        self.network_event("NW PDN DEACT %d" % self.socket_context)
        if before == OPEN:
            self.exception("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY")
        self.links_lost()

    pdp_deact = network_lost

    def abandon(self, link: Link) -> None:
        """A link ends with the network."""
        link.drop(INITIAL)
        link.forget_data()

    def network_event(self, text: str) -> None:
        """`+CGEV:`, when CGEREP asks for it."""
        if not self.values["CGEREP"].startswith("0"):
            self.urc("+CGEV: " + text)

    def _start(self) -> None:
        super()._start()
        if self.cgev_ms:
            self.later(self.cgev_ms, lambda: self._flood(0))

    def _flood(self, i: int) -> None:
        self.network_event(("EPS PDN ACT 1", "NW PDN DEACT 1", "ME PDN DEACT 1", "ME DETACH")[i % 4])
        self.later(self.cgev_ms, lambda: self._flood(i + 1))

    def function_off(self) -> None:
        self.detached()
        self.line("+CPIN: NOT READY")

    def do_IPADDR(self, op, args):
        if op:
            return OK if op == "=?" else ERROR
        if self.network != OPEN:
            if self.choices["ipaddr_error"] == b"+IP ERROR: ":
                return self.ip_error(NET_NOT_OPENED)
            self.info("+IPADDR: " + IP_ERROR[NET_NOT_OPENED])
            return ERROR
        self.info("+IPADDR: " + (self.net.local_addresses[0] if self.ip_version == 1 else self.ipv6_address))
        return OK

    # --- names

    def do_CDNSGIP(self, op, args):
        """The result comes before the OK."""
        if op == "=?":
            return OK
        if op != "=" or len(args) != 1 or not args[0]:
            return ERROR
        if self.network != OPEN:
            return self.fail("CDNSGIP", 0, 10)
        generation = self._generation

        def resolved(found: list) -> None:
            if generation != self._generation:
                return
            if found:
                tell = self.urc if self.names_behind_ok else self.info
                tell('+CDNSGIP: 1,"%s","%s"' % (args[0], found[0]))
            if not self.names_behind_ok:
                self.resume(OK if found else self.fail("CDNSGIP", 0, 10))
            elif not found:
                self.urc("+CDNSGIP: 0,10")

        if self.names_behind_ok:
            self.after_final(lambda: self.resolve(args[0], resolved))
            return OK
        self.resolve(args[0], resolved)
        return PENDING

    def resolve(self, name: str, done) -> None:
        """Look a name up: addresses of the IP version in use."""

        def resolved(found: list) -> None:
            old = [address for address in found if ":" not in address]
            new = [address for address in found if ":" in address]
            done(old if self.ip_version == 1 else new or [translated(address) for address in old])

        self.net.resolve(name, resolved)

    # --- what needs no network

    def do_CRESET(self, op, args):
        if op == "":
            return self.restarting()
        return OK if op == "=?" else ERROR

    def do_CPOF(self, op, args):
        if op == "":
            self.after_final(lambda: self.power_off(""))
        return OK if op in ("", "=?") else ERROR

    def link_number(self, args: list) -> "Link | int":
        """The link that a command names, or what the command returns when there is none."""
        n = number(args, 0, 0, 99)
        if n is None:
            return ERROR
        return self.links[n] if n < len(self.links) else self.ip_error(INVALID)
