"""UDP sockets where a shared case cannot look: commands, local ports, who sent it, losses, the module's refusals."""

import contextlib
import errno

from rig import ECHO, Rig  # first: it puts the shim in place
from families import CA, CIP as FAMILIES, OPEN, START
import pytest
import select
from sim import Blob, Echo, Peer
from sim.faults import Faulty
from simcom.udp.link import Datagram

AF_INET, SOCK_DGRAM = 2, 2
HERE = ("udp.example", 7)
THERE = ("other.example", 8)

families = pytest.mark.parametrize("family", FAMILIES)
with_ca = pytest.mark.parametrize("family", FAMILIES + CA)
start_families = pytest.mark.parametrize("family", START)
open_families = pytest.mark.parametrize("family", OPEN)
seeds = pytest.mark.parametrize("seed", [None, *range(1, 6)])


def made(family, seed=None, **kw):
    """A rig with two echoing UDP peers."""
    rig = Rig(seed, family=family, **kw)
    for host, port in (HERE, THERE):
        rig.net.serve(host, port, Echo, "UDP")
    return rig


def datagram(rig, timeout=30):
    s = rig.modem.socket(AF_INET, SOCK_DGRAM)
    s.settimeout(timeout)
    return s


def commands(rig, beginning):
    return [line for line in rig.sent if line.startswith(beginning)]


def fails(code, work, *args):
    with pytest.raises(OSError) as caught:
        work(*args)
    assert caught.value.args[0] in (code if isinstance(code, tuple) else (code,)), repr(caught.value)
    return str(caught.value)


def address_of(rig, address):
    return rig.net.names[address[0]][0], address[1]


# --- on the wire


@start_families
def test_commands_of_the_cipstart_dialect(family):
    rig = made(family)
    s = datagram(rig)
    before = len(rig.sent)
    s.sendto(b"hello", HERE)
    assert s.recv(100) == b"hello"
    s.sendto(b"again", HERE)
    s.close()
    assert rig.sent[before:] == [
        'AT+CIPSTART=0,"UDP","udp.example",7',
        "AT+CIPSEND=0,5",
        "AT+CIPRXGET=2,0,1460",
        "AT+CIPSEND=0,5",
        "AT+CIPCLOSE=0",
    ]
    assert rig.vm.show_source == 0  # the one peer is known: no address in the headers of others


@open_families
def test_commands_of_the_cipopen_dialect(family):
    rig = made(family)
    s = datagram(rig)
    before = len(rig.sent)
    s.sendto(b"hello", HERE)
    assert s.recv(100) == b"hello"
    s.sendto(b"again", ("192.0.2.1", 9))  # no name to resolve
    s.close()
    to = '"%s",%d' % address_of(rig, HERE)
    assert rig.sent[before:] == [
        'AT+CIPOPEN=0,"UDP",,,49152',
        'AT+CDNSGIP="udp.example"',
        "AT+CIPSEND=0,5," + to,
        "AT+CIPRXGET=2,0,1500",
        'AT+CIPSEND=0,5,"192.0.2.1",9',
        "AT+CIPCLOSE=0",
    ]


@families
@pytest.mark.parametrize("trailer", [b"\r\nOK\r\n", b"\r\n\r\nOK\r\n"])
@pytest.mark.parametrize("first", [b"ends like a line\n", b"or not", b"\r\n", b"\n"])
def test_first_datagram_is_not_cut_to_learn_the_trailer(family, trailer, first):
    rig = made(family, choices={"trailer": trailer})
    assert rig.modem.channel.parser.long is None
    s = datagram(rig)
    for data in (first, b"second\n", b"third"):
        s.sendto(data, HERE)
    rig.pump(1000)
    got = [s.recv(100)]
    while len(b"".join(got)) < len(first) + 12:
        got.append(s.recv(100))
    assert got == [first, b"second\n", b"third"]
    assert set(line.rpartition(",")[2] for line in commands(rig, "AT+CIPRXGET=2")) == {str(rig.modem.READ_MAX)}


@start_families
@seeds
def test_borders_of_those_that_wait_in_the_module(family, seed):
    rig = made(family, seed)
    s = datagram(rig)
    sent = [bytes([65 + i]) * (1 + 61 * i % 400) for i in range(20)]
    rig.net.serve("burst.example", 9, lambda: Burst(sent), "UDP")
    s.sendto(b"go", ("burst.example", 9))
    rig.clock.sleep_ms(2000)  # nobody pumps
    assert [s.recv(2000) for _ in sent] == sent
    s.close()


