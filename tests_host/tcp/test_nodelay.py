"""Small writes: sent at once, or collected into one segment where TCP_NODELAY is off."""

import re
import select
import time

from families import FAMILIES
import pytest
import rig
import target

import simcom

# What these programs write, piece by piece: requests.get, umqtt's connect, a publish with QoS 0.
GET = [
    b"GET",
    b" /",
    b"index.html",
    b" HTTP/1.0\r\n",
    b"Host: ",
    b"peer.example",
    b"\r\n",
    b"User-Agent: x",
    b"\r\n",
    b"\r\n",
]
CONNECT = [b"\x10\x15", b"\x00\x04MQTT\x04\x02\x00\x3c", b"\x00\x09", b"client-id"]
PUBLISH = [b"\x30\x0c", b"\x00\x05", b"topic", b"hello"]

families = pytest.mark.parametrize("family", FAMILIES)
pieces = pytest.mark.parametrize("pieces", [GET, CONNECT, PUBLISH], ids=["get", "connect", "publish"])


def collecting(family, seed=None, peer=rig.ECHO):
    """A rig, and a socket on it that collects."""
    r = rig.Rig(seed, family=family)
    simcom.install(r.modem, nodelay=False)
    try:
        return r, r.socket(peer)
    finally:
        simcom.install(None)


def sends(r):
    """How many sends the module has been asked for."""
    return len(lengths(r))


def lengths(r):
    """Of what they were."""
    return [int(line.split(",")[1]) for line in r.sent if re.match(r"AT\+(CIP|CA)SEND=\d+,", line)]


@families
@pieces
def test_each_write_is_a_send_and_collected_they_are_one(family, pieces):
    data = b"".join(pieces)
    r = rig.Rig(family=family)
    s = r.socket(rig.ECHO)
    for piece in pieces:
        assert s.write(piece) == len(piece)
    assert s.read(len(data)) == data
    assert sends(r) == len(pieces)
    r, s = collecting(family)
    for piece in pieces:
        assert s.write(piece) == len(piece)
    assert sends(r) == 0
    assert s.read(len(data)) == data
    assert sends(r) == 1


@families
def test_option_of_a_socket(family):
    r, s = collecting(family)
    s.setsockopt(simcom.socket.IPPROTO_TCP, simcom.socket.TCP_NODELAY, 1)
    for piece in PUBLISH:
        s.write(piece)
    assert sends(r) == len(PUBLISH)
    s.setsockopt(simcom.socket.IPPROTO_TCP, simcom.socket.TCP_NODELAY, 0)
    for piece in PUBLISH:
        s.write(piece)
    assert sends(r) == len(PUBLISH)
    assert s.read(28) == b"".join(PUBLISH) * 2


@families
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_held_bytes_go_out_after_the_delay_when_the_program_pumps(family, seed):
    r, s = collecting(family, seed)
    s.write(b"held")
    start = time.ticks_ms()
    while not sends(r):
        r.modem.wait(5)
        assert time.ticks_diff(time.ticks_ms(), start) < 300
    assert time.ticks_diff(time.ticks_ms(), start) >= 150
    s.write(b"more")
    r.pump(400)
    assert sends(r) == 2
    assert s.read(8) == b"heldmore"


@families
@pytest.mark.parametrize(
    "what",
    [
        lambda r, s: s.settimeout(0) or s.read(1),
        lambda r, s: s.ioctl(3, select.POLLIN),
        lambda r, s: s.close(),
        lambda r, s: r.modem.flush(),
    ],
    ids=["read", "poll", "close", "flush"],
)
def test_held_bytes_go_out_before(family, what):
    r, s = collecting(family)
    s.write(b"held")
    s.write(b"back")
    what(r, s)
    r.pump(60)  # far less than the delay
    assert sends(r) == 1
    assert bytes(r.connection().received) == b"heldback"


@families
def test_full_segment_goes_out_at_once(family):
    r, s = collecting(family)
    data = target.pattern(r.modem.SEND_MAX + 100)
    for at in range(0, len(data), 400):
        s.write(data[at : at + 400])
    r.pump(100)

    assert lengths(r)[:1] == [r.modem.SEND_MAX]
    assert s.read(len(data)) == data
    assert lengths(r) == [r.modem.SEND_MAX, 100]


@families
def test_large_write_is_not_held_back_but_for_its_end(family):
    r, s = collecting(family)
    data = target.pattern(10_000)
    assert s.write(data) == len(data)
    assert s.readinto(bytearray(10_000)) == 10_000
    assert sends(r) == -(-len(data) // r.modem.SEND_MAX)
