"""Every two capabilities that can be on at the same time, put on and taken off in both orders: nothing is left."""

import errno
import itertools

import pytest
from rig import ECHO, Rig  # first: it puts the shim in place
import machine
from sim import Echo

START = ("sim800", "sim7000")


class Capability:
    """One that is put on, used and taken off; `families` have it."""

    families = ("sim800", "sim7000", "sim7028", "a76xx")
    sockets = True  # others can be open beside it
    stays = frozenset()  # the hook and the part that it keeps from its first use on

    def __init__(self, rig):
        self.rig = rig
        self.modem = rig.modem

    def on(self):
        """Put it on."""

    def off(self):
        """Take it off."""

    def works(self):
        """Use it."""
        assert self.rig.works()


class Server(Capability):
    stays = frozenset({"Servers", "servers"})

    def on(self):
        self.s = self.rig.socket()
        self.s.bind(("", 8080))
        self.s.listen(1)

    def works(self):
        outside = self.rig.dial(8080)
        inside, _ = self.s.accept()
        inside.settimeout(30)
        outside.send(b"come in")
        assert inside.read(7) == b"come in"
        inside.write(b"out")
        assert outside.recv(3) == b"out"
        inside.close()

    def off(self):
        self.s.close()
        self.rig.pump(3000)
        assert not self.rig.dial(8080).taken


class SecondContext(Capability):
    families = START
    stays = frozenset({"Keeper", "contexts"})

    def on(self):
        self.context = self.modem.context("other.apn")
        self.context.connect()

    def works(self):
        s = self.context.socket()
        s.settimeout(30)
        s.connect(ECHO)
        s.write(b"through the second")
        assert s.read(18) == b"through the second"
        s.close()

    def off(self):
        self.context.disconnect()


class Datagrams(Capability):
    stays = frozenset({"datagrams"})

    def on(self):
        self.rig.net.serve(*ECHO, Echo, "UDP")
        self.s = self.modem.socket(2, 2)
        self.s.settimeout(30)

    def works(self):
        self.s.sendto(b"a datagram", ECHO)
        assert self.s.recv(100) == b"a datagram"

    def off(self):
        self.s.close()


class Receive(Capability):
    how = ""

    def on(self):
        self.modem.config(receive=self.how)

    def off(self):
        self.modem.config(receive="buffer")


class Push(Receive):
    how = "push"


class Hex(Receive):
    how = "hex"


class Form(Capability):
    def on(self):
        self.modem.config(send="variable")

    def off(self):
        self.modem.config(send="fixed")


class Sleep(Capability):
    families = ("sim800", "sim7000", "a76xx")

    def on(self):
        dtr = machine.Pin(7, machine.Pin.OUT, value=0)
        dtr.watch(self.rig.vm.dtr)
        self.rig.vm._dtr = dtr
        self.modem.sleep(dtr)

    def works(self):
        self.rig.pump(10_000)
        super().works()

    def off(self):
        self.modem.wake()


class Timer(Capability):
    def on(self):
        self.modem.background(50)

    def off(self):
        self.modem.background(0)


class Codes(Capability):
    def on(self):
        self.heard = []
        self.modem.on_urc("+CMTI:", self.heard.append)

    def works(self):
        self.heard.clear()
        self.rig.vm.urc('+CMTI: "SM",3')
        self.rig.pump(500)
        assert self.heard == ['+CMTI: "SM",3']

    def off(self):
        self.modem.on_urc("+CMTI:", None)


class Transparent(Capability):
    sockets = False

    def on(self):
        self.stream = self.modem.transparent(ECHO)
        self.stream.settimeout(30)

    def works(self):
        self.stream.write(b"unchanged")
        assert self.stream.read(9) == b"unchanged"

    def off(self):
        self.stream.close()


ALL = (Server, SecondContext, Datagrams, Push, Hex, Form, Sleep, Timer, Codes, Transparent)
NEVER = ({Push, Hex},)  # one or the other


def state(modem):
    """What stands between the modem and its work."""
    stages, each = [], modem.stage
    while each is not modem.channel:
        stages.append(type(each).__name__)
        each = each.below
    hooks = [type(hook).__name__ for hook in modem.hooks]
    names = {"hooks": hooks, "stages": stages, "parts": list(modem.parts), "extra": [name for name, _ in modem.extra]}
    assert all(len(each) == len(set(each)) for each in names.values()), names
    return {what: set(each) for what, each in names.items()}


def pairs():
    for family in START + ("sim7028", "a76xx"):
        for pair in itertools.permutations([each for each in ALL if family in each.families], 2):
            if set(pair) not in NEVER:
                yield pytest.param(*pair, family, id="%s-%s-%s" % (family, pair[0].__name__, pair[1].__name__))


def meanwhile(work):
    """Whether it could be done; what cannot be done meanwhile says so."""
    try:
        work()
    except OSError as e:
        assert e.args[0] == errno.EALREADY, repr(e)
        return False
    return True


@pytest.mark.parametrize("last_first", [False, True])
@pytest.mark.parametrize("first, second, family", list(pairs()))
def test_two_capabilities_work_and_leave_nothing(first, second, family, last_first):
    rig = Rig(family=family)
    a, b = first(rig), second(rig)
    a.on()
    there = [a, b] if meanwhile(b.on) else [a]
    exclusive = [each for each in there if not each.sockets]
    for each in exclusive or there:
        each.works()
    if last_first:
        there.reverse()
    later = [each for each in there if not meanwhile(each.off)]
    for each in later:
        each.off()
    assert rig.works()
    stays = frozenset().union(*(each.stays for each in (a, b) if each.stays & set(rig.modem.parts)))
    assert state(rig.modem) == {
        "hooks": {hook for hook in stays if hook.istitle()},
        "stages": set(),
        "parts": {part for part in stays if part.islower()},
        "extra": set(),
    }
