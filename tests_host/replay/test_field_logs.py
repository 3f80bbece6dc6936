"""What logs of real modules show that users asked about: each is a file in `cases/`, replayed against the driver."""

import errno

from feed import OK, info  # first: it puts the shim in place
from families import CIP, FAMILIES, OPEN, START
import pytest
from test_field_cases import Field, case, each_cip

each_start = pytest.mark.parametrize("family", START)
each_open = pytest.mark.parametrize("family", OPEN)


def raises(code, work, *args):
    with pytest.raises(OSError) as caught:
        work(*args)
    assert caught.value.errno == code, repr(caught.value)
    return str(caught.value)


def said(name):
    """What the module says in a case by itself, in one piece."""
    return b"".join(value for kind, value in case(name).steps if kind == "<")


@pytest.mark.parametrize("family", CIP)
@pytest.mark.parametrize("form", ["error", "information"])
def test_card_that_is_not_inserted_in_words(family, form):
    field = Field(family, "sim_not_inserted_words", for_ever=True)
    if form == "information":
        field.module.say_to[b"AT+CPIN?"] = info(b"+CPIN: SIM not inserted")
    field.module.say_to[b"AT+CEREG?"] = info(b"+CEREG: 0,0")
    field.module.say_to[b"AT+CGREG?"] = info(b"+CGREG: 0,0")
    field.module.say_to[b"AT+CREG?"] = info(b"+CREG: 0,0")
    field.modem.active(True)
    assert "SIM not inserted: is a SIM card in?" in raises(errno.ENODEV, field.modem.connect, "internet")
    assert "no network service" in raises(errno.EIO, field.modem.config, "operator")


@each_open
def test_network_that_is_refused_because_it_is_open(family):
    field = Field(family, "netopen_refused_open", for_ever=True)
    field.module.say_to[b"AT+NETOPEN?"] = info(b"+NETOPEN: 1")
    field.module.say_to[b"AT+NETCLOSE"] = b"\r\nERROR\r\n"
    field.module.net = True
    assert field.up().works()


@each_open
def test_network_that_is_refused_without_a_reason(family):
    field = Field(family, "netopen_refused_closed", for_ever=True)
    field.modem.active(True)
    assert "AT+NETOPEN: ERROR" in raises(errno.EIO, lambda: field.modem.connect("internet", timeout_ms=60_000))
    del field.module.say_to[b"AT+NETOPEN"]
    field.modem.connect("internet")
    assert "name not found" in raises(-2, field.modem.resolve, "google.com")
    assert field.works()


@each_open
def test_open_that_fails_at_once(family):
    field = Field(family, "open_refused_then_error").up()
    field.module.say_to = {b"AT+CIPOPEN=0,": field.module.say_to.popitem()[1]}
    s = field.socket()  # it was tried again
    s.close()
    assert field.works()


@each_open
def test_network_that_was_not_open(family):
    assert Field(family, "netclose_before_open").up().works()


@each_open
def test_context_that_is_taken_while_a_connection_is_opened(family):
    field = Field(family, "network_closed_behind_open").up()
    s = field.modem.socket()
    s.settimeout(10)
    with pytest.raises(OSError) as caught:
        s.connect(("1.2.3.4", 80))
        s.read(1)
    assert caught.value.errno == errno.ENOTCONN
    assert not field.modem.isconnected()
    field.modem.connect("internet")
    assert field.works()


@each_cip
def test_notice_of_another_link_before_the_answer_to_a_read(family):
    field = Field(family, "notice_of_another_link").up()
    a, b = field.socket(), field.socket()
    read = field.module.read
    notice = said("notice_of_another_link")
    field.module.read = lambda n, most: notice.replace(b"1,1", b"1,%d" % (1 - n)) + read(n, most)
    for n in range(3):
        field.module.arrive(0, b"one%d" % n)
        field.module.arrive(1, b"two%d" % n)
        assert a.read(4) == b"one%d" % n
        assert b.read(4) == b"two%d" % n


@each_cip
def test_reads_that_are_refused_again_and_again(family):
    field = Field(family, "read_refused").up()
    refused = dict(field.case.exchanges()).popitem()[1][0]
    s = field.socket()
    read = field.module.read
    field.module.read = lambda n, most: refused
    field.module.arrive(0, b"never seen")
    raises(errno.ECONNRESET, s.read, 1)
    s.close()
    field.module.read = read
    field.module.say_to.clear()
    field.module.inbox[0].clear()
    assert field.modem.flush(5000) and field.works()


