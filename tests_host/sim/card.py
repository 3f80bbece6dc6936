"""The SIM card, and how a module speaks of it."""

from .at import BAD_PASSWORD, ERROR, NOT_ALLOWED, OK, SIM_ABSENT, SIM_BUSY, SIM_PIN, AtModule


class Card(AtModule):
    """CPIN and what tells how many wrong PINs the card still forgives; the card remembers them over restarts.

    A card whose `sim` is "SIM PIN" at first asks for it again after each power-up.
    """

    pin_tries = 3
    absent_in_words = False  # CPIN? of a missing card is answered with a line, and OK
    CHOICES = {
        "tries": ("spic", "spic short", "cpinr", "untold"),  # what tells how many are left
        "pin_lag_ms": (0, 2500, 6000),  # so long after the right PIN CPIN? still says SIM PIN
        "cpin": ("told",),  # by name: "refused" (to a registered module), "busy" (for ever)
        # behind an identity, before its OK: what the module happens to tell then
        "identity_tail": (b"", b'*ISIMAID: "A0000000000000000000000000000000"', b"DST: 1", b"+CSCON: 1"),
        "card_off": (SIM_ABSENT, 13),  # CPIN? with the function level 0 or 4
    }

    def _factory(self) -> None:
        super()._factory()
        if not hasattr(self, "_wants_pin"):
            self._wants_pin = self.sim == "SIM PIN"
            self.pins: list = []  # all that the card was given
        self.card_power()

    def insert(self, state: str, pin: str = "1234") -> None:
        """Another card: "READY", "SIM PIN" (it asks for `pin`) or "NOT INSERTED"."""
        if state not in ("READY", "SIM PIN", "NOT INSERTED"):
            raise ValueError("no such state of a SIM: %r" % (state,))
        self.sim, self.pin, self._wants_pin = state, pin, state == "SIM PIN"
        self.pin_tries, self.pins = Card.pin_tries, []
        self.searching()

    def card_power(self) -> None:
        """The card has been without power."""
        self._unlocked_at = -1e12
        if self._wants_pin and self.sim == "READY":
            self.sim = "SIM PIN"

    def do_CPIN(self, op, args):
        now = self.clock.now_us
        if now - self._up_since < self.sim_busy_ms * 1000:
            return SIM_BUSY
        if self.sim == "NOT INSERTED":
            if self.absent_in_words and op == "?":
                self.info("+CPIN: SIM not inserted")
                return OK
            return SIM_ABSENT
        if self.cfun != 1:
            return self.choices["card_off"]
        if op == "?":
            lags = now - self._unlocked_at < self.choices["pin_lag_ms"] * 1000
            if self.sim == "READY" and not lags:
                if self.choices["cpin"] == "busy":
                    return SIM_BUSY
                if self.choices["cpin"] == "refused" and self.registered:
                    return ERROR
            self.info("+CPIN: " + ("SIM PIN" if lags else self.sim))
        elif op == "=":
            return self._unlock(args)
        return OK

    def _unlock(self, args: list):
        self.pins.append(args[0] if args else "")
        if self.sim != "SIM PIN":
            return NOT_ALLOWED
        if args[:1] != [self.pin]:
            self.pin_tries -= 1
            if self.pin_tries <= 0:
                self.sim = "SIM PUK"
            return BAD_PASSWORD
        self.pin_tries = 3
        self.sim = "READY"
        self._unlocked_at = self.clock.now_us
        self.searching()
        self.after_final(lambda: self.later(self.choices["pin_lag_ms"], lambda: self.urc("+CPIN: READY")))
        return OK

    def do_SPIC(self, op, args):
        if op or not self.choices["tries"].startswith("spic"):
            return self.unheard()
        if self.sim == "NOT INSERTED":
            return SIM_ABSENT
        self.info("+SPIC: %d" % self.pin_tries + (",10,0,10" if self.choices["tries"] == "spic" else ""))
        return OK

    def do_CPINR(self, op, args):
        if op not in ("", "=") or self.choices["tries"] != "cpinr":
            return self.unheard()
        if self.sim == "NOT INSERTED":
            return SIM_ABSENT
        self.info("+CPINR: SIM PIN,%d,3\r\n+CPINR: SIM PUK,10,10" % self.pin_tries)
        return OK

    def _number_of(self, name: str):
        """A number read from the card."""
        if self.sim == "NOT INSERTED":
            return SIM_ABSENT
        if self.sim != "READY" and name == "CIMI":
            return SIM_PIN
        self.info(self.identity[name])
        if self.choice("identity_tail"):
            self.line(self.choice("identity_tail"))
        return OK

    def do_CIMI(self, op, args):
        return self._number_of("CIMI")

    def do_CCID(self, op, args):
        return self._number_of("CCID")
