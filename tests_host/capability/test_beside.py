"""Links and servers beside transparent mode, where the module has them: they go on in command mode."""

import errno

from rig import ECHO, Rig  # first: it puts the shim in place
from families import CA, OPEN
import pytest
from sim import Echo, Peer, Sink
from test_transparent import ended, noise, raises

each_open = pytest.mark.parametrize("family", OPEN + CA)


def tunnelled(family, seed=None, **settings):
    """A rig, and its stream in transparent mode to a peer that repeats everything."""
    rig = Rig(seed, family=family, **settings)
    t = rig.modem.transparent(ECHO)
    t.settimeout(10)
    return rig, t


def says(t, data=b"through the tunnel"):
    """The stream carries bytes both ways."""
    t.write(data)
    assert t.read(len(data)) == data


def servers(rig):
    """{number: port} of the servers that the module has."""
    if rig.family in CA:
        return {link.n: link.port for link in rig.vm.links if link.listens}
    return rig.vm.servers


WAYS = [(family, seed, receive) for family in OPEN for seed in (None, 1, 2, 3) for receive in ("buffer", "push", "hex")]
WAYS += [(family, seed, "buffer") for family in CA for seed in (None, 1, 2, 3)]
WAYS += [(family, None, "push") for family in CA]


@pytest.mark.parametrize("family, seed, receive", WAYS)
def test_sockets_in_command_mode(family, seed, receive):
    rig = Rig(seed, family=family)
    rig.modem.config(receive=receive)
    t = rig.modem.transparent(ECHO)
    t.settimeout(10)
    says(t)
    t.escape()
    s = rig.socket(rig.serve(Echo), 10)
    assert rig.vm.links[0].open and rig.vm.links[1].open and not rig.vm.links[1].server
    data = noise(seed, 2000).replace(b"+++", b"---")
    s.write(data)
    assert s.read(len(data)) == data
    for _ in range(2):
        t.resume()
        says(t)
        rig.connection().write(b"kept")
        rig.pump(3000)
        says(t)
        t.escape()
        assert s.read(4) == b"kept"
        s.write(b"again")
        assert s.read(5) == b"again"
    s.close()
    assert not rig.vm.links[1].open and rig.vm.links[0].open
    t.resume()
    says(t)
    ended(rig, t)


@each_open
@pytest.mark.parametrize("seed", (None, 1, 2, 3))
def test_server_in_command_mode(family, seed):
    rig, t = tunnelled(family, seed)
    t.escape()
    server = rig.modem.socket()
    server.settimeout(30)
    server.bind(("", 80))
    server.listen(1)
    assert servers(rig) == {1: 80}, "server 0 is transparent mode's"
    assert rig.modem.status("servers") == [(1, 80)]
    early = rig.dial(80)
    client, address = server.accept()
    assert address[0] == "192.0.2.7"
    early.send(b"hello")
    assert client.read(5) == b"hello"
    t.resume()
    says(t)
    early.send(b"while data mode is on")
    rig.pump(2000)
    t.escape()
    assert client.read(21) == b"while data mode is on"
    client.write(b"answer")
    assert early.recv(6) == b"answer"
    client.close()
    server.close()
    assert servers(rig) == {}
    t.resume()
    says(t)
    ended(rig, t)


@each_open
def test_server_in_transparent_mode_and_another_beside(family):
    rig = Rig(family=family)
    t = rig.modem.transparent_server(23, timeout_ms=0)
    rig.pump(3000)
    inside = rig.dial(23)
    rig.pump(500)
    t.settimeout(10)
    inside.send(b"first")
    assert t.read(5) == b"first"
    t.escape()
    server = rig.modem.socket()
    server.settimeout(30)
    server.bind(("", 80))
    server.listen(1)
    outside = rig.dial(80)
    client, _ = server.accept()
    outside.send(b"second")
    assert client.read(6) == b"second"
    assert sorted(servers(rig).values()) == [23, 80]
    rig.pump(30_000)  # the module is asked whose its links are
    t.resume()
    inside.send(b"third")
    assert t.read(5) == b"third"
    ended(rig, t)
    raises(errno.ECONNABORTED, client.read, 1)


