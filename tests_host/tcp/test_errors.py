"""Every error code and text of the documents becomes an errno, and its text is kept."""

import errno

from families import OPEN, START
import pytest
import shim
from feed import ERROR, Module, unasked
from feed_open import OpenModule
from rig import Rig
from sim.at import ERROR as REFUSED
from test_status import cip_family, each_family

import simcom

open_family = pytest.mark.parametrize("family", OPEN)
start_family = pytest.mark.parametrize("family", START)
UNKNOWN = -2

# +CME ERROR: number, words of the documents, errno
CME = (
    (3, "operation not allowed", "ENOTCONN"),
    (4, "operation not supported", "EOPNOTSUPP"),
    (10, "SIM not inserted", "ENODEV"),
    (11, "SIM PIN required", "EACCES"),
    (12, "SIM PUK required", "EACCES"),
    (13, "SIM failure", "ENODEV"),
    (14, "SIM busy", "EAGAIN"),
    (15, "SIM wrong", "ENODEV"),
    (16, "incorrect password", "EACCES"),
    (30, "no network service", "EHOSTUNREACH"),
    (100, "unknown", "EIO"),
    (107, "GPRS services not allowed", "EACCES"),
    (148, "unspecified GPRS error", "EACCES EIO"),
    (149, "PDP authentication failure", "EACCES"),
    (160, "DNS resolve failed", "EHOSTUNREACH"),
    (161, "socket open failed", "ENOBUFS"),
    (180, "not attached", "ENOTCONN"),
    (181, "stack busy", "EAGAIN"),
    (765, "invalid input value", "EINVAL"),
    (767, "operation failed", "EIO"),
    (999, "nobody knows", "EIO"),
)
# <err_info> of +IP ERROR
INFO = (
    (0, "Connection time out", "ETIMEDOUT"),
    (1, "Bind port failed", "EADDRINUSE"),
    (2, "Port overflow", "EINVAL"),
    (3, "Create socket failed", "ENOBUFS"),
    (4, "Network is already opened", "EALREADY"),
    (5, "Network is already closed", "ENOTCONN"),
    (6, "No clients connected", "ENOTCONN"),
    (7, "No active client", "ENOTCONN"),
    (8, "Network not opened", "ENOTCONN"),
    (9, "Client index overflow", "EBADF"),
    (10, "Connection is already created", "EALREADY"),
    (11, "Connection is not created", "ENOTCONN"),
    (12, "Invalid parameter", "EINVAL"),
    (13, "Operation not supported", "EOPNOTSUPP"),
    (14, "DNS query failed", "EHOSTUNREACH"),
    (15, "TCP busy", "EAGAIN"),
    (16, "Net close failed for socket opened", "EAGAIN"),
    (17, "Sending time out", "ETIMEDOUT"),
    (18, "Sending failure for network error", "ECONNABORTED"),
    (19, "Open failure for network error", "EHOSTUNREACH"),
    (20, "Server is already listening", "EADDRINUSE"),
    (21, "Operation failed", "EIO"),
    (22, "No data", "EAGAIN"),
    (23, "Something new", "EIO"),
)
# <err> of +CIPOPEN, +CIPERROR, …
ERR = (
    (1, "ECONNABORTED"),
    (2, "ENOTCONN"),
    (3, "EINVAL"),
    (4, "EALREADY"),
    (5, "ENOBUFS"),
    (6, "EADDRINUSE"),
    (7, "EADDRINUSE"),
    (8, "EAGAIN"),
    (9, "EAGAIN"),
    (10, "ETIMEDOUT"),
    (11, "EHOSTUNREACH"),
    (12, "EIO"),
    (99, "EIO"),
)


def line(text):
    return b"\r\n" + text.encode() + b"\r\n"


def made(family, apn="internet"):
    """A scripted module and its driver."""
    shim.reset()
    module = OpenModule(family) if family in OPEN else Module()
    modem = getattr(simcom, family.upper())(module.uart)
    modem.active(True)
    if apn:
        modem.connect(apn)
    return module, modem


def raised(names, call, *args):
    """The exception; its errno has one of these names and exists on MicroPython."""
    with pytest.raises(OSError) as caught:
        call(*args)
    code = caught.value.args[0]
    assert code in [UNKNOWN if name == "UNKNOWN" else getattr(errno, name) for name in names.split()], caught.value
    return caught.value


