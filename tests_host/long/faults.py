"""Single faults on the wire: one session, one fault, one verdict.

    .venv/bin/python tests_host/long/faults.py [--family sim7000] [--session client] [--seed 0] [--step 1] [--one RUN]

Every run has a name that replays it: ``sim7000/client/text/0/rx/137/drop3`` is that family's client session with
payload of CR LF text, on a module that follows the readings of seed 0 (the recommended ones), in which three bytes are
lost from byte 137 of the direction rx (module to host) on. Bytes count from where the session begins. Afterwards a new
connection must carry bytes, and every link number must be free again. What came out is printed as a table and written
to build/faults.json.
"""

import argparse
import collections
import json
import multiprocessing
import os
import random
import re
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    folders = "lib tests_host tests_host/support tests_host/tcp tests_device"
    sys.path[:0] = [str(TREE / folder) for folder in folders.split()]
    # The library loads most of its modules anew at each use: what they compile to is kept.
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(TREE / "build/pycache")

import compiled  # noqa: E402
from rig import Hang, Rig  # noqa: E402 - it puts the shim in place
from families import CA, CIP, OPEN  # noqa: E402
from modes import taught  # noqa: E402
import simcom  # noqa: E402
from simcom.stream.reclaim import peers  # noqa: E402
from sim import Peer  # noqa: E402
from sim.faults import Faulty  # noqa: E402

compiled.keep()

FAMILIES = CIP + CA
FIGURES = TREE / "build" / "faults.json"

AF_INET, SOCK_DGRAM = 2, 2
ADDRESS = ("peer.example", 80)
BESIDE = ("beside.example", 81)
TIMEOUT_S = 20
LATE_MS = 45_000  # so long a call with that time-out may take: in doubt the driver asks before it gives up
RECOVERY_MS = 600_000
CLOSED_MS = 150_000  # the CIPOPEN dialect reports a close within two minutes

# Two texts each way, so that a fault meets a first and a later read and write.
TEXT = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
PAYLOADS = {
    "random": tuple(random.Random(1).randbytes(n) for n in (30, 50, 20, 40)),
    "text": (
        b"GET / HTTP/1.0\r\nHost: peer\r\n\r\n",
        TEXT + b"first\r\n\r\n",
        b"POST / HTTP/1.0\r\n\r\n",
        TEXT + b"last\r\n",
    ),
}

# Unsolicited lines that say nothing about a connection of the session (its link numbers are the lowest or highest).
LINES = (
    'RING|+CLIP: "+491234567",145,"",,"",0|NO CARRIER|+CMTI: "SM",10|+CREG: 1,"1A2B","01C3D4E5",7|+CUSD: 0,"OK",15|'
    '+CGEV: ME DETACH|*PSUTTZ: 24/05/17,10:11:12","+08",0|*PSNWID: "001","01", "net", 0|DST: 0|+CTZV: +8,0|'
    "UNDER-VOLTAGE WARNNING|CHARGE-ONLY MODE|+CMTE: 1|+CADATAIND: 0|+CPIN: READY|SMS Ready|Call Ready|SMS DONE|"
    "$GNRMC,101112.00,A,5230.1,N,01323.2,E,0.1,,170524,,,A*6D|+CGNSSINFO: 2,09,05,00,5230.1,N,01323.2,E|+CSCON: 1|"
    '+UGNSINF: 1,1,20240517101112.000,52.5|+CENG: 0,"20,40,262,01"|*REJCAUSE: 4,15|+STIN: 25|MISSED_CALL: 10:11 +49123|'
    '+CMT: "+491234567",,"24/05/17,10:11:12+08"\r\n0, CLOSED|+CBM: 1,2,3,4,5\r\nOK|5, CLOSED|+NEVERHEARD: 1,2'
).split("|")
# Final results and reports that belong to no command of the session.
STRAYS = (
    "OK",
    "ERROR",
    "+CIPERROR: 4\r\n\r\nERROR",
    "+CME ERROR: 3",
    "OK\r\n\r\nOK",
    "ERROR\r\n\r\nERROR",
    "\0\xff\xff",
)

KINDS = ("drop", "drops", "flip", "double", "insert", "stall", "restart", "context", "line", "stray")
LINE = b"\r\n%s\r\n"
FILLER = b"\r\x1b"  # with what a module inside a payload is freed
STALLS_MS = (30, 400, 1500, 7000, 25000)


