"""Links of the virtual SIM7000: connect, send, receive, close, and what goes wrong."""

import pytest
from sim import Blackhole, Blob, Drip, Echo, Refuse, Script, Sink, Slam, Stall
from sim_host import MULTI_UP, UP, Host

OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"


def multi(peer=Sink, link=0, **settings):
    """A module with one open link in multi mode with buffer access."""
    host = Host(**settings)
    host.net.serve("example.com", 80, peer)
    host.do(*MULTI_UP)
    host.send('AT+CIPSTART=%d,"TCP","example.com",80\r' % link)
    assert host.collect(len(OK) + 17) == OK + b"\r\n%d, CONNECT OK\r\n" % link
    return host


def single(peer=Sink, *commands, **settings):
    """The same in single mode with direct push."""
    host = Host(**settings)
    host.net.serve("example.com", 80, peer)
    host.do(*UP, *commands)
    assert host.ask('AT+CIPSTART="TCP","example.com",80', 1000).startswith(OK + b"\r\nCONNECT OK\r\n")
    return host


# --- states and errors


def test_commands_in_the_wrong_state_are_errors():
    host = Host()
    for command in ("AT+CIICR", "AT+CIFSR", 'AT+CDNSGIP="a"', "AT+CIPSEND=5", "AT+CIPCLOSE", "AT+CIPACK"):
        assert host.ask(command) == ERROR, command
    host.do('AT+CSTT="x"')
    for command in ('AT+CSTT="x"', "AT+CIPMUX=1", "AT+CIPMODE=1", "AT+CIFSR", 'AT+CIPSTART="TCP","a",1'):
        assert host.ask(command) == ERROR, command
    host.do("AT+CIICR")
    assert host.ask('AT+CIPSTART="TCP","a",1') == ERROR
    assert host.ask("AT+CIFSR;E0") == b"\r\n10.78.245.128\r\n" + OK
    assert host.ask("AT+CIPSHUT", 500) == b"\r\nSHUT OK\r\n"
    assert host.ask("AT+CIPSHUT", 500) == b"\r\nSHUT OK\r\n"
    assert host.ask("AT+CIPMUX=1") == OK


@pytest.mark.parametrize(
    "command",
    ['=8,"TCP","a",1', '="TCP","a",1', '=0,"XXX","a",1', '=0,"TCP","a",0', '=0,"TCP","a",65536', '=0,"TCP","",1', "=0"],
)
def test_wrong_parameters_of_cipstart_are_errors(command):
    host = Host()
    host.do(*MULTI_UP)
    assert host.ask("AT+CIPSTART" + command) == ERROR


def test_states_of_single_mode():
    host = Host()
    seen = []
    host.net.serve("1.2.3.4", 80, Sink)
    for command in ("AT", *UP, 'AT+CIPSTART="TCP","1.2.3.4",80', "AT+CIPCLOSE", "AT+CIPSHUT"):
        host.do(command)
        seen.append(host.ask("AT+CIPSTATUS").split(b"STATE: ")[1].strip().decode())
    assert seen == ["IP INITIAL", "IP START", "IP GPRSACT", "IP STATUS", "CONNECT OK", "TCP CLOSED", "IP INITIAL"]


def test_states_of_multi_mode():
    host = Host()
    host.net.serve("1.2.3.4", 80, Sink)
    host.do("AT+CIPMUX=1", *UP)
    assert b"STATE: IP STATUS\r\n" in host.ask("AT+CIPSTATUS")
    host.ask('AT+CIPSTART=3,"TCP","1.2.3.4",80')
    assert b'C: 3,0,"TCP","1.2.3.4","80","CONNECTING"' in host.ask("AT+CIPSTATUS", 150)
    host.wait(1000)
    assert host.ask("AT+CIPSTATUS=3") == b'\r\n+CIPSTATUS: 3,0,"TCP","1.2.3.4","80","CONNECTED"\r\n' + OK
    host.do("AT+CIPCLOSE=3")
    assert b'"CLOSED"' in host.ask("AT+CIPSTATUS=3")
    assert host.ask("AT+CIPSTATUS=2") == b'\r\n+CIPSTATUS: 2,,"","","","INITIAL"\r\n' + OK
    assert b"STATE: IP PROCESSING\r\n" in host.ask("AT+CIPSTATUS")


