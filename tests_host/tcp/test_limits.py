"""What a caller may not say: refused with ValueError before a byte leaves; and what the limits of the module are."""

import errno

from families import FAMILIES
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


@pytest.mark.parametrize("host", [None, 5, b"exa mple.com", ["example.com"]])
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
    sends_nothing(rig, rig.modem.connect, **{"apn": "internet", "user": "", "key": "", which: b'by"tes'})
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


@pytest.mark.parametrize("cmd", ["+CSQ\r", "+CSQ\n", "+CSQ\rAT+CPOWD=1", "+X\0", "+X\x1a", "x" * 551, b"+CSQ\r", None])
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


class Pin:
    """Remembers the levels that it was given."""

    def __init__(self):
        self.levels = []

    def value(self, level):
        self.levels.append(level)


MADE = {  # constructor argument: wrong ones
    "pwrkey": (4, 0, "4", True),
    "pressed": (2, -1, None, "high"),
    "pin": (1234, b"1234", "123", "123456789", "12a4"),
    "baudrate": (-1, "115200", None, 9600.0),
    "rxbuf": (64, 0, -1, None, "2048", 2048.0),
}


@pytest.mark.parametrize("name, value", [(name, value) for name, values in MADE.items() for value in values])
def test_argument_of_the_constructor_that_is_wrong(name, value):
    rig = Rig(on=False)
    pin = Pin()
    with pytest.raises((ValueError, TypeError)) as raised:
        rig.make(**{"pwrkey": pin, name: value})
    assert str(raised.value).startswith(name + ": "), raised.value
    assert rig.vm.log == [] and pin.levels == []


@pytest.mark.parametrize("uart", [1, None, "UART1", b"", [1]])
def test_uart_that_is_none(uart):
    pin = Pin()
    for family in (simcom.SIM800, simcom.SIM7000, simcom.SIM7028, simcom.A76XX):
        with pytest.raises(TypeError, match="^uart: a machine.UART"):
            family(uart, pwrkey=pin)
    with pytest.raises(TypeError, match="^Tap: "):
        simcom.Tap(uart)
    assert pin.levels == []


def _unconnected(rig):
    return rig.modem.socket()


def _datagrams(rig):
    return rig.modem.socket(2, 2)


def _open(rig):
    return rig.socket(ECHO)


def _modem(rig):
    return rig.modem


