"""Two PDP contexts at once."""

import errno

from families import CA, OPEN
import pytest
from feed import CHUNKS, Module
from rig import ECHO, Rig
from sim import Echo, Sink
from test_replay import Replay, connected, modem
from test_status import each_seed, refused
from transcript import transcripts

import simcom

START = pytest.mark.parametrize("family", ("sim800", "sim7000"))
GONE = (errno.ENOTCONN, errno.ECONNABORTED)


def second_of(rig):
    second = rig.modem.context("other.apn", "user", "key")
    second.connect()
    return second


@pytest.mark.feature("contexts")
@START
@each_seed
def test_sockets_on_both(family, seed):
    rig = Rig(seed, family=family)
    second = second_of(rig)
    assert second.isconnected()
    assert second.ifconfig()[0] == rig.net.local_addresses[1]
    assert rig.modem.ifconfig()[0] == rig.net.local_addresses[0]
    other = rig.vm.contexts[1]
    assert (other.apn, other.user, other.password) == ("other.apn", "user", "key")
    a = rig.socket(ECHO)
    b = second.socket()
    b.settimeout(30)
    b.connect(ECHO)
    c = rig.socket(ECHO)
    assert [rig.vm.links[n].bearer for n in range(3)] == [0, 1, 0]
    assert rig.vm.selected == 0
    for i, s in enumerate((a, b, c)):
        s.write(b"%d" % i * 500)
    for i, s in enumerate((a, b, c)):
        assert s.read(500) == b"%d" % i * 500
    second.disconnect()
    assert not second.isconnected() and rig.modem.isconnected()
    with pytest.raises(OSError) as caught:
        b.read(1)
    assert caught.value.args[0] in GONE
    a.write(b"still here")
    assert a.read(10) == b"still here"
    assert rig.vm.selected == 0 and rig.vm.contexts[1].state == "IP INITIAL"
    second.connect()
    b = second.socket()
    b.connect(ECHO)
    rig.modem.disconnect()
    assert not second.isconnected() and not rig.modem.isconnected()
    assert [each.state for each in rig.vm.contexts] == ["IP INITIAL"] * 2
    rig.modem.connect("internet")
    assert rig.works()


@pytest.mark.feature("contexts")
@START
@each_seed
def test_connects_at_the_same_time_do_not_mix(family, seed):
    rig = Rig(seed, family=family)
    second = second_of(rig)
    rig.serve(Echo, "one.example", 5001)
    rig.serve(Sink, "two.example", 5002)
    sockets = []
    for i in range(rig.modem.LINKS):
        s = second.socket() if i % 2 else rig.modem.socket()
        s.settimeout(0)
        with pytest.raises(OSError):
            s.connect(("two.example", 5002) if i % 2 else ("one.example", 5001))
        sockets.append(s)
    rig.pump(3000)
    for link in rig.vm.links:
        assert link.state == "CONNECTED"
        assert link.bearer == (link.port == 5002)
    for s in sockets:
        s.settimeout(10)
        s.write(b"x")


@pytest.mark.feature("contexts")
@START
@each_seed
@pytest.mark.parametrize("bearer", (0, 1))
def test_context_that_is_lost(family, seed, bearer):
    rig = Rig(seed, family=family)
    second = second_of(rig)
    s = second.socket()
    s.settimeout(10)
    s.connect(ECHO)
    rig.vm.pdp_deact(bearer)
    with pytest.raises(OSError) as caught:
        s.read(1)
    assert caught.value.args[0] in GONE
    assert not second.isconnected() and not rig.modem.isconnected()
    with pytest.raises(OSError) as caught:
        second.connect()
    assert caught.value.args[0] == errno.ENOTCONN
    rig.modem.connect("internet")
    second.connect()
    s = second.socket()
    s.settimeout(10)
    s.connect(ECHO)
    s.write(b"back")
    assert s.read(4) == b"back"
    assert rig.works()