def test_single_mode_brings_the_context_up_by_itself():
    host = Host()
    host.net.serve("1.2.3.4", 80, Sink)
    assert host.ask('AT+CIPSTART="TCP","1.2.3.4",80', 100) == OK
    assert host.wait(2000) == b"\r\nCONNECT OK\r\n"


def test_bring_up_needs_registration():
    host = Host()
    host.vm.registration = 2
    host.do('AT+CSTT="x"')
    assert host.ask("AT+CIICR", 1500) == ERROR


def test_bring_up_can_fail_with_deact():
    host = Host(bringup="deact")
    host.do('AT+CSTT="x"')
    assert host.ask("AT+CIICR", 1500) == b"\r\n+PDP: DEACT\r\n" + ERROR
    assert b"STATE: PDP DEACT" in host.ask("AT+CIPSTATUS")


# --- connect


def test_refused_and_unknown_destinations_fail_soon():
    host = Host()
    host.net.serve("example.com", 80, Refuse)
    host.do(*MULTI_UP)
    for name in ("example.com", "no.such.name", "203.0.113.1"):
        assert host.ask('AT+CIPSTART=0,"TCP","%s",80' % name, 1000) == OK + b"\r\n0, CONNECT FAIL\r\n", name


def test_a_destination_that_never_answers_fails_after_75_seconds():
    host = Host()
    host.net.serve("example.com", 80, Blackhole)
    host.do(*MULTI_UP)
    assert host.ask('AT+CIPSTART=0,"TCP","example.com",80', 75_000) == OK
    assert host.wait(1000) == b"\r\n0, CONNECT FAIL\r\n"


def test_single_mode_tells_the_state_with_the_failure():
    host = Host()
    host.do(*UP)
    answer = host.ask('AT+CIPSTART="TCP","203.0.113.1",80', 1000)
    assert answer == OK + b"\r\nSTATE: TCP CLOSED\r\n\r\nCONNECT FAIL\r\n"


def test_connecting_can_be_given_up():
    host = Host()
    host.net.serve("example.com", 80, Blackhole)
    host.do(*MULTI_UP)
    host.ask('AT+CIPSTART=0,"TCP","example.com",80', 1000)
    assert host.ask("AT+CIPCLOSE=0", 500) == b"\r\n0, CLOSE OK\r\n"
    assert host.wait(80_000) == b""


@pytest.mark.parametrize("form", ["error first", "ok first"])
def test_an_open_link_is_already_connected(form):
    host = multi(choices={"already": form})
    first = ERROR if form == "error first" else OK
    assert host.ask('AT+CIPSTART=0,"TCP","example.com",80') == first + b"\r\n0, ALREADY CONNECT\r\n"


def test_dns_tells_addresses_or_an_error():
    host = Host()
    host.net.name("two.example", "192.0.2.1", "192.0.2.2")
    host.do(*MULTI_UP)
    answer = OK + b'\r\n+CDNSGIP: 1,"two.example","192.0.2.1","192.0.2.2"\r\n'
    assert host.ask('AT+CDNSGIP="two.example"', 1000) == answer
    assert host.ask('AT+CDNSGIP="none.example"', 1000) == OK + b"\r\n+CDNSGIP: 0,8\r\n"


# --- send


def test_fixed_length_takes_every_byte_as_data():
    host = multi(Sink)
    payload = bytes(range(256)) + b"\x1b\x1aAT\r\n"
    assert host.ask("AT+CIPSEND=0,%d" % len(payload)) == b"\r\n> "
    assert host.ask(payload[:100]) == b""
    assert host.ask(payload[100:]) == b"\r\n0, SEND OK\r\n"
    assert bytes(host.net.connections[0].received) == payload


def test_fixed_length_input_survives_a_new_host():
    host = multi(Sink)
    host.ask("AT+CIPSEND=0,20")
    assert host.ask("AT") == b""
    assert host.ask("AT") == b""
    assert host.ask(b"\x1b" * 14) == b"\r\n0, SEND OK\r\n"
    assert host.ask("AT") == OK


def test_variable_length_ends_with_ctrl_z_and_is_given_up_with_esc():
    host = multi(Sink)
    assert host.ask("AT+CIPSEND=0") == b"\r\n> "
    assert host.ask(b"helxx\x08\x08lo\x1a") == b"\r\n0, SEND OK\r\n"
    host.ask("AT+CIPSEND=0")
    assert host.ask(b"nothing\x1b") == OK
    assert bytes(host.net.connections[0].received) == b"hello"


