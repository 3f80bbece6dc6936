"""The CAOPEN dialect (SIM7070, SIM7080, SIM7090) where a shared case cannot look: commands, readings, what it lacks."""

import errno

import rig  # first: it puts the shim in place
import machine
import pytest
import target
from sim import Blackhole, Blob, Drip, Echo, Peer, Refuse, Stall
from sim.at import NO_FINAL

import simcom

FAMILY = "sim7080"
AF_INET, SOCK_DGRAM = 2, 2
UP = ["AT+CASTATE?", "AT+CASTATE?", "AT+CASTATE?", "AT+CNACT?", "AT+CNCFG?"]


def made(seed=None, choices=None, **given):
    """A rig; ``choices``: readings in place of the seed's."""
    return rig.Rig(seed, family=FAMILY, choices=choices, **given)


def since(r, beginning):
    """The commands from the last one that begins so on."""
    return r.sent[max(i for i, line in enumerate(r.sent) if line.startswith(beginning)) :]


def fails(code, work, *args):
    with pytest.raises(OSError) as caught:
        work(*args)
    assert caught.value.args[0] == code, repr(caught.value)
    return str(caught.value)


# --- the context


@pytest.mark.feature("context", FAMILY)
def test_context_is_raised_in_this_order():
    r = made()
    at = r.sent.index("AT+CASTATE?")
    assert r.sent[at:] == [
        *UP,
        'AT+CNCFG=0,1,"internet"',
        "AT+CASRIP=0",
        'AT+CACFG="ASYNCOPEN",1',
        "AT+CNACT=0,1",
        "AT+CNACT?",
        "AT+CNACT?",
    ]
    assert r.modem.address == r.modem.ifconfig()[0] == "10.78.245.128"
    assert r.modem.status("context") == "ACTIVE"
    r.modem.disconnect()
    assert since(r, "AT+CNACT=0,0")[0] == "AT+CNACT=0,0"
    assert r.modem.status("context") == "DEACTIVE"
    r.modem.connect("internet")
    assert r.works()


@pytest.mark.feature("ipv6", FAMILY)
@pytest.mark.parametrize("seed", (None, 1, 2, 3))
def test_ipv6_context(seed):
    r = made(seed, up=False)
    r.modem.config(pdp_type="IPV6")
    r.modem.connect("internet")
    assert r.vm.contexts[0].config[:2] == [2, "internet"] and r.vm.definitions[1] == ("IPV6", "internet")
    address = r.vm.ipv6_address
    assert r.modem.ifconfig()[0] == r.modem.ipconfig("addr6")[0][0] == address
    assert r.modem.ipconfig("addr4")[0] == "0.0.0.0"
    assert r.works()
    host = "2001:db8::17"
    r.net.serve(host, 7, Echo)
    r.net.serve(host, 9, Echo, "UDP")
    s = r.socket((host, 7))
    s.write(b"by its number")
    assert s.read(13) == b"by its number"
    assert r.modem.status("links")[0][:4] == (0, "TCP", host, 7)
    assert ":" in r.modem.resolve(rig.ECHO[0])[0]
    r.modem.config(dns="2001:db8::53")
    assert "2001:db8::53" in r.vm.dns
    u = r.modem.socket(AF_INET, SOCK_DGRAM)
    u.settimeout(30)
    u.bind(("", 5000))
    u.sendto(b"datagram", (host, 9))
    assert u.recvfrom(100) == (b"datagram", (host, 9))
    server = r.modem.socket()
    server.settimeout(30)
    server.bind(("", 80))
    server.listen()
    assert [link.kind for link in r.vm.links if link.listens] == ["UDP6", "TCP6"]
    caller = r.dial(80, "2001:db8::7")
    client, peer = server.accept()
    caller.send(b"hello")
    assert client.read(5) == b"hello" and peer[0] == "2001:db8::7"
    r.modem.config(pdp_type="IPV4V6")
    r.modem.disconnect()
    r.modem.connect("internet")
    assert r.vm.contexts[0].config[0] == 0 and r.modem.ipconfig("addr6") == []
    assert r.socket((host, 7)) and r.works()


