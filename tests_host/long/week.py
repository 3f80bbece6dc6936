"""A program in a field with bad signal, for a virtual week: the program, the world around it, and what must hold."""

import collections
import errno
import gc
import hashlib
import random
import re
import sys
import time
import zlib

import rig  # first: it puts the shim in place
import shim
import simcom.socket  # noqa: F401  its probe is a ring too, which is nobody's
from sim import Blackhole, Peer, Refuse
from sim.at import GARBLED, LATE_OK, UNKNOWN_BEFORE, UNKNOWN_BEHIND
from simcom import socket  # noqa: F401  (the ring that it has for itself is there before rings are counted)
from simcom.stream.reclaim import peers

APN = "internet"
VISITED = ("field.example", 8080)  # asked every few minutes
BROKER = ("broker.example", 1883)  # the connection that stays
SECOND_MS = 1000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000

# Documented bounds of what can wait, in ms, and some for the command that happens to be in flight.
SLACK_MS = 2000
LINGER_MS = 10_000
CONNECT_MS = 185_000
RECOVER_MS = 600_000
BACK_MS = 30 * MINUTE_MS  # once the world is good: until the program exchanges data again

STORM = (
    "RING",
    '+CLIP: "+491234567",145,"",,"",0',
    "NO CARRIER",
    '+CMTI: "SM",10',
    '\r\n+CMT: "+491234567",,"24/05/17,10:11:12+08"\r\n0, CLOSED\r\n',
    '\r\n+CMT: "+491234567",,"24/05/17,10:11:12+08"\r\nOK\r\n',
    '*PSUTTZ: 24/05/17,10:11:12","+08",0',
    "DST: 0",
    "+CREG: 2",
    "+CGREG: 5",
    "UNDER-VOLTAGE WARNNING",
    "+CIPRXGET: 1,0",
    "+CGEV: ME PDN DEACT 1",
)
ONCE = ("bringup.connect", "bringup.power", "bringup.registration", "recovery.resync", "bringup.shutdown")  # not kept
POSITIONS = ("before_echo", "after_echo", "before_info", "before_ok", "after_ok", "before_prompt", "after_payload")
POSITIONS += ("before_report", "after_report")


class Violation(AssertionError):
    """Something that must hold does not."""


# --- what is said over the connections: length, check sum, bytes; both sides know what the other one will say


def frame(data):
    """`data` as it goes over a connection."""
    return len(data).to_bytes(2, "big") + zlib.crc32(data).to_bytes(4, "big") + data


def unframed(stream):
    """The first frame's data, None when it is not complete; ValueError when it is wrong."""
    if len(stream) < 6:
        return None
    n = int.from_bytes(stream[:2], "big")
    if n > 9000:
        raise ValueError("length %d" % n)
    if len(stream) < 6 + n:
        return None
    data = bytes(stream[6 : 6 + n])
    if zlib.crc32(data) != int.from_bytes(stream[2:6], "big"):
        raise ValueError("check sum")
    return data