@each_open
def test_datagrams_in_command_mode(family):
    rig, t = tunnelled(family)
    rig.net.serve("time.example", 123, Echo, "UDP")
    t.escape()
    u = rig.modem.socket(2, 2)
    u.settimeout(10)
    for _ in range(2):
        u.sendto(b"what time is it", ("time.example", 123))
        assert u.recvfrom(100) == (b"what time is it", ("time.example", 123))
        t.resume()
        says(t)
        t.escape()
    ended(rig, t)


@pytest.mark.parametrize("family", OPEN)  # SIM7080 leaves data mode now and then, to ask whether it is over
def test_nothing_is_begun_in_data_mode(family):
    rig, t = tunnelled(family)
    t.escape()
    s = rig.socket(ECHO, 1)
    t.resume()
    before = len(rig.sent)
    other = rig.modem.socket()
    assert "transparent" in raises(errno.EALREADY, other.connect, ECHO)
    s.setblocking(False)
    assert s.write(b"later") == 5
    s.settimeout(1)
    raises(errno.ETIMEDOUT, s.read, 1)
    rig.pump(150_000)
    assert len(rig.sent) == before
    says(t)
    t.escape()
    s.settimeout(10)
    assert s.read(5) == b"later"
    s.close()
    other.settimeout(10)
    other.connect(ECHO)
    ended(rig, t)
    raises(errno.ECONNABORTED, other.read, 1)


@each_open
def test_resume_waits_until_the_others_have_sent(family):
    rig, t = tunnelled(family)
    t.escape()
    s = rig.socket(rig.serve(Sink), 10)
    s.setblocking(False)
    n = rig.modem.SEND_MAX
    assert s.write(bytes(n)) == n
    t.resume()
    assert len(rig.connection().received) == n
    says(t)
    ended(rig, t)


@each_open
@pytest.mark.parametrize("closed_line", (False, True))
def test_end_of_another_link_is_not_the_end_of_the_stream(family, closed_line):
    rig, t = tunnelled(family, choices={"closed_line": closed_line} if family in OPEN else {})
    t.escape()
    for _ in range(2):
        s = rig.socket(ECHO, 10)
        s.write(b"x")
        assert s.read(1) == b"x"
        s.close()
    s = rig.socket(rig.serve(Peer), 10)
    rig.connection().close()
    assert s.read(1) == b""
    t.resume()
    says(t)
    ended(rig, t)


@each_open
def test_others_go_on_when_the_stream_has_ended(family):
    rig, t = tunnelled(family)
    first = rig.connection()
    t.escape()
    s = rig.socket(rig.serve(Echo), 10)
    first.close()
    rig.pump(500)
    s.write(b"still here")
    assert s.read(10) == b"still here"
    raises(errno.ENOTCONN, t.resume)
    assert t.read() == b""  # now it is over
    while len([link for link in rig.modem.links.slots if link]) < len(
        rig.vm.links
    ):  # but none gets the number of the stream
        rig.socket(ECHO)
    raises(errno.ENOBUFS, rig.socket, ECHO)
    ended(rig, t)


@each_open
def test_lost_context_ends_all(family):
    rig, t = tunnelled(family)
    t.escape()
    s = rig.socket(rig.serve(Echo), 10)
    rig.vm.network_lost()
    raises(errno.ENOTCONN, s.read, 1)
    raises(errno.ENOTCONN, t.resume)
    t.close()
    rig.modem.connect("internet")
    assert rig.works()


@pytest.mark.parametrize("family", OPEN)
def test_all_servers_but_the_first(family):
    rig, t = tunnelled(family)
    t.escape()
    servers = []
    for n in range(1, rig.modem.SERVERS):
        servers.append(rig.modem.socket())
        servers[-1].bind(("", 80 + n))
        servers[-1].listen()
    assert rig.vm.servers == {n: 80 + n for n in range(1, rig.modem.SERVERS)}
    one_more = rig.modem.socket()
    one_more.bind(("", 99))
    assert "all servers" in raises(errno.ENOBUFS, one_more.listen)
    ended(rig, t)