def fault_of(kind, at):
    """The fault of a kind at an offset, as the last part of a run's name: what may vary changes from byte to byte."""
    if kind == "drops":
        return "drop%d" % (2 + at % 5)
    return {
        "drop": "drop1",
        "flip": "flip%d" % (at * 5 % 8),
        "double": "double1",
        "insert": "insert%d" % (at * 37 % 256),
        "stall": "stall%d" % STALLS_MS[at % len(STALLS_MS)],
        "line": "line%d" % (at % len(LINES)),
        "stray": "stray%d" % (at % len(STRAYS)),
    }.get(kind, kind)


class Recorded(Faulty):
    """Keeps what has passed, as it was before the fault."""

    def __init__(self, uart):
        super().__init__(uart)
        self.seen = {"rx": bytearray(), "tx": bytearray()}

    def begin(self):
        """Offsets count from here."""
        self.offset = {"rx": 0, "tx": 0}
        self.seen = {"rx": bytearray(), "tx": bytearray()}

    def _faulted(self, direction, data):
        if direction == "rx":
            self.seen["rx"] += data
        return super()._faulted(direction, data)

    def write(self, buf, *args):
        before = self.offset["tx"]
        done = super().write(buf, *args)
        offset = args[0] if len(args) == 2 else 0
        self.seen["tx"] += bytes(buf[offset : offset + self.offset["tx"] - before])
        return done


def arm(rig, direction, at, fault):
    """Put a fault on the wire of a rig."""
    wire = rig.port
    name, number = re.fullmatch(r"([a-z]+)(\d*)", fault).groups()
    if name == "drop":
        wire.drop(direction, at, int(number))
    elif name == "flip":
        wire.flip(direction, at, 1 << int(number))
    elif name == "double":
        wire.duplicate(direction, at, int(number))
    elif name == "insert":
        wire.insert(direction, at, bytes([int(number)]))
    elif name in ("line", "stray"):
        text = (LINES if name == "line" else STRAYS)[int(number)]
        wire.insert(direction, at, LINE % text.encode("latin-1"))
    elif name == "stall":
        wire.stall(at, int(number), direction)
    elif name == "restart":
        wire.call(direction, at, lambda: (rig.uart.deinit(), rig.vm.restart()))
    elif name == "context":
        wire.call(direction, at, rig.vm.network_lost)
    else:
        raise ValueError("no such fault: %s" % fault)


class Talker(Peer):
    """Says each text when as many bytes have come as belong before it; closes behind the last."""

    def __init__(self, *steps):
        self.steps = list(steps)  # (bytes that must have come, what to say)
        self.connection = None

    def opened(self, connection):
        self.connection = connection
        self._go_on()

    def received(self, connection, data):
        self._go_on()

    def _go_on(self):
        while self.steps and len(self.connection.received) >= self.steps[0][0]:
            self.connection.write(self.steps.pop(0)[1])
            if not self.steps and self.connection.proto == "TCP":
                self.connection.close()


class Datagrams(Talker):
    """The same by datagrams, each of which it keeps."""

    def __init__(self, *steps):
        super().__init__(*steps)
        self.came = []

    def received(self, connection, data):
        self.came.append(bytes(data))
        super().received(connection, data)


class Tally:
    """What one connection's two ends have seen; `judge()` compares them."""

    def __init__(self, talker, sent, writes):
        self.talker = talker
        self.sent = sent  # what the peer says, in all
        self.writes = writes  # what the program writes
        self.got = bytearray()  # what it read
        self.tried = 0  # bytes given to write() …
        self.reported = 0  # … and those of calls that returned
        self.eof = False
        self.error = None

    def judge(self):
        """What is wrong: (kind, text), both sides."""
        received = bytes(self.talker.connection.received) if self.talker.connection else b""
        written = b"".join(self.writes)[: self.tried]
        found = difference("read", bytes(self.got), self.sent) + difference("peer", received, written)
        if not found and self.eof and not self.error and len(self.got) < len(self.sent):
            found.append(("read: silent loss", "EOF after %d of %d bytes" % (len(self.got), len(self.sent))))
        if not found and not self.error and len(received) < self.reported:
            found.append(("peer: silent loss", "%d of %d bytes" % (len(received), self.reported)))
        return found


