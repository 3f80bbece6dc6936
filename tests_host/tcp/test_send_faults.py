"""Sends that go wrong: errors of other commands, late prompts, numbers that lie, refusals, peers that close."""

import errno
import re

from rig import ECHO, Rig  # first: it puts the shim in place
from families import CIP, FAMILIES, OPEN, START
import pytest
from feed import ERROR, OK, Module
from feed_open import OpenModule, refused
from feed_open import modem as modem_open
from sim import Blob, Echo, Sink, Stall
from test_replay import idle
from test_replay import modem as modem_start

EVERY = [(family, True) for family in CIP] + [(family, False) for family in START]
every_mode = pytest.mark.parametrize("family, mux", EVERY, ids=["%s-%s" % (f, "single" * (not m)) for f, m in EVERY])
families = pytest.mark.parametrize("family", FAMILIES)
each_cip = pytest.mark.parametrize("family", CIP)
start_families = pytest.mark.parametrize("family", START)
open_families = pytest.mark.parametrize("family", OPEN)


def rig(family, mux=True, settings=None, **given):
    r = Rig(family=family, up=False, modem_args=None if mux else {"mux": False}, **given)
    if settings:
        r.modem.config(**settings)
    r.modem.connect("internet")
    return r


def sink(r, port=80):
    """A socket whose peer takes everything, and its connection."""
    s = r.socket(r.serve(Sink, port=port))
    return s, r.connection()


def arrived(r, connection):
    r.modem.flush()
    r.pump(500)
    return bytes(connection.received)


def sends(r):
    return [line for line in r.sent if line.startswith(("AT+CIPSEND=", "AT+CIPSEND\r")) or line == "AT+CIPSEND"]


def fails(code, call, *args):
    with pytest.raises(OSError) as raised:
        call(*args)
    assert raised.value.errno == code, repr(raised.value)
    return raised.value


# Answers of other commands


@every_mode
@pytest.mark.parametrize("split", [0, 1])
def test_error_of_nobody_before_the_prompt(family, mux, split):
    r = rig(family, mux)
    r.vm.split_ms = split
    s, peer = sink(r)
    for k in range(3):
        r.vm.stray_errors = 1
        assert s.write(b"hello %d" % k) == 7
    assert arrived(r, peer) == b"hello 0hello 1hello 2"
    assert len(sends(r)) == 3
    assert r.modem.isconnected()


@families
def test_prompt_of_a_send_that_the_module_repeats_unasked(family):
    # "A/" is its last command once more, V.250 5.2.4: a line that was cut leaves it. No command becomes the payload.
    r = rig(family)
    s, peer = sink(r)
    assert s.write(b"h" * 40) == 40
    r.uart.write(b"A/", 0, 2)
    r.pump(3000)
    assert b"AT" not in peer.received and len(peer.received) == 80
    assert r.works()


@start_families
@pytest.mark.parametrize("form", ["variable", ("timed", 1)])
def test_error_of_nobody_before_the_prompt_of_a_send_without_a_length(family, form):
    r = rig(family, settings={"send": form})
    s, peer = sink(r)
    r.vm.stray_errors = 1
    assert s.write(b"hello") == 5
    assert arrived(r, peer) == b"hello"


@families
def test_error_of_nobody_before_the_prompt_of_a_datagram(family):
    r = rig(family)
    r.net.serve("peer.example", 9, Sink, "UDP")
    s = r.modem.socket(2, 2)
    s.settimeout(30)
    s.sendto(b"one", ("peer.example", 9))
    r.vm.stray_errors = 1
    assert s.sendto(b"two", ("peer.example", 9)) == 3
    r.pump(500)
    assert bytes(r.connection().received) == b"onetwo"


@families
def test_error_of_nobody_while_other_links_send(family):
    r = rig(family)
    a, peer_a = sink(r, 81)
    b, peer_b = sink(r, 82)
    for s in (a, b):
        s.settimeout(0)
    for k in range(20):
        r.vm.stray_errors = 1
        a.write(b"A%02d" % k)
        b.write(b"B%02d" % k)
        r.pump(700)
    assert arrived(r, peer_a) == b"".join(b"A%02d" % k for k in range(20))
    assert arrived(r, peer_b) == b"".join(b"B%02d" % k for k in range(20))