PAIRS = ("example.com", "ab", b"ab", None, 80, (), ("example.com",), ("a", 80, 0), ["a"], {"a": 1})
HOSTS = (
    None,
    5,
    "",
    "http://example.com",
    "example.com/",
    "example.com:80",
    "192.0.2.1:80",
    "a b",
    'a"',
    ":",
    "\u00e9",
)
PORTS = (0, -1, 65536, "80", 80.0, None)
TIMES = (-1, "5", 5.0)
PINS = (4, "4", -1)
# what to call on what; the word that names the argument; the arguments, or the keywords, of which each is refused
CALLS = [
    (_unconnected, "connect", "address", [(pair,) for pair in PAIRS]),
    (_unconnected, "connect", "host", [((host, 80),) for host in HOSTS]),
    (_unconnected, "connect", "port", [(("example.com", port),) for port in PORTS]),
    (_unconnected, "bind", "address", [(pair,) for pair in (8080, "", ":80", None, ("",), ("", 80, 1))]),
    (_unconnected, "bind", "port", [(("", port),) for port in (-1, 65536, "80", None, 80.0)]),
    (_unconnected, "listen", "backlog", [("5",), (None,), (1.5,)]),
    (_unconnected, "settimeout", "settimeout", [(-1,), (-0.1,), ("5",), (b"5",), ([5],), (float("nan"),), (1e30,)]),
    (_open, "recv", "n", [(-1,), ("5",), (None,), (1.5,)]),
    (_open, "recvfrom", "n", [(-1,), ("5",)]),
    (_open, "recv_into", "n", [(bytearray(4), -1), (bytearray(4), 5)]),
    (_open, "recvfrom_into", "n", [(bytearray(4), -1), (bytearray(4), 5)]),
    (_open, "recv_into", "buf", [(5,), (b"fixed",), ("text",), ([1],), (None,)]),
    (_open, "readinto", "buf", [(5,), (b"fixed",), ("text",), ([1],), (None,), (memoryview(b"fixed"),)]),
    (_open, "write", "buf", [(5,), (None,), ([1, 2],), ({},)]),
    (_open, "send", "buf", [(5,), (None,), ([1, 2],)]),
    (_open, "sendall", "buf", [(5,), (None,), ([1, 2],)]),
    (_open, "sendto", "buf", [(5, ECHO), (None, ECHO)]),
    (_open, "write", "off", [(b"abc", -1, 2)]),
    (_open, "setsockopt", "value", [(6, 1, "on"), (6, 1, None), (1, 128, (1,)), (1, 128, (1, -1))]),
    (_open, "setsockopt", "value", [(1, 128, "0"), (1, 128, b"\1"), (1, 8, "on"), (6, 3, b"")]),
    (_open, "setsockopt", "keep-alive", [(6, 3, 0), (6, 4, -5)]),
    (_open, "setsockopt", "level", [("6", 1, 1), (None, 1, 1)]),
    (_open, "setsockopt", "option", [(6, "1", 1), (6, None, 1)]),
    (_datagrams, "sendto", "address", [(b"x", pair) for pair in PAIRS]),
    (_datagrams, "sendto", "host", [(b"x", (host, 80)) for host in HOSTS]),
    (_datagrams, "sendto", "port", [(b"x", ("example.com", port)) for port in PORTS]),
    (_datagrams, "sendto", "buf", [(5, ECHO), (None, ECHO), ([1], ECHO)]),
    (_datagrams, "connect", "address", [(pair,) for pair in PAIRS]),
    (_datagrams, "bind", "port", [(("", 70000),), (("", "5"),)]),
    (_datagrams, "recv", "n", [(-1,), ("5",)]),
    (_datagrams, "recvfrom", "n", [(-1,), ("5",)]),
    (_datagrams, "recv_into", "n", [(bytearray(4), -1), (bytearray(4), 5)]),
    (_datagrams, "recvfrom_into", "buf", [(5,), (b"fixed",)]),
    (_modem, "socket", "socket", [(None,), ("2",), (2, None), (2, 1, "6")]),
    (_modem, "connect", "apn", [(None,), (5,), (["internet"],), ('a"b',)]),
    (_modem, "connect", "user", [("internet", None), ("internet", 5)]),
    (_modem, "connect", "key", [("internet", "u", None), ("internet", "u", 5)]),
    (_modem, "connect", "timeout_ms", [({"apn": "internet", "timeout_ms": ms},) for ms in (*TIMES, None)]),
    (_modem, "active", "init", [({"on": True, "init": init},) for init in (5, (5,), ("+CSQ\r",), {"+CSQ": 1})]),
    (_modem, "active", "timeout_ms", [({"on": True, "timeout_ms": ms},) for ms in (*TIMES, None)]),
    (_modem, "active", "on", [("off",), (2,), ([],)]),
    (_modem, "at", "at", [(5,), (None,), ("+CSQ\r",), (["+CSQ"],)]),
    (_modem, "at", "timeout_ms", [({"cmd": "+CSQ", "timeout_ms": ms},) for ms in TIMES]),
    (_modem, "at", "data", [({"cmd": "+CMGS=1", "data": data},) for data in ("text\x1a", 5)]),
    (_modem, "at", "end", [({"cmd": "+CSQ", "end": end},) for end in (5, b"\r")]),
    (_modem, "on_urc", "lines", [({"prefix": "+CMT:", "callback": print, "lines": n},) for n in (0, -1, "2", None)]),
    (_modem, "on_urc", "prefix", [(None, print), (5, print), (["+CMTI"], print)]),
    (_modem, "on_urc", "on_urc", [("", print), ("+CMTI:", 5), ("+CMTI:", "print")]),
    (_modem, "config", "config", [(), ("nonsense",), (None,), ([],), (5,), ("imei", "imsi")]),
    (_modem, "config", "receive", [("receive",), ({"receive": "pull"},), ({"receive": 1},), ({"receive": None},)]),
    (_modem, "config", "config", [({"nonsense": 1},), ({"imei": "123456789012345"},)]),
    (
        _modem,
        "config",
        "send",
        [({"send": form},) for form in ("slow", 5, None, ("timed", 0), ("timed", "1"), ("timed",))],
    ),
    (_modem, "config", "prompt", [({"prompt": mode},) for mode in (3, -1, "1", None)]),
    (_modem, "config", "dns", [({"dns": a},) for a in (5, (), "1.1.1", "a.b.c.d", ("1.1.1.1",) * 3, (5,))]),
    (_modem, "config", "acknowledge", [({"acknowledge": flag},) for flag in ("yes", None, 2)]),
    (_modem, "config", "pdp_type", [({"pdp_type": kind},) for kind in ("IPV4", 6)]),
    (_modem, "config", "reset", [({"reset": pin},) for pin in (*PINS, None)]),
    (_modem, "status", "status", [("nonsense",), (5,), (None,), ([],)]),
    (_modem, "ipconfig", "ipconfig", [("nonsense",), (5,), (None,)]),
    (_modem, "resolve", "host", [(host,) for host in HOSTS]),
    (_modem, "resolve", "timeout_ms", [({"host": "example.com", "timeout_ms": ms},) for ms in TIMES]),
    (_modem, "flush", "timeout_ms", [(ms,) for ms in (*TIMES, None)]),
    (_modem, "settle", "timeout_ms", [(ms,) for ms in (*TIMES, None)]),
    (_modem, "disconnect", "timeout_ms", [({"timeout_ms": ms},) for ms in (*TIMES, None)]),
    (_modem, "status", "timeout_ms", [({"param": "rssi", "timeout_ms": ms},) for ms in (*TIMES, None)]),
    (_modem, "config", "timeout_ms", [({"acknowledge": True, "timeout_ms": ms},) for ms in (*TIMES, None)]),
    (_modem, "background", "period_ms", [(-1,), ("50",), (None,)]),
    (_modem, "background", "timer", [(50, "0"), (50, None)]),
    (_modem, "reset", "pin", [({"pin": pin},) for pin in PINS]),
    (_modem, "reset", "hard", [(True,)]),
    (_modem, "reset", "timeout_ms", [({"timeout_ms": ms},) for ms in TIMES]),
    (_modem, "recover", "address", [(pair,) for pair in PAIRS if pair is not None]),
    (_modem, "recover", "timeout_ms", [({"timeout_ms": ms},) for ms in TIMES]),
    (_modem, "sleep", "dtr", [(pin,) for pin in PINS]),
    (_modem, "sleep", "level", [({"dtr": Pin(), "level": level},) for level in (2, "1", None)]),
    (_modem, "context", "apn", [(None,), (5,), ('a"b',)]),
    (_modem, "context", "user", [("a", 5)]),
    (_modem, "context", "key", [("a", "u", 5)]),
    (_modem, "transparent", "address", [(pair,) for pair in PAIRS]),
    (_modem, "transparent", "host", [((host, 80),) for host in HOSTS]),
    (_modem, "transparent", "local_port", [({"address": ECHO, "local_port": port},) for port in (-1, "5", None)]),
    (_modem, "transparent", "timeout_ms", [({"address": ECHO, "timeout_ms": ms},) for ms in (*TIMES, None)]),
    (_modem, "transparent", "tuning", [({"address": ECHO, "tuning": t},) for t in (5, (), "abcd", (3, 2, 1460, "1"))]),
    (_modem, "transparent", "dtr", [({"address": ECHO, "dtr": pin},) for pin in PINS]),
    (_modem, "transparent", "dcd", [({"address": ECHO, "dcd": pin},) for pin in PINS]),
    (_modem, "transparent_server", "port", [(port,) for port in PORTS]),
    (_modem, "transparent_server", "timeout_ms", [({"port": 80, "timeout_ms": ms},) for ms in TIMES]),
]


