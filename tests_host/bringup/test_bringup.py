"""Switching the module on and off, finding it in any condition, raising the context; what is said when it fails."""

import errno

import pytest
from rig import ECHO, Rig

import simcom


def press(rig):
    """How long the key was held each time, in ms."""
    held, since = [], None
    for ms, level in rig.pwrkey.history:
        if level and since is None:
            since = ms
        elif not level and since is not None:
            held.append(ms - since)
            since = None
    assert since is None, "the key is still held"
    return held


def off(**kw):
    return Rig(powered=False, on=False, **kw)


def running(**kw):
    return Rig(on=False, **kw)


def position(sent, command):
    return [line.split("=")[0] for line in sent].index(command)


# Power


def test_module_that_is_off_is_switched_on_by_one_press():
    rig = off()
    assert rig.modem.active() is False
    assert rig.modem.active(True) is True
    held = press(rig)
    assert len(held) == 1 and 1000 <= held[0] < 1200  # a longer press switches some modules off again
    assert rig.modem.active() is True
    rig.modem.connect("internet")
    assert rig.works()


def test_key_level_for_a_bare_module():
    rig = off(pwrkey_level=0)
    rig.pwrkey.value(1)
    rig.pwrkey.history.clear()
    rig.make(pressed=0)
    rig.modem.active(True)
    levels = [level for _, level in rig.pwrkey.history if level is not None]
    assert levels[-2:] == [0, 1]
    assert rig.vm.running


def test_running_module_is_adopted_without_a_press():
    rig = running()
    assert rig.modem.active(True) is True
    assert press(rig) == []
    assert rig.vm.running


def test_active_twice_does_nothing_more():
    rig = Rig(up=False)
    before = list(rig.sent)
    assert rig.modem.active(True) is True
    assert rig.sent == before


def test_module_without_a_power_key_that_boots_late():
    rig = running(powered=False)
    rig.make(pwrkey=None)
    rig.vm.boot()
    assert rig.modem.active(True) is True
    rig.modem.connect("internet")
    assert rig.works()


def test_nothing_there():
    rig = off()
    rig.make(pwrkey=None)
    with pytest.raises(OSError) as raised:
        rig.modem.active(True)
    assert raised.value.errno == errno.ETIMEDOUT
    for word in ("AT", "supply", "pwrkey"):
        assert word in str(raised.value)
    assert rig.modem.active() is False


def test_module_that_does_not_react_to_the_key():
    rig = off(on_press_ms=1 << 30)
    with pytest.raises(OSError) as raised:
        rig.modem.active(True)
    assert raised.value.errno == errno.ETIMEDOUT
    assert rig.modem.active() is False
    assert rig.pwrkey.value() == 0


def test_active_with_too_little_time():
    rig = off()
    with pytest.raises(OSError) as raised:
        rig.modem.active(True, timeout_ms=2500)
    assert raised.value.errno == errno.ETIMEDOUT
    assert rig.pwrkey.value() == 0, "the key is released although the time ran out"
    rig.pump(6000)
    assert rig.modem.active(True) is True
    rig.modem.connect("internet")
    assert rig.works()