@open_families
@pytest.mark.parametrize("told", [False, True])
def test_error_that_comes_twice_shifts_no_answers(family, told):
    module = OpenModule(family)
    module.uart.chunk = 1  # a byte a millisecond
    made = modem_open(module, family)
    a, b = made.socket(), made.socket()
    for s, host in ((a, "1.2.3.4"), (b, "1.2.3.5")):
        s.settimeout(60)
        s.connect((host, 80))
    module.open.discard(0)
    if told:
        module.line(b"+IPCLOSE: 0,1", 5)
    module.say_to[b"AT+CIPSEND=0"] = refused(b"+CIPERROR: 4") + ERROR
    a.settimeout(0)
    a.write(b"lost")
    b.settimeout(0)
    b.write(b"0123456789")
    idle(made, 5000)
    assert bytes(module.outbox[1]) == b"0123456789"
    assert module.payloads == [b"0123456789"]
    fails(errno.ECONNRESET, a.write, b"more")
    a.close()
    b.settimeout(60)
    assert b.write(b"still") == 5
    del module.say_to[b"AT+CIPSEND=0"]
    c = made.socket()
    c.settimeout(60)
    c.connect(("1.2.3.6", 80))
    assert c.write(b"works") == 5


@families
def test_every_error_twice(family):
    r = rig(family, choices={"errors": "twice"})
    for _ in range(3):
        s = r.socket(r.serve(lambda: Blob(b"x" * 2000)))
        assert len(s.read()) == 2000
        s.close()
        r.vm.refuse_sends = 1
        assert r.works()
    with pytest.raises(OSError):
        r.modem.at("+NOSUCH")
    assert r.modem.at("+CSQ")


def test_answer_behind_the_error_of_another_command():
    module = Module()
    made = modem_start(module)
    module.say_to[b"AT+CSQ"] = ERROR + b"\r\n+CSQ: 7,0\r\n" + OK
    assert made.at("+CSQ") == ["+CSQ: 7,0"]
    module.say_to[b"AT+CSQ"] = ERROR
    fails(errno.EIO, made.at, "+CSQ")


# Prompts that come late


@each_cip
@pytest.mark.parametrize("ms", [20, 150, 280])
def test_prompt_soon_behind_a_refusal_gets_its_payload(family, ms):
    r = rig(family)
    s, peer = sink(r)
    r.vm.late_prompts, r.vm.late_prompt_ms = 1, ms
    assert s.write(b"hello") == 5
    assert arrived(r, peer) == b"hello"
    assert len(sends(r)) == 1


@each_cip
@pytest.mark.parametrize("ms", [350, 600, 3000])
@pytest.mark.parametrize("n", [5, 15, 500])
def test_prompt_after_the_write_was_given_up_gets_filler(family, ms, n):
    r = rig(family)
    other, second = sink(r, 81)
    s, peer = sink(r)
    r.vm.late_prompts, r.vm.late_prompt_ms, r.vm.refuse_sends = 1, ms, 0
    do, r.vm.do_CIPSEND = r.vm.do_CIPSEND, None

    def once(op, args):  # what comes behind it is refused too: the write is not over before the prompt
        answer = do(op, args)
        r.vm.refuse_sends = -1
        return answer

    r.vm.do_CIPSEND = once
    s.settimeout(0)
    s.write(b"x" * n)
    r.pump(ms + 3000)
    r.vm.refuse_sends = 0
    r.vm.do_CIPSEND = do
    r.pump(3000)
    got = bytes(peer.received)
    if got:  # it became of the link's: it has ended
        assert b"x" not in got or got == b"x" * n
        if got != b"x" * n:
            fails(errno.EIO, s.write, b"more")
            s.close()
    other.write(b"unharmed")
    assert arrived(r, second) == b"unharmed"
    assert r.modem.isconnected() and r.works()


@families
def test_prompt_that_nobody_awaits_harms_nothing(family):
    r = rig(family)
    s = r.socket(ECHO)
    s.write(b"before")
    assert s.read(6) == b"before"
    r.vm.urc(b"\r\n> ")
    r.pump(3000)
    s.write(b"behind")
    assert s.read(6) == b"behind"