def test_the_payload_is_echoed_with_the_echo_on():
    host = multi(Sink)
    host.ask("ATE1")
    assert host.ask("AT+CIPSEND=0,5").endswith(b"\r\n> ")
    assert host.ask(b"hello") == b"hello\r\n0, SEND OK\r\n"


@pytest.mark.parametrize("length", [0, 1461])
def test_impossible_lengths_are_refused_before_the_prompt(length):
    assert multi().ask("AT+CIPSEND=0,%d" % length) == ERROR


def test_no_prompt_without_a_link():
    host = multi()
    assert host.ask("AT+CIPSEND=1,5") == ERROR
    assert host.ask("AT+CIPSEND=9,5") == ERROR
    assert host.ask("AT+CIPSEND") == ERROR


def test_codes_are_held_back_while_payload_comes_in():
    host = multi(Sink)
    host.ask("AT+CIPSEND=0,5")
    host.vm.urc(b'+CMTI: "SM",10')
    assert host.wait(500) == b""
    assert host.ask(b"hello") == b'\r\n+CMTI: "SM",10\r\n\r\n0, SEND OK\r\n'


def test_a_code_can_come_before_the_prompt_and_behind_the_payload():
    host = multi(Sink)
    host.vm.inject("before_prompt", b"RING")
    host.vm.inject("after_payload", b"NO CARRIER")
    assert host.ask("AT+CIPSEND=0,5") == b"\r\nRING\r\n\r\n> "
    assert host.ask(b"hello") == b"\r\nNO CARRIER\r\n\r\n0, SEND OK\r\n"


@pytest.mark.parametrize("mode, prompt, result", [(0, b"", b"\r\n0, SEND OK\r\n"), (2, b"", b"")])
def test_prompt_and_result_can_be_switched_off(mode, prompt, result):
    host = multi(Sink)
    host.ask("AT+CIPSPRT=%d" % mode)
    assert host.ask("AT+CIPSEND=0,5") == prompt
    assert host.ask(b"hello") == result


def test_send_ok_waits_for_the_peer():
    host = multi(Stall)
    host.ask("AT+CIPSEND=0,5")
    assert host.ask(b"hello", 10_000) == b""
    assert host.ask("AT", 1000) == b""
    host.net.connections[0].resume()
    assert host.wait(100) == b"\r\n0, SEND OK\r\n" + OK


def test_a_peer_that_never_acknowledges_is_given_up_after_645_seconds():
    host = multi(Stall, choices={"send_on_closed": b""})
    host.ask("AT+CIPSEND=0,5")
    assert host.ask(b"hello", 644_000) == b""
    assert host.wait(2000) == b"\r\n0, CLOSED\r\n"


def test_quick_send_accepts_what_the_buffer_takes():
    host = multi(Stall, tx_limit=2000)
    host.ask("AT+CIPQSEND=1")
    assert host.ask("AT+CIPSEND=0,1460") == b"\r\n> "
    assert host.ask(b"x" * 1460, 200) == b"\r\nDATA ACCEPT:0,1460\r\n"
    assert host.ask("AT+CIPSEND?") == b"\r\n+CIPSEND: 0,540\r\n" + OK
    assert host.ask("AT+CIPSEND=0,1000") == b"\r\n> "
    assert host.ask(b"y" * 1000, 200) == b"\r\nDATA ACCEPT:0,540\r\n"
    assert host.ask("AT+CIPACK=0") == b"\r\n+CIPACK: 2000,0,2000\r\n" + OK
    assert host.ask("AT+CIPSEND=0,1") == ERROR
    host.net.connections[0].resume()
    host.wait(100)
    assert host.ask("AT+CIPACK=0") == b"\r\n+CIPACK: 2000,2000,0\r\n" + OK
    assert bytes(host.net.connections[0].received) == b"x" * 1460 + b"y" * 540


def test_a_full_buffer_can_refuse_instead():
    host = multi(Stall, tx_limit=2000, choices={"full": "error"})
    host.ask("AT+CIPQSEND=1")
    host.ask("AT+CIPSEND=0,1460")
    host.ask(b"x" * 1460, 200)
    assert host.ask("AT+CIPSEND=0,541") == ERROR
    assert host.ask("AT+CIPSEND=0,540") == b"\r\n> "


def test_sends_can_be_made_to_fail():
    host = multi(fail_sends=1)
    host.ask("AT+CIPSEND=0,2")
    assert host.ask(b"hi") == b"\r\n0, SEND FAIL\r\n"
    host.ask("AT+CIPSEND=0,2")
    assert host.ask(b"hi") == b"\r\n0, SEND OK\r\n"


