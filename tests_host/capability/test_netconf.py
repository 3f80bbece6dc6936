"""Settings of the TCP/IP stack: name servers, time-outs, retransmission, IP version, account, acknowledgement."""

import errno

from families import CA, OPEN, START
import pytest
from feed import CHUNKS, Module, unasked
from feed_open import modem
from rig import ECHO, Rig
from sim import Blackhole, Sink, Stall
from test_replay import modem as start_modem
from test_replay_open import Replay
from test_status import cip_family as each_family, each_seed, refused
from transcript import transcripts

from simcom import socket


def refused_unsent(rig, bad):
    """config() takes it for a mistake, and the module hears nothing of it."""
    sent = len(rig.sent)
    with pytest.raises(ValueError):
        rig.modem.config(**bad)
    assert len(rig.sent) == sent


def again(rig):
    """The context is lost and raised again."""
    rig.modem.disconnect()
    del rig.vm.commands[:]
    rig.modem.connect("internet")
    return rig.sent


# --- account


@pytest.mark.feature("account")
@each_family
@each_seed
def test_apn_with_user_and_password(family, seed):
    rig = Rig(seed, family=family, up=False)
    rig.modem.connect("corporate.apn", "someone", "s3cret")
    assert rig.modem.isconnected() and rig.works()
    if family in START:
        account = rig.vm.contexts[0]
        assert (account.apn, account.user, account.password) == ("corporate.apn", "someone", "s3cret")
    else:
        assert rig.vm.contexts[1] == ("IP", "corporate.apn")
        assert rig.vm.auth[1] == (1, "s3cret", "someone")
        assert rig.modem.at("+CGAUTH?") == ['+CGAUTH: 1,1,"s3cret","someone"']


@pytest.mark.feature("context")
@each_family
def test_context_comes_goes_and_comes_again(family):
    rig = Rig(family=family)
    assert rig.modem.ifconfig()[0] == rig.modem.ipconfig("addr4")[0] == rig.net.local_addresses[0]
    rig.modem.disconnect()
    assert not rig.modem.isconnected()
    assert rig.modem.ifconfig()[0] == "0.0.0.0"
    with pytest.raises(OSError) as caught:
        rig.modem.socket().connect(ECHO)
    assert caught.value.args[0] == errno.ENOTCONN
    rig.modem.connect("internet")
    assert rig.works()


@pytest.mark.feature("context")
@each_family
@pytest.mark.parametrize("seed", (None, 1, 2, 3))
def test_context_that_is_refused_says_what_to_check(family, seed):
    rig = Rig(seed, family=family, up=False)
    rig.vm.bringup = "error"
    with pytest.raises(OSError) as caught:
        rig.modem.connect("wrong.apn")
    assert "context" in caught.value.args[1] and "APN" in caught.value.args[1]
    rig.vm.bringup = "ok"
    rig.modem.connect("internet")
    assert rig.works()


@each_family
@pytest.mark.parametrize("bad", ['a"b', "a\r", "a\n", "x" * 51, "\u00e9", None, 7])
@pytest.mark.parametrize("which", range(3))
def test_bad_account_sends_nothing(family, bad, which):
    rig = Rig(family=family, up=False)
    sent = len(rig.sent)
    account = ["apn", "user", "key"]
    account[which] = bad
    with pytest.raises(ValueError):
        rig.modem.connect(*account)
    assert len(rig.sent) == sent


# --- names


@pytest.mark.feature("dns")
@each_family
@each_seed
def test_name_is_resolved_or_unknown(family, seed):
    rig = Rig(seed, family=family)
    rig.net.name("known.example", "192.0.2.7", "192.0.2.8")
    assert rig.modem.resolve("known.example")[0] == "192.0.2.7"
    with pytest.raises(OSError) as caught:
        rig.modem.resolve("unknown.example")
    assert caught.value.args[0] == -2 and "unknown.example" in caught.value.args[1]
    s = rig.modem.socket()
    s.settimeout(60)
    with pytest.raises(OSError) as caught:
        s.connect(("unknown.example", 80))
    assert rig.works()