@START
def test_second_context_that_is_refused_leaves_the_first_alone(family):
    rig = Rig(family=family)
    a = rig.socket(ECHO)
    rig.vm.bringup = "error"
    second = rig.modem.context("wrong.apn")
    with pytest.raises(OSError):
        second.connect()
    assert not second.isconnected() and rig.modem.isconnected()
    assert rig.vm.selected == 0
    a.write(b"unharmed")
    assert a.read(8) == b"unharmed"
    s = second.socket()
    with pytest.raises(OSError) as caught:
        s.connect(ECHO)
    assert caught.value.args[0] == errno.ENOTCONN
    rig.vm.bringup = "ok"
    second.connect()
    assert rig.works()


@START
@pytest.mark.parametrize("lost", [False, True])
def test_second_context_that_the_network_refuses_by_deact(family, lost):
    rig = Rig(family=family)
    a = rig.socket(ECHO)
    rig.vm.bringup = "deact"
    if lost:  # and the first goes with it
        rig.vm.ciicr_ms = 2000
        rig.clock.after_ms(1000, lambda: rig.vm.pdp_deact(0))
    second = rig.modem.context("wrong.apn")
    with pytest.raises(OSError):
        second.connect()
    rig.pump(3000)
    assert rig.vm.selected == 0 and not second.isconnected()
    assert rig.modem.isconnected() == (not lost)
    if lost:
        with pytest.raises(OSError) as caught:
            a.write(b"gone")
        assert caught.value.args[0] == errno.ENOTCONN
        rig.vm.bringup = "ok"
        rig.modem.connect("internet")
    else:
        a.write(b"unharmed")
        assert a.read(8) == b"unharmed"
    assert rig.works()


@START
@pytest.mark.parametrize("server_first", [False, True])
def test_server_outlives_a_second_context_that_is_refused_by_deact(family, server_first):
    rig = Rig(family=family)
    server = rig.modem.socket()
    server.settimeout(30)
    server.bind(("", 80))
    if server_first:
        server.listen(1)
    second = rig.modem.context("wrong.apn")
    if not server_first:
        server.listen(1)
    rig.vm.bringup = "deact"
    with pytest.raises(OSError):
        second.connect()
    rig.pump(3000)
    assert rig.modem.isconnected() and not second.isconnected()
    caller = rig.dial(80)
    client, _ = server.accept()
    caller.send(b"still served")
    assert client.read(12) == b"still served"


@START
def test_time_out_of_the_second_context_selects_the_first_again(family):
    rig = Rig(family=family)
    rig.vm.ciicr_ms = 20_000
    second = rig.modem.context("slow.apn")
    with pytest.raises(OSError) as caught:
        second.connect(timeout_ms=3000)
    assert caught.value.args[0] == errno.ETIMEDOUT
    rig.pump(30_000)
    assert rig.vm.selected == 0
    assert rig.works()


@START
def test_restart_of_the_module(family):
    rig = Rig(family=family)
    second = second_of(rig)
    rig.modem.reset()
    assert not second.isconnected()
    rig.modem.connect("internet")
    assert rig.works()
    second.connect()
    s = second.socket()
    s.connect(ECHO)
    s.write(b"x")
    assert s.read(1) == b"x"


@pytest.mark.lacks("contexts")
@pytest.mark.parametrize("family", OPEN)
def test_module_with_one_context(family):
    rig = Rig(family=family)
    refused(rig, rig.modem.context, "other.apn")


@START
@pytest.mark.parametrize("account", [('a"b',), ("apn", "u\r"), ("apn", "user", "k" * 51), (None,)])
def test_bad_account_sends_nothing(family, account):
    rig = Rig(family=family)
    sent = len(rig.sent)
    with pytest.raises(ValueError):
        rig.modem.context(*account)
    assert len(rig.sent) == sent


