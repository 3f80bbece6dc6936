"""The CIPOPEN dialect of the virtual SIM7028 and A76XX: network, links, servers, and what goes wrong."""

from families import OPEN
import pytest
from sim import Blackhole, Blob, Drip, Echo, Network, Refuse, Script, Sink, Slam, Stall
from sim_host import UP_CIPOPEN, Host, machine

OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"
BOTH = pytest.mark.parametrize("family", OPEN)
PEER = ("example.com", 80)


def line(text) -> bytes:
    return b"\r\n" + (text.encode() if isinstance(text, str) else text) + b"\r\n"


def up(family="a76xx", peer=Sink, *commands, choices=None, **settings):
    """A module with its network open, and buffer access unless commands say otherwise."""
    host = Host(family, choices=choices, **settings)
    host.net.serve(*PEER, peer)
    host.do(*(commands or UP_CIPOPEN))
    return host


def linked(family="a76xx", peer=Sink, *commands, link=0, **settings):
    """The same with an open link."""
    host = up(family, peer, *commands, **settings)
    assert host.ask('AT+CIPOPEN=%d,"TCP","example.com",80' % link, 1000).startswith(OK + line("+CIPOPEN: %d,0" % link))
    return host


def send(host, command: str, payload: bytes, ms=500) -> bytes:
    assert host.ask(command) == b"\r\n>"
    return host.ask(payload, ms)


# --- network


@BOTH
def test_network_opens_and_closes(family):
    host = Host(family)
    assert host.ask("AT+NETOPEN?") == line("+NETOPEN: 0") + OK
    assert host.ask("AT+NETOPEN", 100) == OK
    assert host.wait(1000) == line("+NETOPEN: 0")
    assert host.ask("AT+NETOPEN?") == line("+NETOPEN: 1") + OK
    assert host.ask("AT+NETOPEN") == line("+IP ERROR: Network is already opened") + ERROR
    assert host.ask("AT+NETCLOSE", 100) == OK
    assert host.ask("AT+NETCLOSE", 100) == OK
    assert host.wait(1000) == line("+NETCLOSE: 0") * 2
    assert host.ask("AT+NETCLOSE") == line("+NETCLOSE: 2") + ERROR


def test_error_mode_0_gives_numbers():
    host = up()
    host.do("AT+CIPCCFG=10,0,0,0")
    assert host.ask("AT+NETOPEN") == line("+IP ERROR: 4") + ERROR
    assert host.ask("AT+CIPRXGET=2,0") == line("+IP ERROR: 22") + ERROR
    assert host.ask('AT+CIPOPEN=10,"TCP","a",1') == line("+IP ERROR: 12") + ERROR
    host = Host("a76xx", choices={"netclose_closed": "ip error"})
    assert host.ask("AT+NETCLOSE") == line("+IP ERROR: Network is already closed") + ERROR


@pytest.mark.parametrize("bringup, answer", [("error", ERROR), (1, OK + line("+NETOPEN: 1"))])
def test_network_that_does_not_open(bringup, answer):
    host = Host("a76xx", bringup=bringup)
    assert host.ask("AT+NETOPEN", 1000) == answer
    assert host.ask("AT+NETOPEN?") == line("+NETOPEN: 0") + OK


@pytest.mark.parametrize("form, answer", [("error", ERROR), ("late", OK + line("+NETOPEN: 1"))])
def test_network_needs_registration(form, answer):
    host = Host("a76xx", choices={"unregistered": form})
    host.vm.registration = 11
    assert host.ask("AT+NETOPEN", 1000) == answer


def test_firmware_without_sockets_refuses_their_commands():
    host = Host("a76xx", tcpip=False)
    for command in ("AT+NETOPEN", "AT+NETOPEN?", 'AT+CIPOPEN=0,"TCP","a",1', "AT+CIPRXGET=1", "AT+IPADDR"):
        assert host.ask(command) == ERROR


def test_read_form_with_a_second_field():
    host = Host("a76xx", choices={"netopen_read": "long"})
    assert host.ask("AT+NETOPEN?") == line("+NETOPEN: 0,0") + OK
    host.do("AT+NETOPEN")
    assert host.ask("AT+NETOPEN?") == line("+NETOPEN: 1, 0") + OK


@BOTH
def test_address_only_while_the_network_is_open(family):
    host = Host(family)
    prefix = "+IP ERROR: " if family == "sim7028" else "+IPADDR: "
    assert host.ask("AT+IPADDR") == line(prefix + "Network not opened") + ERROR
    host.do("AT+NETOPEN")
    assert host.ask("AT+IPADDR") == line("+IPADDR: 10.78.245.128") + OK


@pytest.mark.parametrize(
    "form, lines",
    [
        ("closed", line("CLOSED") + line("+CIPCLOSE: 3,0") + line("+NETCLOSE: 0")),
        ("result", line("+CIPCLOSE: 3,0") + line("+NETCLOSE: 0")),
        ("silent", line("+NETCLOSE: 0")),
    ],
)
def test_netclose_closes_the_links(form, lines):
    host = linked(link=3, choices={"netclose_links": form})
    assert host.ask("AT+NETCLOSE", 1000) == OK + lines
    assert host.ask("AT+CIPCLOSE?") == line("+CIPCLOSE: 0,0,0,0,0,0,0,0,0,0") + OK
    assert not host.net.connections[0].is_open