@each_cip
@pytest.mark.parametrize("piece", [b"y" * 300, b"get it at " * 30])
def test_payload_that_gets_no_prompt_is_followed_by_filler_not_by_a_command(family, piece):
    # The prompt is lost: the module waits for payload, whatever comes. It gets it, unless it could be a command to a
    # module that never heard the one before.
    r = rig(family)
    s, peer = sink(r)
    s.settimeout(None)
    feed = r.uart.feed
    lost = []

    def losing(data, baud=None):
        if b">" in data and not lost:
            lost.append(data)
            data = data.replace(b">", b"")
        return feed(data, baud)

    r.uart.feed = losing
    begin = r.clock.ms
    if b"at" in piece:
        with pytest.raises(OSError):
            s.write(piece)
    else:
        assert s.write(piece) == 300
        assert bytes(peer.received) == piece and r.clock.ms - begin < 12_000
    r.pump(3000)
    assert lost and not re.search(rb"AT|at", bytes(peer.received))
    s.close()
    assert r.works()


# Without a prompt


@start_families
@pytest.mark.parametrize("mux", [True, False])
def test_error_of_nobody_where_no_prompt_comes(family, mux):
    r = rig(family, mux, settings={"prompt": 0})
    s, peer = sink(r)
    r.vm.inject("after_echo", b"ERROR")
    with pytest.raises(OSError):
        s.write(b"hello")
    r.pump(2000)
    assert b"AT" not in bytes(peer.received) and b"hello" not in bytes(peer.received)
    s.close()
    assert r.works()


# Numbers that lie


@start_families
@pytest.mark.parametrize("lie", ["400", "140", "0", "1", "14000", "9400", ""])
def test_damaged_number_of_accepted_bytes(family, lie):
    r = rig(family)
    s, peer = sink(r)
    r.vm.lies = [lie]
    data = bytes(range(200)) * 7
    assert s.write(data) == 1400
    assert s.write(b"behind") == 6
    assert arrived(r, peer) == data + b"behind"


@start_families
def test_part_that_was_accepted_is_sent_on(family):
    r = rig(family, tx_limit=3000)
    s = r.socket(r.serve(Stall), timeout=None)
    peer = r.connection()
    r.clock.after_ms(20_000, peer.resume)
    data = bytes(range(250)) * 20
    assert s.write(data) == 5000
    assert arrived(r, peer) == data
    assert "AT+CIPACK=0" in r.sent


@each_cip
def test_number_that_stays_in_doubt_ends_the_link(family):
    r = rig(family)
    s, peer = sink(r)
    s.write(b"first")
    r.vm.lies = ["100"]
    r.vm.do_CIPACK = lambda op, args: r.vm.info("+CIPACK: 777,777,0") or "OK"
    error = fails(errno.EIO if family in START else errno.ECONNABORTED, s.write, b"z" * 1000)
    assert "100 of 1000" in str(error)
    r.pump(1000)
    assert bytes(peer.received) == b"first" + b"z" * 1000  # once
    del r.vm.do_CIPACK
    assert r.works()


@open_families
@pytest.mark.parametrize(
    "asked, told", [("140", "1400"), ("1400", "400"), ("400", "400"), ("1400", "14"), ("1401", "1400")]
)
def test_damaged_report_of_a_send(family, asked, told):
    r = rig(family)
    s, peer = sink(r)
    r.vm.lies, r.vm.told_asked = [told], [asked]
    begin = r.clock.ms
    assert s.write(b"z" * 1400) == 1400
    assert r.clock.ms - begin < 2000
    assert arrived(r, peer) == b"z" * 1400


# The peer closes while a send is under way


class Closing:
    """A scripted module whose peer closes in the middle of a send."""

    def start(self, *lines):
        module = Module()
        made = modem_start(module)
        module.say_to[b"AT+CIPSEND="] = lambda line: (b"\r\n> ", 5, lambda payload: self.gone(module, lines))
        return made, module

    def open(self, *lines):
        module = OpenModule()
        made = modem_open(module)
        module.say_to[b"AT+CIPSEND="] = lambda line: (b"\r\n>", 5, lambda payload: self.gone(module, lines))
        return made, module

    def gone(self, module, lines):
        module.open.discard(0)
        return b"".join(b"\r\n%s\r\n" % line for line in lines)