@each_family
@pytest.mark.parametrize("host", ["", "a b", 'a"b', "a,b", "a;b", "a\r", "x" * 64 + ".example", "y." * 130])
def test_bad_name_sends_nothing(family, host):
    rig = Rig(family=family)
    sent = len(rig.sent)
    with pytest.raises(ValueError):
        rig.modem.resolve(host)
    assert len(rig.sent) == sent


@pytest.mark.feature("nameservers")
@each_family
@each_seed
def test_name_servers_are_set_read_and_set_again(family, seed):
    rig = Rig(seed, family=family)
    rig.modem.config(dns=("1.1.1.1", "8.8.8.8"))
    assert rig.modem.status("dns")[:2] == ("1.1.1.1", "8.8.8.8")
    assert (rig.vm.dns[0] if family in OPEN else rig.vm.dns) == ["1.1.1.1", "8.8.8.8"]
    assert 'AT+CDNSCFG="1.1.1.1","8.8.8.8"' in again(rig)
    rig.modem.config(dns="9.9.9.9")
    assert rig.modem.status("dns")[0] == "9.9.9.9"
    sent = again(rig)
    assert 'AT+CDNSCFG="9.9.9.9"' in sent
    assert not [each for each in sent if "1.1.1.1" in each]
    assert rig.works()


@each_family
def test_name_servers_before_the_module_is_on(family):
    rig = Rig(family=family, on=False)
    rig.modem.config(dns=("1.1.1.1", "8.8.8.8"))
    assert rig.sent == []
    rig.modem.connect("internet")
    assert rig.modem.status("dns")[:2] == ("1.1.1.1", "8.8.8.8")


@each_family
def test_module_that_takes_no_quotes(family):
    rig = Rig(family=family)
    real = rig.vm.do_CDNSCFG
    quoted = []

    def do_CDNSCFG(op, args):
        if op == "=" and b'"' in rig.vm.commands[-1]:
            quoted.append(args)
            return -1
        return real(op, args)

    rig.vm.do_CDNSCFG = do_CDNSCFG
    rig.modem.config(dns=("1.1.1.1", "8.8.8.8"))
    assert quoted and rig.modem.status("dns")[:2] == ("1.1.1.1", "8.8.8.8")
    assert "AT+CDNSCFG=1.1.1.1,8.8.8.8" in again(rig)


@each_family
def test_module_that_takes_them_only_before_the_context(family):
    rig = Rig(family=family)
    real = rig.vm.do_CDNSCFG
    rig.vm.do_CDNSCFG = lambda op, args: -1 if op == "=" and rig.modem.up else real(op, args)
    rig.modem.config(dns=("1.1.1.1", "8.8.8.8"))
    again(rig)
    assert rig.modem.status("dns")[:2] == ("1.1.1.1", "8.8.8.8")


@each_family
@pytest.mark.parametrize("bad", [(), ("1.1.1.1",) * 3, ("example.com",), ("1.1.1.1", 'x"'), ("1.1.1",), (7,)])
def test_bad_name_servers(family, bad):
    rig = Rig(family=family)
    sent = len(rig.sent)
    with pytest.raises((ValueError, TypeError)):
        rig.modem.config(dns=bad)
    assert len(rig.sent) == sent


# --- time-outs


@pytest.mark.feature("timeouts")
@pytest.mark.feature("retries")
@pytest.mark.parametrize("family", OPEN)
@each_seed
def test_time_outs_and_retransmission(family, seed):
    rig = Rig(seed, family=family)
    rig.modem.config(timeouts=(30000, 3000, 20000), retries=3)
    assert rig.modem.status("timeouts") == (30000, 3000, 20000)
    assert rig.vm.config[0] == 3
    assert rig.vm.config[3:5] == [0, 1]  # errors as numbers, headers with the link
    rig.modem.reset()
    assert rig.vm.timeouts == [120000] * 3
    rig.modem.connect("internet")
    assert rig.vm.timeouts == [30000, 3000, 20000]
    assert rig.vm.config == [3, 0, 0, 0, 1, 0, 500]
    assert rig.works()


