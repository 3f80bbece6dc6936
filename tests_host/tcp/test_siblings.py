"""Families that share a dialect and a column of the README's table: what each has of its own."""

from rig import ECHO, Rig  # first: it puts the shim in place
import families
import pytest

SIBLINGS = tuple(each for each in families.ALL if families.sibling(each) in families.CIP and each not in families.CIP)
each_sibling = pytest.mark.parametrize("family", SIBLINGS)


def presses(rig):
    """How often the key was pressed."""
    return [level for _, level in rig.pwrkey.history].count(1)


@pytest.mark.parametrize("family", families.CIP + SIBLINGS)
def test_limits_of_the_class_are_the_modules(family):
    rig = Rig(family=family, up=False)
    assert rig.modem.LINKS == rig.vm.link_count
    assert rig.modem.SERVERS == getattr(rig.vm, "server_count", 1)


@each_sibling
def test_one_press_of_the_key_for_each_start(family):
    rig = Rig(family=family, powered=False)
    assert presses(rig) == 1 and rig.works()
    begin = rig.clock.ms
    rig.modem.active(False)
    assert rig.clock.ms - begin < 1000  # its last words are understood
    rig.modem.active(True)
    assert presses(rig) == 2
    rig.modem.connect("internet")
    assert rig.works()


@each_sibling
def test_key_switches_off_what_refuses_the_command(family):
    rig = Rig(family=family)
    rig.vm.do_CPOWD = rig.vm.do_CPOF = None
    rig.modem.active(False)
    assert presses(rig) == 1
    rig.clock.sleep_ms(rig.vm.off_ms)
    assert not rig.vm.running


@each_sibling
@pytest.mark.parametrize("rate", (0, 115200))
def test_restart_is_noticed(family, rate):
    rig = Rig(family=family, modem_args={"baudrate": rate})
    s = rig.socket(ECHO)
    rig.vm.restart()
    rig.pump(rig.vm.boot_ms + 6000)
    assert not rig.modem.isconnected()
    with pytest.raises(OSError):
        s.read(1)
    rig.modem.connect("internet")
    assert not rig.vm.echo and rig.works()
