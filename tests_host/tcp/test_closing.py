"""Closing: slow, quick, by the peer, everything; keep-alive probes."""

import errno
import struct

from families import CA, CIP, OPEN, START
import pytest
from rig import ECHO, Rig
from sim import Blackhole, Blob, Peer, Sink, Slam, Stall
from test_status import each_seed

from simcom import socket

each_family = pytest.mark.parametrize("family", CIP)
with_ca = pytest.mark.parametrize("family", CIP + CA)
QUICK = [(1, 0), struct.pack("<ii", 1, 0)]


def closes(rig):
    return [each for each in rig.sent if each.startswith(("AT+CIPCLOSE=", "AT+CACLOSE="))]


@pytest.mark.feature("slow_close")
@with_ca
@each_seed
def test_slow_close_sends_everything_first(family, seed):
    rig = Rig(seed, family=family)
    s = rig.socket(rig.serve(Sink), timeout=0)
    s.write(bytes(range(200)))
    s.settimeout(20)
    s.close()
    assert bytes(rig.connection().received) == bytes(range(200))
    assert closes(rig)[-1] == ("AT+CACLOSE=0" if family in CA else "AT+CIPCLOSE=0")
    assert not rig.connection().is_open


@with_ca
@pytest.mark.parametrize("lie", ["0", "20", "00"])
def test_close_sends_nothing_twice_when_the_count_of_what_was_taken_is_damaged(family, lie):
    rig = Rig(family=family)
    rig.vm.lies = (lie,)
    s = rig.socket(rig.serve(Sink), timeout=0)
    s.write(bytes(range(200)))
    s.settimeout(20)
    s.close()
    assert bytes(rig.connection().received) == bytes(range(200))
    assert not rig.connection().is_open


@pytest.mark.feature("quick_close", "sim800", "sim7000")
@pytest.mark.lacks("quick_close", "sim7028", "a76xx", "sim7080")
@with_ca
@each_seed
@pytest.mark.parametrize("linger", QUICK, ids=("tuple", "struct"))
def test_quick_close_waits_for_nothing(family, seed, linger):
    rig = Rig(seed, family=family)
    s = rig.socket(rig.serve(Stall), timeout=0)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    s.write(bytes(200))
    rig.pump(300)
    s.write(bytes(300))
    s.settimeout(20)
    start = rig.clock.now_us
    s.close()
    assert rig.clock.now_us - start < 1e6
    if family in START:
        assert closes(rig) == ["AT+CIPCLOSE=0,1"]
    else:  # there is no quick form
        assert closes(rig)[-1] == ("AT+CACLOSE=0" if family in CA else "AT+CIPCLOSE=0")
    assert not rig.connection().is_open
    assert rig.works()


@with_ca
@pytest.mark.parametrize("value", [(1, 3), struct.pack("<ii", 1, 3)], ids=("tuple", "struct"))
def test_close_waits_as_long_as_linger_says(family, value):
    rig = Rig(family=family, choices={"full": "error"} if family in START else {"full": "zero"}, tx_limit=100)
    s = rig.socket(rig.serve(Stall), timeout=0)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, value)
    s.write(bytes(1000))
    s.settimeout(60)
    start = rig.clock.now_us
    s.close()
    assert 2.5e6 < rig.clock.now_us - start < 5e6
    rig.pump(5000)
    assert rig.works()


@each_family
def test_linger_off_is_the_default_again(family):
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, (1, 0))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, (0, 0))
    s.close()
    assert closes(rig) == ["AT+CIPCLOSE=0"]


def again(rig, s):
    """The peer has closed; connect the same socket to somebody who takes nothing."""
    assert s.read(1) == b""
    rig.net.serve("peer.example", 81, Stall)
    s.connect(("peer.example", 81))
    rig.vm.commands.clear()


@with_ca
def test_quick_close_is_kept_when_the_socket_connects_again(family):
    rig = Rig(family=family)
    s = rig.socket(rig.serve(Slam))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, (1, 0))
    again(rig, s)
    s.settimeout(0)
    s.write(bytes(200))
    s.settimeout(20)
    start = rig.clock.now_us
    s.close()
    assert rig.clock.now_us - start < 1e6
    if family in START:
        assert closes(rig) == ["AT+CIPCLOSE=0,1"]


@with_ca
def test_linger_is_kept_when_the_socket_connects_again(family):
    rig = Rig(family=family, choices={"full": "error"} if family in START else {"full": "zero"}, tx_limit=100)
    s = rig.socket(rig.serve(Slam))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, (1, 3))
    again(rig, s)
    s.settimeout(0)
    s.write(bytes(1000))
    s.settimeout(60)
    start = rig.clock.now_us
    s.close()
    assert 2.5e6 < rig.clock.now_us - start < 5e6


@pytest.mark.feature("peer_close")
@with_ca
@each_seed
def test_closed_by_the_peer(family, seed):
    rig = Rig(seed, family=family)
    s = rig.socket(rig.serve(lambda: Blob(b"last words")))
    assert s.read(10) == b"last words"
    assert s.read(1) == b""
    assert s.write(b"as with TCP") == 11
    with pytest.raises(OSError) as caught:
        s.write(b"too late")
    assert caught.value.args[0] == errno.ECONNRESET
    s.close()
    assert rig.works()


@pytest.mark.feature("all_closed")
@each_family
@each_seed
def test_everything_closed_at_once(family, seed):
    rig = Rig(seed, family=family)
    sockets = [rig.socket(rig.serve(Sink, port=6000 + i)) for i in range(rig.modem.LINKS)]
    for s in sockets:
        s.write(b"something")
    rig.modem.disconnect()
    assert ("AT+CIPSHUT" if family in START else "AT+NETCLOSE") in rig.sent[-3:]
    assert closes(rig) == []
    for s, c in zip(sockets, rig.net.connections):
        assert bytes(c.received) == b"something" and not c.is_open
        with pytest.raises(OSError) as caught:
            s.read(1)
        assert caught.value.args[0] == errno.ENOTCONN
    rig.modem.connect("internet")
    assert rig.works()


