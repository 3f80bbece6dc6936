"""Waiting for registration, calling connect() and active() again, the class that does not fit, optional settings."""

import errno

from families import CIP, FAMILIES, OPEN
import pytest
from rig import Rig
from test_bringup import press

import simcom
from simcom import socket

each_family = pytest.mark.parametrize("family", FAMILIES)
each_cip = pytest.mark.parametrize("family", CIP)


def refused(rig, code, *words, timeout_ms=180_000, apn="internet"):
    """connect() fails with an errno; its message has the words. Returns the ms that it took."""
    begin = rig.clock.ms
    with pytest.raises(OSError) as caught:
        rig.modem.connect(apn, timeout_ms=timeout_ms)
    message = str(caught.value)
    assert caught.value.errno == code, message
    for word in words:
        assert word in message, message
    return rig.clock.ms - begin


# Registration


@each_family
@pytest.mark.parametrize("state", (6, 7, 8, 11))
def test_registered_for_sms_or_emergency_only_is_said_after_half_a_minute(family, state):
    rig = Rig(family=family, up=False)
    rig.vm.registration = state
    took = refused(rig, errno.EACCES, "registered for SMS/emergency only: check plan and APN", str(state))
    assert 30_000 <= took < 33_000


@each_family
def test_context_that_the_network_refuses_twice(family):
    rig = Rig(family=family, up=False, refuse_contexts=2)
    rig.modem.connect("internet")
    assert rig.works() and not rig.vm.refuse_contexts


@each_family
def test_context_that_is_refused_for_ever_is_told_soon(family):
    rig = Rig(family=family, up=False, refuse_contexts=-1)
    begin = rig.clock.ms
    with pytest.raises(OSError) as caught:
        rig.modem.connect("internet")
    assert "context" in str(caught.value) and "check APN" in str(caught.value)
    assert rig.clock.ms - begin < 60_000


@each_family
@pytest.mark.parametrize("state", (6, 7, 8, 11))
def test_limited_service_that_is_interrupted_may_end_well(family, state):
    rig = Rig(family=family, up=False)
    rig.vm.registration = state
    for ms, then in ((20_000, 2), (25_000, state), (50_000, 5)):
        rig.clock.after_ms(ms, lambda then=then: setattr(rig.vm, "registration", then))
    rig.modem.connect("internet")
    assert rig.works()


@each_family
def test_limited_service_at_the_end_of_a_short_time_is_named(family):
    rig = Rig(family=family, up=False)
    rig.vm.registration = 11
    took = refused(rig, errno.EACCES, "SMS/emergency only", timeout_ms=10_000)
    assert took <= 10_100


@each_family
def test_denied_for_half_a_minute_may_end_well(family):
    rig = Rig(family=family, up=False)
    rig.vm.registration = 3
    rig.clock.after_ms(45_000, lambda: setattr(rig.vm, "registration", 5))
    rig.modem.connect("internet")
    assert rig.works()


@each_family
def test_denied_is_the_reason_only_when_it_was_the_last_word(family):
    rig = Rig(family=family, up=False)
    rig.vm.registration = 3
    refused(rig, errno.EACCES, "denied", timeout_ms=60_000)
    rig.clock.after_ms(30_000, lambda: setattr(rig.vm, "registration", 2))
    refused(rig, errno.ETIMEDOUT, "no network (registration 2", timeout_ms=60_000)


@each_family
@pytest.mark.parametrize("state", (9, 10))
def test_registered_with_a_preference_for_calls(family, state):
    rig = Rig(family=family, up=False)
    for name in ("CREG", "CGREG", "CEREG"):

        def told(op, args, name=name):
            rig.vm.info("+%s: 0,%d" % (name, state))
            return "OK"

        setattr(rig.vm, "do_" + name, told)
    rig.modem.connect("internet")
    assert rig.works()


@each_family
@pytest.mark.parametrize("timeout_ms", (1000, 5000, 20_000))
def test_time_that_connect_is_given_holds(family, timeout_ms):
    rig = Rig(family=family, up=False)
    rig.vm.registration = 2
    took = refused(rig, errno.ETIMEDOUT, "registration", "antenna", timeout_ms=timeout_ms)
    assert timeout_ms - 200 <= took <= timeout_ms + 100


