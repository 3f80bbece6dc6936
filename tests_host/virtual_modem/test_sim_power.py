"""Power, boot, SIM and registration of the virtual modem."""

import pytest
from sim import Sink
from sim_host import MULTI_UP, Host, machine

BOOT = b"\r\nRDY\r\n\r\n+CFUN: 1\r\n\r\n+CPIN: READY\r\n\r\nSMS Ready\r\n"


def off(**settings):
    """A module that is off, with its pins."""
    host = Host(powered=False, echo=True)
    key = machine.Pin(4, machine.Pin.OUT, value=1)
    status = machine.Pin(5)
    host.vm = type(host.vm)(host.uart, None, net=host.net, pwrkey=key, status=status, **settings)
    return host, key, status


def press(host, key, ms, level=0):
    key.value(level)
    host.clock.sleep_ms(ms)
    key.value(1 - level)


def test_a_module_without_power_is_dead():
    host, _, status = off()
    assert host.ask("AT", 1000) == b"" and status.value() == 0


def test_a_second_of_pwrkey_switches_on():
    host, key, status = off()
    press(host, key, 1000)
    assert host.ask("AT", 4000) == b"" and status.value() == 0
    assert host.wait(2100) == BOOT and status.value() == 1
    assert host.wait(5000).startswith(b"\r\n*PSUTTZ")
    assert host.ask("AT") == b"AT\r\r\nOK\r\n"


def test_a_short_press_does_nothing():
    host, key, _ = off()
    press(host, key, 900)
    assert host.wait(10_000) == b""


def test_the_polarity_can_be_turned():
    host, key, _ = off(pwrkey_level=1)
    host.clock.sleep_ms(5000)
    key.value(0)
    press(host, key, 1100, 1)
    assert host.wait(6500).startswith(BOOT)


def test_a_press_on_a_running_module_switches_off():
    host, key, status = off()
    press(host, key, 1100)
    host.wait(10_000)
    press(host, key, 1300)
    assert host.ask("AT", 100) == b"\r\nNORMAL POWER DOWN\r\n"
    assert host.wait(3000) == b"" and status.value() == 0
    press(host, key, 1100)
    assert host.wait(7000).startswith(BOOT)


def test_the_press_that_switched_on_does_not_switch_off():
    host, key, status = off()
    press(host, key, 8000)
    host.wait(8000)
    assert host.ask("AT") == b"AT\r\r\nOK\r\n" and status.value() == 1


def test_a_press_while_it_goes_off_is_lost():
    host, key, _ = off()
    press(host, key, 1100)
    host.wait(10_000)
    press(host, key, 1300)
    host.wait(100)
    press(host, key, 1500)
    assert host.wait(10_000) == b""


def test_cpowd_says_good_bye_instead_of_ok():
    host = Host()
    assert host.ask("AT+CPOWD=1") == b"\r\nNORMAL POWER DOWN\r\n"
    assert host.wait(3000) == b"" and host.ask("AT") == b""


@pytest.mark.parametrize("how", ["command", "fault"])
def test_a_restart_forgets_everything(how):
    host = Host()
    host.net.serve("example.com", 80, Sink)
    host.do(*MULTI_UP, 'AT+CIPSTART=0,"TCP","example.com",80')
    assert host.vm.links[0].state == "CONNECTED"
    if how == "command":
        assert host.ask("AT+CFUN=1,1") == b"\r\nOK\r\n"
    else:
        host.vm.restart()
    assert host.wait(6500) == BOOT
    host.wait(5000)
    assert host.ask("AT+CIPMUX?") == b"AT+CIPMUX?\r\r\n+CIPMUX: 0\r\n\r\nOK\r\n"
    assert host.vm.links[0].state == "INITIAL" and not host.net.connections[0].is_open


