"""The SIM card: a PIN is given once, a card that the module does not speak of well is no missing one."""

import errno

from families import FAMILIES
import pytest
from rig import Rig

each_family = pytest.mark.parametrize("family", FAMILIES)
each_tries = pytest.mark.parametrize("tries", ("spic", "spic short", "cpinr"))


def locked(family, pin="1234", **choices):
    """A card that wants its PIN, a modem that was given one."""
    return Rig(family=family, up=False, sim="SIM PIN", modem_args={"pin": pin}, choices=choices)


def refused(rig, code, *words):
    """connect() fails with an errno; its message has the words."""
    with pytest.raises(OSError) as caught:
        rig.modem.connect("internet")
    message = str(caught.value)
    assert caught.value.errno == code, message
    for word in words:
        assert word in message, message
    assert "9999" not in message and "1234" not in message
    return message


@each_family
def test_missing_card_that_is_told_in_words(family):
    rig = Rig(family=family, up=False, sim="NOT INSERTED", absent_in_words=True)
    refused(rig, errno.ENODEV, "SIM not inserted: is a SIM card in?")


# The PIN


@each_family
@each_tries
def test_hundred_starts_with_a_wrong_pin_lock_no_card_that_tells_its_tries(family, tries):
    rig = locked(family, "9999", tries=tries)
    for _ in range(100):
        rig.make(pin="9999").active(True)
        refused(rig, errno.EACCES, "sim", "pin=", "at('+CPIN=")
    assert rig.vm.pins == ["9999", "9999"]
    assert rig.vm.pin_tries == 1 and rig.vm.sim == "SIM PIN"
    assert rig.modem.at('+CPIN="1234"') == []
    rig.modem.connect("internet")
    assert rig.works()


@each_family
@pytest.mark.parametrize("seed", range(1, 7))
def test_hundred_starts_and_restarts_with_a_wrong_pin_under_any_reading(family, seed):
    choices = {"tries": ("spic", "spic short", "cpinr")[seed % 3]}
    rig = Rig(seed, family=family, up=False, sim="SIM PIN", modem_args={"pin": "9999"}, choices=choices)
    for start in range(100):
        rig.make(pin="9999").active(True)
        if start % 3 == 0:
            rig.vm.inject("before_info", b"\r\nOK\r\n")
        if start % 5 == 0:
            rig.vm.inject("after_ok", b"\r\nOK\r\n")
        refused(rig, errno.EACCES)
    assert rig.vm.sim == "SIM PIN" and rig.vm.pin_tries >= 1


@each_family
def test_wrong_pin_is_given_once_in_a_program_where_nobody_tells_the_tries(family):
    rig = locked(family, "9999", tries="untold")
    for _ in range(10):
        refused(rig, errno.EACCES, "pin=", "at('+CPIN=")
    assert rig.vm.pins == ["9999"]
    rig.make(pin="9999").active(True)
    refused(rig, errno.EACCES)
    assert rig.vm.pins == ["9999"] * 2


@each_family
@each_tries
def test_last_try_is_left_to_its_owner(family, tries):
    rig = locked(family, tries=tries)
    rig.vm.pin_tries = 1
    refused(rig, errno.EACCES, "1 tries left", "at('+CPIN=")
    assert rig.vm.pins == []


@each_family
@pytest.mark.parametrize("lag", (0, 2500, 6000, 15_000))
def test_right_pin_is_given_once_however_long_the_card_takes(family, lag):
    rig = locked(family, pin_lag_ms=lag)
    rig.modem.connect("internet")
    assert rig.vm.pins == ["1234"]
    assert rig.works()


@each_family
def test_right_pin_whose_card_takes_longer_than_anybody_waits(family):
    rig = locked(family, pin_lag_ms=60_000)
    refused(rig, errno.EACCES, "SIM PIN", "not tried again")
    refused(rig, errno.EACCES, "SIM PIN")
    rig.pump(20_000)
    rig.modem.connect("internet")
    assert rig.vm.pins == ["1234"]
    assert rig.works()


@each_family
def test_right_pin_is_given_again_to_a_card_that_was_without_power(family):
    rig = locked(family)
    rig.modem.connect("internet")
    for times in (2, 3):
        rig.modem.reset()
        assert rig.vm.sim == "SIM PIN"
        rig.modem.connect("internet")
        assert rig.vm.pins == ["1234"] * times
        assert rig.works()


