"""Receiving by direct push where each open asks for it (AT+CAOPEN, recv_mode 1), on the virtual module."""

import errno
import itertools
import random

from families import CA
from rig import ECHO, Rig  # first: it puts the shim in place
import pytest

from modes import taught
from test_push import drain
from sim import Blob, Drip, Echo, Sink

families = pytest.mark.parametrize("family", CA)
TAILS = b"\r\n", b"", b"\r\n\r\n"
tails = pytest.mark.parametrize("tail", TAILS, ids=["usual", "none", "two"])
TEXTS = {
    "lines": b"".join(b"line %d of a text\r\n" % k for k in range(3)),
    "codes": b'RINGS LIKE A CODE\r\n\r\n+CASTATE: 0,0\r\n\r\nOK\r\n+CAURC: "recv",0,5\r\n',
    "random": random.Random(1).randbytes(40),
    "empty lines": b"\r\n" * 20,
}


def rig(family, choices=None, seed=None, up=True, **settings):
    r = Rig(seed, family=family, up=False, choices=choices or {}, **settings)
    r.modem.config(receive="push")
    if up:
        r.modem.connect("internet")
    return r


def opens(r, since=0):
    return [line for line in r.sent[since:] if line.startswith("AT+CAOPEN=")]


@families
@pytest.mark.parametrize("up", [False, True])
def test_each_open_asks_for_it_or_not(family, up):
    r = Rig(family=family, up=up)
    data = random.Random(2).randbytes(5000)
    for k, receive in enumerate(("push", "buffer", "push", "push", "buffer")):
        since = len(r.sent)
        r.modem.config(receive=receive)
        if not r.modem.isconnected():
            r.modem.connect("internet")
        assert r.socket(r.serve(Blob(data), port=100 + k)).read() == data
        assert opens(r, since)[0].endswith(",1") == (receive == "push")
        assert any(line.startswith("AT+CARECV=") for line in r.sent[since:]) == (receive == "buffer")
        assert r.vm.show_source == (receive == "push")


@families
def test_it_is_kept_when_the_context_is_raised_again(family):
    r = rig(family)
    r.modem.disconnect()
    r.vm.show_source = 0
    r.modem.connect("internet")
    assert r.vm.show_source == 1
    assert r.works() and opens(r)[-1].endswith(",1")


@families
@tails
@pytest.mark.parametrize("header", ["casrip", "always", "quoted", "never", "comma"])
@pytest.mark.parametrize("named", [True, False])
def test_what_stands_around_the_bytes(family, tail, header, named):
    r = rig(family, {"push_tail": tail, "push_header": header})
    r.vm.show_source = int(named)
    taught(r)
    data = random.Random(3).randbytes(9000) + b'\r\n+CAURC: "recv",0,3\r\n\r\nOK\r\n+CASTATE: 0,0\r\n' * 5
    assert r.socket(r.serve(Blob(data))).read() == data
    for n in (10, 1460):
        assert r.socket(r.serve(Drip(data, n, 20, close=True), port=80 + n)).read() == data


@families
@pytest.mark.parametrize("tail", TAILS[1:], ids=["none", "two"])
def test_another_end_than_usual_is_loss_once(family, tail):
    r = rig(family, {"push_tail": tail})
    s = r.socket(r.serve(Blob(b"first", close=False)))
    assert drain(s) == (b"", errno.EIO)
    s.close()
    for _ in range(3):
        assert r.works()


@families
@tails
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("count", [1, 2, 4, 9])
def test_bytes_lost_anywhere_are_noticed(family, tail, text, count):
    data = TEXTS[text]
    r = taught(rig(family, {"push_tail": tail}))
    feed = r.uart.feed
    out, left, at = bytearray(), bytearray(), 0

    def change(block, baud=None):
        if not out and b'"recv"' not in block:
            return feed(block, baud)
        begin = len(out)
        out.extend(block)
        first, last = max(0, at - begin), max(0, at + count - begin)
        left.extend(block[:first] + block[last:])
        return feed(block[:first] + block[last:], baud)

    for at in range(0, len(data) + 52, 4 + count % 2):
        r.patience()
        s = r.socket(r.serve(lambda: Drip(data * 2, len(data), 300, close=True)), timeout=15)
        out.clear(), left.clear()
        r.uart.feed = change
        got, code = drain(s)
        r.uart.feed = feed
        s.close()
        assert (data * 2).startswith(got), (at, got, bytes(left))
        assert got == data * 2 or code, (at, got, code, bytes(left))
    for _ in range(3):  # what was lost may have looked like another end than usual
        taught(r)
    assert r.works()


