"""Receiving as digits (AT+CIPRXGET=3) or unasked (AT+CIPRXGET=0), on the virtual module and by the transcripts."""

import errno
import gc
import random

from families import CA, CIP, FAMILIES, OPEN, START
from feed import CHUNKS, unasked
from rig import ECHO, Rig  # first: it puts the shim in place
import pytest
from micropython import RingIO

from feed_open import connected
from modes import Mode, cases, taught
from sim import Blob, Drip, Peer, Sink
from sim.at import NO_FINAL
from sim.faults import Faulty
from test_replay_open import Replay, every, field, modem

FEW = (None, 1, 2, 3)
# What waits unread is more than a ring holds: without being asked the module cannot wait.
NOT_PUSHED = ("links.unread_bytes_of_one_link_do_not_hold_up_another",)
SEVERAL = (
    "links.dropped_sockets_do_not_cost_the_open_ones_their_link",
    "nonblocking.poll_of_many_sockets_names_the_ready_one",
)

families = pytest.mark.parametrize("family", FAMILIES)
cip = pytest.mark.parametrize("family", CIP)
ca = pytest.mark.parametrize("family", CA)
# Family, with a number for each link or not.
EVERY = [(family, True) for family in FAMILIES] + [(family, False) for family in START]
every_mode = pytest.mark.parametrize("family, mux", EVERY, ids=["%s-%s" % (f, "single" * (not m)) for f, m in EVERY])


def rig(family, seed=None, receive="push", mux=True, **settings):
    r = Rig(seed, family=family, up=False, modem_args=None if mux else {"mux": False}, **settings)
    r.modem.config(receive=receive)
    r.modem.connect("internet")
    return taught(r)


def bytes_of(n, seed=1):
    return bytes(random.Random(seed).randbytes(n))


def raises(code, function, *args):
    with pytest.raises(OSError) as raised:
        function(*args)
    assert raised.value.errno == code, raised.value
    return str(raised.value)


def drain(s):
    """What a socket gives, and the errno that ends it."""
    got = bytearray()
    try:
        while True:
            piece = s.recv(400)
            got += piece
            if not piece:
                return bytes(got), None
    except OSError as e:
        return bytes(got), e.errno


# Everything that buffer access does


@pytest.mark.feature("push")
@pytest.mark.parametrize("case, family, seed", [*cases(CIP, (1,), NOT_PUSHED), *cases(CA, (None, 3, 7), NOT_PUSHED)])
def test_shared_case_in_direct_push(case, family, seed):
    case(Mode(seed, family, settings={"receive": "push"}))


@pytest.mark.parametrize("case, family, seed", list(cases(START, (3,), NOT_PUSHED + SEVERAL)))
def test_shared_case_in_direct_push_on_a_single_connection(case, family, seed):
    case(Mode(seed, family, {"mux": False}, {"receive": "push"}))


@pytest.mark.feature("hex")
@pytest.mark.parametrize("case, family, seed", list(cases(CIP, (4,))))
def test_shared_case_in_digits(case, family, seed):
    case(Mode(seed, family, settings={"receive": "hex"}))


@pytest.mark.parametrize("family, receive", [(f, "buffer") for f in FAMILIES] + [(f, "hex") for f in CIP])
@pytest.mark.parametrize("count", [20, 60, 1500])
def test_burst_of_lost_bytes_that_takes_a_header_with_it(family, receive, count):
    # What is left of header and payload looks like one line, or like the end of the code in front, and an OK follows.
    data = bytes_of(4000).replace(b"\n", b"-")
    for at in (26, 30, 31, 52, 65, 70, 81, 1511, 1513, 1536, 1537, 1538):
        r = rig(family, receive=receive, wrap=Faulty)
        assert r.works()
        s = r.socket(r.serve(Blob(data)), timeout=20)
        r.port.drop("rx", r.port.offset["rx"] + at, count)
        got, code = drain(s)
        assert data.startswith(got) and (got == data or code)
        r.port._rules["rx"].clear()
        s.close()
        assert r.works()


# The setting


