"""A module that sleeps between commands while its connections stay open."""

import errno

from rig import ECHO, Rig  # first: it puts the shim in place
import machine
import pytest
from sim import Peer, Sink
from test_status import each_seed, refused

FAMILIES = ("sim800", "sim7000", "a76xx", "sim7080")
with_dtr = pytest.mark.parametrize("family", FAMILIES)
without_dtr = pytest.mark.parametrize("family", ("sim800", "a76xx"))


class Late(Peer):
    """Says something much later, then echoes."""

    def opened(self, connection):
        connection.clock.after_ms(60_000, lambda: connection.write(b"wake up"))

    def received(self, connection, data):
        connection.write(data)


class Lost:
    """What reaches a module whose UART is dead."""

    def __init__(self, rig):
        self.data = b""
        awake = rig.vm.awake
        receive = rig.vm.receive

        def watch(data, baud):
            if not awake():
                self.data += data
            receive(data, baud)

        rig.vm.port.attach(watch)


def sleeper(family, seed=None, dtr=True, **kw):
    """A rig whose module has DTR at a pin, or not."""
    rig = Rig(seed, family=family, **kw)
    rig.dtr = machine.Pin(7, machine.Pin.OUT, value=0)
    if dtr:
        rig.dtr.watch(rig.vm.dtr)
        rig.vm._dtr = rig.dtr
    return rig


def asleep(rig):
    """Whether the module's UART is dead now."""
    if rig.vm.values["CSCLK"] == "1":
        return bool(rig.dtr.value())
    return rig.vm.values["CSCLK"] == "2" and rig.clock.now_us - rig.vm._last_in > 5e6


@pytest.mark.feature("sleep")
@with_dtr
@each_seed
def test_connection_stays_open_while_the_module_sleeps(family, seed):
    rig = sleeper(family, seed)
    s = rig.socket(rig.serve(Late), timeout=120)
    lost = Lost(rig)
    rig.modem.sleep(rig.dtr)
    assert "AT+CSCLK=1" in rig.sent
    rig.pump(1000)  # a line that nobody knew makes the driver look at its settings
    sent = len(rig.sent)
    rig.pump(30_000)
    assert asleep(rig)
    assert len(rig.sent) == sent  # nothing is asked meanwhile
    assert s.read(7) == b"wake up"  # data wakes the module
    rig.pump(5000)
    assert asleep(rig)
    s.write(b"said in its sleep")  # and so does what is sent
    assert s.read(17) == b"said in its sleep"
    rig.pump(5000)
    assert asleep(rig)
    assert rig.modem.status("rssi") is not None
    rig.modem.wake()
    assert rig.vm.values["CSCLK"] == "0" and not rig.dtr.value()
    rig.pump(10_000)
    assert not rig.dtr.value()
    s.write(b"awake")
    assert s.read(5) == b"awake"
    assert lost.data == b""


@pytest.mark.feature("doze")
@without_dtr
@each_seed
def test_module_that_dozes_by_itself(family, seed):
    rig = sleeper(family, seed, dtr=False)
    s = rig.socket(rig.serve(Late), timeout=120)
    lost = Lost(rig)
    rig.modem.sleep()
    assert "AT+CSCLK=2" in rig.sent
    rig.pump(1000)
    sent = len(rig.sent)
    rig.pump(30_000)
    assert asleep(rig) and len(rig.sent) == sent
    assert s.read(7) == b"wake up"
    for gap in (100, 3900, 4500, 4990, 5010, 20_000):
        rig.pump(gap)
        s.write(b"hello")
        assert s.read(5) == b"hello"
    rig.pump(10_000)
    rig.modem.wake()
    assert rig.vm.values["CSCLK"] == "0"
    assert lost.data.strip(b"\r") == b""  # the characters that wake


@pytest.mark.lacks("sleep")
@pytest.mark.lacks("doze")
@pytest.mark.parametrize("family", ("sim7028",))
def test_module_that_cannot_sleep(family):
    rig = sleeper(family)
    refused(rig, rig.modem.sleep)
    refused(rig, rig.modem.sleep, rig.dtr)
    rig.modem.wake()


@pytest.mark.lacks("doze")
@pytest.mark.parametrize("family", ("sim7000", "sim7080"))
def test_module_that_sleeps_by_its_pin_only(family):
    rig = sleeper(family)
    refused(rig, rig.modem.sleep)
    rig.modem.sleep(rig.dtr)
    rig.modem.wake()
    rig.modem.sleep()  # the pin is remembered
    assert rig.sent[-1] == "AT+CSCLK=1"
    assert rig.works()


@with_dtr
def test_level_of_the_pin(family):
    rig = sleeper(family, dtr=False)
    rig.modem.sleep(rig.dtr, level=0)
    assert rig.dtr.value() == 1
    rig.pump(3000)
    assert rig.dtr.value() == 0
    rig.modem.wake()
    assert rig.dtr.value() == 1


