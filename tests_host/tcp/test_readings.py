"""Where documents of the CAOPEN dialect differ, or say nothing: with each reading a program sees the same."""

import errno

import rig  # first: it puts the shim in place
import pytest
import target
from modes import taught
from sim import Blackhole, Blob, Drip, Echo, Peer, Refuse, Stall, sim7080

AF_INET, SOCK_DGRAM = 2, 2
FAMILY = "sim7080"
DATA = target.pattern(6000)
PROFILE = ("cnact", "caconf", "caopen", "caserver", "casend", "carecv", "caswitch", "caname", "sim7080")


GONE = errno.ENOTCONN, errno.ECONNABORTED, errno.ECONNRESET, errno.ETIMEDOUT


def made(choices, **given):
    return rig.Rig(family=FAMILY, choices=choices, **given)


def fails(codes, work, *args):
    with pytest.raises(OSError) as caught:
        work(*args)
    assert caught.value.args[0] in (codes if isinstance(codes, tuple) else (codes,)), repr(caught.value)


# --- what a program does


def streams(choices):
    """Bytes both ways, the peer's end, another connection under the same number; two at once; nothing to read."""
    r = made(choices)
    for _ in range(2):
        s = r.socket(rig.ECHO)
        for n in (1, 700, 1460, 4000):
            assert s.write(DATA[:n]) == n
            assert s.read(n) == DATA[:n]
        r.pump(3000)
        s.settimeout(0)
        assert s.read(1) is None
        s.settimeout(30)
        last = r.socket(r.serve(Drip(DATA, 900, 120, close=True)))
        s.write(b"beside")
        assert last.read() == DATA and s.read(6) == b"beside"
        assert last.read(1) == b""
        last.close()
        s.close()
        assert r.modem.flush(20_000)
    assert not any("CARECV?" in line for line in r.sent)


def answers_first(choices):
    """The peer speaks first, and closes."""
    r = made(choices)
    for n in (1, 5, 2000):
        s = r.socket(r.serve(Blob(DATA[:n])))
        assert s.read() == DATA[:n]
        s.close()
    assert r.works()


def pushed(choices):
    """Direct push, beside an echo."""
    r = made(choices, up=False)
    r.modem.config(receive="push")
    r.modem.connect("internet")
    taught(r)  # another end than the usual one is loss the first time
    for n in (3, 1460):
        s = r.socket(r.serve(Drip(DATA, n, 20, close=True), port=80 + n))
        assert s.read(900) == DATA[:900]
        assert r.works()
        assert s.read() == DATA[900:]


def datagrams(choices):
    """A socket that hears everybody, one that hears its peer, a stream beside them."""
    unnamed = choices.get("push_header") in ("never", "comma")  # then it is whom something was sent to last
    for receive in ("buffer", "push"):
        r = made(choices, up=False)
        r.modem.config(receive=receive)
        r.modem.connect("internet")
        for name, port in (("a.example", 7), ("b.example", 8)):
            r.net.serve(name, port, Echo, "UDP")
        stream, one, s = r.socket(rig.ECHO), *(r.modem.socket(AF_INET, SOCK_DGRAM) for _ in range(2))
        one.settimeout(30)
        s.settimeout(30)
        s.bind(("", 5000))
        one.connect(("a.example", 7))
        for n, (name, port) in enumerate((("a.example", 7), ("b.example", 8), ("a.example", 7)), 1):
            one.send(DATA[:n])
            assert one.recv(100) == DATA[:n]
            for size in (1, 600):
                s.sendto(DATA[:size], (name, port))
                got, sender = s.recvfrom(1460)
                assert got == DATA[:size] and sender[1] == port
                assert unnamed or sender[0] == r.net.names[name][0]
            stream.write(DATA[:3000])
            assert stream.read(3000) == DATA[:3000]


def never_read(choices):
    """Nobody reads until the module's buffer is full."""
    r = made(choices)
    s = r.socket(r.serve(Blob(DATA * 5)))
    r.pump(8000)
    assert s.read() == DATA * 5
    assert r.works()