@families
@pytest.mark.parametrize("rxbuf", [512, 2048])
def test_as_digits_a_datagram_is_longer_than_one_answer(family, rxbuf):
    rig = made(family, up=False, modem_args={"rxbuf": rxbuf})
    rig.modem.config(receive="hex")
    rig.modem.connect("internet")
    s = datagram(rig)
    sizes = (1, 730, 731, 750, 751, 1000, rig.modem.SEND_MAX) if rxbuf == 2048 else (1, 200, 456)
    for n in sizes:
        data = bytes([n & 255]) * n
        s.sendto(data, HERE)
        assert s.recv(2000) == data
    if family in START:  # the others do not tell where one ends
        sent = [bytes([65 + i]) * n for i, n in enumerate(sizes) if n != 730]  # it looks like half of a longer one
        rig.net.serve("burst.example", 9, lambda: Burst(sent), "UDP")
        s.sendto(b"go", ("burst.example", 9))
        rig.pump(2000)
        assert [s.recv(2000) for _ in sent] == sent


class Burst(Peer):
    """Answers a datagram with many."""

    def __init__(self, datagrams):
        self.datagrams = datagrams

    def received(self, connection, data):
        for each in self.datagrams:
            connection.write(each)


@with_ca
@pytest.mark.parametrize("rxbuf", [512, 1024, 2048])
def test_ring_that_is_full_loses_whole_datagrams_or_leaves_them_in_the_module(family, rxbuf):
    rig = made(family, modem_args={"rxbuf": rxbuf})
    s = datagram(rig, 1)
    sent = [b"%03d" % i + bytes([i]) * (i * 37 % 300) for i in range(100)]
    rig.net.serve("burst.example", 9, lambda: Burst(sent), "UDP")
    s.sendto(b"go", ("burst.example", 9))
    rig.pump(3000)  # nobody reads
    got = []
    with pytest.raises(OSError):
        while True:
            got.append(s.recv(2000))
    if family in START:
        assert got and got == [each for each in sent if each in got]
    else:  # borders are hidden; what comes is nevertheless in order and whole
        text = b"".join(got)
        for each in sent:
            if each in text:
                assert text.startswith(each)
                text = text[len(each) :]
        assert got
    s.sendto(b"still in step", HERE)
    s.settimeout(30)
    assert s.recv(100) == b"still in step"


@with_ca
def test_what_does_not_fit_waits_in_the_module(family):
    rig = made(family)
    s = datagram(rig)
    sent = [b"%02d" % i + bytes([i]) * 400 for i in range(12)]
    for each in sent:
        s.sendto(each, HERE)
    rig.pump(3000)  # nobody reads
    got = []
    while len(b"".join(got)) < len(b"".join(sent)):
        got.append(s.recv(2000))
    assert b"".join(got) == b"".join(sent)
    assert got == sent or family in OPEN


@with_ca
def test_more_small_datagrams_than_there_is_place_for(family):
    rig = made(family)
    s = datagram(rig, 1)
    for i in range(50):
        s.sendto(b"%02d" % i, HERE)
    rig.pump(2000)
    got = []
    with pytest.raises(OSError):
        while True:
            got.append(s.recv(100))
    assert len(b"".join(got)) >= 60 and got == sorted(set(got))
    assert all(len(each) % 2 == 0 for each in got)
    s.settimeout(30)
    s.sendto(b"still in step", HERE)
    assert s.recv(100) == b"still in step"


@with_ca
def test_long_or_empty_or_no_address_sends_nothing(family):
    rig = made(family)
    s = datagram(rig)
    before = len(rig.sent)
    most = max(1460, rig.modem.SEND_MAX)
    for n in (0, most + 1):
        assert str(most) in fails(errno.EINVAL, s.sendto, bytes(n), HERE)
    for host, port in (("udp.example", 0), ("udp.example", 65536), ('a"b', 7), ("", 7), ("a" * 64, 7), ("a\rb", 7)):
        with pytest.raises(ValueError):
            s.sendto(b"x", (host, port))
        with pytest.raises(ValueError):
            s.connect((host, port))
    for port in (-1, 65536, "7"):
        with pytest.raises(ValueError):
            s.bind(("", port))
    fails(errno.EOPNOTSUPP, rig.modem.socket, AF_INET, 3)
    assert len(rig.sent) == before


@pytest.mark.parametrize("family", ("sim7028", "a76xx"))
def test_datagram_of_the_size_that_is_advised(family):
    rig = made(family)
    s = datagram(rig)
    data = bytes(range(200)) * 7
    assert s.sendto(data, HERE) == 1400
    assert s.recv(2000) == data
    assert [line for line in rig.sent if line.startswith("AT+CIPSEND=0,1400")]


