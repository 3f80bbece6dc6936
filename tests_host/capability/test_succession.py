"""A server whose next client gets the number of the one that has just left, while that number is being read."""

import errno

from families import CIP, FAMILIES
import pytest
from rig import Dialled, Rig

families = pytest.mark.parametrize("family", CIP)


class Caller(Dialled):
    """Says its piece before anything else happens."""

    def __init__(self, rig, at, mute=False):
        self.heard = bytearray()
        super().__init__(rig, 80, "192.0.2.%d" % (1 + at % 250), 5000 + at)
        if not mute:
            self.connection.link.data(b"caller %06d" % at, (self.connection.address, self.connection.port))

    def received(self, connection, data):
        self.heard += data

    def leave(self):
        """The end of the stream is there at once."""
        self.connection.is_open = False
        self.connection._ended()


class Succession:
    """`vm.execute`: in front of the answer to a read the next caller comes, perhaps for one that leaves just then."""

    def __init__(self, rig, count, leaves):
        self.rig, self.count, self.leaves = rig, count, leaves
        self.callers = []
        self.swapped = 0
        self._execute = rig.vm.execute
        rig.vm.execute = self.execute
        rig.vm.choices["reuse"] = "at once"

    def call(self):
        self.callers.append(Caller(self.rig, len(self.callers)))
        assert self.callers[-1].taken

    def execute(self, line):
        here = self.callers[-1].connection
        link = here.link
        if line.startswith(b"AT+CIPRXGET=2,") and len(self.callers) < self.count:
            n = int(line[14:].split(b",")[0])
            number = self.rig.vm.links[n]
            if self.leaves and link is number and not link.rx:
                self.callers[-1].leave()
                link = None
            if link is None and not number.rx and number is self.rig.vm._left:
                self.call()
                self.swapped += 1
                assert self.callers[-1].connection.link is number
        self._execute(line)


def serve(rig, s, at, callers, wait_s=0):
    client, address = s.accept()
    client.settimeout(60)
    assert address[0] == "192.0.2.%d" % (1 + at % 250)
    assert client.read(13) == b"caller %06d" % at
    if wait_s:
        rig.pump(wait_s * 1000)
    elif callers[at].connection.link is not None:
        callers[at].leave()
    assert client.read(1) == b""
    client.close()


def listening(rig):
    s = rig.socket(timeout=60)
    s.bind(("", 80))
    s.listen()
    return s


@families
def test_every_client_of_a_succession_is_served(family):
    # "n, CLOSED", then the read that looks for the rest, then "n, REMOTE IP" in front of its answer.
    count = 1000
    rig = Rig(family=family)
    rig.patience(10**8)
    s = listening(rig)
    succession = Succession(rig, count, False)
    succession.call()
    for at in range(count):
        serve(rig, s, at, succession.callers)
    assert succession.swapped == count - 1
    assert rig.works()


@families
def test_both_lines_in_front_of_the_answer(family):
    count = 30
    rig = Rig(family=family)
    s = listening(rig)
    succession = Succession(rig, count, True)
    succession.call()
    for at in range(count - 1):
        serve(rig, s, at, succession.callers, 12)
    assert succession.swapped == count - 1


@families
def test_what_was_read_of_the_one_before_stays_with_it(family):
    rig = Rig(family=family)
    s = listening(rig)
    succession = Succession(rig, 2, False)
    succession.call()
    client, _ = s.accept()
    rig.pump(500)  # read, but not by its owner
    succession.callers[0].leave()
    rig.pump(500)
    assert succession.swapped == 1
    assert client.read() == b"caller 000000"
    after, _ = s.accept()
    assert after.read(13) == b"caller 000001"
    after.write(b"for the second")
    rig.pump(100)
    assert succession.callers[1].heard == b"for the second"
    assert succession.callers[0].heard == b""


@families
def test_announced_bytes_of_the_one_before_are_gone_with_its_number(family):
    rig = Rig(family=family)
    s = listening(rig)
    rig.vm.choices["reuse"] = "at once"
    first = Caller(rig, 0)
    client, _ = s.accept()
    client.settimeout(60)
    assert client.read(13) == b"caller 000000"
    execute = rig.vm.execute
    callers = []

    def swap(line):
        if line.startswith(b"AT+CIPRXGET=2,") and not callers:
            first.leave()
            callers.append(Caller(rig, 1))
        execute(line)

    rig.vm.execute = swap
    first.connection.link.data(b"never read", ("192.0.2.1", 5000))
    with pytest.raises(OSError) as raised:
        client.read(1)
    assert raised.value.errno == errno.ECONNRESET
    after, _ = s.accept()
    after.settimeout(60)
    assert after.read(13) == b"caller 000001"


@families
def test_client_that_nobody_has_accepted_leaves_its_bytes(family):
    # What came as the answer to the read of the one before stays here, also when its own number is another's by then.
    rig = Rig(family=family)
    s = listening(rig)
    succession = Succession(rig, 2, False)
    succession.call()
    client, _ = s.accept()
    client.settimeout(30)
    assert client.read(13) == b"caller 000000"
    succession.callers[0].leave()
    rig.pump(500)
    succession.callers[1].leave()
    rig.pump(500)
    third = Caller(rig, 2)
    rig.pump(500)
    for at in (1, 2):
        after, address = s.accept()
        after.settimeout(30)
        assert address[0] == "192.0.2.%d" % (1 + at)
        assert after.read(13) == b"caller %06d" % at
    assert third.taken


class Visitors:
    """Each asks at once and leaves with its answer; the next comes a moment later, or when there is room."""

    def __init__(self, rig, count):
        self.rig, self.count = rig, count
        self.answers = []
        self.next()

    def next(self):
        if len(self.answers) < self.count:
            visitor = Visitor(self.rig, 80, "192.0.2.1", 5000 + len(self.answers))
            if visitor.taken:
                visitor.all = self
                visitor.send(b"visitor %06d" % len(self.answers))
            else:
                self.rig.clock.after_ms(1000, self.next)


class Visitor(Dialled):
    heard = b""

    def received(self, connection, data):
        self.heard += data
        if len(self.heard) == 13:
            self.close()
            self.closed(connection)

    def closed(self, connection):
        if not self.ended or self.heard:
            self.all.answers.append(self.heard)
            self.rig.clock.after_ms(1, self.all.next)
            self.heard = b""
        self.ended = True


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", [None, *range(1, 5)])
def test_visitors_beside_one_that_says_nothing(family, seed):
    """What the module is asked because of one link says of others what was true when it was asked."""
    rig = Rig(seed, family=family)
    s = listening(rig)
    s.settimeout(0)
    mute = rig.dial(80)
    rig.clock.after_ms(20, mute.close)
    visitors = Visitors(rig, 40)
    open_ones = {}  # client: what it asked
    for _ in range(10**5):
        if len(visitors.answers) == 40:
            break
        try:
            client, _ = s.accept()
            client.settimeout(0)
            open_ones[client] = b""
        except OSError as e:
            assert e.errno == errno.EAGAIN
        for client, asked in list(open_ones.items()):
            try:
                data = client.read(20)
            except OSError:  # the mute one, when its number is the next one's before its end was told
                data = b""
            if data:
                open_ones[client] = asked = asked + data
                if len(asked) == 14:
                    assert client.write(b"answer" + asked[7:]) == 13
            if data == b"" or len(asked) == 14:
                client.close()
                del open_ones[client]
        rig.modem.wait(20)
    assert visitors.answers == [b"answer %06d" % n for n in range(40)]
