"""Items of the application notes that only the virtual module shows: values that are checked, and obeyed."""

import machine
import pytest
from sim import Blackhole, Echo, Peer, Sink
from sim_host import MULTI_UP, UP, UP_CIPOPEN, Host

OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"
on_cipstart = pytest.mark.parametrize("family", ("sim800", "sim7000"))
on_cipopen = pytest.mark.parametrize("family", ("sim7028", "a76xx"))


def line(text: str) -> bytes:
    return b"\r\n" + text.encode() + b"\r\n"


class Says(Peer):
    """A peer that speaks first."""

    def __init__(self, data):
        self.data = data

    def opened(self, connection):
        connection.write(self.data)


# --- AT+CIPCCFG of the CIPSTART dialect


@on_cipstart
def test_tuning_has_ranges(family):
    host = Host(family, choices={"cmee": 0})
    form = "(NmRetry:3-8),(WaitTm:2-10),(SendSz:1-1460),(esc:0,1) ,(Rxmode:0,1), (RxSize:50-1460),(Rxtimer:20-1000)"
    assert host.ask("AT+CIPCCFG=?") == line("+CIPCCFG: " + form) + OK
    assert host.ask("AT+CIPCCFG?") == line("+CIPCCFG: 5,2,1024,1,0,1460,50") + OK
    for values in ("99,99,9999,7", "2,2,1024,1", "5,11,1024,1", "5,2,0,1", "5,2,1024,2", "5,2,1024", "5,2,1024,1,0,49"):
        assert host.ask("AT+CIPCCFG=" + values) == ERROR, values
    assert host.ask("AT+CIPCCFG=3,10,1460,0,1,50,20") == OK
    assert host.ask("AT+CIPCCFG?") == line("+CIPCCFG: 3,10,1460,0,1,50,20") + OK


def streaming(family, tuning: str, peer=Sink) -> Host:
    """In transparent mode with a peer."""
    host = Host(family)
    host.net.serve("example.com", 80, peer)
    host.do("AT+CIPMODE=1", "AT+CIPCCFG=" + tuning, *UP)
    assert b"\r\nCONNECT\r\n" in host.ask('AT+CIPSTART="TCP","example.com",80', 1000)
    return host


def got(host: Host) -> bytes:
    return bytes(host.net.connections[-1].received)


@on_cipstart
def test_a_packet_goes_out_when_it_is_full_or_nothing_more_comes(family):
    host = streaming(family, "5,3,100,1")
    host.send(b"x" * 250)
    host.wait(60)
    assert got(host) == b"x" * 200
    host.wait(450)
    assert got(host) == b"x" * 200
    host.wait(150)  # three times 200 ms
    assert got(host) == b"x" * 250


@on_cipstart
def test_what_waits_goes_out_in_front_of_the_escape(family):
    host = streaming(family, "5,10,1460,1")
    host.wait(1100)
    host.send(b"last words")
    host.wait(1100)
    host.send(b"+++")
    assert host.wait(1100) == OK
    assert got(host) == b"last words"


@on_cipstart
def test_without_escape_the_pluses_are_payload(family):
    host = streaming(family, "5,2,1024,0")
    host.wait(1100)
    host.send(b"+++")
    assert host.wait(1600) == b""
    assert got(host) == b"+++"


@on_cipstart
def test_received_bytes_come_in_pieces(family):
    data = bytes(range(200))
    host = streaming(family, "5,2,1024,1,1,80,100", lambda: Says(data))
    host.wait(500)
    came = [(ms, piece) for ms, way, piece in host.vm.log if way == "<"][-3:]
    assert [piece for _, piece in came] == [data[:80], data[80:160], data[160:]]
    assert [came[i + 1][0] - came[i][0] for i in range(2)] == [100, 100]


@on_cipstart
@pytest.mark.parametrize("retries, seconds", ((3, 45), (8, 1533)))
def test_a_packet_is_repeated_so_many_times(family, retries, seconds):
    host = streaming(family, "%d,2,1024,1" % retries)
    host.net.connections[-1].stalled = True
    host.send(b"lost")
    assert host.wait((seconds - 1) * 1000) == b""
    assert host.wait(2000) == b"\r\nCLOSED\r\n"