@pytest.mark.parametrize("family", START)
@pytest.mark.parametrize("mux", (True, False))
def test_datagram_as_long_as_the_notes_say(family, mux):
    rig = made(family, modem_args={"mux": mux})
    s = datagram(rig)
    data = bytes(range(146)) * 10
    assert s.sendto(data, HERE) == 1460
    assert s.recv(2000) == data
    assert s.sendto(b"short", HERE) == 5 and s.recv(2000) == b"short"


def test_firmware_that_takes_shorter_ones_only_is_found_out_once():
    rig = made("sim7000", send_limit=1024)
    s = datagram(rig)
    said = fails(errno.EINVAL, s.sendto, bytes(1460), HERE)
    assert "1024" in said
    assert rig.sent.count("AT+CIPSEND=0,1460") == 2
    assert "1024" in fails(errno.EINVAL, s.sendto, bytes(1025), HERE)
    assert rig.sent.count("AT+CIPSEND=0,1460") == 2 and "AT+CIPSEND=0,1025" not in rig.sent
    data = bytes(range(128)) * 8
    assert s.sendto(data, HERE) == 1024
    assert s.recv(2000) == data and len([link for link in rig.vm.links if link.open]) == 1


def test_error_of_nobody_makes_no_datagram_shorter():
    rig = made("sim7000")
    s = datagram(rig)
    s.sendto(b"first", HERE)
    assert s.recv(100) == b"first"
    rig.vm.refuse_sends = 1
    assert s.sendto(bytes(1460), HERE) == 1460 and s.recv(2000) == bytes(1460)


# --- two things at once


@with_ca
def test_text_goes_whole_as_it_does_over_tcp(family):
    rig = made(family)
    s = datagram(rig)
    data = "Gr\u00fc\u00dfe"
    assert s.sendto(data, HERE) == 7
    assert s.recv(100) == data.encode()
    s.connect(HERE)
    assert s.write(data) == 7
    assert s.recv(100) == data.encode()


@with_ca
@seeds
@pytest.mark.feature("udp")
def test_download_and_datagrams_together(family, seed):
    rig = made(family, seed)
    data = bytes(range(251)) * 60
    stream = rig.socket(rig.serve(Blob(data)))
    s = datagram(rig)
    got = b""
    for i in range(10):
        s.sendto(b"datagram %d" % i, HERE)
        got += stream.read(1000)
        assert s.recvfrom(100) == (b"datagram %d" % i, HERE)
    assert got + stream.read() == data
    s.close()


def stream_reads_as_before(rig):
    """A download on a TCP link is right, and takes no more commands than without a UDP socket."""
    data = bytes(range(250)) * 40
    stream = rig.socket(rig.serve(Blob(data)))
    before = len(commands(rig, "AT+CIPRXGET="))
    assert stream.read() == data
    assert len(commands(rig, "AT+CIPRXGET=")) - before <= 2 + len(data) // 1000


@with_ca
def test_stream_reads_as_before_while_there_is_a_udp_socket(family):
    rig = made(family)
    s = datagram(rig)
    s.sendto(b"x", HERE)
    assert s.recv(1) == b"x"
    stream_reads_as_before(rig)


# --- local ports


@open_families
@pytest.mark.feature("udp")
def test_bound_port_hears_everybody(family):
    rig = made(family)
    s = datagram(rig)
    s.bind(("", 5000))
    assert commands(rig, "AT+CIPOPEN=") == ['AT+CIPOPEN=0,"UDP",,,5000']
    rig.net.datagram(5000, b"who is it?", ("203.0.113.9", 999))
    data, address = s.recvfrom(100)
    assert data == b"who is it?" and address == ("", 0)  # buffer access does not tell
    before = list(rig.sent)
    for answer in (lambda: s.sendto(b"x", address), lambda: s.connect(address)):
        assert 'receive="push"' in fails(errno.EOPNOTSUPP, answer)
    assert rig.sent == before
    s.sendto(b"x", HERE)
    assert s.recvfrom(1) == (b"x", HERE)  # with whom it talks now
    s.close()
    assert 5000 not in rig.net.ports


@open_families
def test_port_that_is_taken(family):
    rig = made(family)
    a = datagram(rig)
    a.bind(("", 5000))
    b = datagram(rig)
    assert "5000" in fails(errno.EADDRINUSE, b.bind, ("", 5000))
    a.close()
    c = datagram(rig)
    c.bind(("", 5000))
    c.sendto(b"x", HERE)
    assert c.recv(1) == b"x"