DUAL = transcripts("sim800", "sim7000", number="10")


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("transcript", DUAL, ids=lambda each: each.name)
def test_as_in_every_note(transcript, chunk):
    module = Replay(transcript, chunk=chunk)
    # The driver selects the second context for a moment only, and never sends AT+CIPSTATUS by itself.
    script = [entry for entry in module.script if not entry[0].startswith(b"AT+CIPSTATUS")]
    first = next(i for i, entry in enumerate(script) if entry[0] == b"AT+CIPSGTXT=1")
    opened = next(i for i, entry in enumerate(script) if entry[0].startswith(b"AT+CIPSTART=1"))
    ok = [b"\r\nOK\r\n"]
    script[opened:opened] = [(b"AT+CIPSGTXT=0", ok), (b"AT+CIPSGTXT=1", ok)]
    script.insert(opened + 3, (b"AT+CIPSGTXT=0", ok))
    script.insert(first + 1, (b"AT+CIPSHUT", [b"\r\nSHUT OK\r\n"]))  # whatever an earlier life left
    end = next(i for i in range(len(script) - 1, 0, -1) if script[i][0].startswith(b"AT+CIPCLOSE")) + 1
    script.insert(end, (b"AT+CIPSGTXT=1", ok))
    module.script = script
    made = modem(module)
    a = connected(made, "116.236.221.75", 5555)
    second = made.context("CMWAP")
    second.connect()
    assert second.ifconfig()[0] == "10.204.70.11"
    b = second.socket()
    b.settimeout(60)
    b.connect(("116.236.221.75", 5555))
    assert a.read(15) == b"Hello world 000"
    assert b.read(15) == b"Hello world 111"
    a.write(b"test 0")
    b.write(b"test 2")
    a.close()
    made.disconnect()
    module.finish()
    assert not second.isconnected() and not made.isconnected()


def test_second_context_in_single_connection_mode():
    module = Module()
    made = simcom.SIM7000(module.uart, mux=False)
    with pytest.raises(OSError) as caught:
        made.context("other.apn")
    assert caught.value.args[0] == errno.EOPNOTSUPP
    assert module.lines == []


@START
@each_seed
def test_datagrams_and_names_of_the_second_context(family, seed):
    rig = Rig(seed, family=family)
    second = second_of(rig)
    for host in (ECHO[0], "other.example"):
        rig.net.serve(host, 7, Echo, "UDP")
    u = second.socket(2, 2)
    u.settimeout(30)
    for host in (ECHO[0], "other.example"):  # towards another peer the link is opened anew
        u.sendto(b"hello " + host.encode(), (host, 7))
        assert u.recvfrom(100) == (b"hello " + host.encode(), (host, 7))
        assert [link.bearer for link in rig.vm.links if link.open] == [1] and rig.vm.selected == 0
    v = rig.modem.socket(2, 2)
    v.settimeout(30)
    v.sendto(b"by the first", (ECHO[0], 7))
    assert v.recv(100) == b"by the first"
    assert sorted(link.bearer for link in rig.vm.links if link.open) == [0, 1]
    at = len(rig.sent)
    assert second.resolve("other.example") == rig.net.names["other.example"]
    asked = rig.sent[at:]
    assert asked.index("AT+CIPSGTXT=1") < asked.index('AT+CDNSGIP="other.example"') < asked.index("AT+CIPSGTXT=0")
    with pytest.raises(OSError) as caught:
        second.resolve("nobody.example")
    assert caught.value.args[0] == -2 and rig.vm.selected == 0
    second.disconnect()
    with pytest.raises(OSError) as caught:
        u.recv(100)
    assert caught.value.args[0] in GONE
    for call in (lambda: u.sendto(b"x", ECHO), lambda: second.resolve("other.example")):
        with pytest.raises(OSError) as caught:
            call()
        assert caught.value.args[0] == errno.ENOTCONN
    v.sendto(b"still here", (ECHO[0], 7))
    assert v.recv(100) == b"still here"


# Contexts that have numbers: three beside the modem's own.


