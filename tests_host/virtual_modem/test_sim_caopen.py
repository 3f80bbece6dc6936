"""The CAOPEN dialect of the virtual SIM7080: contexts, links, servers, transparent mode, and what goes wrong."""

import pytest
from sim import Blackhole, Blob, Echo, Refuse, Script, Sink, Slam, Stall
from sim import sim7080
from sim_host import Host

OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"
UP = "AT+CNACT=0,1"
OPEN = 'AT+CAOPEN=%d,0,"TCP","example.com",80'
PEER = ("example.com", 80)
BLOB = bytes(range(256)) * 12


def line(text) -> bytes:
    return b"\r\n" + (text.encode() if isinstance(text, str) else text) + b"\r\n"


def up(peer=Sink, *commands, family="sim7080", choices=None, **settings):
    """A module with context 0 on."""
    host = Host(family, choices=choices, **settings)
    host.net.serve(*PEER, peer)
    host.do(UP, *commands)
    return host


def linked(peer=Sink, *commands, link=0, mode="", **settings):
    """The same with an open link."""
    host = up(peer, *commands, **settings)
    answer = host.ask(OPEN % link + mode, 1000)
    assert answer.startswith(line("+CAOPEN: %d,0" % link) + OK), answer
    return host


def send(host, command: str, payload: bytes, ms=500) -> bytes:
    assert host.ask(command) == b"\r\n> "
    return host.ask(payload, ms)


def carecv(data: bytes, trailer=b"\r\n" + OK) -> bytes:
    return b"\r\n+CARECV: %d," % len(data) + data + trailer


def peer_of(host, n=-1):
    return host.net.connections[n]


# --- contexts


def rows(*states) -> bytes:
    text = [
        '+CNACT: %d,%d,"%s"' % (i, *(states[i] if i < len(states) else (0, "0.0.0.0")))  # one of the four
        for i in range(4)
    ]
    return line("\r\n".join(text))


def test_context_goes_on_and_off():
    host = Host("sim7080")
    assert host.ask("AT+CNACT?") == rows() + OK
    assert host.ask(UP, 100) == OK
    assert host.ask("AT+CNACT?") == rows((2, "0.0.0.0")) + OK
    assert host.wait(1000) == line("+APP PDP: 0,ACTIVE")
    assert host.ask("AT+CNACT?") == rows((1, "10.78.245.128")) + OK
    assert host.ask("AT+CNACT=0,0", 1000) == OK + line("+APP PDP: 0,DEACTIVE")
    assert host.ask("AT+CNACT?") == rows() + OK


def test_four_contexts_have_an_address_each():
    host = Host("sim7080")
    for pdp in range(4):
        assert host.ask("AT+CNACT=%d,1" % pdp, 1000) == OK + line("+APP PDP: %d,ACTIVE" % pdp)
    addresses = "10.78.245.128", "10.204.70.11", "10.78.245.132", "10.78.245.133"
    assert host.ask("AT+CNACT?") == rows(*((1, each) for each in addresses)) + OK
    for bad in ("AT+CNACT=4,1", "AT+CNACT=0,3", "AT+CNACT=0", "AT+CNACT"):
        assert host.ask(bad) == ERROR


def test_line_of_a_context_before_its_ok():
    host = Host("sim7080", choices={"bearer_order": "line first"})
    assert host.ask(UP, 1000) == line("+APP PDP: 0,ACTIVE") + OK
    assert host.ask("AT+CNACT=0,0", 1000) == line("+APP PDP: 0,DEACTIVE") + OK


@pytest.mark.parametrize(
    "form, on, off",
    [
        ("always", "+APP PDP: 1,ACTIVE", "+APP PDP: 1,DEACTIVE"),
        ("active", "+APP PDP: 1,ACTIVE", "+APP PDP: DEACTIVE"),
        ("never", "+APP PDP: ACTIVE", "+APP PDP: DEACTIVE"),
    ],
)
def test_index_of_a_context_line(form, on, off):
    host = Host("sim7080", choices={"pdp_index": form})
    assert host.ask("AT+CNACT=1,1", 1000) == OK + line(on)
    assert host.ask("AT+CNACT=1,0", 1000) == OK + line(off)


@pytest.mark.parametrize("form, answer", [("error", ERROR), ("ok", OK), ("ok line", OK + line("+APP PDP: 0,ACTIVE"))])
def test_context_that_is_on_already(form, answer):
    host = up(choices={"cnact_active": form})
    assert host.ask(UP, 1000) == answer


@pytest.mark.parametrize("form, answer", [("error", ERROR), ("ok", OK), ("ok line", OK + line("+APP PDP: 0,DEACTIVE"))])
def test_context_that_is_off_already(form, answer):
    host = Host("sim7080", choices={"cnact_inactive": form})
    assert host.ask("AT+CNACT=0,0", 1000) == answer


def test_context_that_the_network_refuses():
    host = Host("sim7080", refuse_contexts=1)
    assert host.ask(UP, 1000) == OK + line("+APP PDP: 0,DEACTIVE")
    assert host.ask(UP, 1000) == OK + line("+APP PDP: 0,ACTIVE")
    host = Host("sim7080")
    host.vm.registration = 2
    assert host.ask(UP, 1000) == OK + line("+APP PDP: 0,DEACTIVE")


def test_context_with_an_apn_of_another_network():
    host = Host("sim7080", home_apns=("", "ctnb"))
    host.do('AT+CNCFG=0,1,"wrong"', 'AT+CNCFG=1,1,"ctnb"')
    assert host.ask(UP, 1000) == OK + line("+APP PDP: 0,DEACTIVE")
    assert host.ask("AT+CNACT=1,1", 1000) == OK + line("+APP PDP: 1,ACTIVE")


def test_automatic_context_comes_back_by_itself():
    host = Host("sim7080", refuse_contexts=1)
    assert host.ask("AT+CNACT=0,2", 4000) == OK + line("+APP PDP: 0,DEACTIVE")
    assert host.wait(3000) == line("+APP PDP: 0,ACTIVE")
    host.vm.network_lost()
    assert host.wait(6000) == line("+APP PDP: 0,DEACTIVE") + line("+APP PDP: 0,ACTIVE")
    host.vm.registration = 2
    host.vm.network_lost()
    assert host.wait(20_000) == line("+APP PDP: 0,DEACTIVE")
    host.vm.registration = 1
    assert host.wait(6000) == line("+APP PDP: 0,ACTIVE")
    host.do("AT+CNACT=0,0")
    assert host.wait(10_000) == b""


def test_address_of_the_network_says_nothing_about_contexts():
    host = Host("sim7080")
    assert host.ask("AT+CGPADDR") == line('+CGPADDR: 1,"10.78.245.128"') + OK
    assert host.ask("AT+CGPADDR=?") == OK
    host.vm.registration = 2
    assert host.ask("AT+CGPADDR") == line('+CGPADDR: 1,"0.0.0.0"') + OK


def test_settings_of_a_context():
    host = Host("sim7080")
    assert host.ask('AT+CNCFG=1,2,"apn","user","word",3') == OK
    shown = '+CNCFG: 0,0,"","","",0\r\n+CNCFG: 1,2,"apn","user","word",3\r\n'
    shown += '+CNCFG: 2,0,"","","",0\r\n+CNCFG: 3,0,"","","",0'
    assert host.ask("AT+CNCFG?") == line(shown) + OK
    for bad in ("4,1", "0,5", '0,1,"a","u","p",4', '0,1,"%s"' % ("a" * 151), '0,1,"a","%s"' % ("u" * 128)):
        assert host.ask("AT+CNCFG=" + bad) == ERROR
    host.do(UP)
    assert host.ask('AT+CNCFG=0,1,"other"') == ERROR


def test_apn_that_the_network_gives():
    host = Host("sim7080")
    assert host.ask("AT+CGNAPN") == line('+CGNAPN: 1,"ctnb"') + OK
    host.vm.registration = 2
    assert host.ask("AT+CGNAPN") == line('+CGNAPN: 0,""') + OK
    host = Host("sim7070")
    host.do("AT+CNMP=13")
    assert host.ask("AT+CGNAPN") == line('+CGNAPN: 0,""') + OK
    assert host.ask("AT+CEREG?") == line("+CEREG: 0,0") + OK