@cip
@pytest.mark.parametrize("up", [False, True])
def test_one_way_after_the_other(family, up):
    r = Rig(family=family, up=up)
    data = bytes_of(5000)
    for k, receive in enumerate(("push", "hex", "buffer", "push", "buffer", "hex", "push", "push")):
        r.modem.config(receive=receive)
        if not r.modem.isconnected():
            r.modem.connect("internet")
        before = len(r.sent)
        s = r.socket(r.serve(Blob(data), port=100 + k))
        assert s.read() == data
        asked = {line[:13] for line in r.sent[before:] if line.startswith("AT+CIPRXGET=")}
        assert asked == {"push": set(), "hex": {"AT+CIPRXGET=3"}, "buffer": {"AT+CIPRXGET=2"}}[receive]


@families
@pytest.mark.parametrize("listens", [False, True])
def test_a_line_that_nobody_knows_is_no_loss_once_push_is_over(family, listens):
    r = Rig(family=family)
    r.modem.config(receive="push")
    if listens:  # what stands on the lines of push
        listener = r.socket()
        listener.bind(("", 80))
        listener.listen()
    r.modem.config(receive="buffer")
    s = r.socket(ECHO)
    for _ in range(2):
        r.vm.report("NOT IN ANY MANUAL")
        r.pump(100)
    s.write(b"unharmed")
    assert s.read(8) == b"unharmed"


@families
def test_one_way_after_the_other_leaves_nothing_behind(family):
    modem = Rig(family=family).modem

    def found():
        names = "on_line", "pump", "wait", "ring_size"
        return (
            set(vars(modem)) - {"SETTINGS"},
            [getattr(modem, name) for name in names],
            modem.channel.parser,
            type(modem.receiver),
        )

    before = found()
    for receive in ("push", "hex" if family in CIP else "buffer", "push", "push", "buffer"):
        modem.config(receive=receive)
    assert found() == before


@cip
def test_it_is_kept_when_the_context_is_raised_again(family):
    r = rig(family)
    r.modem.disconnect()
    assert r.vm.rxget == 0
    unasked(r.modem, "+CIPRXGET=1")
    r.modem.connect("internet")
    assert r.vm.rxget == 0 and r.vm.show_source == 1
    assert r.works()


@families
def test_what_cannot_be_set_sends_nothing(family):
    r = Rig(family=family)
    for settings in ({"receive": "pull"}, {"receive": None}, {"nonsense": 1}, {"receive": "push", "nonsense": 1}):
        before = len(r.sent)
        with pytest.raises(ValueError):
            r.modem.config(**settings)
        assert len(r.sent) == before
    s = r.socket(ECHO)
    before = len(r.sent)
    assert "echo.example:7" in raises(errno.EALREADY, lambda: r.modem.config(receive="push"))
    assert len(r.sent) == before
    s.write(b"as before")
    assert s.read(9) == b"as before"


@families
def test_rings_of_sockets_that_are_read_after_the_change(family):
    r = Rig(family=family)
    s = r.socket(r.serve(Blob(b"left over")))
    r.pump(2500)  # it is here, and the link is free
    r.modem.config(receive="push")
    assert s.read() == b"left over"
    s.close()
    data = bytes_of(4000)
    s = r.socket(r.serve(Blob(data, close=False)))
    r.pump(2000)
    assert s.read(4000) == data


# Digits


@cip
def test_no_answer_of_digits_is_longer_than_the_uart_buffers(family):
    r = Rig(family=family, modem_args={"rxbuf": 512}, up=False)
    r.modem.config(receive="hex")
    r.modem.connect("internet")
    data = bytes_of(4000)
    assert r.socket(r.serve(Blob(data))).read() == data
    sizes = [int(line.split(",")[2]) for line in r.sent if line.startswith("AT+CIPRXGET=3")]
    assert max(sizes) * 2 + 56 <= 512