@pytest.mark.parametrize("form, state", [("closed", 0), ("lost", 1)])
def test_network_lost(form, state):
    host = linked(link=1, choices={"lost": form})
    host.do("AT+CGEREP=0")
    host.vm.network_lost()
    assert host.wait(100) == line("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY")
    assert host.ask("AT+NETOPEN?") == line("+NETOPEN: %d" % state) + OK
    assert host.ask("AT+CIPSEND=1,5") == line("+CIPERROR: 4") + ERROR
    assert host.ask("AT+CIPCLOSE=1") == line("+CIPCLOSE: 1,4") + ERROR
    assert host.ask("AT+CIPRXGET=4,1") == line("+CIPRXGET: 4,1,0") + OK
    closed = OK + line("+NETCLOSE: 0") if state else line("+NETCLOSE: 2") + ERROR
    assert host.ask("AT+NETCLOSE", 1000) == closed
    assert host.ask("AT+NETOPEN", 1000) == OK + line("+NETOPEN: 0")


def test_network_lost_while_things_are_on_their_way():
    host = Host("a76xx")
    host.do("AT+CGEREP=0")
    host.ask("AT+NETOPEN", 100)
    host.vm.network_lost()
    assert host.wait(1000) == line("+NETOPEN: 1")
    host.net.serve(*PEER, Blackhole)
    host.do("AT+NETOPEN")
    host.ask('AT+CIPOPEN=0,"TCP","example.com",80')
    host.vm.network_lost()
    assert host.wait(1000) == line("+CIPOPEN: 0,1") + line("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY")


def test_packet_events_come_until_they_are_switched_off():
    host = Host("a76xx", powered=False, cgev_ms=500)
    host.vm.boot()
    assert host.wait(20_000).count(b"+CGEV: ") > 10
    host.ask("AT+CGEREP=0,0")
    assert host.wait(5000) == b""
    assert b"+CGEV" not in Host("sim7028").wait(1000)


def test_registration_that_only_eps_tells():
    host = Host("a76xx", choices={"creg": "denied"})
    assert host.ask("AT+CREG?") == line("+CREG: 0,3") + OK
    assert host.ask("AT+CEREG?") == line("+CEREG: 0,1") + OK


def test_network_lost_during_a_close():
    host = linked()
    host.do("AT+CGEREP=0")
    assert host.ask("AT+CIPCLOSE=0", 50) == OK
    host.vm.network_lost()
    assert host.wait(1000) == line("+CIPCLOSE: 0,0") + line("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY")


def test_detaching_and_flight_mode_end_the_network():
    for command in ("AT+CGATT=0", "AT+CFUN=4", "AT+CGACT=0,1"):
        host = linked()
        host.do("AT+CGEREP=0")
        assert host.ask(command, 1000).startswith(line("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY")), command


# --- connect


@BOTH
def test_links_open_in_any_number(family):
    host = up(family)
    count = len(host.vm.links)
    for n in range(count):
        assert host.ask('AT+CIPOPEN=%d,"TCP","example.com",80' % n, 1000) == OK + line("+CIPOPEN: %d,0" % n)
    assert host.ask("AT+CIPCLOSE?") == line("+CIPCLOSE: " + ",".join("1" * count)) + OK
    answer = host.ask('AT+CIPOPEN=%d,"TCP","example.com",80' % count)
    assert answer == line("+IP ERROR: Invalid parameter") + ERROR


@pytest.mark.parametrize(
    "values, code",
    [
        ('0,"XXX","a",1', 3),
        ('0,"TCP","a",0', 3),
        ('0,"TCP","a",65536', 3),
        ('0,"TCP","",1', 3),
        ('0,"TCP"', 3),
        ('0,"UDP","",0', 3),
        ('0,"UDP",,', 3),
        ('1,"TCP","a",1', 4),
    ],
)
def test_cipopen_that_cannot_begin_says_why(values, code):
    host = linked(link=1)
    assert host.ask("AT+CIPOPEN=" + values) == line("+CIPOPEN: %s,%d" % (values[0], code)) + ERROR


def test_nothing_opens_while_the_network_is_closed():
    host = Host("a76xx")
    assert host.ask('AT+CIPOPEN=0,"TCP","a",1') == line("+CIPOPEN: 0,2") + ERROR
    assert host.ask('AT+CIPOPEN=0,"UDP",,,5000') == line("+CIPOPEN: 0,2") + ERROR
    assert host.ask("AT+SERVERSTART=80,0") == line("+CIPERROR: 2") + ERROR
    assert host.ask("AT+SERVERSTART?") == line("+CIPERROR: 2") + ERROR
    assert host.ask("AT+CTCPKA=1,2,5,1") == OK
    assert Host("sim7028").ask("AT+CTCPKA=1,2,5,1") == ERROR
    assert host.ask('AT+CDNSGIP="localhost"', 500) == line("+CDNSGIP: 0,10") + ERROR
    for code in (4, 2):
        host.vm.choices["closed_err"] = code
        assert host.ask("AT+CIPSEND=0,5") == line("+CIPERROR: %d" % code) + ERROR


