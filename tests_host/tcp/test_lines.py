"""Unsolicited lines that the driver does not know: forgiven where nothing can be lost, else noticed.

What stays undecidable, with the bytes (what was lost stands in brackets): silent, and nobody can tell it from health.

    counted payload, so many bytes of it lost as the code behind it has:
        +CIPRXGET: 2,0,20,0\\r\\n [20 bytes] \\r\\n+CSCON: 1234567\\r\\n \\r\\nOK\\r\\n
    a length that lost digits, while it is not known how much waits, and the rest of the payload is codes:
        +CIPRXGET: 2,0,[1]5,0\\r\\n hello\\r\\n+A1: \\r\\n \\r\\nOK\\r\\n
        +CIPRXGET: 2,0,[1]0,0\\r\\n \\r\\nRING\\r\\n\\r\\n \\r\\nOK\\r\\n
        +RECEIVE,0,[1]6:\\r\\n RING\\r\\n\\r\\nRING\\r\\n\\r\\n
    a pushed header that is lost whole, or but for its sign, in front of what is a code:
        [\\r\\n+RECEIVE,0,13:\\r\\n] \\r\\n+STIN: 25\\r\\n
        \\r\\n+[IPD,7:]CREG: 1\\r\\n
    a length in front of nothing but line ends, three at most:
        +RECEIVE,0,[1]2:\\r\\n \\r\\n \\r\\n\\r\\n\\r\\n
    pushed without a header, and the peer sends what is a code:
        \\r\\nRING\\r\\n
    sentences without CR LF in front, if that was learnt from two lost bytes, and the next payload loses two bytes:
        OK\\r\\n[\\r\\n]$GNRMC,1\\r\\n … hel[lo]\\r\\n$GNRMC,2\\r\\n \\r\\nOK\\r\\n

The other way round, healthy and taken for loss: a text behind +CMT:, +CBM: or +CUSD: that holds an empty line, and a
text that holds what may be a header.
"""

import errno
import random
import re
import sys

from families import CIP as FAMILIES
from families import FAMILIES as ALL
import pytest
from rig import ECHO, Rig  # first: it puts the shim in place
from sim import Blob, Drip, Echo, Peer
from sim.chatter import SAMPLES
from simcom import lazy
from simcom.recovery import strays

each_family = pytest.mark.parametrize("family", FAMILIES)
with_ca = pytest.mark.parametrize("family", ALL)
modes = pytest.mark.parametrize("receive", ["buffer", "push", "hex"])
framing = pytest.mark.parametrize("bare", [False, True], ids=["framed", "bare"])
feature = pytest.mark.feature("urcs")
KNOWN = [line for name, lines in SAMPLES.items() if name != "unheard" for line in lines]


def rig(family, receive="buffer", mux=True, **settings):
    r = Rig(family=family, up=False, modem_args=None if mux else {"mux": False}, **settings)
    if receive != "buffer":
        r.modem.config(receive=receive)
    r.modem.connect("internet")
    return r


def bytes_of(n, seed=1):
    return bytes(random.Random(seed).randbytes(n))


def drain(s, data=b""):
    """What a socket gives, to this question, and the errno that ends it."""
    got = bytearray()
    try:
        if data:
            s.write(data)
        while piece := s.recv(400):
            got += piece
    except OSError as e:
        return bytes(got), e.errno
    return bytes(got), None


# Downloads


@feature
@each_family
@modes
@framing
def test_download_with_a_sentence_every_200_ms_arrives_whole(family, receive, bare):
    r = rig(family, receive, nmea_bare=bare)
    r.vm.chat(200, "nmea")
    r.pump(3000)
    data = bytes_of(200_000 if receive != "hex" else 50_000)
    s = r.socket(r.serve(Blob(data)))
    assert s.read() == data
    assert r.vm._said > 30
    assert r.works()


@feature
@each_family
@modes
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_download_while_the_module_says_everything_it_can(family, receive, seed):
    r = rig(family, receive, seed=seed)
    r.vm.chat(50, "nmea")
    r.pump(2000)
    r.vm.chat(23, type(r.vm).chatter)
    data = bytes_of(30_000)
    s = r.socket(r.serve(Blob(data)))
    assert s.read() == data
    assert r.works()


