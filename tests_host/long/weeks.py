"""Other programs in the field of week.py: datagrams, a server, tasks, one link, two contexts, sleep, transparent."""

import collections
import errno
import sys

import week  # first: it puts the shim in place
import machine
from loop import Cancelled, Loop, pause, ready
from sim import Peer
from week import APN, BROKER, CONNECT_MS, LINGER_MS, MINUTE_MS, SECOND_MS, SLACK_MS
from week import STORM, Program, Soak, Violation, answer_to, frame, unframed

ASKED = (("time.example", 123), ("coap.example", 5683))  # by datagrams
PORT = 8000  # of the program's own server
AT_ONCE_MS = 200 - SLACK_MS  # for what does not block
UNSAFE = b"\x08\x1a\x1b"  # what SIM800 and SIM7000 cannot send without a length
IN, OUT = 1, 4


# --- datagrams


class Answering(Peer):
    """Answers datagrams; in bad weather some get lost, come twice, come late."""

    def __init__(self, world):
        self.world = world

    def received(self, connection, data):
        draw = self.world.random
        try:
            request = unframed(data)
        except ValueError:  # hurt on the line to the module
            return
        if request is None or len(data) != 6 + len(request):
            return
        for ms in draw.choice(((0,), (0,), (), (0, 50), (8000,), (25_000,))) if self.world.bad else (0,):
            connection.clock.after_ms(ms, lambda: connection.write(frame(answer_to(request))))


class Datagrams(Program):
    """Asks two servers by UDP, beside its streams."""

    kinds = Program.kinds + ("datagram",)

    def __init__(self, soak):
        super().__init__(soak)
        self.udp = None
        self.asked = collections.OrderedDict()  # answer: whose it is
        push = self.settings.get("receive") == "push"
        self.tells = self.modem.DIALECT == "cipstart" or push  # where one ends …
        self.named = self.modem.DIALECT == "cipstart" and self.modem.mux and not push  # … and whose it is, by name
        if self.modem.LINKS == 2:  # not all at once
            del soak.report.last["ping"]
        for address in ASKED:
            soak.rig.net.serve(*address, lambda: Answering(soak.world), "UDP")
        soak.world.names = {name: list(found) for name, found in soak.rig.net.names.items()}

    def work(self):
        if self.modem.LINKS == 2:
            self.visit()
        else:
            super().work()
        self.query()

    def question(self):
        """(request, answer) of a size that nobody cuts."""
        self.serial += 1
        n = self.random.choice((10, 100, 300))
        request = b"GET %d %d " % (n, self.serial) + self.random.randbytes(self.random.randint(5, 300))
        return request, frame(answer_to(request))

    def query(self):
        """Ask, up to three times."""
        try:
            if self.udp is None:
                self.udp = self.modem.socket(2, 2)
                self.udp.settimeout(10)
                if self.random.random() < 0.3:
                    self.call(20 * SECOND_MS, self.udp.bind, ("", 4000 if self.modem.DIALECT == "cipopen" else 0))
            address = self.random.choice(ASKED)
            request, answer = self.question()
            self.note(answer, address)
            for _ in range(3):
                self.call(30 * SECOND_MS, self.udp.sendto, frame(request), address)
                if self.listen(answer):
                    return self.report.exchanged("datagram")
            raise OSError(errno.ETIMEDOUT, "three questions, no answer")
        except OSError:
            if self.random.random() < 0.3:
                self.drop_udp()
            raise

    def note(self, answer, address):
        """It may come, now or later."""
        self.asked[answer] = address
        while len(self.asked) > 40:
            self.asked.popitem(last=False)

    def listen(self, answer):
        """Whether it comes."""
        while True:
            try:
                data, sender = self.call(10 * SECOND_MS, self.udp.recvfrom, 1500)
            except OSError as e:
                if e.errno == errno.ETIMEDOUT:
                    return False
                raise
            if answer in self.checked(data, sender):
                return True

    def checked(self, data, sender):
        """The answers that it consists of."""
        if self.tells and data not in self.asked:
            raise Violation("no datagram that anybody sent: %r" % data)
        if self.named and sender != self.asked[data]:
            raise Violation("a datagram of %s, said to be of %s" % (self.asked[data], sender))
        found = []
        while data:
            known = [each for each in self.asked if data.startswith(each)]
            if not known:
                raise Violation("nobody sent that: %r" % data)
            found += known
            data = data[len(known[0]) :]
        return found

    def drop_udp(self):
        """A new socket the next time."""
        udp, self.udp = self.udp, None
        if udp:
            self.call(LINGER_MS, udp.close)

    def rest(self):
        super().rest()
        self.drop_udp()