@pytest.mark.parametrize("at", [0, 1, 199, 399])
@pytest.mark.parametrize("fault", ["drop", "garble"])
def test_damaged_digits_are_an_error(at, fault):
    r = rig("sim7000", receive="hex", wrap=Faulty)
    data = bytes_of(1000)
    s = r.socket(r.serve(Blob(data)))
    assert s.read(400) == data[:400]
    s.close()
    s = r.socket(r.serve(Blob(data[:201], close=False)))
    r.port.offset["rx"] = 0
    r.port._rules["rx"].clear()
    out = r.vm._fetched

    def fetched(text, digits, mode):
        # where the digits will begin
        begin = r.port.offset["rx"] + len(r.port._raw) + len(text) + 4
        if len(digits) == 402:
            if fault == "drop":
                r.port.drop("rx", begin + at)
            else:
                r.port.flip("rx", begin + at, 0x80)
        out(text, digits, mode)

    r.vm._fetched = fetched
    got, code = drain(s)
    assert data.startswith(got) and code == errno.EIO
    assert r.works()


# Headers


@pytest.mark.feature("push")
@families
@pytest.mark.parametrize("seed", FEW)
def test_pushed_bytes_are_bytes(family, seed):
    r = rig(family, seed)
    data = bytes_of(20_000, seed) + b"\r\nOK\r\n+RECEIVE,0,3:\r\n> \r\nCLOSED\r\n+IPD,1:\r\n" * 5
    assert r.socket(r.serve(Blob(data))).read() == data
    assert not [line for line in r.sent if line.startswith(("AT+CIPRXGET=2", "AT+CIPRXGET=3", "AT+CIPRXGET=4"))]


@pytest.mark.parametrize("family", START)
@pytest.mark.parametrize("source", ["RECV FROM:", "RECV FROM: ", "RCV FROM:"])
@pytest.mark.parametrize("given", ["+CIPSHOWTP=1", "+CIPSRIP=0", "+CIPSHOWTP=0"])
def test_headers_of_a_single_connection(family, source, given):
    r = rig(family, mux=False, choices={"recv_from": source.encode()})
    unasked(r.modem, given)
    s = r.socket(r.serve(Blob(b": +IPD,5:\r\n>" * 300)))
    assert s.read() == b": +IPD,5:\r\n>" * 300


def as_told(r, old, new):
    """The module words its headers otherwise."""
    header = r.vm._header
    r.vm._header = lambda *given: header(*given).replace(old, new)


@pytest.mark.parametrize("family", START)
@pytest.mark.parametrize("old, new", [(b":\r\n", b"\r\n"), (b",198", b", 198"), (b":80:", b": 80:")])
def test_headers_of_many_connections(family, old, new):
    r = rig(family)
    as_told(r, old, new)
    data = bytes_of(3000)
    assert r.socket(r.serve(Blob(data))).read() == data


@pytest.mark.parametrize("family", START)
@pytest.mark.parametrize("blank", [b"\r\n", b"\r\n\r\n", b"\r\n\r\n\r\n"])
def test_blank_lines_between_sender_and_header(family, blank):
    r = rig(family, mux=False)
    as_told(r, b"\r\n\r\n+IPD", blank + b"+IPD")
    data = bytes_of(3000)
    assert r.socket(r.serve(Blob(data))).read() == data


@pytest.mark.parametrize("family", OPEN)
@pytest.mark.parametrize("ipd", [b"+IPD%d", b"+IPD(%d)", b"+IPD,%d:"])
def test_header_without_the_link_belongs_to_the_only_one_or_its_sender(family, ipd):
    r = rig(family, choices={"ipd": ipd, "recv_from": b"RECV FROM:"})
    unasked(r.modem, "+CIPCCFG=10,0,0,0,0,0,500")
    one = bytes_of(3000)
    s = r.socket(r.serve(Blob(one)))
    assert s.read() == one
    r.net.serve("203.0.113.5", 81, Drip(one, 300, 50))
    r.net.serve("203.0.113.6", 82, Drip(one[::-1], 300, 50))
    a, b = r.socket(("203.0.113.5", 81)), r.socket(("203.0.113.6", 82))
    assert a.read(3000) == one
    assert b.read(3000) == one[::-1]


