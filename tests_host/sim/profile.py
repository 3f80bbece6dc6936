"""The settings of V.250, and the profile that AT&W keeps over restarts."""

from .at import ERROR, OK, AtModule, number

_REGISTERS = {0: 0, 3: 13, 4: 10, 5: 8, 6: 2, 7: 60, 8: 2, 10: 15}
_SHORT = {"L": 9, "M": 2, "N": 1, "X": 4, "&C": 1, "&K": 4, "&S": 1}  # highest value of what has no effect


class UserProfile(AtModule):
    """ATZ takes the settings back that AT&W has kept, as a restart does; AT&F those of the factory."""

    settings = {"L": "0", "M": "0", "N": "0", "X": "4", "&C": "1", "&K": "0", "&S": "0"}
    _saved: "dict | None" = None  # in flash

    def _factory(self) -> None:
        super()._factory()
        self.registers = dict(_REGISTERS)

    def _reset(self) -> None:
        super()._reset()
        self._recall()

    def _recall(self) -> None:
        for name, value in (self._saved or {}).items():
            setattr(self, name, dict(value) if isinstance(value, dict) else value)

    def do_AMP_W(self, op, args):
        if number(args, 0, 0, 2, 0) is None:
            return ERROR
        names = ("echo", "verbose", "quiet", "cmee", "dtr_mode", "reports", "registers", "values")
        self._saved = {name: getattr(self, name) for name in names}
        for name, value in self._saved.items():
            self._saved[name] = dict(value) if isinstance(value, dict) else value
        return OK

    def do_AMP_F(self, op, args):
        self._factory()
        return OK

    def do_Z(self, op, args):
        self._factory()
        self._recall()
        return OK

    def do_AMP_V(self, op, args):
        short = {"E": self.echo, "Q": self.quiet, "V": self.verbose, "&D": self.dtr_mode}
        short.update((name, int(self.values[name])) for name in _SHORT)
        lines = ["ACTIVE PROFILE:", " ".join("%s%d" % pair for pair in short.items())]
        lines.append(" ".join("S%d:%03d" % pair for pair in sorted(self.registers.items())))
        lines += ["+%s: %d" % ("CMEE", self.cmee), *("+%s: %d" % pair for pair in self.reports.items())]
        self.info("\r\n".join(lines))
        return OK

    def do_S(self, op, args):
        """A register: ATS0? tells it, ATS0=2 sets it."""
        if not args or int(args[0]) not in self.registers:
            return ERROR
        if op == "?":
            self.info("%03d" % self.registers[int(args[0])])
            return OK
        value = number(args, 1, 0, 255, 0)
        if value is not None:
            self.registers[int(args[0])] = value
        return ERROR if value is None else OK

    def _setting(self, name: str, op: str, text: str):
        if name in _SHORT:
            text = text or "0"
            if int(text) > _SHORT[name]:
                return ERROR
        return super()._setting(name, op, text)