def kept(modem):
    return [list(each) for each in (modem.SETTINGS, modem.extra, modem.urcs, modem.apn, modem.init)]


@pytest.mark.parametrize("make, name, word, each", CALLS, ids=["%s-%s" % (c[1], c[2]) for c in CALLS])
def test_argument_of_a_call_that_is_wrong(make, name, word, each):
    rig = Rig()
    what = make(rig)
    call = getattr(what, name)
    for args in each:
        rig.pump(200)
        before = len(rig.vm.log)
        keeps = kept(rig.modem)
        begin = rig.clock.ms
        with pytest.raises((ValueError, TypeError)) as raised:
            if len(args) == 1 and isinstance(args[0], dict) and args[0] != {"a": 1} and args[0]:
                call(**args[0])
            else:
                call(*args)
        assert word in str(raised.value), "%s%r: %s" % (name, args, raised.value)
        assert rig.clock.ms - begin < 100, "%s%r waited" % (name, args)
        rig.pump(1000)
        assert rig.vm.log[before:] == [], "%s%r sent something" % (name, args)
        assert kept(rig.modem) == keeps
    for left in ("reset_pin", "dtr", "sleeper", "timer", "second", "tunnel", "sender"):
        assert left not in rig.modem.__dict__
    assert rig.works()