# --- a server


class Caller(Peer):
    """Connects to the program's server, asks, looks at the answer; `how` it does says the world."""

    def __init__(self, dialled):
        self.by = dialled
        draw = dialled.world.random
        self.how = (
            draw.choice(("good", "good", "good", "stay", "slam", "mute", "half")) if dialled.world.bad else "good"
        )
        self.got = bytearray()
        self.request = None
        self.left = 3 if self.how == "stay" else 1

    def opened(self, connection):
        connection.clock.after_ms(2 * MINUTE_MS, connection.close)  # patience
        if self.how == "slam":
            connection.close()
        elif self.how != "mute":
            connection.clock.after_ms(self.by.world.random.choice((0, 0, 200, 5000)), lambda: self.ask(connection))

    def ask(self, connection):
        self.request = self.by.request()
        data = frame(self.request)
        if self.how == "half":
            connection.write(data[: len(data) // 2])
            return connection.close()
        return connection.write(data)

    def received(self, connection, data):
        self.got += data
        try:
            answer = unframed(self.got)
        except ValueError:  # hurt on the line to the module
            return connection.reset()
        if answer is None:
            return None
        if not self.request or bytes(self.got) != frame(answer_to(self.request)):
            self.by.report.wrong.append("a client got what was not for it: %r" % self.got)
        self.got.clear()
        self.by.report.exchanged("serve")
        self.left -= 1
        if self.left:
            return connection.clock.after_ms(3000, lambda: self.ask(connection))
        return connection.close()


class Serving(Program):
    """Has a server, beside its streams; clients come and go."""

    kinds = Program.kinds + ("serve",)
    mild = (errno.ENOBUFS,)  # too many clients

    def __init__(self, soak):
        super().__init__(soak)
        if self.modem.LINKS == 2:
            soak.report.last.pop("ping", None)
        self.listener = None
        self.net = soak.rig.net
        self.clock = soak.clock
        self.callers = 0
        self.next_caller()

    def next_caller(self):
        """Somebody dials, now and then."""
        self.clock.after_ms(self.random.uniform(5, 60) * SECOND_MS, self.dial)

    def dial(self):
        self.callers += 1
        self.net.dial(PORT, Caller(self), "192.0.2.%d" % (self.callers % 250 + 1), 40_000 + self.callers % 20_000)
        self.next_caller()

    def work(self):
        if self.modem.LINKS == 2:  # or clients find none free
            self.visit()
        else:
            super().work()
        self.serve()

    def serve(self):
        """For half a minute."""
        end = self.report.now() + 30
        try:
            if self.listener is None:
                self.listener = self.modem.socket()
                self.listener.settimeout(30)
                self.listener.bind(("", PORT))
                self.call(30 * SECOND_MS, self.listener.listen)
                self.listener.settimeout(5)
            while self.report.now() < end:
                try:
                    client, _ = self.call(5 * SECOND_MS, self.listener.accept)
                except OSError as e:
                    if e.errno == errno.ETIMEDOUT:
                        continue
                    raise
                self.attend(client)
        except OSError:
            self.unlisten()
            raise

    def attend(self, client):
        """One client, to its end."""
        client.settimeout(15)
        got = bytearray()
        try:
            while True:
                piece = self.call(15 * SECOND_MS, client.recv, 512)
                if not piece:
                    break
                got += piece
                answer = self.answered(got)
                if answer:
                    self.call(30 * SECOND_MS, client.write, answer)
        except OSError as e:  # its business
            self.report.failures["client: " + errno.errorcode.get(e.errno, "?")] += self.world.bad
        finally:
            self.call(LINGER_MS, client.close)

    def answered(self, got):
        """What to say when the request is whole."""
        try:
            request = unframed(got)
        except ValueError as e:
            raise Violation("wrong byte: %r" % got) from e
        if request is None:
            return None
        if len(got) != 6 + len(request):
            raise Violation("more than one client said: %r" % got)
        got.clear()
        return frame(answer_to(request))

    def unlisten(self):
        """A new server the next time."""
        listener, self.listener = self.listener, None
        if listener:
            self.call(LINGER_MS, listener.close)

    def rest(self):
        super().rest()
        self.unlisten()


# --- tasks


class Tasks(Serving, Datagrams):
    """An asyncio program: everything at once, with time-outs and cancellations."""

    kinds = Program.kinds + ("datagram", "serve")

    def __init__(self, soak):
        super().__init__(soak)
        self.links = soak.modem.LINKS
        if self.links == 2:  # two streams, nothing else
            soak.report.last = dict.fromkeys(Program.kinds, soak.clock.now_us)
        self.loop = Loop(soak.clock)
        self.visits = []

    def main(self):
        """Start them all."""
        start = self.loop.start
        start(self.keep_up())
        start(self.again(self.stay, 5, 20))
        self.visits = [start(self.again(self.visiting, 5, 60)) for _ in range(2 if self.links > 2 else 1)]
        start(self.disturb())
        if self.links > 2:
            start(self.again(self.asking, 5, 40))
            start(self.again(self.serving, 1, 5))

    def round(self):
        """All of them, for a while."""
        if not self.loop.tasks:
            self.main()
        try:
            self.loop.run(20 * SECOND_MS)
        except KeyboardInterrupt:
            self.stop()
            raise

    def pause(self):
        """No other than those of its tasks."""

    def stop(self):
        """The end of the program."""
        while self.loop.tasks:
            self.loop.cancel(self.loop.tasks[0])

    def rest(self):
        self.stop()
        self.loop.run(10_500)  # what was cancelled while connecting counts as dropped
        super().rest()

    async def keep_up(self):
        """The context; a remedy when nothing helps."""
        failing = 0
        while True:
            if self.call(AT_ONCE_MS, self.modem.isconnected):
                failing = 0
            elif isinstance(self.modem.status(), OSError) or self.modem.status() in ("off", "idle"):
                failing += 1
                if failing % 4:
                    self.call(SECOND_MS, lambda: self.modem.connect(APN, timeout_ms=0))
                else:
                    task = self.modem.recover(timeout_ms=0)
                    while not task.done:
                        self.modem.isconnected()
                        await pause(500)
                    self.report.recovered(task.result or "nothing: %s" % task.error.errno)
            await pause(500)

    async def disturb(self):
        """Cancels somebody."""
        while True:
            await pause(self.random.uniform(1, 120 if self.world.bad else 1000) * SECOND_MS)
            k = self.random.randrange(len(self.visits))
            self.loop.cancel(self.visits[k])
            self.visits[k] = self.loop.start(self.again(self.visiting, 5, 60))

    async def again(self, what, shortest, longest):
        """Over and over."""
        while True:
            await pause(self.random.uniform(shortest, longest) * SECOND_MS)
            try:
                if self.modem.up:
                    await what()
            except OSError as e:
                if e.errno not in self.mild:
                    self.report.failed(e)

    async def dial_out(self, address):
        """asyncio.open_connection()."""
        s = self.modem.socket()
        s.setblocking(False)
        s.wanted = bytearray()
        try:
            self.call(AT_ONCE_MS, s.connect, address)
        except OSError as e:
            if e.errno != errno.EINPROGRESS:
                raise
        await ready(s, OUT)
        return s

    async def write(self, s, data):
        """Stream.drain()."""
        at = 0
        while at < len(data):
            await ready(s, OUT)
            at += self.call(AT_ONCE_MS, s.write, data[at:]) or 0

    async def read(self, s, n):
        """Stream.read(n)."""
        while True:
            await ready(s, IN)
            piece = self.call(AT_ONCE_MS, s.read, n)
            if piece is not None:
                return piece

    async def talk(self, s, kind):
        """exchange()."""
        request = self.request()
        wanted = s.wanted
        await self.write(s, frame(request))
        wanted += frame(answer_to(request))
        while wanted:
            piece = await self.read(s, 512)
            if not piece:
                raise OSError(errno.ECONNRESET, "the answer ended early")
            if not wanted.startswith(piece):
                raise Violation("wrong byte: %r, not %r" % (piece, wanted[: len(piece)]))
            del wanted[: len(piece)]
        self.report.exchanged(kind)

    async def visiting(self):
        await self.loop.within(60 * SECOND_MS, self.one_visit())

    async def one_visit(self):
        s = await self.dial_out(week.VISITED)
        try:
            await self.talk(s, "visit")
        finally:
            self.call(AT_ONCE_MS, s.close)

    async def stay(self):
        s = None
        try:
            s = await self.dial_out(BROKER)
            while True:
                await self.loop.within(120 * SECOND_MS, self.talk(s, "ping"))
                await pause(self.random.uniform(5, 40) * SECOND_MS)
        finally:
            if s:
                self.call(AT_ONCE_MS, s.close)

    async def asking(self):
        if self.udp is None:
            self.udp = self.modem.socket(2, 2)
            self.udp.setblocking(False)
        request, answer = self.question()
        address = self.random.choice(ASKED)
        self.note(answer, address)
        try:
            await self.loop.within(40 * SECOND_MS, self.ask(request, answer, address))
        except (OSError, Cancelled):
            if self.random.random() < 0.3:
                self.drop_udp()
            raise

    async def ask(self, request, answer, address):
        while True:
            await ready(self.udp, OUT)
            try:
                self.call(AT_ONCE_MS, self.udp.sendto, frame(request), address)
                break
            except OSError as e:
                if e.errno != errno.EAGAIN:
                    raise
        while True:
            await ready(self.udp, IN)
            try:
                data, sender = self.call(AT_ONCE_MS, self.udp.recvfrom, 1500)
            except OSError as e:
                if e.errno != errno.EAGAIN:
                    raise
                continue
            if answer in self.checked(data, sender):
                return self.report.exchanged("datagram")

    async def serving(self):
        """asyncio.start_server()."""
        s = self.listener = self.modem.socket()
        s.setblocking(False)
        try:
            s.bind(("", PORT))
            self.call(AT_ONCE_MS, s.listen)
            while True:
                await ready(s, IN)
                try:
                    client, _ = self.call(AT_ONCE_MS, s.accept)
                except OSError as e:
                    if e.errno == errno.EAGAIN:
                        continue
                    raise
                client.setblocking(False)
                self.loop.start(self.attending(client))
        finally:
            self.unlisten()

    async def attending(self, client):
        got = bytearray()
        try:
            while True:
                await self.loop.within(30 * SECOND_MS, self.hear(client, got))
        except OSError as e:
            self.report.failures["client: " + errno.errorcode.get(e.errno, "?")] += self.world.bad
        finally:
            self.call(AT_ONCE_MS, client.close)

    async def hear(self, client, got):
        piece = await self.read(client, 512)
        if not piece:
            raise OSError(errno.ECONNRESET, "gone")
        got += piece
        answer = self.answered(got)
        if answer:
            await self.write(client, answer)


# --- other ways of working


class Single(Datagrams):
    """One connection: one thing after the other."""

    modem_args = {"mux": False}
    leaks = 0

    def work(self):
        for what in self.random.sample((self.ping, self.visit, self.query), 3):
            what()
            if self.broker and self.random.random() < 0.3:
                self.ping()
            self.rest()


class Push(Datagrams):
    settings = {"receive": "push"}
    rates = {"turn": 0, "noise": 0, "silence": 0}  # nobody could notice what was lost


class Variable(Program):
    """Sends without a length, what may be sent so."""

    settings = {"send": "variable"}

    def request(self):
        while True:
            request = super().request()
            if not set(UNSAFE) & set(frame(request)):
                return request


class Acknowledge(Program):
    settings = {"acknowledge": True}


class Contexts(Program):
    """Visits through a second context."""

    second = None

    def work(self):
        if self.second is None:
            self.second = self.modem.context("other.apn", "user", "key")
        if not self.second.isconnected():
            self.call(CONNECT_MS, self.second.connect)
        self.ping()
        self.visit()
        if self.random.random() < 0.05:
            self.rest()
            self.call(CONNECT_MS, self.second.disconnect)

    def socket(self):
        return self.second.socket() if self.random.random() < 0.5 else self.modem.socket()


class Sleeping(Program):
    """Lets the module sleep between its rounds."""

    dtr = None

    def __init__(self, soak):
        super().__init__(soak)
        if soak.rig.family == "sim7000" or self.random.random() < 0.5:
            self.dtr = machine.Pin(7, machine.Pin.OUT, value=0)
            self.dtr.watch(soak.vm.dtr)
            soak.vm._dtr = self.dtr

    def work(self):
        super().work()
        draw = self.random.random()
        if draw < 0.2:
            self.call(40 * SECOND_MS, self.modem.sleep, self.dtr)
        elif draw < 0.3:
            self.call(40 * SECOND_MS, self.modem.wake)

    def rest(self):
        super().rest()
        try:
            self.call(40 * SECOND_MS, self.modem.wake)
        except OSError as e:
            self.report.failed(e)


class Transparent(Program):
    """One stream that has the UART to itself."""

    kinds = ("ping",)
    rates = {
        "turn": 0,
        "noise": 0,
        "lose": 0,
        "stall": 0,
        "silence": 0,
        "interrupt": 0,
    }  # nobody could notice lost bytes
    storm = tuple([text for text in STORM if "CMT:" not in text])  # whose text is no line of the module's

    def open(self, address, timeout):
        t = self.call(300 * SECOND_MS, self.modem.transparent, address)
        t.settimeout(timeout)
        t.wait_ms = timeout * SECOND_MS
        t.wanted = bytearray()
        t.boots = self.boots()
        return t

    def boots(self):
        """What the module printed first nobody can tell from data."""
        return self.world.happened["restart"] + self.world.happened["supply"]

    def work(self):
        self.ping()
        draw = self.random.random()
        if draw < 0.2:
            self.call(12 * SECOND_MS, self.broker.escape)
            self.call(5 * SECOND_MS, self.modem.at, "+CSQ")
            self.call(17 * SECOND_MS, self.broker.resume)
        elif draw < 0.3:
            self.rest()

    def ping(self):
        try:
            if self.broker is None:
                self.broker = self.open(BROKER, 30)
            self.exchange(self.broker, self.request(), "ping")
        except Violation as e:
            if self.broker.boots == self.boots():
                raise
            self.rest()
            raise OSError(errno.EIO, "restarted") from e
        except OSError:
            self.rest()
            raise

    def rest(self):
        broker, self.broker = self.broker, None
        if broker:
            self.call(CONNECT_MS, broker.close)


BOTH = ("sim800", "sim7000")
ALL = BOTH + ("sim7028", "a76xx")
PROGRAMS = (
    (Datagrams, ALL),
    (Serving, ALL),
    (Single, BOTH),
    (Tasks, ALL),
    (Push, ALL),
    (Variable, ALL),
    (Acknowledge, ALL),
    (Contexts, BOTH),
    (Sleeping, ("sim800", "sim7000", "a76xx")),
    (Transparent, ALL),
)


if __name__ == "__main__":
    family, seed, hours, *names = sys.argv[1:]  # a seventh of these hours for each program
    for program, families in PROGRAMS:
        if family in families and (not names or program.__name__ in names):
            soak = Soak(family, int(seed), program)
            print("%s, seed %s, %s: %s" % (family, seed, program.__name__, soak.run(float(hours) / 7)), flush=True)