def filled(choices):
    """A peer that takes nothing for a while, and small send buffers: all bytes once, in their order."""
    for room in (None, 1460):
        r = made(choices, **({"tx_limit": room} if room else {}))
        if room:
            r.vm.cacfg["SNDBUF"] = str(room)
        s = r.socket(r.serve(Peer), timeout=100)
        data = DATA * (2 if room else 5)
        assert s.write(data) == len(data)
        assert r.modem.flush(60_000)
        assert bytes(r.connection().received) == data
        s = r.socket(r.serve(Stall), timeout=0)
        sent = 0
        end = r.clock.now_us + 10_000_000
        while sent < len(data) and r.clock.now_us < end:
            sent += s.write(data[sent : sent + 1460]) or 0
            r.modem.wait(20)
        got = bytes(r.connection().received)
        assert got == data[: len(got)]


def unopened(choices):
    """Opens that fail, each with its error and within its time, and then one that does not."""
    for form in ("works", "refused"):
        r = made({"async_open": form, **choices})
        bare = choices.get("open_failure") in ("error alone", "cme") and r.vm.choices["async_open"] != "works"
        for _ in range(2):
            start = r.clock.ms
            fails(errno.ECONNABORTED if bare else errno.ECONNREFUSED, r.socket, r.serve(Refuse))
            assert r.clock.ms - start < 10_000
            s = r.socket(timeout=100)
            fails(errno.ETIMEDOUT, s.connect, r.serve(Blackhole, port=81))
            assert r.clock.ms - start < 100_000
            assert r.works()


def contextless(choices):
    """An open whose context the module has lost without a word."""
    r = made(choices)
    r.vm.urc = r.vm.report = lambda line: None
    r.vm.network_lost(0)
    del r.vm.urc, r.vm.report
    start = r.clock.ms
    fails(GONE, r.socket, rig.ECHO)
    assert r.clock.ms - start < 10_000 and not r.modem.isconnected()
    r.modem.connect("internet")
    assert r.works()


def contexts(choices):
    """Up, down and up again, with open links; adopted; taken by the network."""
    r = made(choices)
    for _ in range(2):
        s = r.socket(rig.ECHO)
        r.modem.disconnect()
        assert r.modem.status("context") == "DEACTIVE"
        fails(GONE, s.write, b"x")
        r.modem.connect("internet")
        assert r.works()
    r.socket(rig.ECHO)
    r.make()  # the microcontroller has started again, the module has not
    r.modem.connect("internet")
    s = r.socket(rig.ECHO)
    r.vm.network_lost()
    fails(GONE, s.read, 1)
    assert not r.modem.isconnected()
    r.modem.connect("internet")
    assert r.works()


def serving(choices):
    """A server with clients, and the close of it."""
    r = made(choices)
    door = r.socket()
    door.bind(("", 80))
    door.listen()
    callers = [r.dial(80) for _ in range(2)]
    clients = [door.accept()[0] for _ in callers]
    for caller, client in zip(callers, clients):
        client.settimeout(30)
        caller.send(b"hello")
        assert client.read(5) == b"hello"
        client.write(b"well")
        assert caller.recv(4) == b"well"
    door.close()
    clients[0].write(b"more")
    assert callers[0].recv(4) == b"more"
    callers[1].close()
    assert clients[1].read(1) == b""
    for client in clients:
        client.close()
    assert r.modem.flush(20_000) and r.works()


def transparent(choices):
    """Data mode, out of it and back, and its end by the peer."""

    class Last(Peer):
        def received(self, connection, data):
            connection.write(data[:100] * 3)
            if data.endswith(b"!"):
                connection.close()

    r = made(choices)
    s = r.modem.transparent(r.serve(Last))
    s.settimeout(200)  # where nothing tells of the end it is asked for after a while
    s.write(b"bytes")
    assert s.read(15) == b"bytes" * 3
    s.escape()
    assert r.modem.at("+CSQ") == ["+CSQ: 20,0"]
    s.resume()
    s.write(b"end!")
    assert s.read(12) == b"end!" * 3
    assert s.read(1) == b""
    s.close()
    assert r.works()