def test_address_of_the_other_version_is_not_reached():
    r = made()
    r.net.serve("2001:db8::17", 7, Echo)
    fails(errno.ECONNABORTED, r.socket().connect, ("2001:db8::17", 7))
    assert r.works()


@pytest.mark.feature("account", FAMILY)
def test_user_and_password_go_with_the_apn_and_are_taken_back():
    r = made(up=False)
    r.modem.connect("other", "me", "secret")
    assert 'AT+CNCFG=0,1,"other","me","secret",3' in r.sent
    r.modem.disconnect()
    r.modem.connect("other", "", "")
    assert 'AT+CNCFG=0,1,"other","","",0' in r.sent
    assert r.works()


def test_the_networks_own_apn_is_asked_for():
    r = made(up=False)
    r.modem.connect("")
    assert "AT+CGNAPN" in r.sent
    assert r.works()


@pytest.mark.parametrize("seed", range(1, 11))
def test_context_in_every_order_of_its_lines(seed):
    r = made(seed)
    assert r.works()
    r.modem.disconnect()
    r.modem.connect("internet")
    assert r.works()


def test_links_that_an_earlier_program_left_are_closed():
    r = made()
    for _ in range(3):
        r.socket(rig.ECHO)
    r.make()
    r.modem.connect("internet")
    assert [line for line in r.sent if line.startswith("AT+CACLOSE")] == ["AT+CACLOSE=%d" % n for n in range(3)]
    assert [row for row in r.modem.status("links") if row[4] != "INITIAL"] == []
    assert r.works()


@pytest.mark.parametrize("seed", [None, *range(1, 11)])
def test_lost_context_ends_all_links_at_once(seed):
    r = made(seed)
    s = r.socket(rig.ECHO)
    r.vm.network_lost()
    assert fails((errno.ENOTCONN), s.read, 1)
    assert not r.modem.isconnected()
    r.modem.connect("internet")
    assert r.works()


def drained(s):
    """What it gives, and the errno that ends it."""
    got = b""
    try:
        while True:
            piece = s.recv(400)
            if not piece:
                return got, None
            got += piece
    except OSError as e:
        return got, e.args[0]


@pytest.mark.parametrize("form", ("alone", "states before", "states behind", "states"))
@pytest.mark.parametrize("receive", ("buffer", "push"))
@pytest.mark.parametrize("kind", ("clients", "server", "context"))
@pytest.mark.parametrize("ms", (0, 130, 470))
def test_stream_that_a_lost_context_cuts_has_no_end(form, receive, kind, ms):
    r = made(choices={"context_loss": form}, up=False)
    r.modem.config(receive=receive)
    r.modem.connect("internet")
    data = target.pattern(900)
    sockets, pdp = [], None
    if kind == "server":
        door = r.socket()
        door.bind(("", 80))
        door.listen()
        r.dial(80).send(data)
        sockets.append(door.accept()[0])
    else:
        second = r.modem.context("other.apn") if kind == "context" else r.modem
        for port in (80, 81):
            if kind == "context" and port == 80:
                second.connect()
                pdp = second.pdp
            s = second.socket()
            s.settimeout(30)
            s.connect(r.serve(Drip(data * 2, 900, 60_000), port=port))
            sockets.append(s)
    for s in sockets:
        s.settimeout(30)
        assert s.read(900) == data
    r.pump(ms)
    r.vm.network_lost(pdp)
    assert [drained(s) for s in sockets] == [(b"", errno.ENOTCONN)] * len(sockets)
    assert r.modem.isconnected() == (kind == "context")