@pytest.mark.feature("timeouts")
@pytest.mark.parametrize("family", OPEN)
def test_connect_ends_with_the_modules_time_out(family):
    rig = Rig(family=family)
    rig.modem.config(timeouts=(30000, 4000, 20000))
    address = rig.serve(Blackhole)
    s = rig.modem.socket()
    s.settimeout(60)
    start = rig.clock.now_us
    with pytest.raises(OSError) as caught:
        s.connect(address)
    assert caught.value.args[0] == errno.ETIMEDOUT
    assert rig.clock.now_us - start < 8e6
    assert rig.works()


@pytest.mark.lacks("timeouts")
@pytest.mark.lacks("retries")
@pytest.mark.parametrize("family", START)
def test_time_outs_of_a_module_without_them(family):
    rig = Rig(family=family)

    def config(name, value):
        rig.modem.config(**{name: value})

    refused(rig, config, "timeouts", (3000, 3000, 3000))
    refused(rig, config, "retries", 3)
    refused(rig, rig.modem.status, "timeouts")


@pytest.mark.parametrize("family", OPEN)
@pytest.mark.parametrize(
    "bad",
    [{"timeouts": (2999, 3000, 3000)}, {"timeouts": (3000, 3000)}, {"timeouts": (3000, 3000, 120001)}]
    + [{"timeouts": 3000}, {"timeouts": ("3000", 3000, 3000)}, {"retries": 11}, {"retries": -1}, {"retries": "3"}],
    ids=str,
)
def test_bad_time_outs(family, bad):
    refused_unsent(Rig(family=family), bad)


def repeated(family, retries, resend_ms, seconds):
    """A rig on which an attempt to connect has ended after so many seconds, and a socket whose peer hears no more."""
    rig = Rig(family=family)
    rig.modem.config(retries=retries, resend_ms=resend_ms)
    start = rig.clock.ms
    with pytest.raises(OSError) as caught:
        rig.socket(rig.serve(Blackhole))
    assert caught.value.args[0] == errno.ETIMEDOUT
    assert seconds <= (rig.clock.ms - start) / 1000 < seconds + 1
    s = rig.socket(rig.serve(Sink))
    rig.connection().stalled = True
    return rig, s


# --- keys of AT+CACFG


@pytest.mark.feature("retries")
@pytest.mark.parametrize("family", CA)
@each_seed
def test_keys_of_retransmission_are_set_and_kept(family, seed):
    rig = Rig(seed, family=family)

    def kept():
        return [rig.vm.cacfg.get(key) for key in ("MAXRXT", "TCPIRT", "ASYNCOPEN")]

    before = kept()[2]
    rig.modem.config(retries=3, resend_ms=700)
    assert kept() == ["3", "700", before]
    rig.modem.reset()
    assert kept()[:2] == [None, None]
    rig.modem.connect("internet")
    assert kept() == ["3", "700", before]
    rig.modem.config(retries=None)
    rig.modem.reset()
    rig.modem.connect("internet")
    assert kept() == [None, "700", before]
    assert rig.works()


@pytest.mark.parametrize("family", CA)
@pytest.mark.parametrize("retries, resend_ms, seconds", ((3, None, 15), (4, 500, 15.5)))
def test_fewer_repetitions_end_a_caopen_connection_sooner(family, retries, resend_ms, seconds):
    rig, s = repeated(family, retries, resend_ms, seconds)
    start = rig.clock.ms
    s.write(b"never acknowledged")
    assert s.read(1) == b""  # +CASTATE does not tell who ended it
    assert seconds <= (rig.clock.ms - start) / 1000 < seconds + 3
    assert rig.works()


