"""What the virtual SIM800 has of its own."""

import pytest
from sim import Sink
from sim_host import MULTI_UP, UP, Host, machine

OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"
NOISE = b"\x00IIII\xff\xff\xff\xff"


def booted(**settings) -> bytes:
    host = Host("sim800", powered=False, **settings)
    host.vm.boot()
    return host.wait(10_000)


def test_boot_lines_with_a_fixed_rate():
    texts = ("RDY", "+CFUN: 1", "+CPIN: READY", "Call Ready", "SMS Ready")
    assert booted(default_autobaud=False) == b"".join(b"\r\n%s\r\n" % text.encode() for text in texts)


def test_boot_lines_while_autobauding():
    assert booted() == b"\r\nCall Ready\r\n\r\nSMS Ready\r\n"
    swapped = booted(choices={"ready_order": "sms first", "boot_noise": NOISE})
    assert swapped == NOISE + b"\r\nSMS Ready\r\n\r\nCall Ready\r\n"


def test_the_rate_follows_the_host():
    host = Host("sim800", baud=9600, powered=False)
    host.vm.boot()
    host.wait(10_000)
    for _ in range(3):
        host.ask("AT", 300)
    assert host.ask("AT") == b"AT\r" + OK


def test_six_links():
    host = Host("sim800")
    host.net.serve("example.com", 80, Sink)
    host.do(*MULTI_UP)
    for n in range(6):
        answer = host.ask('AT+CIPSTART=%d,"TCP","example.com",80' % n, 1000)
        assert answer == OK + b"\r\n%d, CONNECT OK\r\n" % n
    assert host.ask('AT+CIPSTART=6,"TCP","example.com",80') == ERROR
    assert host.ask("AT+CIPSTATUS").count(b"C: ") == 6
    assert host.ask("AT+CIPSEND=?") == b"\r\n+CIPSEND: (0-5),<length>\r\n" + OK


@pytest.mark.parametrize("command", ["AT+CPSI?", "AT+CEREG?", "AT+CIFSREX", "AT+NETOPEN"])
def test_commands_of_other_families_are_unknown(command):
    assert Host("sim800").ask(command) == ERROR


def test_close_with_an_ok_in_front():
    host = Host("sim800", choices={"close_ok": b"CLOSED OK", "close_prefix": b"OK"})
    host.net.serve("example.com", 80, Sink)
    host.do(*UP, 'AT+CIPSTART="TCP","example.com",80')
    assert host.ask("AT+CIPCLOSE", 500) == OK + b"\r\nCLOSED OK\r\n"


def test_a_line_that_ends_in_lf_comes_back_without_it():
    host = Host("sim800", echo=True)
    assert host.ask(b"AT\n") == b"AT" + OK
    assert host.ask(b"AT\r\n") == b"AT\r\n" + OK


@pytest.mark.parametrize("held, text", [(500, b""), (2000, b"NORMAL POWER DOWN"), (34_000, b"Call Ready")])
def test_pwrkey_of_a_running_module(held, text):
    pin = machine.Pin(4, machine.Pin.OUT, value=1)
    host = Host("sim800", pwrkey=pin)
    pin.value(0)
    host.wait(held)
    pin.value(1)
    answer = host.wait(10_000)
    assert text in answer if text else answer == b""


@pytest.mark.parametrize("family, ms", [("sim800", 105), ("sim7000", 252), ("sim7028", 300), ("a76xx", 2500)])
def test_reset_restarts(family, ms):
    pin = machine.Pin(5, machine.Pin.OUT, value=1)
    host = Host(family, reset=pin)
    for held, restarted in ((ms - 20, False), (ms + 20, True)):
        pin.value(0)
        host.wait(held)
        pin.value(1)
        assert bool(host.wait(20_000)) is restarted
    assert host.ask("AT").endswith(OK)