def difference(side, got, want):
    """How `got` differs from a beginning of `want`."""
    if want.startswith(got):
        return []
    at = next(i for i in range(len(got)) if got[i : i + 1] != want[i : i + 1])
    rest = got[at:]
    kind = "wrong bytes"
    if b"AT+" in rest:
        kind = "a command"
    elif side == "peer" and not rest.strip(FILLER):
        kind = "filler"
    elif any(want[i:].startswith(rest) for i in range(at + 1, len(want))):
        kind = "silent loss"
    elif any(want[i : i + len(rest)] == rest[: len(want) - i] for i in range(at)):
        kind = "duplication"
    return [("%s: %s" % (side, kind), "from byte %d on %r, not %r" % (at, rest[:40], want[at : at + 40]))]


class DatagramTally(Tally):
    """Datagrams come whole, once, in order, or not at all."""

    def __init__(self, talker, sent, writes):
        super().__init__(talker, sent, writes)
        self.got = []

    def judge(self):
        found = []
        for side, got, want in (("read", self.got, self.sent), ("peer", self.talker.came, self.writes)):
            left = list(want)
            for each in got:
                while left and left[0] != each:
                    left.pop(0)
                if not left:
                    kind = "duplication" if each in want else "a command" if b"AT+" in each else "wrong bytes"
                    if (
                        side == "peer"
                        and each[-1:] == b"\r"
                        and any(text.startswith(each.rstrip(FILLER)) for text in want)
                    ):
                        kind = "filler"
                    found.append(("%s: %s" % (side, kind), "%r, not %r" % (got, want)))
                    break
                left.pop(0)
        return found


# --- sessions: what a program does