@pytest.mark.feature("errors")
@cip_family
def test_every_cme_error(family):
    module, modem = made(family)
    for number, _, names in CME:
        module.say_to[b"AT+ANY"] = line("+CME ERROR: %d" % number)
        e = raised(names, modem.at, "+ANY=1")
        assert isinstance(e, simcom.ATError)
        assert e.cmd == "AT+ANY=1" and e.line == "+CME ERROR: %d" % number
        assert e.cmd in str(e) and e.line in str(e)
    assert modem.at("+CSQ") == ["+CSQ: 20,0"]


@cip_family
def test_errors_in_words_keep_their_text(family):
    module, modem = made(family)
    for _, text, _ in CME:
        for answer in ("+CME ERROR: " + text, "+CMS ERROR: " + text):
            module.say_to[b"AT+ANY"] = line(answer)
            assert answer in str(raised("EIO", modem.at, "+ANY"))
    module.say_to[b"AT+ANY"] = ERROR
    assert "ERROR" in str(raised("EIO", modem.at, "+ANY"))


@pytest.mark.feature("errors")
@open_family
def test_every_err_info_as_number_and_text(family):
    module, modem = made(family)
    for number, text, names in INFO:
        for said in ("%d" % number, text):
            module.say_to[b"AT+CIPANY"] = line("+IP ERROR: " + said) + ERROR
            e = raised(names, modem.at, "+CIPANY=0")
            assert e.line == "+IP ERROR: " + said and e.line in str(e)
    module.say_to[b"AT+CIPANY"] = ERROR  # an older cause is not told again
    assert "+IP ERROR" not in str(raised("EIO", modem.at, "+CIPANY=0"))


@open_family
def test_every_err_info_of_a_connect(family):
    module, modem = made(family)
    for number, text, names in INFO:
        for said in ("%d" % number, text):
            module.say_to[b"AT+CIPOPEN=0,"] = line("+IP ERROR: " + said) + ERROR
            with modem.socket() as s:
                s.settimeout(60)
                assert "+IP ERROR: " + said in str(raised(names, s.connect, ("1.2.3.4", 80)))


@pytest.mark.feature("errors")
@open_family
def test_every_ciperror(family):
    module, modem = made(family)
    for number, names in ERR:
        for cmd in ("+CIPSEND=0,1", "+SERVERSTART=80,0"):
            module.say_to[b"AT" + cmd.encode()] = line("+CIPERROR: %d" % number) + ERROR
            if number == 4:
                names = "ENOTCONN" if "SEND" in cmd else "EOPNOTSUPP"
            assert "+CIPERROR: %d" % number in str(raised(names, unasked, modem, cmd))


@pytest.mark.feature("errors")
@open_family
@pytest.mark.parametrize("at_once", (False, True))
@pytest.mark.parametrize("number, names", ERR)
def test_every_err_of_a_connect(family, at_once, number, names):
    module, modem = made(family)
    if at_once:
        module.say_to[b"AT+CIPOPEN=0,"] = line("+CIPOPEN: 0,%d" % number) + ERROR
    else:
        module.connect_error["1.2.3.4"] = number
    s = modem.socket()
    s.settimeout(60)
    e = raised(names, s.connect, ("1.2.3.4", 80))
    assert "+CIPOPEN: 0,%d" % number in str(e)
    module.say_to.clear()
    module.connect_error.clear()
    s.connect(("1.2.3.4", 80))


@pytest.mark.feature("errors")
@open_family
@pytest.mark.parametrize("number, names", ERR)
def test_every_err_of_netopen(family, number, names):
    module, modem = made(family, apn=None)
    if number == 1:
        names = "EHOSTUNREACH"
    if number in (4,):
        return  # the network is open already
    module.say_to[b"AT+NETOPEN"] = lambda _: b"\r\nOK\r\n" + line("+NETOPEN: %d" % number)
    e = raised(names, modem.connect, "internet")
    assert "AT+NETOPEN: error %d" % number in str(e) and "APN" in str(e)
    assert not modem.isconnected()


@open_family
@pytest.mark.parametrize("number", (1, 3, 8, 10, 99))
def test_every_err_of_a_name(family, number):
    module, modem = made(family)
    module.say_to[b"AT+CDNSGIP"] = line("+CDNSGIP: 0,%d" % number) + ERROR
    e = raised("UNKNOWN", modem.resolve, "some.example")
    assert "some.example" in str(e) and "+CDNSGIP: 0,%d" % number in str(e)


@pytest.mark.feature("errors")
@start_family
@pytest.mark.parametrize("number, names", [(8, "UNKNOWN"), (3, "EHOSTUNREACH"), (99, "UNKNOWN")])
def test_every_err_of_a_name_after_ok(family, number, names):
    module, modem = made(family)
    module.say_to[b"AT+CDNSGIP"] = b"\r\nOK\r\n" + line("+CDNSGIP: 0,%d" % number)
    e = raised(names, modem.resolve, "some.example")
    assert "some.example" in str(e) and "+CDNSGIP: 0,%d" % number in str(e)


