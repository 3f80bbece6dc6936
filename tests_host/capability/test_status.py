"""What the module tells of itself: network, system, contexts, connections, acknowledged bytes."""

import errno

from families import CIP, FAMILIES, OPEN
import pytest
from rig import ECHO, Rig  # first: it puts the shim in place
from feed import unasked
from sim import Echo, Sink, Stall

SEEDS = (None, 1, 2)
each_family = pytest.mark.parametrize("family", FAMILIES)
cip_family = pytest.mark.parametrize("family", CIP)
each_cip = pytest.mark.parametrize("family", CIP)
each_seed = pytest.mark.parametrize("seed", SEEDS)


def refused(rig, call, *args):
    """The OSError of a call that sends nothing; it names the family."""
    sent = len(rig.sent)
    with pytest.raises(OSError) as caught:
        call(*args)
    rig.pump(50)
    assert caught.value.args[0] == errno.EOPNOTSUPP
    assert rig.family.upper() in caught.value.args[1]
    assert len(rig.sent) == sent
    return caught.value


# --- network


@pytest.mark.feature("signal")
@pytest.mark.feature("registration")
@pytest.mark.feature("attach")
@each_family
@each_seed
def test_sim_signal_registration_attach(family, seed):
    rig = Rig(seed, family=family, csq=20)
    status = rig.modem.status
    assert status("sim") == "READY"
    assert status("rssi") == -73
    assert status("registration") == 1
    assert status("attached") is True
    rig.vm.csq = 99
    assert status("rssi") is None
    rig.vm.registration = 5
    assert status("registration") == 5
    rig.vm.registration = 2
    assert status("registration") == 2
    assert status("attached") is False


@pytest.mark.feature("pin")
@each_family
def test_pin_is_asked_for_and_given(family):
    rig = Rig(family=family, on=False)
    rig.vm.sim = "SIM PIN"
    rig.make(pin="1234").active(True)
    assert rig.modem.status("sim") == "SIM PIN"
    rig.modem.connect("internet")
    assert 'AT+CPIN="1234"' in rig.sent
    assert rig.modem.status("sim") == "READY"
    assert rig.works()


@pytest.mark.feature("pin")
@pytest.mark.feature("registration")
@each_family
@pytest.mark.parametrize("seed", (None, 1, 2))
def test_no_card_wrong_pin_denied_and_not_attached(family, seed):
    rig = Rig(seed, family=family, up=False)
    rig.vm.sim = "NOT INSERTED"
    with pytest.raises(OSError) as caught:
        rig.modem.connect("internet")
    assert caught.value.args[0] == errno.ENODEV and "SIM" in caught.value.args[1]
    rig.vm.sim = "SIM PIN"
    rig.modem.pin = "0000"
    with pytest.raises(OSError) as caught:
        rig.modem.connect("internet")
    assert caught.value.args[0] == errno.EACCES and "pin" in caught.value.args[1]
    assert sum(each.startswith("AT+CPIN=") for each in rig.sent) == 1
    rig.vm.sim = "READY"
    rig.vm.registration = 3
    with pytest.raises(OSError) as caught:
        rig.modem.connect("internet")
    assert caught.value.args[0] == errno.EACCES and "denied" in caught.value.args[1]
    rig.vm.registration = 1
    rig.vm.attached_by_host = False
    rig.modem.connect("internet")
    assert "AT+CGATT=1" in rig.sent
    assert rig.works()


@pytest.mark.feature("pin")
@each_family
def test_card_that_is_gone_is_told(family):
    rig = Rig(family=family)
    rig.vm.sim = "NOT INSERTED"
    with pytest.raises(OSError) as caught:
        rig.modem.status("sim")
    assert caught.value.args[0] == errno.ENODEV


# --- system


@pytest.mark.feature("system")
@pytest.mark.parametrize("family", FAMILIES[1:])
def test_system_information(family):
    rig = Rig(family=family)
    fields = rig.modem.status("system")
    assert fields[1:3] == ["Online", "001-01"] and len(fields) > 10
    rig.vm.registration = 2
    assert rig.modem.status("system") == ["NO SERVICE", "Online"]


@pytest.mark.lacks("system", "sim800")
def test_system_information_of_a_module_without_it():
    rig = Rig(family="sim800")
    refused(rig, rig.modem.status, "system")