@pytest.mark.parametrize("text, result", [(b"SEND FAIL", b"\r\n0, SEND FAIL\r\n"), (b"ERROR", ERROR), (b"", b"")])
def test_a_close_during_the_payload_comes_behind_it(text, result):
    host = multi(choices={"send_on_closed": text})
    host.ask("AT+CIPSEND=0,5")
    host.net.connections[0].reset()
    assert host.wait(100) == b""
    assert host.ask(b"hello") == b"\r\n0, CLOSED\r\n" + result
    assert host.ask("AT") == OK


def test_a_close_while_send_ok_is_awaited_ends_the_wait():
    host = multi(Stall)
    host.ask("AT+CIPSEND=0,5")
    host.ask(b"hello")
    host.net.connections[0].reset()
    assert host.wait(100) == b"\r\n0, CLOSED\r\n\r\n0, SEND FAIL\r\n"


def test_a_timer_can_send_without_ctrl_z():
    host = multi(Sink)
    assert host.ask("AT+CIPATS=1,2") == OK
    host.ask("AT+CIPSEND=0")
    assert host.ask(b"hello", 1500) == b""
    assert host.wait(1000) == b"\r\n0, SEND OK\r\n"


# --- receive


def test_a_notice_is_given_once_until_the_buffer_was_empty():
    host = multi(Drip(b"x" * 300, 100, 100))
    assert host.wait(500) == b"\r\n+CIPRXGET: 1,0\r\n"
    assert host.ask("AT+CIPRXGET=4,0") == b"\r\n+CIPRXGET: 4,0,300\r\n" + OK
    assert host.ask("AT+CIPRXGET=2,0,200") == b"\r\n+CIPRXGET: 2,0,200,100\r\n" + b"x" * 200 + OK
    host.net.connections[0].write(b"y")
    assert host.wait(100) == b""
    assert host.ask("AT+CIPRXGET=2,0,200") == b"\r\n+CIPRXGET: 2,0,101,0\r\n" + b"x" * 100 + b"y" + OK
    assert host.ask("AT+CIPRXGET=2,0,200") == b"\r\n+CIPRXGET: 2,0,0,0\r\n" + OK
    host.net.connections[0].write(b"z")
    assert host.wait(100) == b"\r\n+CIPRXGET: 1,0\r\n"


def test_hex_has_two_digits_a_byte():
    host = multi(Blob(b"\x00\xffA", close=False))
    host.wait(100)
    assert host.ask("AT+CIPRXGET=3,0,730") == b"\r\n+CIPRXGET: 3,0,3,0\r\n00FF41" + OK
    assert host.ask("AT+CIPRXGET=3,0,731") == ERROR
    assert host.ask("AT+CIPRXGET=2,0,1461") == ERROR
    assert host.ask("AT+CIPRXGET=2,0,0") == ERROR


def test_the_trailer_of_a_module_can_have_two_line_ends():
    host = multi(Blob(b"hello", close=False), choices={"trailer": b"\r\n\r\nOK\r\n"})
    host.wait(100)
    assert host.ask("AT+CIPRXGET=2,0,5") == b"\r\n+CIPRXGET: 2,0,5,0\r\nhello\r\n\r\nOK\r\n"


def test_only_a_test_gets_between_data_and_its_ok():
    host = multi(Blob(b"hello", close=False))
    host.wait(100)
    host.vm.inject("before_data_ok", b"RING")
    assert host.ask("AT+CIPRXGET=2,0,5") == b"\r\n+CIPRXGET: 2,0,5,0\r\nhello\r\nRING\r\n" + OK


def test_unread_data_outlives_the_peer():
    host = multi(Blob(b"bye"))
    assert host.wait(200) == b"\r\n+CIPRXGET: 1,0\r\n\r\n0, CLOSED\r\n"
    assert host.ask("AT+CIPRXGET=4,0") == b"\r\n+CIPRXGET: 4,0,3\r\n" + OK
    assert host.ask("AT+CIPRXGET=2,0,10") == b"\r\n+CIPRXGET: 2,0,3,0\r\nbye" + OK
    assert host.ask("AT+CIPRXGET=2,0,10") == b"\r\n+CIPRXGET: 2,0,0,0\r\n" + OK
    host.vm.choices["empty"] = "error"
    assert host.ask("AT+CIPRXGET=2,0,10") == ERROR


