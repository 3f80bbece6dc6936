"""As much of a module of the CAOPEN dialect as a driver needs, and a driver connected to it."""

import re

import shim
from feed import ERROR, OK, Loaded, Module, info

import simcom

CONTEXTS = 4
FIRST = re.compile(rb"AT\+CA(?:OPEN|SEND|RECV|CLOSE|ACK|SERVER)=(\d+)")


class CaModule(Module):
    """The CAOPEN twin of Module: `net_ms` and `connect_ms` until results come.

    `net`: context 0 is active. `results[host]`: of an open, if not 0. `taken`: links that the peer closed.
    `servers[n]`: (kind, port). `senders[n]`: whom the next read of link n is from, where headers tell (`named`).
    `blocking`: ASYNCOPEN is refused. `nothing`: the answer to a read of a link without bytes.
    """

    def __init__(self):
        super().__init__()
        self.links = 13
        self.inbox = {n: bytearray() for n in range(self.links)}
        self.outbox = {n: bytearray() for n in range(self.links)}
        self.taken: set = set()
        self.servers: dict = {}
        self.senders: dict = {}
        self.results: dict = {}
        self.net = self.named = self.later_open = self.blocking = False
        self.address = b"10.181.182.177"
        self.trailer = b"\r\n\r\nOK\r\n"
        self.nothing = info(b"+CARECV: 0")
        self.head = b"\r\n+CARECV: %d,"
        self.net_ms = self.connect_ms = 30

    # what a test does

    def line(self, text: bytes, ms: float = 0) -> None:
        """An unsolicited line, so much later."""
        self.uart.later(ms, b"\r\n" + text + b"\r\n")

    def arrive(self, n: int, data: bytes, notice: bool = True) -> None:
        """Bytes for a link."""
        self.inbox[n] += data
        if notice:
            self.line(b"+CADATAIND: %d" % n)

    def close_peer(self, n: int) -> None:
        """The peer of link n closes; what it had sent can still be read."""
        self.open.discard(n)
        self.taken.add(n)
        self.line(b"+CASTATE: %d,0" % n)

    def lose_network(self) -> None:
        """The network takes the context, and every link with it."""
        self.down()
        self.line(b"+APP PDP: 0,DEACTIVE")

    def down(self) -> None:
        self.net = False
        for each in (self.open, self.taken, self.servers):
            each.clear()

    # what the module does

    def usual(self, line):
        """The answer of a module that is registered."""
        name, given, rest = line.partition(b"=")
        fields = rest.replace(b'"', b"").split(b",")
        if rest == b"?":
            return OK
        if b"CIP" in name or name[3:] in (b"CSTT", b"CIICR", b"CIFSR", b"NETOPEN", b"NETCLOSE"):
            return ERROR
        answer = getattr(self, "at_" + name[3:].decode().lower().replace("?", "_read"), None)
        if answer:
            return answer(*fields) if given else answer()
        return super().usual(line)

    def at_cgmm(self):
        return info(b"SIMCOM_SIM7080")

    def at_cpowd(self, _):
        self.down()
        return b"\r\nNORMAL POWER DOWN\r\n"

    def at_cnact_read(self):
        rows = [b'+CNACT: %d,0,"0.0.0.0"' % n for n in range(CONTEXTS)]
        if self.net:
            rows[0] = b'+CNACT: 0,1,"%s"' % self.address
        return b"".join(b"\r\n" + row for row in rows) + b"\r\n\r\nOK\r\n"

    def at_cncfg_read(self):
        return info(b'+CNCFG: 0,0,"","","",0')

    def at_cnact(self, n, on):
        if on == b"0":
            self.down()
        self.net = on != b"0"
        self.line(b"+APP PDP: %s,%s" % (n, b"ACTIVE" if self.net else b"DEACTIVE"), self.delay_ms + self.net_ms)
        return OK

    def at_casrip(self, on):
        self.named = on == b"1"
        return OK

    def at_cacfg(self, key, *values):
        if key == b"ASYNCOPEN":
            if self.blocking:
                return ERROR
            self.later_open = values[0] == b"1"
        return OK

    def at_caopen(self, n, pdp, kind, host, port, *mode):
        n = int(n)
        if n in self.open or n in self.taken or n in self.servers:
            return ERROR
        result = self.results.get(host.decode(), 0 if self.net else 21)
        self.inbox[n].clear()
        self.senders.setdefault(n, (host, port))

        def done():
            if not result:
                self.open.add(n)
            said = b"\r\n+CAOPEN: %d,%d\r\n" % (n, result)
            self.uart.say(said if self.later_open else said + OK)

        if result is not None:
            shim.clock.clock.after_ms(self.connect_ms, done)
        return OK if self.later_open else b""

    def at_caserver(self, n, pdp, kind, port, *mode):
        self.servers[int(n)] = (kind, int(port))
        if kind.startswith(b"UDP"):
            self.open.add(int(n))
        return info(b"+CASERVER: %s,0" % n)

    def at_castate_read(self):
        rows = {n: 1 for n in self.open} | {n: 0 for n in self.taken} | {n: 2 for n in self.servers}
        return info(*(b"+CASTATE: %d,%d" % (n, rows[n]) for n in sorted(rows))) if rows else OK

    def at_casend(self, n, length=None, *_):
        n = int(n)
        if n not in self.open:
            return ERROR
        if length is None:
            return info(b"+CASEND: 10240")

        def done(payload):
            self.outbox[n] += payload
            return OK

        return b"\r\n> ", int(length), done

    def at_caack(self, n):
        return info(b"+CAACK: %d,0" % len(self.outbox[int(n)])) if int(n) in self.open else ERROR

    def at_carecv(self, n, most):
        n = int(n)
        if n not in self.open and n not in self.taken:
            return ERROR
        got = bytes(self.inbox[n][: int(most)])
        del self.inbox[n][: int(most)]
        if not got:
            return self.nothing
        head = self.head % len(got)
        if self.named:
            head = head.replace(b": ", b": %s,%s," % self.senders[n])
        return head + got + self.trailer

    def at_caclose(self, n):
        n = int(n)
        there = n in self.open or n in self.taken or n in self.servers
        self.open.discard(n)
        self.taken.discard(n)
        self.servers.pop(n, None)
        return OK if there else ERROR

    def at_cdnsgip(self, name, *_):
        self.line(b'+CDNSGIP: 1,"%s","192.0.2.7"' % name, self.delay_ms + 30)
        return OK

    def at_cfun(self, *fields):
        return OK