@pytest.mark.parametrize("family", CA)
@pytest.mark.parametrize(
    "bad",
    [{"retries": 0}, {"retries": 17}, {"retries": "3"}, {"retries": (3, 4)}]
    + [{"resend_ms": 199}, {"resend_ms": 120001}, {"resend_ms": 1000.0}],
    ids=str,
)
def test_bad_key_of_retransmission(family, bad):
    refused_unsent(Rig(family=family), bad)


@pytest.mark.parametrize("family", CA)
def test_key_that_the_firmware_refuses_is_named(family):
    rig = Rig(family=family, missing_keys=("MAXRXT",))
    with pytest.raises(OSError) as caught:
        rig.modem.config(retries=3)
    assert caught.value.args[0] == errno.EOPNOTSUPP
    assert 'retries=3: AT+CACFG="MAXRXT",3: ' in caught.value.args[1]
    rig.modem.config(resend_ms=700)
    assert not any("MAXRXT" in line for line in again(rig))
    rig.vm.missing_keys = ("TCPIRT",)  # another firmware
    assert 'AT+CACFG="TCPIRT",700' in again(rig)
    assert ['AT+CACFG="TCPIRT",700' in text for text in rig.modem.status("refused")] == [True]
    assert rig.works()


# --- the other fields of AT+CIPCCFG


@pytest.mark.parametrize("family", OPEN)
@pytest.mark.parametrize(
    "setting, place, value",
    [
        ("delay_ms", 1, 250),
        ("error_texts", 3, True),
        ("link_headers", 4, False),
        ("async_mode", 5, 1),
        ("resend_ms", 6, 900),
    ],
)
def test_field_of_the_stack_is_set_and_kept(family, setting, place, value):
    rig = Rig(family=family)
    before = rig.vm.config[:]
    rig.modem.config(**{setting: value})
    wanted = before[:]
    wanted[place] = int(value)
    assert rig.vm.config == wanted
    rig.vm.restart()
    rig.pump(30_000)
    rig.modem.connect("internet")
    assert rig.vm.config == wanted
    rig.modem.config(retries=4)
    assert rig.vm.config == [4] + wanted[1:]
    rig.modem.config(**{setting: None})
    rig.vm.restart()
    rig.pump(30_000)
    rig.modem.connect("internet")
    assert rig.vm.config == [4] + before[1:]
    assert rig.works()


@pytest.mark.parametrize("family", OPEN)
@pytest.mark.parametrize("retries, resend_ms, seconds", ((3, None, 7.5), (2, 900, 6.3)))
def test_fewer_repetitions_end_a_connection_sooner(family, retries, resend_ms, seconds):
    rig, s = repeated(family, retries, resend_ms, seconds)
    start = rig.clock.ms
    s.write(b"never acknowledged")
    with pytest.raises(OSError) as caught:
        s.read(1)
    assert caught.value.args[0] == errno.ETIMEDOUT
    assert seconds <= (rig.clock.ms - start) / 1000 < seconds + 1
    assert rig.works()


@pytest.mark.parametrize("family", OPEN)
@pytest.mark.parametrize("receive", ("buffer", "push"))
def test_received_bytes_are_held_back(family, receive):
    rig = Rig(family=family)
    rig.modem.config(receive=receive, delay_ms=800)
    s = rig.socket(ECHO)
    start = rig.clock.ms
    s.write(b"hello")
    assert s.read(5) == b"hello"
    assert 800 <= rig.clock.ms - start < 1100
    rig.modem.config(delay_ms=0)
    start = rig.clock.ms
    s.write(b"hello")
    assert s.read(5) == b"hello"
    assert rig.clock.ms - start < 300