def test_cipclose_forgets_unread_data():
    host = multi(Blob(b"bye"))
    host.wait(200)
    assert host.ask("AT+CIPCLOSE=0") == ERROR
    assert host.ask("AT+CIPRXGET=4,0") == b"\r\n+CIPRXGET: 4,0,0\r\n" + OK


def test_the_peer_waits_for_room_in_the_module():
    host = multi(Blob(bytes(20_000)), rx_limit=5120)
    assert host.wait(5000) == b"\r\n+CIPRXGET: 1,0\r\n"
    assert host.ask("AT+CIPRXGET=4,0") == b"\r\n+CIPRXGET: 4,0,5120\r\n" + OK
    total = 0
    while total < 20_000:
        answer = host.ask("AT+CIPRXGET=2,0,1460", 400).replace(b"\r\n0, CLOSED\r\n", b"")
        total += int(answer.split(b",")[2])
    assert total == 20_000 and host.vm.links[0].state == "CLOSED"


def test_a_link_that_never_was_has_nothing_to_read():
    assert multi().ask("AT+CIPRXGET=2,1,100") == ERROR


def test_pushed_data_has_its_header_and_comes_before_the_close():
    host = Host()
    host.net.serve("example.com", 80, Blob(b"A" * 3000))
    host.do("AT+CIPMUX=1", *UP)
    host.send('AT+CIPSTART=0,"TCP","example.com",80\r')
    got = host.wait(2000)
    expected = b"".join(b"\r\n+RECEIVE,0,%d:\r\n" % n + b"A" * n for n in (1460, 1460, 80))
    assert got == OK + b"\r\n0, CONNECT OK\r\n" + expected + b"\r\n0, CLOSED\r\n"


PUSH = [
    ((), b"hi"),
    (("AT+CIPHEAD=1",), b"\r\n+IPD,2:hi"),
    (("AT+CIPHEAD=1", "AT+CIPSHOWTP=1"), b"\r\n+IPD,2,TCP:hi"),
    (("AT+CIPSRIP=1",), b"\r\nRECV FROM:198.51.100.1:80\r\nhi"),
    (("AT+CIPSRIP=1", "AT+CIPHEAD=1"), b"\r\nRECV FROM:198.51.100.1:80\r\n\r\n+IPD,2:hi"),
]


@pytest.mark.parametrize("commands, expected", PUSH)
def test_headers_of_single_mode(commands, expected):
    host = single(Sink, *commands)
    host.net.connections[0].write(b"hi")
    assert host.wait(100) == expected


def test_source_addresses_in_multi_mode():
    host = multi()
    host.ask("AT+CIPSRIP=1")
    host.net.connections[0].write(b"hi")
    assert host.wait(100) == b'\r\n+CIPRXGET: 1,0,"198.51.100.1":80\r\n'
    assert host.ask("AT+CIPRXGET=2,0,9") == b'\r\n+CIPRXGET: 2,0,2,0,"198.51.100.1":80\r\nhi' + OK
    host.ask("AT+CIPRXGET=0")
    host.net.connections[0].write(b"hi")
    assert host.wait(100) == b"\r\n+RECEIVE,0,2,198.51.100.1:80:\r\nhi"


def test_pushed_data_waits_while_payload_comes_in():
    host = single(Sink)
    host.ask("AT+CIPSEND=4")
    host.net.connections[0].write(b"peer")
    assert host.wait(500) == b""
    assert host.ask(b"host") == b"peer\r\nSEND OK\r\n"


# --- close


def test_a_peer_that_slams_the_door():
    host = Host()
    host.net.serve("example.com", 80, Slam)
    host.do(*MULTI_UP)
    assert host.ask('AT+CIPSTART=0,"TCP","example.com",80', 1000) == OK + b"\r\n0, CONNECT OK\r\n\r\n0, CLOSED\r\n"


@pytest.mark.parametrize("text", [b"CLOSE OK", b"CLOSED", b"CLOSED OK"])
def test_the_answer_to_cipclose_varies(text):
    host = multi(choices={"close_ok": text})
    assert host.ask("AT+CIPCLOSE=0,1", 300) == b"\r\n0, %s\r\n" % text
    assert host.ask("AT+CIPCLOSE=0,1", 300) == ERROR
    assert not host.net.connections[0].is_open