@pytest.mark.feature("function")
@pytest.mark.feature("cids")
@each_family
@each_seed
def test_function_level_and_contexts(family, seed):
    rig = Rig(seed, family=family, choices={"cgdcont_attached": "taken"})
    assert rig.modem.status("function") == 1
    rig.modem.at('+CGDCONT=2,"IP","other.apn"')
    contexts = rig.modem.status("contexts")
    if family in OPEN:
        assert (1, "IP", "internet") in contexts
        assert (2, "IP", "other.apn") in contexts
    else:
        assert len(contexts) >= 1 and all(len(each) == 3 for each in contexts)
    rig.modem.disconnect()
    rig.modem.at("+CFUN=4", timeout_ms=20000)
    assert rig.modem.status("function") == 4


# --- connections


@pytest.mark.feature("connections")
@each_cip
@each_seed
def test_every_link_with_its_state(family, seed):
    rig = Rig(seed, family=family)
    rows = rig.modem.status("links")
    assert len(rows) == rig.modem.LINKS
    assert rows == [(n, "", "", 0, "INITIAL", None, 0) for n in range(rig.modem.LINKS)]
    a = rig.socket(rig.serve(Echo, "one.example", 5001))
    b = rig.socket(rig.serve(Sink, "two.example", 5002))
    rows = rig.modem.status("links")
    assert rows[0] == (0, "TCP", rig.net.names["one.example"][0], 5001, "CONNECTED", None, 0)
    assert rows[1] == (1, "TCP", rig.net.names["two.example"][0], 5002, "CONNECTED", None, 0)
    assert all(each[4] == "INITIAL" for each in rows[2:])
    rig.connection().close()
    rig.pump(100)
    assert rig.modem.status("links")[1][4] in ("CLOSED", "INITIAL")
    a.write(b"unharmed")
    assert a.read(8) == b"unharmed"
    a.close()
    b.close()
    rig.pump(500)
    assert not [row for row in rig.modem.status("links") if row[4] == "CONNECTED"]
    assert rig.works()


@pytest.mark.feature("context_state")
@each_cip
@each_seed
def test_state_of_the_context_in_the_documents_words(family, seed):
    rig = Rig(seed, family=family)
    starts = family in ("sim800", "sim7000")
    assert rig.modem.status("context") == ("IP STATUS" if starts else "OPEN")
    s = rig.socket(ECHO)
    assert rig.modem.status("context") == ("IP PROCESSING" if starts else "OPEN")
    s.close()
    rig.modem.disconnect()
    assert rig.modem.status("context") == ("IP INITIAL" if starts else "CLOSED")


@pytest.mark.parametrize("family", FAMILIES[:2])
@pytest.mark.parametrize("mux", (True, False))
@pytest.mark.parametrize("state", ("IP INITIAL", "IP START", "IP CONFIG", "IP GPRSACT", "IP STATUS", "PDP DEACT"))
def test_every_state_of_the_context(family, mux, state):
    rig = Rig(family=family, modem_args={"mux": mux})
    rig.vm.contexts[0].state = state
    assert rig.modem.status("context") == state


@pytest.mark.parametrize("family", FAMILIES[:2])
@pytest.mark.parametrize("kind", (1, 2))
def test_every_state_of_a_single_connection(family, kind):
    rig = Rig(family=family, modem_args={"mux": False})
    rig.net.serve(*ECHO, Echo, "UDP")
    s = rig.modem.socket(2, kind)
    s.settimeout(30)
    s.connect(ECHO)
    for state in ("CONNECTING", "CLOSING", "CLOSED"):
        rig.vm.links[0].state = state
        assert rig.modem.status("context") == ("TCP ", "UDP ")[kind - 1] + state
    rig.vm.links[0].state = "CONNECTED"
    assert rig.modem.status("context") == "CONNECT OK"


@each_family
@each_seed
def test_listing_among_data_and_codes(family, seed):
    rig = Rig(seed, family=family)
    s = rig.socket(ECHO)
    s.write(b"before")
    for position in ("after_echo", "before_info", "before_ok", "after_ok"):
        rig.vm.inject(position, '+CMTI: "SM",3')
        rig.vm.inject(position, "+CREG: 1")
    assert rig.modem.status("links")[0][4] == "CONNECTED"
    assert rig.modem.status("context")
    assert s.read(6) == b"before"