@pytest.mark.feature("contexts", "sim7080")
@each_seed
def test_sockets_on_all_four(seed):
    rig = Rig(seed, family="sim7080")
    more = [rig.modem.context("apn%d" % i, "user", "key") for i in range(3)]
    for second in more:
        second.connect()
    assert [each.config[1] for each in rig.vm.contexts] == ["internet", "apn0", "apn1", "apn2"]
    assert rig.vm.contexts[1].config[2:4] == ["user", "key"]
    assert len({rig.modem.ifconfig()[0], *(each.ifconfig()[0] for each in more)}) == 4
    sockets = [rig.socket(ECHO)] + [each.socket() for each in more]
    for s in sockets[1:]:
        s.settimeout(30)
        s.connect(ECHO)
    assert [rig.vm.links[n].bearer for n in range(4)] == [0, 1, 2, 3]
    assert [row[-1] for row in rig.modem.status("links")[:4]] == [0, 1, 2, 3]
    for i, s in enumerate(sockets):
        s.write(b"%d" % i * 500)
    for i, s in enumerate(sockets):
        assert s.read(500) == b"%d" % i * 500
    with pytest.raises(OSError) as caught:
        rig.modem.context("apn4")
    assert caught.value.errno == errno.ENOBUFS
    with pytest.raises(OSError) as caught:
        rig.modem.context("apn1")
    assert caught.value.errno == errno.EALREADY
    more[1].disconnect()
    assert rig.modem.context("apn1") is more[1]
    with pytest.raises(OSError) as caught:
        sockets[2].read(1)
    assert caught.value.errno in GONE
    for i in (0, 1, 3):
        sockets[i].write(b"still here")
        assert sockets[i].read(10) == b"still here"
    fourth = rig.modem.context("apn4")
    fourth.connect()
    assert [each.config[1] for each in rig.vm.contexts] == ["internet", "apn0", "apn4", "apn2"]
    rig.modem.disconnect()
    assert [each.status for each in rig.vm.contexts] == [0] * 4
    assert not [each for each in [rig.modem, *more, fourth] if each.isconnected()]
    rig.modem.connect("internet")
    assert rig.works()
    more[0].connect()
    s = more[0].socket()
    s.connect(ECHO)
    s.write(b"again")
    assert s.read(5) == b"again"


@pytest.mark.parametrize("index", ("always", "active", "never"))
@pytest.mark.parametrize("form", ("alone", "states before", "states behind", "states"))
@pytest.mark.parametrize("lost", (0, 1, 2))
@pytest.mark.parametrize("seed", (None, 44))  # what the first is asked after comes too late
def test_context_that_is_lost_ends_its_links_alone(index, form, lost, seed):
    rig = Rig(seed, family="sim7080", choices={"pdp_index": index, "context_loss": form})
    contexts = [rig.modem]
    for apn in ("one", "two"):
        contexts.append(rig.modem.context(apn))
        contexts[-1].connect()
    sockets = [each.socket() for each in contexts]
    for s in sockets:
        s.settimeout(20)
        s.connect(ECHO)
    rig.vm.network_lost(lost)
    rig.pump(3000)
    assert [each.isconnected() for each in contexts] == [n != lost for n in range(3)]
    for n, s in enumerate(sockets):
        if n == lost:
            with pytest.raises(OSError) as caught:
                s.write(b"x")
                s.read(1)
            assert caught.value.errno in GONE
        else:
            s.write(b"goes on")
            assert s.read(7) == b"goes on"
    if lost:
        contexts[lost].connect()
    else:
        rig.modem.connect("internet")
    assert [each.isconnected() for each in contexts] == [True] * 3
    for n, s in enumerate(sockets):
        if n == lost:
            s = contexts[n].socket()
            s.settimeout(20)
            s.connect(ECHO)
        s.write(b"all three")
        assert s.read(9) == b"all three"


@each_seed
def test_context_with_a_number_that_is_refused_leaves_the_first_alone(seed):
    rig = Rig(seed, family="sim7080", refuse_contexts=0)
    a = rig.socket(ECHO)
    rig.vm.refuse_contexts = -1
    second = rig.modem.context("wrong.apn")
    with pytest.raises(OSError) as caught:
        second.connect()
    assert caught.value.errno == errno.EHOSTUNREACH
    assert not second.isconnected() and rig.modem.isconnected()
    a.write(b"unharmed")
    assert a.read(8) == b"unharmed"
    with pytest.raises(OSError) as caught:
        second.socket().connect(ECHO)
    assert caught.value.errno == errno.ENOTCONN
    rig.vm.refuse_contexts = 0
    second.connect()
    assert second.isconnected() and rig.works()


def test_restart_ends_all_that_have_numbers():
    rig = Rig(family="sim7080")
    second = second_of(rig)
    s = second.socket()
    s.settimeout(10)
    s.connect(ECHO)
    rig.modem.reset()
    assert not second.isconnected()
    with pytest.raises(OSError) as caught:
        s.read(1)
    assert caught.value.errno in GONE
    rig.modem.connect("internet")
    second.connect()
    s = second.socket()
    s.connect(ECHO)
    s.write(b"x")
    assert s.read(1) == b"x"