# --- states of the CIPSTART dialect


def state(host: Host) -> str:
    return host.ask("AT+CIPSTATUS").decode().split("STATE: ")[1].split("\r")[0]


@on_cipstart
def test_every_state_of_a_single_connection(family):
    host = Host(family, ciicr_ms=1000, close_ms=400)
    host.net.serve("example.com", 80, Sink)
    host.net.serve("192.0.2.1", 80, Blackhole)
    host.net.serve("example.com", 53, Sink, "UDP")
    host.net.dns_ms = 500
    assert state(host) == "IP INITIAL"
    assert host.ask('AT+CIPSTART="UDP","example.com",53') == OK
    assert state(host) == "IP CONFIG"
    host.wait(900)
    assert state(host) == "UDP CONNECTING"
    host.wait(1000)
    assert state(host) == "CONNECT OK"
    host.ask("AT+CIPCLOSE")
    assert host.vm.state == "UDP CLOSING"
    host.wait(500)
    assert state(host) == "UDP CLOSED"
    host.ask('AT+CIPSTART="TCP","192.0.2.1",80')
    assert state(host) == "TCP CONNECTING"
    host.ask("AT+CIPCLOSE")
    assert host.vm.state == "TCP CLOSING"
    host.wait(500)
    assert state(host) == "TCP CLOSED"


# --- local ports of several connections


@on_cipstart
@pytest.mark.parametrize("form, answer", (("works", OK), ("refused", ERROR), ("ignored", OK)))
def test_the_local_port_of_one_of_several_connections(family, form, answer):
    host = Host(family, choices={"clport_link": form, "cmee": 0})
    host.do(*MULTI_UP)
    assert host.ask('AT+CLPORT=1,"TCP",5000') == answer
    assert host.vm.local_ports == ({(1, "TCP"): 5000} if form == "works" else {})


# --- RI and DTR