def test_time_out_while_the_key_is_held_releases_it():
    rig = off()
    for _ in range(60_000 // 100):  # to the moment of the press
        rig.modem.active(True, timeout_ms=0)
        rig.pump(100)
        if rig.pwrkey.value():
            break
    assert rig.pwrkey.value() == 1
    rig.pump(1500)
    assert rig.pwrkey.value() == 0
    assert len(press(rig)) == 1


def test_active_without_waiting_is_done_by_the_pump():
    rig = off()
    begin = rig.clock.ms
    assert rig.modem.active(True, timeout_ms=0) is False
    assert rig.clock.ms - begin < 50
    for _ in range(1000):
        if rig.modem.active():
            break
        rig.pump(50)
    assert rig.modem.active() is True
    assert len(press(rig)) == 1


def test_switching_off():
    rig = Rig()
    s = rig.socket(ECHO)
    assert rig.modem.active(False) is False
    assert rig.modem.isconnected() is False
    assert rig.modem.status() == "off"
    with pytest.raises(OSError) as raised:
        s.read(1)
    assert raised.value.errno in (errno.ENOTCONN, errno.ECONNABORTED)
    rig.pump(5000)
    assert not rig.vm.running
    assert rig.modem.active() is False


def test_switching_off_and_on_again():
    rig = Rig()
    rig.modem.active(False)
    rig.pump(4000)
    assert rig.modem.active(True) is True
    assert len(press(rig)) == 1
    rig.modem.connect("internet")
    assert rig.works()


def test_module_that_we_switched_off_is_not_asked_for_long():
    rig = Rig(up=False)
    rig.modem.active(False)
    rig.pump(3000)
    rig.pwrkey.history.clear()
    begin = rig.clock.ms
    rig.modem.active(True)
    (pressed, _), _ = rig.pwrkey.history
    assert pressed - begin < 1500
    rig.modem.connect("internet")
    assert rig.works()


def test_module_that_somebody_else_switched_on_meanwhile_is_found():
    rig = Rig(up=False)
    rig.modem.active(False)
    rig.pump(3000)
    rig.vm.boot()
    rig.pump(10_000)
    before = len(press(rig))
    rig.modem.active(True)
    assert len(press(rig)) == before
    rig.modem.connect("internet")
    assert rig.works()


def test_off_sends_what_is_owed_first():
    from sim import Sink

    rig = Rig()
    s = rig.socket(rig.serve(Sink))
    s.setblocking(False)
    s.write(b"last words")
    rig.modem.active(False)
    assert bytes(rig.connection().received) == b"last words"


def test_module_that_refuses_to_go_off_by_command_is_switched_off_by_its_key():
    rig = Rig()
    rig.vm.do_CPOWD = lambda op, args: -1
    rig.modem.active(False)
    assert len(press(rig)) == 1 and press(rig)[0] >= 1200
    assert not rig.vm.running


# In what condition the module is found


@pytest.mark.parametrize("baud", [9600, 19200, 38400, 57600, 230400, 460800, 921600])
def test_module_at_another_baud_rate(baud):
    rig = running(baud=baud)
    rig.modem.active(True)
    rig.modem.connect("internet")
    assert rig.works()
    assert press(rig) == []
    assert rig.uart.baudrate == baud


@pytest.mark.parametrize("at_first", [115200, 9600])
def test_baud_rate_is_changed_on_both_sides(at_first):
    rig = running(baud=at_first, modem_args={"baudrate": 460800})
    rig.modem.active(True)
    rig.modem.connect("internet")
    assert rig.vm.baud == rig.uart.baudrate == 460800
    assert rig.works()


def test_module_that_finds_the_rate_itself():
    rig = running()
    rig.vm.autobaud, rig.vm.baud = True, 9600
    rig.modem.active(True)
    rig.modem.connect("internet")
    assert rig.works()


def test_echo_is_switched_off():
    rig = running()
    assert rig.vm.echo
    rig.modem.active(True)
    assert not rig.vm.echo
    assert "ATE0" in rig.sent


def test_ate0_that_is_lost_is_repeated():
    rig = running()
    lost = []
    do_E = rig.vm.do_E

    def first_is_lost(op, args):
        if not lost:
            lost.append(1)
            return "OK"
        return do_E(op, args)

    rig.vm.do_E = first_is_lost
    rig.modem.active(True)
    rig.modem.connect("internet")
    assert not rig.vm.echo
    assert rig.works()


@pytest.mark.parametrize("echo", [True, False])
def test_echo_that_stays_on_does_no_harm(echo):
    rig = running()
    rig.vm.do_E = lambda op, args: "OK"
    rig.vm.echo = echo
    rig.modem.active(True)
    rig.modem.connect("internet")
    assert rig.vm.echo is echo
    assert rig.works(b"AT+CIPSEND\r\nOK\r\n")


def test_echo_that_comes_back_is_switched_off():
    rig = Rig()
    rig.vm.echo = True
    assert rig.works()
    rig.pump(15_000)
    rig.works()
    rig.pump(3000)
    assert not rig.vm.echo


@pytest.mark.parametrize("late_ms", [50, 250, 600, 1500])
def test_slow_module_with_late_answers(late_ms):
    rig = running(think_ms=late_ms)
    rig.modem.active(True)
    rig.modem.connect("internet")
    assert rig.works()
    assert press(rig) == []


def test_late_ok_is_not_taken_for_the_next_commands():
    # A module that has just booted answers the first AT when three have been sent.
    rig = running()
    rig.vm.think_ms = 800
    rig.clock.after_ms(2600, lambda: setattr(rig.vm, "think_ms", 2))
    rig.modem.active(True)
    rig.modem.connect("internet")
    assert rig.modem.ifconfig()[0] == rig.net.local_addresses[0]
    assert rig.modem.config("model") == "SIMCOM_SIM7000G"
    assert rig.works()


BOOT = ("RDY", "+CFUN: 1", "+CPIN: READY", "SMS Ready", "Call Ready", '*PSUTTZ: 24/05/17,10:11:12","+08",0', "DST: 0")
ORDERS = (
    (),
    BOOT,
    BOOT[::-1],
    BOOT[1::2],
    BOOT[::2],
    ("SMS Ready", "RDY"),
    ("+CPIN: NOT INSERTED", "RDY", "RDY"),
)


@pytest.mark.parametrize("step", [1, 130, 900])
@pytest.mark.parametrize("order", ORDERS, ids=range(len(ORDERS)))
def test_boot_messages_in_any_order(order, step):
    rig = off(boot_lines=tuple((i * step, text) for i, text in enumerate(order)), choices={"boot_noise": b"\0\xff\xff"})
    rig.modem.active(True)
    rig.modem.connect("internet")
    rig.pump(10_000)  # whatever still comes
    if not rig.modem.isconnected():  # a boot line after that was taken for a restart
        rig.modem.connect("internet")
    assert rig.works()
    assert len(press(rig)) == 1


@pytest.mark.parametrize("noise", [b"\0IIII\xff\xff", b"\xff" * 40, b"\r\r\n\n\r\n", b"OK\r\n", b"> ", bytes(256)])
def test_garbage_before_the_boot_lines(noise):
    rig = off(choices={"boot_noise": noise})
    rig.modem.active(True)
    rig.modem.connect("internet")
    assert rig.works()


def test_stale_links_of_an_earlier_life_are_closed():
    rig = Rig()
    sockets = [rig.socket(ECHO) for _ in range(8)]
    rig.make()  # the microcontroller has started again
    rig.modem.active(True)
    rig.modem.connect("internet")
    assert press(rig) == []
    again = [rig.socket(ECHO) for _ in range(8)]
    for s in again:
        s.write(b"x")
        assert s.read(1) == b"x"
    assert len(sockets) == 8


@pytest.mark.parametrize("quiet_ms", [0, 500, 5000])
def test_module_left_in_data_mode(quiet_ms):
    rig = running()
    got = bytearray()
    rig.vm.echo = False
    rig.vm.enter_data(got.extend, lambda: rig.vm.result("OK", 0))
    rig.clock.sleep_ms(quiet_ms)
    rig.modem.active(True)
    rig.modem.connect("internet")
    assert press(rig) == []
    assert rig.works()


@pytest.mark.parametrize("left", [1, 2, 3, 50, 100, 1023, 1024, 1459, 1460])
def test_module_left_inside_a_fixed_length_payload(left):
    rig = Rig()
    rig.socket(ECHO)
    rig.uart.write(b"AT+CIPSEND=0,1460\r")
    rig.clock.sleep_ms(20)
    for _ in range(left, 1460):
        rig.uart.write(b"x")
        rig.clock.sleep_ms(1)
    assert rig.uart.read().endswith(b"> ")
    rig.make()  # and here the microcontroller has started again
    rig.modem.active(True)
    rig.modem.connect("internet")
    assert press(rig) == []
    assert rig.works()


def test_half_a_command_on_the_line():
    rig = running()
    rig.uart.write(b'AT+CSTT="a')
    rig.modem.active(True)
    rig.modem.connect("internet")
    assert rig.works()


# init


def test_init_is_sent_at_start_and_after_every_restart():
    rig = running()
    rig.modem.active(True, init=("+CNMP=38", "+CMNB=1"))
    assert rig.sent.count("AT+CNMP=38") == rig.sent.count("AT+CMNB=1") == 1
    rig.modem.connect("internet")
    assert position(rig.sent, "AT+CNMP") < position(rig.sent, "AT+CEREG?")
    assert rig.vm.values["CNMP"] == "38"
    for times in (2, 3):
        rig.vm.restart()
        rig.pump(15_000)
        assert rig.vm.values["CNMP"] == "38"
        assert rig.sent.count("AT+CMNB=1") == times
        rig.modem.connect("internet")
        assert rig.works()


def test_init_is_sent_after_a_restart_when_an_answer_before_it_is_lost():
    rig = running()
    rig.modem.active(True, init=("+CNMP=38",))
    rig.vm.restart()
    while rig.sent.count("AT+CNMI=2,1") < 2:
        rig.pump(1)
    rig.vm.silent = True  # its answer is lost
    rig.pump(5500)
    rig.vm.silent = False
    rig.pump(30_000)
    assert rig.sent.count("AT+CNMP=38") >= 2
    assert rig.vm.values["CNMP"] == "38" and not rig.modem.doubt


def refusing(rig, name):
    """The module refuses a command from now on; how often it did."""
    times = []

    def refuse(op, args):
        times.append(rig.clock.ms)
        return -1

    setattr(rig.vm, "do_" + name, refuse)
    return times


def test_init_that_is_refused_after_a_restart_is_tried_seldom_and_taken_in_the_end():
    rig = running()
    rig.modem.active(True, init=("+CNMP=38",))
    times = refusing(rig, "CNMP")
    rig.vm.restart()
    rig.pump(100_000)
    assert 4 < len(times) < 12
    assert times[1] - times[0] < 5000  # a SIM that is not ready yet
    del rig.vm.do_CNMP
    rig.pump(70_000)
    assert rig.vm.values["CNMP"] == "38"
    before = len(rig.sent)
    rig.pump(70_000)
    assert len(rig.sent) == before
    rig.vm.restart()
    rig.pump(15_000)
    assert rig.vm.values["CNMP"] == "38"


def test_init_that_is_refused_in_mid_session_costs_no_connection():
    rig = running()
    rig.modem.active(True, init=("+CNMP=38",))
    rig.modem.connect("internet")
    s = rig.socket(ECHO)
    times = refusing(rig, "CNMP")
    rig.vm.echo = True  # has it restarted? no
    rig.modem.at("+CSQ")
    rig.pump(60_000)
    assert times
    s.write(b"hello")
    assert s.read(5) == b"hello"
    assert rig.modem.isconnected()


def test_init_that_takes_long():
    rig = running()
    execute = rig.vm.execute
    rig.vm.execute = lambda line: rig.vm.later(15_000 if b"CNMP" in line else 1, lambda: execute(line))
    rig.modem.active(True, init=("+CNMP=38",))
    assert rig.sent.count("AT+CNMP=38") == 1
    assert rig.vm.values["CNMP"] == "38"


def test_init_of_a_second_call_is_sent_at_once():
    rig = Rig(up=False)
    rig.modem.active(True, init=("+CNMP=13",))
    assert rig.vm.values["CNMP"] == "13"


def test_refused_init_command_names_itself():
    rig = running()
    with pytest.raises(simcom.ATError) as raised:
        rig.modem.active(True, init=("+CNMP=38", "+NONSENSE=1"))
    assert raised.value.cmd == "AT+NONSENSE=1"
    assert "ERROR" in raised.value.line
    assert "AT+NONSENSE=1" in str(raised.value)


# connect


def test_connect_switches_on_first():
    rig = off()
    rig.modem.connect("internet")
    assert rig.modem.active() and rig.modem.isconnected()
    assert rig.modem.status() == "up"
    assert rig.works()


def test_connect_waits_for_registration():
    rig = off(register_ms=20_000, sim_busy_ms=2000)
    rig.modem.connect("internet")
    assert rig.works()


def test_connect_tells_apn_user_and_password_to_the_module():
    rig = Rig(up=False)
    rig.modem.connect("internet")
    assert (rig.vm.contexts[0].apn, rig.vm.contexts[0].user, rig.vm.contexts[0].password) == ("internet", "", "")
    rig.modem.disconnect()
    rig.modem.connect("other", "me", "secret")
    assert (rig.vm.contexts[0].apn, rig.vm.contexts[0].user, rig.vm.contexts[0].password) == ("other", "me", "secret")


def test_connect_twice_does_nothing_more():
    rig = Rig()
    before = list(rig.sent)
    rig.modem.connect("internet")
    assert rig.sent == before


@pytest.mark.parametrize("seed", range(1, 9))
def test_connect_under_any_reading_of_the_documents(seed):
    rig = off(seed=seed)
    rig.modem.connect("internet")
    assert rig.modem.ifconfig()[0] == "10.78.245.128"
    assert rig.works()


@pytest.mark.parametrize("state", [1, 5])
@pytest.mark.parametrize("cereg", [True, False])
def test_registration_at_home_and_roaming_by_either_command(state, cereg):
    rig = Rig(up=False)
    rig.vm.registration = state
    if not cereg:
        rig.vm.do_CEREG = lambda op, args: -1
    rig.modem.connect("internet")
    assert rig.modem.status("registration") == state
    assert rig.works()


def test_denied_by_one_network_while_another_is_searched():
    rig = Rig(up=False)
    states = {"CEREG": 2, "CGREG": 3}
    for name in states:

        def do(op, args, name=name):
            rig.vm.info("+%s: 0,%d" % (name, states[name]))
            return "OK"

        setattr(rig.vm, "do_" + name, do)
    rig.clock.after_ms(30_000, lambda: states.update(CEREG=5))
    rig.modem.connect("internet")
    assert rig.works()


def test_creg_denied_does_not_matter_while_data_works():
    rig = Rig(up=False)

    def do_CREG(op, args):
        rig.vm.info("+CREG: 0,3")
        return "OK"

    rig.vm.do_CREG = do_CREG
    rig.modem.connect("internet")
    assert rig.works()


def test_module_that_is_not_attached_is_attached():
    rig = Rig(up=False)
    rig.vm.attached_by_host = False
    rig.modem.connect("internet")
    assert "AT+CGATT=1" in rig.sent
    assert rig.works()


def refused(rig, code, *words, timeout_ms=180_000):
    """connect() fails with an errno; its message has the words."""
    with pytest.raises(OSError) as raised:
        rig.modem.connect("internet", timeout_ms=timeout_ms)
    message = str(raised.value)
    assert raised.value.errno == code, message
    for word in words:
        assert word in message, (word, message)
    assert not rig.modem.isconnected()
    return message


@pytest.mark.parametrize("cmee", [0, 1, 2])
def test_no_sim(cmee):
    rig = Rig(up=False, sim="NOT INSERTED")
    do_CMEE = rig.vm.do_CMEE
    rig.vm.do_CMEE = lambda op, args: do_CMEE(op, args if op == "?" else [str(cmee)])
    rig.vm.cmee = cmee
    refused(rig, errno.ENODEV, "sim", "SIM card", "ERROR")


@pytest.mark.parametrize("answer", ["+CPIN: NOT INSERTED", "+CPIN: NOT READY"])
def test_no_sim_told_by_an_information_line(answer):
    rig = Rig(up=False)

    def do_CPIN(op, args):
        rig.vm.info(answer)
        return "OK"

    rig.vm.do_CPIN = do_CPIN
    refused(rig, errno.ENODEV, "sim", answer)


def test_sim_that_is_busy_at_first():
    rig = Rig(up=False, sim_busy_ms=8000)
    rig.vm._up_since = rig.clock.now_us
    rig.modem.connect("internet")
    assert rig.works()


@pytest.mark.parametrize("answer", ["+CPIN:READY", "+CPIN:  READY"])
def test_sim_that_is_ready_whatever_the_blanks(answer):
    rig = Rig(up=False)

    def do_CPIN(op, args):
        rig.vm.info(answer)
        return "OK"

    rig.vm.do_CPIN = do_CPIN
    rig.modem.connect("internet")
    assert rig.works()


def test_pin_wanted_and_none_given():
    rig = Rig(up=False, sim="SIM PIN")
    refused(rig, errno.EACCES, "sim", "SIM PIN", "pin=")
    assert not any(line.startswith("AT+CPIN=") for line in rig.sent)


def test_pin_is_given():
    rig = Rig(up=False, sim="SIM PIN", modem_args={"pin": "1234"})
    rig.modem.connect("internet")
    assert rig.sent.count('AT+CPIN="1234"') == 1
    assert rig.works()


def test_wrong_pin_is_tried_once_only():
    rig = Rig(up=False, sim="SIM PIN", modem_args={"pin": "9999"})
    for _ in range(4):  # a program that tries again and again must not lock the card
        refused(rig, errno.EACCES, "sim", "pin")
    assert rig.sent.count('AT+CPIN="9999"') == 1


def test_puk_wanted():
    rig = Rig(up=False, sim="SIM PUK", modem_args={"pin": "1234"})
    refused(rig, errno.EACCES, "sim", "SIM PUK", "PUK")
    assert not any(line.startswith("AT+CPIN=") for line in rig.sent)


def test_registration_denied():
    rig = Rig(up=False)
    rig.vm.registration = 3
    refused(rig, errno.EACCES, "registration", "denied", "plan")


def test_registration_denied_for_a_moment_only():
    rig = Rig(up=False)
    rig.vm.registration = 3
    rig.clock.after_ms(4000, lambda: setattr(rig.vm, "registration", 5))
    rig.modem.connect("internet")
    assert rig.works()


def test_no_signal():
    rig = Rig(up=False, csq=99)
    rig.vm.registration = 2
    begin = rig.clock.ms
    message = refused(rig, errno.ETIMEDOUT, "registration", "2", "antenna", timeout_ms=20_000)
    assert "None" in message or "unknown" in message
    assert 20_000 <= rig.clock.ms - begin < 30_000


def test_weak_signal_is_told_in_dbm():
    rig = Rig(up=False, csq=3)
    rig.vm.registration = 2
    refused(rig, errno.ETIMEDOUT, "registration", "-107", "antenna", timeout_ms=5000)


def test_attach_refused():
    rig = Rig(up=False)
    rig.vm.attached_by_host = False
    rig.vm._attach = lambda value: rig.vm.resume(-1)
    refused(rig, errno.EIO, "attach", "AT+CGATT=1", "ERROR", "plan")


@pytest.mark.parametrize("how", ["error", "deact"])
def test_wrong_apn(how):
    rig = Rig(up=False, bringup=how)
    refused(rig, errno.EIO, "context", "AT+CIICR", "ERROR", "APN")
    rig.vm.bringup = "ok"
    rig.modem.connect("right")
    assert rig.works()


def test_module_silent_during_bring_up():
    rig = Rig(up=False)
    rig.clock.after_ms(5, lambda: setattr(rig.vm, "silent", True))
    with pytest.raises(OSError) as raised:
        rig.modem.connect("internet")
    assert raised.value.errno == errno.ETIMEDOUT
    assert "AT" in str(raised.value)
    rig.vm.silent = False
    rig.modem.connect("internet")
    assert rig.works()


def test_connect_that_failed_can_be_repeated():
    rig = Rig(up=False, sim="NOT INSERTED")
    refused(rig, errno.ENODEV)
    rig.vm.sim = "READY"
    rig.modem.connect("internet")
    assert rig.works()


def test_connect_that_runs_out_of_time_leaves_the_modem_usable():
    rig = Rig(up=False, ciicr_ms=60_000)
    with pytest.raises(OSError) as raised:
        rig.modem.connect("internet", timeout_ms=10_000)
    assert raised.value.errno == errno.ETIMEDOUT
    assert "context" in str(raised.value)
    rig.vm.ciicr_ms = 100
    rig.modem.connect("internet")
    assert rig.works()


# connect(timeout_ms=0)


def test_connect_without_waiting_is_done_by_the_pump():
    rig = off(register_ms=5000)
    begin = rig.clock.ms
    rig.modem.connect("internet", timeout_ms=0)
    assert rig.clock.ms - begin < 50
    steps = []
    for _ in range(3000):
        before = rig.clock.now_us
        done, step = rig.modem.isconnected(), rig.modem.status()
        assert rig.clock.now_us - before < 30_000, "isconnected() and status() waited"
        if not steps or steps[-1] != step:
            steps.append(step)
        if done:
            break
        rig.clock.sleep_ms(10)
    assert [s for s in steps if s in ("power", "sim", "registration", "up")] == ["power", "sim", "registration", "up"]
    assert rig.works()


def test_loop_on_isconnected_alone_is_enough():
    rig = Rig(up=False, register_ms=3000)
    rig.modem.connect("internet", timeout_ms=0)
    while not rig.modem.isconnected():
        rig.clock.sleep_ms(100)
    assert rig.works()


def test_connect_without_waiting_twice_starts_once():
    rig = Rig(up=False, register_ms=3000)
    rig.vm._search_since = rig.clock.now_us
    rig.modem.connect("internet", timeout_ms=0)
    rig.pump(500)
    rig.modem.connect("internet", timeout_ms=0)
    while not rig.modem.isconnected():
        rig.pump(50)
    rig.pump(2000)
    assert rig.sent.count("AT+CIICR") == 1
    assert rig.works()


def test_status_holds_the_error_that_ended_a_connect_without_waiting():
    rig = Rig(up=False, sim="SIM PIN")
    rig.modem.connect("internet", timeout_ms=0)
    rig.pump(5000)
    error = rig.modem.status()
    assert isinstance(error, OSError) and error.errno == errno.EACCES and "SIM PIN" in str(error)
    assert not rig.modem.isconnected()
    rig.vm.sim = "READY"
    rig.modem.connect("internet", timeout_ms=0)
    for _ in range(200):
        if rig.modem.isconnected():
            break
        rig.pump(50)
    assert rig.modem.status() == "up"


# What it tells, and down again


def test_addresses():
    rig = Rig(up=False)
    assert rig.modem.ifconfig()[0] == "0.0.0.0"
    rig.modem.connect("internet")
    assert rig.modem.ifconfig()[0] == rig.net.local_addresses[0]
    assert rig.modem.ipconfig("addr4")[0] == rig.net.local_addresses[0]
    rig.modem.disconnect()
    assert rig.modem.ifconfig()[0] == "0.0.0.0"


def test_config_asks_the_module():
    rig = Rig()
    identity = rig.vm.identity
    assert rig.modem.config("manufacturer") == identity["CGMI"]
    assert rig.modem.config("model") == identity["CGMM"]
    assert rig.modem.config("firmware") == identity["CGMR"]
    assert rig.modem.config("imei") == identity["GSN"]
    assert rig.modem.config("iccid") == identity["CCID"]
    assert rig.modem.config("imsi") == identity["CIMI"]
    assert "Simulated" in rig.modem.config("operator")


@pytest.mark.parametrize("family, name", [("sim800", "CCID"), ("sim7028", "CCID"), ("a76xx", "CICCID")])
def test_number_of_the_card_by_either_name(family, name):
    rig = Rig(family=family)
    assert rig.modem.config("iccid") == rig.vm.identity[name].split(": ")[-1]
    rig.vm.sim = "NOT INSERTED"
    with pytest.raises(OSError):
        rig.modem.config("iccid")


@pytest.mark.parametrize("csq, dbm", [(0, -113), (20, -73), (31, -51), (99, None)])
def test_signal_in_dbm(csq, dbm):
    rig = Rig(csq=csq)
    assert rig.modem.status("rssi") == dbm


@pytest.mark.parametrize("state", [0, 1, 2, 3, 5])
def test_registration_state(state):
    rig = Rig()
    rig.vm.registration = state
    assert rig.modem.status("registration") == state


def test_registration_with_cell_and_with_a_urc_in_between():
    rig = Rig()
    rig.modem.at("+CEREG=2")
    rig.vm.inject("before_info", '+CEREG: 5,"1A2B","01C3D4E5",7')
    rig.vm.registration = 5
    assert rig.modem.status("registration") == 5
    rig.vm.registration = 1
    assert rig.modem.status("registration") == 1


def test_resolve():
    rig = Rig()
    rig.net.name("two.example", "192.0.2.1", "192.0.2.2")
    assert rig.modem.resolve("two.example") == ["192.0.2.1", "192.0.2.2"]
    with pytest.raises(OSError) as raised:
        rig.modem.resolve("no.such.name")
    assert raised.value.args[0] == -2
    assert rig.modem.resolve("two.example") == ["192.0.2.1", "192.0.2.2"]


def test_disconnect_sends_what_is_owed_and_closes_every_link():
    from sim import Sink

    rig = Rig()
    address = rig.serve(Sink)
    sockets = [rig.socket(address) for _ in range(3)]
    for s in sockets:
        s.setblocking(False)
        s.write(b"owed")
    rig.modem.disconnect()
    assert [bytes(c.received) for c in rig.net.connections] == [b"owed"] * 3
    assert not any(link.open for link in rig.vm.links)
    assert not rig.modem.isconnected()
    assert rig.modem.status() != "up"
    for s in sockets:
        with pytest.raises(OSError) as raised:
            s.read(1)
        assert raised.value.errno == errno.ENOTCONN
    with pytest.raises(OSError) as raised:
        rig.socket(address)
    assert raised.value.errno == errno.ENOTCONN
    rig.modem.connect("internet")
    assert rig.works()


def test_socket_without_a_context():
    rig = Rig(up=False)
    with pytest.raises(OSError) as raised:
        rig.socket(ECHO)
    assert raised.value.errno == errno.ENOTCONN
    assert "connect" in str(raised.value)


def test_flush_waits_for_acknowledgement_and_for_closing():
    from sim import Sink

    rig = Rig()
    s = rig.socket(rig.serve(Sink))
    s.setblocking(False)
    s.write(b"x" * 900)
    s.close()
    assert rig.modem.flush() is True
    assert bytes(rig.connection().received) == b"x" * 900
    assert not rig.connection().is_open
    assert rig.modem.flush() is True


def test_flush_tells_when_a_peer_does_not_acknowledge():
    from sim import Stall

    rig = Rig()
    s = rig.socket(rig.serve(Stall))
    s.write(b"never taken")
    begin = rig.clock.ms
    assert rig.modem.flush(3000) is False
    assert 3000 <= rig.clock.ms - begin < 4500
    rig.connection().resume()
    assert rig.modem.flush(3000) is True
    assert bytes(rig.connection().received) == b"never taken"


def test_at_returns_the_information_lines():
    rig = Rig()
    assert rig.modem.at("+CSQ") == ["+CSQ: 20,0"]
    assert rig.modem.at("") == []
    assert rig.modem.at("I") == [rig.vm.identity["I"]]
    assert rig.modem.at("+CIPMUX?") == ["+CIPMUX: 1"]
    with pytest.raises(simcom.ATError) as raised:
        rig.modem.at("+NONSENSE")
    assert raised.value.cmd == "AT+NONSENSE"
    assert "ERROR" in raised.value.line


@pytest.mark.parametrize("number, code", [(10, errno.ENODEV), (16, errno.EACCES), (30, errno.EHOSTUNREACH), (100, 5)])
def test_cme_error_becomes_an_errno(number, code):
    rig = Rig()
    rig.vm.do_X = lambda op, args: number
    with pytest.raises(simcom.ATError) as raised:
        rig.modem.at("X")
    assert raised.value.errno == code
    assert raised.value.line == "+CME ERROR: %d" % number


def test_urc_callback():
    rig = Rig()
    got = []
    rig.modem.on_urc("+CMTI:", got.append)
    rig.modem.on_urc("RING", got.append)
    rig.vm.urc('+CMTI: "SM",10')
    rig.vm.urc("RING")
    rig.vm.urc("+CREG: 1")
    rig.pump(500)
    assert got == ['+CMTI: "SM",10', "RING"]
    rig.modem.on_urc("RING", None)
    rig.vm.urc("RING")
    rig.vm.urc('+CMTI: "SM",11')
    rig.pump(500)
    assert got[2:] == ['+CMTI: "SM",11']


def test_urc_callback_may_start_things_but_not_wait():
    rig = Rig()
    raised = []

    def callback(line):
        try:
            rig.modem.at("+CSQ")
        except OSError as e:
            raised.append(e.errno)

    rig.modem.on_urc("RING", callback)
    rig.vm.urc("RING")
    rig.pump(500)
    assert raised == [errno.EALREADY]
    assert rig.works()


def test_urc_callback_that_fails_does_not_stop_the_pump(capsys):
    rig = Rig()
    rig.modem.on_urc("RING", lambda line: 1 // 0)
    rig.vm.urc("RING")
    rig.pump(500)
    assert rig.works()


def test_asking_whether_it_is_active_loads_nothing(monkeypatch):
    rig = off()
    rig.modem.active(True, timeout_ms=0)
    once = simcom.modem.once  # which the pump calls too, for an answer that does not come in time
    monkeypatch.setattr(
        "simcom.modem.once", lambda name: once(name) if name == "recovery.silence" else pytest.fail("loads " + name)
    )
    asked = 0
    while not rig.modem.active():
        rig.pump(100)
        asked += 1
    assert asked > 5 and rig.modem.on