class Session:
    """One program on one module. `step()` bounds each call; `problems` are (kind, text)."""

    modem_settings: dict = {}
    up = True  # the bring-up is over before the faults begin

    def __init__(self, family, payload, seed):
        self.texts = PAYLOADS[payload]
        self.problems = []
        self.tallies = []
        self.sockets = []
        self.error = None  # the OSError that ended it
        self.rig = Rig(seed or None, family=family, wrap=Recorded, on=self.up, up=False)
        if self.modem_settings:
            self.rig.modem.config(**self.modem_settings)
        if self.up:
            self.rig.modem.connect("internet")
            if seed:  # what stands behind pushed bytes is loss the first time, if it is not usual
                taught(self.rig)
        self.rig.port.begin()

    def step(self, what, work, *args):
        """Call; note when it takes too long. What it raises ends the session."""
        start = self.rig.clock.ms
        try:
            return work(*args)
        finally:
            took = self.rig.clock.ms - start
            if took > LATE_MS:
                self.problems.append(("hang", "%s took %d ms" % (what, took)))

    def run(self):
        """The program, whatever happens to it."""
        try:
            self.rig.patience(900_000)
            try:
                self.program()
            except OSError as e:
                self.error = e
                for tally in self.tallies:
                    tally.error = tally.error or e
            for s in self.sockets:
                self.step("close", s.close)
        except Hang as e:
            self.problems.append(("hang", str(e)))
        except Exception as e:
            self.problems.append(("exception", repr(e)))

    def socket(self, *kind):
        s = self.rig.modem.socket(*kind)
        s.settimeout(TIMEOUT_S)
        self.sockets.append(s)
        return s

    def stream(self, address=ADDRESS, talks=True):
        """A peer that answers, and its tally."""
        a, b, c, d = self.texts
        talker = Talker((len(a), b), (len(a + c), d)) if talks else Talker((len(a), b))
        self.rig.net.serve(*address, talker)
        self.tallies.append(Tally(talker, b + d if talks else b, (a, c)))
        return self.tallies[-1]

    def write(self, s, tally, data):
        tally.tried += len(data)
        tally.reported += self.step("write", s.write, data)

    def read(self, s, tally, n):
        """n more bytes, or all up to the end."""
        n += len(tally.got)
        while len(tally.got) < n and not tally.eof:
            piece = self.step("recv", s.recv, n - len(tally.got))
            tally.got += piece
            tally.eof = not piece

    def exchange(self, s, tally):
        a, b, c, d = self.texts
        self.write(s, tally, a)
        self.read(s, tally, len(b))
        if not tally.eof:
            self.write(s, tally, c)
            self.read(s, tally, 1000)
        self.step("close", s.close)

    def judge(self):
        """Everything that is wrong with what was read and what the peers got."""
        self.rig.clock.advance(1e6)  # what is on its way arrives
        for tally in self.tallies:
            self.problems += tally.judge()

    def recover(self):
        """How a new connection came about: what had to be done; None: never."""
        rig = self.rig
        rig.patience(RECOVERY_MS)
        start = rig.clock.ms
        try:
            for remedy in ("at once", "later", "later", "connect", "connect", "connect", "recover", "recover"):
                try:
                    if remedy == "later":
                        rig.pump(5000)
                    if remedy == "connect" and not rig.modem.isconnected():
                        rig.modem.connect("internet", timeout_ms=60_000)
                    if remedy == "recover":
                        rig.modem.recover()
                    rig.works()
                    break
                except OSError as e:
                    why = e
            else:
                self.problems.append(("no recovery", repr(why)))
                return None
            for _ in range(CLOSED_MS // 5000):
                if not any(rig.modem.links.slots):
                    break
                rig.pump(5000)
            else:
                self.problems.append(("number lost", peers(rig.modem.links)))
        except Hang:
            self.problems.append(("no recovery", "hangs after %d ms" % (rig.clock.ms - start)))
            return None
        except Exception as e:
            self.problems.append(("exception", "while recovering: %r" % e))
            return None
        return remedy


class Client(Session):
    """A client that asks twice, in buffer access."""

    def program(self):
        tally = self.stream()
        s = self.socket()
        self.step("connect", s.connect, ADDRESS)
        self.exchange(s, tally)


class Push(Client):
    """The same while the module pushes what it receives."""

    modem_settings = {"receive": "push"}


class Beside(Session):
    """The same beside a connection that is open, and is used when the other is over."""

    def program(self):
        a, b, c, d = self.texts
        quiet = self.stream(BESIDE, talks=False)
        other = self.socket()
        other.connect(BESIDE)
        tally = self.stream()
        s = self.socket()
        try:
            self.step("connect", s.connect, ADDRESS)
            self.exchange(s, tally)
        except OSError as e:
            tally.error = self.error = e
        self.step("close", s.close)
        self.write(other, quiet, a)
        self.read(other, quiet, len(b))


class PushBeside(Beside):
    """That while the module pushes what both receive."""

    modem_settings = Push.modem_settings


class Server(Session):
    """A server with one client."""

    def program(self):
        a, b, c, d = self.texts
        talker = Talker((0, b), (len(a), d))
        tally = Tally(talker, b + d, (a,))
        self.tallies.append(tally)
        door = self.socket()
        door.bind(("", 80))
        self.step("listen", door.listen, 1)
        self.rig.clock.after_ms(10, lambda: self.rig.net.dial(80, talker, "192.0.2.7", 50001))
        s, _ = self.step("accept", door.accept)
        s.settimeout(TIMEOUT_S)
        self.sockets.append(s)
        self.read(s, tally, len(b))
        if not tally.eof:
            self.write(s, tally, a)
            self.read(s, tally, 1000)
        self.step("close", s.close)
        self.step("close", door.close)


class Udp(Session):
    """Datagrams: two out, two back; one that is lost is waited for in vain."""

    def program(self):
        a, b, c, d = self.texts
        talker = Datagrams((len(a), b), (len(a + c), d))
        tally = DatagramTally(talker, (b, d), (a, c))
        self.tallies.append(tally)
        self.rig.net.serve(*ADDRESS, talker, "UDP")
        s = self.socket(AF_INET, SOCK_DGRAM)
        for data in (a, c):
            self.step("sendto", s.sendto, data, ADDRESS)
            try:
                tally.got.append(self.step("recvfrom", s.recvfrom, 200)[0])
            except OSError as e:
                self.error = e


class Start(Client):
    """From the first AT on."""

    up = False

    def program(self):
        self.step("active", self.rig.modem.active, True)
        self.rig.modem.connect("internet", timeout_ms=60_000)
        super().program()


SESSIONS = {
    "client": Client,
    "push": Push,
    "beside": Beside,
    "push-beside": PushBeside,
    "server": Server,
    "udp": Udp,
    "start": Start,
}


def sessions(family):
    """The names of those that a family can have."""
    lacks = getattr(simcom, family.upper()).LACKS
    for name, kind in SESSIONS.items():
        if kind.modem_settings != Push.modem_settings or 'receive="push"' not in lacks:
            yield name


# --- runs


Verdict = collections.namedtuple("Verdict", "run problems undecidable error recovery")


def session(family, kind, payload, seed, **fault):
    """A finished session and how the module was recovered."""
    made = SESSIONS[kind](family, payload, seed)
    if fault:
        arm(made.rig, **fault)
    made.run()
    if fault and made.rig.port.offset[fault["direction"]] < fault["at"] + (not fault["fault"].startswith("stall")):
        made.problems.append(("not met", "the session ended before the fault"))
    made.judge()
    return made, made.recover()


_references: dict = {}


def reference(family, kind, payload, seed):
    """What passes in each direction of a session without a fault, {direction: bytes}; it must go well."""
    key = family, kind, payload, seed
    if key not in _references:
        made = SESSIONS[kind](*key[:1], *key[2:])
        made.run()
        seen = {direction: bytes(data) for direction, data in made.rig.port.seen.items()}
        made.judge()
        if made.problems or made.error or any(not tally.got for tally in made.tallies):
            raise AssertionError("%s without a fault: %s %r" % ("/".join(map(str, key)), made.problems, made.error))
        _references[key] = seen
    return _references[key]


# Payload behind a header of the module, or behind the command that announces it, of so many bytes.
PAYLOAD = {
    "rx": re.compile(
        rb"\+CIPRXGET: ?2,\d,(\d+),\d+\r\n|\+RECEIVE,\d,(\d+)[^\r]*\r\n"
        rb"|\+CARECV: ?(?:\"?[\d.]+\"?,\d+,)?(\d+),(?:\"?[\d.]+\.\d+\"?,\d+,)?"
        rb'|\+CAURC: ?"recv",\d,(\d+)[^\r]*\r\n'
    ),
    "tx": re.compile(rb"AT\+C(?:IP|A)SEND=\d,(\d+)[^\r]*\r"),
}


READ = re.compile(rb"AT\+C(?:IPRXGET=2|ARECV=\d),\d+(?:,\d+)?\r")


def in_payload(key, direction, at, n=1):
    """Whether one of n bytes of a session is payload."""
    for head in PAYLOAD[direction].finditer(reference(*key)[direction]):
        if at < head.end() + int(head[head.lastindex]) and at + n > head.end():
            return True
    return False


def replaced(key, at, n):
    """Whether n bytes lost from a pushed payload are as many as the lines have that follow it."""
    seen = reference(*key)["rx"]
    for head in PAYLOAD["rx"].finditer(seen):
        end = head.end() + int(head[head.lastindex])
        if head.end() <= at <= end - n:
            return seen[end : end + n].endswith(b"\r\n") and seen[end + n :][:2] in (b"", b"\r\n")
    return False


def ends(key, at, text, behind=(b"\r\nOK\r\n", b"\r\n\r\nOK\r\n")):
    """Whether a text put into received payload reads as the rest of it and what follows payload."""
    for head in PAYLOAD["rx"].finditer(reference(*key)["rx"]):
        left = head.end() + int(head[head.lastindex]) - at
        if head.end() <= at and left > 0:
            return text[left:] in behind
    return False


def reads_right(key, at, fault):
    """Whether what is pushed reads as a whole segment behind a fault: as many bytes as it counts, then CR LF."""
    seen = reference(*key)["rx"]
    name, number = re.fullmatch(r"([a-z]+)(\d+)", fault).groups()
    old = seen[at : at + 1]
    new = {
        "flip": bytes([old[0] ^ 1 << int(number) % 8]),
        "double": 2 * old,
        "insert": bytes([int(number) % 256]) + old,
        "line": LINE % LINES[int(number) % len(LINES)].encode() + old,
        "stray": LINE % STRAYS[int(number) % len(STRAYS)].encode("latin-1") + old,
    }
    text = seen[:at] + new.get(name, old) + seen[at + 1 :]
    for head in PAYLOAD["rx"].finditer(text):
        end = head.end() + int(head[head.lastindex])
        if head.start() <= at < end:
            return text[end : end + 2] in (b"", b"\r\n")
    return False


def first_datagram(key, at, n):
    """Whether n bytes lost are of the first payload, and as many that end a line come in their place."""
    seen = reference(*key)["rx"]
    head = next(PAYLOAD["rx"].finditer(seen))
    end = head.end() + int(head[head.lastindex])
    return head.end() <= at <= end - n and seen[end : end + n] == b"\r\n" and seen[end + n :].startswith(b"\r\nOK\r\n")


def notice(key, at, n):
    """Whether one of n bytes is of a notice that there is data, or of the end of the line before it."""
    return any(
        head.start() < at + n and at < head.end()
        for head in re.finditer(rb"\r\n\r\n\+CIPRXGET: ?1,\d\r\n", reference(*key)["rx"])
    )


def before_payload(key, at):
    """Whether a byte is of a command that announces payload: a CR put into it ends it, what follows is taken."""
    return any(head.start() <= at < head.end() for head in PAYLOAD["tx"].finditer(reference(*key)["tx"]))


def parts(name):
    """What the name of a run says: the session's key, direction, offset, fault."""
    family, kind, payload, seed, direction, at, fault = name.split("/")
    return (family, kind, payload, int(seed)), direction, int(at), fault


def run(name):
    """Do a run; its Verdict."""
    key, direction, at, fault = parts(name)
    made, remedy = session(*key, direction=direction, at=at, fault=fault)
    problems, apart = [], []
    for problem, text in made.problems:
        reason = undecidable(problem, key, direction, at, fault, made.error)
        if reason:
            apart.append((problem, reason))
        else:
            problems.append((problem, text))
    error = made.error and made.error.args[0]
    return Verdict(name, problems, apart, error, remedy)


# Payload has no checksum: what cannot be told, by anybody.
TURNED = "bits turned in payload"
ADDED = "bytes put into payload on its way to the module, which counts them as payload"
ENDED = "bytes put into the command before payload: a CR ends it, or it announces other bytes"
LOST = "bytes of payload lost on their way to the module, which is freed with filler: the write raises"
FILLED = "prompt lost, or so late that the write was given up: the module is freed with filler, the write raises"
CUT = "digits lost of how much a read asks for: the module cuts a datagram in two (SIM800, SIM7000)"
PUSHED = (
    "bytes put into payload that is pushed, or between CR and LF in front of it, or those that follow a restart: read"
)
PUSHED += " before the next header is missing"
REPLACED = "bytes of payload that is pushed lost, and as many came in their place that end a line: nothing is left over"

RIGHT = "bytes changed in what is pushed, or put into it: behind as many as are counted there is CR LF, as it should be"

FIRST = "bytes of the first datagram lost, and CR LF of what ends it in their place: its form is not known yet"

SHORTER = "digits hurt of how many bytes a datagram has, on their way to the module: it sends so many"
JOINED = "notice of a datagram lost: the next one comes before it is read, and the module gives both as one (CIPOPEN)"

ENDED_EARLY = "results put into payload: behind as many bytes as were left stands what ends payload"


# What a module that restarts says, up to where it may end what it pushed before.
BOOT = (b"\r\nRDY\r\n", b"\r\nRDY\r\n\r\n", b"\r\nRDY\r\n\r\n+CFUN: 1\r\n", b"\r\nRDY\r\n\r\n+CFUN: 1\r\n\r\n")


def undecidable(problem, key, direction, at, fault, error):
    """Why nobody can do better, or None."""
    kind = fault.rstrip("0123456789")
    payload = in_payload(key, direction, at, int(fault[4:]) if kind == "drop" else 1)
    added = kind in ("double", "insert", "line", "stray")
    if problem == "peer: filler" and error:
        return FILLED
    if direction == "tx" and problem.startswith("peer: ") and problem != "peer: a command":
        if kind == "flip" and payload:
            return TURNED
        if added and payload:
            return ADDED
        if added and before_payload(key, at):
            return ENDED
        if kind == "drop" and payload and error:
            return LOST
        if key[1] == "udp" and kind in ("drop", "flip") and error and before_payload(key, at):
            return SHORTER
    if key[1] == "udp" and direction == "tx" and problem.startswith("read: ") and (added or kind in ("drop", "flip")):
        if any(head.start() <= at < head.end() for head in READ.finditer(reference(*key)["tx"])):
            return CUT
    if direction == "rx" and problem in ("read: wrong bytes", "read: silent loss", "read: duplication"):
        if kind == "flip" and payload:
            return TURNED
        if kind == "stray" and ends(key, at, LINE % STRAYS[int(fault[5:])].encode("latin-1")):
            return ENDED_EARLY
        booted = kind == "restart" and any(ends(key, at + 1, each, (b"\r\n",)) for each in BOOT)
        if key[1].startswith("push") and booted:
            return REPLACED
        if key[1].startswith("push") and kind == "drop" and replaced(key, at, int(fault[4:])):
            return REPLACED
        if key[1] == "udp" and key[0] in OPEN and error and notice(key, at, int(fault[4:]) if kind == "drop" else 1):
            return JOINED
        if key[1] == "udp" and kind == "drop" and first_datagram(key, at, int(fault[4:])):
            return FIRST
        if key[1].startswith("push") and (added or kind == "flip") and reads_right(key, at, fault):
            return RIGHT
        if key[1].startswith("push") and error and (added and in_payload(key, direction, at, 2) or kind == "restart"):
            return PUSHED
    return None


def names(family, kind, payload, seed=0, step=1):
    """The runs of a session: every kind of fault at every byte (or every `step`-th) of both directions."""
    for direction, seen in reference(family, kind, payload, seed).items():
        for at in range(seed % step, len(seen), step):
            for each in KINDS:
                yield "/".join((family, kind, payload, str(seed), direction, str(at), fault_of(each, at)))


def sample(family, kind, payload, count):
    """So many runs of a session, spread evenly over directions, bytes and kinds of fault."""
    runs = list(names(family, kind, payload))
    return [runs[i * len(runs) // count] for i in range(count)]


PROBLEMS = [side + what for what in ("wrong bytes", "silent loss", "duplication") for side in ("read: ", "peer: ")]
PROBLEMS += ["peer: a command", "peer: filler", "hang", "exception", "no recovery", "number lost", "not met"]


class Figures:
    """The sum of many verdicts."""

    def __init__(self):
        self.families = {family: collections.Counter() for family in FAMILIES}
        self.apart = collections.Counter()
        self.ends = collections.Counter()
        self.wrong = {}  # run -> problems

    def add(self, verdict):
        """One more."""
        row = self.families[verdict.run.partition("/")[0]]
        row["runs"] += 1
        row.update({problem for problem, _ in verdict.problems})
        self.apart.update({reason for _, reason in verdict.undecidable})
        self.ends["errno %s" % verdict.error if verdict.error else "went well"] += 1
        if verdict.problems:
            self.wrong[verdict.run] = ["%s: %s" % each for each in verdict.problems]

    def write(self):
        """To build/faults.json."""
        FIGURES.parent.mkdir(exist_ok=True)
        FIGURES.write_text(json.dumps(vars(self), indent=1) + "\n")

    def show(self):
        """Print the table."""
        print("%-22s" % "" + "".join("%10s" % family for family in self.families) + "%10s" % "sum")
        for row in ("runs", *PROBLEMS):
            counts = [found[row] for found in self.families.values()]
            print("%-22s" % row + "".join("%10d" % n for n in (*counts, sum(counts))))
        print("how the sessions ended: " + ", ".join("%s %d" % each for each in self.ends.most_common()))
        print("apart, as nobody can do better:")
        for reason, n in self.apart.most_common():
            print("%10d %s" % (n, reason))
        for name in sorted(self.wrong)[:20]:
            print("make faults ONE=%s\n    %s" % (name, "; ".join(self.wrong[name])))


def show(name):
    """Replay a run and print what was on the wire."""
    key, direction, at, fault = parts(name)
    made, remedy = session(*key, direction=direction, at=at, fault=fault)
    for ms, way, data in made.rig.vm.log:
        print("%7d %s %r" % (ms, way, data))
    seen = reference(*key)[direction]
    print("%s between %r and %r" % (fault, seen[max(0, at - 40) : at], seen[at : at + 40]))
    for problem in made.problems:
        print("%s: %s" % problem)
    print("ended by %r, works again: %s" % (made.error, remedy))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--family", choices=FAMILIES)
    parser.add_argument("--session", choices=SESSIONS)
    parser.add_argument(
        "--seed", type=int, default=0, help="whose readings the module follows; 0: the recommended ones"
    )
    parser.add_argument("--step", type=int, default=1, help="only every so many bytes")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--one", metavar="RUN", help="replay one run and show the wire")
    args = parser.parse_args()
    if args.one:
        return show(args.one)
    todo = []
    for family in [args.family] if args.family else FAMILIES:
        for kind in [args.session] if args.session else sessions(family):
            for payload in PAYLOADS:
                todo += names(family, kind, payload, args.seed, args.step)
    figures = Figures()
    with multiprocessing.Pool(args.jobs) as pool:
        for verdict in pool.imap_unordered(run, todo, 50):
            figures.add(verdict)
    figures.write()
    figures.show()
    return bool(figures.wrong)


if __name__ == "__main__":
    sys.exit(main())