@open_families
def test_own_ports_are_others_each_time_and_taken_ones_are_skipped(family):
    rig = made(family)
    rig.net.ports[49153] = object()
    a, b = datagram(rig), datagram(rig)
    for s in (a, b):
        s.sendto(b"x", HERE)
        assert s.recv(1) == b"x"
    assert [int(line.rpartition(",")[2]) for line in commands(rig, "AT+CIPOPEN=")] == [49152, 49153, 49154]


@start_families
@pytest.mark.feature("udp")
def test_local_port_of_one_link_of_several(family):
    rig = made(family)
    s = datagram(rig)
    s.bind(("", 5000))
    assert not commands(rig, "AT+CLPORT")
    s.sendto(b"x", HERE)
    assert s.recv(1) == b"x"
    assert commands(rig, "AT+CLPORT") == ['AT+CLPORT=0,"UDP",5000', 'AT+CLPORT=0,"UDP",0']
    assert rig.sent.index('AT+CLPORT=0,"UDP",5000') < rig.sent.index('AT+CIPSTART=0,"UDP","udp.example",7')


@start_families
def test_local_port_that_the_firmware_does_not_know(family):
    rig = made(family)
    rig.vm.do_CLPORT = lambda op, args: rig.vm.refuse()
    s = datagram(rig)
    s.bind(("", 5000))
    assert "CLPORT" in fails(errno.EOPNOTSUPP, s.sendto, b"x", HERE)
    s.close()
    s = datagram(rig)
    s.sendto(b"x", HERE)
    assert s.recv(1) == b"x"


@start_families
def test_nobody_can_be_heard_before_there_is_a_peer(family):
    rig = made(family)
    s = datagram(rig)
    before = len(rig.sent)
    assert "peer" in fails(errno.ENOTCONN, s.recv, 10)
    s.bind(("", 5000))
    fails(errno.ENOTCONN, s.recvfrom, 10)
    assert len(rig.sent) == before


@with_ca
def test_bind_comes_first_and_once(family):
    rig = made(family)
    s = datagram(rig)
    s.sendto(b"x", HERE)
    fails(errno.EINVAL, s.bind, ("", 5000))


# --- other peers


@start_families
@seeds
def test_another_address_opens_the_link_anew_and_keeps_what_was_received(family, seed):
    rig = made(family, seed)
    s = datagram(rig)
    s.sendto(b"one", HERE)
    rig.pump(1000)
    s.sendto(b"two", THERE)
    rig.pump(1000)
    assert s.recvfrom(100) == (b"one", HERE)
    assert s.recvfrom(100) == (b"two", THERE)
    assert len(commands(rig, "AT+CIPSTART=")) == 2 and len(commands(rig, "AT+CIPCLOSE=")) == 1
    s.settimeout(0)
    s.sendto(b"three", HERE)
    s.close()  # in the middle of it
    assert rig.modem.flush(60000)
    assert b"three" in bytes(rig.connection().received)


@open_families
def test_another_address_is_another_address(family):
    rig = made(family)
    s = datagram(rig)
    for address in (HERE, THERE, HERE):
        s.sendto(b"x", address)
        assert s.recvfrom(10) == (b"x", address)
    assert len(commands(rig, "AT+CIPOPEN=")) == 1
    s.sendto(b"x", ("198.51.100.250", 9))  # no name to resolve
    assert len(commands(rig, "AT+CDNSGIP=")) == 3


@with_ca
def test_connect_again_to_somebody_else(family):
    rig = made(family)
    s = datagram(rig)
    for address in (HERE, THERE):
        s.connect(address)
        s.send(b"hello")
        assert s.recvfrom(10) == (b"hello", address)


@open_families
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
@pytest.mark.feature("peers")
def test_many_peers_in_direct_push(family, seed):
    rig = made(family, seed, up=False)
    rig.modem.config(receive="push")
    rig.modem.connect("internet")
    s = datagram(rig)
    s.bind(("", 5000))
    strangers = [("203.0.113.%d" % i, 4000 + i) for i in range(5)]
    for i, stranger in enumerate(strangers):
        rig.net.datagram(5000, b"from %d\n" % i, stranger)
    assert [s.recvfrom(100) for _ in strangers] == [(b"from %d\n" % i, each) for i, each in enumerate(strangers)]
    for i, stranger in enumerate(strangers):
        s.sendto(b"to %d" % i, stranger)
    rig.pump(500)
    for i, stranger in enumerate(strangers):
        assert bytes(rig.net.ports[5000].connection(*stranger).received) == b"to %d" % i
    s.close()


@open_families
def test_connected_socket_hears_its_peer_only_where_senders_are_known(family):
    rig = made(family, up=False)
    rig.modem.config(receive="push")
    rig.modem.connect("internet")
    s = datagram(rig, 2)
    s.bind(("", 5000))
    s.connect(HERE)
    s.send(b"hello")
    rig.net.datagram(5000, b"not for you", ("203.0.113.9", 999))
    assert s.recvfrom(100) == (b"hello", address_of(rig, HERE))
    fails(errno.ETIMEDOUT, s.recv, 10)