def test_an_answer_does_not_survive_a_restart():
    host = Host()
    host.do('AT+CSTT="x"')
    host.send("AT+CIICR\r")
    host.clock.sleep_ms(500)
    host.vm.restart()
    assert b"OK" not in host.wait(6500).replace(BOOT, b"")


def test_autobaud_boots_without_its_first_lines():
    host = Host(powered=False, default_autobaud=True)
    host.vm.boot()
    assert host.wait(6500) == b"\r\nSMS Ready\r\n"


def test_the_sim_is_busy_for_a_moment():
    host = Host(powered=False)
    host.vm.boot()
    host.clock.sleep_ms(4600)
    host.do("ATE0")
    host.vm.cmee = 2
    host.vm._up_since = host.clock.now_us
    assert host.ask("AT+CPIN?") == b"\r\n+CME ERROR: SIM busy\r\n"
    host.wait(300)
    assert host.ask("AT+CPIN?") == b"\r\n+CPIN: READY\r\n\r\nOK\r\n"


def test_registration_comes_after_the_boot():
    host = Host(powered=False, boot_lines=())
    host.vm.boot()
    host.clock.sleep_ms(4510)
    host.ask("ATE0")
    assert host.ask("AT+CEREG?") == b"\r\n+CEREG: 0,2\r\n\r\nOK\r\n"
    assert host.ask("AT+CGATT?") == b"\r\n+CGATT: 0\r\n\r\nOK\r\n"
    host.wait(3000)
    assert host.ask("AT+CEREG?") == b"\r\n+CEREG: 0,1\r\n\r\nOK\r\n"


def test_a_change_of_registration_is_reported_when_asked_for():
    host = Host()
    host.vm.registration = 5
    assert host.wait(10) == b""
    host.ask("AT+CEREG=1")
    host.vm.registration = 2
    assert host.wait(10) == b"\r\n+CEREG: 2\r\n"
    assert host.ask("AT+CPSI?") == b"\r\n+CPSI: NO SERVICE,Online\r\n\r\nOK\r\n"


def test_a_locked_sim_wants_its_pin():
    host = Host(sim="SIM PIN", choices={"cmee": 2})
    assert host.ask("AT+CPIN?") == b"\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n"
    assert host.ask("AT+CREG?") == b"\r\n+CREG: 0,0\r\n\r\nOK\r\n"
    assert host.ask('AT+CPIN="0000"') == b"\r\n+CME ERROR: incorrect password\r\n"
    assert host.ask('AT+CPIN="1234"') == b"\r\nOK\r\n\r\n+CPIN: READY\r\n"
    assert host.ask("AT+CREG?") == b"\r\n+CREG: 0,2\r\n\r\nOK\r\n"
    host.wait(3000)
    assert host.ask("AT+CREG?") == b"\r\n+CREG: 0,1\r\n\r\nOK\r\n"


def test_a_missing_sim_is_an_error():
    host = Host(sim="NOT INSERTED", choices={"cmee": 2})
    assert host.ask("AT+CPIN?") == b"\r\n+CME ERROR: SIM not inserted\r\n"
    assert host.ask("AT+CIMI") == b"\r\n+CME ERROR: SIM not inserted\r\n"


def test_function_off_takes_the_context_down_before_its_ok():
    host = Host()
    host.do(*MULTI_UP)
    expected = b"\r\n+SAPBR 1: DEACT\r\n\r\n+PDP: DEACT\r\n\r\n+CPIN: NOT READY\r\n\r\nOK\r\n"
    assert host.ask("AT+CFUN=0", 500) == expected
    assert host.vm.state == "PDP DEACT"


def test_identity_has_one_line_each():
    host = Host()
    for command in ("CGMI", "CGMM", "CGMR", "GSN", "CGSN", "CCID", "CIMI", "GMR"):
        lines = host.ask("AT+" + command).split(b"\r\n")
        assert lines[0] == b"" and lines[1] and lines[2:] == [b"", b"OK", b""]
    assert host.ask("ATI").endswith(b"\r\n\r\nOK\r\n")
