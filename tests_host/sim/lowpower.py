"""Power saving of the LPWA families: PSM and eDRX, as 3GPP TS 27.007 and 24.008 have them."""

from .at import BAD_PARAMETER, ERROR, OK, number
from .basic import Basic

_ACTIVE_S = (2, 60, 360, 60, 60, 60, 60)  # units of T3324; 7: deactivated
_TAU_S = (600, 3600, 36_000, 2, 30, 60, 1_152_000)  # units of the extended T3412; 7: deactivated
_OFF = "00000000", "01100000"  # active time and TAU of a module that asked for nothing
_KEPT = ("echo", "verbose", "quiet", "cmee", "dtr_mode", "reports", "values", "_psm_told")  # over a sleep, by choice


def seconds(value: str, units: tuple) -> "int | None":
    """A timer of eight bits; None: deactivated."""
    unit = int(value[:3], 2)
    return None if unit >= len(units) else units[unit] * int(value[3:], 2)


class LowPower(Basic):
    """CPSMS, CPSMSTATUS, CPSMRDP, CEDRXS and CEDRXRDP.

    `granted`: (TAU, active time) that the network gives in place of what was asked for. `edrx_granted`: (cycle, paging
    time window). After `grant_ms` and the active time without a byte the module sleeps; PWRKEY or the end of the TAU
    wakes it, and it has no context and no link then.
    """

    granted: "tuple | None" = None
    edrx_granted: tuple = ("0010", "0100")
    grant_ms = 500
    asleep = False
    _resumes = False  # it wakes as it fell asleep
    _kept_given = _OFF
    CHOICES = {
        "wake": ("restart", "resume"),  # with boot lines and its settings gone, or as it fell asleep
        "wake_text": ('"%s PSM"', "%s PSM"),  # of +CPSMSTATUS
    }

    def _factory(self) -> None:
        super()._factory()
        if not hasattr(self, "psm"):  # flash
            self.psm = [0, *_OFF[::-1]]  # on, TAU, active time
            self.edrx: dict = {4: "0001", 5: "0001"}  # AcT -> value
            self._edrx_mode, self._edrx_act = 0, 5
        self._psm_told = 0

    def _reset(self) -> None:
        super()._reset()
        self._given = _OFF  # active time and TAU in force
        self._turn_of_sleep: "object | None" = None  # of the last grant
        self._last_out = self.clock.now_us

    # --- what was asked for, and granted

    def do_CPSMS(self, op, args):
        if op == "?":
            mode, tau, active = self.psm
            self.info('+CPSMS: 1,,,"%s","%s"' % (tau, active) if mode else "+CPSMS: 0")
        elif op == "=?":
            self.info('+CPSMS: (0-1),,,("00000000"-"11111111"),("00000000"-"11111111")')
        else:
            mode, timers = number(args, 0, 0, 1), args[3:5] + [""] * (2 - len(args[3:5]))
            if op != "=" or mode is None or len(args) > 5 or not all(_bits(each, 8) for each in timers):
                return BAD_PARAMETER
            again = mode and self.psm[0]  # the network is not asked once more
            self.psm = [mode, *(timer or before for timer, before in zip(timers, self.psm[1:]))]
            if not mode:
                self._given, self._turn_of_sleep = _OFF, None
            elif not again:
                self.after_final(lambda: self.later(self.grant_ms, self._grant))
        return OK

    def _grant(self) -> None:
        """The network answers: `+CEREG:` twice, as in the log."""
        if not self.psm[0]:
            return
        if not self.registered:
            self.later(1000, self._grant)
            return
        tau, active = self.granted or self.psm[1:]
        self._given = active, tau
        if self.reports["CEREG"] == 4:
            for _ in range(2):
                self.report("+CEREG: %d%s" % (self.registration, self._cell(4, self.registration)))
        self._turn_of_sleep = turn = object()
        self._doze(turn)

    def do_CPSMRDP(self, op, args):
        """Seconds: active time and TAU as asked for, then as the network gives them, and its T3412."""
        if op == "=?":
            return OK
        (mode, *asked), given = self.psm, self._given
        times = [seconds(asked[1], _ACTIVE_S), seconds(asked[0], _TAU_S)]
        times += [seconds(given[0], _ACTIVE_S), seconds(given[1], _TAU_S)]
        self.info("+CPSMRDP: %d,%d,%d,%d,%d,3600" % (mode, *(each or 0 for each in times)))
        return OK

    def do_CPSMSTATUS(self, op, args):
        return self.switch("CPSMSTATUS", "_psm_told", op, args)

    def do_CEREG(self, op, args):
        """Mode 4 adds the two timers."""
        if op == "=" and args == ["4"]:
            self.reports["CEREG"] = 4
            return OK
        return super().do_CEREG(op, args)

    def tell_registration(self) -> None:
        """With power saving on, what the network grants tells of it."""
        if self.psm[0] and self.registered:
            self._told_registration["CEREG"] = self.registration
        super().tell_registration()

    def _cell(self, mode: int, state: int) -> str:
        if mode != 4 or state not in (1, 5):
            return super()._cell(mode, state)
        return self.cell + ',,,"%s","%s"' % self._given

    # --- asleep

    def _feed(self, data: bytes) -> None:
        self._last_out = self.clock.now_us
        super()._feed(data)

    def _doze(self, turn: object) -> None:
        """Fall asleep when nothing has come or gone for the active time, and nothing is under way."""
        limit = seconds(self._given[0], _ACTIVE_S)
        if turn is not self._turn_of_sleep or not self.psm[0] or limit is None:
            return
        quiet_ms = (self.clock.now_us - max(self._last_in, self._last_out)) / 1000
        idle = self.registered and not self._busy and self._sink is None and self._data is None
        if quiet_ms >= limit * 1000 and idle:
            self._fall_asleep()
        else:
            self.later(max(100.0, limit * 1000 - quiet_ms), lambda: self._doze(turn))

    def _fall_asleep(self) -> None:
        if self._psm_told:
            self.urc("+CPSMSTATUS: " + self.choices["wake_text"] % "ENTER")
        self.later(self.port.backlog_us() / 1000 + 10, self._sleep)

    def _sleep(self) -> None:
        self._kept, self._kept_given = {name: getattr(self, name) for name in _KEPT}, self._given
        self._clear_links()
        self._dead()
        self.asleep = True
        tau = seconds(self._given[1], _TAU_S)
        if tau:
            self.later(tau * 1000, self.boot)  # unless PWRKEY was faster

    def _booted(self) -> None:
        woken, self.asleep = self.asleep, False
        self._resumes = resumes = woken and self.choices["wake"] == "resume"
        given = self._kept_given
        super()._booted()
        if woken:  # the network has not let go of it
            self._search_since, self._given = -1e12, given
        if resumes:
            vars(self).update(self._kept)
            if self._psm_told:
                self.urc("+CPSMSTATUS: " + self.choices["wake_text"] % "EXIT")
        if self.psm[0]:
            self.later(self.grant_ms, self._grant)

    def _boot_line(self, text: str) -> None:
        if not self._resumes:
            super()._boot_line(text)

    def power_cut(self) -> None:
        self.asleep = False
        super().power_cut()

    # --- eDRX

    def do_CEDRXS(self, op, args):
        if op == "?":
            self.info("\r\n".join('+CEDRXS: %d,"%s"' % each for each in sorted(self.edrx.items())))
        elif op == "=?":
            self.info('+CEDRXS: (0-3),(4-5),("0000"-"1111")')
        else:
            mode, act = number(args, 0, 0, 3), number(args, 1, 4, 5, self._edrx_act)
            value = args[2] if len(args) > 2 else ""
            if op != "=" or mode is None or act is None or len(args) > 3 or not _bits(value, 4):
                return BAD_PARAMETER
            self._edrx_mode, self._edrx_act = mode, act
            if value:
                self.edrx[act] = value
            if mode == 2:
                self.after_final(lambda: self.report("+CEDRXP: " + self._edrx_row()))
        return OK

    def _edrx_row(self) -> str:
        return '%d,"%s","%s","%s"' % (self._edrx_act, self.edrx[self._edrx_act], *self.edrx_granted)

    def do_CEDRXRDP(self, op, args):
        if op not in ("", "=?"):
            return ERROR
        if not op:
            self.info("+CEDRXRDP: " + (self._edrx_row() if self._edrx_mode in (1, 2) else "0"))
        return OK


def _bits(text: str, count: int) -> bool:
    """So many binary digits, or nothing."""
    return not text or (len(text) == count and set(text) <= {"0", "1"})