@pytest.mark.parametrize("receive", ("buffer", "push"))
def test_end_waits_for_an_answer_that_is_damaged_or_lost(receive):
    r = made(choices={"context_loss": "states"}, up=False)
    r.modem.config(receive=receive)
    r.modem.connect("internet")
    for lost in (False, True):
        s = r.socket(r.serve(Drip(b"data" * 5, 10, 500, close=True)))
        assert s.read(10) == b"datadatada"
        r.vm.choices["answers"] = "garbled answer"
        r.vm.spoil = {"CNACT": 2}
        if lost:
            r.vm.network_lost()
        assert drained(s) == ((b"", errno.ENOTCONN) if lost else (b"tadatadata", None))
        r.vm.spoil = {}


# --- opening


@pytest.mark.feature("errors", FAMILY)
@pytest.mark.parametrize("seed", [None, 1, 2, 3, 4])
def test_refused_open_has_its_own_number(seed):
    r = made(seed, {"open_failure": "ok"})
    address = r.serve(Refuse)
    s = r.modem.socket()
    s.settimeout(30)
    assert ",23" in fails(errno.ECONNREFUSED, s.connect, address)
    assert r.works()
    assert "AT+CACLOSE=0" in since(r, "AT+CAOPEN")[:2] or "AT+CACLOSE=0" in r.sent


def off_without_a_word(r, pdp):
    """The line that told of the loss is lost."""
    urc, r.vm.urc = r.vm.urc, lambda line: None
    r.vm.report = lambda line: None
    r.vm.network_lost(pdp)
    del r.vm.report
    r.vm.urc = urc


@pytest.mark.parametrize("result", (1, 21))
@pytest.mark.parametrize("asynchronous", ("works", "refused"))
def test_context_is_asked_after_before_a_result_is_believed(result, asynchronous):
    r = made(choices={"no_context": result, "async_open": asynchronous})
    second = r.modem.context("other.apn")
    second.connect()
    off_without_a_word(r, 1)
    s = second.socket()
    s.settimeout(30)
    assert "+CAOPEN: 0,%d" % result in fails(errno.ENOTCONN, s.connect, rig.ECHO) and not second.isconnected()
    assert r.modem.isconnected() and r.works()
    r.vm.open_results = (result,)
    assert "+CAOPEN: " in fails(errno.ECONNABORTED, r.socket, rig.ECHO)
    assert r.modem.isconnected() and r.works()
    second.connect()
    off_without_a_word(r, 0)
    fails(errno.ENOTCONN, r.socket, rig.ECHO)
    assert not r.modem.isconnected() and second.isconnected()
    r.modem.connect("internet")
    assert r.works()


@pytest.mark.parametrize("result", (1, 21))
@pytest.mark.parametrize("kind", ("server", "datagrams"))
def test_context_is_asked_after_before_a_servers_result_is_believed(kind, result):
    def serve():
        s = r.modem.socket(AF_INET, SOCK_DGRAM) if kind == "datagrams" else r.modem.socket()
        s.settimeout(30)
        s.bind(("", 80))
        if kind == "datagrams":
            s.sendto(b"x", rig.ECHO)
        else:
            s.listen()

    r = made(choices={"no_context": result})
    off_without_a_word(r, 0)
    fails(errno.ENOTCONN, serve)
    assert not r.modem.isconnected()
    r.modem.connect("internet")
    assert r.works()


def test_result_of_an_open_comes_behind_the_answer_to_what_became_of_it():
    def connected(ms):
        r = made()
        r.modem.blocks = False  # as an open beside another link finds out
        r.net.connect_ms = ms
        s = r.socket(rig.ECHO)
        s.write(b"hello")
        assert s.read(5) == b"hello", ms
        found = [at for at, _, data in r.vm.log if b"CASTATE?" in data or b"CAOPEN=" in data]
        return found[-1] - found[-2]

    asked = int(connected(15_000))
    assert 10_000 <= asked < 11_000
    for ms in range(asked - 5, asked + 10):
        connected(ms)