@pytest.mark.parametrize("family", ("sim800", "sim7000", "sim7028", "a76xx"))
def test_ri_pulses_for_a_text_message_and_on_sim800_for_a_call(family):
    ri = machine.Pin(5, machine.Pin.IN)
    host = Host(family, ri=ri)

    def pulses(cause) -> list:
        """How long RI is low, and that it is high again."""
        before = len(ri.history)
        cause()
        host.wait(500)
        times = [at for at, _ in ri.history[before:]]
        assert [level for _, level in ri.history[before:]] == [0, 1] * (len(times) // 2)
        return [times[i + 1] - times[i] for i in range(0, len(times), 2)]

    assert pulses(lambda: host.vm.store_sms(b"hello")) == [120]
    assert pulses(lambda: host.vm.call_from("+15550100")) == ([50] if family == "sim800" else [])
    host.ask("ATH")
    opens = "CIPSTART" if family in ("sim800", "sim7000") else "CIPOPEN"
    host.do(*(MULTI_UP if opens == "CIPSTART" else UP_CIPOPEN))
    host.net.serve("192.0.2.1", 80, Sink)
    host.ask('AT+%s=0,"TCP","192.0.2.1",80' % opens, 1000)
    host.vm.ri_ms = {"data": 50}
    assert pulses(lambda: host.net.connections[-1].write(b"hello")) == [50]


@on_cipopen
def test_dtr_off_ends_the_link_of_data_mode(family):
    dtr = machine.Pin(6, machine.Pin.OUT, value=0)
    host = Host(family, dtr=dtr)
    host.net.serve("example.com", 80, Echo)
    host.do("AT&D2", "AT+CIPMODE=1", "AT+NETOPEN")
    host.ask('AT+CIPOPEN=0,"TCP","example.com",80', 1000)
    assert host.vm._data is not None
    dtr.value(1)
    assert host.wait(100).endswith(b"\r\n+IPCLOSE: 0,2\r\n")
    assert host.ask("AT") == OK


# --- the CIPOPEN dialect


@on_cipopen
def test_forms_that_the_notes_mention_in_passing(family):
    host = Host(family)
    host.net.serve("example.com", 80, Sink)
    assert host.ask("AT+CTCPKA=?") == OK
    assert host.ask("AT+CDNSCFG=?") == line('+CDNSCFG: ("Primary DNS"),("Secondary DNS"),type') + OK
    host.do(*UP_CIPOPEN)
    host.ask('AT+CIPOPEN=0,"TCP","example.com",80', 1000)
    assert host.ask("AT+CIPSEND=0,10,").strip() == b">"
    assert host.ask(b"0123456789") == OK + line("+CIPSEND: 0,10,10")
    assert host.ask("AT+SERVERSTART=80,0") == OK
    host.vm.choices["server_stop"] = "result first"
    assert host.ask("AT+SERVERSTOP") == line("+SERVERSTOP: 0,0") + OK


@on_cipopen
def test_opening_the_network_takes_no_longer_than_its_time_out(family):
    host = Host(family, netopen_ms=10_000)
    host.ask("AT+CIPTIMEOUT=3000")
    assert host.ask("AT+NETOPEN", 2900) == OK
    assert host.wait(200) == line("+NETOPEN: 10")
    assert host.ask("AT+NETOPEN?").startswith(b"\r\n+NETOPEN: 0")


PROFILE = {"sim7028": {"profile": 1}}  # the note's; a field log has 0


@on_cipopen
@pytest.mark.parametrize("kind, apn, code", (("IP", "internet", 0), ("IPV6", "internet", 1), ("IP", "wrong", 1)))
def test_the_network_lets_in_its_own_apn_and_types_only(family, kind, apn, code):
    host = Host(family, home_types=("IP",), choices={"cgdcont_tail": b"", **PROFILE.get(family, {})})
    cid = host.vm.socket_context
    assert host.ask('AT+CGDCONT=%d,"%s","%s"' % (cid, kind, apn)) == OK
    host.vm.home_apns = ("internet", "")
    assert host.ask("AT+NETOPEN", 1000) == OK + line("+NETOPEN: %d" % code)


def test_a_wrong_apn_does_not_register():
    host = Host("a76xx", powered=False, boot_lines=(), home_apns=("internet",), stored_context=("IP", "wrong"))
    host.vm.boot()
    host.wait(20_000)
    host.ask("ATE0")
    assert host.ask("AT+CEREG?") == line("+CEREG: 0,0") + OK


@on_cipopen
@pytest.mark.parametrize("backlog", (1, 2, 3))
def test_clients_wait_for_a_link(family, backlog):
    host = Host(family, choices={"backlog": "waits"})
    host.do(*UP_CIPOPEN, "AT+SERVERSTART=80,0,%d" % backlog)
    count = len(host.vm.links)
    clients = [host.net.dial(80, Says(b"%d" % n), source_port=3000 + n) for n in range(count + backlog + 1)]
    assert [client is not None for client in clients] == [True] * (count + backlog) + [False]
    host.wait(500)
    told = line("+CLIENT: 0,0,10.78.103.220:%d" % (3000 + count)) + line("+CIPRXGET: 1,0")
    assert host.ask("AT+CIPCLOSE=0", 1000).endswith(told)
    assert host.ask("AT+CIPRXGET=2,0").startswith(line("+CIPRXGET: 2,0,%d,0" % len("%d" % count)))


# --- keep-alive


@on_cipopen
def test_probes_find_a_dead_link_in_minutes(family):
    host = Host(family)
    host.net.serve("example.com", 80, Sink)
    host.do(*UP_CIPOPEN, "AT+CTCPKA=1,2,3,1")
    host.ask('AT+CIPOPEN=0,"TCP","example.com",80', 1000)
    host.net.connections[-1].vanish()
    assert host.wait(5 * 60_000 - 1000) == b""
    assert host.wait(2000) == line("+IPCLOSE: 0,2")


@on_cipstart
@pytest.mark.parametrize("on", (0, 1))
def test_probes_find_a_dead_link_in_seconds(family, on):
    host = Host(family, choices={"closed": b"%d, CLOSED", "cmee": 0})
    host.net.serve("example.com", 80, Sink)
    assert host.ask("AT+CIPTKA=1,20") == ERROR
    host.do(*MULTI_UP, "AT+CIPTKA=%d,60,30,2" % on)
    host.ask('AT+CIPSTART=0,"TCP","example.com",80', 1000)
    host.net.connections[-1].vanish()
    assert host.wait(119_000) == b""
    assert host.wait(2000) == (line("0, CLOSED") if on else b"")


@on_cipopen
def test_other_links_and_servers_go_on_beside_transparent_mode(family):
    host = Host(family)
    host.net.serve("example.com", 80, Echo)
    host.do("AT+CIPMODE=1", "AT+CIPRXGET=1", "AT+NETOPEN")
    assert host.ask('AT+CIPOPEN=0,"TCP","example.com",80', 1000).startswith(b"\r\nCONNECT")
    host.send(b"hello")
    assert host.wait(1500).endswith(b"hello")
    host.send(b"+++")
    assert host.wait(1500) == OK
    assert line("+CIPOPEN: 1,0") in host.ask('AT+CIPOPEN=1,"TCP","example.com",80', 1000)
    assert host.ask("AT+CIPSEND=1,5").endswith(b">")
    host.send(b"12345")
    host.wait(200)
    assert host.ask("AT+CIPRXGET=2,1,10") == b"\r\n+CIPRXGET: 2,1,5,0\r\n12345" + OK
    assert host.ask("ATO").startswith(b"\r\nCONNECT")
    host.net.connections[-1].write(b"later")
    host.send(b"again")
    assert host.wait(1500) == b"again"  # what the other link got is told in command mode
    host.send(b"+++")
    assert host.wait(1500) == OK + line("+CIPRXGET: 1,1")
    assert host.ask("AT+CIPRXGET=2,1,10") == b"\r\n+CIPRXGET: 2,1,5,0\r\nlater" + OK
    host.ask("AT+CIPCLOSE=1", 500)
    assert host.ask("AT+SERVERSTART=8080,1") == OK
    host.net.dial(8080, Echo(), "192.0.2.7", 50000)
    assert host.wait(100) == line("+CLIENT: 1,1,192.0.2.7:50000")
    assert host.ask("ATO").startswith(b"\r\nCONNECT")


# --- AT+CIPCCFG of the CIPOPEN dialect: NmRetry, DelayTm, TimeoutVal


@on_cipopen
@pytest.mark.parametrize("retries, resend_ms, seconds", ((3, 500, 7.5), (1, 2000, 6), (0, 900, 0.9), (10, 500, 120)))
def test_packets_are_repeated_so_often_and_at_such_intervals(family, retries, resend_ms, seconds):
    host = Host(family)
    host.net.serve("192.0.2.1", 80, Blackhole)
    host.net.serve("192.0.2.2", 80, Sink)
    host.do("AT+CIPCCFG=%d,0,0,0,1,0,%d" % (retries, resend_ms), *UP_CIPOPEN)
    before = host.clock.ms
    assert host.ask('AT+CIPOPEN=0,"TCP","192.0.2.1",80', seconds * 1000 - 100) == OK
    assert host.wait(200) == line("+CIPOPEN: 0,10"), host.clock.ms - before
    host.ask('AT+CIPOPEN=1,"TCP","192.0.2.2",80', 500)
    host.net.connections[-1].stalled = True
    host.ask("AT+CIPSEND=1,4")
    host.send(b"lost")
    assert host.wait(seconds * 1000 - 100) == OK + line("+CIPSEND: 1,4,4")
    assert host.wait(200) == line("+IPCLOSE: 1,2")


@on_cipopen
def test_packets_of_data_mode_are_repeated_too(family):
    host = Host(family, choices={"transparent_end": "both"})
    host.net.serve("192.0.2.2", 80, Sink)
    host.do("AT+CIPCCFG=2,0,0,0,1,0,1000", "AT+CIPMODE=1", "AT+NETOPEN")
    host.ask('AT+CIPOPEN=0,"TCP","192.0.2.2",80', 1000)
    host.net.connections[-1].stalled = True
    host.send(b"lost")
    assert host.wait(6900) == b""
    assert host.wait(200) == line("CLOSED") + line("+IPCLOSE: 0,2")


@on_cipopen
@pytest.mark.parametrize("setting, told", (("AT+CIPRXGET=1", "+CIPRXGET: 1,0"), ("AT+CIPSRIP=0", "+RECEIVE,0,5:")))
def test_received_bytes_are_shown_later(family, setting, told):
    host = Host(family, choices={"receive": b"+RECEIVE,%d,%d:"})
    host.net.serve("192.0.2.2", 80, Sink)
    host.do("AT+CIPCCFG=10,700,0,0,1,0,500", *UP_CIPOPEN, "AT+CIPRXGET=0", setting)
    host.ask('AT+CIPOPEN=0,"TCP","192.0.2.2",80', 1000)
    host.net.connections[-1].write(b"hello")
    assert host.wait(650) == b""
    assert host.wait(200) == line(told) + b"hello" * ("GET" not in told)
    host.net.connections[-1].write(b"again")
    host.net.connections[-1].close()
    shown = host.wait(1000)
    assert shown.endswith(line("+IPCLOSE: 0,1")) or setting == "AT+CIPRXGET=1"


# --- values of the CIPSTART dialect


@on_cipstart
@pytest.mark.parametrize(
    "command",
    ("CSCLK=3", "CIPRDTIMER=99,3500", "CIPRDTIMER=2000,7001", "CIPDPDP=2", "CIPDPDP=1,181,3", "CIPDPDP=1,10,11")
    + ("CIPSHUT?", "CIPSTATUS?", 'CDNSCFG="1.2.3"', 'CDNSCFG="1.1.1.1","x"', "IFC=3,0", 'CSTT="%s"' % ("x" * 51)),
)
def test_values_and_forms_that_there_are_not(family, command):
    host = Host(family, choices={"cmee": 0})
    assert host.ask("AT+" + command) == ERROR
    assert host.ask("AT+CIPSTATUS") == OK + line("STATE: IP INITIAL")


@on_cipstart
def test_values_at_the_ends_of_their_ranges(family):
    host = Host(family)
    host.do("AT+CIPRDTIMER=100,7000", "AT+CIPDPDP=0,180,10", "AT+CSCLK=2", 'AT+CSTT="%s"' % ("x" * 50))
    host.wait(6000)
    host.ask("AT", 200)  # wakes it
    assert host.ask("AT+CIPRDTIMER?") == line("+CIPRDTIMER: 100,7000") + OK
    assert host.ask("AT+CIPDPDP?") == line("+CIPDPDP: 0,180,10") + OK


@pytest.mark.parametrize("family", ("sim800", "sim7000", "sim7028", "a76xx"))
@pytest.mark.parametrize("command", ("ATV2", "ATQ2", "ATE2", "AT&D3"))
def test_basic_commands_take_their_values_only(family, command):
    host = Host(family, choices={"cmee": 0})
    assert host.ask(command) == ERROR
    assert host.ask("AT") == OK


@on_cipstart
def test_server_makes_the_state_ip_processing(family):
    host = Host(family)
    host.do(*MULTI_UP)
    assert state(host) == "IP STATUS"
    assert host.ask("AT+CIPSERVER=1,80") == OK + line("SERVER OK")
    assert state(host) == "IP PROCESSING"
    host.ask("AT+CIPSERVER=0")
    assert state(host) == "IP STATUS"


@on_cipstart
def test_server_of_a_single_connection_raises_the_context(family):
    host = Host(family, choices={"cmee": 0})
    assert host.ask("AT+CIPSERVER=1,80", 5000) == OK + line("SERVER OK")
    assert state(host) == "SERVER LISTENING"
    assert host.ask("AT+CIFSR") == line(host.net.local_addresses[0])
    assert host.net.dial(80, Echo()) is not None
    host.vm.network_lost()
    host.ask("AT+CIPSHUT", 1000)
    host.vm.bringup = "error"
    assert host.ask("AT+CIPSERVER=1,80", 5000) == OK + line("SERVER FAIL")
    host.ask("AT+CIPSHUT", 1000)
    assert host.ask("AT+CIPMUX=1") == OK
    assert host.ask("AT+CIPSERVER=1,80", 5000) == ERROR  # of several, it has to be there