@pytest.mark.parametrize("family", OPEN)
def test_headers_without_the_link_go_by_their_sender(family):
    rig = Rig(family=family)
    rig.modem.config(receive="push", link_headers=False)
    rig.serve(Sink)
    addresses = [(rig.net.names[host][0], port) for host, port in (ECHO, ("peer.example", 80))]
    a, b = [rig.socket(address) for address in addresses]
    assert rig.vm.config[4] == 0
    for n in range(5):
        a.write(b"%d" % n * 500)
        b.write(b"silent")
        assert a.read(500) == b"%d" % n * 500
    a.close()
    b.close()
    assert rig.works()  # a name cannot be compared: one connection alone


@pytest.mark.parametrize("family", OPEN)
def test_errors_in_words_are_understood(family):
    rig = Rig(family=family)
    rig.modem.config(error_texts=True)
    s = rig.socket(ECHO)
    unasked(rig.modem, "+CIPCLOSE=0")
    rig.pump(500)
    with pytest.raises(OSError) as caught:
        for _ in range(3):
            s.write(b"into the void")
    assert caught.value.args[0] == errno.ECONNRESET
    assert rig.works()


@pytest.mark.parametrize("family", OPEN)
def test_field_that_the_firmware_refuses_is_named(family):
    rig = Rig(family=family)
    do = rig.vm.do_CIPCCFG
    rig.vm.do_CIPCCFG = lambda op, args: -1 if op == "=" and args[5:6] == ["1"] else do(op, args)
    with pytest.raises(OSError) as caught:
        rig.modem.config(async_mode=1)
    assert caught.value.args[0] == errno.EOPNOTSUPP
    assert "async_mode=1" in caught.value.args[1] and "AT+CIPCCFG=10,0,0,0,1,1,500" in caught.value.args[1]
    del rig.vm.commands[:]
    rig.modem.disconnect()
    rig.modem.connect("internet")
    assert "AT+CIPCCFG=10,0,0,0,1,0,500" in rig.sent
    assert rig.works()


@pytest.mark.parametrize("family", OPEN)
@pytest.mark.parametrize(
    "bad",
    [{"delay_ms": 1001}, {"delay_ms": -1}, {"error_texts": 2}, {"async_mode": "1"}, {"resend_ms": 499}]
    + [{"resend_ms": 120001}, {"timeouts": (None, None, None)}, {"timeouts": (None, 2999, None)}, {"stack": 1}],
    ids=str,
)
def test_bad_field_of_the_stack(family, bad):
    refused_unsent(Rig(family=family), bad)


@pytest.mark.parametrize("family", OPEN)
def test_one_time_out_alone(family):
    rig = Rig(family=family)
    rig.modem.config(timeouts=(None, 4000, None))
    assert rig.vm.timeouts == [120000, 4000, 120000] and rig.sent[-1] == "AT+CIPTIMEOUT=,4000"
    rig.modem.config(timeouts=(None, None, 5000))
    rig.vm.restart()
    rig.pump(30_000)
    rig.modem.connect("internet")
    assert rig.vm.timeouts == [120000, 4000, 5000]


@pytest.mark.parametrize("family", OPEN)
@pytest.mark.parametrize("up", (True, False))
def test_stack_as_its_maker_has_it(family, up):
    rig = Rig(family=family, up=up)
    vm = rig.vm
    vm.head = vm.show_source = 0
    vm.mode = 0 if up else 1
    vm.send_mode = 1
    vm.config = [3, 250, 0, 1, 0, 1, 2000]
    rig.modem.config(stack="default")
    assert (vm.head, vm.show_source, vm.mode, vm.send_mode) == (1, 1, 0, 0)
    assert vm.config == [10, 0, 0, 0, 1, 0, 500]
    for name in ("CIPHEAD", "CIPSRIP", "CIPSENDMODE", "CIPCCFG"):
        assert "AT+" + name in rig.sent
    assert ("AT+CIPMODE" in rig.sent) is not up
    rig.modem.connect("internet")
    assert rig.works()


