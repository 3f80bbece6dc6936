"""What every phone can tell: calls, battery, clock, the names of network and subscriber."""

import datetime

from .at import BAD_PARAMETER, ERROR, NO_FINAL, OK, AtModule, number

_CLOCK_FORM = "%y/%m/%d,%H:%M:%S"
_ACTIVE, _DIALLING, _ALERTING, _INCOMING, _ENDED = 0, 2, 3, 4, 6  # <stat> of AT+CLCC


class Phone(AtModule):
    """`call_from()` lets somebody call. Whoever is called answers after `answer_ms`. There is no sound."""

    voice = True
    battery: tuple = (0, 85, 4012)  # charging, percent, millivolts
    battery_in_volts = False  # AT+CBC tells nothing but those
    own_number = "+15550123"
    time = datetime.datetime(2024, 5, 17, 10, 11, 12)  # of the network, local, when the program starts
    quarters = 32  # of an hour, from UTC to there
    system_mode: "int | None" = None  # <stat> of AT+CNSMOD while registered; None: it has no such command
    answer_ms = 2000
    ring_ms = 3000
    settings = {
        "CLIP": "0",
        "CRC": "0",
        "CVHU": "0",
        "CLCC": "0",
        "CBATCHK": "1",
        "CTZR": "0",
        "CTZU": "0",
        "CLTS": "0",
    }
    ranges = {"CLIP": "(0-1)", "CRC": "(0-1)", "CVHU": "(0-1)", "CBATCHK": "(0,1)", "CLTS": "(0,1)"}

    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self._began_us = int(self.clock.now_us)

    def _reset(self) -> None:
        super()._reset()
        self._call, self._incoming = _ENDED, False
        self._party = ""
        self._time_set: "datetime.timedelta | None" = None  # by AT+CCLK, against the network's

    # --- calls

    def call_from(self, party: str) -> None:
        """The phone rings until it is answered, or they give up."""
        self._party, self._incoming = party, True
        self._call_is(_INCOMING)
        self._ring()

    def call_ends(self) -> None:
        """The other side hangs up, or gives up."""
        if self._call != _ENDED:
            self._call_is(_ENDED)
            self.urc("NO CARRIER")

    def _call_is(self, state: int) -> None:
        """A change; with AT+CLCC=1 it is told."""
        if self._call != state:
            self._call = state
            if self.values["CLCC"] == "1":
                self.later(1, lambda: self.urc(self._row_of_call(state)))

    def _row_of_call(self, state: int) -> str:
        return '+CLCC: 1,%d,%d,0,0,"%s",145' % (self._incoming, state, self._party)

    def _ring(self) -> None:
        if self._call == _INCOMING:
            self.ri_pulse("call")
            self.urc("RING" if self.values["CRC"] == "0" else "+CRING: VOICE")
            if self.values["CLIP"] == "1":
                self.urc('+CLIP: "%s",145,"",0,"",0' % self._party)
            self.later(self.ring_ms, self._ring)

    def do_D(self, op, args):
        """A voice call; a data call finds nobody."""
        text = "".join(args)
        if not (self.voice and text.endswith(";") and self.registered):
            self.result("NO CARRIER", 3)
            return NO_FINAL
        self._party, self._incoming = text.rstrip(";"), False
        self._call_is(_DIALLING)
        self.later(self.answer_ms / 2, lambda: self._progress(_DIALLING, _ALERTING))
        self.later(self.answer_ms, lambda: self._progress(_ALERTING, _ACTIVE))
        return OK

    def _progress(self, before: int, after: int) -> None:
        if self._call == before:
            self._call_is(after)

    def do_A(self, op, args):
        if self._call != _INCOMING:
            self.result("NO CARRIER", 3)
            return NO_FINAL
        self._call_is(_ACTIVE)
        return OK

    def do_H(self, op, args):
        if op != "=?":
            self._call_is(_ENDED)
        return OK

    do_CHUP = do_H

    def do_CLCC(self, op, args):
        if op == "=" and args not in (["0"], ["1"]):
            return BAD_PARAMETER
        if op:
            return self._setting("CLCC", op, "".join(args))
        if self._call != _ENDED:
            self.info(self._row_of_call(self._call))
        return OK

    def do_CPAS(self, op, args):
        if op == "=?":
            self.info("+CPAS: (0,3,4)")
        else:
            self.info("+CPAS: %d" % (0 if self._call == _ENDED else 3 if self._call == _INCOMING else 4))
        return OK

    # --- battery, clock, names

    def do_CBC(self, op, args):
        if op == "=?":
            self.info("+CBC: (0-2),(1-100),(voltage)")
        elif self.battery_in_volts:
            self.info("+CBC: %.3fV" % (self.battery[2] / 1000))
        else:
            self.info("+CBC: %d,%d,%d" % self.battery)
        return OK

    def do_CCLK(self, op, args):
        network = self.time + datetime.timedelta(microseconds=int(self.clock.now_us) - self._began_us)
        if op == "?":
            now = network + (self._time_set or datetime.timedelta())
            self.info('+CCLK: "%s%+03d"' % (now.strftime(_CLOCK_FORM), self.quarters))
        elif op == "=":
            try:
                self._time_set = datetime.datetime.strptime(args[0][:17], _CLOCK_FORM) - network
            except (ValueError, IndexError):
                return BAD_PARAMETER
        return OK

    def do_CSPN(self, op, args):
        if op == "?":
            self.info('+CSPN: "%s",0' % self.operator)
        return OK if op == "?" else ERROR

    def do_CNUM(self, op, args):
        if op == "":
            self.info('+CNUM: "","%s",145' % self.own_number)
        return OK

    def do_CNSMOD(self, op, args):
        if self.system_mode is None:
            return self.unheard()
        if op == "?":
            self.info("+CNSMOD: 0,%d" % (self.system_mode if self.registered else 0))
        elif op == "=?":
            self.info("+CNSMOD: (0-1)")
        elif number(args, 0, 0, 1) is None:
            return BAD_PARAMETER
        return OK
