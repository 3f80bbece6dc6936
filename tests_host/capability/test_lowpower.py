"""PSM and eDRX: what is asked for, what the network grants, and what becomes of a module that falls asleep."""

import errno
import pathlib

from rig import ECHO, Rig  # first: it puts the shim in place
import families
import pytest
from sim.lowpower import LowPower

README = pathlib.Path(__file__).parents[2] / "README.md"
LPWA = tuple(each for each in families.FAMILIES if issubclass(families.profile(each), LowPower))
SEEDS = (None, 1, 2, 3, 4, 5)
each_family = pytest.mark.parametrize("family", LPWA)
each_seed = pytest.mark.parametrize("seed", SEEDS)


def errno_of(f, *args, **kwargs):
    with pytest.raises(OSError) as caught:
        f(*args, **kwargs)
    return caught.value.errno, str(caught.value)


@pytest.mark.feature("psm")
@each_family
@each_seed
def test_psm_as_the_network_grants_it(family, seed):
    rig = Rig(seed, family=family)
    assert rig.modem.psm() is None
    assert rig.modem.psm(86400, 10) == (86400, 10)
    assert rig.vm.psm == [1, "00111000", "00000101"]  # 24 times an hour; 5 times 2 s
    assert rig.modem.psm() == (86400, 10)
    assert rig.modem.psm(0) is None
    assert rig.vm.psm[0] == 0 and rig.modem.psm() is None
    rig.vm.granted = "01000001", "00100011"
    assert rig.modem.psm(3600) == (36000, 180)
    assert rig.vm.psm == [1, "00000110", "00011110"]  # 6 times ten minutes; 30 times 2 s
    assert rig.works()


TIMERS = [(1, 1, "01100001", "00000001"), (63, 63, "10000011", "00100010"), (62, 62, "01111111", "00011111")]
TIMERS += [(100, 1900, "10000100", "01000110"), (31 * 3600 + 1, 0, "01000100", "00000000")]
TIMERS += [(31 * 1152000, 11160, "11011111", "01011111"), (961, 100, "10110001", "00100010")]


@pytest.mark.parametrize("tau_s, active_s, tau, active", TIMERS)
def test_times_are_rounded_up_to_what_there_is(tau_s, active_s, tau, active):
    rig = Rig()
    rig.modem.psm(tau_s, active_s)
    assert rig.vm.psm == [1, tau, active]


@each_family
@pytest.mark.parametrize("grant_ms", range(300, 1500, 100))
def test_module_that_sleeps_as_soon_as_it_may(family, grant_ms):
    rig = Rig(family=family, grant_ms=grant_ms)
    assert rig.modem.psm(31 * 3600 + 1, 0) == (144000, 0)
    rig.pump(100)
    assert rig.vm.asleep


@each_family
def test_firmware_that_tells_what_is_granted_by_its_registration(family):
    rig = Rig(family=family, unknown=("CPSMRDP",), cell=',"5B57","195071B",9,,')
    assert rig.modem.psm() is None
    assert rig.modem.psm(86400, 10) == (86400, 10)
    assert rig.modem.psm() == (86400, 10)
    assert rig.modem.status("registration") == 1


@each_family
def test_network_that_grants_nothing(family):
    rig = Rig(family=family, grant_ms=1e9)
    begin = rig.clock.ms
    assert rig.modem.psm(86400, 10) is None
    assert rig.clock.ms - begin < 8000


def fall_asleep(rig):
    assert rig.modem.psm(7200, 4) == (7200, 4)
    rig.pump(20_000)
    assert rig.vm.asleep


@pytest.mark.feature("psm")
@each_family
@each_seed
def test_sleeping_module_is_woken_by_connect(family, seed):
    rig = Rig(seed, family=family)
    s = rig.socket(ECHO)
    s.write(b"12345")
    assert s.read(5) == b"12345"
    rig.modem.psm(7200, 4)
    rig.clock.sleep_ms(8000)
    code, text = errno_of(s.read, 1)
    assert code == errno.ECONNABORTED and "has fallen asleep (PSM): connect() wakes it" in text
    assert rig.vm.asleep and not rig.modem.isconnected() and not rig.modem.active()
    before = [level for _, level in rig.pwrkey.history].count(1)
    begin = rig.clock.ms
    rig.modem.connect("internet")
    assert [level for _, level in rig.pwrkey.history].count(1) == before + 1
    assert rig.clock.ms - begin < rig.vm.boot_ms + 8000
    assert rig.works() and not rig.vm.echo
    assert rig.modem.psm() == (7200, 4)
    rig.pump(20_000)
    assert rig.vm.asleep and not rig.modem.active()  # it has told again


@each_family
@each_seed
def test_module_that_does_not_tell_that_it_falls_asleep(family, seed):
    rig = Rig(seed, family=family, unknown=("CPSMSTATUS",))
    fall_asleep(rig)
    s = rig.modem.socket()
    s.settimeout(90)
    code, _ = errno_of(s.connect, ECHO)
    assert code in (errno.ETIMEDOUT, errno.ECONNABORTED)
    rig.pump(10_000 if family in families.CIP else 60_000)  # the result of its AT+CAOPEN is waited for
    assert not rig.modem.isconnected()
    rig.modem.connect("internet")
    assert rig.works()


