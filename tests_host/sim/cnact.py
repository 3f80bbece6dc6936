"""The CAOPEN dialect of SIM7070, SIM7080 and SIM7090: application contexts."""

from .address import translated
from .at import BAD_PARAMETER, NOT_ALLOWED, OK, PENDING, SIM_ABSENT, number
from .caconf import CaConf
from .link import CLOSED, CONNECTING, INITIAL, Link

OFF, ON, CHANGING = 0, 1, 2  # what CNACT? tells
AUTOMATIC = 4  # <pdp> of a module that may choose
_NOTHING = (0, "", "", "", 0)  # ip_type, APN, user, password, auth


class Context:
    """One application context."""

    def __init__(self, pdp: int):
        self.pdp = pdp
        self.config = list(_NOTHING)
        self.status = OFF
        self.auto = False  # CNACT=p,2: it comes back by itself
        self.change: "object | None" = None  # the change that is under way


class CnAct(CaConf):
    """CNCFG, CNACT and CGNAPN, and the end of a context.

    `deactive_ms`: how late +APP PDP: DEACTIVE is when a context is switched off, perhaps inside the next exchange.
    """

    context_count = 4
    activate_ms = 600
    deactive_ms = 300
    auto_ms = 5000  # until a context of CNACT=p,2 tries again
    network_apn = "ctnb"  # of CGNAPN
    ipv6_address = "2409:8960:1e64:94d8:1:0:3b3b:7118"
    CHOICES = {
        "bearer_order": ("ok first", "line first"),  # the OK of CNACT and its +APP PDP
        "pdp_index": ("always", "active", "never"),  # which +APP PDP lines have one
        "cnact_active": ("error", "ok", "ok line"),  # CNACT=p,1 of an active context
        "cnact_inactive": ("error", "ok", "ok line"),  # CNACT=p,0 of one that is off
        "cnact_off": ("silent", "reported"),  # +CASTATE for the links that CNACT=p,0 closes
        # Who tells that the network took a context away: +APP PDP alone, or +CASTATE for each of its links as well.
        "context_loss": ("alone", "states before", "states behind", "states"),
        "creg": ("registered", "searching"),  # CREG? of a module that is registered with EPS
        "card_off": (SIM_ABSENT, 13, 797),  # 797: CFUN is 0 or 4
    }

    def _factory(self) -> None:
        super()._factory()
        self.contexts = [Context(pdp) for pdp in range(self.context_count)]

    def _reset(self) -> None:
        super()._reset()
        self._clear_links()

    def registration_of(self, name: str) -> int:
        if name == "CREG" and self.registered and self.choices["creg"] == "searching":
            return 2
        return super().registration_of(name)

    # --- settings

    def _context(self, args: list) -> "Context | None":
        pdp = number(args, 0, 0, self.context_count - 1)
        return None if pdp is None else self.contexts[pdp]

    def do_CNCFG(self, op, args):
        if op == "=?":
            self.info("+CNCFG: (0-%d),(0-4),150,127,127,(0-3)" % (self.context_count - 1))
        elif op == "?":
            self.info("\r\n".join('+CNCFG: %d,%d,"%s","%s","%s",%d' % (c.pdp, *c.config) for c in self.contexts))
        else:
            context, kind, auth = self._context(args), number(args, 1, 0, 4), number(args, 5, 0, 3, 0)
            texts = args[2:5] + [""] * (3 - len(args[2:5]))
            fits = all(len(text) <= limit for text, limit in zip(texts, (150, 127, 127)))
            if op != "=" or None in (context, kind, auth) or len(args) > 6 or not fits:
                return BAD_PARAMETER
            if context.status != OFF:
                return NOT_ALLOWED
            context.config = [kind, *texts, auth]
        return OK

    def do_CGNAPN(self, op, args):
        """The APN that the network gave; on GSM it gives none."""
        if op != "=?":
            known = self.registered and self.lte
            self.info('+CGNAPN: 1,"%s"' % self.network_apn if known else '+CGNAPN: 0,""')
        return OK

    def do_CGPADDR(self, op, args):
        """The address of the network's context, which says nothing about the application contexts."""
        if op != "=?":
            self.info('+CGPADDR: 1,"%s"' % (self.net.local_addresses[0] if self.attached else "0.0.0.0"))
        return OK

    # --- on and off

    def address(self, context: Context) -> str:
        """The address of a context."""
        if context.status != ON:
            return "0.0.0.0"
        if context.config[0] == 2:
            return self.ipv6_address
        known = self.net.local_addresses
        return known[context.pdp] if context.pdp < len(known) else "10.78.245.%d" % (130 + context.pdp)

    def do_CNACT(self, op, args):
        if op == "=?":
            self.info("+CNACT: (0-%d),(0-2)" % (self.context_count - 1))
            return OK
        if op == "?":
            self.info("\r\n".join('+CNACT: %d,%d,"%s"' % (c.pdp, c.status, self.address(c)) for c in self.contexts))
            return OK
        context, action = self._context(args), number(args, 1, 0, 2)
        if op != "=" or context is None or action is None or len(args) != 2:
            return BAD_PARAMETER
        return self._switch(context, action)

    def _switch(self, context: Context, action: int):
        """0: off, 1: on, 2: on, and again after each failure."""
        if context.status == (ON if action else OFF):
            return self._unchanged(context, self.choices["cnact_active" if action else "cnact_inactive"])
        if context.status == CHANGING and action:
            return NOT_ALLOWED
        context.status, context.auto = CHANGING, action == 2
        turn = context.change = object()
        first = self.choices["bearer_order"] == "ok first"

        def due():
            if context.change is turn:
                (self._activated if action else self._deactivated)(context)
            if not first:
                self.resume(OK)

        ms = self.activate_ms if action else self.deactive_ms
        if first:
            self.after_final(lambda: self.later(ms, due))
            return OK
        self.later(ms, due)
        return PENDING

    def _unchanged(self, context: Context, form: str):
        if form == "ok line":
            word = "ACTIVE" if context.status == ON else "DEACTIVE"
            self.after_final(lambda: self._tell(context, word))
        return NOT_ALLOWED if form == "error" else OK

    def _tell(self, context: Context, word: str) -> None:
        form = self.choices["pdp_index"]
        indexed = form == "always" or (form == "active" and word == "ACTIVE")
        self.report("+APP PDP: %s%s" % ("%d," % context.pdp if indexed else "", word))

    def _let_in(self, context: Context) -> bool:
        apn = context.config[1]
        return self.grants() and (self.home_apns is None or not apn or apn in self.home_apns)

    def _activated(self, context: Context) -> None:
        context.change = None
        good = self._let_in(context)
        context.status = ON if good else OFF
        self._tell(context, "ACTIVE" if good else "DEACTIVE")
        if not good:
            self._try_again(context)

    def _try_again(self, context: Context) -> None:
        def due():
            if context.auto and context.status == OFF:
                (self._activated if self.attached else self._try_again)(context)

        if context.auto:
            self.later(self.auto_ms, due)

    def _deactivated(self, context: Context) -> None:
        """CNACT=p,0 is done: its links are free, or, where they are reported, closed."""
        context.change = None
        context.status = OFF
        reported = self.choices["cnact_off"] == "reported"
        for link in self._links_of(context):
            self.abandon(link, CLOSED if reported else INITIAL)
            if reported:
                self.urc("+CASTATE: %d,0" % link.n)
        self._tell(context, "DEACTIVE")

    # --- loss

    def network_lost(self, pdp: "int | None" = None) -> None:
        """The network takes one context away, or all: the numbers of their links stay taken."""
        for context in self.contexts:
            if pdp in (None, context.pdp) and context.status != OFF:
                self._lose(context)

    pdp_deact = network_lost

    def _lose(self, context: Context) -> None:
        context.change, context.status = None, OFF
        form = self.choices["context_loss"]
        links = self._links_of(context)
        states = [link for link in links if link.state != CONNECTING]
        if self._data is not None and any(self.streams(link) for link in links):
            self.leave_data()
        for link in links:
            self.abandon(link, CLOSED)
        for link in states if form in ("states before", "states") else ():
            self.urc("+CASTATE: %d,0" % link.n)
        if form != "states":
            self._tell(context, "DEACTIVE")
        for link in states if form == "states behind" else ():
            self.urc("+CASTATE: %d,0" % link.n)
        self._release()
        self._try_again(context)

    def _links_of(self, context: Context) -> list:
        return [link for link in self.links if link.state not in (INITIAL, CLOSED) and link.bearer == context.pdp]

    def abandon(self, link: Link, state: str) -> None:
        """A link ends with its context."""
        link.drop(state)
        link.forget_data()

    def function_off(self) -> None:
        self.detached()
        self.line("+CPIN: NOT READY")

    # --- names

    def usable(self, pdp: int) -> "Context | None":
        """The active context that a number means."""
        for context in self.contexts:
            if context.status == ON and pdp in (context.pdp, AUTOMATIC):
                return context
        return None

    def resolve(self, name: str, context: Context, done) -> None:
        """Look a name up: addresses that the context can reach."""

        def resolved(found: list) -> None:
            old = [address for address in found if ":" not in address]
            new = [address for address in found if ":" in address]
            kind = context.config[0]
            if kind == 1:
                done(old)
            elif kind == 2:
                done(new or [translated(address) for address in old])
            else:
                done(old + new)

        self.net.resolve(name, resolved)