@pytest.mark.parametrize("family", START)
def test_header_of_a_single_connection_tells_the_type(family):
    rig = Rig(family=family, modem_args={"mux": False})
    rig.modem.config(receive="push", show_type=True)
    assert rig.vm.show_type == 1
    s = rig.socket(ECHO)
    s.write(b"12345")
    assert s.read(5) == b"12345"
    rig.vm.restart()
    rig.pump(30_000)
    assert rig.vm.show_type == 0
    rig.modem.connect("internet")
    assert rig.vm.show_type == 1
    with pytest.raises(ValueError):
        rig.modem.config(show_type=2)


@each_family
def test_fields_of_a_stack_without_them(family):
    rig = Rig(family=family)

    def config(name, value):
        rig.modem.config(**{name: value})

    if family in OPEN:
        refused(rig, config, "show_type", True)
    else:
        for name, value in (
            ("delay_ms", 5),
            ("error_texts", 0),
            ("async_mode", 0),
            ("link_headers", 1),
            ("resend_ms", 500),
        ):
            refused(rig, config, name, value)
        refused(rig, config, "stack", "default")


# --- IPv6


@pytest.mark.feature("ipv6", "sim7028")
@each_seed
def test_ipv6_context(seed):
    rig = Rig(seed, family="sim7028", up=False)
    rig.modem.config(pdp_type="IPV6")
    rig.modem.connect("internet")
    assert 'AT+CGDCONT=1,"IPV6","internet"' in rig.sent and "AT+CSOCKSETPN=1,6" in rig.sent
    assert rig.sent.index("AT+CSOCKSETPN=1,6") < rig.sent.index("AT+NETOPEN")
    address = rig.vm.ipv6_address
    assert rig.modem.ifconfig()[0] == address
    assert rig.modem.ipconfig("addr6")[0][0] == address
    assert rig.modem.ipconfig("addr4")[0] == "0.0.0.0"
    assert rig.works()
    host = "2001:db8::17"
    rig.net.serve(host, 7, Sink)
    s = rig.socket((host, 7))
    s.write(b"by its number")
    rig.pump(200)
    assert bytes(rig.connection().received) == b"by its number"
    assert rig.modem.status("links")[0][:4] == (0, "TCP", host, 7)
    found = rig.modem.resolve(ECHO[0])
    assert ":" in found[0]
    rig.modem.config(dns="2001:db8::53")
    assert rig.modem.status("dns")[2] == "2001:db8::53"
    rig.modem.config(pdp_type="IP")
    assert 'AT+CGDCONT=1,"IP","internet"' in again(rig)
    assert rig.modem.ipconfig("addr6") == []
    assert rig.works()


@pytest.mark.lacks("ipv6")
@pytest.mark.parametrize("family", ("sim800", "sim7000", "a76xx"))
def test_ipv6_of_a_module_without_it(family):
    rig = Rig(family=family)

    def config(value):
        rig.modem.config(pdp_type=value)

    refused(rig, config, "IPV6")
    config("IP")
    assert not [each for each in again(rig) if "CSOCKSETPN" in each]


# --- a write that waits for the peer


@pytest.mark.feature("acked_write")
@each_family
@each_seed
def test_write_returns_when_the_peer_has_it(family, seed):
    rig = Rig(seed, family=family)
    rig.modem.config(acknowledge=True)
    rig.net.latency_ms = 400
    s = rig.socket(rig.serve(Sink))
    for size in (10, 1000):
        before = len(rig.connection().received)
        s.write(bytes(size))
        assert len(rig.connection().received) == before + size
        assert rig.vm.links[0].unacknowledged == 0
    rig.modem.config(acknowledge=False)
    s.write(b"x")
    assert rig.vm.links[0].unacknowledged == 1
    s.close()