# --- keep-alive


def probes(rig):
    return [each for each in rig.sent if each.startswith(("AT+CIPTKA=", "AT+CTCPKA="))]


@pytest.mark.feature("keepalive")
@each_family
@each_seed
def test_keep_alive(family, seed):
    rig = Rig(seed, family=family)
    s = rig.socket()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 90)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 60)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 5)
    assert probes(rig) == []
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    on = "AT+CIPTKA=1,90,60,5" if family in START else "AT+CTCPKA=1,2,5,1"
    assert probes(rig) == [on]
    probing = rig.vm.values["CIPTKA"] if family in START else rig.vm.keepalive
    assert probing == ("1,90,60,5" if family in START else [1, 2, 5, 1])
    s.connect(ECHO)
    s.write(b"x")
    assert s.read(1) == b"x"
    rig.modem.disconnect()
    rig.modem.connect("internet")
    assert probes(rig) == [on, on]
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)
    assert len(probes(rig)) == 3 and probes(rig)[2][10] == "0"
    assert rig.works()


@each_family
def test_keep_alive_of_a_socket_that_does_not_block(family):
    rig = Rig(family=family)
    s = rig.socket(timeout=0)
    sent = len(rig.sent)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, struct.pack("<i", 1))
    assert len(rig.sent) == sent
    rig.pump(200)
    assert len(probes(rig)) == 1


@each_family
def test_keep_alive_before_there_is_a_context(family):
    rig = Rig(family=family, up=False)
    s = rig.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    assert probes(rig) == []
    rig.modem.connect("internet")
    assert len(probes(rig)) == 1
    assert rig.works()


@each_family
def test_other_options_have_no_effect(family):
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    sent = len(rig.sent)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, 20, None)
    s.setsockopt(0, 3, 1)
    s.setsockopt(99, 99, b"")
    assert len(rig.sent) == sent


@pytest.mark.parametrize("option", ["TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"])
def test_bad_keep_alive(option):
    rig = Rig()
    sent = len(rig.sent)
    with pytest.raises(ValueError):
        rig.socket().setsockopt(socket.IPPROTO_TCP, getattr(socket, option), 0)
    assert len(rig.sent) == sent


def test_unknown_name_of_the_socket_module():
    with pytest.raises(AttributeError):
        socket.SO_NONSENSE  # noqa: B018


@pytest.mark.parametrize("family", OPEN)
@pytest.mark.parametrize("close_opening", ["refused", "cancels"])
def test_number_that_is_still_on_its_way_is_not_given_to_the_next(family, close_opening):
    rig = Rig(family=family, choices={"close_opening": close_opening})
    nowhere = rig.serve(Blackhole)
    s = rig.modem.socket()
    s.settimeout(5)
    with pytest.raises(OSError) as raised:
        s.connect(nowhere)
    assert raised.value.errno == errno.ETIMEDOUT
    s.close()
    for _ in range(3):
        assert rig.works()
        rig.pump(1000)


@with_ca
def test_flush_tells_of_a_close_that_gave_up(family):
    rig = Rig(family=family)
    s = rig.socket(rig.serve(Peer))
    assert rig.modem.flush() is True
    rig.connection().stalled = True
    s.setblocking(False)
    for _ in range(60):  # until the module takes no more
        s.write(bytes(1000))
        rig.pump(100)
    s.setblocking(True)
    s.close()
    assert rig.modem.flush(30_000) is False
    assert rig.modem.flush() is True


class Leave(Peer):
    """Closes as soon as it has heard something, as a broker does after DISCONNECT."""

    def received(self, connection, data):
        connection.close()


@with_ca
@pytest.mark.parametrize("behind_ms", [0, 1000])  # 1000: result of the send and report of the close are read together
def test_flush_knows_a_peer_that_closes_when_it_has_everything(family, behind_ms):
    rig = Rig(family=family)
    rig.net.latency_ms = 0
    s = rig.socket(rig.serve(Leave), timeout=0)
    s.write(b"over")
    while not rig.connection().received:
        rig.modem.wait(1)
    rig.clock.advance(behind_ms * 1000)
    rig.pump(1000)
    s.close()
    assert bytes(rig.connection().received) == b"over"
    assert rig.modem.flush() is True


@pytest.mark.parametrize("family", OPEN)
def test_module_that_lists_as_open_what_the_peer_closed_is_believed_its_report(family):
    rig = Rig(family=family)
    beside = rig.socket(ECHO)
    listed = {0: '0,"TCP","198.51.100.1",7,-1', 1: '1,"TCP","198.51.100.2",80,-1'}
    rig.vm._row = lambda link: listed.get(link.n, str(link.n))
    s = rig.socket(rig.serve(lambda: Blob(b"all of it")))
    assert s.read() == b"all of it"
    beside.write(b"still here")
    assert beside.read(10) == b"still here"


@each_family
def test_close_beside_an_open_link_ends_the_stream_after_one_question(family):
    rig = Rig(family=family)
    beside = rig.socket(ECHO)
    s = rig.socket(rig.serve(lambda: Blob(b"all of it")))
    before = len(rig.sent)
    assert s.read() == b"all of it"
    asked = [each for each in rig.sent[before:] if each.startswith(("AT+CIPSTATUS=", "AT+CIPOPEN?"))]
    assert len(asked) == 1
    beside.write(b"still here")
    assert beside.read(10) == b"still here"