opens = pytest.mark.parametrize("asynchronous", ["works", "refused", "no effect"])
orders = pytest.mark.parametrize("order", ["result first", "ok first"])
deafness = pytest.mark.parametrize("deaf", ["lost", "echoed", "waits", "error"])


def test_whether_an_open_blocks_is_asked_once_however_soon_it_has_its_result():
    r = made()
    r.net.connect_ms = 20
    sent = len(r.sent)
    for _ in range(5):
        r.socket(rig.ECHO)
    assert r.sent[sent:].count("AT") == 1
    assert r.modem.blocks is False


@opens
@orders
@deafness
def test_nobody_loses_by_an_open_that_the_module_hears_nothing_beside(asynchronous, order, deaf):
    r = made(choices={"async_open": asynchronous, "open_order": order, "deaf": deaf})
    data = target.pattern(30_000)
    r.net.connect_ms = 3000
    for port in (80, 81):
        s = r.socket(r.serve(Drip(data, 300, 50, close=True), port=port))
        start = r.clock.ms
        others = [r.socket(timeout=0) for _ in range(3)]
        for each in others:
            fails(errno.EINPROGRESS, each.connect, rig.ECHO)
        assert s.read() == data
        for each in others:
            each.settimeout(30)
            each.write(b"all")
            assert each.read(3) == b"all"
            each.close()
        assert r.clock.ms - start < 30_000
        s.close()


@opens
@orders
@deafness
@pytest.mark.parametrize("alone", (True, False))
def test_open_that_takes_its_75_seconds_costs_others_no_more(asynchronous, order, deaf, alone):
    r = made(choices={"async_open": asynchronous, "open_order": order, "deaf": deaf})
    data = target.pattern(9000)
    s = None if alone else r.socket(r.serve(Drip(data, 300, 50, close=True), port=81), timeout=100)
    start = r.clock.ms
    slow, quick = r.socket(timeout=0), r.socket(timeout=0)
    fails(errno.EINPROGRESS, slow.connect, r.serve(Blackhole))
    r.pump(200)
    fails(errno.EINPROGRESS, quick.connect, rig.ECHO)
    if s:
        assert s.read() == data
    quick.settimeout(100)
    quick.write(b"all")
    assert quick.read(3) == b"all"
    assert r.clock.ms - start < (15_000 if asynchronous == "works" else 84_000)
    slow.settimeout(100)
    fails(errno.ETIMEDOUT, slow.write, b"x")
    assert r.clock.ms - start < 84_000 and r.modem.isconnected() and r.works()


@opens
@orders
@deafness
@pytest.mark.parametrize("kind", (1, SOCK_DGRAM))
def test_what_is_closed_while_it_opens_is_sent_and_closed(asynchronous, order, deaf, kind):
    r = made(choices={"async_open": asynchronous, "open_order": order, "deaf": deaf})
    r.net.serve("quiet.example", 9, Peer, "UDP" if kind == SOCK_DGRAM else "TCP")
    other = r.socket(r.serve(Echo), timeout=30)
    r.net.connect_ms = 3000
    s = r.modem.socket(AF_INET, kind)
    s.settimeout(0)
    if kind == SOCK_DGRAM:
        s.sendto(b"the last word", ("quiet.example", 9))
    else:
        fails(errno.EINPROGRESS, s.connect, ("quiet.example", 9))
    r.pump(500)
    s.close()
    other.write(b"meanwhile")
    assert other.read(9) == b"meanwhile"
    assert r.modem.flush()
    if kind == SOCK_DGRAM:
        assert [each for each in r.net.connections if bytes(each.received) == b"the last word"]
    r.net.connect_ms = 20
    r.pump(4000)
    assert [link for link in r.modem.links.slots if link] == [other._link] and r.works()


def lose_open(vm, lost):
    """The next AT+CAOPEN is never heard, or these lines of its answer are lost."""
    do, send, lost = vm.do_CAOPEN, vm.send, list(lost)

    def heard(op, args):
        del vm.do_CAOPEN
        if not lost:
            return NO_FINAL
        vm.send = answered
        return do(op, args)

    def answered(data):
        for line in lost:
            if line in data:
                lost.remove(line)
                data = data.replace(line, b"", 1)
        if not lost:
            del vm.send
        send(data)

    vm.do_CAOPEN = heard