def answer_to(request):
    """What the server says to a request: its number of bytes is part of it."""
    n = int(request.split(b" ")[1])
    return (hashlib.sha256(request).digest() * (n // 32 + 1))[:n]


class Server(Peer):
    """Answers requests; `how` it does says the world when the connection comes."""

    def __init__(self, world, stays):
        self.world = world
        self.stays = stays
        self.how = world.manner()
        self.got = bytearray()
        self.out = bytearray()
        self.saying = False
        self.idle = None
        self.delay_ms = world.random.uniform(5, 90) * SECOND_MS if self.how == "slow" else 0
        self.pause_ms = world.random.choice((50, 300, 1500))

    def opened(self, connection):
        if self.how == "slam":
            connection.close()
        elif self.how == "stall":
            connection.stalled = True
        self.heard(connection)

    def heard(self, connection):
        """Who says nothing for five minutes is cut off, as brokers do."""
        connection.clock.cancel(self.idle)
        self.idle = connection.clock.after_ms(5 * MINUTE_MS, connection.close)

    def received(self, connection, data):
        self.heard(connection)
        self.got += data
        try:
            request = unframed(self.got)
        except ValueError:  # the line from the microcontroller to the module turned a bit, or lost a byte
            return connection.reset()
        if request is None:
            return None
        del self.got[: 6 + len(request)]
        answer = frame(answer_to(request))
        draw = self.world.random
        if self.how == "reset":
            return connection.reset()
        if self.how == "half":
            connection.write(answer[: draw.randrange(len(answer))])
            return connection.close()
        if self.how == "mute":
            return None
        self.out += answer
        if not self.saying:
            self.saying = True
            connection.clock.after_ms(self.delay_ms, lambda: self.say(connection))
        return None

    def say(self, connection):
        """What is due; a visit ends with it."""
        n = 20 if self.how == "drip" else len(self.out)
        connection.write(self.out[:n])
        del self.out[:n]
        self.saying = bool(self.out)
        if self.saying:
            connection.clock.after_ms(self.pause_ms, lambda: self.say(connection))
        elif not self.stays:
            connection.close()


# --- the world


class Port(rig.Watched):
    """The modem's UART, where Ctrl-C strikes."""

    interrupt = 0  # in so many calls

    def called(self):
        """One more of them."""
        if self.interrupt:
            self.interrupt -= 1
            if not self.interrupt:
                raise KeyboardInterrupt


class Wire:
    """Both directions of the UART: bytes get lost, bits turn, everything stands still for a while.

    A turned bit inside received payload is beyond any driver, so only what is around it is turned.
    """

    def __init__(self, rig, draw):
        self.random = draw
        self.clock = rig.clock
        self.uart = rig.uart
        self.feed = rig.uart.feed
        self.receive = rig.vm.receive
        self.faults = {"rx": [], "tx": []}
        self.held = None  # while nothing comes
        rig.uart.feed = self.to_host
        rig.uart.attach(self.to_module)

    def changed(self, direction, data):
        """`data` after what happens to it."""
        faults = self.faults[direction]
        if faults and data:  # one a block: bytes that get lost and others that come in their place nobody could notice
            fault = faults.pop()
            at = self.random.randrange(len(data))
            if fault == "lose":
                data = data[:at] + data[at + self.random.choice((1, 1, 2, 3, 6, 20)) :]
            elif fault == "noise":
                data = data[:at] + self.random.randbytes(self.random.randint(1, 5)) + data[at:]
            elif fault == "turn":
                payload = re.match(rb"\r\n\+CIPRXGET: ?2,[^\r]*\r\n|\r\n\+CARECV: ?\d+,", data)
                if payload:
                    at = self.random.randrange(payload.end())
                byte = data[at] ^ 1 << self.random.randrange(7)
                if direction == "tx" and data[at : at + 1].isdigit() and bytes([byte]).isdigit():
                    byte = 63  # the number of another link nobody could notice
                data = data[:at] + bytes([byte]) + data[at + 1 :]
        return data

    def to_host(self, data, baud=None):
        data = self.changed("rx", data)
        if self.held is not None:
            self.held.append((data, baud))
            return self.clock.now_us
        return self.feed(data, baud) if data else self.clock.now_us

    def to_module(self, data, baud):
        data = self.changed("tx", data)
        if data:
            self.receive(data, baud)

    def stall(self, ms):
        """Nothing comes for so long; then all of it."""
        if self.held is None:
            self.held = []
            self.clock.after_ms(ms, self.go_on)

    def go_on(self):
        held, self.held = self.held, None
        for data, baud in held:
            if data:
                self.feed(data, baud)


# What happens, how often in an hour of bad weather
RATES = {
    "weather": 6,
    "registration": 1.5,
    "context": 2,
    "restart": 0.6,
    "supply": 0.15,
    "silence": 0.6,
    "lose": 6,
    "turn": 4,
    "noise": 4,
    "stall": 3,
    "storm": 3,
    "inject": 6,
    "names": 1,
    "sends": 2,
    "latency": 3,
    "interrupt": 4,
    "refusals": 2,
    "errors": 2,
    "lies": 1,
    "answers": 2,
    "chatter": 1,
    "hang": 1,
    "forget": 0.5,
}
MANNERS = {"good": 60, "slam": 4, "reset": 4, "stall": 3, "mute": 3, "half": 4, "slow": 6, "drip": 6}
MANNERS.update(refuse=5, blackhole=3)


class World:
    """The weather: spells that are bad, and good ones between them."""

    def __init__(self, rig, draw, rates=None, manners=None, harsh=1, storm=STORM):
        self.rig, self.vm, self.net, self.clock = rig, rig.vm, rig.net, rig.clock
        self.random = draw
        self.rates = {name: rate * harsh for name, rate in RATES.items()} | (rates or {})
        self.manners = MANNERS | (manners or {})
        self.storm = storm
        self.wire = Wire(rig, draw)
        self.answers = self.vm.choices["answers"]
        self.bad = False
        self.spell = 0
        self.happened = collections.Counter()
        self.good_since = self.clock.now_us
        for address, stays in ((VISITED, False), (BROKER, True)):
            self.net.serve(*address, lambda stays=stays: self.server(stays))
        self.names = {name: list(found) for name, found in self.net.names.items()}

    def manner(self):
        """How the next server behaves."""
        if not self.bad:
            return "good"
        return self.random.choices(list(self.manners), list(self.manners.values()))[0]

    def server(self, stays):
        """Who takes a connection."""
        made = Server(self, stays)
        return {"refuse": Refuse, "blackhole": Blackhole}.get(made.how, lambda: made)()

    def begin(self):
        """Bad weather."""
        self.bad = True
        self.spell += 1
        for what, rate in self.rates.items():
            if rate:
                self.next(what, rate)

    def next(self, what, rate):
        spell = self.spell

        def happen():
            if self.bad and self.spell == spell:
                self.happened[what] += 1
                getattr(self, "do_" + what)()
                self.next(what, rate)

        self.clock.after_ms(self.random.expovariate(rate) * HOUR_MS, happen)

    def end(self):
        """Good again, in everything."""
        self.bad = False
        vm = self.vm
        vm.silent = False
        vm.fail_sends = vm.refuse_sends = vm.stray_errors = vm.late_prompts = 0
        vm.confirm = vm.lies = ()
        vm.choices["answers"] = self.answers
        vm.chat(0)
        vm._hooks.clear()
        vm.csq = 20
        if vm.registration != 1:
            vm.registration = 1
        self.resolving()
        self.net.latency_ms, self.net.connect_ms = 20, 100
        self.wire.faults = {"rx": [], "tx": []}
        self.rig.port.interrupt = 0
        self.good_since = self.clock.now_us

    def while_bad(self, ms, undo):
        """Undo it then, unless the spell is over."""
        spell = self.spell
        self.clock.after_ms(ms, lambda: undo() if self.bad and self.spell == spell else None)

    def lasting(self, shortest, longest):
        """Seconds, more often short, as ms."""
        return shortest * SECOND_MS * (longest / shortest) ** self.random.random()

    def do_weather(self):
        self.vm.csq = self.random.choice((0, 2, 5, 9, 14, 25, 99))
        self.net.latency_ms = self.random.choice((20, 100, 500, 2000))

    def do_registration(self):
        self.vm.registration = self.random.choice((0, 2, 2, 2, 3, 4))
        if self.random.random() < 0.5:
            self.vm.network_lost()
        self.while_bad(self.lasting(5, 1200), lambda: setattr(self.vm, "registration", self.random.choice((1, 5))))

    def do_context(self):
        self.vm.network_lost()

    def do_restart(self):
        self.vm.restart()

    def do_supply(self):
        self.vm.power_cut()

    def do_silence(self):
        self.vm.silent = True
        self.while_bad(self.lasting(1, 600), lambda: setattr(self.vm, "silent", False))

    def do_lose(self):
        self.wire.faults[self.random.choice(("rx", "rx", "tx"))].append("lose")

    def do_turn(self):
        self.wire.faults[self.random.choice(("rx", "rx", "tx"))].append("turn")

    def do_noise(self):
        self.wire.faults[self.random.choice(("rx", "rx", "tx"))].append("noise")

    def do_stall(self):
        self.wire.stall(self.lasting(0.05, 30))

    def do_storm(self):
        at = 0.0
        for _ in range(self.random.choice((3, 10, 100))):
            text = self.random.choice(self.storm)
            at += self.random.expovariate(1 / 50)
            self.clock.after_ms(at, lambda text=text: self.vm.running and self.vm.urc(text))

    def do_inject(self):
        for _ in range(self.random.randint(1, 4)):
            self.vm.inject(self.random.choice(POSITIONS), self.random.choice(self.storm))

    def do_names(self):
        self.net.names.clear()
        self.net.dns_ms = self.random.choice((50, 5000, 20_000))
        self.while_bad(self.lasting(5, 300), self.resolving)

    def resolving(self):
        self.net.names.update(self.names)
        self.net.dns_ms = 50

    def do_sends(self):
        self.vm.fail_sends = self.random.randint(1, 3)
        if hasattr(self.vm, "confirm") and self.random.random() < 0.5:
            self.vm.confirm = (self.random.choice((-1, 0, 5)),)

    def do_refusals(self):
        self.vm.refuse_sends = self.random.choice((1, 2, 5, 20))

    def do_errors(self):
        if self.random.random() < 0.5:
            self.vm.stray_errors = self.random.randint(1, 3)
        else:
            self.vm.late_prompts, self.vm.late_prompt_ms = 1, self.random.choice((100, 280, 600, 5000))

    def do_lies(self):
        self.vm.lies = tuple(self.random.choices(("0", "1", "40", "1460", "x"), k=self.random.randint(1, 2)))

    def do_answers(self):
        self.vm.choices["answers"] = self.random.choice(
            (self.answers, LATE_OK, GARBLED, UNKNOWN_BEFORE, UNKNOWN_BEHIND)
        )

    def do_chatter(self):
        self.vm.chat(self.random.choice((200, 1000, 10_000)))

    def do_hang(self):
        self.vm.hang(self.lasting(1, 120), self.random.random() < 0.5, self.random.choice((0, 0, 10, 300)))

    def do_forget(self):
        self.vm.forget()

    def do_latency(self):
        self.net.latency_ms = self.random.choice((5, 20, 300, 3000))
        self.net.connect_ms = self.random.choice((20, 300, 5000, 20_000))

    def do_interrupt(self):
        self.rig.port.interrupt = self.random.choice((1, 2, 5, 20, 100, 300))


# --- the program


class Program:
    """What a user would write; every call of the library goes through `call`."""

    rates: dict = {}  # of the world, where they differ
    storm: tuple = STORM
    settings: dict = {}  # of config()
    modem_args: dict = {}
    kinds: tuple = ("visit", "ping")  # of exchanges, none of which may stay away
    mild: tuple = ()  # errors that are nobody's fault
    leaks = 0.15  # of the visits leave their socket open

    def __init__(self, soak):
        self.modem = soak.modem
        self.world = soak.world
        self.random = soak.random
        self.report = soak.report
        self.call = soak.call
        self.pump = soak.rig.pump
        self.broker = None
        self.serial = 0
        self.failures = 0
        self.due = 0

    def request(self):
        """Some hundred bytes, whose answer is known."""
        self.serial += 1
        n = self.random.choice((10, 200, 800, 3000, 6000))
        return b"GET %d %d " % (n, self.serial) + bytes(self.random.choices(range(256), k=self.random.randint(50, 900)))

    def exchange(self, s, request, kind):
        """Send, read the answer, compare."""
        self.call(s.wait_ms, s.write, frame(request))
        s.wanted += frame(answer_to(request))
        while s.wanted:
            piece = self.call(s.wait_ms, s.recv, min(512, len(s.wanted)))
            if not piece:
                raise OSError(errno.ECONNRESET, "the answer ended early")
            if not s.wanted.startswith(piece):
                raise Violation("wrong byte: %r" % piece)
            del s.wanted[: len(piece)]
        self.report.exchanged(kind)

    def socket(self):
        """A stream, not connected."""
        return self.modem.socket()

    def open(self, address, timeout):
        """A connected socket."""
        s = self.socket()
        s.settimeout(timeout)
        s.wait_ms = timeout * SECOND_MS
        s.wanted = bytearray()
        try:
            self.call(s.wait_ms, s.connect, address)
        except (OSError, KeyboardInterrupt):
            self.call(LINGER_MS, s.close)
            raise
        return s

    def visit(self):
        """Connect, ask, read, close; careless once in a while."""
        s = self.open(VISITED, 30)
        leak = self.random.random() < self.leaks
        try:
            self.exchange(s, self.request(), "visit")
        finally:
            if not leak:
                self.call(LINGER_MS, s.close)

    def ping(self):
        """Keep the long connection alive; make it anew after an error."""
        try:
            if self.broker is None:
                self.broker = self.open(BROKER, 30)
            broker = self.broker
            wanted = len(broker.wanted)
            self.exchange(broker, self.request(), "ping")
        except (OSError, KeyboardInterrupt) as e:
            # Interrupted while it reads: it goes on. While it writes: nobody knows what of the request went out.
            if self.broker and (isinstance(e, OSError) or len(broker.wanted) == wanted):
                self.broker = None
                self.call(LINGER_MS, broker.close)
            raise

    def round(self):
        """Once in half a minute."""
        try:
            if not self.call(100, self.modem.isconnected):
                self.call(CONNECT_MS, self.modem.connect, APN)
            self.work()
            self.failures = 0
        except OSError as e:
            if e.errno not in self.mild:
                self.report.failed(e)
                self.failures += 1
            if self.failures >= 4:
                self.recover()

    def work(self):
        """Once in half a minute, with the context up."""
        self.ping()
        if self.due <= self.report.now():
            self.due = self.report.now() + self.random.randint(120, 300)
            self.visit()

    def pause(self):
        """Do other things."""
        if self.random.random() < 0.2:
            self.pump(5000)
        time.sleep_ms(self.random.randint(5000, 40_000))

    def rest(self):
        """Close what is open."""
        broker, self.broker = self.broker, None
        if broker:
            self.call(LINGER_MS, broker.close)

    def recover(self):
        """When nothing helps."""
        self.failures = 0
        try:
            self.report.recovered(self.call(RECOVER_MS, self.modem.recover, VISITED))
        except OSError as e:
            self.report.recovered("nothing: %s" % errno.errorcode.get(e.errno, e.errno))


class Report:
    """What came of it."""

    def __init__(self, clock, kinds):
        self.clock = clock
        self.begin = clock.now_us
        self.exchanges = collections.Counter()
        self.failures = collections.Counter()
        self.recoveries = collections.Counter()
        self.interrupts = 0
        self.last = dict.fromkeys(kinds, clock.now_us)  # exchange of each kind
        self.wrong = []  # what others than the program have to complain about
        self.outages = []  # s, from the end of bad weather to the next exchange

    def now(self):
        """Seconds since the beginning."""
        return (self.clock.now_us - self.begin) / 1e6

    def exchanged(self, kind):
        self.exchanges[kind] += 1
        self.last[kind] = self.clock.now_us

    def failed(self, e):
        self.failures[errno.errorcode.get(e.errno, e.errno)] += 1

    def recovered(self, how):
        self.recoveries[how] += 1

    def __str__(self):
        return "%.1f h: exchanges %s, failures %s, recoveries %s, %d times Ctrl-C, longest outage %.0f s of %d" % (
            self.now() / 3600,
            dict(self.exchanges.most_common()),
            dict(self.failures.most_common()),
            dict(self.recoveries.most_common()),
            self.interrupts,
            max(self.outages, default=0),
            len(self.outages),
        )


def objects():
    """How many objects of the library's classes there are, by class."""
    gc.collect()
    return collections.Counter(
        type(each).__name__ for each in gc.get_objects() if type(each).__module__.startswith("simcom")
    )


class Soak:
    """The program in the world; `run(hours)` raises Violation when something does not hold."""

    def __init__(self, family, seed, program=Program, rates=None, manners=None, settings=None, harsh=1):
        self.random = random.Random(seed)
        shim.reset()  # it keeps the port of the modem before
        self.others = objects()  # those of other modems
        self.rig = rig.Rig(seed, family=family, wrap=Port, up=False, modem_args=program.modem_args)
        self.rig.patience(None)
        self.vm = self.rig.vm
        self.vm.register_ms = 3000
        self.clock = self.rig.clock
        self.modem = self.rig.modem
        settings = {**program.settings, **(settings or {})}
        if settings:
            self.modem.config(**settings)
        self.modem.connect(APN)
        self.vm.log = collections.deque(maxlen=4000)
        self.vm.commands = collections.deque(maxlen=400)
        self.world = World(self.rig, self.random, {**program.rates, **(rates or {})}, manners, harsh, program.storm)
        self.report = Report(self.clock, program.kinds)
        self.program = program(self)
        self.most = 0  # objects of the library, beside rings, after the first spell
        self._pump = self.modem.pump
        self.modem.pump = self.pump

    def pump(self):
        """The modem's own, which raises nothing."""
        try:
            return self._pump()
        except Exception as e:
            raise Violation("the pump raised %r" % e) from e

    def call(self, bound_ms, fn, *args):
        """A call of the library, which ends in time, with nothing but OSError: no argument of this program is wrong."""
        begin = self.clock.now_us
        name = getattr(fn, "__name__", None) or getattr(getattr(fn, "_function", None), "__name__", str(fn))
        self.rig.patience(bound_ms + 20 * MINUTE_MS)
        try:
            return fn(*args)
        except OSError as e:
            if not isinstance(e.errno, int):
                raise Violation("%s: %r without an errno" % (name, e)) from e
            raise
        except Exception as e:
            raise Violation("%s raised %r" % (name, e)) from e
        finally:
            self.rig.patience(None)
            took = (self.clock.now_us - begin) / 1000
            if took > bound_ms + SLACK_MS:
                raise Violation("%s took %d ms, the bound is %d" % (name, took, bound_ms))

    def run(self, hours):
        """The week, or a part of it."""
        end = self.clock.now_us + hours * HOUR_MS * 1000
        while self.clock.now_us < end:
            self.world.begin()
            self.live(min(end, self.clock.now_us + self.random.uniform(0.3, 5) * HOUR_MS * 1000))
            self.world.end()
            self.check_recovered()
            self.check()
        return self.report

    def live(self, end_us):
        """The main loop of the microcontroller."""
        while self.clock.now_us < end_us:
            self.once()

    def once(self):
        """One round and the pause behind it."""
        try:
            self.program.round()
            self.program.pause()
        except KeyboardInterrupt:
            self.report.interrupts += 1
        if self.report.wrong:
            raise Violation(self.report.wrong)

    def check_recovered(self):
        """With good weather the program works again, and goes on doing so."""
        good = self.world.good_since
        while min(self.report.last.values()) <= good:
            if self.clock.now_us - good > BACK_MS * 1000:
                raise Violation(
                    "%d s after the world was good again: %s" % ((self.clock.now_us - good) / 1e6, self.report.last)
                )
            self.once()
        self.report.outages.append((min(self.report.last.values()) - good) / 1e6)
        for _ in range(10):  # whatever was under way
            self.once()
        failures = self.report.failures.total()
        for _ in range(10):
            self.once()
        if self.report.failures.total() > failures:
            raise Violation("still failing, with nothing in its way: %s" % self.report)

    def check(self):
        """No link was lost, nothing grows: with all links closed the library holds what it held before."""
        modem = self.modem
        self.program.rest()
        self.rig.pump(20_000)
        self.rig.patience(600_000)
        opened = [self.rig.socket(rig.ECHO) for _ in range(modem.LINKS if modem.mux else 1)]
        for s in opened:
            s.write(b"all links")
        for s in opened:
            if s.read(9) != b"all links":
                raise Violation("a link does not echo")
        for s in opened:
            s.close()
        self.rig.patience(None)
        self.rig.pump(20_000)
        del s, opened
        if any(modem.links.slots):
            raise Violation("links are left: %s" % peers(modem.links))
        if len(modem._tasks) != 1:
            raise Violation("tasks: %s" % modem._tasks)
        if modem.urcs or modem._calls:
            raise Violation("callbacks: %s %s" % (modem.urcs, modem._calls))
        held = objects() - self.others
        if (
            held["RingIO"] > len(modem.receiver.rings.free) or held["RingIO"] > modem.LINKS + 2
        ):  # two sockets keep theirs
            raise Violation("rings: %s, of them in the pool %d" % (held, len(modem.receiver.rings.free)))
        most = self.most = self.most or held.total() - held["RingIO"]
        if held.total() - held["RingIO"] > most + 4:  # the last task, the last link: not everything is let go at once
            raise Violation("objects: %s, at first %d beside the rings" % (held, most))
        for name in ONCE:
            if "simcom." + name in sys.modules:
                raise Violation("%s stays loaded" % name)
        # The virtual network keeps every connection: those that are over are let go.
        self.rig.net.connections[:] = [each for each in self.rig.net.connections if each.is_open]


if __name__ == "__main__":
    family, seed, hours = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    print("%s, seed %d, %s" % (family, seed, Soak(family, seed).run(hours)), flush=True)
