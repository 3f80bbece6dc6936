"""Power, boot and the profile of a virtual module."""

from .chatter import Chatter


# Readings that only a robust driver gets over: what is lost, doubled, garbled or refused although all is well.
RUDE = ("answers", "count", "cpin", "creg", "errors", "identity_tail", "reset_answer", "stray_error", "tries")


class Power(Chatter):
    """A module that can be switched on and off, and falls asleep."""

    # a profile overrides these
    family = ""
    boot_ms = 4500  # PWRKEY to a usable UART
    deaf_ms = 0  # so long after that, commands come back as echo only
    boot_lines: tuple = ()  # (ms after boot_ms, line)
    untold: tuple = ("RDY", "+CFUN: 1", "+CPIN: READY")  # lines that a module without a fixed rate does not send
    off_ms = 2000  # from its last word to dead
    off_text = "NORMAL POWER DOWN"
    on_press_ms = 1000
    off_press_ms = 1200
    restart_press_ms = 1e12  # a longer press of PWRKEY restarts
    reset_press_ms = 252
    register_ms = 3000  # end of boot to registration
    sim_busy_ms = 300  # end of boot to a SIM that answers
    pwrkey_level = 0  # the host pin's level that presses PWRKEY
    default_baud = 115200
    default_autobaud = False
    model = ""  # what it is sold as
    revision = imei = iccid = imsi = ""
    # Command -> answer line, with the five above; None: it has no such command. What starts with CG goes without C too.
    identity: dict = {
        "CGMI": "SIMCOM_Ltd",
        "CGMM": "SIMCOM_%(model)s",
        "CGMR": "Revision:%(revision)s",
        "GCAP": "+GCAP: +CGSM",
        "CGSN": "%(imei)s",
        "CCID": "%(iccid)s",
        "CIMI": "%(imsi)s",
    }
    settings: dict = {}  # command -> default value; accepted and kept, without effect
    ranges: dict = {}  # command -> what its test form tells
    CHOICES: dict = {"cmee": (0, 2), "boot_noise": (b"", b"\x00\xff\xff")}
    sim = "READY"  # "SIM PIN", "NOT INSERTED"
    csq = 20
    pin = "1234"
    function = 1  # <fun> of CFUN at power-up: the one that was set last
    unknown: tuple = ()  # names of commands that this firmware does not know
    operator = "Simulated"
    ri_ms: dict = {"sms": 120}  # how long RI is low for what: "sms", "call", "data" (no note has that)
    polite = False  # a seed takes no reading that is a fault or a refusal, but those that documents differ in

    def __init__(
        self,
        port,
        seed=0,
        *,
        powered=False,
        pwrkey=None,
        reset=None,
        status=None,
        dtr=None,
        dcd=None,
        ri=None,
        choices=None,
        baud=None,
        **profile,
    ):
        super().__init__(port, seed, **profile)
        known = {name: getattr(self, name) for name in ("model", "revision", "imei", "iccid", "imsi")}
        said = {name: text % known for name, text in self._merged("identity").items() if text}
        self.identity = said | {name[1:]: text for name, text in said.items() if name.startswith("CG")}
        self.ranges = self._merged("ranges")
        self.choices = {}
        for name, options in sorted(self._merged("CHOICES").items()):
            fixed = seed is None or (self.polite and name in RUDE)
            self.choices[name] = options[0] if fixed else self.random.choice(options)
        for name, value in (choices or {}).items():
            if name not in self.choices:
                raise ValueError("no such choice: %s; there are: %s" % (name, ", ".join(self.choices)))
            self.choices[name] = list(value) if isinstance(value, list) else value
        self.saved_baud = baud or self.default_baud
        self.saved_autobaud = self.default_autobaud and baud is None
        self._status, self._dtr, self._dcd, self._ri = status, dtr, dcd, ri
        self._pressed_at = self._reset_at = None
        self._pressed_running = self._booting = False
        self._woken_at = self._deaf_until = self._dtr_low_at = 0.0
        self._off_until = 0.0
        self._up_since = self._search_since = -1e12
        self._factory()
        if pwrkey is not None:
            pwrkey.watch(lambda level: self.pwrkey(level == self.pwrkey_level))
        if dtr is not None:
            dtr.watch(self.dtr)
        if reset is not None:
            reset.watch(lambda level: self.reset(level == self.pwrkey_level))
        if ri is not None:
            ri.drive(1)
        if powered:
            self._start()
        elif status is not None:
            status.drive(0)

    @classmethod
    def _merged(cls, name: str) -> dict:
        """A table of the profile with those of all its bases."""
        merged: dict = {}
        for base in reversed(cls.__mro__):
            merged.update(base.__dict__.get(name, {}))
        return merged

    def choice(self, name: str):
        """The reading that this module follows where documents differ; a list gives its items one after another."""
        value = self.choices[name]
        if isinstance(value, list):
            return value.pop(0) if len(value) > 1 else value[0]
        return value

    def _factory(self) -> None:
        """The settings after power-up and AT&F."""
        self.echo, self.verbose, self.quiet = True, True, False
        self.cmee = self.choice("cmee")
        self.cfun = self.function
        self.dtr_mode = 0  # AT&D1: DTR low for a second, then high, leaves data mode
        self.reports = {"CREG": 0, "CGREG": 0, "CEREG": 0}
        self.values = self._merged("settings")

    def _reset(self) -> None:
        """Everything volatile is gone."""
        self._clear_intake()
        self._factory()
        self.baud, self.autobaud = self.saved_baud, self.saved_autobaud

    def _start(self) -> None:
        self._reset()
        self.running, self._booting = True, False
        self.note("runs")
        self.chat()
        if self._status is not None:
            self._status.drive(1)

    def boot(self) -> None:
        """Switch on: the UART is dead until boot_ms, then the boot lines come."""
        self._reset()
        self.running, self._booting = False, True
        self.later(self.boot_ms, self._booted)

    def _booted(self) -> None:
        self._start()
        self._up_since = self.clock.now_us
        self.searching()
        self._deaf_until = self.clock.now_us + self.deaf_ms * 1000
        self.send(self.choice("boot_noise"))
        for ms, text in self.boot_lines:
            if not (self.autobaud and text in self.untold):
                self.later(ms, lambda text=text: self._boot_line(text))

    def searching(self) -> None:
        """A search for a network begins."""
        self._search_since = self.clock.now_us

    def _boot_line(self, text: str) -> None:
        if text == "+CPIN: READY" and self.sim != "READY":
            text = "+CPIN: " + self.sim
        self.push(b"\r\n" + text.encode() + b"\r\n")

    def restart(self) -> None:
        """The module restarts by itself."""
        self.note("restarts")
        self.boot()

    def power_off(self, text: "str | None" = None) -> None:
        """Say good-bye and go off."""
        text = self.off_text if text is None else text
        if text and self.running:
            self.push(b"\r\n" + text.encode() + b"\r\n")
        self._off_until = self.clock.now_us + self.off_ms * 1000
        self._clear_links()
        self._busy = True  # deaf from now on
        self.later(self.off_ms, self._dead)

    def power_cut(self) -> None:
        """The supply is gone, at once."""
        self._clear_links()
        self._dead()

    def _dead(self) -> None:
        self.note("is off")
        self.running = self._booting = False
        self._clear_intake()
        if self._status is not None:
            self._status.drive(0)

    def _clear_links(self) -> None:
        """Connections die with the module."""

    def ri_pulse(self, kind: str) -> None:
        """RI goes low for a while, as the family has it for this kind of news."""
        ms = self.ri_ms.get(kind, 0)
        if self._ri is not None and ms:
            self._ri.drive(0)
            self.later(ms, lambda: self._ri.drive(1))

    def pwrkey(self, pressed: bool) -> None:
        """PWRKEY goes down or up: down long enough switches on, a long enough press of a running module off."""
        now = self.clock.now_us
        if pressed:
            self._pressed_at = now
            self._pressed_running = self.running and now >= self._off_until
            if not self.running and now >= self._off_until:
                self.clock.after_ms(self.on_press_ms, lambda: self._still_pressed(now))
        elif self._pressed_at is not None:
            held_ms = (now - self._pressed_at) / 1000
            self._pressed_at = None
            if self._pressed_running and held_ms >= self.restart_press_ms:
                self.restart()
            elif self._pressed_running and self.running and held_ms >= self.off_press_ms:
                self.power_off()

    def _still_pressed(self, since: float) -> None:
        if self._pressed_at == since and not self.running and not self._booting:
            self.boot()

    def reset(self, pressed: bool) -> None:
        """RESET goes down or up: held long enough it restarts the module."""
        now = self.clock.now_us
        if pressed:
            self._reset_at = now
        elif self._reset_at is not None:
            held_ms = (now - self._reset_at) / 1000
            self._reset_at = None
            if held_ms >= self.reset_press_ms and (self.running or self._booting):
                self.restart()

    def dtr(self, level: int) -> None:
        """DTR goes down or up."""
        if not level:
            self._dtr_low_at = self.clock.now_us
        elif self.dtr_mode == 2 and self._data is not None:
            self.dtr_off()
        elif self.dtr_mode == 1 and self._data is not None and self.clock.now_us - self._dtr_low_at >= 1e6:
            self.leave_data()
            self._escape()
            self._release()

    def dtr_off(self) -> None:
        """With AT&D2 it ends the connection of data mode."""

    def awake(self) -> bool:
        """CSCLK=1: asleep while DTR is high and 50 ms more; CSCLK=2: after 5 s of silence; what wakes it is lost."""
        now, last = self.clock.now_us, self._last_in
        mode = self.values.get("CSCLK", "0")
        if mode == "1":
            return self._dtr is None or (not self._dtr.value() and now - self._dtr_low_at >= 50_000)
        if mode == "2":
            if now - last > 5e6:
                self._woken_at = self._last_in = now
            return now - self._woken_at >= 100_000
        return True
