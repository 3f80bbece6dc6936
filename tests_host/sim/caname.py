"""The CAOPEN dialect of SIM7070, SIM7080 and SIM7090: names and pings."""

from .address import numeric
from .at import BAD_PARAMETER, ERROR, OK, PENDING, number
from .caswitch import CaSwitch

NO_NETWORK, UNKNOWN = 3, 8  # <err> of CDNSGIP
_SERVERS = ("Ipv4PrimaryDns", "Ipv4SecondaryDns", "Ipv6PrimaryDns", "Ipv6SecondaryDns")


class CaName(CaSwitch):
    """The complete dialect. `pings`: what the replies of SNPING4 take in milliseconds, one after another."""

    pings: tuple = (147, 546, 278)

    def _factory(self) -> None:
        super()._factory()
        self.name_context = self.ping_context = 4
        self.dns = ["0.0.0.0", "0.0.0.0", "0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0", "0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0"]

    def do_CDNSPDPID(self, op, args):
        return self.switch("CDNSPDPID", "name_context", op, args, 4)

    def do_SNPDPID(self, op, args):
        return self.switch("SNPDPID", "ping_context", op, args, 4)

    def do_CDNSCFG(self, op, args):
        if op == "?":
            self.info("\r\n".join("%s: %s" % pair for pair in zip(_SERVERS, self.dns)))
        elif op == "=":
            if not 1 <= len(args) <= 4 or not all(numeric(each) for each in args):
                return BAD_PARAMETER
            self.dns[: len(args)] = args
        return OK

    def do_CDNSGIP(self, op, args):
        """OK first; the result has the IPv6 address behind the other."""
        if op == "=?":
            self.info("+CDNSGIP: 65,(0-10),(0-60000)")
            return OK
        if op != "=" or len(args) != 3 or None in (number(args, 1, 0, 10), number(args, 2, 0, 60_000)):
            return BAD_PARAMETER
        name, context = args[0], self.usable(self.name_context)
        if not 0 < len(name) <= 65:
            return BAD_PARAMETER
        generation = self._generation

        def resolved(found: list) -> None:
            if generation != self._generation:
                return
            if found:
                kinds = [each for each in found if ":" not in each][:1] + [each for each in found if ":" in each][:1]
                self.report('+CDNSGIP: 1,"%s",%s' % (name, ",".join('"%s"' % each for each in kinds)))
            else:
                self.report("+CDNSGIP: 0,%d" % UNKNOWN)

        if context is None:
            self.after_final(lambda: self.report("+CDNSGIP: 0,%d" % NO_NETWORK))
        else:
            self.after_final(lambda: self.resolve(name, context, resolved))
        return OK

    def do_SNPING4(self, op, args):
        """A line for each reply, a second apart, then OK."""
        if op == "=?":
            self.info("+SNPING4: 255,(1-500),(1-1400),(1-60000)")
            return OK
        counts = number(args, 1, 1, 500), number(args, 2, 1, 1400), number(args, 3, 1, 60_000)
        if op != "=" or len(args) != 4 or not args[0] or None in counts:
            return BAD_PARAMETER
        context = self.usable(self.ping_context)
        if context is None:
            return ERROR
        generation = self._generation

        def reply(i: int, address: str) -> None:
            if i == counts[0]:
                self.resume(OK)
                return
            self.line("+SNPING4: %d,%s,%d" % (i + 1, address, self.pings[i % len(self.pings)]))
            self.later(1000 if i + 1 < counts[0] else 0, lambda: reply(i + 1, address))

        def resolved(found: list) -> None:
            if generation != self._generation:
                return
            if found:
                self.later(self.pings[0], lambda: reply(0, found[0]))
            else:
                self.resume(ERROR)

        self.resolve(args[0], context, resolved)
        return PENDING