@with_ca
@pytest.mark.parametrize("receive", ["buffer", "push"])
def test_datagrams_arrive_whole_between_lines(family, receive):
    r = rig(family, receive)
    r.net.serve("192.0.2.9", 7, Echo, "UDP")
    s = r.modem.socket(2, 2)
    s.settimeout(20)
    r.vm.chat(23)
    for k in range(60):
        data = bytes_of(20 + 13 * k, k)
        s.sendto(data, ("192.0.2.9", 7))
        assert s.recvfrom(1400)[0] == data


@pytest.mark.parametrize("family", FAMILIES[:2])
@pytest.mark.parametrize("receive", ["buffer", "push", "hex"])
def test_download_on_a_single_connection(family, receive):
    r = rig(family, receive, mux=False)
    r.vm.chat(29)
    data = bytes_of(30_000)
    assert r.socket(r.serve(Blob(data))).read() == data


# One line at one place


@feature
@each_family
@pytest.mark.parametrize("receive", ["buffer", "hex"])
@pytest.mark.parametrize("place", ["before_info", "before_data_ok"])
@pytest.mark.parametrize("fresh", [True, False])
def test_known_line_around_counted_payload(family, receive, place, fresh):
    r = rig(family, receive)
    assert fresh or r.works()
    for line in KNOWN:
        s = r.socket(ECHO)
        for data in (b"first", b"x" * 700):
            r.vm.tell(line, place)
            s.write(data)
            assert s.read(len(data)) == data, line
        s.close()
    assert r.modem.isconnected()


@feature
@with_ca
def test_line_of_the_shape_of_a_code_behind_counted_payload(family):
    r = rig(family)
    s = r.socket(ECHO)
    for line in (*SAMPLES["unheard"], "+ABC: " + "x" * 400, "*XYZ,1", "^ABC:", "$ABC,1"):
        r.vm.tell(line, "before_data_ok")
        s.write(b"hello")
        assert s.read(5) == b"hello", line


SHAPELESS = ["HELLO: 1", "+Hello: 1", "+A: 1", "+ABC", "+ABC 1", "hello", "+ABC: \xfe", "=ABC: 1", "+ABC: a\tb", "1"]


@each_family
@pytest.mark.parametrize("line", SHAPELESS, ids=range(len(SHAPELESS)))
@pytest.mark.parametrize("place", ["before_info", "before_data_ok"])
def test_line_of_no_such_shape_around_counted_payload_is_lost_data(family, line, place):
    r = rig(family)
    s = r.socket(ECHO)
    r.vm.tell(line, place)
    assert drain(s, b"hello")[1] == errno.EIO
    s.close()
    assert r.works()


@each_family
@pytest.mark.parametrize("line", SAMPLES["unheard"][:-1])
def test_line_that_is_not_listed_in_front_of_a_header_is_lost_data(family, line):
    r = rig(family)
    s = r.socket(ECHO)
    r.vm.tell(line, "before_info")
    assert drain(s, b"hello")[1] == errno.EIO
    s.close()
    assert r.works()


@each_family
def test_code_that_was_seen_in_peace_may_stand_in_front_of_a_header(family):
    r = rig(family)
    s = r.socket(ECHO)
    for k in range(40):  # of so many the last are known
        r.vm.urc("+N%02d: 1" % k)
        r.pump(300)
    r.vm.tell("+N39: 2", "before_info")
    s.write(b"hello")
    assert s.read(5) == b"hello"
    r.vm.tell("+N00: 2", "before_info")
    assert drain(s, b"hello")[1] == errno.EIO
    s.close()
    assert r.works()


@with_ca
def test_on_urc_extends_the_list(family):
    r = rig(family)
    heard = []
    r.modem.on_urc("+NEVERHEARD", heard.append)
    r.modem.on_urc("SOMETHING", heard.append)
    s = r.socket(ECHO)
    for place in ("before_info", "before_data_ok"):
        for line in ("+NEVERHEARD: 1,2", "SOMETHING ELSE"):
            r.vm.tell(line, place)
            s.write(b"hello")
            assert s.read(5) == b"hello"
    r.pump(100)
    assert heard == ["+NEVERHEARD: 1,2", "SOMETHING ELSE"] * 2