@opens
@orders
@deafness
@pytest.mark.parametrize("alone", (True, False))
@pytest.mark.parametrize("ms", (20, 15_000))
@pytest.mark.parametrize(
    "lost", ((), (b"\r\nOK\r\n",), (b"\r\n+CAOPEN: %d,0\r\n",), (b"\r\nOK\r\n", b"\r\n+CAOPEN: %d,0\r\n")), ids=len
)
def test_lost_open_is_found_out_soon(asynchronous, order, deaf, alone, ms, lost):
    r = made(choices={"async_open": asynchronous, "open_order": order, "deaf": deaf})
    data = target.pattern(9000)
    others = []
    if not alone:
        others = [r.socket(r.serve(Drip(data, 300, 100, close=True), port=81), timeout=100)]
        r.socket(rig.ECHO).close()  # now it is known whether opens block
    r.net.connect_ms = ms
    s = r.socket(timeout=100)
    lose_open(r.vm, [line.replace(b"%d", b"%d" % len(others)) for line in lost])
    start = r.clock.ms
    s.connect(rig.ECHO)
    s.write(b"all")
    assert s.read(3) == b"all"
    assert r.clock.ms - start < 14_000 + 3 * ms
    for each in others:
        assert each.read() == data
    r.net.connect_ms = 20
    assert r.modem.isconnected() and r.works()


def test_thirteen_links_at_once():
    r = made()
    sockets = [r.socket(rig.ECHO) for _ in range(r.modem.LINKS)]
    assert len(sockets) == r.vm.link_count == 13
    for n, s in enumerate(sockets):
        s.write(target.pattern(2000, n + 1))
    for n, s in enumerate(sockets):
        assert s.read(2000) == target.pattern(2000, n + 1)
    fails(errno.ENOBUFS, r.socket, rig.ECHO)
    for s in sockets:
        s.close()


# --- sending


def test_room_is_asked_for_before_the_smallest_buffer_is_full():
    r = made()
    s = r.socket(rig.ECHO)
    for _ in range(4):
        s.write(bytes(1460))
        assert len(s.read(1460)) == 1460
    assert "AT+CASEND=0" not in r.sent
    s.write(b"x")
    assert since(r, "AT+CASEND=0")[0] == "AT+CASEND=0,1" and r.sent[-2:].count("AT+CASEND=0") <= 1
    assert "AT+CASEND=0" in r.sent


@pytest.mark.parametrize("full", ("before", "behind", "behind part"))
def test_payload_refused_for_want_of_room_is_sent_again_and_never_twice(full):
    r = made(choices={"full": full})
    address = r.serve(Stall)
    s = r.socket(address, timeout=0)
    s._link.limit = 1 << 30  # as if the module did not tell its room
    data = target.pattern(24000)
    sent = 0
    end = r.clock.now_us + 20_000_000
    while sent < len(data) and r.clock.now_us < end:
        try:
            sent += s.send(data[sent : sent + 1460])
        except OSError as e:
            assert e.args[0] == errno.EAGAIN
        r.modem.wait(20)
    connection = r.connection()
    assert bytes(connection.received) == data[: len(connection.received)]


# --- receiving


@pytest.mark.parametrize("size", (100, 1024, 4000))
def test_stream_that_flows_is_read_in_whole_segments(size):
    r = made()
    s = r.socket(r.serve(lambda: Blob(bytes(60_000))))
    r.pump(1000)
    buf = bytearray(size)
    at = len(r.sent)
    got = 0
    while got < 40_000:
        got += s.readinto(buf)
    reads = [line for line in r.sent[at:] if line.startswith("AT+CARECV=")]
    assert len(reads) <= got // r.modem.read_max + 2