@pytest.mark.feature("acked_write")
@each_family
@pytest.mark.parametrize("seed", (None, 1, 2))
def test_write_that_is_never_acknowledged_times_out(family, seed):
    rig = Rig(seed, family=family)
    rig.modem.config(acknowledge=True)
    s = rig.socket(rig.serve(Stall), timeout=5)
    start = rig.clock.now_us
    with pytest.raises(OSError) as caught:
        s.write(b"hello")
    assert caught.value.args[0] == errno.ETIMEDOUT
    assert 4.9e6 < rig.clock.now_us - start < 6e6
    rig.connection().resume()
    rig.pump(1000)
    s.settimeout(20)
    assert s.write(b"again") == 5
    rig.pump(1000)
    assert bytes(rig.connection().received) == b"helloagain"


@each_family
def test_acknowledgement_survives_a_reconnect(family):
    rig = Rig(family=family)
    rig.modem.config(acknowledge=True)
    sent = again(rig)
    if family in OPEN:
        assert "AT+CIPSENDMODE=1" in sent and "AT+CIPSENDMODE=0" not in sent
    rig.net.latency_ms = 400
    s = rig.socket(rig.serve(Sink))
    s.write(b"after that")
    assert bytes(rig.connection().received) == b"after that"


@each_family
@pytest.mark.parametrize("stall_ms", [20_000, 125_000])
def test_write_that_is_never_acknowledged_ends_with_the_connection(family, stall_ms):
    rig = Rig(family=family)
    rig.modem.config(acknowledge=True, stall_ms=stall_ms)
    beside = rig.socket(ECHO)
    s = rig.socket(rig.serve(Stall), timeout=None)
    start = rig.clock.ms
    rig.clock.after_ms(5000, lambda: rig.net.connections[0].write(b"meanwhile"))
    with pytest.raises(OSError) as caught:
        s.write(b"hello")
    own = 120_000 if family in OPEN else stall_ms  # then the module closes it
    assert caught.value.args[0] == (errno.ETIMEDOUT if own < stall_ms else errno.ECONNABORTED)
    assert min(stall_ms, own) <= rig.clock.ms - start < stall_ms + 2000
    beside.settimeout(0)
    assert beside.recv(20) == b"meanwhile"  # it was read while the write waited
    s.close()
    assert rig.modem.isconnected() and rig.works()


# --- as in the notes


def note(number):
    return [each for family in OPEN for each in transcripts(family) if each.name.split("_")[1] == number]


def named(found):
    return pytest.mark.parametrize("transcript", found, ids=lambda each: each.name)


chunks = pytest.mark.parametrize("chunk", CHUNKS)


@chunks
@named(note("03b") + note("t18"))
def test_ipv6_as_in_the_notes(transcript, chunk):
    module = Replay("sim7028", chunk).load(transcript, dropped=[b"AT+CSOCKSETPN=?", b"AT+CSOCKSETPN?"])
    made = modem(module, "sim7028", apn=None)
    made.config(pdp_type="IPV6")
    made.connect("CMNET")
    module.finish()
    assert made.isconnected()
    assert b'AT+CGDCONT=1,"IPV6","CMNET"' in module.lines
    if ":" in made.address:
        assert made.ipconfig("addr6")[0][0] == "2409:8960:1e64:94d8:1:0:3b3b:7118"


@chunks
@named(note("t12"))
def test_time_outs_as_in_the_notes(transcript, chunk):
    module = Replay("sim7028", chunk).load(transcript)
    made = modem(module, "sim7028", apn=None)
    assert made.status("timeouts") == (120000, 120000, 120000)
    made.config(timeouts=(3000, 3000, 3000))
    module.finish()


@chunks
@named(note("t11"))
def test_acknowledgement_as_in_the_notes(transcript, chunk):
    module = Replay("sim7028", chunk).load(transcript, dropped=[b"AT+CIPSENDMODE=?", b"AT+CIPSENDMODE?"])
    made = modem(module, "sim7028", apn=None)
    made.config(acknowledge=True)
    module.finish()