@pytest.mark.parametrize("host_name, code", [("example.com", 1), ("203.0.113.1", 1), ("no.such.name", 11)])
def test_refused_and_unknown_destinations_fail_soon(host_name, code):
    host = up(peer=Refuse)
    answer = OK + line("+CIPOPEN: 0,%d" % code)
    assert host.ask('AT+CIPOPEN=0,"TCP","%s",80' % host_name, 1000) == answer
    host.net.serve(*PEER, Sink)
    assert host.ask('AT+CIPOPEN=0,"TCP","example.com",80', 1000) == OK + line("+CIPOPEN: 0,0")


@pytest.mark.parametrize("setting, ms", [(None, 120_000), ("AT+CIPTIMEOUT=,15000", 15_000)])
def test_a_silent_destination_is_tried_for_the_set_time(setting, ms):
    host = up(peer=Blackhole)
    host.do(*[setting] if setting else [])
    assert host.ask('AT+CIPOPEN=0,"TCP","example.com",80', ms - 500) == OK
    assert host.ask("AT+CIPCLOSE=0") == line("+CIPCLOSE: 0,4") + ERROR
    assert host.wait(1000) == line("+CIPOPEN: 0,10")


def test_open_links_are_told():
    host = linked(link=1, family="sim7028")
    host.do('AT+CIPOPEN=0,"UDP",,,5000')
    answer = '+CIPOPEN: 0,"UDP","",0,-1\r\n+CIPOPEN: 1,"TCP","198.51.100.1",80,-1'
    assert host.ask("AT+CIPOPEN?") == line(answer) + OK


# --- send


@BOTH
def test_ok_then_the_late_result(family):
    host = linked(family)
    assert send(host, "AT+CIPSEND=0,5", b"A\x1a\x1b\r>", 15) == OK
    assert host.wait(500) == line("+CIPSEND: 0,5,5")
    assert host.net.connections[0].received == b"A\x1a\x1b\r>"


def test_prompt_with_a_blank():
    host = linked(choices={"prompt": b"\r\n> ", "prompt_pieces": True})
    assert host.ask("AT+CIPSEND=0,5") == b"\r\n> "


@pytest.mark.parametrize("form", ["AT+CIPSEND=0", "AT+CIPSEND=0,"])
def test_variable_length_knows_escapes(form):
    host = linked()
    answer = send(host, form, b"a\x03\x1ab\x03\x1bc\x03\x03d\x08\x1a")
    assert answer == OK + line("+CIPSEND: 0,8,8")
    assert host.net.connections[0].received == b"a\x1ab\x1bc\x03d\x08"


def test_variable_length_ends_with_esc_and_above_the_limit():
    host = linked()
    assert send(host, "AT+CIPSEND=0", b"abc\x1b") == OK
    assert send(host, "AT+CIPSEND=0", b"x" * 1501) == ERROR
    assert not host.net.connections[0].received
    assert host.ask("AT") == OK


def test_what_gets_no_prompt():
    host = linked()
    host.do('AT+CIPOPEN=1,"UDP",,,5000')
    cases = {"0,0": "", "0,1501": "", "0,x": "", "x,5": "", "2,5": "4", "10,5": "3", "1,5": "3", "1": "3"}
    cases['0,5,"1.2.3.4",80'] = "3"
    for values, code in cases.items():
        answer = line("+CIPERROR: " + code) + ERROR if code else ERROR
        assert host.ask("AT+CIPSEND=" + values) == answer, values


def test_confirmed_numbers_can_be_wrong():
    host = linked(confirm=[-1, 0, 3])
    for count in (-1, 0, 3, 5):
        assert send(host, "AT+CIPSEND=0,5", b"hello") == OK + line("+CIPSEND: 0,5,%d" % count)


def test_payload_for_a_link_that_closed_meanwhile():
    host = linked(peer=Script(("wait", 500), ("close",)))
    assert host.ask("AT+CIPSEND=0,5", 1000) == b"\r\n>"
    answer = host.ask(b"hello", 500)
    assert sorted(answer.split()) == sorted((OK + line("+IPCLOSE: 0,1") + line("+CIPSEND: 0,5,-1")).split())


def test_another_link_may_send_before_the_result():
    host = linked(peer=Stall)
    host.do('AT+CIPOPEN=1,"TCP","example.com",80', "AT+CIPSENDMODE=1")
    assert send(host, "AT+CIPSEND=0,5", b"first") == OK
    assert host.ask("AT+CIPSEND=0,5") == line("+CIPERROR: 8") + ERROR
    assert send(host, "AT+CIPSEND=1,6", b"second") == OK
    host.net.connections[1].resume()
    assert host.wait(500) == line("+CIPSEND: 1,6,6")
    host.net.connections[0].resume()
    assert host.wait(500) == line("+CIPSEND: 0,5,5")


