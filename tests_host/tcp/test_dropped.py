"""Bytes that the module has told of and does not have any more: ECONNRESET behind what came, never a plain end."""

import errno

from families import CIP, FAMILIES
import pytest
from rig import Rig
from sim import Peer
from target import pattern

families = pytest.mark.parametrize("family", FAMILIES)
cip = pytest.mark.parametrize("family", CIP)  # whose headers tell how much is left
modes = pytest.mark.parametrize("mode", ["buffer", "hex"])
every = pytest.mark.parametrize("family, mode", [(f, "buffer") for f in FAMILIES] + [(f, "hex") for f in CIP])


def made(family, mode="buffer", seed=None, **choices):
    rig = Rig(seed, family=family, choices=choices)
    if mode != "buffer":
        rig.modem.config(receive=mode)
    return rig, rig.socket(rig.serve(Peer))


def reset(s, n):
    """What comes before ECONNRESET, for which a read of n bytes is made, and another one."""
    got = b""
    with pytest.raises(OSError) as raised:
        for _ in range(10_000):
            part = s.recv(n)
            assert part, "a plain end"
            got += part
    assert raised.value.errno == errno.ECONNRESET
    return got


@every
@pytest.mark.parametrize("count", [1, 63, 1500, 4000])
def test_bytes_dropped_at_the_close(family, count, mode):
    # Nobody pumps meanwhile: the notice is read together with the end.
    rig, s = made(family, mode, unread="dropped at close")
    rig.connection().write(pattern(count))
    rig.connection().close()
    rig.clock.sleep_ms(300)
    assert reset(s, 4000) == b""
    s.close()
    assert rig.works()


def before_read(rig, count, act):
    """Have the module act before it answers the driver's read number `count`."""
    execute = rig.vm.execute
    reads = []

    def acting(line):
        if line.startswith(b"AT+CIPRXGET=") and line[12:13] in b"23":
            reads.append(line)
            if len(reads) == count:
                act()
        execute(line)

    rig.vm.execute = acting


@modes
@cip
def test_rest_that_a_header_told_of(family, mode):
    rig, s = made(family, mode)

    def drop():
        rig.connection().is_open = False
        rig.vm.links[s._link.n].forget_data()
        rig.connection()._ended()

    before_read(rig, 3, drop)
    rig.connection().write(pattern(4000))
    got = reset(s, 4000)
    assert pattern(4000).startswith(got) and 0 < len(got) < 4000


@modes
@cip
def test_fewer_than_a_header_told_of(family, mode):
    # The connection is open still: what came is read, then it is an error.
    rig, s = made(family, mode)

    def keep_five():
        link = rig.vm.links[s._link.n]
        data, source = link.take(link.rx_count)
        link.data(data[:5], source)

    before_read(rig, 2, keep_five)
    rig.connection().write(pattern(100))
    got = reset(s, 100)
    assert got == pattern(100)[:6]


@families
def test_notice_of_bytes_that_are_gone(family):
    rig, s = made(family)
    rig.pump(500)
    rig.vm.urc(("+CIPRXGET: 1,%d" if family in CIP else "+CADATAIND: %d") % s._link.n)
    rig.connection().is_open = False
    rig.connection()._ended()
    assert reset(s, 10) == b""


@every
def test_end_without_any_bytes_is_an_end(family, mode):
    rig, s = made(family, mode)
    rig.connection().write(pattern(3000))
    rig.connection().close()
    assert s.read() == pattern(3000)
    assert s.read(1) == b""


@families
@pytest.mark.parametrize("seed", range(6))
def test_end_is_an_end_under_every_seed(family, seed):
    rig, s = made(family, seed=seed)
    for count in (1, 700, 2000):
        rig.connection().write(pattern(count))
        assert s.read(count) == pattern(count)
    rig.connection().write(pattern(900))
    rig.connection().close()
    assert s.read() == pattern(900)
