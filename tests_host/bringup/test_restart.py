"""Power by pin and by command, restarts wanted and unwanted, and recovery step by step."""

import errno

from rig import ECHO, Rig  # first: it puts the shim in place
from families import OPEN, START
import machine
import pytest
from sim import Sink
from test_status import cip_family, each_family, each_seed

GONE = (errno.ENOTCONN, errno.ECONNABORTED)
OPENS = {**dict.fromkeys(START, "do_CIPSTART"), **dict.fromkeys(OPEN, "do_CIPOPEN")}  # else AT+CAOPEN


# --- power


@pytest.mark.feature("power_on")
@pytest.mark.feature("power_off")
@each_family
@each_seed
def test_module_that_is_off_is_switched_on_and_off(family, seed):
    rig = Rig(seed, family=family, on=False, powered=False)
    assert rig.modem.active() is False
    rig.modem.active(True)
    presses = [level for _, level in rig.pwrkey.history].count(1)
    assert presses == 1 and rig.pwrkey.value() == 0
    rig.modem.connect("internet")
    assert rig.works()
    rig.modem.active(False)
    assert not rig.modem.active() and not rig.modem.isconnected()
    assert rig.sent[-1] == ("AT+CPOF" if family in OPEN else "AT+CPOWD=1")
    rig.clock.sleep_ms(10_000)
    assert not rig.vm.running
    rig.modem.active(True)
    rig.modem.connect("internet")
    assert rig.works()


@pytest.mark.feature("power_off")
@each_family
@pytest.mark.parametrize("seed", (None, 1, 2))
def test_module_that_refuses_to_go_off_is_switched_off_by_its_key(family, seed):
    rig = Rig(seed, family=family)
    rig.vm.do_CPOWD = rig.vm.do_CPOF = None
    rig.modem.active(False)
    rig.clock.sleep_ms(10_000)
    assert not rig.vm.running and rig.pwrkey.value() == 0


@pytest.mark.feature("rate")
@each_family
@pytest.mark.parametrize("baud", (9600, 57600, 460800))
def test_module_at_another_rate_is_found_and_changed(family, baud):
    rig = Rig(family=family, on=False, baud=baud)
    rig.make(baudrate=230400).active(True)
    assert rig.vm.baud == 230400
    rig.modem.connect("internet")
    assert rig.works()


@pytest.mark.feature("restart")
@each_family
@each_seed
@pytest.mark.parametrize("what", ("read", "nothing"))
def test_restart_in_mid_session_is_noticed(family, seed, what):
    rig = Rig(seed, family=family)
    s = rig.socket(rig.serve(Sink), timeout=60)
    rig.vm.restart()
    if what == "read":
        with pytest.raises(OSError) as caught:
            s.read(1)
        assert caught.value.args[0] in (*GONE, errno.ETIMEDOUT, errno.EIO)  # EIO: its first lines are in a read
        rig.pump(1000)
    else:
        rig.pump(60_000)
    assert not rig.modem.isconnected()
    rig.modem.connect("internet")
    assert rig.works()


@pytest.mark.feature("reset")
@each_family
@each_seed
def test_reset_by_command(family, seed):
    rig = Rig(seed, family=family)
    s = rig.socket(ECHO)
    rig.modem.active(True, init=("+CMEE=1",))
    rig.modem.reset()
    assert ("AT+CFUN=1,1" if family in START else "AT+CRESET" if family in OPEN else "AT+CREBOOT") in rig.sent
    assert rig.modem.active() and not rig.modem.isconnected()
    assert not rig.vm.echo
    with pytest.raises(OSError) as caught:
        s.read(1)
    assert caught.value.args[0] in GONE
    assert [level for _, level in rig.pwrkey.history if level] == []
    rig.modem.connect("internet")
    assert rig.works()


@pytest.mark.feature("reset")
@cip_family  # the others have no RESET pin
@pytest.mark.parametrize("seed", (None, 1, 2))
def test_reset_by_pin(family, seed):
    pin = machine.Pin(5, machine.Pin.OUT, value=0)
    rig = Rig(seed, family=family, reset=None)
    pin = machine.Pin(5, machine.Pin.OUT, value=0)
    pin.watch(lambda level: rig.vm.reset(level == 1))
    rig.vm.silent = True  # deaf for every command
    restart, rig.vm.restart = rig.vm.restart, lambda: (setattr(rig.vm, "silent", False), restart())
    rig.modem.reset(pin=pin)
    assert [level for _, level in pin.history if level] == [1] and pin.value() == 0
    assert rig.modem.active()
    rig.modem.connect("internet")
    assert rig.works()
    rig.modem.reset(hard=True)
    assert [level for _, level in pin.history if level] == [1, 1]


@each_family
def test_reset_without_waiting(family):
    rig = Rig(family=family)
    start = rig.clock.now_us
    rig.modem.reset(timeout_ms=0)
    assert rig.clock.now_us - start < 50_000
    rig.pump(100)
    assert not rig.modem.active()
    rig.pump(40_000)
    assert rig.modem.active()


def test_hard_reset_needs_a_pin():
    rig = Rig()
    sent = len(rig.sent)
    with pytest.raises(ValueError):
        rig.modem.reset(hard=True)
    assert len(rig.sent) == sent and rig.modem.isconnected()


@each_family
def test_reset_of_a_module_that_does_not_come_back(family):
    rig = Rig(family=family, boot_ms=1e9)
    rig.pwrkey.watch(lambda level: None)
    with pytest.raises(OSError) as caught:
        rig.modem.reset()
    assert caught.value.args[0] == errno.ETIMEDOUT
    assert not rig.modem.active()


# --- recovery