@each_start
def test_shut_that_is_answered_with_the_loss_alone(family):
    field = Field(family, "shut_without_shut_ok", for_ever=False)
    field.modem.active(True)
    field.modem.connect("internet")
    assert field.works()


@pytest.mark.parametrize("family", CIP[1:])
def test_signal_that_is_lost_and_comes_back(family):
    field = Field(family, "not_attached_refused", for_ever=True)
    for name in (b"CEREG", b"CREG"):
        field.module.say_to[b"AT+%s?" % name] = info(b"+%s: 0,0" % name)
    field.modem.active(True)
    assert "registration" in raises(errno.ETIMEDOUT, lambda: field.modem.connect("internet", timeout_ms=30_000))
    assert field.modem.status("rssi") is None
    field.module.say_to.clear()
    field.modem.connect("internet")
    assert field.works()


@each_start
def test_result_of_an_open_that_comes_inside_another_command(family):
    field = Field(family, "late_connect_fail").up()
    s = field.socket()
    s.settimeout(0)
    assert field.modem.at("+CMGF=1") == []
    s.settimeout(5)
    assert field.carries(s)


@each_start
def test_single_connection_that_says_its_state_only(family):
    field = Field(family, "state_pdp_deact", mux=False)
    module = field.module
    module.say_to[b"AT+CIPSTATUS"] = OK + b"\r\nSTATE: PDP DEACT\r\n"
    field.modem.active(True)
    field.modem.connect("internet")
    s = field.modem.socket()
    s.settimeout(60)
    with pytest.raises(OSError) as caught:
        s.connect(("1.2.3.4", 80))
    assert caught.value.errno in (errno.ECONNREFUSED, errno.ETIMEDOUT, errno.ENOTCONN, errno.EHOSTUNREACH)


@pytest.mark.parametrize("family", FAMILIES[:4])
@pytest.mark.parametrize("name", ["garbage_at_restart", "noise_before_notice", "ready_while_probed"])
def test_noise_and_boot_lines_beside_a_connection(family, name):
    field = Field(family, name).up()
    s = field.socket()
    ms = 10
    for kind, value in field.case.steps:
        if kind == "@":
            ms += value
        else:
            field.module.uart.later(ms, value)
            ms += 5
    for _ in range(ms // 50 + 20):
        field.modem.wait(50)
    assert field.carries(s)


@each_cip
def test_module_that_is_starting_while_it_is_asked_for(family):
    field = Field(family, "ready_while_probed")
    module = field.module
    take, steps = module.receive, list(field.case.steps)
    awake = []

    def receive(data):
        if awake:
            return take(data)
        awake.append(True)
        ms = 100
        for kind, value in steps:
            if kind == "@":
                ms += value
            else:
                module.uart.later(ms, value)
                ms += 5

    module.uart.on_write = receive
    assert field.up().works()


@pytest.mark.parametrize("family", CIP[1:])
def test_contexts_of_an_earlier_card(family):
    field = Field(family, "three_contexts", for_ever=True)
    assert field.up().works()
    assert [each for each in field.module.sent(b"AT+CGDCONT=") if b'"internet"' in each]


@each_start
def test_open_that_is_never_answered(family):
    field = Field(family, "open_without_an_answer").up()
    assert field.works()


@each_cip
def test_second_ok_of_a_setting(family):
    field = Field(family, "second_ok_of_cnmp").up()
    assert field.modem.at("+CNMP=2") == []
    assert field.modem.at("+CSQ") == ["+CSQ: 20,0"]
    assert field.works()


@each_open
def test_two_settings_that_are_refused(family):
    field = Field(family, "setting_refused_sim5320").up()
    assert [why for why in field.modem.status("refused") if "SENDMODE" in why]
    assert field.works()


@each_cip
def test_module_that_switches_itself_off_in_a_session(family):
    field = Field(family, "power_down_in_session").up()
    s = field.socket()
    field.module.uart.later(5, said("power_down_in_session"))
    assert "switched itself off" in raises(errno.ETIMEDOUT, s.read, 1)
    assert not field.modem.isconnected()


@each_open
@pytest.mark.parametrize("ms", [0, 50, 2000])
def test_address_of_a_name_that_comes_behind_ok(family, ms):
    field = Field(family, "late_ok_cpin").up()
    module = field.module

    def late(line):
        module.uart.later(2, OK)
        module.uart.later(3 + ms, b'\r\n+CDNSGIP: 1,"peer.example","192.0.2.9"\r\n')
        return b""

    module.say_to[b"AT+CDNSGIP="] = late
    assert field.modem.resolve("peer.example") == ["192.0.2.9"]
    assert len(module.sent(b"AT+CDNSGIP=")) == 1 and field.works()