def test_restart_while_the_modems_own_is_down():
    rig = Rig(family="sim7080", modem_args={"baudrate": 115200})
    second = second_of(rig)
    s = second.socket()
    s.settimeout(10)
    s.connect(ECHO)
    rig.vm.network_lost(0)
    rig.pump(1000)
    assert not rig.modem.isconnected() and second.isconnected()
    rig.vm.restart()
    rig.pump(10_000)
    assert not second.isconnected()
    with pytest.raises(OSError) as caught:
        s.read(1)
    assert caught.value.errno in GONE


@each_seed
def test_own_context_that_takes_the_number_of_another(seed):
    rig = Rig(seed, family="sim7080")
    second = second_of(rig)
    rig.modem.disconnect()
    rig.modem.config(cid=2)
    rig.modem.connect("internet")
    second.connect()
    assert [each.status for each in rig.vm.contexts] == [1, 1, 0, 0]
    s = second.socket()
    s.connect(ECHO)
    assert rig.vm.links[0].bearer == 0 and rig.works()


@each_seed
def test_datagrams_and_names_of_a_context_with_a_number(seed):
    rig = Rig(seed, family="sim7080")
    second = second_of(rig)
    for host in (ECHO[0], "other.example"):
        rig.net.serve(host, 7, Echo, "UDP")
    sockets = [second.socket(2, 2), second.socket(2, 2), rig.modem.socket(2, 2)]
    sockets[2].bind(("", 5000))
    for u in sockets:
        u.settimeout(30)
        for host in (ECHO[0], "other.example"):
            u.sendto(b"hello " + host.encode(), (host, 7))
            data, peer = u.recvfrom(100)
            assert data == b"hello " + host.encode() and peer[1] == 7
    assert [link.bearer for link in rig.vm.links if link.open] == [0, 1, 1]
    del rig.vm.commands[:]
    assert second.resolve("other.example") == rig.net.names["other.example"]
    assert [line for line in rig.sent if "DNS" in line] == [
        "AT+CDNSPDPID=1",
        'AT+CDNSGIP="other.example",1,10000',
        "AT+CDNSPDPID=0",
    ]
    with pytest.raises(OSError) as caught:
        second.resolve("nobody.example")
    assert caught.value.args[0] == -2 and rig.vm.name_context == 0
    second.disconnect()
    with pytest.raises(OSError) as caught:
        sockets[0].recv(100)
    assert caught.value.args[0] in GONE
    for call in (lambda: sockets[0].sendto(b"x", ECHO), lambda: second.resolve("other.example")):
        with pytest.raises(OSError) as caught:
            call()
        assert caught.value.errno == errno.ENOTCONN
    sockets[2].sendto(b"still here", (ECHO[0], 7))
    assert sockets[2].recv(100) == b"still here"


# --- servers


def served(rig, server, data):
    """Somebody calls, is accepted, and is heard and answered: (the caller, the socket of the client)."""
    caller = rig.dial(80)
    client, address = server.accept()
    assert address[0] == "192.0.2.7"
    caller.send(data)
    assert client.read(len(data)) == data
    client.write(data)
    assert caller.recv(len(data)) == data
    return caller, client


def gone_but_for(own, client, server):
    """The second context is down: its client and its server have ended, the other connection goes on."""
    for call in (lambda: client.read(1), server.accept):
        with pytest.raises(OSError) as caught:
            call()
        assert caught.value.args[0] in GONE
    own.write(b"still here")
    assert own.read(10) == b"still here"


@START
@each_seed
def test_server_of_the_second_context(family, seed):
    rig = Rig(seed, family=family)
    second = rig.modem.context("other.apn")
    server = second.socket()
    server.settimeout(30)
    server.bind(("", 80))
    with pytest.raises(OSError) as caught:
        server.listen()
    assert caught.value.args[0] == errno.ENOTCONN and not rig.vm.server_port
    second.connect()
    server.listen()
    assert rig.vm.server_port == 80 and rig.vm._server_bearer == 1 and rig.vm.selected == 0
    own = rig.socket(ECHO)
    caller, client = served(rig, server, b"by the second")
    bearers = {row[2]: row[6] for row in rig.modem.status("links") if row[4] == "CONNECTED"}
    assert bearers == {rig.net.names[ECHO[0]][0]: 0, "192.0.2.7": 1}
    rig.pump(30_000)  # the module is asked whether it listens
    served(rig, server, b"again")
    second.disconnect()
    gone_but_for(own, client, server)
    assert not rig.vm.server_port
    second.connect()  # and it listens again
    rig.pump(2000)
    served(rig, server, b"back")
    server.close()
    assert not rig.vm.server_port
    assert rig.works()