@each_family
@pytest.mark.parametrize("at", ("AT+CFUN?", "AT+CPIN?", "AT+CGATT?", "AT+NETOPEN", "AT+CIICR", "AT+CEREG?", "AT+CREG?"))
def test_time_that_connect_is_given_holds_in_silence(family, at):
    rig = Rig(family=family, up=False)
    execute = rig.vm.execute
    rig.vm.execute = lambda line: None if line.decode() == at else execute(line)
    begin = rig.clock.ms
    try:
        rig.modem.connect("internet", timeout_ms=4000)
    except OSError as e:
        assert e.errno == errno.ETIMEDOUT
    assert rig.clock.ms - begin <= 4100


# The class


RIGHT = {
    "sim800": "SIM800: use simcom.SIM800",
    "sim7000": "SIM7000G: use simcom.SIM7000",
    "sim7028": "SIM7028: use simcom.SIM7028",
    "a76xx": "A7670E: use simcom.A76XX",
}


@each_cip
@pytest.mark.parametrize("other", FAMILIES)
def test_class_that_does_not_fit_is_named_with_the_right_one(family, other):
    if (family in OPEN) == (other in OPEN):
        return
    rig = Rig(family=family, on=False)
    rig.modem = getattr(simcom, other.upper())(rig.uart)
    rig.modem.active(True)
    with pytest.raises(OSError) as caught:
        rig.modem.connect("internet", timeout_ms=30_000)
    message = str(caught.value)
    assert "this is a%s %s" % ("n" if family == "a76xx" else "", RIGHT[family]) in message
    assert "APN" not in message
    assert caught.value.errno == errno.ENODEV


@each_cip
def test_class_that_fits_blames_the_apn(family):
    rig = Rig(family=family, up=False)
    rig.vm.bringup = "error"
    with pytest.raises(OSError) as caught:
        rig.modem.connect("internet")
    assert "APN" in str(caught.value) and "use simcom" not in str(caught.value)


# connect() again


@each_cip
def test_same_connect_while_one_is_under_way_joins_it(family):
    rig = Rig(family=family, up=False, register_ms=3000)
    rig.vm._search_since = rig.clock.now_us
    rig.modem.connect("internet", "", "", timeout_ms=0)
    rig.pump(200)
    rig.modem.connect("internet")
    assert rig.modem.isconnected()
    assert sum(line in ("AT+CIICR", "AT+NETOPEN") for line in rig.sent) == 1
    before = len(rig.sent)
    rig.modem.connect("internet")
    rig.modem.connect()
    assert len(rig.sent) == before


@each_family
def test_same_connect_shares_the_failure_of_the_one_under_way(family):
    rig = Rig(family=family, up=False, sim="SIM PUK")
    rig.modem.connect("internet", timeout_ms=0)
    refused(rig, errno.EACCES, "PUK")


@each_family
def test_joining_waits_no_longer_than_it_was_given(family):
    rig = Rig(family=family, up=False)
    rig.vm.registration = 2
    rig.modem.connect("internet", timeout_ms=0)
    assert refused(rig, errno.ETIMEDOUT, "registration", timeout_ms=3000) <= 3100
    rig.vm.registration = 1
    rig.modem.connect("internet")
    assert rig.works()


@each_cip
@pytest.mark.parametrize("other", (("other",), ("internet", "me"), ("internet", "", "key")), ids=str)
@pytest.mark.parametrize("state", ("up", "under way"))
def test_other_connect_meanwhile_says_what_to_do(family, other, state):
    rig = Rig(family=family, up=False)
    rig.vm.registration = 1 if state == "up" else 2
    rig.modem.connect("internet", timeout_ms=0 if state == "under way" else 60_000)
    rig.pump(500)
    with pytest.raises(OSError) as caught:
        rig.modem.connect(*other)
    assert caught.value.errno == errno.EALREADY and "disconnect()" in str(caught.value)
    rig.vm.registration = 1
    rig.modem.disconnect()
    rig.modem.connect(*other)
    assert rig.works()
    if family in OPEN:
        assert rig.vm.definitions[1][1] == other[0]
    else:
        assert rig.vm.contexts[0].apn == other[0]