def test_wrong_setting_beside_a_right_one_changes_nothing():
    rig = Rig(up=False)
    before = rig.modem.SETTINGS
    for settings in (
        {"receive": "push", "dns": 5},
        {"send": "variable", "prompt": 7},
        {"reset": Pin(), "retries": "a"},
    ):
        with pytest.raises((ValueError, OSError)):
            rig.modem.config(**settings)
    assert rig.modem.SETTINGS == before and "reset_pin" not in rig.modem.__dict__
    rig.modem.connect("internet")
    assert rig.works()


def test_name_is_resolved_only_with_a_context():
    rig = Rig(up=False)
    before = len(rig.vm.log)
    with pytest.raises(OSError, match="connect") as raised:
        rig.modem.resolve("example.com")
    assert raised.value.errno == errno.ENOTCONN
    rig.pump(500)
    assert rig.vm.log[before:] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_bytes_are_text_for_hosts_and_accounts(family):
    rig = Rig(family=family, up=False)
    rig.modem.connect(b"internet", b"user", b"key")
    for word in ("internet", "user", "key"):
        assert any('"%s"' % word in line for line in rig.sent)
    host, port = ECHO
    assert socket.getaddrinfo(host.encode(), port)[0][-1] == ECHO
    s = rig.socket((host.encode(), port))
    s.write(b"x")
    assert s.read(1) == b"x"
    s.close()
    assert rig.modem.resolve(host.encode()) == rig.modem.resolve(host)


@pytest.mark.parametrize(
    "name", ["example.com", "EXAMPLE.com", "a-b_c.d", "192.0.2.1", "x" * 63 + ".y", "a." * 100 + "b"]
)
def test_names_and_addresses_stay_as_they_are(name):
    assert socket.getaddrinfo(name, 80)[0][-1] == (name, 80)
    assert socket.getaddrinfo("2001:db8::1", 80)[0][-1] == ("2001:db8::1", 80)


@pytest.mark.parametrize("seconds", [None, 0, 0.5, 1, 86400, True])
def test_time_outs_that_are_right(rig, seconds):
    rig.modem.socket().settimeout(seconds)