def socket_of(made):
    s = made.socket()
    s.settimeout(60)
    s.connect(("1.2.3.4", 80))
    return s


TAKEN_START = [(b"DATA ACCEPT:0,5", b"0, CLOSED"), (b"0, CLOSED", b"DATA ACCEPT:0,5")]
REFUSED_START = [
    (b"0, SEND FAIL", b"0, CLOSED"),
    (b"0, CLOSED", b"0, SEND FAIL"),
    (b"0, CLOSED",),
    (b"0, CLOSED", b"ERROR"),
]
TAKEN_OPEN = [
    (b"OK", b"+CIPSEND: 0,5,5", b"+IPCLOSE: 0,1"),
    (b"OK", b"+IPCLOSE: 0,1", b"+CIPSEND: 0,5,5"),
    (b"OK", b"+IPCLOSE: 0,1", b"+CIPSEND: 0,5,-1"),
    (b"OK", b"+CIPSEND: 0,5,-1", b"+IPCLOSE: 0,1"),
    (b"OK", b"+CIPSEND: 0,5,-1"),
    (b"OK", b"+IPCLOSE: 0,1"),
    (b"+IPCLOSE: 0,1", b"OK"),
    (b"+IPCLOSE: 0,1", b"OK", b"+CIPSEND: 0,5,-1"),
]
REFUSED_OPEN = [
    (b"+IPCLOSE: 0,1",),
    (b"+IPCLOSE: 0,1", b"ERROR"),
    (b"ERROR", b"+IPCLOSE: 0,1"),
    (b"OK", b"+CIPSEND: 0,5,0", b"+IPCLOSE: 0,1"),
]
LINES = [("start", "taken", lines) for lines in TAKEN_START] + [("open", "taken", lines) for lines in TAKEN_OPEN]
LINES += [("start", "refused", lines) for lines in REFUSED_START] + [
    ("open", "refused", lines) for lines in REFUSED_OPEN
]


@pytest.mark.parametrize("dialect, fate, lines", LINES)
@pytest.mark.parametrize("how", ["write", "send", "sendall", "nonblocking", "collected"])
def test_peer_that_closes_while_a_send_is_under_way(dialect, fate, lines, how):
    made, module = getattr(Closing(), dialect)(*lines)
    s = socket_of(made)
    if how == "collected":
        s.setsockopt(6, 1, 0)  # TCP_NODELAY off
    later = how in ("nonblocking", "collected")
    if how == "nonblocking":
        s.settimeout(0)
    call = s.write if later else getattr(s, how)
    if fate == "taken" or later:
        assert call(b"hello") == (None if how == "sendall" else 5)
    else:
        fails(errno.ECONNRESET, call, b"hello")
    idle(made, 3000)
    s.settimeout(60)
    fails(errno.ECONNRESET, s.write, b"more")
    fails(errno.ECONNRESET, s.send, b"more")
    assert s.read() == b""
    assert len(module.sent(b"AT+CIPSEND=")) == 1 and module.payloads == [b"hello"]


@each_cip
@pytest.mark.parametrize("refusal", ["notice first", "error first"])
def test_send_refused_because_the_peer_has_closed(family, refusal):
    r = rig(family)
    s, peer = sink(r)
    answer = r.vm.do_CIPSEND

    def closing(op, args):
        if refusal == "notice first":
            r.vm.links[0].closed()
        else:
            r.vm.refuse_sends = 1
            r.clock.after_ms(20, peer.reset)
        return answer(op, args)

    r.vm.do_CIPSEND = closing
    begin = r.clock.ms
    fails(errno.ECONNRESET, s.write, b"hello")
    assert r.clock.ms - begin < 1000
    assert bytes(peer.received) == b""