class CaReplay(Loaded, CaModule):
    """A CaModule that answers as a transcript does.

    What a read or a notice brings goes to the inbox: the driver asks for other amounts than the host of the transcript.
    """

    def __init__(self, chunk=0, echo=False):
        super().__init__(chunk=chunk, echo=echo)

    def same(self, line, theirs):
        return alike(line) == alike(theirs) or (theirs.startswith(b"AT+CARECV=") and line[:12] == theirs[:12])

    def _play(self, line, answers, at):
        said = b"".join(each for each in answers if not isinstance(each, int))
        link = FIRST.match(line)
        n = int(link[1]) if link else -1
        if line.startswith(b"AT+CASEND=") and said == b"\r\n> ":
            payload, results = self.script.pop(at)

            def done(got):
                assert got == payload, "the host of the transcript sends something else"
                self.outbox[n] += got
                self.answer(results)

            return said, len(payload), done
        if line.startswith(b"AT+CARECV=") and n >= 0:
            return self._read(n, int(line.split(b",")[1]), answers)
        if line.startswith(b"AT+CAOPEN=") and b"+CAOPEN: %d,0" % n in said:
            self.open.add(n)
        elif line.startswith(b"AT+CASERVER=") and n >= 0:
            self.at_caserver(*line.partition(b"=")[2].replace(b'"', b"").split(b","))
        elif line.startswith(b"AT+CACLOSE="):
            self.at_caclose(n)
        elif line.startswith(b"AT+CNACT="):
            self.net = b",ACTIVE" in said or b" ACTIVE" in said
        elif line == b"AT+CASRIP=1":
            self.named = True
        elif line == b"AT+CNACT?":
            self.address = said.split(b'"')[1]
        self.answer(answers)
        return b""

    def _read(self, n, most, answers):
        got = re.match(rb"\r\n\+CARECV: (?:[0-9.]+,\d+,)?(\d+),", answers[0])
        if got:
            self.inbox[n] += answers[0][got.end() :][: int(got[1])]
        self.answer(answers[1:], 5)
        return self.at_carecv(b"%d" % n, b"%d" % most)

    def answer(self, answers, ms=0):
        """Send them, with their pauses."""
        ms += self.delay_ms
        for each in answers:
            if isinstance(each, int):
                ms += each
            else:
                self.events(each, ms)
                self.uart.later(ms, each)
                ms += 5

    def events(self, said, ms):
        """What the lines say has happened."""
        for n, state in re.findall(rb"\+CASTATE: (\d+),(\d)", said):
            if state == b"0":
                self.open.discard(int(n))
                self.taken.add(int(n))
        for n in re.findall(rb"\+CAOPEN: (\d+),0", said):
            self.open.add(int(n))
        for _, n in re.findall(rb"\+CANEW: (\d+),(\d+)", said):
            self.open.add(int(n))


def alike(line: bytes) -> bytes:
    """A command without what hosts write in different ways."""
    line = line.replace(b'"', b"")
    if line.startswith(b"AT+CASEND="):
        return b",".join(line.split(b",")[:2])
    return line.rpartition(b",")[0] if line.startswith(b"AT+CDNSGIP=") and b"," in line else line


def modem(module: Module, apn: "str | None" = "CMNET", family: str = "sim7080", **given):
    """A driver on the module, switched on, and with its context up unless `apn` is None."""
    shim.reset()
    made = getattr(simcom, family.upper())(module.uart, **given)
    made.active(True)
    if apn:
        made.connect(apn)
    return made