def test_send_mode_0_does_not_wait_for_the_peer():
    host = linked(peer=Stall)
    assert send(host, "AT+CIPSEND=0,5", b"hello") == OK + line("+CIPSEND: 0,5,5")


@pytest.mark.parametrize("mode", [0, 1])
def test_unacknowledged_data_ends_the_link(mode):
    host = linked(peer=Stall)
    host.do("AT+CIPSENDMODE=%d" % mode, "AT+CIPTIMEOUT=,,3000")
    at_once = line("+CIPSEND: 0,5,5")
    assert send(host, "AT+CIPSEND=0,5", b"hello", 2500) == (OK if mode else OK + at_once)
    assert host.wait(1000) == (line("+CIPSEND: 0,5,0") if mode else b"") + line("+IPCLOSE: 0,2")


@pytest.mark.parametrize("form, count", [("zero", 0), ("short", 680), ("wait", None)])
def test_full_send_buffer(form, count):
    host = linked(peer=Stall, choices={"full": form}, tx_limit=11_180)
    for _ in range(7):
        assert send(host, "AT+CIPSEND=0,1500", b"x" * 1500) == OK + line("+CIPSEND: 0,1500,1500")
    answer = send(host, "AT+CIPSEND=0,1500", b"x" * 1500)
    assert answer == (OK if count is None else OK + line("+CIPSEND: 0,1500,%d" % count))
    host.net.connections[0].resume()
    assert host.wait(500) == (line("+CIPSEND: 0,1500,1500") if count is None else b"")
    assert len(host.net.connections[0].received) == 10_500 + (1500 if count is None else count)


def test_waiting_for_a_full_send_buffer_ends():
    host = linked(peer=Stall, choices={"full": "wait"}, tx_limit=1500)
    send(host, "AT+CIPSEND=0,1500", b"x" * 1500)
    host.do("AT+CIPTIMEOUT=,,3000")
    assert send(host, "AT+CIPSEND=0,5", b"hello", 2500) == OK
    assert host.wait(1000) == line("+CIPSEND: 0,5,0")


# --- datagrams


@BOTH
def test_datagrams_to_and_from_anywhere(family):
    host = up(family, Sink, "AT+NETOPEN", net=Network(latency_ms=50))
    host.net.serve("192.0.2.1", 53, Echo, "UDP")
    host.net.serve("udp.example", 54, Script(("expect", b"two"), ("send", b"2"), ("send", b"3")), "UDP")
    assert host.ask('AT+CIPOPEN=1,"UDP",,,5000') == line("+CIPOPEN: 1,0") + OK
    echo = line(b"RECV FROM:192.0.2.1:53\r\n+IPD3")
    assert send(host, 'AT+CIPSEND=1,3,"192.0.2.1",53', b"one") == OK + line("+CIPSEND: 1,3,3") + echo + b"one"
    address = host.net.names["udp.example"][0].encode()
    answer = send(host, 'AT+CIPSEND=1,,"udp.example",54', b"two\x1a", 1000)
    pushed = b"".join(line(b"RECV FROM:" + address + b":54\r\n+IPD1") + data for data in (b"2", b"3"))
    assert answer == OK + line("+CIPSEND: 1,3,3") + pushed
    assert send(host, 'AT+CIPSEND=1,"192.0.2.1",53', b"x\x1a").startswith(OK)
    host.net.datagram(5000, b"hi", ("203.0.113.9", 999))
    assert host.wait(100) == line(b"RECV FROM:203.0.113.9:999\r\n+IPD2") + b"hi"


def test_datagram_borders_vanish_in_buffer_access():
    host = up()
    host.do('AT+CIPOPEN=0,"UDP",,,5000')
    for data in (b"one", b"two"):
        host.net.datagram(5000, data, ("203.0.113.9", 999))
    assert host.wait(100) == line("+CIPRXGET: 1,0")
    assert host.ask("AT+CIPRXGET=2,0,4") == line("+CIPRXGET: 2,0,4,2") + b"onet" + OK


@pytest.mark.parametrize("form", ["result first", "ok first"])
def test_udp_close_in_either_order(form):
    host = up(choices={"udp_close": form})
    host.do('AT+CIPOPEN=0,"UDP",,,5000')
    assert host.ask('AT+CIPOPEN=1,"UDP",,,5000') == line("+CIPOPEN: 1,6") + ERROR
    result = line("+CIPCLOSE: 0,0")
    assert host.ask("AT+CIPCLOSE=0", 500) == (result + OK if form == "result first" else OK + result)
    assert host.ask('AT+CIPOPEN=1,"UDP",,,5000') == line("+CIPOPEN: 1,0") + OK


# --- receive