@families
@pytest.mark.parametrize("how", ["write", "send", "sendall", "nonblocking"])
def test_first_write_after_the_end_is_good_as_with_tcp(family, how):
    r = rig(family)
    s = r.socket(r.serve(lambda: Blob(b"the end")))
    assert s.read() == b"the end"
    before = len(r.sent)
    if how == "nonblocking":
        s.settimeout(0)
    call = getattr(s, how, s.write)
    assert call(b"x" * 3000) == (None if how == "sendall" else 3000)
    fails(errno.ECONNRESET, call, b"y")
    fails(errno.ECONNRESET, call, b"z")
    assert s.read(1) == b"" and not [line for line in r.sent[before:] if "SEND" in line]


@families
def test_write_of_several_segments_that_the_end_interrupts(family):
    r = rig(family, tx_limit=3000)
    s = r.socket(r.serve(Stall), timeout=None)
    r.clock.after_ms(5000, r.connection().reset)
    fails(errno.ECONNRESET, s.write, b"x" * 20_000)
    fails(errno.ECONNRESET, s.write, b"x")


@open_families
@pytest.mark.parametrize("order", ["behind", "before", "none"])
@pytest.mark.parametrize("ms", range(0, 60, 7))
def test_result_of_a_send_and_the_end_in_any_order(family, order, ms):
    r = rig(family, choices={"send_at_close": order})
    r.net.latency_ms = 15
    s, peer = sink(r)
    r.clock.after_ms(ms, peer.reset)
    done = 0
    with pytest.raises(OSError) as raised:
        for _ in range(20):
            done += s.write(b"x" * 10)
    assert raised.value.errno == errno.ECONNRESET
    assert r.works()


# Refused though connected, and peers that take nothing


@families
def test_sends_refused_while_connected_are_tried_after_growing_pauses(family):
    r = rig(family)
    s, peer = sink(r)
    s.settimeout(None)
    r.vm.refuse_sends = -1
    begin = r.clock.ms
    fails(errno.ECONNABORTED, s.write, b"hello")
    assert 125_000 <= r.clock.ms - begin < 132_000
    assert len(sends(r)) < 45
    r.vm.refuse_sends = 0
    assert r.works()
    assert bytes(peer.received) == b""


@each_cip
@pytest.mark.parametrize("times", [1, 3])
def test_refusals_that_end(family, times):
    r = rig(family)
    s, peer = sink(r)
    r.vm.refuse_sends = times
    assert s.write(b"hello") == 5
    assert len(sends(r)) == times + 1
    assert arrived(r, peer) == b"hello"


@families
def test_polling_does_not_ask_more_often(family):
    r = rig(family)
    s, _ = sink(r)
    s.settimeout(0)
    r.vm.refuse_sends = -1
    s.write(b"hello")
    end = r.clock.ms + 20_000
    while r.clock.ms < end:
        s.ioctl(3, 1)
        s.write(b"+")
        r.modem.wait(20)
    assert len(sends(r)) < 15


@families
def test_peer_that_never_takes_anything(family):
    r = rig(family, tx_limit=3000)
    s = r.socket(r.serve(Stall), timeout=None)
    begin = r.clock.ms
    with pytest.raises(OSError) as raised:
        s.write(b"x" * 20_000)
    assert raised.value.errno in (errno.ECONNABORTED, errno.ETIMEDOUT, errno.EIO)
    assert 115_000 < r.clock.ms - begin < 135_000


@families
def test_how_long_nothing_may_be_taken_is_settable(family):
    r = rig(family, settings={"stall_ms": 20_000})
    s, _ = sink(r)
    s.settimeout(None)
    r.vm.refuse_sends = -1
    begin = r.clock.ms
    fails(errno.ECONNABORTED, s.write, b"hello")
    assert 20_000 <= r.clock.ms - begin < 26_000
    for bad in (999, None, "5000", 1.5e4):
        with pytest.raises(ValueError):
            r.modem.config(stall_ms=bad)


@each_cip
def test_link_that_is_refused_leaves_others_their_rate(family):
    r = rig(family)
    stuck, _ = sink(r, 81)
    other, peer = sink(r, 82)
    begin = r.clock.ms
    for _ in range(20):
        other.write(b"x" * 500)
    alone = r.clock.ms - begin
    do = r.vm.do_CIPSEND
    n = stuck._link.n
    r.vm.do_CIPSEND = lambda op, args: r.vm.refuse() if False else do(op, args)

    def selective(op, args):
        r.vm.refuse_sends = -(str(n) == str(args[0]))
        return do(op, args)

    r.vm.do_CIPSEND = selective
    stuck.settimeout(0)
    stuck.write(b"stuck")
    r.pump(10_000)
    begin = r.clock.ms
    for _ in range(20):
        other.write(b"x" * 500)
    assert r.clock.ms - begin <= 1.6 * alone + 400
    assert len(arrived(r, peer)) == 20_000