def test_payload_that_reads_like_answers():
    r = made()
    data = b"\r\n+CARECV: 5,hello\r\n\r\nOK\r\n+CADATAIND: 0\r\n\r\nERROR\r\n\r\n+CASTATE: 0,0\r\n,,,1,2,3\r\n> "
    s = r.socket(rig.ECHO)
    for k in range(len(data)):
        piece = data[k:] + data[:k]
        s.write(piece)
        assert s.read(len(piece)) == piece


@pytest.mark.parametrize("ms", (1, 20, 1000, 2500, 3500, 9000))
@pytest.mark.parametrize("empty", ("+CARECV: 0", "+CARECV: 0,", "ok"))
def test_answer_that_says_nothing_may_be_lost(ms, empty):
    r = made(choices={"empty": empty})
    s = r.socket(r.serve(Drip(b"data", 2, 15_000)), timeout=60)
    assert s.read(2) == b"da"
    r.pump(3000)
    feed = r.uart.feed
    ends = []

    def change(block, baud=None):
        if not ends and b"OK" in block and r.sent[-1].startswith("AT+CARECV="):
            ends.append(r.clock.ms + ms)
        return feed(b"" if ends and r.clock.ms < ends[0] else block, baud)

    r.uart.feed = change
    assert s.read(2) == b"ta" and ends
    assert r.works()


def test_notice_between_a_read_and_its_empty_answer_is_not_lost():
    r = made()
    s = r.socket(rig.ECHO)
    r.pump(500)
    link = s._link
    link.known = -1
    r.modem.links.reading |= link.bit
    receiver = r.modem.receiver
    receiver.next()
    r.modem.receiver.on_line(b"+CADATAIND: 0\r", 0, 13)
    r.pump(300)
    assert r.sent[-2:] == ["AT+CARECV=0,1"] * 2  # asked again


@pytest.mark.parametrize("empty", ("+CARECV: 0", "+CARECV: 0,", "ok", "error"))
@pytest.mark.parametrize("timeout", (30, 0))
def test_first_byte_does_not_stand_alone_behind_a_read_that_is_refused(empty, timeout):
    r = made(choices={"empty": empty})
    s = r.socket(r.serve(Peer), timeout=timeout)
    answer = r.vm._answer

    def once(*args):
        r.vm._answer, r.vm.refuse_reads = answer, 1
        answer(*args)

    r.vm._answer = once
    r.connection().write(b"a small message")
    got = None
    for _ in range(500):
        got = got or s.read(15)
        r.modem.wait(2)
    assert got == b"a small message"


@pytest.mark.parametrize("seed", [None, *range(1, 11)])
def test_everything_before_the_end_is_read_and_then_the_end(seed):
    class Last(Peer):
        def received(self, connection, data):
            connection.write(target.pattern(5000))
            connection.close()

    r = made(seed, {"unread": "kept"})
    s = r.socket(r.serve(Last))
    s.write(b"go")
    assert s.read() == target.pattern(5000)
    assert s.read(1) == b""
    s.close()
    assert r.works()


# --- datagrams


@pytest.mark.feature("udp", FAMILY)
@pytest.mark.feature("peers", FAMILY)
def test_one_refusal_behind_the_close_is_not_the_end():
    r = made()
    s = r.socket(r.serve(Peer))
    r.pump(1000)
    r.vm._notify = lambda link: None
    r.vm.refuse_reads = 1
    r.connection().write(b"the last")
    r.connection().close()
    before = len(r.sent)
    while len(r.sent) == before:
        r.modem.wait(1)
    r.clock.sleep_ms(2000)  # the program is busy with something else
    assert s.read() == b"the last"