@families
@pytest.mark.parametrize(
    "header",
    [
        b'+CAURC: "recv",0',
        b'+CAURC: "recv",0,5,198.51.100.1',
        b'+CAURC: "recv",0,5,198.51.100.1,70',
        b'+CAURC: "recv",0,5,198.51.100.x,7',
        b'+CAURC: "recv",0,5,198.51.100.1,7,7',
        b'+CAURC: "recv",0,0,198.51.100.1,7',
        b'+CAURC: "recv",0,9999,198.51.100.1,7',
        b'+CAURC: "recv",77,5,198.51.100.1,7',
        b'+CAURC: "recv",0,5',
        b'+CAURC: "re+CREG: 1',
        b"+CAURC:,5,198.51.100.1,7",
    ],
)
def test_damaged_header(family, header):
    r = rig(family)
    s = r.socket(ECHO)
    s.write(b"hello")
    assert s.read(5) == b"hello"
    r.vm.push(b"\r\n" + header + b"\r\nhello\r\n")
    assert drain(s) == (b"", errno.EIO)
    s.close()
    assert r.works()


REFUSED = list(itertools.product(("refused", "result 4"), ("works", "no effect"), ("ok", "error", "error alone")))


@families
@pytest.mark.parametrize("mode, opening, failure", REFUSED)
def test_firmware_that_refuses_it_is_read_on_request(family, mode, opening, failure):
    r = rig(family, {"recv_mode": mode, "async_open": opening, "open_failure": failure})
    r.net.serve(*ECHO, Echo, "UDP")
    s = r.socket(ECHO)
    s.write(b"hello")
    assert s.read(5) == b"hello"
    other = r.modem.socket(2, 2)
    other.bind(("", 5000))
    other.settimeout(20)
    other.sendto(b"datagram", ECHO)
    assert other.recvfrom(20)[0] == b"datagram"
    s.write(b"x" * 3000)
    assert s.read(3000) == b"x" * 3000
    assert not opens(r)[-1].endswith(",1") and not r.modem.channel.parser.pushed
    s.close()
    other.close()
    r.modem.config(receive="push")
    assert r.works()


@families
def test_refused_with_others_open_is_an_error(family):
    r = rig(family)
    s = r.socket(ECHO)
    r.vm.open_results = [4]
    with pytest.raises(OSError) as raised:
        r.socket(r.serve(Sink))
    assert raised.value.errno == errno.EINVAL and "+CAOPEN: 1,4" in str(raised.value)
    s.write(b"hello")
    assert s.read(5) == b"hello"


@families
@tails
def test_senders_of_datagrams(family, tail):
    r = rig(family, {"push_tail": tail})
    s = r.modem.socket(2, 2)
    s.bind(("", 5000))
    s.settimeout(10)
    s.sendto(b"x", ("203.0.113.1", 1))  # now it is open
    strangers = [("203.0.113.%d" % i, 4000 + i) for i in range(5)]
    r.pump(500)
    taught(r)
    for i, stranger in enumerate(strangers):
        r.net.datagram(5000, b"from %d\n" % i, stranger)
    if tail == TAILS[0]:
        assert [s.recvfrom(100) for _ in strangers] == [(b"from %d\n" % i, each) for i, each in enumerate(strangers)]
        for i, stranger in enumerate(strangers):
            s.sendto(b"to %d" % i, stranger)
        r.pump(500)
        for i, stranger in enumerate(strangers):
            assert bytes(r.net.ports[5000].connection(*stranger).received) == b"to %d" % i
    assert any(line == 'AT+CASERVER=%d,0,"UDP",5000,1' % n for n in range(13) for line in r.sent)


@families
@tails
def test_clients_of_a_server(family, tail):
    r = taught(rig(family, {"push_tail": tail}))
    s = r.socket()
    s.bind(("", 80))
    s.listen()
    assert r.sent[-1].endswith('"TCP",80,1')
    for k in range(20):
        client = r.dial(80)
        client.send(b"I am %d" % k)
        c, address = s.accept()
        c.settimeout(5)
        assert c.read(len("I am %d" % k)) == b"I am %d" % k and address[0] == "192.0.2.7"
        c.write(b"hello")
        assert client.recv(5) == b"hello"
        client.close()
        assert c.read() == b""
        c.close()