@every_mode
@pytest.mark.parametrize("seed", FEW)
def test_unsolicited_codes_between_the_segments(family, mux, seed):
    r = rig(family, seed, mux=mux)
    heard = []
    r.modem.on_urc("+CMTI", heard.append)
    s = r.socket(r.serve(Drip(bytes_of(3000), 100, 30)))
    for k in range(40):
        r.clock.after_ms(k * 25 + 10, lambda: r.vm.urc('+CMTI: "SM",10'))
    assert s.read(3000) == bytes_of(3000)
    r.pump(1000)
    assert len(heard) == 40


@every_mode
def test_a_small_answer_is_there_at_once(family, mux):
    r = rig(family, mux=mux)
    s = r.socket(r.serve(Drip(b"0123456789", 1, 200)))
    for k in range(10):
        assert s.read(1) == b"%d" % k
        arrived = next(ms for ms, way, data in reversed(r.vm.log) if way == "<")
        assert r.clock.ms - arrived < 25


@families
def test_to_server_before_it_accepts(family):
    r = rig(family)
    s = r.socket()
    s.bind(("", 80))
    s.listen()
    clients = [r.dial(80) for _ in range(2)]
    for k, client in enumerate(clients):
        client.send(b"I am %d" % k)
    r.pump(2000)
    clients[1].close()
    r.pump(500)
    for k in range(2):
        c, _ = s.accept()
        c.settimeout(5)
        assert c.read(6) == b"I am %d" % k
        if k:
            assert c.read() == b""
        c.close()


# What is lost is an error


@every_mode
def test_ring_that_is_full_fails_its_socket_alone(family, mux):
    r = rig(family, mux=mux)
    data = bytes_of(30_000)
    lazy = r.socket(r.serve(Blob(data)))
    if mux:
        s = r.socket(ECHO)
        for _ in range(20):
            s.write(b"x" * 700)
            assert s.read(700) == b"x" * 700
    else:
        r.pump(3000)
    got, code = drain(lazy)
    assert data.startswith(got) and len(got) > 2000 and code == errno.EIO
    if mux:
        s.write(b"still here")
        assert s.read(10) == b"still here"
        s.close()
    assert r.works()


@every_mode
@pytest.mark.parametrize("seed", range(20))
def test_lost_bytes_are_never_silent(family, mux, seed):
    draw = random.Random(seed)
    r = rig(family, seed, mux=mux, wrap=Faulty)
    data = bytes_of(draw.choice((400, 3000, 9000)), seed)
    peer = Drip(data, draw.choice((10, 100, 1460)), draw.choice((1, 20, 150)), close=True)
    s = r.socket(r.serve(peer), timeout=5)
    at = r.port.offset["rx"] + draw.randrange(len(data))
    r.port.drop("rx", at, draw.choice((1, 2, 5, 20)))
    got, code = drain(s)
    assert data.startswith(got)
    assert got == data or code == errno.EIO
    s.close()
    r.port._rules["rx"].clear()
    assert r.works()


@every_mode
def test_bytes_that_never_come_end_the_wait(family, mux):
    r = rig(family, mux=mux, wrap=Faulty)
    s = r.socket(r.serve(Blob(bytes(range(200)), close=False)), timeout=None)
    r.port.drop("rx", r.port.offset["rx"] + 150)
    begin = r.clock.ms
    got, code = drain(s)
    assert got == b"" and code == errno.EIO
    assert r.clock.ms - begin < 5000
    s.close()
    assert r.works()


@every_mode
def test_what_comes_for_a_closed_socket_is_nobodys(family, mux):
    r = rig(family, mux=mux)
    for k in range(12):
        s = r.socket(r.serve(Blob(b"old" * 3000), port=100 + k))
        s.settimeout(0)
        r.pump(k * 7)  # anywhere inside a segment
        s.close()
        s = r.socket(r.serve(Blob(b"new" * 500), port=200 + k))
        assert s.read() == b"new" * 500
        s.close()