@each_family
@pytest.mark.parametrize("where", ("before_ok", "after_ok"))
def test_stray_ok_sends_no_pin_twice(family, where):
    rig = locked(family, pin_lag_ms=2500)
    for n in range(40):
        rig.clock.after_ms(n * 37, lambda: rig.vm.inject(where, b"\r\nOK\r\n"))
    rig.modem.connect("internet")
    assert rig.vm.pins == ["1234"]
    assert rig.works()


@each_family
def test_answer_to_the_pin_that_is_lost_sends_no_second_one(family):
    rig = locked(family, "9999")
    enter = rig.vm.do_CPIN

    def lost(op, args):
        result = enter(op, args)
        return "none" if op == "=" else result

    rig.vm.do_CPIN = lost
    refused(rig, errno.ETIMEDOUT, "AT+CPIN")
    del rig.vm.do_CPIN
    for _ in range(3):
        refused(rig, errno.EACCES)
    assert rig.vm.pins == ["9999"]


@each_family
@pytest.mark.parametrize("cmee", (1, 2))
def test_puk_is_not_ours_to_give(family, cmee):
    rig = Rig(family=family, up=False, sim="SIM PUK", modem_args={"pin": "1234"})
    rig.vm.cmee = cmee
    refused(rig, errno.EACCES, "PUK", "phone")
    assert rig.vm.pins == []


# What it says of the card


@each_family
@pytest.mark.parametrize("how", ("refused", "busy"))
def test_card_of_a_registered_module_that_speaks_of_none(family, how):
    rig = Rig(family=family, up=False, choices={"cpin": how})
    begin = rig.clock.ms
    rig.modem.connect("internet")
    assert rig.clock.ms - begin < 10_000
    assert rig.works()


@each_family
def test_card_that_is_busy_for_ever_while_the_module_registers_late(family):
    rig = Rig(family=family, up=False, choices={"cpin": "busy"})
    rig.vm.registration = 2
    rig.clock.after_ms(60_000, lambda: setattr(rig.vm, "registration", 5))
    rig.modem.connect("internet")
    assert rig.works()


@each_family
def test_card_that_is_missing_is_named(family):
    rig = Rig(family=family, up=False, sim="NOT INSERTED")
    refused(rig, errno.ENODEV, "is a SIM card in?")


# The function level


@each_family
@pytest.mark.parametrize("level", (0, 4))
@pytest.mark.parametrize("behind", ("before", "behind"))
@pytest.mark.parametrize("code", (10, 13))
def test_module_whose_radio_was_left_off(family, level, behind, code):
    choices = {"cfun_cpin": behind, "card_off": code}
    rig = Rig(family=family, up=False, function=level, choices=choices)
    assert rig.vm.cfun == level
    rig.modem.connect("internet")
    assert rig.sent.count("AT+CFUN=1") == 1
    assert rig.works()


@pytest.mark.feature("function")
@each_family
@pytest.mark.parametrize("level", (0, 4))
def test_radio_is_switched_off_and_on(family, level):
    rig = Rig(family=family)
    s = rig.socket(("echo.example", 7))
    rig.modem.config(function=level)
    assert rig.modem.status("function") == rig.vm.cfun == level
    assert not rig.modem.isconnected()
    with pytest.raises(OSError) as caught:
        s.read(1)
    assert caught.value.errno in (errno.ENOTCONN, errno.ECONNABORTED)
    rig.modem.config(function=1)
    assert rig.modem.status("function") == 1
    rig.modem.config(function=level)
    rig.modem.connect("internet")
    assert rig.modem.status("function") == 1
    assert rig.works()


@each_family
def test_module_without_the_question_for_its_function_level(family):
    rig = Rig(family=family, up=False, unknown=("CFUN",))
    rig.modem.connect("internet")
    assert rig.works()


def test_function_level_of_a_module_that_is_off():
    rig = Rig(on=False)
    with pytest.raises(OSError) as caught:
        rig.modem.config(function=4)
    assert caught.value.errno == errno.ENOTCONN and "active(True)" in str(caught.value)
    assert rig.sent == []
