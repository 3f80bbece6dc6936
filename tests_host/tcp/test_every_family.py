"""What all families share, on each of them: what a call changes in the virtual module."""

import errno

import pytest
from rig import ECHO, Rig  # first: it puts the shim in place
from families import CIP, FAMILIES, OPEN, START
from sim import Echo, Sink, Stall

each_family = pytest.mark.parametrize("family", FAMILIES)
each_cip = pytest.mark.parametrize("family", CIP)
each_start = pytest.mark.parametrize("family", START)
each_open = pytest.mark.parametrize("family", OPEN)


@each_cip
def test_streams_from_their_opening_to_their_end(family):
    rig = Rig(family=family)
    a, b = rig.socket(ECHO), rig.socket(rig.serve(Sink))
    opened = "AT+CIPSTART" if family in START else "AT+CIPOPEN"
    for n, (host, port) in enumerate((ECHO, ("peer.example", 80))):
        assert '%s=%d,"TCP","%s",%d' % (opened, n, host, port) in rig.sent
        link = rig.vm.links[n]
        assert (link.proto, link.port, link.state) == ("TCP", port, "CONNECTED")
    assert b.write(bytes(300)) == 300
    assert "AT+CIPSEND=1,300" in rig.sent and rig.vm.links[1].sent == 300
    a.write(b"hello")
    assert a.read(5) == b"hello"
    rig.connection().close()
    assert b.read() == b""  # told by the module
    assert rig.vm.links[0].open and not rig.vm.links[1].open
    a.close()
    rig.pump(500)
    assert "AT+CIPCLOSE=0" in rig.sent and not rig.vm.links[0].open


@each_cip
def test_address_of_the_context(family):
    rig = Rig(family=family)
    assert rig.modem.ifconfig()[0] == rig.net.local_addresses[0]
    rig.modem.disconnect()
    assert rig.modem.ifconfig()[0] == "0.0.0.0" and not rig.modem.isconnected()
    assert rig.modem.status("context") == ("IP INITIAL" if family in START else "CLOSED")
    rig.modem.connect("internet")
    assert rig.modem.ifconfig()[0] == rig.net.local_addresses[0]


@each_open
def test_network_that_is_closed_without_a_word(family):
    rig = Rig(family=family)
    rig.vm.network = "closed"
    with pytest.raises(OSError) as caught:
        rig.socket(ECHO)
    assert caught.value.args[0] in (errno.ENOTCONN, errno.ECONNABORTED)
    rig.pump(3000)
    assert not rig.modem.isconnected()
    rig.modem.disconnect()
    rig.modem.connect("internet")
    assert rig.works()


@each_cip
def test_transparent_mode_that_a_program_left_on(family):
    rig = Rig(family=family, up=False)
    rig.vm.mode = 1
    rig.modem.connect("internet")
    assert rig.vm.mode == 0
    assert rig.works()


@each_family
def test_names_with_two_addresses_and_with_none(family):
    rig = Rig(family=family)
    rig.net.names["two.example"] = ["192.0.2.21", "192.0.2.22"]
    assert rig.modem.resolve("two.example") == ["192.0.2.21", "192.0.2.22"][: 2 if family in START else 1]
    with pytest.raises(OSError) as caught:
        rig.modem.resolve("nobody.example")
    assert caught.value.args[0] == -2


@each_start
def test_quick_send_counts_what_is_not_acknowledged(family):
    rig = Rig(family=family)
    assert rig.vm.quick == 1
    rig.socket(ECHO)
    s = rig.socket(rig.serve(Stall))
    assert s.write(bytes(500)) == 500  # DATA ACCEPT:1,500: the module has them, the peer has not
    assert rig.vm.links[1].unacknowledged == 500
    assert rig.modem.status("acknowledged")[1] == (1, 500, 0, None)
    assert rig.modem.flush(500) is False
    rig.connection().resume()
    assert rig.modem.flush(5000) is True
    assert rig.modem.status("acknowledged")[1] == (1, 500, 500, None)


@each_cip
def test_link_that_is_not_counted_has_no_row(family):
    rig = Rig(family=family)
    rig.socket(ECHO)
    rig.socket(ECHO)
    do = rig.vm.do_CIPACK
    rig.vm.do_CIPACK = lambda op, args: -1 if args[:1] == ["0"] else do(op, args)
    assert [row[0] for row in rig.modem.status("acknowledged")] == [1]


@each_family
def test_udp_socket_closes_its_link(family):
    rig = Rig(family=family)
    rig.net.serve(*ECHO, Echo, "UDP")
    u = rig.modem.socket(2, 2)
    u.settimeout(30)
    u.sendto(b"hello", ECHO)
    assert u.recv(10) == b"hello" and rig.vm.links[0].proto == "UDP"
    u.close()
    rig.pump(500)
    assert not rig.vm.links[0].open


@each_start
def test_local_port_of_datagrams_on_a_single_connection(family):
    rig = Rig(family=family, modem_args={"mux": False})
    rig.net.serve(*ECHO, Echo, "UDP")
    opened, taken = rig.net.open, []

    def watched(link, proto, host, port, local=0):
        taken.append((proto, local))
        return opened(link, proto, host, port, local)

    rig.net.open = watched
    u = rig.modem.socket(2, 2)
    u.settimeout(30)
    u.bind(("", 5000))
    u.sendto(b"hello", ECHO)
    assert u.recv(10) == b"hello"
    assert taken == [("UDP", 5000)] and rig.vm.local_ports[0, "UDP"] == 0  # who comes next gets any


@each_start
def test_room_of_a_single_connection(family):
    rig = Rig(family=family, modem_args={"mux": False})
    rig.socket(ECHO)
    assert rig.modem.status("room") == {0: 1460}


@each_open
def test_headers_of_direct_push_are_switched_on(family):
    rig = Rig(family=family)
    rig.vm.head = rig.vm.show_source = 0
    rig.modem.config(receive="push")
    assert (rig.vm.head, rig.vm.show_source, rig.vm.rxget, rig.vm.config[4]) == (1, 1, 0, 1)
    s = rig.socket(ECHO)
    s.write(b"hello")
    assert s.read(5) == b"hello"


@each_cip
def test_longest_names_and_ports_that_are_none(family):
    rig = Rig(family=family)
    name = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 62])
    assert len(name) == 254
    rig.net.serve(name, 7, Echo)
    s = rig.socket((name, 7))
    s.write(b"hello")
    assert s.read(5) == b"hello"
    sent = len(rig.sent)
    for host, port in ((name + "e", 7), ("a" * 64 + ".example", 7), ("peer.example", 0), ("peer.example", 65536)):
        with pytest.raises(ValueError):
            rig.modem.socket().connect((host, port))
    assert len(rig.sent) == sent


@each_open
def test_where_to_look_when_the_network_does_not_open(family):
    rig = Rig(family=family)
    rig.modem.disconnect()
    rig.vm.do_NETOPEN = lambda op, args: -1
    with pytest.raises(OSError) as caught:
        rig.modem.connect("internet")
    assert "connect, context" in caught.value.args[1] and "check APN" in caught.value.args[1]
    assert rig.modem.status("sim") == "READY" and rig.modem.status("registration") == 1
    assert any(apn == "internet" for _, _, apn in rig.modem.status("contexts"))
    assert "Online" in rig.modem.status("system")
    del rig.vm.do_NETOPEN
    rig.modem.connect("internet")
    assert rig.works()