class Endless(Peer):
    """Sends for ever."""

    def opened(self, connection):
        self.sent = b""
        self._more(connection)

    def _more(self, connection):
        if connection.is_open:
            piece = b"%07d " % (len(self.sent) // 8)
            self.sent += piece
            connection.write(piece)
            connection.clock.after_ms(100, lambda: self._more(connection))


@families
def test_command_without_an_answer_while_the_module_never_pauses(family):
    r = rig(family)
    s = r.socket(r.serve(Endless()))
    answer = r.vm.do_CSQ
    r.vm.do_CSQ = lambda op, args: NO_FINAL
    raises(errno.ETIMEDOUT, r.modem.status, "rssi")
    r.vm.do_CSQ = answer
    got = s.read(2000)
    assert got == b"".join(b"%07d " % k for k in range(250))
    assert isinstance(r.modem.status("rssi"), int)
    other = r.socket(r.serve(Sink, port=99))
    assert other.write(b"x") == 1


@pytest.mark.parametrize("family, receive", [(each, "push") for each in FAMILIES] + [(each, "hex") for each in CIP])
def test_context_lost(family, receive):
    r = rig(family, receive=receive)
    s = r.socket(r.serve(Drip(b"x" * 1000, 10, 50)))
    assert s.read(20) == b"x" * 20
    r.vm.pdp_deact()
    assert drain(s)[1] in (errno.ENOTCONN, errno.ECONNABORTED)
    if receive == "push":
        r.pump(1000)
    r.modem.connect("internet")
    assert r.works()


# The transcripts


@every("05")
def test_tcp_client(transcript, chunk):
    module = Replay(transcript.family, chunk)
    made = modem(module, transcript.family, apn=None)
    made.config(receive="push")
    made.connect("CMNET")
    zero = connected(made)
    module.load(transcript, dropped=[b"AT+NETOPEN"])
    s = connected(made, "117.131.85.139", 5253)
    assert s.write(b"HELLO") == 5
    assert s.read(16) == b"data from server"
    s.close()
    module.finish()
    assert module.open == {0}
    assert zero.write(b"x") == 1


@pytest.mark.parametrize("chunk", CHUNKS)
def test_log_of_a_module(chunk):
    module = Replay("a76xx", chunk).load(field("a76xx_12_direct_push_sim7600"), end=b"AT+NETCLOSE")
    made = modem(module, "a76xx", apn=None)
    made.config(receive="push")
    made.connect("CMNET")
    s = connected(made, "211.149.158.237", 8011)
    assert s.write(b"HELLO") == 5
    assert s.read(19) == b"HOE-7600CE-TCP-TEST"
    s.close()
    module.finish()


@every("t08")
def test_head(transcript, chunk):
    module = Replay(transcript.family, chunk)
    made = modem(module, transcript.family)
    module.load(transcript)
    assert made.at("+CIPHEAD=?") == ["+CIPHEAD: (0-1)"]
    assert made.at("+CIPHEAD?") == ["+CIPHEAD: 1"]
    made.config(receive="push")
    assert unasked(made, "+CIPHEAD") == []
    module.finish()
    assert connected(made).write(b"x") == 1


@every("t09")
def test_sender(transcript, chunk):
    module = Replay(transcript.family, chunk)
    made = modem(module, transcript.family)
    made.config(receive="push")
    module.load(transcript)
    assert made.at("+CIPSRIP=?") == ["+CIPSRIP: (0-1)"]
    assert made.at("+CIPSRIP?") == ["+CIPSRIP: 1"]
    assert unasked(made, "+CIPSRIP=0") == unasked(made, "+CIPSRIP") == []
    module.finish()
    assert b"AT+CIPSRIP=1" in module.lines


def rings():
    gc.collect()
    return sum(isinstance(each, RingIO) for each in gc.get_objects())


@families
def test_ring_of_a_dropped_socket_is_garbage(family):
    r = rig(family)
    address = r.serve(lambda: Blob(b"unread", close=True))
    before = rings()
    for _ in range(3 * r.modem.LINKS + 5):
        r.socket(address)
        r.pump(1000)
    assert rings() - before <= r.modem.LINKS