@pytest.mark.parametrize("receive", ["buffer", "hex", "push"])
@pytest.mark.parametrize("family, mux", [(family, True) for family in FAMILIES] + [(family, False) for family in START])
def test_peer_that_was_connected_by_its_name_is_heard(family, mux, receive):
    rig = made(family, up=False, modem_args=None if mux else {"mux": False})
    rig.modem.config(receive=receive)
    rig.modem.connect("internet")
    s = datagram(rig, 5)
    for peer in (HERE, THERE):
        s.connect(peer)
        for data in (b"one", b"two"):
            s.send(data)
            if not mux:
                rig.connection().write(b"not for you", ("203.0.113.9", peer[1]))
            assert s.recv(10) == data
    s.settimeout(1)
    fails(errno.ETIMEDOUT, s.recv, 10)


@open_families
def test_push_faster_than_it_is_read_loses_whole_datagrams(family):
    rig = made(family, up=False)
    rig.modem.config(receive="push")
    rig.modem.connect("internet")
    s = datagram(rig, 1)
    s.bind(("", 5000))
    sent = [b"%02d" % i + bytes([i]) * 700 for i in range(30)]
    for each in sent:
        rig.net.datagram(5000, each, ("203.0.113.9", 999))
        rig.pump(100)
    got = []
    with pytest.raises(OSError):
        while True:
            got.append(s.recv(2000))
    assert 5 < len(got) < 30 and got == [each for each in sent if each in got]
    rig.net.datagram(5000, b"still in step", ("203.0.113.9", 999))
    assert s.recv(100) == b"still in step"


@start_families
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
@pytest.mark.parametrize("receive", ["buffer", "push"])
@pytest.mark.feature("peers")
def test_many_peers_on_a_single_connection(family, seed, receive):
    rig = made(family, seed, modem_args={"mux": False}, up=False)
    if receive == "push":
        rig.modem.config(receive="push")
    rig.modem.connect("internet")
    s = datagram(rig)
    s.bind(("", 5000))
    assert 'AT+CLPORT="UDP",5000' in rig.sent and "AT+CIPUDPMODE=1" in rig.sent
    s.sendto(b"hello", HERE)
    here, there = address_of(rig, HERE), address_of(rig, THERE)
    assert s.recvfrom(100) == (b"hello", here)
    connection = rig.connection()
    strangers = [("203.0.113.%d" % i, 4000 + i) for i in range(5)]
    for i, stranger in enumerate(strangers):
        connection.write(b"from %d\n" % i, stranger)
    assert [s.recvfrom(100) for _ in strangers] == [(b"from %d\n" % i, each) for i, each in enumerate(strangers)]
    s.sendto(b"to another", THERE)
    assert s.recvfrom(100) == (b"to another", there)
    s.sendto(b"to a number", there)
    assert s.recvfrom(100) == (b"to a number", there)
    assert commands(rig, "AT+CIPUDPMODE=2")[-1] == 'AT+CIPUDPMODE=2,"%s",8' % there[0]
    assert len(commands(rig, "AT+CIPSTART=")) == 1
    s.close()


@start_families
@pytest.mark.feature("udp")
def test_stream_after_datagrams_on_a_single_connection(family):
    # AT+CIPSRIP=1 is still on: the headers of a stream, too, end in an address.
    rig = made(family, modem_args={"mux": False})
    s = datagram(rig)
    s.sendto(b"x", HERE)
    assert s.recv(1) == b"x"
    s.close()
    stream_reads_as_before(rig)


# --- time


@with_ca
def test_link_that_does_not_open_in_its_own_time_sends_nothing_later(family):
    rig = made(family)
    rig.net.connect_ms = rig.net.dns_ms = 31_000
    s = datagram(rig, 0.5)
    begin = rig.clock.ms
    fails((errno.ETIMEDOUT, -2), s.sendto, b"too slow", HERE)
    assert 29_000 <= rig.clock.ms - begin < 32_000
    rig.pump(90_000)
    rig.net.connect_ms = rig.net.dns_ms = 20
    s.setblocking(False)
    with contextlib.suppress(OSError):  # why the link was lost, once
        s.recv(1)
    assert not [each for each in rig.net.connections if each.received]
    s.settimeout(30)
    s.sendto(b"now", HERE)
    assert s.recv(10) == b"now"


class Slow(Peer):
    """Answers a datagram after 0.8 s."""

    def received(self, connection, data):
        self.net.clock.after_ms(800, lambda: connection.write(data))