@pytest.mark.parametrize(
    "form, lines",
    [
        ("alone", line("+APP PDP: 0,DEACTIVE")),
        ("states before", line("+CASTATE: 2,0") + line("+APP PDP: 0,DEACTIVE")),
        ("states behind", line("+APP PDP: 0,DEACTIVE") + line("+CASTATE: 2,0")),
        ("states", line("+CASTATE: 2,0")),
    ],
)
def test_context_lost(form, lines):
    host = linked(link=2, choices={"context_loss": form})
    host.vm.network_lost()
    assert host.wait(100) == lines
    assert host.ask("AT+CNACT?") == rows() + OK
    assert host.ask("AT+CASTATE?") == line("+CASTATE: 2,0") + OK
    assert host.ask("AT+CASEND=2,5") == ERROR
    assert host.ask("AT+CACLOSE=2") == OK
    assert not peer_of(host).is_open


def test_loss_of_one_context_leaves_the_others_alone():
    host = up(Sink, "AT+CNACT=1,1", OPEN % 0, 'AT+CAOPEN=1,1,"TCP","example.com",80')
    host.vm.network_lost(1)
    assert host.wait(100) == line("+APP PDP: 1,DEACTIVE")
    assert host.ask("AT+CASTATE?") == line("+CASTATE: 0,1\r\n+CASTATE: 1,0") + OK
    assert send(host, "AT+CASEND=0,5", b"hello") == OK


@pytest.mark.parametrize(
    "form, lines, left",
    [("silent", b"", b""), ("reported", line("+CASTATE: 0,0"), line("+CASTATE: 0,0"))],
)
def test_switching_a_context_off_closes_its_links(form, lines, left):
    host = linked(choices={"cnact_off": form})
    assert host.ask("AT+CNACT=0,0", 1000) == OK + lines + line("+APP PDP: 0,DEACTIVE")
    assert host.ask("AT+CASTATE?") == left + OK
    assert not peer_of(host).is_open


def test_detaching_and_flight_mode_end_the_contexts():
    host = up()
    assert host.ask("AT+CGATT=0", 1000) == line("+APP PDP: 0,DEACTIVE") + OK
    host = up()
    assert host.ask("AT+CFUN=0", 1000) == line("+APP PDP: 0,DEACTIVE") + line("+CPIN: NOT READY") + OK


def test_creg_does_not_tell_of_an_lte_network():
    host = Host("sim7080", choices={"creg": "searching"})
    assert host.ask("AT+CREG?") == line("+CREG: 0,2") + OK
    assert host.ask("AT+CEREG?") == line("+CEREG: 0,1") + OK


# --- open


def test_links_open_in_any_number():
    host = up()
    for n in range(13):
        assert host.ask(OPEN % n, 1000) == line("+CAOPEN: %d,0" % n) + OK
    assert host.ask(OPEN % 13) == ERROR
    shown = "\r\n".join('+CAOPEN: %d,0,"TCP","example.com",80,0' % n for n in range(13))
    assert host.ask("AT+CAOPEN?") == line(shown) + OK
    assert host.ask("AT+CASTATE?") == line("\r\n".join("+CASTATE: %d,1" % n for n in range(13))) + OK


@pytest.mark.parametrize(
    "values",
    [
        '0,0,"XXX","a",1',
        '0,0,"TCP","a",0',
        '0,0,"TCP","a",65536',
        '0,0,"TCP","",1',
        '0,5,"TCP","a",1',
        '13,0,"TCP","a",1',
        '0,0,"TCP","a"',
        '0,0,"TCP","a",1,2',
        '0,0,"TCP","a",1,0,0',
    ],
)
def test_open_with_a_wrong_parameter(values):
    assert up().ask("AT+CAOPEN=" + values) == ERROR


@pytest.mark.parametrize(
    "proto, host_name, result",
    [("NONIP", "a", 7), ("TCP", "x" * 65, 4), ("TCP", "300.1.1.1", 6), ("TCP", "no.such.host", 20)],
)
def test_open_that_fails_before_it_connects(proto, host_name, result):
    host = up()
    answer = host.ask('AT+CAOPEN=0,0,"%s","%s",80' % (proto, host_name), 1000)
    assert answer == line("+CAOPEN: 0,%d" % result) + OK
    assert host.ask("AT+CASTATE?") == OK


def test_taken_number_is_refused_until_it_is_closed():
    host = linked(Slam)
    assert host.wait(500) == b""  # +CASTATE came behind the OK
    assert host.ask(OPEN % 0) == ERROR
    assert host.ask("AT+CACLOSE=0") == OK
    assert host.ask(OPEN % 0, 1000).startswith(line("+CAOPEN: 0,0") + OK)


@pytest.mark.parametrize("peer, result", [(Refuse, 23), (Blackhole, 27)])
@pytest.mark.parametrize(
    "form, answer",
    [
        ("ok", lambda text: text + OK),
        ("error", lambda text: text + ERROR),
        ("error alone", lambda text: ERROR),
        ("cme", lambda text: line("+CME ERROR: 3")),
    ],
)
def test_answer_of_an_open_that_fails(peer, result, form, answer):
    host = up(peer, "AT+CMEE=1", choices={"open_failure": form})
    got = host.ask(OPEN % 0, 90_000)
    assert got == answer(line("+CAOPEN: 0,%d" % result))
    assert host.ask("AT+CACLOSE=0") == ERROR
    assert host.ask("AT+CASTATE?") == OK


def test_number_of_an_open_that_failed_stays_taken():
    host = up(Refuse, choices={"failed_link": "taken", "no_answer": 2})
    assert host.ask(OPEN % 0, 1000) == line("+CAOPEN: 0,23") + OK
    assert host.ask(OPEN % 0, 1000) == ERROR
    assert host.ask("AT+CACLOSE=0") == OK
    host.net.serve(*PEER, Blackhole)
    assert host.ask(OPEN % 0, 74_000) == b""
    assert host.wait(2000) == line("+CAOPEN: 0,2") + OK


@pytest.mark.parametrize(
    "form, answer",
    [
        (21, line("+CAOPEN: 0,21") + OK),
        (1, line("+CAOPEN: 0,1") + OK),
        (-1, ERROR),
        ("NO CARRIER", line("NO CARRIER")),
    ],
)
def test_open_without_a_context(form, answer):
    host = Host("sim7080", choices={"no_context": form})
    assert host.ask('AT+CAOPEN=0,0,"TCP","192.0.2.1",80') == answer


def test_automatic_context_of_an_open():
    host = Host("sim7080")
    host.net.serve(*PEER, Sink)
    host.do("AT+CNACT=2,1")
    assert host.ask('AT+CAOPEN=0,4,"TCP","example.com",80', 1000) == line("+CAOPEN: 0,0") + OK
    assert host.ask("AT+CAOPEN?") == line('+CAOPEN: 0,2,"TCP","example.com",80,0') + OK


def test_more_links_than_can_be_open():
    host = linked(open_limit=1)
    assert host.ask(OPEN % 1, 1000) == line("+CAOPEN: 1,3") + OK


def test_ok_before_the_result_of_an_open():
    host = up(choices={"open_order": "ok first"})
    host.net.connect_ms = 1000
    assert host.ask(OPEN % 0, 500) == OK
    assert host.wait(2000) == line("+CAOPEN: 0,0")
    host.net.serve(*PEER, Refuse)
    assert host.ask(OPEN % 1, 2000) == OK + line("+CAOPEN: 1,23")


@pytest.mark.parametrize(
    "form, at_once, later",
    [
        ("waits", b"", b"AT\r" + OK),
        ("lost", b"", b""),
        ("echoed", b"AT\r", OK),
        ("error", b"AT\r" + ERROR, b""),
    ],
)
def test_command_while_an_open_holds_the_channel(form, at_once, later):
    host = up(Blackhole, choices={"deaf": form})
    host.vm.echo = True
    assert host.ask(OPEN % 0, 5000) == (OPEN % 0).encode() + b"\r"
    assert host.ask("AT", 1000) == at_once
    assert host.wait(75_000) == line("+CAOPEN: 0,27") + OK + later
    assert host.ask("AT") == b"AT\r" + OK


@pytest.mark.parametrize("form, waited", [("waits", OK), ("lost", b""), ("echoed", OK), ("error", ERROR)])
def test_open_that_hangs_ends_when_the_context_is_switched_off(form, waited):
    host = up(choices={"deaf": form}, hung_opens=1)
    assert host.ask(OPEN % 0, 300_000) == b""
    assert host.ask("AT") == (ERROR if form == "error" else b"")
    answers = line("+CAOPEN: 0,27") + OK + (waited if form in ("waits", "echoed") else b"")
    host.ask(b"AT+CNA")
    assert host.ask("CT=0,0", 1000) == answers + OK + line("+APP PDP: 0,DEACTIVE")