@each_family
def test_disconnect_ends_a_connect_under_way(family):
    rig = Rig(family=family, up=False)
    rig.vm.registration = 2
    rig.modem.connect("internet", timeout_ms=0)
    rig.pump(2000)
    rig.modem.disconnect()
    del rig.vm.commands[:]
    rig.vm.registration = 1
    rig.pump(30_000)
    assert rig.sent == [] and not rig.modem.isconnected()
    assert rig.modem.status() == "idle"


@each_family
def test_switching_off_ends_a_connect_under_way(family):
    rig = Rig(family=family, up=False)
    rig.vm.registration = 2
    rig.modem.connect("internet", timeout_ms=0)
    rig.pump(2000)
    rig.modem.active(False)
    rig.pump(30_000)
    assert not rig.vm.running and press(rig) == []
    assert rig.modem.status() == "off"


# active() again


@each_family
def test_empty_init_clears_one_that_is_refused(family):
    rig = Rig(family=family, on=False)
    with pytest.raises(simcom.ATError):
        rig.modem.active(True, init=("+NONSENSE=1",))
    with pytest.raises(simcom.ATError):
        rig.modem.connect("internet")
    assert rig.modem.active(True, init=()) is True
    rig.modem.connect("internet")
    assert rig.works()
    rig.modem.active(True, init=("+CMGF=1",))
    rig.modem.active(True, init=())
    del rig.vm.commands[:]
    rig.vm.restart()
    rig.pump(20_000)
    assert "AT+CMGF=1" not in rig.sent and rig.modem.active()


@each_family
@pytest.mark.parametrize("wait_ms", (0, 500, 1500))
def test_off_and_on_at_once_waits_for_the_power_down(family, wait_ms):
    rig = Rig(family=family)
    begin = rig.clock.ms
    rig.modem.active(False)
    rig.pump(wait_ms)
    rig.modem.active(True)
    assert len(press(rig)) == 1
    assert rig.clock.ms - begin < rig.vm.off_ms + rig.vm.boot_ms + 4500
    rig.modem.connect("internet")
    assert rig.works()


@each_family
def test_module_that_takes_seven_seconds_to_go_off_comes_on_all_the_same(family):
    rig = Rig(family=family, off_ms=6900)
    rig.modem.active(False)
    assert rig.modem.active(True) is True
    rig.modem.connect("internet")
    assert rig.works()


# Optional settings

KEEPALIVE = {"sim800": "CIPTKA", "sim7000": "CIPTKA", "sim7028": "CTCPKA", "a76xx": "CTCPKA"}


def keep_alive(s, value):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, value)


@each_cip
@pytest.mark.parametrize("blocking", (True, False))
def test_keep_alive_that_the_module_does_not_know_harms_no_later_connect(family, blocking):
    name = KEEPALIVE[family]
    rig = Rig(family=family, unknown=(name,))
    s = rig.modem.socket()
    s.setblocking(blocking)
    if blocking:
        with pytest.raises(simcom.ATError) as caught:
            keep_alive(s, 1)
        assert name in str(caught.value)
    else:
        keep_alive(s, 1)
        rig.pump(500)
    assert [text.split("=")[0] for text in rig.modem.status("refused")] == ["AT+" + name]
    keep_alive(s, 0)
    rig.modem.disconnect()
    del rig.vm.commands[:]
    rig.modem.connect("internet")
    assert not [line for line in rig.sent if name in line], "kept only if taken"
    assert rig.works()


@each_cip
def test_keep_alive_wanted_before_the_context_is_up_is_noted_when_it_is_refused(family):
    name = KEEPALIVE[family]
    rig = Rig(family=family, up=False, unknown=(name,))
    keep_alive(rig.modem.socket(), 1)
    for _ in range(2):
        rig.modem.connect("internet")
        assert rig.works()
        assert [text.split("=")[0] for text in rig.modem.status("refused")] == ["AT+" + name]
        rig.modem.disconnect()
    rig.vm.unknown = ()
    rig.modem.connect("internet")
    assert rig.modem.status("refused") == []
    assert any(line.startswith("AT+%s=1" % name) for line in rig.sent)


