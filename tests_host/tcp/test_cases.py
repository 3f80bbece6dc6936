"""Every shared case on the virtual module, in one process, under several seeds (`--seeds`; `make cases` takes 20)."""

import pathlib

import rig  # first: it puts the shim in place
from families import ALL, FAMILIES, quick
import machine
import peer
import pytest
import target
from sim import VirtualModem

import simcom

HOST = "peers.example"
PORTS = {kind: 7001 + i for i, kind in enumerate((*peer.KINDS, "refused"))}


class Virtual(target.Target):
    """A modem on a virtual module that follows the readings of a seed."""

    def __init__(self, seed, family):
        self.rig = rig.Rig(seed, family=family)
        self.modem = self.rig.modem
        self.serve()

    def serve(self):
        """Put a peer of each kind into the network."""
        for kind, maker in peer.KINDS.items():
            self.rig.net.serve(HOST, PORTS[kind], maker)
            if kind in peer.DATAGRAM_KINDS:
                self.rig.net.serve(HOST, PORTS[kind], maker, "UDP")

    def peer(self, kind):
        return HOST, PORTS[kind]

    def dial(self, port):
        return self.rig.dial(port)

    def sent(self):
        return sum(len(data) for _, direction, data in self.rig.vm.log if direction == ">")

    def new_modem(self):
        uart = machine.UART(2, 115200, rxbuf=2048)
        VirtualModem(
            self.rig.family, uart, seed=1, powered=True, net=self.rig.net, **rig.QUICK, **quick(self.rig.family)
        )
        modem = type(self.modem)(uart)
        modem.connect("other")
        return modem


def with_seeds(seeds):
    """Each case on each family, with the recommended readings and, but for siblings, with those of so many seeds."""
    for family in ALL:
        lacks = getattr(simcom, family.upper()).LACKS  # what else it refuses has tests of its own
        for name, case in target.cases():
            if getattr(case, "feature", "") in lacks:
                continue
            for seed in (None, *range(1, 1 + seeds if family in FAMILIES else 1)):
                shows = [pytest.mark.feature(row) for row in getattr(case, "feature", "tcp buffer").split()]
                yield pytest.param(case, seed, family, id="%s-%s-%s" % (family, name, seed), marks=shows)


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case, seed, family", list(with_seeds(metafunc.config.getoption("seeds"))))


def test_case(case, seed, family):
    case(Virtual(seed, family))


def test_both_sides_know_the_same_bytes():
    assert peer.pattern(3000) == target.pattern(3000)
    assert len(set(peer.pattern(3000))) == 256


def test_every_case_of_every_file_is_found():
    folder = pathlib.Path(target.__file__).parent / "cases"
    written = sum(text.read_text().count("\ndef case_") for text in folder.glob("*.py"))
    assert len(target.cases()) == written > 50