def test_opens_that_do_not_hold_the_channel():
    host = up(Sink, 'AT+CACFG="ASYNCOPEN",1')
    host.net.serve("silent.example", 80, Blackhole)
    assert host.ask('AT+CAOPEN=5,0,"TCP","silent.example",80', 1000) == OK
    assert host.ask(OPEN % 0, 1000) == OK + line("+CAOPEN: 0,0")
    assert host.ask("AT+CASTATE?") == line("+CASTATE: 0,1") + OK
    assert host.ask("AT+CAOPEN?") == line('+CAOPEN: 0,0,"TCP","example.com",80,0') + OK
    assert host.wait(75_000) == line("+CAOPEN: 5,27")


def test_asynchronous_open_ends_with_its_context():
    host = up(Blackhole, 'AT+CACFG="ASYNCOPEN",1')
    assert host.ask(OPEN % 0, 1000) == OK
    host.vm.network_lost()
    assert host.wait(1000) == line("+CAOPEN: 0,21") + line("+APP PDP: 0,DEACTIVE")


def test_asynchronous_open_that_is_closed_says_no_more():
    host = up(Blackhole, 'AT+CACFG="ASYNCOPEN",1')
    assert host.ask(OPEN % 0, 1000) == OK
    assert host.ask("AT+CACLOSE=0") == OK
    assert host.wait(80_000) == b""


def test_firmware_without_asynchronous_opens():
    host = up(choices={"async_open": "no effect"})
    assert host.ask('AT+CACFG="ASYNCOPEN",1') == OK
    assert host.ask(OPEN % 0, 1000) == line("+CAOPEN: 0,0") + OK
    host = up(choices={"async_open": "refused"})
    assert host.ask('AT+CACFG="ASYNCOPEN",1') == ERROR


@pytest.mark.parametrize("form, answer", [("refused", ERROR), ("result 4", line("+CAOPEN: 0,4") + OK)])
def test_firmware_without_push(form, answer):
    host = up(choices={"recv_mode": form})
    assert host.ask(OPEN % 0 + ",1", 1000) == answer
    assert host.ask(OPEN % 1 + ",0", 1000) == line("+CAOPEN: 1,0") + OK


def test_results_that_a_test_asks_for():
    host = up(open_results=[11, 0, 24])
    assert host.ask(OPEN % 0, 1000) == line("+CAOPEN: 0,11") + OK
    assert host.ask(OPEN % 0, 1000) == line("+CAOPEN: 0,0") + OK
    assert host.ask(OPEN % 1, 1000) == line("+CAOPEN: 1,24") + OK


def test_ipv6_is_chosen_by_the_context():
    host = Host("sim7080")
    host.net.name("six.example", "192.0.2.5", "2001:db8::5")
    host.net.serve("2001:db8::5", 80, Sink)
    host.net.serve("192.0.2.5", 80, Sink)
    host.do("AT+CNCFG=0,2", UP)
    assert host.ask("AT+CNACT?").startswith(b'\r\n+CNACT: 0,1,"2409:')
    assert host.ask('AT+CAOPEN=0,0,"TCP","six.example",80', 1000) == line("+CAOPEN: 0,0") + OK
    assert peer_of(host).address == "2001:db8::5"
    host.do("AT+CNCFG=1,1", "AT+CNACT=1,1", 'AT+CAOPEN=1,1,"TCP","six.example",80')
    assert peer_of(host).address == "192.0.2.5"


# --- close


@pytest.mark.parametrize(
    "form, answer",
    [("ok", OK), ("error", ERROR), ("line", line("+CACLOSE: 0") + OK)],
)
def test_close_after_a_remote_close(form, answer):
    host = linked(Slam, choices={"close_closed": form})
    assert host.ask("AT+CASTATE?") == line("+CASTATE: 0,0") + OK
    assert host.ask("AT+CACLOSE=0") == answer
    assert host.ask("AT+CASTATE?") == OK
    assert host.ask("AT+CACLOSE=0") == ERROR


def test_number_that_is_given_back_without_being_asked():
    host = up(lambda: Blob(b"last"), choices={"close_closed": "freed"})
    got = line("+CAOPEN: 0,0") + OK + line("+CADATAIND: 0") + line("+CASTATE: 0,0")
    assert host.ask(OPEN % 0, 1000) == got
    assert host.ask("AT+CARECV=0,100") == carecv(b"last") + line("+CACLOSE: 0")
    assert host.ask("AT+CACLOSE=0") == ERROR


def test_number_that_is_given_back_after_a_time():
    host = up(Slam, 'AT+CACFG="ATOCLOSE",1,5')
    assert host.ask(OPEN % 0, 4000) == line("+CAOPEN: 0,0") + OK + line("+CASTATE: 0,0")
    assert host.wait(2000) == line("+CACLOSE: 0")
    assert host.ask(OPEN % 0, 1000).startswith(line("+CAOPEN: 0,0"))
    host.do("AT+CACLOSE=0", OPEN % 0, "AT+CACLOSE=0")
    assert host.wait(10_000) == b""


def test_unread_data_goes_with_the_close():
    host = linked(lambda: Blob(b"unread", close=False))
    assert host.ask("AT+CARECV?") == line("+CARECV: 0,6") + OK
    assert host.ask("AT+CACLOSE=0") == OK
    assert host.ask("AT+CARECV?") == OK


def test_own_close_reaches_the_peer_with_all_data():
    host = linked()
    send(host, "AT+CASEND=0,3", b"end", 10)
    assert host.ask("AT+CACLOSE=0") == OK
    assert peer_of(host).received == b"end"
    assert not peer_of(host).is_open


def test_test_and_wrong_forms():
    host = up()
    for command in ("AT+CACLOSE", "AT+CACLOSE?", "AT+CACLOSE=13", "AT+CACLOSE=0,1", "AT+CASTATE", "AT+CAACK=0"):
        assert host.ask(command) == ERROR
    assert host.ask("AT+CASTATE=?") == OK
    assert host.ask("AT+CASWITCH=?") == line("+CASWITCH: (0-12),(0,1)") + OK


# --- send


def test_send_and_count():
    host = linked(Echo)
    assert host.ask("AT+CASEND=0") == line("+CASEND: 10240") + OK
    assert send(host, "AT+CASEND=0,5", b"hello").startswith(OK)
    assert host.ask("AT+CAACK=0") == line("+CAACK: 5,0") + OK
    host.do("AT+CACLOSE=0")
    assert host.ask("AT+CASEND=0") == ERROR
    assert host.ask("AT+CAACK=0") == ERROR
    host.do(OPEN % 0)
    assert host.ask("AT+CAACK=0") == line("+CAACK: 0,0") + OK


def test_payload_may_hold_anything():
    host = linked()
    payload = bytes(range(256)) + b"\r\nAT\r\x1a\x1b"
    assert send(host, "AT+CASEND=0,%d" % len(payload), payload) == OK
    assert peer_of(host).received == payload


@pytest.mark.parametrize("values", ["0,0", "0,1461", "0,5,99", "0,5,10001", "1,5", "13,5", "0,5,5000,1", ""])
def test_send_that_gets_no_prompt(values):
    assert linked().ask("AT+CASEND=" + values) == ERROR


def test_prompt_without_its_blank():
    host = linked(choices={"prompt": b"\r\n>"})
    assert host.ask("AT+CASEND=0,1") == b"\r\n>"


@pytest.mark.parametrize("form, echo", [(True, b"hello"), (False, b"")])
def test_echo_of_the_payload(form, echo):
    host = linked(choices={"payload_echo": form})
    host.vm.echo = True
    assert host.ask("AT+CASEND=0,5") == b"AT+CASEND=0,5\r\r\n> "
    assert host.ask(b"hello") == echo + OK


@pytest.mark.parametrize(
    "form, answer",
    [("none", OK), ("behind", OK + line("+CASEND: 0,0,5")), ("instead", line("+CASEND: 0,0,5"))],
)
def test_late_result_of_a_send(form, answer):
    host = linked(choices={"late_casend": form})
    assert send(host, "AT+CASEND=0,5", b"hello") == answer
    assert host.ask("AT") == OK


def test_result_of_a_send_that_lies():
    host = linked(choices={"late_casend": "behind"}, lies=["4"])
    assert send(host, "AT+CASEND=0,5", b"hello") == OK + line("+CASEND: 0,0,4")


@pytest.mark.parametrize("form, answer, sent", [("error", ERROR, b""), ("ok", OK, b"hel"), ("silence", b"", b"")])
def test_input_time_that_is_over(form, answer, sent):
    host = linked(choices={"input_over": form})
    assert host.ask("AT+CASEND=0,5,1000") == b"\r\n> "
    assert host.ask(b"hel", 500) == b""
    assert host.wait(1000) == answer
    assert peer_of(host).received == sent
    assert host.ask("AT") == OK
    assert send(host, "AT+CASEND=0,5,1000", b"again", 2000) == OK