@pytest.mark.feature("recover")
@each_family
@each_seed
def test_nothing_is_wrong(family, seed):
    rig = Rig(seed, family=family)
    s = rig.socket(ECHO)
    assert rig.modem.recover() == "probe"
    assert rig.modem.recover(ECHO) == "probe"
    s.write(b"untouched")
    assert s.read(9) == b"untouched"


@pytest.mark.feature("recover")
@each_family
@each_seed
def test_links_that_hold_every_number_are_closed(family, seed):
    rig = Rig(seed, family=family)
    held = [rig.socket(rig.serve(Sink)) for _ in range(rig.modem.LINKS)]
    assert rig.modem.recover(ECHO) == "links"
    for s in held:
        with pytest.raises(OSError) as caught:
            s.read(1)
        assert caught.value.args[0] == errno.ECONNABORTED
    assert rig.modem.isconnected()
    assert rig.works()


@each_family
def test_client_that_nobody_has_accepted_is_closed_with_the_others(family):
    rig = Rig(family=family)
    listener = rig.socket()
    listener.bind(("", 80))
    listener.listen()
    waiting = rig.dial(80)
    rig.pump(500)
    own = family not in OPEN  # the number of the server itself
    for _ in range(rig.modem.LINKS - 1 - own):
        rig.socket(rig.serve(Sink))
    assert rig.modem.recover(ECHO) == "links"
    assert waiting.ended
    assert rig.works()


@pytest.mark.feature("recover")
@each_family
@each_seed
def test_context_that_is_gone_is_raised_again_with_its_account(family, seed):
    rig = Rig(seed, family=family, up=False)
    rig.modem.connect("some.apn", "user", "key")
    rig.vm.pdp_deact()
    assert rig.modem.recover() == "context"
    assert rig.modem.isconnected()
    if family in START:
        assert rig.vm.contexts[0].apn == "some.apn" and rig.vm.contexts[0].user == "user"
    assert rig.works()


@pytest.mark.feature("recover")
@each_family
@each_seed
def test_context_that_only_a_restart_brings_back(family, seed):
    rig = Rig(seed, family=family)
    rig.vm.pdp_deact()
    rig.vm.refuse_contexts = -1
    restart = rig.vm.restart

    def restarted():
        rig.vm.refuse_contexts = 0
        restart()

    rig.vm.restart = restarted
    assert rig.modem.recover(ECHO) == "reset"
    assert rig.works()
    assert [level for _, level in rig.pwrkey.history if level] == []


@pytest.mark.feature("recover")
@each_family
@pytest.mark.parametrize("seed", (None, 1, 2))
def test_silent_module_is_switched_off_and_on(family, seed):
    rig = Rig(seed, family=family)
    rig.vm.silent = True
    boot = rig.vm.boot

    def booted():
        rig.vm.silent = False
        boot()

    rig.vm.boot = booted
    assert rig.modem.recover() == "power"
    assert rig.modem.isconnected()
    assert rig.works()


@pytest.mark.feature("recover")
@each_family
def test_all_that_was_tried_is_told(family):
    rig = Rig(family=family, modem_args={"pwrkey": None})
    rig.vm.silent = True
    with pytest.raises(OSError) as caught:
        rig.modem.recover()
    for name in ("probe", "links", "context", "reset", "power"):
        assert name + ": " in caught.value.args[1]


@each_family
def test_recovery_without_waiting(family):
    rig = Rig(family=family)
    rig.vm.pdp_deact()
    start = rig.clock.now_us
    task = rig.modem.recover(timeout_ms=0)
    assert rig.clock.now_us - start < 50_000
    assert not task.done
    rig.pump(30_000)
    assert task.done and task.result == "context" and task.error is None
    assert rig.works()


@each_family
def test_peer_that_is_not_there_is_not_the_modules_fault(family):
    rig = Rig(family=family)
    with pytest.raises(OSError) as caught:
        rig.modem.recover(("peer.example", 81), timeout_ms=900_000)
    assert "probe: connect" in caught.value.args[1]
    assert rig.modem.isconnected()
    assert rig.works()


@each_family
def test_bad_address_sends_nothing(family):
    rig = Rig(family=family)
    sent = len(rig.sent)
    for address in (("a b", 80), ("peer.example", 0), ("peer.example", "80"), ("peer.example", 65536)):
        with pytest.raises(ValueError):
            rig.modem.recover(address)
    assert len(rig.sent) == sent


# --- what a probe must not overlook


@each_family
@pytest.mark.parametrize("which", range(6))
def test_setting_that_a_flipped_bit_has_lost_is_found(family, which):
    rig = Rig(family=family)
    lost = [
        ("mux", 0),
        ("rxget", 0),
        ("qsend", 0),
        ("send_mode", 1),
        ("config", [10, 0, 0, 1, 0, 0, 500]),
        ("echo", True),
    ][which]
    assert rig.modem.recover() == "probe"
    if not hasattr(rig.vm, lost[0]):
        return
    setattr(rig.vm, *lost)
    assert rig.modem.recover() == ("probe" if lost[0] == "echo" else "context")
    assert getattr(rig.vm, lost[0]) != lost[1]
    assert rig.works()


@each_family
def test_module_that_refuses_links_is_not_well(family):
    rig = Rig(family=family)
    name = OPENS.get(family, "do_CAOPEN")
    answer = getattr(rig.vm, name)
    setattr(rig.vm, name, lambda op, args: -1 if op == "=" else answer(op, args))
    with pytest.raises(OSError):
        rig.socket(ECHO)
    rig.vm.boot_lines = ()
    restart = rig.vm.restart

    def cured():
        setattr(rig.vm, name, answer)
        restart()

    rig.vm.restart = cured
    assert rig.modem.recover() == "reset"
    assert rig.works()