@with_ca
@pytest.mark.parametrize("blocking", [True, False])
def test_time_out_counts_from_when_the_datagram_is_out(family, blocking):
    # As in ntptime.settime(), which waits a second.
    rig = made(family)
    rig.net.dns_ms = 1500
    rig.net.connect_ms = 400
    there = ("time.example", 123)
    rig.net.serve(*there, Slow, "UDP")
    Slow.net = rig.net
    s = datagram(rig, 1)
    if not blocking:
        s.setblocking(False)
    assert s.sendto(b"what time is it", there) == 15
    s.settimeout(1)
    assert s.recv(48) == b"what time is it"
    begin = rig.clock.ms
    fails(errno.ETIMEDOUT, s.recv, 48)
    assert 1000 <= rig.clock.ms - begin < 1500


@with_ca
def test_connect_of_a_datagram_socket_counts_everything(family):
    rig = made(family)
    rig.net.dns_ms = rig.net.connect_ms = 3000
    s = datagram(rig, 0.5)
    begin = rig.clock.ms
    try:
        s.connect(HERE)  # SIM7028 and A76XX open a link towards nobody
    except OSError as e:
        assert e.args[0] == errno.ETIMEDOUT
    assert rig.clock.ms - begin < 1000


@with_ca
@pytest.mark.parametrize("ms", range(50, 4500, 500))
def test_what_follows_one_that_was_given_up_goes_to_its_own_address(family, ms):
    rig = made(family)
    s = datagram(rig)
    s.sendto(b"first", HERE)
    rig.net.connect_ms = rig.net.dns_ms = 2000

    def stop():
        raise KeyboardInterrupt

    event = rig.clock.after_ms(ms, stop)
    with contextlib.suppress(KeyboardInterrupt):
        s.sendto(b"second", THERE)
    rig.clock.cancel(event)
    s.sendto(b"third", HERE)
    rig.pump(1000)
    got = {HERE[1]: b"", THERE[1]: b""}
    for each in rig.net.connections:
        got[each.port] += each.received
    assert got[HERE[1]] == b"firstthird"
    assert got[THERE[1]] in (b"", b"second")


@with_ca
@pytest.mark.parametrize("lost", [False, True])
def test_lost_notice_costs_a_delay(family, lost):
    rig = made(family)
    s = datagram(rig, 30)
    s.sendto(b"hello", HERE)
    assert s.recv(10) == b"hello"
    if lost:
        for link in rig.vm.links:
            link.notice_due = False
    s.sendto(b"again", HERE)
    assert s.recv(10) == b"again"


@with_ca
def test_idle_socket_sends_next_to_nothing(family):
    rig = made(family)
    s = datagram(rig)
    s.sendto(b"x", HERE)
    s.recv(1)
    before = len(rig.sent)
    rig.pump(60_000)
    assert len(rig.sent) - before <= 20


# --- losses and refusals


@with_ca
@pytest.mark.parametrize("count", [1, 2, 4])
def test_lost_bytes_are_an_error_and_then_it_goes_on(family, count):
    rig = made(family, wrap=Faulty)
    s = datagram(rig)
    s.sendto(b"first", HERE)
    assert s.recv(10) == b"first"
    s.sendto(b"unread", HERE)
    rig.pump(500)
    rig.port.drop("rx", rig.port.offset["rx"] + 400, count)
    s.settimeout(0)
    s.sendto(b"x" * 800, HERE)
    rig.pump(3000)
    s.settimeout(30)
    assert s.recv(10) == b"unread"
    fails(errno.EIO, s.recv, 1000)
    s.sendto(b"well again", HERE)
    assert s.recv(100) == b"well again"


@with_ca
def test_context_is_lost_and_found(family):
    rig = made(family)
    s = datagram(rig)
    s.sendto(b"x", HERE)
    s.recv(1)
    rig.vm.network_lost()
    rig.pump(500)
    assert s.ioctl(3, 5) & 8
    fails(errno.ENOTCONN, s.recv, 10)
    rig.modem.disconnect()
    fails(errno.ENOTCONN, s.sendto, b"x", HERE)
    rig.modem.connect("internet")
    s.sendto(b"back", HERE)
    assert s.recv(10) == b"back"


@with_ca
def test_link_that_the_module_closed_is_opened_again(family):
    rig = made(family)
    s = datagram(rig)
    s.sendto(b"x", HERE)
    s.recv(1)
    rig.vm.links[0].closed()
    rig.pump(1000)
    s.sendto(b"again", HERE)
    assert s.recv(10) == b"again"