@pytest.mark.parametrize(
    "form, prompt, answer, taken",
    [("behind", b"\r\n> ", ERROR, 9000), ("behind part", b"\r\n> ", ERROR, 10_240), ("before", ERROR, b"", 9000)],
)
def test_more_than_the_send_buffer_takes(form, prompt, answer, taken):
    host = linked(Stall, choices={"full": form})
    for _ in range(9):
        assert send(host, "AT+CASEND=0,1000", bytes(1000)) == OK
    assert host.ask("AT+CASEND=0") == line("+CASEND: 1240") + OK
    assert host.ask("AT+CASEND=0,1300") == prompt
    if prompt != ERROR:
        assert host.ask(bytes(1300), 300) == answer
    assert host.ask("AT+CAACK=0") == line("+CAACK: %d,%d" % (taken, taken)) + OK


def test_send_buffer_that_takes_a_byte_less_than_it_tells():
    host = linked(Stall, choices={"room": "one more"})
    for _ in range(9):
        assert send(host, "AT+CASEND=0,1000", bytes(1000)) == OK
    assert host.ask("AT+CASEND=0") == line("+CASEND: 1240") + OK
    assert send(host, "AT+CASEND=0,1240", bytes(1240)) == ERROR
    assert send(host, "AT+CASEND=0,1239", bytes(1239)) == OK


def test_fields_of_caack_the_other_way_round():
    host = linked(Stall, choices={"caack": "unacked first"})
    send(host, "AT+CASEND=0,5", b"hello")
    peer_of(host).resume()
    host.wait(100)
    assert host.ask("AT+CAACK=0") == line("+CAACK: 0,5") + OK


def test_link_that_goes_behind_the_prompt():
    host = linked()
    assert host.ask("AT+CASEND=0,5") == b"\r\n> "
    peer_of(host).close()
    assert host.wait(500) == b""
    assert host.ask(b"hello") == line("+CASTATE: 0,0") + ERROR


def test_sends_that_are_refused():
    host = linked(refuse_sends=1)
    assert host.ask("AT+CASEND=0,5") == ERROR
    assert send(host, "AT+CASEND=0,5", b"hello") == OK


def test_prompt_that_comes_behind_an_error():
    host = linked(late_prompts=1)
    assert host.ask("AT+CASEND=0,5", 500) == ERROR
    assert host.wait(500) == b"\r\n> "
    assert host.ask(b"hello") == OK
    host = linked(stray_errors=1)
    assert host.ask("AT+CASEND=0,5") == ERROR + b"\r\n> "


def test_line_between_payload_and_ok():
    host = linked()
    host.vm.inject("after_payload", "+CADATAIND: 5")
    assert send(host, "AT+CASEND=0,5", b"hello") == line("+CADATAIND: 5") + OK


def test_size_of_the_send_buffer():
    host = up(Sink, 'AT+CACFG="SNDBUF",5840', OPEN % 0)
    assert host.ask("AT+CASEND=0") == line("+CASEND: 5840") + OK


# --- receive in buffer access


@pytest.mark.parametrize("trailer", [b"\r\n\r\nOK\r\n", b"\r\nOK\r\n"])
def test_payload_stands_on_the_line_of_its_header(trailer):
    host = linked(lambda: Blob(b"a\r\nOK\r\n", close=False), choices={"trailer": trailer})
    host.vm.inject("after_ok", "+CADATAIND: 5")
    assert host.ask("AT+CARECV=0,4") == carecv(b"a\r\nO", trailer) + line("+CADATAIND: 5")
    host.vm.inject("before_data_ok", "+CADATAIND: 6")
    assert host.ask("AT+CARECV=0,1460") == carecv(b"K\r\n", line("+CADATAIND: 6") + trailer)


@pytest.mark.parametrize(
    "form, answer",
    [("+CARECV: 0", line("+CARECV: 0") + OK), ("+CARECV: 0,", line("+CARECV: 0,") + OK), ("ok", OK), ("error", ERROR)],
)
def test_nothing_to_read(form, answer):
    host = linked(choices={"empty": form})
    assert host.ask("AT+CARECV=0,100") == answer


def test_nothing_received_yet_gets_only_ok():
    host = linked(Echo, choices={"early": "ok"})
    assert host.ask("AT+CARECV=0,100") == OK
    assert send(host, "AT+CASEND=0,2", b"hi") == OK + line("+CADATAIND: 0")
    assert host.ask("AT+CARECV=0,100") == carecv(b"hi")
    assert host.ask("AT+CARECV=0,100") == line("+CARECV: 0") + OK


@pytest.mark.parametrize("form, answer", [("empty", line("+CARECV: 0") + OK), ("error", ERROR)])
def test_rest_is_read_after_a_remote_close(form, answer):
    host = linked(lambda: Blob(b"0123456789"), choices={"closed_read": form})
    assert host.ask("AT+CASTATE?") == line("+CASTATE: 0,0") + OK
    assert host.ask("AT+CARECV=0,6") == carecv(b"012345")
    assert host.ask("AT+CARECV=0,6") == carecv(b"6789")
    assert host.ask("AT+CARECV=0,6") == answer
    host.do("AT+CACLOSE=0")
    assert host.ask("AT+CARECV=0,6") == ERROR


@pytest.mark.parametrize("form, count", [("kept", 3072), ("one piece", 1460), ("dropped at close", 0)])
def test_unread_data_at_a_remote_close(form, count):
    host = linked(lambda: Blob(BLOB), choices={"unread": form})
    got = b""
    while (answer := host.ask("AT+CARECV=0,1460", 300)) != line("+CARECV: 0") + OK:
        assert answer.startswith(b"\r\n+CARECV: ")
        got += answer[answer.index(b",") + 1 : -8]
    assert got == BLOB[:count]


def test_reads_that_are_wrong_or_refused():
    host = linked(lambda: Blob(b"x"), refuse_reads=1)
    for values in ("0", "0,0", "0,1461", "13,1", "0,1,1"):
        assert host.ask("AT+CARECV=" + values) == ERROR
    assert host.ask("AT+CARECV=0,1") == ERROR
    assert host.ask("AT+CARECV=0,1") == carecv(b"x")


def test_reads_that_fail_now_and_then():
    host = linked(choices={"read_error": True, "notice": "filled"})
    host.vm.random.seed(1)
    answers = []
    for _ in range(100):
        peer_of(host).write(b"x")
        host.wait(20)
        answers.append(host.ask("AT+CARECV=0,1460") == ERROR)
    assert 0 < sum(answers) < 30
    assert not any(a and b for a, b in zip(answers, answers[1:]))


def test_notices_with_nothing_behind_them():
    host = linked(choices={"phantom": True})
    host.vm.random.seed(1)
    count = 0
    for _ in range(100):
        peer_of(host).write(b"x")
        host.wait(20)
        answer = host.ask("AT+CARECV=0,1460")
        assert answer in (carecv(b"x"), carecv(b"x") + line("+CADATAIND: 0"))
        count += answer.endswith(line("+CADATAIND: 0"))
    assert 0 < count < 30


@pytest.mark.parametrize("form, answer", [("lines", line("+CARECV: 0,10") + OK), ("ok", OK), ("error", ERROR)])
def test_what_waits_to_be_read(form, answer):
    host = linked(lambda: Blob(b"0123456789"), choices={"carecv_read": form})
    assert host.ask("AT+CARECV?") == answer


@pytest.mark.parametrize(
    "form, first, behind_read",
    [("filled", 1, 0), ("kilobyte", 2, 0), ("arrival", 3, 0), ("reread", 1, 1)],
)
def test_notices(form, first, behind_read):
    host = linked(choices={"notice": form})
    for _ in range(3):
        peer_of(host).write(bytes(600))
        host.clock.sleep_ms(50)
    assert host.wait(100) == line("+CADATAIND: 0") * first
    assert host.ask("AT+CARECV=0,1400", 300) == carecv(bytes(1400)) + line("+CADATAIND: 0") * behind_read
    assert host.ask("AT+CARECV=0,1400") == carecv(bytes(400))
    peer_of(host).write(b"x")
    assert host.wait(100) == line("+CADATAIND: 0")


def test_data_that_comes_with_the_open_is_not_announced():
    host = up(lambda: Blob(b"soon", close=False), choices={"open_notice": False})
    assert host.ask(OPEN % 0, 2000) == line("+CAOPEN: 0,0") + OK
    assert host.ask("AT+CARECV=0,10") == carecv(b"soon")
    peer_of(host).write(b"more")
    assert host.wait(100) == line("+CADATAIND: 0")