@pytest.mark.parametrize("family", OPEN)
def test_report_of_a_connect_inside_the_list_of_links(family):
    rig = Rig(family=family)
    s = rig.modem.socket()
    s.settimeout(0)
    rig.vm.inject("before_info", "+CIPOPEN: 0,0")
    with pytest.raises(OSError):
        s.connect(ECHO)
    assert len(rig.modem.status("links")) == rig.modem.LINKS


@each_cip
def test_servers(family):
    rig = Rig(family=family)
    assert rig.modem.status("servers") == []
    start = "+CIPSERVER=1,8888" if family in ("sim800", "sim7000") else "+SERVERSTART=8888,0"
    unasked(rig.modem, start)
    rig.pump(300)
    assert rig.modem.status("servers") == [(0, 8888)]
    assert len(rig.modem.status("links")) == rig.modem.LINKS
    assert rig.modem.status("context") in ("IP PROCESSING", "IP STATUS", "OPEN")


@each_family
def test_unknown_parameter_sends_nothing(family):
    rig = Rig(family=family)
    sent = len(rig.sent)
    with pytest.raises(ValueError):
        rig.modem.status("weather")
    assert len(rig.sent) == sent


# --- acknowledged bytes


@pytest.mark.feature("sent")
@pytest.mark.feature("acknowledged", "sim800", "sim7000")
@pytest.mark.lacks("acknowledged", "sim7028", "a76xx")
@pytest.mark.feature("received", "sim7028", "a76xx")
@pytest.mark.lacks("received", "sim800", "sim7000")
@each_cip
@each_seed
def test_bytes_sent_and_acknowledged_or_received(family, seed):
    rig = Rig(seed, family=family)
    a = rig.socket(rig.serve(Echo, "one.example", 5001))
    b = rig.socket(rig.serve(Stall, "two.example", 5002))
    a.write(b"0123456789")
    assert a.read(10) == b"0123456789"
    b.write(b"abc")
    rig.pump(200)
    rows = rig.modem.status("acknowledged")
    if family in ("sim800", "sim7000"):
        assert rows == [(0, 10, 10, None), (1, 3, 0, None)]
    else:
        assert rows == [(0, 10, None, 10), (1, 3, None, 0)]
    b.settimeout(0)
    b.close()


@each_family
def test_no_link_no_row(family):
    rig = Rig(family=family)
    assert rig.modem.status("acknowledged") == []


# --- print(modem)


@each_family
def test_modem_is_printed_with_what_is_known_of_it(family):
    rig = Rig(family=family, csq=20, on=False, modem_args={"pin": "1234"})
    before = len(rig.sent)
    name = family.upper()
    assert repr(rig.modem) == name + " (not asked yet), off"
    rig.modem.active(True)
    rig.modem.connect("internet", "user", "secret")
    assert repr(rig.modem) == "%s (%s), up" % (name, rig.modem.model)
    rig.modem.status("rssi")
    sent = len(rig.sent)
    assert repr(rig.modem) == "%s (%s), up, -73 dBm" % (name, rig.modem.model)
    assert len(rig.sent) == sent > before


# --- counters


@each_cip
@pytest.mark.parametrize("receive", ["buffer", "push"])
def test_payload_and_mishaps_are_counted(family, receive):
    rig = Rig(family=family)
    zero = rig.modem.status("counters")
    assert set(zero.values()) == {0} and len(zero) == 8
    rig.modem.config(receive=receive)
    s = rig.socket(ECHO)
    s.write(bytes(3000))
    assert s.read(3000) == bytes(3000)
    u = rig.modem.socket(2, 2)
    rig.net.serve(*ECHO, Echo, "UDP")
    u.settimeout(30)
    u.sendto(b"12345", ECHO)
    assert u.recv(10) == b"12345"
    rig.pump(500)
    found = rig.modem.status("counters")
    assert (found["received"], found["sent"]) == (3005, 3005)
    assert found["contexts lost"] == found["restarts"] == found["resynchronisations"] == 0
    rig.vm.urc("NOBODY KNOWS")
    rig.pump(3000)
    assert rig.modem.status("counters")["strays"] == 1
    rig.vm.network_lost()
    rig.pump(500)
    assert rig.modem.status("counters")["contexts lost"] == 1
    rig.modem.connect("internet")
    rig.vm.restart()
    rig.pump(30_000)
    found = rig.modem.status("counters")
    assert found["restarts"] == 1 and found["contexts lost"] == 2
    rig.modem.connect("internet")
    rig.modem.disconnect()
    rig.modem.reset()
    assert rig.modem.status("counters")["contexts lost"] == 2  # it was us