@BOTH
def test_buffer_access(family):
    host = linked(family, Blob(b"data from server", close=False), link=1)
    assert host.read() == b""
    assert host.ask("AT+CIPRXGET=4,1") == line("+CIPRXGET: 4,1,16") + OK
    assert host.ask("AT+CIPRXGET=2,1,5") == line("+CIPRXGET: 2,1,5,11") + b"data " + OK
    assert host.ask("AT+CIPRXGET=3,1,5") == line("+CIPRXGET: 3,1,5,6") + b"66726F6D20" + OK
    assert host.ask("AT+CIPRXGET=2,1") == line("+CIPRXGET: 2,1,6,0") + b"server" + OK
    for values in ("2,1", "2,0", "2,9", "3,1"):
        assert host.ask("AT+CIPRXGET=" + values) == line("+IP ERROR: No data") + ERROR, values
    for values in ("2,10", "2,1,0", "2,1,1501", "3,1,751", "2", "5", "4,1,1"):
        assert host.ask("AT+CIPRXGET=" + values) == line("+IP ERROR: Invalid parameter") + ERROR, values
    host.net.connections[0].write(b"x")
    assert host.wait(100) == line("+CIPRXGET: 1,1")


def test_second_line_end_behind_the_data():
    host = linked(peer=Blob(b"data", close=False), choices={"trailer": b"\r\n\r\nOK\r\n"})
    assert host.ask("AT+CIPRXGET=2,0") == line("+CIPRXGET: 2,0,4,0") + b"data\r\n" + OK


HEADERS = [
    (1, 1, 0, b"\r\nRECV FROM:%s:80\r\n+IPD4\r\n"),
    (0, 1, 0, b"\r\n+IPD4\r\n"),
    (1, 1, 1, b"\r\nRECV FROM:%s:80\r\n+RECEIVE,1,4:\r\n"),
    (0, 1, 1, b"\r\n+RECEIVE,1,4:\r\n"),
    (1, 0, 0, b"\r\nRECV FROM:%s:80\r\n"),
    (0, 0, 1, b""),
]


@pytest.mark.parametrize("source, head, kind, expected", HEADERS)
def test_headers_of_direct_push(source, head, kind, expected):
    host = up("a76xx", Blob(b"data", after=b"x"), "AT+NETOPEN", net=Network(latency_ms=50))
    host.do("AT+CIPSRIP=%d" % source, "AT+CIPHEAD=%d" % head, "AT+CIPCCFG=10,0,0,1,%d" % kind)
    host.do('AT+CIPOPEN=1,"TCP","example.com",80')
    answer = send(host, "AT+CIPSEND=1,1", b"x")
    address = host.net.names["example.com"][0].encode()
    expected = expected.replace(b"%s", address) + b"data" + line("+IPCLOSE: 1,1")
    assert answer == OK + line("+CIPSEND: 1,1,1") + expected


@pytest.mark.parametrize(
    "choice, value, piece",
    [("recv_from", b"+RECV FROM:", b"\r\n+RECV FROM:198"), ("ipd", b"+IPD(%d)", b"\r\n+IPD(4)\r\ndata")],
)
def test_headers_have_variants(choice, value, piece):
    host = linked("a76xx", Blob(b"data", after=b"x"), "AT+NETOPEN", choices={choice: value})
    assert piece in send(host, "AT+CIPSEND=0,1", b"x")


def test_long_data_is_pushed_before_the_close():
    host = linked("a76xx", Blob(bytes(12_000), after=b"x"), "AT+NETOPEN", "AT+CIPSRIP=0")
    got = send(host, "AT+CIPSEND=0,1", b"x", 5000)
    assert got.endswith(b"\0" + line("+IPCLOSE: 0,1")) and got.count(b"\0") == 12_000


# --- close


def test_close_of_tcp_and_of_nothing():
    host = linked(link=1)
    assert host.ask("AT+CIPCLOSE=1", 500) == OK + line("+CIPCLOSE: 1,0")
    assert host.ask("AT+CIPCLOSE=1") == line("+CIPCLOSE: 1,4") + ERROR
    assert host.ask("AT+CIPCLOSE") == ERROR
    assert not host.net.connections[0].is_open
    host = linked(link=1, choices={"closed_line": True})
    assert host.ask("AT+CIPCLOSE=1", 500) == OK + line("CLOSED") + line("+CIPCLOSE: 1,0")


def test_data_stays_readable_behind_a_remote_close():
    host = linked(peer=Blob(b"last"))
    assert host.read() == b""
    assert host.ask("AT+CIPCLOSE?").startswith(line("+CIPCLOSE: 0,0,0,0,0,0,0,0,0,0"))
    assert host.ask("AT+CIPRXGET=2,0") == line("+CIPRXGET: 2,0,4,0") + b"last" + OK
    assert host.ask("AT+CIPRXGET=2,0") == line("+IP ERROR: No data") + ERROR
    assert host.ask("AT+CIPCLOSE=0") == line("+CIPCLOSE: 0,4") + ERROR


def test_remote_close_is_told():
    host = up(peer=Slam)
    answer = host.ask('AT+CIPOPEN=0,"TCP","example.com",80', 1000)
    assert answer == OK + line("+CIPOPEN: 0,0") + line("+IPCLOSE: 0,1")


