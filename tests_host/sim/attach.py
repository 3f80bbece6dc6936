"""How a module gets into the network: registration, attach, and the context it attaches with."""

from .at import BAD_PARAMETER, ERROR, OK, PENDING, number
from .card import Card


_TOLD_MS = 5  # a change of registration, and its code


class Attach(Card):
    """Registration and the packet service.

    In LTE the module attaches with the APN that AT+CGDCONT keeps in its flash, perhaps for another card: `home_apns`
    are those that the network lets it in with; None: with any. `refuse_contexts`: so many activations of a context are
    refused; -1: all.
    """

    refuse_contexts = 0
    lte = True
    operator_act: "int | None" = 7  # <AcT> of AT+COPS; None: a 2G module, which tells none
    bit_errors = 0  # <ber> of AT+CSQ as the notes print it; logs of LTE modules have 99, not known
    home_apns: "tuple | None" = None
    home_types: "tuple | None" = None  # PDP types that it lets a context have; None: any
    stored_context: tuple = ("IP", "")  # type and APN that an earlier program left
    socket_context = 1  # <cid> of the context that sockets use
    attach_context = 1  # <cid> of the context that it attaches with
    networks: tuple = ((2, "Simulated", "Sim", "00101", 7),)  # of AT+COPS=?: (stat, long, short, number, AcT)
    scan_ms = 3000  # how long AT+COPS=? takes
    CHOICES = {
        "cgdcont_tail": (b"", b',"0.0.0.0",0,0,0,0'),
        "foreign_apn": (0, 3, 2),  # registration with an APN that the network refuses
        "cgdcont_attached": ("taken", "taken", "refused"),  # AT+CGDCONT= while the packet service is there
        "anew": ("at once", "cgatt", "cops"),  # what makes it attach with an APN that was changed
    }
    cell = ',"1A2B","01C3D4E5",7'  # <tac>,<ci>,<AcT>
    cpsi = "LTE CAT-M1,Online,001-01,0x1A2B,29611237,101,EUTRAN-BAND20,6300,3,3,-11,-88,-61,13"

    def _factory(self) -> None:
        super()._factory()
        if not hasattr(self, "definitions"):  # flash
            self.definitions = {self.socket_context: tuple(self.stored_context)}
        self._name_format = 0  # of AT+COPS: long, short, numeric
        self.search()
        self._told_registration = dict.fromkeys(self.reports)

    def search(self) -> None:
        """Look for a network, with the APN that is defined now."""
        self._gone = False  # by AT+COPS=2
        self._attach_apn = self.definitions.get(self.attach_context, ("IP", ""))[1]

    def searching(self) -> None:
        super().searching()
        self.registration_changed()
        self.later(self.register_ms, self.registration_changed)

    # --- the context

    def do_CGDCONT(self, op, args):
        if op == "=?":
            self.info('+CGDCONT: (0-15),"IP",,,(0-2),(0-4)')
        elif op == "?":
            tail = self.choices["cgdcont_tail"].decode()
            found = self.definitions
            rows = ['+CGDCONT: %d,"%s","%s"%s' % (cid, *found[cid], tail) for cid in sorted(found)]
            if rows:
                self.info("\r\n".join(rows))
        else:
            cid, kind, apn = number(args, 0, 0, 15), *(args[1:3] + ["IP", ""][len(args[1:3]) :])
            if cid is None or kind.upper() not in ("IP", "IPV6", "IPV4V6"):
                return ERROR
            if self.attached and self.choices["cgdcont_attached"] == "refused":
                return ERROR
            self.definitions[cid] = kind.upper(), apn
            refused = self.home_apns is not None and self._attach_apn not in self.home_apns
            if refused and self.choices["anew"] == "at once" and cid == self.attach_context:
                self.search()
                self.searching()
        return OK

    active_contexts: set = set()  # each dialect has its own AT+CGACT

    def do_CGPADDR(self, op, args):
        """The address of one context, or of all."""
        cids = sorted(self.definitions)
        if op == "=?":
            self.info("+CGPADDR: (%s)" % ",".join(map(str, cids)))
        elif op not in ("", "="):
            return ERROR
        elif args:
            cids = [number(args, i, 0, 15) for i in range(len(args))]
            if None in cids:
                return ERROR
        if op != "=?" and cids:
            self.info("\r\n".join('+CGPADDR: %d,"%s"' % (cid, self._address(cid)) for cid in cids))
        return OK

    def _address(self, cid: int) -> str:
        return self.net.local_addresses[0] if self.attached and cid in self.active_contexts else "0.0.0.0"

    # --- registration

    _registration = 1

    @property
    def registration(self) -> int:
        """The registration state that CREG, CGREG and CEREG tell; set it to change the network."""
        if self.sim != "READY" or self.cfun != 1 or self._gone:
            return 0
        if self.lte and self.home_apns is not None and self._attach_apn not in self.home_apns:
            return self.choices["foreign_apn"]
        if self._registration in (1, 5) and self.clock.now_us - self._search_since < self.register_ms * 1000:
            return 2
        return self._registration

    @registration.setter
    def registration(self, value: int) -> None:
        self._registration = value
        self.tell_registration()

    def registration_of(self, name: str) -> int:
        """What CREG, CGREG or CEREG tells."""
        return self.registration

    def registration_changed(self) -> None:
        """Perhaps: tell it behind the answer that is on its way out."""
        self.later(_TOLD_MS, self.tell_registration)

    def grants(self) -> bool:
        """Whether the network gives a context now."""
        if self.refuse_contexts:
            self.refuse_contexts -= self.refuse_contexts > 0
            return False
        return self.attached

    def tell_registration(self) -> None:
        """The unsolicited code of each report that is switched on, where its state has changed."""
        for name, mode in self.reports.items() if self.running else ():
            state, told = self.registration_of(name), self._told_registration[name]
            self._told_registration[name] = state
            if mode and state != told:
                self.urc("+%s: %d%s" % (name, state, self._cell(mode, state)))

    @property
    def registered(self) -> bool:
        """Home or roaming."""
        return self.registration in (1, 5)

    def _cell(self, mode: int, state: int) -> str:
        return self.cell if mode == 2 and state in (1, 5) else ""

    def _report(self, name: str, op: str, args: list):
        if op == "?":
            mode, state = self.reports[name], self.registration_of(name)
            self._told_registration[name] = state
            self.info("+%s: %d,%d%s" % (name, mode, state, self._cell(mode, state)))
        elif op == "=?":
            self.info("+%s: (0-2)" % name)
        else:
            mode = number(args, 0, 0, 2, 0)
            if mode is None:
                return BAD_PARAMETER
            self.reports[name] = mode
            self._told_registration[name] = self.registration_of(name)
        return OK

    def do_CREG(self, op, args):
        return self._report("CREG", op, args)

    def do_CGREG(self, op, args):
        return self._report("CGREG", op, args)

    def do_CEREG(self, op, args):
        return self._report("CEREG", op, args)

    def do_CSQ(self, op, args):
        if op == "=?":
            self.info("+CSQ: (0-31,99),(0-7,99)")
        else:
            self.info("+CSQ: %d,%d" % (self.csq, 99 if self.csq == 99 else self.bit_errors))
        return OK

    def do_COPS(self, op, args):
        if op == "?":
            self.info("+COPS: " + self._operator())
        elif op == "=?":
            self.later(self.scan_ms, self._scanned)
            return PENDING
        elif op == "=" and args[:1] == ["2"]:
            self._gone = True
            self.detached()
            self.registration_changed()
        elif op == "=" and args[:1] == ["3"]:
            form = number(args, 1, 0, 2, 0)
            if form is None:
                return BAD_PARAMETER
            self._name_format = form
        elif op == "=" and self._gone:
            self.search()
            self.searching()
        return OK

    def _operator(self) -> str:
        if not self.registered:
            return "2" if self._gone else "0"
        names = (self.operator, *self.networks[0][2:4])
        access = "" if self.operator_act is None else ",%d" % self.operator_act
        return '0,%d,"%s"%s' % (self._name_format, names[self._name_format], access)

    def _scanned(self) -> None:
        count = 4 if self.operator_act is None else 5
        found = ",".join("(%s)" % ('%d,"%s","%s","%s",%d' % each).rsplit(",", 5 - count)[0] for each in self.networks)
        self.info("+COPS: %s,,(0,1,2,3,4),(0,1,2)" % found)
        self.resume(OK)

    def do_CPSI(self, op, args):
        if op == "=?":
            self.info("+CPSI: (0-255)")
        elif op != "?":
            return ERROR
        elif not self.registered:
            self.info("+CPSI: NO SERVICE,Online")
        else:
            self.info("+CPSI: " + self.cpsi)
        return OK

    # --- the packet service

    attached_by_host = True

    @property
    def attached(self) -> bool:
        """Attached to the packet service."""
        return self.registered and self.attached_by_host

    def do_CGATT(self, op, args):
        if op == "?":
            self.info("+CGATT: %d" % self.attached)
            return OK
        if op == "=?":
            self.info("+CGATT: (0,1)")
            return OK
        value = number(args, 0, 0, 1)
        if value is None:
            return BAD_PARAMETER
        if value and not self.attached_by_host and self.choices["anew"] != "cops":
            self.search()
        if value and not self.registered:
            return ERROR
        self.later(300, lambda: self._attach(value))
        return PENDING

    def _attach(self, value: int) -> None:
        self.attached_by_host = bool(value)
        if not value:
            self.detached()
        self.resume(OK)

    def detached(self) -> None:
        """The packet service is gone: contexts die."""