@with_ca
@pytest.mark.parametrize("lossy", [False, True])
def test_what_was_received_outlives_its_link(family, lossy):
    rig = made(family, wrap=Faulty)
    s = datagram(rig)
    s.sendto(b"unread", HERE)
    rig.pump(1000)
    s.sendto(b"unread too", HERE)
    rig.pump(1000)
    if lossy:  # behind them stands half a datagram
        rig.port.drop("rx", rig.port.offset["rx"] + 400, 3)
        s.settimeout(0)
        s.sendto(b"x" * 800, HERE)
        rig.pump(3000)
        s.settimeout(30)
        fails(errno.EIO, s.sendto, b"new", HERE)
    else:
        rig.vm.links[0].closed()
        rig.pump(1000)
    s.sendto(b"new", HERE)
    assert [s.recv(100) for _ in range(3)] == [b"unread", b"unread too", b"new"]
    s.close()
    rig.pump(1000)
    assert len(rig.modem.receiver.rings.free) == 1 and not any(rig.modem.links.slots)


@start_families
def test_send_fail_closes_the_link_and_the_next_one_opens_it(family):
    rig = made(family)
    s = datagram(rig)
    rig.vm.fail_sends = 1
    assert "udp.example:7" in fails(errno.ECONNABORTED, s.sendto, b"x", HERE)
    s.sendto(b"y", HERE)
    assert s.recv(10) == b"y"


@open_families
@pytest.mark.parametrize(
    "confirm, code", [([0], 0), ([-1], errno.ECONNABORTED), ([2], errno.ECONNABORTED), ([0] * 9, 5)]
)
def test_confirmations_of_another_number(family, confirm, code):
    rig = made(family)
    s = datagram(rig)
    s.sendto(b"hello", HERE)
    assert s.recv(10) == b"hello"
    rig.vm.confirm = confirm
    if code:
        fails(code, s.sendto, b"again", HERE)
        rig.vm.confirm = ()
        s.sendto(b"again", HERE)
    else:
        s.sendto(b"again", HERE)  # not taken at first
    assert s.recv(10) == b"again"


@families
def test_send_that_is_always_refused_ends(family):
    rig = made(family)
    s = datagram(rig, None)
    s.sendto(b"x", HERE)
    s.recv(1)
    rig.vm.do_CIPSEND = lambda op, args: "ERROR"
    fails(errno.EIO, s.sendto, b"y", HERE)
    del rig.vm.do_CIPSEND
    s.sendto(b"z", HERE)
    assert s.recv(1) == b"z"


@with_ca
def test_error_of_what_was_not_waited_for_is_raised_by_the_next_call(family):
    rig = made(family)
    s = datagram(rig, 0)
    s.sendto(b"x", ("no.such.name.example", 7))
    rig.pump(5000)
    assert s.ioctl(3, 5) & 8
    with pytest.raises(OSError) as caught:
        s.recv(10)
    assert caught.value.args[0] in (-2, errno.ECONNREFUSED)
    s.settimeout(30)
    s.sendto(b"x", HERE)
    assert s.recv(10) == b"x"


@with_ca
def test_rings_are_lent_and_given_back(family):
    rig = made(family)
    for i in range(7):
        s = datagram(rig)
        s.sendto(b"x", HERE)
        if i % 2:
            s.sendto(b"y" * 100, HERE)
            rig.pump(300)
        s.close()
        t = rig.socket(("echo.example", 7))
        t.write(b"z" * 50)
        assert t.read(50) == b"z" * 50
        t.close()
    rig.pump(100)
    assert len(rig.modem.receiver.rings.free) == 1 and not any(rig.modem.links.slots)


@with_ca
def test_dropped_sockets_cost_no_links(family):
    # There is no finaliser: what nobody has used for a minute gives its number to who needs one.
    rig = made(family)
    rig.patience(10_000_000)
    mine = datagram(rig)
    mine.sendto(b"mine", HERE)
    mine.recv(10)
    for i in range(2 * rig.modem.LINKS):
        s = datagram(rig)
        s.sendto(b"x", HERE)
        assert s.recv(10) == b"x"
        for _ in range(8):  # … while this one is in use
            rig.pump(10_000)
            mine.sendto(b"still %d" % i, HERE)
            assert mine.recv(10) == b"still %d" % i
        if i % 2:
            rig.works()