@each_family
@pytest.mark.parametrize(
    "line", ["+CGET: 2,0,5,0", "+CIPRXGET: 0,5,0", "+CIPRXGET: 1,1,5,0", "+CREG: 1CIPRXGET: 2,0,5,0"]
)
def test_damaged_header_is_never_a_code(family, line):
    r = rig(family)
    heard = []
    r.modem.on_urc("+C", heard.append)
    s = r.socket(ECHO)
    r.vm.tell(line, "before_info")
    assert drain(s, b"hello")[1] == errno.EIO
    assert heard == [] or line not in heard
    s.close()
    assert r.works()


# Pushed


@feature
@each_family
def test_line_between_pushed_segments(family):
    r = rig(family, "push")
    for line in KNOWN + list(SAMPLES["unheard"]):
        s = r.socket(ECHO)
        for data in (b"one", b"two"):
            r.vm.tell(line)
            r.pump(30)
            s.write(data)
            assert s.read(3) == data, line
        s.close()


@each_family
@pytest.mark.parametrize("line", SHAPELESS, ids=range(len(SHAPELESS)))
def test_line_of_no_such_shape_between_pushed_segments_is_lost_data(family, line):
    r = rig(family, "push")
    s = r.socket(ECHO)
    r.vm.tell(line)
    r.pump(100)
    assert drain(s) == (b"", errno.EIO)
    s.close()
    assert r.works()


@pytest.mark.parametrize("family, header", [(f, b"\r\n+RECEIVE,0,11:\r\n") for f in FAMILIES])
def test_pushed_header_with_up_to_six_characters_missing_is_never_a_code(family, header):
    payload = b"+STIN: 25\r\n"
    for n in range(1, 7):
        for at in range(len(header) - n + 1):
            r = rig(family, "push")
            s = r.socket(ECHO)
            r.vm.push(header[:at] + header[at + n :] + payload)
            r.pump(1500)
            s.settimeout(1)
            got, code = drain(s)
            assert code == errno.EIO or got == payload, (n, at, got, code)
            assert payload.startswith(got)


# Lost bytes

LINES = b"".join(b"line %d of a text\r\n" % k for k in range(4))
CODES = b"RING\r\n\r\n+CREG: 1\r\n\r\n$GPGGA,1*22\r\n+STIN: 25\r\n0, CLOSED\r\n+CUSD: 0\r\n"
TEXTS = {"lines": LINES, "codes": CODES, "random": bytes_of(64), "empty lines": b"\r\n" * 33}


@with_ca
@pytest.mark.parametrize("receive", ["buffer", "push"])
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("said", ["", "+STIN: 25", "$GNRMC,093446.00,A,2518.00000,N,V*18"])
def test_bytes_lost_anywhere_are_noticed(family, receive, text, said):
    # At every offset of what carries the payload: header, bytes, lines, trailer.
    data = TEXTS[text]
    r = rig(family, receive)
    assert r.works()
    head = rb"\r\n\+CIPRXGET: 2,\d,%d," if receive == "buffer" else rb"\+RECEIVE,\d,%d"
    feed = r.uart.feed
    fault = [0, 0]  # offset, count
    out, left = bytearray(), bytearray()  # what the module said, what came of it

    def change(block, baud=None):
        carries = re.search(head % len(data), block)
        if fault[1] and (carries if receive == "push" else out or carries) and not out.endswith(b"OK\r\n"):
            begin = len(out)
            out.extend(block)
            first = max(0, fault[0] - begin)
            last = max(0, fault[0] + fault[1] - begin)
            block = block[:first] + block[last:]
            left.extend(block)
        return feed(block, baud)

    r.uart.feed = change
    counts = (1, 2, 3, 4, 5, 6)
    offsets = len(data) + 40 + len(said)
    draw = random.Random(text + said)
    for n in counts:
        for at in draw.sample(range(offsets), 12):
            r.patience()
            s = r.socket(r.serve(lambda: Late(data)), timeout=15)
            out.clear()
            left.clear()
            if said:
                r.vm.tell(said, "before_data_ok" if receive == "buffer" else "")
            fault[:] = at, n
            got, code = drain(s, b"x")
            fault[1] = 0
            where = (n, at, bytes(out), got, code)
            assert data.startswith(got), where
            if text == "codes" and re.search(rb"\+RECEIVE,\d,(?!%d)\d+[,:]" % len(data), left):
                code = code or errno.EIO  # undecidable
            assert got == data or code in (errno.EIO, errno.ETIMEDOUT, errno.ECONNRESET), where
            s.close()
            r.vm._hooks.clear()
            r.pump(300)
    assert r.works()


