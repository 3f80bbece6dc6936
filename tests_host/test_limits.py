"""What a caller may not say: refused with ValueError before a byte leaves; and what the limits of the module are."""

import errno

import pytest
from rig import ECHO, Rig

import simcom
from simcom import socket

BAD_CHARACTERS = ['"', "\r", "\n", "\0", "\x1a", "\x1b", "\x7f", "é"]


@pytest.fixture
def rig():
    return Rig()


def sends_nothing(rig, call, *args, **kw):
    """call() raises ValueError and leaves no trace: no byte now, none later."""
    rig.pump(100)
    before = len(rig.vm.log)
    with pytest.raises(ValueError) as raised:
        call(*args, **kw)
    rig.pump(1000)
    assert rig.vm.log[before:] == []
    return str(raised.value)


@pytest.mark.parametrize("character", BAD_CHARACTERS)
@pytest.mark.parametrize("place", ["%sexample.com", "exa%smple.com", "example.com%s", "%s"])
def test_host_name_with_a_character_that_ends_the_command(rig, character, place):
    host = place % character
    assert "host" in sends_nothing(rig, rig.modem.socket().connect, (host, 80))
    sends_nothing(rig, rig.modem.resolve, host)
    sends_nothing(rig, socket.getaddrinfo, host, 80)


@pytest.mark.parametrize("host", ["", "a" * 64, "a." + "b" * 64, "a." * 127 + "b", "a.b" * 100, "a,b", "a b", "a;b"])
def test_host_name_that_is_none(rig, host):
    sends_nothing(rig, rig.modem.socket().connect, (host, 80))
    sends_nothing(rig, rig.modem.resolve, host)


@pytest.mark.parametrize("host", [None, 5, b"example.com", ["example.com"]])
def test_host_of_another_type(rig, host):
    sends_nothing(rig, rig.modem.socket().connect, (host, 80))


@pytest.mark.parametrize("host", ["a" * 63, ".".join(["a" * 61] * 4) + ".abcdef", "192.0.2.1", "x-y.example"])
def test_longest_host_names_reach_the_module_whole(rig, host):
    assert len(host) <= 254
    with pytest.raises(OSError):  # nobody is there
        rig.socket((host, 80), timeout=5)
    assert any('"%s",80' % host in line for line in rig.sent)


@pytest.mark.parametrize("port", [0, -1, 65536, 1 << 20, "80", 80.0, None, "80\r", b"80"])
def test_port_that_is_none(rig, port):
    assert "port" in sends_nothing(rig, rig.modem.socket().connect, ("example.com", port))
    if port != 0:  # that is for bind()
        sends_nothing(rig, socket.getaddrinfo, "example.com", port)


@pytest.mark.parametrize("port", [1, 65535])
def test_first_and_last_port(rig, port):
    from sim import Echo

    s = rig.socket(rig.serve(Echo, port=port))
    s.write(b"x")
    assert s.read(1) == b"x"


def test_socket_is_usable_after_a_refused_address(rig):
    s = rig.socket()
    for address in (("a\r", 80), ("example.com", 0)):
        with pytest.raises(ValueError):
            s.connect(address)
    s.connect(ECHO)
    s.write(b"x")
    assert s.read(1) == b"x"


@pytest.mark.parametrize("which", ["apn", "user", "key"])
@pytest.mark.parametrize("bad", [*BAD_CHARACTERS, "x" * 51, "x" * 1000], ids=ascii)
def test_apn_user_and_password_that_would_break_the_command(which, bad):
    rig = Rig(up=False)
    args = {"apn": "internet", "user": "u", "key": "k", which: "a" + bad}
    sends_nothing(rig, rig.modem.connect, **args)
    assert not rig.modem.isconnected()


@pytest.mark.parametrize("which", ["apn", "user", "key"])
def test_apn_user_and_password_of_another_type(which):
    rig = Rig(up=False)
    sends_nothing(rig, rig.modem.connect, **{"apn": "internet", "user": "", "key": "", which: b"bytes"})
    sends_nothing(rig, rig.modem.connect, **{"apn": "internet", "user": "", "key": "", which: None})


def test_longest_apn_user_and_password_reach_the_module_whole():
    rig = Rig(up=False)
    rig.modem.connect("a" * 50, "u" * 50, "k ,;'" * 10)
    assert rig.vm.contexts[0].apn == "a" * 50
    assert rig.vm.contexts[0].user == "u" * 50
    assert rig.vm.contexts[0].password == "k ,;'" * 10
    assert rig.works()


@pytest.mark.parametrize("pin", ["123456789", '1234"', "1234\r", "12\n34"])
def test_pin_that_would_break_the_command(pin):
    """Refused when it is given, or before the module is switched on: nothing of it is sent, no try of the card lost."""
    rig = Rig(on=False)
    with pytest.raises(ValueError):
        rig.make(pin=pin)
        rig.modem.active(True)
    assert rig.sent == []


@pytest.mark.parametrize("cmd", ["+CSQ\r", "+CSQ\n", "+CSQ\rAT+CPOWD=1", "+X\0", "+X\x1a", "x" * 551, b"+CSQ", None])
def test_command_that_would_be_two_or_none(rig, cmd):
    sends_nothing(rig, rig.modem.at, cmd)


def test_quotes_are_allowed_in_a_command(rig):
    assert rig.modem.at('+CGDCONT=1,"IP","internet"') == []


@pytest.mark.parametrize("cmd", ["+CNMP=38\r", "+X\0", 5])
def test_init_command_that_would_be_two_or_none(cmd):
    rig = Rig(on=False)
    sends_nothing(rig, rig.modem.active, True, init=("+CNMP=2", cmd))
    assert not rig.modem.active()


def test_one_init_command_without_its_comma():
    rig = Rig(on=False)
    assert rig.modem.active(True, init=("+CNMP=38"))
    assert "AT+CNMP=38" in rig.sent


@pytest.mark.parametrize("name", ["", "rssi", "nonsense", "CSQ\r"])
def test_config_parameter_that_is_none(rig, name):
    sends_nothing(rig, rig.modem.config, name)


@pytest.mark.parametrize("name", ["nonsense", "CSQ\r"])
def test_status_parameter_that_is_none(rig, name):
    sends_nothing(rig, rig.modem.status, name)


def test_ipconfig_parameter_that_is_none(rig):
    sends_nothing(rig, rig.modem.ipconfig, "addr5")


def test_rxbuf_too_small_to_work():
    with pytest.raises(ValueError):
        Rig(on=False, modem_args={"rxbuf": 64})


def test_getaddrinfo_sends_nothing_and_resolves_nothing(rig):
    rig.pump(100)
    before = len(rig.vm.log)
    for host in ("example.com", "192.0.2.1", "no.such.name"):
        assert socket.getaddrinfo(host, 443, 0, socket.SOCK_STREAM) == [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", (host, 443))
        ]
    rig.pump(2000)
    assert rig.vm.log[before:] == []


def test_socket_of_a_kind_that_is_not_there(rig):
    for args in ((9,), (socket.AF_INET, 3)):
        with pytest.raises(OSError) as raised:
            rig.modem.socket(*args)
        assert raised.value.errno == errno.EOPNOTSUPP


def test_public_names():
    names = ["SIM7000", "ATError", "Tap", "install", "socket"]
    for name in names:
        assert getattr(simcom, name).__name__.split(".")[-1] == name
    assert issubclass(simcom.ATError, OSError)
    with pytest.raises(AttributeError):
        simcom.no_such_name  # noqa: B018