@with_ca
@pytest.mark.parametrize("how", ["poll", "recv"])
def test_socket_that_waits_for_long_is_not_dropped(family, how):
    rig = made(family)
    s = datagram(rig, None)
    s.sendto(b"ask", HERE)
    assert s.recv(10) == b"ask"
    others = [rig.socket(ECHO) for _ in range(rig.modem.LINKS - 1)]
    poller = select.poll()
    poller.register(s, select.POLLIN)
    raised = []

    def connect():
        with pytest.raises(OSError) as caught:
            rig.socket(ECHO)
        raised.append(caught.value.args[0])

    if how == "poll":
        assert poller.poll(100_000) == []
        connect()
    else:
        s.settimeout(100)
        fails(errno.ETIMEDOUT, s.recv, 1)
        s.setblocking(False)
        fails(errno.EAGAIN, s.recv, 1)
        connect()
    assert raised == [errno.ENOBUFS]
    for other in others:
        other.write(b"yours")
        assert other.read(5) == b"yours"
    s.settimeout(10)
    s.sendto(b"again", HERE)
    assert s.recv(10) == b"again"


@with_ca
def test_socket_whose_link_was_taken_says_so_once_and_works(family):
    rig = made(family)
    s = datagram(rig)
    s.sendto(b"before", HERE)
    rig.pump(80_000)
    others = [rig.socket(ECHO) for _ in range(rig.modem.LINKS)]
    assert s.recv(10) == b"before", "what had come"
    assert "new connection" in fails(errno.ECONNABORTED, s.sendto, b"after", HERE)
    fails(errno.ENOBUFS, s.sendto, b"after", HERE)
    others.pop().close()
    s.sendto(b"after", HERE)
    assert s.recv(10) == b"after"


# --- with other capabilities


@families
@pytest.mark.parametrize("settings", [{"receive": "hex"}, {"receive": "push"}, {"send": "variable"}], ids=str)
@seeds
@pytest.mark.feature("udp")
def test_other_ways_to_receive_and_send(family, settings, seed):
    rig = made(family, seed, up=False)
    rig.modem.config(**settings)
    rig.modem.connect("internet")
    data = bytes(range(32, 127)) * 30
    stream = rig.socket(rig.serve(Blob(data)))
    s = datagram(rig)
    for i in range(5):
        s.sendto(b"datagram %d" % i, HERE)
        assert s.recv(100) == b"datagram %d" % i
    assert stream.read() == data
    rig.net.serve("echo.example", 7, Echo)
    stream = rig.socket(("echo.example", 7))
    stream.write(b"abc")
    s.sendto(b"d" * 300, HERE)
    assert stream.read(3) == b"abc"
    assert s.recv(700) == b"d" * 300


@start_families
def test_opener_that_was_given_opens_it_each_time(family):
    rig = made(family)
    s = datagram(rig)
    opened = []

    class Own(Datagram):
        def dial(self, link):
            opened.append(link.peer)
            return self.modem.dial(link)

    s.via(Own(rig.modem))
    for address in (HERE, THERE):
        s.sendto(b"x", address)
        assert s.recvfrom(1) == (b"x", address)
    rig.vm.links[0].closed()
    rig.pump(1000)
    s.sendto(b"x", HERE)
    assert s.recv(1) == b"x"
    assert opened == [HERE, THERE, HERE]
    fails(errno.EINVAL, s.bind, ("", 5000))


@with_ca
def test_beside_a_server(family):
    rig = made(family)
    server = rig.modem.socket()
    server.settimeout(30)
    server.bind(("", 8001))
    server.listen(1)
    s = datagram(rig)
    s.sendto(b"hello", HERE)
    outside = rig.dial(8001)
    client, _ = server.accept() if family != "sim7028" else (None, None)
    assert s.recv(10) == b"hello"
    if client:
        outside.send(b"abc")
        assert client.read(3) == b"abc"
    s.sendto(b"again", HERE)
    assert s.recv(10) == b"again"


@families
def test_context_that_is_lost_right_before_the_answer_of_a_read(family):
    rig = Rig(family=family)
    address = ("echo.example", 7)
    rig.net.serve(*address, Echo, "UDP")
    s = datagram(rig)
    s.connect(address)
    execute = rig.vm.execute
    lost = "+PDP: DEACT" if rig.modem.DIALECT == "cipstart" else "+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY"

    def taken_away(line):
        if line.startswith(b"AT+CIPRXGET=2"):
            rig.vm.execute = execute
            rig.vm.urc(lost)
            rig.clock.after_ms(40, lambda: execute(line))
        else:
            execute(line)

    rig.vm.execute = taken_away
    with pytest.raises(OSError) as raised:
        s.send(b"one")
        s.recv(10)
    assert raised.value.errno == errno.ENOTCONN
    for _ in range(30):  # its answer comes while the socket has a new link, and no context
        with pytest.raises(OSError):
            s.connect(address)
        rig.pump(5)
    rig.modem.connect("internet")
    s.connect(address)
    s.send(b"two")
    assert s.recv(10) == b"two"