def test_a_closed_link_can_be_used_again():
    host = multi(Echo)
    host.ask("AT+CIPCLOSE=0", 300)
    assert host.ask('AT+CIPSTART=0,"TCP","example.com",80', 1000) == OK + b"\r\n0, CONNECT OK\r\n"


def test_losing_the_context_ends_all_links():
    host = multi(Blob(b"unread", close=False))
    host.wait(100)
    host.vm.pdp_deact()
    assert host.wait(10) == b"\r\n+PDP: DEACT\r\n"
    assert b"STATE: PDP DEACT" in host.ask("AT+CIPSTATUS")
    assert host.ask("AT+CIPSEND=0,1") == ERROR
    assert host.ask('AT+CIPSTART=0,"TCP","example.com",80') == ERROR
    assert host.ask("AT+CIPSHUT", 500) == b"\r\nSHUT OK\r\n"
    assert host.ask('AT+CSTT="x"') == OK


def test_all_eight_links_work_at_once():
    host = Host()
    host.net.serve("example.com", 80, Echo)
    host.do(*MULTI_UP)
    for n in range(8):
        assert b"CONNECT OK" in host.ask('AT+CIPSTART=%d,"TCP","example.com",80' % n, 1000)
    for n in range(8):
        host.ask("AT+CIPSEND=%d,1" % n)
        assert host.ask(b"%d" % n) == b"\r\n%d, SEND OK\r\n\r\n+CIPRXGET: 1,%d\r\n" % (n, n)
    for n in range(8):
        assert host.ask("AT+CIPRXGET=2,%d,9" % n) == b"\r\n+CIPRXGET: 2,%d,1,0\r\n%d" % (n, n) + OK


# --- the rest


def test_datagrams_do_not_merge_and_strangers_are_dropped():
    host = Host()
    stranger = ("192.0.2.9", 9)
    script = Script(("send", b"one"), ("send", b"two"), ("send", b"three", stranger))
    host.net.serve("192.0.2.1", 53, script, "UDP")
    host.do(*MULTI_UP)
    host.ask('AT+CIPSTART=0,"UDP","192.0.2.1",53', 1000)
    assert host.ask("AT+CIPRXGET=2,0,100") == b"\r\n+CIPRXGET: 2,0,3,3\r\none" + OK
    assert host.ask("AT+CIPRXGET=2,0,100") == b"\r\n+CIPRXGET: 2,0,3,0\r\ntwo" + OK
    host.ask("AT+CIPQSEND=1")
    host.ask("AT+CIPSEND=0,3")
    assert host.ask(b"abc") == b"\r\nDATA ACCEPT:0,3\r\n"
    assert host.ask("AT+CIPACK=0") == b"\r\n+CIPACK: 3,0,3\r\n" + OK


def test_plus_signs_without_silence_are_data():
    host = Host()
    host.net.serve("example.com", 80, Sink)
    host.do("AT+CIPMODE=1", *UP)
    assert host.ask('AT+CIPSTART="TCP","example.com",80', 1000) == OK + b"\r\nCONNECT\r\n"
    host.ask(b"data+++", 2000)
    host.ask(b"+++more", 2000)
    host.ask(b"++", 2000)
    assert bytes(host.net.connections[0].received) == b"data++++++more++"
    assert host.ask(b"+++", 1100) == OK
    assert host.ask("AT+CSQ") == b"\r\n+CSQ: 20,0\r\n" + OK
    assert host.ask("ATO") == b"\r\nCONNECT\r\n"
    host.net.connections[0].close()
    assert host.wait(100) == b"\r\nCLOSED\r\n"
    assert host.ask("ATO") == ERROR


def test_a_server_takes_clients_on_free_links():
    host = Host()
    host.do(*MULTI_UP)
    assert host.ask("AT+CIPSERVER=1,8888") == OK + b"\r\nSERVER OK\r\n"
    assert host.ask("AT+CIPSERVER?") == b"\r\n+CIPSERVER: 1,8888,0,0\r\n" + OK
    clients = [host.net.dial(8888, Echo, "10.0.0.%d" % n) for n in range(1, 9)]
    assert clients[7] is None and all(clients[:7])
    assert host.wait(100) == b"".join(b"\r\n%d, REMOTE IP: 10.0.0.%d\r\n" % (n, n + 1) for n in range(7))
    assert host.ask("AT+CIPSERVER=0") == OK + b"\r\nSERVER CLOSE\r\n"
    assert host.net.dial(8888, Echo) is None
    assert b"CONNECTED" in host.ask("AT+CIPSTATUS=0")