@each_cip
def test_keep_alive_is_taken_back(family):
    name = KEEPALIVE[family]
    rig = Rig(family=family)
    s = rig.modem.socket()
    keep_alive(s, 1)
    rig.modem.disconnect()
    del rig.vm.commands[:]
    rig.modem.connect("internet")
    assert [line for line in rig.sent if line.startswith("AT+%s=1" % name)]
    keep_alive(s, 0)
    assert rig.sent[-1].startswith("AT+%s=0" % name)
    rig.modem.disconnect()
    del rig.vm.commands[:]
    rig.modem.connect("internet")
    assert not [line for line in rig.sent if name in line]


@each_family
@pytest.mark.parametrize("when", ("up", "on", "off"))
def test_name_servers_that_the_module_does_not_know_harm_no_later_connect(family, when):
    rig = Rig(family=family, on=when != "off", up=when == "up", unknown=("CDNSCFG",))
    if when == "on":
        with pytest.raises(simcom.ATError):
            rig.modem.config(dns="9.9.9.9")
        rig.modem.connect("internet")
        assert sum("CDNSCFG" in line for line in rig.sent) == 2, "with quotes, without; not kept"
    else:
        rig.modem.config(dns="9.9.9.9")
        if when == "up":
            rig.modem.disconnect()
        rig.modem.connect("internet")
        assert [text.split("=")[0] for text in rig.modem.status("refused")] == ["AT+CDNSCFG"]
    assert rig.works()
    rig.modem.config(dns=None)
    rig.modem.disconnect()
    del rig.vm.commands[:]
    rig.modem.connect("internet")
    assert not [line for line in rig.sent if "CDNSCFG" in line]


@each_family
def test_name_servers_are_taken_back(family):
    rig = Rig(family=family)
    rig.modem.config(dns="9.9.9.9")
    rig.modem.config(dns=None)
    rig.modem.disconnect()
    del rig.vm.commands[:]
    rig.modem.connect("internet")
    assert not [line for line in rig.sent if "CDNSCFG" in line]


@pytest.mark.parametrize("family", OPEN)
def test_time_outs_that_the_module_does_not_know(family):
    rig = Rig(family=family, up=False, unknown=("CIPTIMEOUT",))
    with pytest.raises(simcom.ATError):
        rig.modem.config(timeouts=(30000, 30000, 30000))
    rig.modem.connect("internet")
    assert sum("CIPTIMEOUT=" in line for line in rig.sent) == 1
    rig.vm.unknown = ()
    rig.modem.config(timeouts=(30000, 30000, 30000))
    rig.vm.unknown = ("CIPTIMEOUT",)  # another firmware
    rig.modem.disconnect()
    rig.modem.connect("internet")
    assert [text.split("=")[0] for text in rig.modem.status("refused")] == ["AT+CIPTIMEOUT"]
    assert rig.works()


# What a program set by itself


@pytest.mark.parametrize("family", OPEN)
def test_fields_of_the_stack_that_are_not_ours_stay(family):
    rig = Rig(family=family, on=False)
    rig.modem.active(True, init=("+CIPCCFG=3,250,0,1,0,0,2000",))
    rig.modem.connect("internet")
    assert rig.vm.config == [3, 250, 0, 0, 1, 0, 2000]
    rig.modem.config(retries=7)
    assert rig.vm.config == [7, 250, 0, 0, 1, 0, 2000]
    rig.modem.at("+CIPCCFG=7,100,0,0,1,0,900")
    rig.modem.disconnect()
    rig.modem.connect("internet")
    assert rig.vm.config == [7, 100, 0, 0, 1, 0, 900]
    rig.modem.config(retries=None)
    rig.modem.at("+CIPCCFG=2")
    rig.modem.disconnect()
    rig.modem.connect("internet")
    assert rig.vm.config == [2, 100, 0, 0, 1, 0, 900]
    assert rig.works()


@pytest.mark.parametrize("family", OPEN)
def test_module_that_does_not_tell_its_configuration_gets_ours(family):
    rig = Rig(family=family, up=False)
    do = rig.vm.do_CIPCCFG
    rig.vm.do_CIPCCFG = lambda op, args: -1 if op == "?" else do(op, args)
    rig.modem.config(retries=4)
    rig.modem.connect("internet")
    assert rig.vm.config[3:5] == [0, 1] and rig.vm.config[0] == 4
    assert rig.works()