@chunks
@named(note("t19"))
def test_keep_alive_as_in_the_notes(transcript, chunk):
    module = Replay("sim7028", chunk).load(transcript, dropped=[b"AT+CTCPKA?"])
    made = modem(module, "sim7028")
    s = made.socket()
    for option, value in (("TCP_KEEPIDLE", 120), ("TCP_KEEPINTVL", 60), ("TCP_KEEPCNT", 5)):
        s.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    module.finish()


@chunks
@named(note("t20"))
def test_name_servers_as_in_the_notes(transcript, chunk):
    module = Replay("sim7028", chunk).load(transcript, dropped=[b"AT+CDNSCFG="])
    made = modem(module, "sim7028", apn=None)
    v6 = ("2409:8060:20EA:101::1", "2409:8060:20EA:201::1")
    assert made.status("dns") == ("183.230.126.224", "183.230.126.225", *v6)
    module.finish()
    made.config(dns=("183.230.126.224", "183.230.126.225"))
    assert module.lines[-1] == b'AT+CDNSCFG="183.230.126.224","183.230.126.225"'


@chunks
@named(note("t16"))
def test_counts_as_in_the_notes(transcript, chunk):
    module = Replay("sim7028", chunk)
    made = modem(module, "sim7028")
    s = made.socket()
    s.settimeout(30)
    s.connect(("1.2.3.4", 80))
    module.load(transcript, dropped=[b"AT+CIPACK=?"])
    assert made.status("acknowledged") == [(0, 10, None, 5)]
    module.finish()


@chunks
@named(note("13"))
def test_links_as_in_the_notes(transcript, chunk):
    module = Replay(transcript.family, chunk).load(transcript, first=b"AT+CIPOPEN?", end=b"AT+CIPCLOSE?")
    made = modem(module, transcript.family)
    rows = made.status("links")
    assert rows[0] == (0, "", "", 0, "INITIAL", None, 0)
    assert rows[1] == (1, "TCP", "117.131.85.139", 5253, "CONNECTED", None, 0)
    assert len(rows) == made.LINKS
    module.finish()


LISTS = [
    (each, n, value)
    for each in transcripts(*START)
    for n, (kind, value) in enumerate(each.steps)
    if kind == "<" and b"STATE: " in value and b"C: 7" in value
]


@chunks
@pytest.mark.parametrize("listing", LISTS, ids=lambda each: "%s-%d" % (each[0].name, each[1]))
def test_listing_as_in_the_notes(listing, chunk):
    module = Module()
    made = start_modem(module)
    module.uart.chunk = chunk
    module.say_to[b"AT+CIPSTATUS"] = listing[2]
    rows = made.status("links")
    assert [row[0] for row in rows] == list(range(8))
    assert {row[4] for row in rows} <= {"INITIAL", "CONNECTED", "CLOSED", "REMOTE CLOSING", "CLOSING", "CONNECTING"}
    for row in rows:
        if row[4] != "INITIAL":
            assert row[1] in ("TCP", "UDP") and row[2].count(".") == 3 and row[3] > 0
    assert made.status("context") == "IP PROCESSING"
    assert made.at("+CSQ") == ["+CSQ: 20,0"]


@pytest.mark.parametrize(
    "damaged", [b'C: 3,"","","","INITIAL"', b'C: 3,,"",,"",,"INITIAL"', b'C: 3,,"","",""," INITIAL "']
)
def test_damaged_line_of_the_listing(damaged):
    module = Module()
    made = start_modem(module)
    rows = [b'C: %d,,"","","","INITIAL"' % n for n in range(8)]
    rows[3] = damaged
    module.say_to[b"AT+CIPSTATUS"] = b"\r\nOK\r\n\r\nSTATE: IP STATUS\r\n\r\n" + b"\r\n".join(rows) + b"\r\n"
    assert made.status("links")[3][:5:4] == (3, "INITIAL")