# Late results that never come


@open_families
@pytest.mark.parametrize("count", [1, 1500])
def test_lost_report_of_a_send_is_asked_after(family, count):
    r = rig(family)
    s, peer = sink(r)
    s.settimeout(None)
    r.vm.lost_reports = {"CIPSEND": 1}
    begin = r.clock.ms
    assert s.write(b"x" * count) == count
    assert 10_000 <= r.clock.ms - begin < 11_000
    assert s.write(b"y") == 1
    s.close()
    assert arrived(r, peer) == b"x" * count + b"y"


@open_families
def test_send_that_waits_for_room_is_not_taken_for_one_whose_report_was_lost(family):
    r = rig(family, choices={"full": "wait"}, tx_limit=1000)
    s = r.socket(r.serve(Stall), timeout=None)
    s.write(b"x" * 1000)
    connection = r.connection()
    r.clock.after_ms(25_000, connection.resume)
    begin = r.clock.ms
    assert s.write(b"y" * 900) == 900
    assert 25_000 <= r.clock.ms - begin < 27_000
    r.pump(1000)
    assert bytes(connection.received) == b"x" * 1000 + b"y" * 900


@open_families
def test_lost_report_of_a_datagram_is_asked_after(family):
    r = rig(family)
    r.net.serve(*ECHO, Echo, "UDP")
    s = r.modem.socket(2, 2)
    s.settimeout(30)
    r.vm.lost_reports = {"CIPSEND": 1}
    begin = r.clock.ms
    assert s.sendto(b"once", ECHO) == 4
    assert 10_000 <= r.clock.ms - begin < 12_000
    assert s.recv(10) == b"once"
    s.settimeout(2)
    with pytest.raises(OSError):
        s.recv(10)


@open_families
@pytest.mark.parametrize("close_ms", [20, 25_000])
def test_lost_report_of_a_close_gives_the_number_back_after_ten_seconds(family, close_ms):
    r = rig(family, close_ms=close_ms)
    s = r.socket(ECHO, timeout=30)
    link = s._link
    r.vm.lost_reports = {"CIPCLOSE": 1}
    begin = r.clock.ms
    s.setblocking(False)
    s.close()
    while link.n >= 0:
        r.pump(100)
    assert 10_000 <= r.clock.ms - begin < 11_000
    r.vm.close_ms = 20
    assert r.works()


@open_families
def test_number_whose_close_takes_a_minute_is_given_last(family):
    r = rig(family, close_ms=60_000)
    r.socket(ECHO, timeout=0).close()
    r.pump(15_000)
    assert not any(r.modem.links.slots)
    assert r.socket(ECHO)._link.n == 1
    r.pump(50_000)  # it is reported
    assert r.socket(ECHO)._link.n == 0


@open_families
def test_number_whose_close_was_not_reported_is_closed_anew_before_it_is_used(family):
    r = rig(family, link_count=1)
    r.modem.links.slots = [None]
    r.vm.lost_reports = {"CIPCLOSE": 1}
    r.socket(ECHO, timeout=0).close()
    r.pump(12_000)
    before = len(r.sent)
    assert r.works()
    assert [line.partition("=")[0] for line in r.sent[before:]][:2] == ["AT+CIPCLOSE", "AT+CIPOPEN"]


@open_families
@pytest.mark.parametrize("name", ["NETOPEN", "NETCLOSE"])
def test_lost_report_of_the_network_is_asked_after(family, name):
    r = rig(family)
    r.vm.lost_reports = {name: 1}
    begin = r.clock.ms
    r.modem.disconnect()
    r.modem.connect("internet")
    assert 10_000 <= r.clock.ms - begin < 14_000
    assert r.vm.lost_reports == {name: 0}
    assert r.works()