@pytest.mark.parametrize("form, text", [("buffer full,%d", "buffer full,0"), ('"buffer full"', '"buffer full"')])
def test_buffer_that_is_full(form, text):
    host = linked(choices={"buffer_full": form, "notice": "filled"})
    peer_of(host).write(bytes(12_000))
    assert host.wait(1000) == line("+CADATAIND: 0") + line("+CAURC: " + text)
    total = 0
    while b"+CARECV: 0" not in (answer := host.ask("AT+CARECV=0,1460", 300)):
        total += int(answer[11 : answer.index(b",")])
    assert total == 12_000


def test_buffer_that_stays_full_loses_the_link():
    host = linked(full_ms=2000, choices={"notice": "filled"})
    peer_of(host).write(bytes(20_000))
    assert host.wait(1000) == line("+CADATAIND: 0") + line("+CAURC: buffer full,0")
    assert host.wait(2000) == line("+CASTATE: 0,0")
    assert host.ask("AT+CARECV=0,10") == carecv(bytes(10))
    assert not peer_of(host).is_open


def test_answer_that_ends_before_its_end():
    host = linked(lambda: Blob(bytes(1000)), cut_reads=512)
    assert host.ask("AT+CARECV=0,1000", 500) == b"\r\n+CARECV: 1000," + bytes(512)
    assert host.ask("AT") == OK


def test_bytes_that_are_counted_and_never_come():
    host = linked(lambda: Blob(b"0123456789"), lost_in_read=3)
    assert host.ask("AT+CARECV=0,5") == b"\r\n+CARECV: 5,01\r\n" + OK
    assert host.ask("AT+CARECV=0,5") == carecv(b"56789")


def test_size_of_the_receive_buffer():
    host = up(Sink, 'AT+CACFG="RCVBUF",5840', OPEN % 0)
    peer_of(host).write(bytes(20_000))
    assert host.wait(1000).endswith(line("+CAURC: buffer full,0"))
    assert host.ask("AT+CARECV?") == line("+CARECV: 0,5840") + OK


# --- direct push


@pytest.mark.parametrize("tail", [b"\r\n", b"", b"\r\n\r\n"])
def test_pushed_data_comes_by_itself(tail):
    host = linked(Echo, mode=",1", choices={"push_tail": tail})
    assert send(host, "AT+CASEND=0,4", b"a\r\nb") == OK + b'\r\n+CAURC: "recv",0,4\r\na\r\nb' + tail
    assert host.ask("AT+CARECV=0,10") == line("+CARECV: 0") + OK


@pytest.mark.parametrize(
    "form, plain, with_sender",
    [
        ("casrip", "", ",198.51.100.1,80"),
        ("always", ",198.51.100.1,80", ",198.51.100.1,80"),
        ("quoted", "", ',"198.51.100.1",80'),
        ("never", "", ""),
        ("comma", ",", ","),
    ],
)
def test_header_of_pushed_data(form, plain, with_sender):
    host = linked(mode=",1", choices={"push_header": form})
    peer_of(host).write(b"one")
    assert host.wait(100) == line('+CAURC: "recv",0,3' + plain) + b"one\r\n"
    host.do("AT+CASRIP=1")
    peer_of(host).write(b"two")
    assert host.wait(100) == line('+CAURC: "recv",0,3' + with_sender) + b"two\r\n"


def test_pushed_data_comes_before_the_end():
    host = up(lambda: Blob(BLOB))
    got = host.ask(OPEN % 0 + ",1", 3000)
    assert got.startswith(line("+CAOPEN: 0,0") + OK + line('+CAURC: "recv",0,1460') + BLOB[:1460] + b"\r\n")
    assert got.endswith(BLOB[2920:] + b"\r\n" + line("+CASTATE: 0,0"))


def test_mode_belongs_to_a_link():
    host = up(Echo, OPEN % 0 + ",1", OPEN % 1)
    assert send(host, "AT+CASEND=0,1", b"x") == OK + line('+CAURC: "recv",0,1') + b"x\r\n"
    assert send(host, "AT+CASEND=1,1", b"x") == OK + line("+CADATAIND: 1")


# --- the sender of received data


@pytest.mark.parametrize(
    "form, head",
    [
        ("first", b"192.0.2.9,7,4,"),
        ("quoted", b'"192.0.2.9",7,4,'),
        ("last", b"4,192.0.2.9,7,"),
        ("quoted last", b'4,"192.0.2.9",7,'),
    ],
)
def test_sender_in_a_read(form, head):
    host = up(choices={"source": form})
    host.net.serve("192.0.2.9", 7, lambda: Blob(b"ping"), "UDP")
    host.do("AT+CASRIP=1", 'AT+CAOPEN=0,0,"UDP","192.0.2.9",7')
    assert host.ask("AT+CASRIP?") == line("+CASRIP: 1") + OK
    assert host.ask("AT+CARECV=0,10") == b"\r\n+CARECV: " + head + b"ping\r\n" + OK
    assert host.ask("AT+CARECV=0,10") == line("+CARECV: 0") + OK


@pytest.mark.parametrize(
    "form, answers",
    [("datagram", [b"abc", b"def", b"gh"]), ("cut", [b"abc", b"gh"]), ("joined", [b"abc", b"def", b"gh"])],
)
def test_borders_of_datagrams(form, answers):
    host = up(Sink, choices={"udp_reads": form})
    host.net.serve("192.0.2.9", 7, Sink, "UDP")
    host.do('AT+CAOPEN=0,0,"UDP","192.0.2.9",7')
    peer_of(host).write(b"abcdef")
    peer_of(host).write(b"gh")
    assert host.wait(100) == line("+CADATAIND: 0")
    for data in answers:
        assert host.ask("AT+CARECV=0,3") == carecv(data)
    peer_of(host).write(b"ab")
    peer_of(host).write(b"cd")
    host.wait(100)
    assert host.ask("AT+CARECV=0,9") == carecv(b"abcd" if form == "joined" else b"ab")


# --- servers


def test_clients_of_a_server():
    host = up()
    assert host.ask('AT+CASERVER=3,0,"TCP",6000') == line("+CASERVER: 3,0") + OK
    assert host.ask("AT+CASERVER?") == line('+CASERVER: 3,0,"TCP",6000,0') + OK
    assert host.ask("AT+CASTATE?") == line("+CASTATE: 3,2") + OK
    host.net.dial(6000, Echo(), "192.0.2.20", 5004)
    assert host.wait(100) == line("+CANEW: 3,0,192.0.2.20,5004")
    assert send(host, "AT+CASEND=0,2", b"hi") == OK + line("+CADATAIND: 0")
    assert host.ask("AT+CARECV=0,10") == carecv(b"hi")
    assert host.ask("AT+CASEND=3,2") == ERROR
    assert host.ask("AT+CARECV=3,2") == ERROR
    assert host.ask("AT+CAOPEN?") == OK
    assert host.ask("AT+CASTATE?") == line("+CASTATE: 0,1\r\n+CASTATE: 3,2") + OK


def test_more_clients_than_a_server_takes():
    host = up(Sink, 'AT+CACFG="ACCEPTNUM",1', 'AT+CASERVER=0,0,"TCP",6000')
    host.net.dial(6000, Sink(), "192.0.2.20", 5004)
    assert host.wait(100) == line("+CANEW: 0,1,192.0.2.20,5004")
    assert host.net.dial(6000, Sink()) is None
    assert host.wait(100) == line('+CAURC: "incoming full"')
    host.do("AT+CACLOSE=1")
    assert host.net.dial(6000, Sink()) is not None


@pytest.mark.parametrize("form, lines", [("live", b""), ("die", line("+CASTATE: 1,0"))])
def test_clients_of_a_server_that_is_closed(form, lines):
    host = up(Sink, 'AT+CASERVER=0,0,"TCP",6000', choices={"listener_close": form})
    host.net.dial(6000, Sink())
    host.wait(100)
    assert host.ask("AT+CACLOSE=0") == lines + OK
    assert host.ask("AT+CASTATE?") == line("+CASTATE: 1,%d" % (form == "live")) + OK
    assert host.net.dial(6000, Sink()) is None
    assert host.ask('AT+CASERVER=0,0,"TCP",6000') == line("+CASERVER: 0,0") + OK