def settings(choices):
    """KEEPALIVE, on and off, and what AT+CACFG? tells."""
    r = made(choices)
    for count in (5, 3):
        s = r.socket(rig.ECHO)
        for option, value in ((3, 60), (4, 30), (5, count)):
            s.setsockopt(6, option, value)
        s.setsockopt(1, 8, 1)
        r.pump(90_000)
        s.write(b"alive")
        assert s.read(5) == b"alive"
        assert r.vm.configured("KEEPALIVE") == 1 and r.vm.configured("KEEPALIVE", 3) == count
        s.setsockopt(1, 8, 0)
        assert not r.vm.configured("KEEPALIVE")
        s.close()
    assert len(r.modem.at("+CACFG?")) == 8 and r.works()


def echoing(choices):
    """The program has switched the echo on: payload comes back, or not."""
    r = made(choices)
    s = r.socket(rig.ECHO)
    r.vm.echo = True
    for n in (1, 5, 1460, 3000):
        s.write(DATA[:n])
        assert s.read(n) == DATA[:n]
    s.close()
    assert r.works()


def payload_cut(choices):
    """Bytes of a payload are lost on their way to the module, whose input time is over then."""
    r = made(choices)
    s = r.socket(r.serve(Peer), timeout=60)
    s.write(b"first")
    wire = r.vm.port
    wire.drop("tx", wire.offset["tx"] + 500, 3)
    told = 0
    try:
        for piece in (DATA[:1000], b"more"):
            s.write(piece)
            assert r.modem.flush(30_000)
            told += len(piece)
    except OSError:
        pass
    if choices["input_over"] != "ok":  # else nobody but the peer could tell
        assert len(r.connection().received) >= 5 + told
    assert r.works()


def boots(choices):
    """Switched on by its key, without a fixed rate; restarted when asked to, and by itself."""
    r = made(choices, powered=False)
    assert r.works()
    r.modem.reset()
    r.modem.connect("internet")
    assert r.works()
    s = r.socket(rig.ECHO)
    r.vm.restart()
    fails(GONE, s.read, 1)
    r.modem.connect("internet")
    assert r.works()


BY_READING = {
    streams: "trailer prompt prompt_pieces late_casend caack empty early closed_read read_error phantom carecv_read "
    "notice open_notice close_closed open_order deaf async_open failed_link ssl_keys unread",
    answers_first: "open_notice notice early phantom unread",
    pushed: "push_header push_tail recv_mode",
    datagrams: "source remoteaddr canew udp_reads push_header",
    never_read: "buffer_full notice",
    filled: "full room caack",
    unopened: "open_failure no_answer failed_link open_order",
    contextless: "no_context",
    contexts: "context_loss cnact_off cnact_active cnact_inactive pdp_index bearer_order",
    serving: "listener_close",
    transparent: "switch ato stream_end stream_left",
    settings: "keepalive_unit keepalive_again cacfg_read",
    echoing: "payload_echo",
    payload_cut: "input_over",
    boots: "autobaud_boot reset_answer",
}
# Of the whole dialect, and not of its sockets: other tests have them.
ELSEWHERE = {"creg", "card_off", "cfun_cpin"}


def items():
    readings = sim7080.Module._merged("CHOICES")
    for work, names in BY_READING.items():
        for name in names.split():
            for value in dict.fromkeys(readings[name]):
                yield pytest.param(work, name, value, id="%s-%s-%s" % (work.__name__, name, value))


@pytest.mark.parametrize("work, name, value", list(items()))
def test_program_sees_no_difference(work, name, value):
    work({name: value})


def test_every_reading_of_the_dialect_has_an_item():
    tried = set(" ".join(BY_READING.values()).split()) | ELSEWHERE
    for part in sim7080.Module.__mro__:
        if part.__module__.rpartition(".")[2] in PROFILE:
            assert set(vars(part).get("CHOICES", ())) <= tried, part