@each_family
def test_transparent_bytes_are_counted(family):
    rig = Rig(family=family)
    with rig.modem.transparent(ECHO) as t:
        t.settimeout(30)
        t.write(b"0123456789")
        assert t.read(10) == b"0123456789"
    found = rig.modem.status("counters")
    assert (found["received"], found["sent"]) == (10, 10)


@each_family
@pytest.mark.parametrize("line", ["UNDER-VOLTAGE WARNNING", "OVER-VOLTAGE WARNNING"])
def test_supply_that_breaks_down_is_a_state_and_calls_back(family, line):
    rig = Rig(family=family)
    heard = []
    rig.modem.on_urc(line[:10], heard.append)
    assert rig.modem.status("voltage") == ""
    rig.vm.urc(line)
    rig.pump(100)
    assert heard == [line] and rig.modem.status("voltage") == line
    assert rig.modem.isconnected()
    rig.pump(61_000)
    assert rig.modem.status("voltage") == ""


# --- what waits in the module, whose a link is


@pytest.mark.feature("waiting")
@each_cip
@each_seed
def test_bytes_that_wait_in_the_module(family, seed):
    rig = Rig(seed, family=family)
    assert rig.modem.status("waiting") == []
    a = rig.socket(rig.serve(Echo, "one.example", 5001))
    b = rig.socket(ECHO)
    for _ in range(8):
        a.write(bytes(1000))
    b.write(b"0123456789")
    assert b.read(10) == b"0123456789"
    rig.pump(2000)
    (_, left), row = rig.modem.status("waiting")
    assert left == rig.vm.links[0].rx_count > 1000 and row == (1, 0)
    assert a.read(8000) == bytes(8000)
    assert rig.modem.status("waiting") == [(0, 0), (1, 0)]


@pytest.mark.parametrize("family", FAMILIES[:2])
def test_bytes_that_wait_on_a_single_connection(family):
    rig = Rig(family=family, modem_args={"mux": False})
    s = rig.socket(ECHO)
    for _ in range(8):
        s.write(bytes(1000))
    rig.pump(2000)
    assert rig.modem.status("waiting") == [(0, rig.vm.links[0].rx_count)] and "AT+CIPRXGET=4" in rig.sent
    assert rig.vm.links[0].rx_count > 1000
    assert s.read(8000) == bytes(8000)


@each_cip
def test_nothing_waits_of_what_is_pushed(family):
    rig = Rig(family=family)
    rig.modem.config(receive="push")
    s = rig.socket(ECHO)
    s.write(b"12345")
    assert s.read(5) == b"12345"
    assert rig.modem.status("waiting") in ([], [(0, 0)])  # some refuse the question


@pytest.mark.feature("registrations")
@each_family
@each_seed
def test_every_registration_by_itself(family, seed):
    rig = Rig(seed, family=family)
    names = {"CREG", "CGREG"} | ({"CEREG"} if family != "sim800" else set())
    found = rig.modem.status("registrations")
    assert set(found) == names
    for name in names:
        assert found[name] == rig.vm.registration_of(name)
    rig.vm.registration = 5
    assert rig.modem.status("registrations")["CGREG"] == 5
    rig.vm.registration = 2
    assert set(rig.modem.status("registrations").values()) == {2}


@pytest.mark.parametrize("family", CIP[2:])
def test_client_of_a_server_has_its_index(family):
    rig = Rig(family=family)
    servers = []
    for port in (8080, 8081):
        s = rig.modem.socket()
        s.bind(("", port))
        s.listen()
        s.settimeout(30)
        servers.append(s)
    peer = rig.dial(8081)
    client, address = servers[1].accept()
    rows = rig.modem.status("links")
    assert [row for row in rows if row[4] == "CONNECTED"] == [(0, "TCP", *address, "CONNECTED", 1, 0)]
    peer.close()
    client.close()


@pytest.mark.parametrize("family", FAMILIES[:2])
@each_seed
def test_link_of_the_second_context_has_its_bearer(family, seed):
    rig = Rig(seed, family=family)
    second = rig.modem.context("other.apn")
    second.connect()
    rig.socket(ECHO)
    s = second.socket()
    s.settimeout(30)
    s.connect(rig.serve(Echo, "two.example", 5002))
    rows = rig.modem.status("links")
    assert [row[6] for row in rows if row[4] == "CONNECTED"] == [0, 1]