def test_server_that_cannot_be():
    host = up(Sink, 'AT+CASERVER=0,0,"TCP",6000', 'AT+CASERVER=1,0,"UDP",6000')
    assert host.ask('AT+CASERVER=0,0,"TCP",7000') == ERROR
    assert host.ask('AT+CASERVER=2,0,"TCP",6000') == line("+CASERVER: 2,13") + OK
    assert host.ask('AT+CASERVER=3,0,"UDP",6000') == line("+CASERVER: 3,12") + OK
    assert host.ask('AT+CASERVER=4,1,"TCP",7000') == line("+CASERVER: 4,21") + OK
    for values in ('4,0,"XXX",7000', '4,0,"TCP",0', '13,0,"TCP",7000', '4,0,"TCP",7000,2', '4,0,"TCP"'):
        assert host.ask("AT+CASERVER=" + values) == ERROR
    assert host.ask("AT+CASTATE?") == line("+CASTATE: 0,2\r\n+CASTATE: 1,2") + OK


def test_server_goes_with_its_context():
    host = up(Sink, 'AT+CASERVER=0,0,"TCP6",6000')
    host.vm.network_lost()
    assert host.wait(100) == line("+APP PDP: 0,DEACTIVE")
    assert host.net.dial(6000, Sink()) is None
    assert host.ask("AT+CASERVER?") == OK


@pytest.mark.parametrize("form", ["behind notice", "before notice"])
def test_senders_of_a_udp_server(form):
    host = up(Sink, 'AT+CASERVER=0,0,"UDP",6000', choices={"canew": form})
    lines = [line("+CADATAIND: 0"), line("+CANEW: 0,0,192.0.2.1,1111")]
    host.net.datagram(6000, b"one", ("192.0.2.1", 1111))
    assert host.wait(100) == b"".join(lines if form == "behind notice" else lines[::-1])
    host.net.datagram(6000, b"two", ("192.0.2.1", 1111))
    assert host.wait(100) == b""
    host.net.datagram(6000, b"three", ("192.0.2.2", 2222))
    assert host.wait(100) == line("+CANEW: 0,0,192.0.2.2,2222")
    assert host.ask("AT+CARECV=0,100") == carecv(b"one")


def test_destination_of_a_udp_server():
    host = up(Sink, 'AT+CASERVER=0,0,"UDP",6000')
    assert host.ask("AT+CASEND=0,5") == ERROR  # nobody to send to
    host.net.serve("192.0.2.1", 1111, Sink, "UDP")
    assert host.ask('AT+CACFG="REMOTEADDR",0,192.0.2.1,1111') == OK
    assert send(host, "AT+CASEND=0,5", b"hello") == OK
    assert bytes(peer_of(host).received) == b"hello"
    assert host.ask("AT+CAACK=0") == line("+CAACK: 5,0") + OK
    assert host.ask("AT+CASTATE?") == line("+CASTATE: 0,2") + OK


def test_destination_of_a_udp_server_by_name():
    host = up(Sink, 'AT+CASERVER=0,0,"UDP",6000')
    host.net.serve("udp.example", 7, Sink, "UDP")
    host.do('AT+CACFG="REMOTEADDR",0,"udp.example",7')
    assert send(host, "AT+CASEND=0,5", b"hello") == OK
    assert bytes(peer_of(host).received) == b"hello"
    host.do('AT+CACFG="REMOTEADDR",0,"no.such",7')
    assert send(host, "AT+CASEND=0,5", b"hello") == OK
    assert bytes(peer_of(host).received) == b"hello"


def test_destination_of_a_udp_client_can_change():
    host = up()
    for n in (1, 2):
        host.net.serve("192.0.2.%d" % n, 7, Sink, "UDP")
    host.do('AT+CAOPEN=0,0,"UDP","192.0.2.1",7', 'AT+CACFG="REMOTEADDR",0,"192.0.2.2",7')
    assert send(host, "AT+CASEND=0,5", b"hello") == OK
    assert peer_of(host).address == "192.0.2.2"


def test_server_pushes_what_its_clients_send():
    host = up(Sink, 'AT+CASERVER=0,0,"TCP",6000,1', 'AT+CASERVER=5,0,"UDP",6001,1')
    host.net.dial(6000, Script(("send", b"hi")), "192.0.2.20", 5004)
    assert host.wait(100) == line("+CANEW: 0,1,192.0.2.20,5004") + line('+CAURC: "recv",1,2') + b"hi\r\n"
    host.net.datagram(6001, b"one", ("192.0.2.1", 1111))
    assert host.wait(100) == line("+CANEW: 5,5,192.0.2.1,1111") + line('+CAURC: "recv",5,3') + b"one\r\n"


# --- settings


@pytest.mark.parametrize(
    "values",
    [
        '"NOSUCH",1',
        '"SNDBUF",5839',
        '"RCVBUF",29201',
        '"KEEPALIVE",2',
        '"KEEPALIVE",1,29,60,1',
        '"KEEPALIVE",1,30,60,1,1',
        '"ASYNCOPEN"',
        '"ACCEPTNUM",0',
        '"TIMEOUT",13,1',
        '"TIMEOUT",0,0',
        '"LOCALPORT",0',
        '"LOCALPORT",0,65536',
        '"REMOTEADDR",0,192.0.2.1',
        '"REMOTEADDR",0,192.0.2.1,0',
        '"REMOTEADDR",13,192.0.2.1,1',
        "",
    ],
)
def test_setting_out_of_range(values):
    assert Host("sim7080").ask("AT+CACFG=" + values) == ERROR


def test_settings_are_read_back():
    host = Host("sim7080", choices={"cacfg_read": '"%s"'})
    for values in ('"SNDBUF",29200', "KEEPALIVE,1,30,60,1", '"sack",0', '"TIMEOUT",0,500', '"LOCALPORT",0,5000'):
        assert host.ask("AT+CACFG=" + values) == OK
    answer = host.ask("AT+CACFG?")
    assert b'+CACFG: "SNDBUF",29200\r\n' in answer and b'+CACFG: "SACK",0\r\n' in answer
    assert b'+CACFG: "KEEPALIVE",1,30,60,1\r\n' in answer


def test_keepalive_that_is_on_already():
    host = Host("sim7080", choices={"keepalive_again": "refused"})
    assert host.ask('AT+CACFG="KEEPALIVE",1,30,60,1') == ERROR
    assert host.ask('AT+CACFG="KEEPALIVE",0') == OK
    assert host.ask('AT+CACFG="KEEPALIVE",1,30,60,1') == OK


@pytest.mark.parametrize("form, bare, quoted", [("any", OK, OK), ("bare", OK, ERROR), ("quoted", ERROR, OK)])
def test_quotes_around_a_remote_address(form, bare, quoted):
    host = Host("sim7080", choices={"remoteaddr": form})
    assert host.ask('AT+CACFG="REMOTEADDR",0,192.0.2.1,7') == bare
    assert host.ask('AT+CACFG="REMOTEADDR",0,"192.0.2.1",7') == quoted


def test_keys_that_must_be_in_lower_case():
    host = Host("sim7080", choices={"ssl_keys": "lower"})
    assert host.ask('AT+CASSLCFG=0,"SSL",0') == ERROR
    assert host.ask('AT+CASSLCFG=0,"ssl",1') == OK
    host.do("AT+CACID=0")
    assert host.ask("AT+CASSLCFG?") == line("+CASSLCFG: 0,1,0,,,") + OK
    assert host.ask("AT+CACID?") == line("+CACID: 0") + OK


# --- transparent mode


@pytest.mark.parametrize(
    "form, answer",
    [("OK CONNECT", OK + line("CONNECT")), ("CONNECT OK", line("CONNECT") + OK), ("CONNECT", line("CONNECT"))],
)
def test_transparent_mode_begins(form, answer):
    host = linked(Echo, choices={"switch": form})
    assert host.ask("AT+CASWITCH=0,1") == answer
    assert host.ask(b"AT\r\n") == b"AT\r\n"
    host.wait(1000)
    assert host.ask(b"+++", 1500) == OK
    host.vm.choices["ato"] = "CONNECT 150000000"
    assert host.ask("ATO") == line("CONNECT 150000000")


def test_transparent_mode_of_any_link():
    host = up(Echo, OPEN % 4, OPEN % 5, "AT+CACID=4")
    assert host.ask("AT+CASWITCH?") == line("+CASWITCH: 4,0") + OK
    for values in ("3,1", "4,2", "4,0", "4"):
        assert host.ask("AT+CASWITCH=" + values) == ERROR
    assert host.ask("AT+CASWITCH=4,1").endswith(line("CONNECT"))
    peer_of(host, 1).write(b"other")
    assert host.wait(1500) == b""  # its notice waits
    assert host.ask(b"+++", 1500) == OK + line("+CADATAIND: 5")
    assert host.ask("AT+CASWITCH?") == line("+CASWITCH: 4,1") + OK
    assert host.ask("AT+CASWITCH=5,1") == ERROR
    peer_of(host, 0).write(b"late")
    assert b"late" not in host.wait(100)
    assert host.ask("ATO", 200) == line("CONNECT") + b"late"
    host.wait(1000)
    assert host.ask(b"+++", 1500) == OK
    assert host.ask("AT+CASWITCH=4,0") == OK
    assert host.ask("ATO") == ERROR
    assert send(host, "AT+CASEND=4,2", b"hi") == OK + line("+CADATAIND: 4")