# --- servers


@BOTH
def test_servers_and_their_clients(family):
    host = up(family)
    count = host.vm.server_count
    for i in range(count):
        assert host.ask("AT+SERVERSTART=%d,%d,3" % (8000 + i, i)) == OK
    rows = "\r\n".join("+SERVERSTART: %d,%d" % (i, 8000 + i) for i in range(count))
    assert host.ask("AT+SERVERSTART?") == line(rows) + OK
    assert host.ask("AT+SERVERSTART=9000,0") == line("+CIPERROR: 7") + ERROR
    for values in ("9000,%d" % count, "0,0", "9000", "9000,0,4"):
        assert host.ask("AT+SERVERSTART=" + values) == line("+CIPERROR: 3") + ERROR, values
    connection = host.net.dial(8001, Blob(b"hello", close=False), "192.0.2.7", 5555)
    assert host.wait(200) == line("+CLIENT: 0,1,192.0.2.7:5555") + line("+CIPRXGET: 1,0")
    assert host.ask("AT+CIPOPEN?").startswith(b'\r\n+CIPOPEN: 0,"TCP","192.0.2.7",5555,1\r\n')
    assert send(host, "AT+CIPSEND=0,5", b"reply") == OK + line("+CIPSEND: 0,5,5")
    assert connection.received == b"reply"
    assert host.ask("AT+CIPSEND=0") == line("+CIPERROR: 4") + ERROR


def test_clients_without_a_free_link_are_turned_away():
    host = up("sim7028")
    host.do("AT+SERVERSTART=8000,0")
    assert host.net.dial(8000, Sink) and host.net.dial(8000, Sink)
    assert host.net.dial(8000, Sink) is None


@pytest.mark.parametrize("form", ["result first", "ok first"])
def test_server_stops_in_either_order(form):
    host = up(choices={"server_stop": form})
    host.do("AT+SERVERSTART=8000,1")
    result = line("+SERVERSTOP: 1,0")
    assert host.ask("AT+SERVERSTOP=1", 200) == (result + OK if form == "result first" else OK + result)
    assert host.ask("AT+SERVERSTOP=1") == line("+SERVERSTOP: 1,4") + ERROR
    assert host.ask("AT+SERVERSTOP=4") == line("+SERVERSTOP: 4,3") + ERROR
    assert host.net.dial(8000, Sink) is None


@pytest.mark.parametrize("form", ["stops", "refused"])
def test_server_with_clients(form):
    host = up(choices={"stop_with_clients": form})
    host.do("AT+SERVERSTART=8000,0")
    host.net.dial(8000, Echo)
    host.wait(100)
    answer = line("+SERVERSTOP: 0,0") + OK if form == "stops" else line("+SERVERSTOP: 0,9") + ERROR
    assert host.ask("AT+SERVERSTOP=0", 200) == answer
    assert b"+CIPSEND: 0,2,2" in send(host, "AT+CIPSEND=0,2", b"hi")


# --- transparent mode


def transparent(peer=Echo, **settings):
    host = up("a76xx", peer, "AT+CIPMODE=1", "AT+NETOPEN", **settings)
    assert host.ask('AT+CIPOPEN=0,"TCP","example.com",80', 1000) == line("CONNECT 115200")
    return host


def escape(host) -> bytes:
    host.wait(1100)
    return host.ask(b"+++", 1100)


def test_transparent_mode_carries_everything():
    host = transparent()
    data = bytes(range(256))
    assert host.ask(data, 500) == data
    assert host.ask(b"+++", 1500) == b"+++"  # no silence in front
    assert escape(host) == OK
    assert host.ask("AT+CIPMODE=0") == ERROR
    host.net.connections[0].write(b"kept")
    assert host.wait(100) == b""
    assert host.ask("ATO") == line("CONNECT 115200") + b"kept"
    assert escape(host) == OK
    assert host.ask('AT+CIPOPEN=0,"TCP","example.com",80') == line("CONNECT 115200")
    assert escape(host) == OK
    opened = OK + line("+CIPOPEN: 1,0")  # it goes on in command mode
    assert host.ask('AT+CIPOPEN=1,"TCP","example.com",80', 2000) == opened
    assert host.ask("AT+CIPCLOSE=0", 500) == OK + line("CLOSED") + line("+CIPCLOSE: 0,0")
    assert host.ask("ATO") == ERROR


def test_transparent_mode_of_datagrams():
    host = up("sim7028", Sink, "AT+CIPMODE=1", "AT+NETOPEN", choices={"connect_rate": False})
    host.net.serve("192.0.2.1", 53, Echo, "UDP")
    assert host.ask('AT+CIPOPEN=0,"UDP","192.0.2.1",53,5000', 1000) == line("CONNECT")
    assert host.ask(b"ping") == b"ping"
    assert escape(host) == OK
    assert host.ask("AT+CIPCLOSE=0", 500) == line("CLOSED") + line("+CIPCLOSE: 0,0") + OK