@pytest.mark.parametrize("family", START + OPEN)
@pytest.mark.parametrize("final", [ERROR, line("+CME ERROR: 3")])
def test_name_that_is_refused_without_a_reason(family, final):
    module, modem = made(family)
    module.say_to[b"AT+CDNSGIP"] = final
    e = raised("UNKNOWN", modem.resolve, "some.example")
    assert str(e).endswith("some.example: name not found (%s)" % final.decode().strip())


@pytest.mark.feature("errors")
@open_family
@pytest.mark.parametrize("reason, names", [(0, ""), (1, ""), (2, "ETIMEDOUT")])
def test_every_reason_of_a_close(family, reason, names):
    module, modem = made(family)
    s = modem.socket()
    s.settimeout(60)
    s.connect(("1.2.3.4", 80))
    module.close_peer(0, reason)
    if names:
        raised(names, s.read, 1)
    else:
        assert s.read(1) == b""
        assert s.write(b"x") == 1
        raised("ECONNRESET", s.write, b"x")


@pytest.mark.feature("errors")
@open_family
@pytest.mark.parametrize("confirmed, names", [(-1, "ECONNRESET"), (2, "ECONNABORTED")])
def test_send_that_is_not_confirmed(family, confirmed, names):
    module, modem = made(family)
    s = modem.socket()
    s.settimeout(60)
    s.connect(("1.2.3.4", 80))
    module.confirm = lambda n, count: confirmed
    raised(names, s.write, b"hello")


@pytest.mark.feature("errors")
@start_family
@pytest.mark.parametrize("after_ms, names", [(300, "ECONNREFUSED"), (20_000, "ETIMEDOUT")])
def test_connect_fail_soon_and_late(family, after_ms, names):
    module, modem = made(family)

    def fail(_):
        module.uart.later(after_ms, line("0, CONNECT FAIL"))
        return b"\r\nOK\r\n"

    module.say_to[b"AT+CIPSTART"] = fail
    module.say_to[b"AT+CIPSTATUS"] = line('+CIPSTATUS: 0,0,"TCP","1.2.3.4","80","CONNECTING"') + b"\r\nOK\r\n"
    s = modem.socket()
    s.settimeout(60)
    assert "CONNECT FAIL" in str(raised(names, s.connect, ("1.2.3.4", 80)))


@pytest.mark.feature("errors")
@start_family
def test_send_fail_and_context_lost(family):
    module, modem = made(family)
    s = modem.socket()
    s.settimeout(60)
    s.connect(("1.2.3.4", 80))
    module.say_to[b"AT+CIPSEND"] = lambda _: (b"\r\n> ", 5, lambda data: line("0, SEND FAIL"))
    raised("ECONNABORTED", s.write, b"hello")
    module.say_to.clear()
    s = modem.socket()
    s.settimeout(60)
    s.connect(("1.2.3.4", 80))
    module.uart.later(50, line("+PDP: DEACT"))
    assert "+PDP: DEACT" in str(raised("ENOTCONN", s.read, 1))


@cip_family
def test_no_answer_is_a_time_out_with_the_command(family):
    module, modem = made(family)
    module.say_to[b"AT+ANY"] = b""
    e = raised("ETIMEDOUT", modem.at, "+ANY")
    assert "AT+ANY" in str(e)
    assert modem.at("+CSQ") == ["+CSQ: 20,0"]


@each_family
@pytest.mark.parametrize(
    "cmd",
    (
        '+CPIN="48151623"',
        "+cpin=48151623",
        '+CLCK="SC",1,"48151623"',
        '+CPWD="SC","48151623","48151623"',
        '+CSTT="internet","hugo","48151623"',
        '+CGAUTH=1,7,"48151623","hugo"',
        '+CSOCKAUTH=9,9,"48151623","hugo"',
        '+CNCFG=9,9,"internet","hugo","48151623"',
    ),
)
@pytest.mark.parametrize("silent", (False, True))
def test_secrets_are_masked_in_what_is_raised(family, cmd, silent):
    rig = Rig(family=family, up=False)
    rig.vm.silent = silent
    rig.vm.do_CSTT = rig.vm.do_CNCFG = lambda op, args: REFUSED
    with pytest.raises(OSError) as caught:
        rig.modem.at(cmd, timeout_ms=2000)
    said = repr(caught.value) + str(caught.value) + repr(vars(caught.value))
    assert "48151623" not in said and "hugo" not in said
    assert "*" * 8 in said and cmd[:5] in said