@with_dtr
def test_no_call_waits_for_the_module_to_wake(family):
    rig = sleeper(family)
    s = rig.socket(ECHO, timeout=0)
    rig.modem.sleep(rig.dtr)
    rig.pump(10_000)
    start = rig.clock.now_us
    s.write(b"hello")
    assert rig.clock.now_us - start < 10_000
    longest = 0
    got = b""
    for _ in range(2000):
        start = rig.clock.now_us
        got += s.read(5) or b""
        longest = max(longest, rig.clock.now_us - start)
        if len(got) == 5:
            break
        rig.clock.sleep_ms(1)
    assert got == b"hello" and longest < 10_000


@with_dtr
def test_new_connections_and_closes_of_a_sleeping_module(family):
    rig = sleeper(family)
    rig.modem.sleep(rig.dtr)
    rig.pump(10_000)
    assert rig.works()
    rig.pump(10_000)
    s = rig.socket(rig.serve(Sink))
    rig.pump(10_000)
    s.close()
    assert not rig.connection().is_open
    rig.pump(10_000)
    rig.modem.disconnect()
    rig.modem.connect("internet")
    assert rig.works()


@with_dtr
def test_peer_that_closes_is_noticed(family):
    rig = sleeper(family)
    s = rig.socket(rig.serve(Sink), timeout=60)
    rig.modem.sleep(rig.dtr)
    rig.pump(10_000)
    rig.connection().close()
    assert s.read(1) == b""
    s.close()
    assert rig.works()


@with_dtr
def test_restart_of_a_sleeping_module(family):
    rig = sleeper(family, modem_args={"baudrate": 115200})  # SIM7080 says nothing of a restart while it finds the rate
    s = rig.socket(ECHO)
    rig.modem.sleep(rig.dtr)
    rig.pump(10_000)
    rig.vm.restart()
    rig.pump(40_000)
    assert not rig.modem.isconnected()
    with pytest.raises(OSError) as caught:
        s.read(1)
    assert caught.value.args[0] in (errno.ECONNABORTED, errno.ENOTCONN)
    rig.modem.connect("internet")
    assert rig.works()


@with_dtr
def test_lost_report_of_a_connection_costs_seconds(family):
    rig = sleeper(family)
    rig.modem.sleep(rig.dtr)
    rig.vm.link_connected = lambda link: None
    s = rig.socket(timeout=30)
    s.connect(ECHO)
    del rig.vm.link_connected
    s.write(b"x")
    assert s.read(1) == b"x"


@with_dtr
def test_module_that_has_restarted_sleeps_again(family):
    rig = sleeper(family)
    rig.modem.sleep(rig.dtr)
    rig.modem.reset()
    rig.modem.connect("internet")
    rig.pump(5000)
    assert asleep(rig)
    assert rig.works()
    rig.modem.wake()
    rig.modem.reset()
    rig.modem.connect("internet")
    rig.pump(5000)
    assert not asleep(rig)


@pytest.mark.parametrize(
    "family, setting",
    [(family, {"send": "variable"}) for family in FAMILIES[:3]] + [(family, {"prompt": 0}) for family in FAMILIES[:2]],
)
def test_setting_made_meanwhile_outlives_it(family, setting):
    rig = sleeper(family)
    rig.modem.sleep(rig.dtr)
    rig.modem.config(**setting)
    for _ in range(2):
        rig.pump(5000)
        assert asleep(rig)
        assert rig.works()
        rig.modem.wake()
        rig.pump(5000)
        assert not asleep(rig)
        before = len(rig.sent)
        assert rig.works()
        fixed = [line for line in rig.sent[before:] if line.startswith("AT+CIPSEND=") and "," in line]
        assert bool(fixed) == ("prompt" in setting)
        rig.modem.sleep(rig.dtr)


def test_restart_of_a_sleeping_module_that_tells_nothing():
    rig = sleeper("sim7080")
    s = rig.socket(ECHO)
    rig.modem.sleep(rig.dtr)
    rig.pump(10_000)
    rig.vm.restart()  # it has to find the rate anew, and sleeps again: the setting is in its flash
    rig.pump(40_000)
    with pytest.raises(OSError) as caught:
        s.read(1)
    assert caught.value.args[0] in (errno.ECONNABORTED, errno.ENOTCONN, errno.ETIMEDOUT)
    rig.pump(5000)
    assert not rig.modem.isconnected()
    rig.modem.connect("internet")
    assert rig.works()


@with_dtr
def test_idle_links_are_asked_now_and_then(family):
    rig = sleeper(family)
    rig.patience(10_000_000)
    s = rig.socket(rig.serve(Sink))
    rig.modem.sleep(rig.dtr)
    rig.pump(1000)
    sent = len(rig.sent)
    rig.pump(1_900_000)
    assert 2 <= len(rig.sent) - sent <= 8  # a link is asked for its state, then for data
    s.close()


@with_dtr
def test_sleeping_twice_and_waking_twice(family):
    rig = sleeper(family)
    rig.modem.sleep(rig.dtr)
    rig.modem.sleep(rig.dtr)
    rig.pump(5000)
    rig.modem.wake()
    sent = len(rig.sent)
    rig.modem.wake()
    assert len(rig.sent) == sent
    assert rig.works()
    rig.modem.active(False)