def test_transparent_connection_that_fails():
    host = up("a76xx", Refuse, "AT+CIPMODE=1", "AT+NETOPEN")
    assert host.ask('AT+CIPOPEN=0,"TCP","example.com",80', 1000) == line("CONNECT FAIL")
    assert host.ask("AT") == OK


@pytest.mark.parametrize(
    "form, lines",
    [
        ("closed", line("CLOSED")),
        ("both", line("CLOSED") + line("+IPCLOSE: 0,1")),
        ("ipclose", line("+IPCLOSE: 0,1")),
    ],
)
def test_remote_close_leaves_transparent_mode(form, lines):
    host = transparent(Blob(bytes(5000), after=b"go"), choices={"transparent_end": form})
    assert host.ask(b"go", 2000) == bytes(5000) + lines
    assert host.ask("AT") == OK


def test_lost_network_leaves_transparent_mode():
    host = transparent()
    host.vm.values["CGEREP"] = "0"
    host.vm.network_lost()
    assert host.wait(100) == line("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY")
    assert host.ask("ATO") == ERROR


@pytest.mark.parametrize("mode, low_ms, left", [(1, 1100, True), (1, 500, False), (0, 1100, False)])
def test_dtr_leaves_transparent_mode(mode, low_ms, left):
    pin = machine.Pin(6, machine.Pin.OUT, value=1)
    host = up("a76xx", Sink, "AT&D%d" % mode, "AT+CIPMODE=1", "AT+NETOPEN", dtr=pin)
    host.ask('AT+CIPOPEN=0,"TCP","example.com",80', 1000)
    pin.value(0)
    host.wait(low_ms)
    pin.value(1)
    assert host.wait(100) == (OK if left else b"")
    assert host.ask("ATO") == (line("CONNECT 115200") if left else b"")


def test_transparent_server():
    host = up("sim7028", Sink, "AT+CIPMODE=1", "AT+NETOPEN", "AT+SERVERSTART=8000,0")
    assert host.ask("AT+SERVERSTART=8001,1") == OK
    connection = host.net.dial(8000, Sink, "192.0.2.7", 5555)
    assert host.wait(100) == line("+CLIENT: 0,0,192.0.2.7:5555") + line("CONNECT 115200")
    host.ask(b"hello")
    assert connection.received == b"hello"


# --- settings, names, versions


@BOTH
def test_counts_of_a_link(family):
    host = linked(family, Blob(b"12345", close=False))
    send(host, "AT+CIPSEND=0,10", b"0123456789")
    assert host.ask("AT+CIPACK=0") == line("+CIPACK: 10,0,5") + OK
    host.vm.choices["cipack_second"] = "acknowledged"
    assert host.ask("AT+CIPACK=0") == line("+CIPACK: 10,10,5") + OK
    assert host.ask("AT+CIPACK=1") == line("+IP ERROR: Connection is not created") + ERROR
    assert host.ask("AT+CIPACK=10") == line("+IP ERROR: Invalid parameter") + ERROR


def test_execute_forms_set_the_default():
    host = Host("sim7028")
    for name, other, default in (("CIPHEAD", 0, 1), ("CIPSRIP", 0, 1), ("CIPMODE", 1, 0), ("CIPSENDMODE", 1, 0)):
        for command, value in (("=%d" % other, other), ("", default)):
            assert host.ask("AT+" + name + command) == OK
            assert host.ask("AT+%s?" % name) == line("+%s: %d" % (name, value)) + OK
        assert host.ask("AT+%s=?" % name) == line("+%s: (0-1)" % name) + OK
        assert host.ask("AT+%s=2" % name) == ERROR
    host.do("AT+CIPCCFG=2,,,0,1")
    assert host.ask("AT+CIPCCFG?") == line("+CIPCCFG: 2,0,0,0,1,0,500") + OK
    host.do("AT+CIPCCFG")
    assert host.ask("AT+CIPCCFG?") == line("+CIPCCFG: 10,0,0,1,0,0,500") + OK
    assert host.ask("AT+CIPCCFG=11") == ERROR
    assert host.ask("AT+CIPTIMEOUT=2999") == ERROR


def test_settings_wait_for_a_closed_network():
    host = up("sim7028")
    assert host.ask("AT+CIPMODE=1") == ERROR
    assert host.ask("AT+CSOCKSETPN=1,6") == ERROR
    host.do("AT+NETCLOSE")
    assert host.ask("AT+CSOCKSETPN=1,6") == OK
    assert host.ask("AT+CSOCKSETPN?") == line("+CSOCKSETPN: 1,6") + OK
    assert host.ask("AT+CSOCKSETPN=2,6") == ERROR
    assert Host("a76xx").ask("AT+CSOCKSETPN=1,6") == ERROR