@START
def test_server_of_the_first_context_outlives_the_second(family):
    rig = Rig(family=family)
    server = rig.modem.socket()
    server.settimeout(30)
    server.bind(("", 80))
    server.listen()
    second = second_of(rig)
    _, client = served(rig, server, b"by the first")
    assert [link.bearer for link in rig.vm.links if link.open] == [0]
    second.disconnect()
    served(rig, server, b"once more")
    client.write(b"still here")
    rig.modem.disconnect()
    with pytest.raises(OSError) as caught:
        client.read(1)
    assert caught.value.args[0] in GONE


@START
@pytest.mark.parametrize("form", ("works", "refused"))
def test_local_port_in_the_second_context(family, form):
    rig = Rig(family=family, choices={"clport_link": form})
    second = second_of(rig)
    s = second.socket()
    s.settimeout(30)
    s.bind(("", 5000))
    with pytest.raises(OSError) as caught:
        s.bind(("", 5001))
    assert caught.value.args[0] == errno.EINVAL
    if form == "works":
        s.connect(ECHO)
        assert [link.bearer for link in rig.vm.links if link.open] == [1]
        s.write(b"x")
        assert s.read(1) == b"x"
        second.disconnect()
        with pytest.raises(OSError) as caught:
            s.read(1)
        assert caught.value.args[0] in GONE
    else:
        with pytest.raises(OSError) as caught:
            s.connect(ECHO)
        assert caught.value.args[0] == errno.EOPNOTSUPP
    assert rig.vm.selected == 0 and rig.works()


@START
def test_lost_contexts_end_the_server_of_the_second(family):
    rig = Rig(family=family)
    second = second_of(rig)
    server = second.socket()
    server.settimeout(30)
    server.bind(("", 80))
    server.listen()
    rig.vm.network_lost()
    rig.pump(500)  # both are told of
    with pytest.raises(OSError) as caught:
        server.accept()
    assert caught.value.args[0] in GONE
    rig.modem.connect("internet")
    rig.pump(5000)
    assert not rig.vm.server_port, "it waits for its own context"
    second.connect()
    rig.pump(2000)
    served(rig, server, b"again")


@pytest.mark.parametrize("family", CA)
def test_server_of_another_context_where_they_have_numbers(family):
    rig = Rig(family=family)
    second = rig.modem.context("other.apn")
    second.connect()
    server = second.socket()
    server.settimeout(30)
    server.bind(("", 80))
    server.listen()
    assert [link.bearer for link in rig.vm.links if link.listens] == [second.pdp]
    _, client = served(rig, server, b"by the second")
    own = rig.socket(ECHO)
    second.disconnect()
    gone_but_for(own, client, server)


@START
@each_seed
def test_state_of_the_second_context(family, seed):
    rig = Rig(seed, family=family)
    second = rig.modem.context("other.apn")
    assert second.status() == "IP INITIAL" and rig.modem.status("context") == "IP STATUS"
    second.connect()
    assert second.status() == "IP STATUS"
    server = second.socket()
    server.bind(("", 80))
    server.listen()
    assert second.status() == "IP PROCESSING" and rig.modem.status("context") == "IP STATUS"
    assert rig.vm.selected == 0
    server.close()
    second.disconnect()
    assert second.status() == "IP INITIAL" and rig.works()


@pytest.mark.parametrize("family", CA)
def test_state_of_another_context_where_they_have_numbers(family):
    rig = Rig(family=family)
    second = rig.modem.context("other.apn")
    states = [second.status()]
    second.connect()
    states.append(second.status())
    second.disconnect()
    states.append(second.status())
    assert states == ["DEACTIVE", "ACTIVE", "DEACTIVE"] and rig.modem.status("context") == "ACTIVE"