@pytest.mark.parametrize("n", [1, 100, 1460, 4000])
@pytest.mark.parametrize("notice", ["kilobyte", "filled", "arrival", "reread"])
def test_notice_of_what_was_read_already_is_no_loss(notice, n):
    r = made(choices={"phantom": True, "notice": notice})
    r.vm.random.random = lambda: 0.0  # behind every answer that leaves nothing
    data = target.pattern(n)
    for port, peer in enumerate((Blob(data), Drip(data, 500, 300, close=True), Drip(data, 700, 5, close=True)), 80):
        assert r.socket(r.serve(peer, port=port)).read() == data


@pytest.mark.parametrize("source", ("first", "quoted", "last", "quoted last"))
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_socket_with_a_port_hears_everybody_and_streams_go_on(source, seed):
    r = made(seed, {"source": source})
    for name, port in (("a.example", 7), ("b.example", 8)):
        r.net.serve(name, port, Echo, "UDP")
    stream = r.socket(rig.ECHO)
    s = r.modem.socket(AF_INET, SOCK_DGRAM)
    s.settimeout(30)
    s.bind(("", 5000))
    for name, port in (("a.example", 7), ("b.example", 8), ("a.example", 7)):
        s.sendto(name.encode(), (name, port))
        assert s.recvfrom(100) == (name.encode(), (r.net.names[name][0], port))
        stream.write(target.pattern(3000))
        assert stream.read(3000) == target.pattern(3000)
    s.close()
    assert r.works()


# --- questions


@pytest.mark.feature("connections", FAMILY)
@pytest.mark.feature("context_state", FAMILY)
@pytest.mark.feature("sent", FAMILY)
@pytest.mark.feature("acknowledged", FAMILY)
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_what_is_asked_of_links(seed):
    r = made(seed)
    s = r.socket(rig.ECHO)
    s.write(bytes(700))
    assert len(s.read(700)) == 700
    assert r.modem.status("acknowledged") == [(0, 700, 700, None)]
    rows = r.modem.status("links")
    assert len(rows) == 13 and rows[0][:5] == (0, "TCP", "echo.example", 7, "CONNECTED") and rows[1][4] == "INITIAL"
    server = r.socket()
    server.bind(("", 8001))
    server.listen()
    assert r.modem.status("servers") == [(1, 8001)]
    assert r.modem.status("links")[1][4] == "LISTENING"


@pytest.mark.feature("dns", FAMILY)
@pytest.mark.feature("nameservers", FAMILY)
def test_names_are_asked_for_with_all_three_parameters():
    r = made()
    assert r.modem.resolve("echo.example") == [r.net.names["echo.example"][0]]
    assert 'AT+CDNSGIP="echo.example",1,10000' in r.sent
    fails(-2, r.modem.resolve, "no.such.name.example")
    r.modem.config(dns=("9.9.9.9", "8.8.8.8"))
    assert r.modem.status("dns")[:2] == ("9.9.9.9", "8.8.8.8")


# --- what every module does


@pytest.mark.feature("power_on", FAMILY)
@pytest.mark.feature("power_off", FAMILY)
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_on_by_the_key_and_off_by_command(seed):
    r = made(seed, powered=False)
    held = [ms for ms, level in r.pwrkey.history if level]
    assert len(held) >= 1 and r.vm.running
    r.modem.active(False)
    r.clock.sleep_ms(5000)
    assert "AT+CPOWD=1" in r.sent and not r.vm.running and not r.modem.active()


@pytest.mark.feature("rate", FAMILY)
@pytest.mark.parametrize("baud", (9600, 57600, 230400))
def test_rate_is_found_and_changed(baud):
    r = made(on=False, baud=baud)
    r.make(baudrate=921600).active(True)
    assert r.vm.baud == 921600
    r.modem.connect("internet")
    assert r.works()


@pytest.mark.feature("reset", FAMILY)
@pytest.mark.feature("restart", FAMILY)
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_restart_asked_for_and_not(seed):
    r = made(seed)
    r.modem.reset()
    assert "AT+CREBOOT" in r.sent and not r.modem.isconnected()
    r.modem.connect("internet")
    s = r.socket(rig.ECHO)
    r.vm.restart()
    with pytest.raises(OSError):
        s.read(1)
    r.modem.connect("internet")
    assert r.works()