def test_remote_close_in_data_mode_that_nobody_tells():
    host = linked(Echo, "AT+CACID=0")
    host.do("AT+CASWITCH=0,1")
    peer_of(host).close()
    assert host.ask(b"anybody?", 2000) == b""
    assert host.ask(b"+++", 1500) == OK
    assert host.ask("ATO") == ERROR
    assert host.ask("AT+CASTATE?") == line("+CASTATE: 0,0") + OK
    assert host.ask("AT+CACLOSE=0") == OK


@pytest.mark.parametrize("text", ["CLOSED", "+CASTATE: %d,0", "NO CARRIER", "OK"])
def test_remote_close_in_data_mode(text):
    shown = line(text % 0 if "%" in text else text)
    host = linked(choices={"stream_end": text})
    host.do("AT+CASWITCH=0,1")
    peer_of(host).close()
    assert host.wait(1000) == shown
    assert host.ask("AT+CASTATE?") == line("+CASTATE: 0,0") + OK
    host = linked(choices={"stream_end": text, "stream_left": False})
    host.do("AT+CASWITCH=0,1")
    peer_of(host).close()
    assert host.wait(1000) == shown
    assert host.ask("AT") == b""
    host.wait(1500)
    assert host.ask(b"+++", 1500) == OK


def test_context_lost_in_data_mode():
    host = linked(Echo)
    host.do("AT+CASWITCH=0,1")
    host.vm.network_lost()
    assert host.wait(100) == line("+APP PDP: 0,DEACTIVE")
    assert host.ask("AT") == OK


# --- names


def test_names():
    host = up()
    host.net.name("two.example", "192.0.2.5", "2001:db8::5")
    ask = 'AT+CDNSGIP="%s",1,1000'
    assert host.ask(ask % "example.com", 1000) == OK + line('+CDNSGIP: 1,"example.com","198.51.100.1"')
    assert host.ask(ask % "two.example", 1000) == OK + line('+CDNSGIP: 1,"two.example","192.0.2.5","2001:db8::5"')
    assert host.ask(ask % "no.such", 1000) == OK + line("+CDNSGIP: 0,8")
    for values in ('"a"', '"a",1', '"a",11,1000', '"a",1,60001', '"",1,1000'):
        assert host.ask("AT+CDNSGIP=" + values) == ERROR
    host.do("AT+CDNSPDPID=1")
    assert host.ask(ask % "example.com", 1000) == OK + line("+CDNSGIP: 0,3")
    host.do("AT+CNACT=1,1")
    assert host.ask(ask % "example.com", 1000) == OK + line('+CDNSGIP: 1,"example.com","198.51.100.1"')


def test_name_servers_and_pings():
    host = up()
    assert host.ask('AT+CDNSCFG="1.1.1.1","8.8.8.8"') == OK
    assert host.ask("AT+CDNSCFG?").startswith(line("Ipv4PrimaryDns: 1.1.1.1\r\nIpv4SecondaryDns: 8.8.8.8")[:-2])
    assert host.ask('AT+CDNSCFG="x"') == ERROR
    assert host.ask('AT+SNPING4="example.com",2,16,1000', 3000) == (
        line("+SNPING4: 1,198.51.100.1,147") + line("+SNPING4: 2,198.51.100.1,546") + OK
    )
    assert host.ask('AT+SNPING4="no.such",2,16,1000', 3000) == ERROR
    host.do("AT+CNACT=0,0")
    assert host.ask('AT+SNPING4="example.com",2,16,1000') == ERROR


@pytest.mark.parametrize("unit, ms", [(1000, 90_000), (1, 90)])
def test_keepalive_ends_a_link_whose_peer_has_vanished(unit, ms):
    host = up(Sink, 'AT+CACFG="KEEPALIVE",1,30,30,2', OPEN % 0, choices={"keepalive_unit": unit})
    peer_of(host).vanish()
    assert host.wait(ms - 10) == b""
    assert host.wait(20) == line("+CASTATE: 0,0")
    assert not peer_of(host).is_open
    host = up(Sink, 'AT+CACFG="KEEPALIVE",0', OPEN % 0)
    peer_of(host).vanish()
    assert host.wait(1e6) == b""


# --- start, rate, sleep


BOOT = line("RDY"), line("+CFUN: 1"), line("+CPIN: READY"), line("SMS Ready")


def started(family="sim7080", choices=None, **settings):
    """A module a moment after it has been switched on."""
    host = Host(family, powered=False, choices=choices, **settings)
    host.vm.boot()
    host.clock.sleep_ms(host.vm.boot_ms + 10)
    return host


@pytest.mark.parametrize(
    "form, lines",
    [
        ("none", b"T\r"),
        ("cpin", line("+CPIN: READY") + b"T\r" + line("SMS Ready")),
        ("late", b"T\r" + line("SMS Ready")),
    ],
)
def test_rate_is_measured_by_the_first_command(form, lines):
    host = started(choices={"autobaud_boot": form})
    assert host.wait(10_000) == b""
    assert host.ask("AT", 5000) == lines  # its A is lost
    assert host.ask("AT") == b"AT\r" + OK
    assert host.ask("AT+IPR?") == b"AT+IPR?\r" + line("+IPR: 0") + OK


def test_fixed_rate_starts_with_four_lines():
    host = started(default_autobaud=False)
    assert host.wait(5000) == b"".join(BOOT)
    host = started(default_autobaud=False, sim="NOT INSERTED")
    assert host.wait(5000) == b"".join(BOOT[:2]) + line("+CPIN: NOT INSERTED") + line("+CPIN: NOT READY") + BOOT[3]


def test_rates():
    host = Host("sim7080")
    assert host.ask("AT+IPR=460800") == ERROR
    assert host.ask("AT+IPR=921600") == OK
    assert host.vm.baud == 921_600


@pytest.mark.parametrize(
    "form, before, behind",
    [
        ("ok", OK, b""),
        ("none", b"", b""),
        ("garbage", b"\r\n+CPIN: NOT READY\r\n\x00\xf8\x80O", b""),
        ("late", b"", OK),
    ],
)
@pytest.mark.parametrize("command", ["AT+CFUN=1,1", "AT+CREBOOT", "AT+CFUN=6"])
def test_restart_by_command(command, form, before, behind):
    host = Host("sim7080", default_autobaud=False, choices={"reset_answer": form})
    host.do(UP)
    assert host.ask(command, 1000) == before
    assert host.wait(5000) == behind + b"".join(BOOT)
    host.vm.echo = False
    assert host.ask("AT+CNACT?") == rows() + OK


def test_links_end_with_a_restart():
    host = linked(Sink, 'AT+CASERVER=1,0,"TCP",6000')
    host.vm.restart()
    host.wait(5000)
    assert not peer_of(host).is_open
    assert host.net.dial(6000, Sink()) is None
    host.ask("ATE0")
    host.ask("ATE0")
    assert host.ask("AT+CASTATE?") == OK


def test_saved_settings_survive_a_restart():
    host = Host("sim7080")
    host.do("AT+CNMP=2", "AT+CMNB=1", 'AT+CACFG="SNDBUF",29200')
    for values in ("CNMP=3", "CMNB=4", "CSCLK=2"):
        assert host.ask("AT+" + values) == ERROR
    host.vm.restart()
    host.wait(5000)
    host.ask("ATE0")
    host.ask("ATE0")
    assert host.ask("AT+CNMP?") == line("+CNMP: 2") + OK
    assert host.ask("AT+CMNB?") == line("+CMNB: 1") + OK
    assert host.ask("AT+CMNB=?") == line("+CMNB: ((1-Cat-M),(2-NB-IoT),(3-Cat-M And NB-IoT))") + OK
    assert b"SNDBUF,10240" in host.ask("AT+CACFG?")


PSM = 'AT+CPSMS=1,,,"01000010","00000101"'  # two times ten hours; ten seconds