def test_ip_version_6():
    host = Host("sim7028")
    host.net.serve("2001:db8::7", 80, Blob(b"six", after=b"x"))
    host.net.serve(*PEER, Echo)
    host.do('AT+CGDCONT=0,"IPV6","internet"', "AT+CSOCKSETPN=1,6", "AT+NETOPEN")
    assert host.ask("AT+IPADDR") == line("+IPADDR: 2409:8960:1e64:94d8:1:0:3b3b:7118") + OK
    assert host.ask('AT+CIPOPEN=0,"TCP","2001:db8::7",80', 1000) == OK + line("+CIPOPEN: 0,0")
    answer = send(host, "AT+CIPSEND=0,1", b"x")
    assert line(b"RECV FROM:2001:db8::7:80\r\n+IPD3") + b"six" in answer
    assert host.ask('AT+CDNSGIP="example.com"', 500) == line('+CDNSGIP: 1,"example.com","64:ff9b::c633:6401"') + OK
    assert host.ask('AT+CIPOPEN=1,"TCP","example.com",80', 1000) == OK + line("+CIPOPEN: 1,0")
    assert b"RECV FROM:64:ff9b::c633:6401:80\r\n+IPD1\r\nx" in send(host, "AT+CIPSEND=1,1", b"x")
    host.do("AT+CIPCLOSE=1")
    assert host.ask('AT+CIPOPEN=1,"TCP","192.0.2.1",80', 1000) == OK + line("+CIPOPEN: 1,1")


@pytest.mark.parametrize(
    "kind, version, err", [("IP", 6, 1), ("IPV6", 1, 1), ("IPV4V6", 6, 0), ("IPV4V6", 1, 0), ("IP", 1, 0)]
)
def test_network_opens_with_the_version_of_its_context_alone(kind, version, err):
    host = Host("sim7028")
    host.do('AT+CGDCONT=0,"%s","internet"' % kind, "AT+CSOCKSETPN=1,%d" % version)
    assert host.ask("AT+NETOPEN", 2000) == OK + line("+NETOPEN: %d" % err)


def test_name_lookup_tells_its_result_first():
    host = up()
    assert host.ask('AT+CDNSGIP="example.com"', 500) == line('+CDNSGIP: 1,"example.com","198.51.100.1"') + OK
    assert host.ask('AT+CDNSGIP="no.such.name"', 500) == line("+CDNSGIP: 0,10") + ERROR


def test_name_servers_are_kept():
    host = Host("a76xx")
    assert host.ask('AT+CDNSCFG="8.8.8.8","8.8.4.4"') == OK
    assert host.ask("AT+CDNSCFG=2001:db8::1,2001:db8::2,1") == OK
    assert host.ask("AT+CDNSCFG=name") == ERROR
    four = "Primary IPv4 DNS: 8.8.8.8,Secondary IPv4 DNS: 8.8.4.4"
    six = "Primary IPv6 DNS: 2001:db8::1,Secondary IPv6 DNS: 2001:db8::2"
    assert host.ask("AT+CDNSCFG?") == line(four + "\r\n" + six) + OK


def test_contexts():
    host = Host("a76xx", choices={"cgdcont_tail": b',"0.0.0.0",0,0,0,0'})
    assert host.ask('AT+CGDCONT=1,"IPV4V6","internet"') == OK
    assert host.ask("AT+CGDCONT?") == line('+CGDCONT: 1,"IPV4V6","internet","0.0.0.0",0,0,0,0') + OK
    assert host.ask('AT+CGDCONT=1,"X25","internet"') == ERROR
    assert host.ask("AT+CGACT=1,1") == OK
    host = Host("sim7028")
    assert host.ask("AT+CGACT?") == line("+CGACT: 0,1") + OK
    assert host.ask("AT+CGACT=1,1") == ERROR
    assert host.ask("AT+CPSI?").startswith(b"\r\n+CPSI: NB,Online,")
    host.vm.registration = 2
    assert host.ask("AT+CPSI?") == line("+CPSI: NO SERVICE,Online") + OK


# --- power


@BOTH
def test_restart_and_power_off_by_command(family):
    host = linked(family)
    host.do("ATE0", "AT+CIPHEAD=0")
    assert host.ask("AT+CRESET", 50) == OK
    assert line("*ATREADY: 1") in host.wait(15_000)
    assert host.ask("AT+CIPHEAD?") == b"AT+CIPHEAD?\r" + line("+CIPHEAD: 1") + OK
    assert host.ask("AT+CIPCLOSE?").endswith(b"0" + b"\r\n" + OK)
    host.ask("ATE0")
    assert host.ask("AT+CPOF", 50) == OK
    host.wait(3000)
    assert host.ask("AT") == b""
    assert host.ask("AT+CPOWD=1") == b""


def test_a_command_before_atready_is_echoed_only():
    host = Host("a76xx", powered=False)
    host.vm.boot()
    host.wait(host.vm.boot_ms + 50)
    assert host.ask("AT", 50) == b"AT\r"
    assert host.wait(500) == line("*ATREADY: 1") + line("+CPIN: READY")
    assert host.ask("AT") == b"AT\r" + OK


def test_a_restart_drops_what_was_on_its_way():
    host = linked(peer=Drip(bytes(5000), 500, 100))
    host.send("AT+CIPSEND=0,100\r")
    host.vm.restart()
    assert b"+CIPSEND" not in host.wait(20_000)
    assert host.ask("AT").endswith(OK)