@pytest.mark.feature("pin", FAMILY)
@pytest.mark.feature("signal", FAMILY)
@pytest.mark.feature("registration", FAMILY)
@pytest.mark.feature("attach", FAMILY)
@pytest.mark.feature("system", FAMILY)
@pytest.mark.feature("function", FAMILY)
@pytest.mark.feature("cids", FAMILY)
def test_what_it_says_of_card_and_network():
    r = made(on=False)
    r.vm.sim = "SIM PIN"
    r.vm.csq = 20
    r.make(pin="1234").connect("internet")
    status = r.modem.status
    assert 'AT+CPIN="1234"' in r.sent and status("sim") == "READY"
    assert (status("rssi"), status("registration"), status("attached"), status("function")) == (-73, 1, True, 1)
    assert (1, "IP", "internet") in [row[:3] for row in status("contexts")] and len(status("system")) > 2
    r.vm.registration = 5
    assert status("registration") == 5


@pytest.mark.feature("fixed", FAMILY)
@pytest.mark.feature("slow_close", FAMILY)
@pytest.mark.feature("peer_close", FAMILY)
@pytest.mark.feature("all_closed", FAMILY)
def test_sent_with_its_length_and_closed_in_every_way():
    r = made()
    s = r.socket(rig.ECHO)
    s.write(bytes(range(256)))
    assert "AT+CASEND=0,256" in r.sent and s.read(256) == bytes(range(256))
    r.connection().close()
    assert s.read(1) == b""
    s.close()
    for _ in range(3):
        s = r.socket(rig.ECHO)
        s.write(b"all of it")
    s.close()
    assert bytes(r.connection().received) == b"all of it"
    r.modem.disconnect()
    assert r.modem.status("context") == "DEACTIVE"


@pytest.mark.feature("bind", FAMILY)
def test_local_port_is_what_the_peer_sees():
    r = made()
    taken = []
    real = r.net.open

    def noted(link, proto, host, port, local=0):
        taken.append(local)
        return real(link, proto, host, port, local)

    r.net.open = noted
    for port in (5000, None):
        s = r.socket()
        if port:
            s.bind(("", port))
        s.connect(rig.ECHO)
        s.close()
    assert taken == [5000, 0]


# --- what there is not


@pytest.mark.lacks("hex", FAMILY)
@pytest.mark.lacks("timeouts", FAMILY)
@pytest.mark.lacks("variable", FAMILY)
@pytest.mark.lacks("timed", FAMILY)
@pytest.mark.lacks("prompt", FAMILY)
@pytest.mark.lacks("single", FAMILY)
@pytest.mark.lacks("doze", FAMILY)
@pytest.mark.lacks("waiting", FAMILY)
@pytest.mark.lacks("received", FAMILY)
def test_what_it_lacks_is_refused_and_nothing_is_sent():
    r = made()
    m = r.modem
    before = len(r.sent)
    for refused in (
        lambda: m.config(receive="hex"),
        lambda: m.status("waiting"),
        lambda: m.status("timeouts"),
        lambda: m.config(timeouts=(3000, 3000, 3000)),
        lambda: m.config(send="variable"),
        lambda: m.config(send="timed"),
        lambda: m.config(prompt=0),
        m.sleep,
        lambda: m.config(delay_ms=3),
        lambda: simcom.SIM7080(machine.UART(2, 115200, rxbuf=2048), mux=False),
    ):
        assert "SIM7080 has no" in fails(errno.EOPNOTSUPP, refused)
    m.config(receive="buffer")
    assert len(r.sent) == before
    for name in ("+CAOPEN", "+CASEND", "+CARECV", "+CACLOSE", "+CASERVER", "+CASWITCH", "+CASRIP"):
        with pytest.raises(ValueError):
            m.at(name + "=0,1")
    assert r.works()