class Late(Peer):
    """Answers once, then closes."""

    def __init__(self, data):
        self.data = data

    def received(self, connection, data):
        connection.write(self.data)
        connection.clock.after_ms(3000, connection.close)


def test_header_with_missing_characters_is_told_from_codes():
    heads = [b"+CIPRXGET: 2,0,100,1360", b"+CIPRXGET:2,7,1460,0", b"+CIPRXGET: 2,100,5", b"+RECEIVE,0,100:"]
    heads += [b"+RECEIVE,3,5,192.0.2.7:80:", b"+IPD,5:", b"+IPD16", b"+IPD(16)", b"RECV FROM:192.0.2.7:7"]
    heads += [b"RCV FROM: 192.0.2.7:7", b"+RECV FROM:192.0.2.7:7"]
    for head in heads:
        assert strays.damaged(head, 0, len(head))
        for n in range(1, 7):
            for at in range(len(head) - n + 1):
                line = head[:at] + head[at + n :]
                if line and (strays.listed(line, 0, len(line)) or strays.shaped(line, 0, len(line))):
                    assert strays.damaged(line, 0, len(line)), line
        for before in (b"+CREG: 1", b"$GPGGA,1*22", b'+CMTI: "SM",3'):  # and the line ends in between are gone too
            for k in range(3):
                line = before + head[k:]
                assert strays.damaged(line, 0, len(line)), line
    for line in KNOWN:
        line = line.partition(b"\r\n")[0]
        assert not strays.damaged(line, 0, len(line)), line


# Pushed although it was told to wait, or without headers


@feature
@pytest.mark.parametrize("family, mux", [(f, True) for f in FAMILIES] + [(f, False) for f in FAMILIES[:2]])
@pytest.mark.parametrize("data", [b"hello", b"hello\r\nand\r\nmore", bytes(range(256))], ids=["short", "lines", "all"])
@pytest.mark.parametrize("close", [False, True])
def test_push_unasked_is_found_and_switched(family, mux, data, close):
    r = rig(family, mux=mux)
    assert r.works()
    s = r.socket(r.serve(lambda: Drip(data, 1000, 500, close=close)), timeout=None)
    r.vm.forget()
    begin = r.clock.ms
    got, code = drain(s)
    assert (got, code) == (b"", errno.EIO)
    assert r.clock.ms - begin < 4000
    s.close()
    r.pump(3000)
    if not r.modem.isconnected():
        r.modem.connect("internet")
    assert r.vm.rxget == 1
    assert r.works()


@feature
@pytest.mark.parametrize("family", FAMILIES[:2])
@pytest.mark.parametrize("data", [b"hello", b"hello\r\nand\r\nmore"])
@pytest.mark.parametrize("close", [False, True])
def test_push_without_headers_is_found_and_switched(family, data, close):
    r = rig(family, "push", mux=False)
    assert r.works()
    s = r.socket(r.serve(lambda: Drip(data, 1000, 500, close=close)), timeout=None)
    r.vm.forget()
    got, code = drain(s)
    assert (got, code) == (b"", errno.EIO)
    s.close()
    r.pump(3000)
    assert r.vm.head == 1
    assert r.works()


@each_family
def test_lines_that_nobody_knows_are_asked_about_and_harmless(family):
    r = rig(family)
    s = r.socket(ECHO)
    for _ in range(3):
        r.vm.tell("NOT IN ANY MANUAL")
        r.pump(2000)
    assert [line for line in r.sent if line == "AT+CIPRXGET?"] == ["AT+CIPRXGET?"] * 3
    s.write(b"unharmed")
    assert s.read(8) == b"unharmed"


@pytest.mark.parametrize("family", ALL)
def test_line_that_is_just_coming_loads_nothing(family, monkeypatch):
    rig = Rig(family=family)
    asked = []
    monkeypatch.setattr(strays, "settle_strays", lambda m: asked.append(m) or iter(()))
    monkeypatch.setitem(sys.modules, strays.__name__, strays)  # whatever other tests have loaded since
    lazy.kept["recovery.strays"] = strays
    for piece in (b"\r\n+CR", b"EG", b": ", b"1", b"\r\n"):
        rig.uart.feed(piece)
        rig.pump(600)  # the watch looks twice a second
    assert not asked
    rig.uart.feed(b"+CR")
    rig.pump(3000)
    assert asked