@each_family
@each_seed
def test_module_that_has_woken_by_its_timer(family, seed):
    rig = Rig(seed, family=family)
    assert rig.modem.psm(120, 4) == (120, 4)
    rig.pump(20_000)
    assert rig.vm.asleep and not rig.modem.active()
    presses = len(rig.pwrkey.history)
    while not rig.vm.running:
        rig.pump(500)
    rig.modem.connect("internet")
    assert rig.works() and len(rig.pwrkey.history) == presses


@each_family
@each_seed
def test_module_that_slept_and_woke_unnoticed(family, seed):
    rig = Rig(seed, family=family, unknown=("CPSMSTATUS",))
    s = rig.socket(ECHO)
    assert rig.modem.psm(120, 4) == (120, 4)
    while not rig.vm.asleep:
        rig.clock.sleep_ms(500)  # nobody pumps
    while not rig.vm.running:
        rig.clock.sleep_ms(500)
    try:
        assert s.read(1) == b""  # the module knows of no connection
    except OSError as e:
        assert e.errno in (errno.ECONNABORTED, errno.ENOTCONN, errno.ECONNRESET, errno.ETIMEDOUT)
    try:
        assert rig.works()
    except OSError as e:  # the context is gone: a program looks, and connects
        assert e.errno in (errno.ENOTCONN, errno.ECONNABORTED, errno.ETIMEDOUT)
        rig.pump(10_000)  # some spoil answers meanwhile
        assert not rig.modem.isconnected()
        rig.modem.connect("internet")
        assert rig.works()


@each_family
@each_seed
def test_connect_wakes_a_module_that_fell_asleep_without_a_word(family, seed):
    rig = Rig(seed, family=family, unknown=("CPSMSTATUS",), up=False)
    fall_asleep(rig)
    assert rig.modem.active()  # as far as anybody knows
    rig.modem.connect("internet")
    assert rig.works()


@pytest.mark.feature("edrx")
@each_family
@each_seed
def test_edrx_as_the_network_grants_it(family, seed):
    rig = Rig(seed, family=family)
    assert rig.modem.edrx() is None
    rig.vm.edrx_granted = "0101", "0011"
    assert rig.modem.edrx(60) == (81.92, 10.24)  # NB-IoT, whose window is in units of 2.56 s
    assert rig.vm.edrx == {4: "0100", 5: "0101"}  # 61.44 s; NB-IoT has only 81.92
    assert rig.modem.edrx(5000) is not None and rig.vm.edrx == {4: "1101", 5: "1110"}
    assert rig.modem.edrx(5.12) is not None and rig.vm.edrx == {4: "0000", 5: "0010"}
    assert rig.modem.edrx(0) is None
    assert rig.works()


def test_module_that_has_one_radio():
    rig = Rig(family="sim7028")
    execute = rig.vm.do_CEDRXS
    rig.vm.do_CEDRXS = lambda op, args: "ERROR" if args[1:2] == ["4"] else execute(op, args)
    assert rig.modem.edrx(20) == (20.48, 12.8)
    rig.vm.do_CEDRXS = lambda op, args: "ERROR"
    assert errno_of(rig.modem.edrx, 20)[0] == errno.EIO


WITHOUT = [each for each in families.ALL if not issubclass(families.profile(each), LowPower)]


@pytest.mark.lacks("psm")
@pytest.mark.lacks("edrx")
@pytest.mark.parametrize("family", WITHOUT)
def test_family_without(family):
    rig = Rig(family=family, up=False)
    sent = len(rig.sent)
    for call in (rig.modem.psm, rig.modem.edrx):
        assert errno_of(call) == (
            errno.EOPNOTSUPP,
            "[Errno %d] %s has no PSM or eDRX" % (errno.EOPNOTSUPP, family.upper()),
        )
    assert len(rig.sent) == sent


def test_callers_mistakes():
    rig = Rig()
    sent = len(rig.sent)
    for wrong in ((-1,), (1.5,), ("day",), (31 * 1152000 + 1,), (60, -1), (60, 11161)):
        with pytest.raises(ValueError, match="a whole number from 0"):
            rig.modem.psm(*wrong)
    for wrong in (-1, "long", 10486):
        with pytest.raises(ValueError, match="cycle_s: 0 to 10485.76"):
            rig.modem.edrx(wrong)
    assert len(rig.sent) == sent
    off = Rig(on=False)
    assert errno_of(off.modem.psm, 60)[0] == errno.ENOTCONN


@each_family
def test_waking_costs_what_the_readme_says(family):
    profile = families.profile(family)
    own = {
        each: getattr(profile, each)
        for each in ("register_ms", "think_ms", "ciicr_ms", "shut_ms", "netopen_ms", "activate_ms", "deactive_ms")
        if hasattr(profile, each)
    }
    rig = Rig(family=family, **own)
    fall_asleep(rig)
    begin = rig.clock.ms
    rig.modem.connect("internet")
    took = "%.1f s" % ((rig.clock.ms - begin) / 1000)
    row = next(line for line in README.read_text().split("\n") if line.startswith("| `psm(tau_s, active_s)` |"))
    assert took == row.split("|")[4].split(";")[0].split(" / ")[LPWA.index(family)].strip()