def asleep(choices=None, **settings):
    """A module that has fallen asleep."""
    host = up(choices=choices, default_autobaud=False, **settings)
    host.do("AT+CPSMSTATUS=1", OPEN % 0, "AT+CEREG=4")
    assert host.ask(PSM, 300) == OK
    told = '+CEREG: 1,"5B57","195071B",9,,,"00000101","01000010"'
    assert host.wait(9000) == line(told) * 2
    assert host.wait(3000) == line("+CPSMSTATUS: " + host.vm.choices["wake_text"] % "ENTER")
    assert host.ask("AT", 1000) == b"" and not host.vm.running
    return host


def press(host, ms=1500):
    host.vm.pwrkey(True)
    host.clock.sleep_ms(ms)
    host.vm.pwrkey(False)


@pytest.mark.parametrize("text", ['"%s PSM"', "%s PSM"])
def test_module_sleeps_and_wakes_as_one_that_restarts(text):
    host = asleep(choices={"wake_text": text})
    assert not peer_of(host).is_open
    press(host)
    assert host.wait(5000) == b"".join(BOOT)
    assert host.ask("AT+CGATT?") == b"AT+CGATT?\r" + line("+CGATT: 1") + OK
    host.vm.echo = False
    assert host.ask("AT+CNACT?") == rows() + OK
    assert host.ask("AT+CASTATE?") == OK
    assert host.ask("AT+CPSMS?") == line('+CPSMS: 1,,,"01000010","00000101"') + OK


def test_module_wakes_by_its_timer_and_sleeps_again():
    host = asleep()
    assert host.wait(20 * 3600_000 - 20_000) == b""
    assert host.wait(40_000) == b"".join(BOOT)
    assert not host.vm.running  # nobody has talked to it


def test_module_wakes_as_it_fell_asleep():
    host = asleep(choices={"wake": "resume"})
    press(host)
    told = '+CEREG: 1,"5B57","195071B",9,,,"00000101","01000010"'
    assert host.wait(3000) == line('+CPSMSTATUS: "EXIT PSM"') + line(told) * 2
    assert host.ask("AT+CEREG?") == line(told.replace(": ", ": 4,")) + OK
    assert host.ask("AT+CNACT?") == rows() + OK


@pytest.mark.parametrize("family", ["sim7000", "sim7028"])
def test_other_families_sleep_too(family):
    host = Host(family)
    host.do("AT+CPSMSTATUS=1")
    assert host.ask(PSM, 15_000).endswith(OK + line('+CPSMSTATUS: "ENTER PSM"'))
    assert not host.vm.running
    press(host)
    host.wait(5000)
    assert host.ask("AT").endswith(OK)
    assert host.ask("AT+CPSMS?").endswith(line('+CPSMS: 1,,,"01000010","00000101"') + OK)


def test_talk_keeps_the_module_awake():
    host = up()
    host.do(PSM)
    for _ in range(20):
        assert host.ask("AT", 5000) == OK
    assert host.ask("AT+CPSMS=0") == OK
    host.wait(60_000)
    assert host.ask("AT") == OK


def test_module_does_not_sleep_in_the_middle_of_something():
    host = up(Blackhole)
    host.do("AT+CPSMSTATUS=1", PSM)
    assert host.ask(OPEN % 0, 80_000) == line("+CAOPEN: 0,27") + OK
    host = linked(Echo)
    host.do("AT+CPSMSTATUS=1", PSM, "AT+CASWITCH=0,1")
    assert host.wait(60_000) == b""
    assert host.ask(b"still there") == b"still there"


def test_power_saving_that_is_asked_for_twice_sleeps_once():
    host = Host("sim7080")
    host.do("AT+CPSMSTATUS=1", PSM, "AT+CPSMS=0", PSM)
    assert host.wait(15_000) == line('+CPSMSTATUS: "ENTER PSM"')


def test_timers_that_the_network_grants():
    host = up(granted=("00100010", "00000001"))
    host.do(PSM)
    assert host.ask("AT+CPSMRDP", 100) == line("+CPSMRDP: 1,10,72000,2,7200,3600") + OK
    assert host.ask("AT+CPSMS=?") == line('+CPSMS: (0-1),,,("00000000"-"11111111"),("00000000"-"11111111")') + OK
    for bad in ("AT+CPSMS=2", 'AT+CPSMS=1,,,"0101"', 'AT+CPSMS=1,,,"0101111x","00000001"'):
        assert host.ask(bad) == ERROR
    assert host.wait(3000) == b""
    assert not host.vm.running


def test_cycle_that_the_network_grants():
    host = up()
    assert host.ask('AT+CEDRXS=2,4,"0101"') == OK + line('+CEDRXP: 4,"0101","0010","0100"')
    assert host.ask("AT+CEDRXRDP") == line('+CEDRXRDP: 4,"0101","0010","0100"') + OK
    for bad in ("AT+CEDRXS=4", 'AT+CEDRXS=1,6,"0000"', 'AT+CEDRXS=1,5,"00"', "AT+CEDRXRDP?"):
        assert host.ask(bad) == ERROR
    assert host.ask("AT+CEDRXS=3") == OK
    assert host.ask("AT+CEDRXRDP") == line("+CEDRXRDP: 0") + OK


# What no document settles, and the choices that give each reading.
OPEN_QUESTIONS = {
    "trailer of CARECV": "trailer",
    "empty CARECV": "empty early closed_read",
    "bytes behind a push": "push_tail",
    "header of a push": "push_header",
    "CARECV with CASRIP": "source",
    "order of +CAOPEN and OK": "open_order",
    "CAOPEN that fails": "open_failure failed_link no_context no_answer",
    "commands during an open": "deaf",
    "late +CASEND": "late_casend",
    "input time that is over": "input_over",
    "CASEND with a full buffer": "full room",
    "blank of the prompt": "prompt prompt_pieces",
    "+CADATAIND": "notice open_notice canew",
    "CACLOSE after a remote close": "close_closed",
    "context lost": "context_loss",
    "CNACT of an active context": "cnact_active",
    "CNACT off with open links": "cnact_off",
    "close of a listener": "listener_close",
    "index of +APP PDP": "pdp_index",
    "OK and CONNECT of CASWITCH": "switch",
    "remote close in data mode": "stream_end stream_left",
    "fields of CAACK": "caack",
    "boot lines without a fixed rate": "autobaud_boot",
    "reads of datagrams": "udp_reads",
    "echo of the payload": "payload_echo",
    "unit of KEEPALIVE": "keepalive_unit",
    "CARECV?": "carecv_read",
    "ASYNCOPEN": "async_open",
}


def test_seeds_answer_every_open_question_in_every_way():
    seen: dict = {}
    for seed in range(80):
        for name, value in Host("sim7080", seed=seed).vm.choices.items():
            seen.setdefault(name, set()).add(value)
    readings = sim7080.Module._merged("CHOICES")
    for question, names in OPEN_QUESTIONS.items():
        for name in names.split():
            assert seen[name] == set(readings[name]) and len(seen[name]) > 1, (question, name)
    assert seen["unread"] == {"kept"}  # no driver gets back what is lost: by name only


@pytest.mark.parametrize("family, model", [("sim7070", b"SIM7070"), ("sim7080", b"SIM7080"), ("sim7090", b"SIM7090")])
def test_names_of_the_modules(family, model):
    host = Host(family)
    assert host.ask("AT+CGMM") == line(b"SIMCOM_" + model) + OK
    assert host.ask("AT+CGMR") == line(b"Revision:1951B17" + model) + OK
    assert host.ask('AT+CIPSTART="TCP","a",1') == host.ask("AT+NETOPEN") == ERROR


def test_sim7000_opens_without_context_and_type():
    host = Host("sim7000ca")
    host.net.serve(*PEER, Sink)
    host.net.serve("example.com", 53, Sink, "UDP")
    assert host.ask('AT+CNACT=1,"apn"', 1000) == OK + line("+APP PDP: ACTIVE")
    assert host.ask('AT+CAOPEN=0,"example.com",80') == ERROR  # CACID comes first
    host.do("AT+CACID=0", "AT+CACID=1", 'AT+CASSLCFG=1,"protocol",1')
    assert host.ask('AT+CAOPEN=0,"TCP","example.com",80', 1000) == line("+CAOPEN: 0,0") + OK
    assert host.ask('AT+CAOPEN=1,"example.com",53', 1000) == line("+CAOPEN: 1,0") + OK
    assert peer_of(host).proto == "UDP"
    assert send(host, "AT+CASEND=0,2", b"hi") == OK + line("+CASEND: 0,0,2")
    assert host.ask("AT+CNACT=0", 1000) == OK + line("+APP PDP: DEACTIVE")
    assert host.ask("AT+CNACT?") == line('+CNACT: 0,"0.0.0.0"') + OK
