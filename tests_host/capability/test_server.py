"""Servers where a shared case cannot look: on the wire, in races for link numbers, and when notices are lost."""

import errno
import random

from rig import ECHO, Rig  # first: it puts the shim in place
from families import CIP, FAMILIES, OPEN
import pytest
import select

from sim import Blackhole, Echo
from sim.faults import Faulty

from simcom import socket as module
from simcom.links import State

CIPSTART = ("sim800", "sim7000")
SERVERS = {"sim800": 1, "sim7000": 1, "sim7028": 2, "a76xx": 4, "sim7080": 4}
OWN = {"sim800": 1, "sim7000": 1, "sim7028": 0, "a76xx": 0, "sim7080": 1}  # links that the server itself takes
SEEDS = (None, *range(1, 9))
FEW = (None, 1, 2, 3)
NOTICES = ("REMOTE IP", "+CLIENT", "+CANEW")

families = pytest.mark.parametrize("family", FAMILIES)
each_cip = pytest.mark.parametrize("family", CIP)
seeds = pytest.mark.parametrize("seed", SEEDS)
few = pytest.mark.parametrize("seed", FEW)
server = pytest.mark.feature("server")


def listening(rig, port=80, timeout=30, backlog=0):
    s = rig.socket(timeout=timeout)
    s.bind(("", port))
    s.listen(backlog)
    return s


def accepted(s):
    client, address = s.accept()
    client.settimeout(30)
    return client, address


def carries(outside, inside, data=b"both ways"):
    outside.send(data)
    assert inside.read(len(data)) == data
    inside.write(data)
    assert outside.recv(len(data)) == data


def raises(code, work, *args):
    with pytest.raises(OSError) as caught:
        work(*args)
    assert caught.value.args[0] == code, repr(caught.value)
    return caught.value


def sent(rig, *starts):
    return [line for line in rig.sent if line.startswith(starts)]


class Deaf:
    """Notices of clients are lost, in the module's output, until it is closed."""

    def __init__(self, rig, words=NOTICES):
        self.vm = rig.vm
        self.words = words
        self.lost = []
        rig.vm.report = self.report

    def report(self, text):
        if any(word in text for word in self.words):
            self.lost.append(text)
        else:
            type(self.vm).report(self.vm, text)

    def close(self):
        del self.vm.report


def dial_at(rig, n, port=80):
    """A client that the module gives link n, whatever it would prefer."""
    others = [link for link in rig.vm.links if link.n != n and not link.rx]
    for link in others:
        link.rx.append([b"", None])
    try:
        return rig.dial(port)
    finally:
        for link in others:
            link.rx.clear()


def before(rig, name, kind, work):
    """Do work() once, when the module has just got a command of this name and kind, for a link or without."""
    real = getattr(rig.vm, "do_" + name)

    def first(op, args):
        if op == kind:
            delattr(rig.vm, "do_" + name)
            work(int(args[0]) if args else None)
        return real(op, args)

    setattr(rig.vm, "do_" + name, first)


OPENS = {"sim800": "CIPSTART", "sim7000": "CIPSTART", "sim7028": "CIPOPEN", "a76xx": "CIPOPEN", "sim7080": "CAOPEN"}


# On the wire


@families
@server
def test_listen_after_a_close_that_did_not_wait_returns_when_the_module_listens_again(family):
    rig = Rig(family)
    s = listening(rig)
    s.setblocking(False)
    s.close()
    before = len(sent(rig, "AT+CIPSERVER=1", "AT+SERVERSTART="))
    listening(rig)
    assert len(sent(rig, "AT+CIPSERVER=1", "AT+SERVERSTART=")) == before + 1


@server
@each_cip
def test_commands_of_a_server(family):
    rig = Rig(family=family)
    s = rig.socket()
    count = len(rig.sent)
    s.setsockopt(module.SOL_SOCKET, module.SO_REUSEADDR, 1)
    s.bind(("", 8080))
    assert len(rig.sent) == count
    s.listen()
    s.close()
    expected = {
        1: ["AT+CIPSERVER=1,8080", "AT+CIPSERVER=0"],
        0: ["AT+SERVERSTART=8080,0", "AT+SERVERSTOP=0"],
    }
    assert rig.sent[count:] == expected[OWN[family]]


@pytest.mark.parametrize("backlog, told", [(0, ""), (1, ",1"), (3, ",3"), (5, ",3"), (-1, ",1")])
@pytest.mark.parametrize("family", OPEN)
def test_backlog_is_what_the_module_can(family, backlog, told):
    rig = Rig(family=family)
    listening(rig, 8080, backlog=backlog)
    assert sent(rig, "AT+SERVERSTART=") == ["AT+SERVERSTART=8080,0" + told]


@server
@each_cip
def test_as_many_servers_as_the_family_has(family):
    rig = Rig(family=family)
    sockets = [listening(rig, 8000 + i) for i in range(SERVERS[family])]
    count = len(rig.sent)
    s = rig.socket()
    s.bind(("", 9000))
    e = raises(errno.ENOBUFS, s.listen)
    for i in range(SERVERS[family]):
        assert str(8000 + i) in str(e)
    other = rig.socket()
    other.bind(("", 8000))
    assert "8000" in str(raises(errno.EADDRINUSE, other.listen))
    assert len(rig.sent) == count
    for i, each in enumerate(sockets[: rig.modem.LINKS - OWN[family]]):
        outside = rig.dial(8000 + i)
        carries(outside, accepted(each)[0])
    sockets[0].close()
    s.listen()
    outside = rig.dial(9000)
    if outside.taken:
        carries(outside, accepted(s)[0])


@server
@families
def test_address_of_a_client(family):
    rig = Rig(family=family)
    s = listening(rig)
    rig.dial(80, "203.0.113.9", 1234)
    assert s.accept()[1] == ("203.0.113.9", 1234)


@server
@each_cip
def test_address_of_a_client_that_has_closed_already(family):
    rig = Rig(family=family)
    s = listening(rig)
    rig.dial(80, "203.0.113.9", 1234).connection.reset()
    client, address = accepted(s)
    assert address == ("203.0.113.9", 1234)
    client.settimeout(1)
    assert client.read(1) == b""


@families
def test_idle_server_asks_now_and_then(family):
    rig = Rig(family=family)
    listening(rig)
    count = len(rig.sent)
    rig.pump(60_000)
    assert 5 <= len(rig.sent) - count <= 6 * (1 + rig.modem.LINKS)


@families
def test_nothing_is_asked_when_the_last_server_is_gone(family):
    rig = Rig(family=family)
    listening(rig).close()
    count = len(rig.sent)
    rig.pump(60_000)
    assert len(rig.sent) == count
    rig.socket(ECHO)
    assert int(sent(rig, "AT+" + OPENS[family] + "=")[-1].split("=")[1][0]) == 0  # from the lowest again


@families
def test_data_from_before_accept_is_read_behind_it(family):
    rig = Rig(family=family)
    s = listening(rig)
    outside = rig.dial(80)
    outside.send(b"early")
    rig.pump(1000)
    assert not sent(rig, "AT+CIPRXGET=2")
    inside, _ = accepted(s)
    inside.settimeout(1)
    assert inside.read(5) == b"early"


@families
def test_accepted_client_has_no_ring_before(family):
    rig = Rig(family=family)
    s = listening(rig)
    rig.dial(80)
    rig.pump(1000)
    waiting = [link for link in rig.modem.links.slots if link]
    assert len(waiting) == 1 and waiting[0].ring is None
    assert accepted(s)[0]._link is waiting[0] and waiting[0].ring


@families
def test_no_memory_for_a_client(family):
    rig = Rig(family=family)
    s = listening(rig)
    outside = rig.dial(80)
    lend = rig.modem.receiver.rings.lend

    def full(link):
        raise MemoryError

    rig.modem.receiver.rings.lend = full
    raises(errno.ENOMEM, s.accept)
    rig.modem.receiver.rings.lend = lend
    carries(outside, accepted(s)[0])


# Clients and outgoing links want the same numbers


@server
@families
@seeds
def test_server_clients_and_outgoing_links_compete_for_link_numbers(family, seed):
    rig = Rig(seed, family=family, modem_args={"rxbuf": 512})
    dice = random.Random(seed)
    s = listening(rig, timeout=0)
    room = rig.modem.LINKS - OWN[family]
    inside, outside, mine, refused = [], [], [], 0
    for step in range(60):
        if dice.random() < 0.5:
            outside.append(rig.dial(80))
            if not outside[-1].taken:
                outside.pop()
        if dice.random() < 0.5:
            o = rig.socket(timeout=0)
            try:
                o.connect(ECHO)
            except OSError as e:
                assert e.args[0] in (errno.EINPROGRESS, errno.ENOBUFS)
                if e.args[0] == errno.EINPROGRESS:
                    mine.append(o)
        for each in mine:
            each._poll(select.POLLOUT)  # else a connection that is not there yet is taken for dropped
        rig.pump(dice.choice((0, 1, 5, 20, 100)))
        try:
            client, _ = s.accept()
            client.settimeout(30)
            inside.append(client)
        except OSError as e:
            assert e.args[0] == errno.EAGAIN
        if step % 10 == 9:
            rig.pump(5000)
            while True:
                try:
                    inside.append(s.accept()[0])
                except OSError:
                    break
            assert len(inside) == len(outside)
            for i, each in enumerate(inside):
                each.settimeout(30)
                each.write(b"server %d" % i)
            assert sorted(each.recv(8) for each in outside) == sorted(b"server %d" % i for i in range(len(inside)))
            for i, each in enumerate(mine):
                each.settimeout(30)
                try:
                    each.write(b"mine %d" % i)
                except OSError as e:  # the last number went to a client
                    assert e.args[0] == errno.ENOBUFS
                    refused += 1
                    continue
                assert each.read(6) == b"mine %d" % i
            for each in (*inside, *mine):
                each.close()
            inside, outside, mine = [], [], []
            rig.pump(200)
    assert refused < 20 and room
    s.close()
    everything = [rig.socket(ECHO) for _ in range(rig.modem.LINKS)]
    for each in everything:
        each.write(b"all")
        assert each.read(3) == b"all"


@pytest.mark.parametrize("late", [False, True], ids=["notice at once", "notice behind the refusal"])
@pytest.mark.parametrize("family", ["sim800", "sim7000", "a76xx"])
@seeds
def test_number_that_a_client_has_got_meanwhile(family, seed, late):
    rig = Rig(seed, family=family)
    s = listening(rig)
    came = []

    def work(n):
        deaf = Deaf(rig)
        came.append((n, dial_at(rig, n)))
        deaf.close()
        for text in deaf.lost:
            rig.vm.later(200 if late else 0, lambda text=text: rig.vm.report(text))

    before(rig, OPENS[family], "=", work)
    mine = rig.socket(ECHO)
    ((n, outside),) = came
    assert mine._link.n == n - 1
    mine.write(b"mine")
    assert mine.read(4) == b"mine"
    inside, address = accepted(s)
    assert inside._link.n == n and address[0] == "192.0.2.7"
    carries(outside, inside)
    rig.pump(1000)
    s.settimeout(0)
    raises(errno.EAGAIN, s.accept)  # it came once


@each_cip
@few
def test_last_number_that_a_client_has_got_meanwhile(family, seed):
    rig = Rig(seed, family=family)
    s = listening(rig)
    pairs = []
    for _ in range(rig.modem.LINKS - OWN[family] - 1):
        outside = rig.dial(80)
        pairs.append((outside, accepted(s)[0]))
    before(rig, OPENS[family], "=", lambda n: pairs.append((dial_at(rig, n), None)))
    mine = rig.socket()
    with pytest.raises(OSError):
        mine.connect(ECHO)
    pairs[-1] = pairs[-1][0], accepted(s)[0]
    for outside, inside in pairs:
        carries(outside, inside)
    assert not rig.dial(80).taken
    pairs[0][1].close()
    mine = rig.socket(ECHO)
    mine.write(b"now")
    assert mine.read(3) == b"now"


@families
def test_no_number_left_names_the_peers(family):
    rig = Rig(family=family)
    listening(rig)
    for _ in range(rig.modem.LINKS - OWN[family]):
        rig.socket(ECHO)
    count = len(rig.sent)
    e = raises(errno.ENOBUFS, rig.socket().connect, ECHO)
    assert "echo.example:7" in str(e) and (not OWN[family] or "server:80" in str(e))
    assert not sent(rig, "AT+CIPCLOSE") and len(rig.sent) == count


@each_cip
@few
def test_more_clients_than_numbers(family, seed):
    rig = Rig(seed, family=family)
    s = listening(rig)
    outside = [rig.dial(80) for _ in range(12)]
    room = rig.modem.LINKS - OWN[family]
    assert [each.taken for each in outside] == [True] * room + [False] * (12 - room)
    inside = [accepted(s)[0] for _ in range(room)]
    for i, each in enumerate(inside):
        each.write(b"%d" % i)
    assert sorted(each.recv(1) for each in outside[:room]) == sorted(b"%d" % i for i in range(room))
    for each in inside:
        each.close()
    carries(rig.dial(80), accepted(s)[0])


@families
@few
def test_clients_that_close_before_they_are_accepted_do_not_use_up_the_numbers(family, seed):
    rig = Rig(seed, family=family)
    s = listening(rig)
    for _ in range(3 * rig.modem.LINKS):
        outside = rig.dial(80)
        if outside.taken:
            outside.close()
        rig.pump(300)
    rig.pump(12_000)
    mine = rig.socket(ECHO)
    mine.write(b"x")
    assert mine.read(1) == b"x"
    mine.close()
    s.settimeout(1)
    for _ in range(3 * rig.modem.LINKS):
        try:
            client, _ = s.accept()
        except OSError:
            break
        assert client.read() == b""
        client.close()
    s.settimeout(30)
    carries(rig.dial(80), accepted(s)[0])


# Lost notices


@server
@each_cip
@seeds
def test_lost_notice_of_a_client_costs_a_delay(family, seed):
    rig = Rig(seed, family=family)
    s = listening(rig)
    deaf = Deaf(rig)
    outside = rig.dial(80)
    inside, address = accepted(s)
    assert deaf.lost and address == ("192.0.2.7", 50001)
    carries(outside, inside)
    deaf.close()
    if rig.modem.LINKS > 2:
        carries(rig.dial(80), accepted(s)[0])


@families
def test_notice_that_comes_behind_the_answer_is_of_the_same_client(family):
    rig = Rig(family=family)
    s = listening(rig)
    deaf = Deaf(rig)
    outside = rig.dial(80)
    inside, _ = accepted(s)
    deaf.close()
    for text in deaf.lost:
        rig.vm.report(text)
    rig.pump(100)
    carries(outside, inside)
    s.settimeout(0)
    raises(errno.EAGAIN, s.accept)


@each_cip
@few
def test_lost_close_of_a_link_whose_number_a_client_gets(family, seed):
    rig = Rig(seed, family=family)
    s = listening(rig)
    first = rig.dial(80)
    old, _ = accepted(s)
    n = old._link.n
    deaf = Deaf(rig, ("CLOSED", "IPCLOSE"))
    rig.vm.exception = lambda text: None
    first.close()
    rig.pump(300)
    del rig.vm.exception
    deaf.close()
    outside = dial_at(rig, n)
    inside, _ = accepted(s)
    assert inside._link.n == n and old._link.n == -1
    raises(errno.ECONNRESET, old.read, 1)
    carries(outside, inside)


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("known", [False, True], ids=["first", "learnt"])
def test_lost_notice_with_several_servers(offset, known):
    rig = Rig(family="a76xx", choices={"server_offset": offset})
    sockets = [listening(rig, 8000 + i, timeout=60) for i in range(3)]
    if known:
        carries(rig.dial(8001), accepted(sockets[1])[0])
        rig.pump(11_000)
    deaf = Deaf(rig)
    outside = [rig.dial(8000 + i) for i in range(3)]
    deaf.close()
    if known or not offset:
        for i in range(3):
            carries(outside[i], accepted(sockets[i])[0])
    else:
        rig.pump(11_000)  # whose each is cannot be known; none is forgotten
        assert sum(len(s._link.waiting) for s in sockets) == 3


@pytest.mark.parametrize("family", CIPSTART)
@pytest.mark.parametrize("result", ["SERVER OK", "SERVER CLOSE"])
def test_lost_result_costs_a_delay(family, result):
    rig = Rig(family=family)
    deaf = Deaf(rig, (result,))
    s = listening(rig, timeout=60)
    carries(rig.dial(80), accepted(s)[0])
    s.close()
    deaf.close()
    s = listening(rig, 81)
    carries(rig.dial(81), accepted(s)[0])


@pytest.mark.parametrize("family", OPEN)
def test_lost_report_of_stopping_costs_a_delay(family):
    rig = Rig(family=family, choices={"server_stop": "ok first", "stop_with_clients": "stops"})
    s = listening(rig)
    deaf = Deaf(rig, ("SERVERSTOP",))
    s.close()
    deaf.close()
    rig.pump(15_000)
    s = listening(rig)
    carries(rig.dial(80), accepted(s)[0])
    assert len(sent(rig, "AT+SERVERSTART=")) == 2


@each_cip
def test_server_that_the_module_has_dropped_is_started_again(family):
    rig = Rig(family=family)
    s = listening(rig)
    rig.vm._unlisten()
    rig.pump(13_000)
    carries(rig.dial(80), accepted(s)[0])


# Stopping


@pytest.mark.parametrize("family", OPEN)
def test_module_that_stops_no_server_while_its_clients_are_there(family):
    rig = Rig(family=family, choices={"stop_with_clients": "refused"})
    s = listening(rig)
    outside = rig.dial(80)
    inside, _ = accepted(s)
    start = rig.clock.now_us
    s.close()
    assert rig.clock.now_us - start < 2_000_000
    assert rig.vm.servers
    carries(outside, inside)
    unwanted = rig.dial(80)
    assert unwanted.recv(1) == b""  # nobody is there to accept it
    again = listening(rig)  # the same port: it listens still
    assert len(sent(rig, "AT+SERVERSTART=")) == 1
    if family == "a76xx":
        outside = rig.dial(80)
        client, _ = accepted(again)
        carries(outside, client)
        client.close()
    again.close()
    other = listening(rig, 81)  # another server
    inside.close()
    rig.pump(12_000)
    assert list(rig.vm.servers.values()) == [81]
    carries(rig.dial(81), accepted(other)[0])


def test_all_servers_wait_for_their_clients_to_go():
    rig = Rig(family="sim7028", choices={"stop_with_clients": "refused"})
    inside = []
    for port in (80, 81):
        s = listening(rig, port)
        rig.dial(port)
        inside.append(accepted(s)[0])
        s.close()
    s = rig.socket()
    s.bind(("", 82))
    e = raises(errno.ENOBUFS, s.listen)
    assert "SERVERSTOP" in str(e)
    inside[0].close()
    rig.pump(12_000)
    s.listen()
    carries(rig.dial(82), accepted(s)[0])


@families
def test_close_without_blocking(family):
    rig = Rig(family=family)
    s = listening(rig, timeout=0)
    start = rig.clock.now_us
    s.close()
    s.close()
    assert rig.clock.now_us - start < 10_000
    again = listening(rig)  # before the other has been stopped
    carries(rig.dial(80), accepted(again)[0])


@families
def test_other_port_while_the_server_is_being_stopped(family):
    rig = Rig(family=family)
    s = listening(rig)
    s.setblocking(False)
    s.close()
    again = listening(rig, 81)
    carries(rig.dial(81), accepted(again)[0])
    assert not rig.dial(80).taken


# Failures


@server
@families
@pytest.mark.parametrize("how", ["network", "restart", "disconnect"])
def test_listening_socket_fails_with_its_context(family, how):
    rig = Rig(family=family)
    s = listening(rig)
    idle = listening(rig, 81) if SERVERS[family] > 1 else None
    rig.dial(80)
    client, _ = accepted(s)
    rig.dial(80)  # waits
    rig.pump(500)
    poll = select.poll()
    poll.register(s, select.POLLIN)
    {"network": rig.vm.network_lost, "restart": rig.vm.restart, "disconnect": rig.modem.disconnect}[how]()
    rig.pump(20_000)
    assert poll.poll(0)[0][1] & select.POLLERR
    for each in (s, idle):
        if each:
            with pytest.raises(OSError) as caught:
                each.accept()
            assert caught.value.args[0] in (errno.ENOTCONN, errno.ECONNABORTED)
    with pytest.raises(OSError):
        client.read(1)
    rig.modem.disconnect()
    rig.modem.connect("internet")
    s.listen()  # the same socket may try again
    carries(rig.dial(80), accepted(s)[0])


@server
@families
@pytest.mark.parametrize("how", ["network", "restart", "disconnect"])
def test_server_of_a_program_that_goes_on_accepting_outlives_its_context(family, how):
    # As the ports' own sockets; asyncio.start_server() ignores what accept() raises and never listens again.
    rig = Rig(family=family)
    s = listening(rig, timeout=0)
    poll = select.poll()
    poll.register(s, select.POLLIN)

    def serve(ms):
        """The addresses of the clients that came, and the errors."""
        seen = []
        end = rig.clock.now_us + ms * 1000
        while rig.clock.now_us < end:
            if poll.poll(10):
                try:
                    client, _ = s.accept()
                    seen.append(client.recv(10))
                    client.close()
                except OSError as e:
                    seen.append(e.args[0])
        return seen

    rig.pump(500)
    rig.dial(80).send(b"before")
    assert serve(1000) == [b"before"]
    {"network": rig.vm.network_lost, "restart": rig.vm.restart, "disconnect": rig.modem.disconnect}[how]()
    assert serve(20_000) in ([errno.ENOTCONN], [errno.ECONNABORTED]), "it is said once"
    rig.modem.disconnect()
    assert serve(2000) in ([errno.ENOTCONN], [])
    rig.modem.connect("internet")
    assert serve(2000) == []
    rig.dial(80).send(b"after")
    assert serve(1000) == [b"after"]
    s.close()
    rig.pump(15_000)
    assert not rig.dial(80).taken


@families
def test_restart_without_a_word_is_found_out(family):
    rig = Rig(family=family, boot_lines=())
    s = listening(rig, timeout=120)
    rig.vm.restart()
    with pytest.raises(OSError) as caught:
        s.accept()
    assert caught.value.args[0] in (errno.ENOTCONN, errno.ECONNABORTED, errno.ETIMEDOUT)
    assert not rig.modem.isconnected()


@pytest.mark.parametrize("family", CIPSTART)
def test_port_that_was_hurt_on_the_line_makes_no_client(family):
    rig = Rig(family=family)
    s = listening(rig)
    own = rig.socket(rig.serve(Echo, port=8080))
    feed = rig.uart.feed
    hurt = []

    def once(data, *baud):
        if b"STATUS: " in data and b"8080" in data and not hurt:
            hurt.append(data)
            data = data.replace(b"8080", b"880")
        return feed(data, *baud)

    rig.uart.feed = once
    rig.pump(30_000)
    assert hurt
    own.write(b"still mine")
    assert own.read(10) == b"still mine"
    s.settimeout(0)
    raises(errno.EAGAIN, s.accept)


# What lists links, and whose they are.
LISTS = {"sim800": ("CIPSTATUS", "="), "sim7000": ("CIPSTATUS", "="), "sim7028": ("CIPOPEN", "?")}
LISTS.update({"a76xx": ("CIPOPEN", "?"), "sim7080": ("CASTATE", "?")})


@families
def test_client_right_behind_an_answer_about_its_number(family):
    # The answer is of the connection before: that it is closed ended the new one.
    rig = Rig(family=family, wrap=Faulty)
    s = listening(rig, timeout=60)
    first = dial_at(rig, 1)
    c, _ = s.accept()
    first.close()
    assert c.read(1) == b""
    c.close()
    second = []

    def dial(_):
        rig.port.stall(rig.port.offset["rx"], 300)
        rig.clock.after_ms(100, lambda: second.append(dial_at(rig, 1)))

    before(rig, *LISTS[family], dial)
    while not second:
        rig.pump(10)
    second[0].send(b"hello")
    c, _ = s.accept()
    assert c.read(5) == b"hello"
    c.write(b"world")
    assert second[0].recv(5) == b"world"


@pytest.mark.parametrize("question", range(3))  # the server's, whose the number is, whether it is open
@each_cip
def test_answer_about_a_link_that_has_given_its_number_to_a_client(family, question):
    # It connects under another number by now: what the answer says of that, or of the old one, is not about it.
    rig = Rig(family=family, wrap=Faulty)
    listening(rig)
    c = rig.modem.socket()
    c.settimeout(0)
    with pytest.raises(OSError):
        c.connect(rig.serve(Blackhole))
    rig.pump(1000)
    link = c._link
    old, new = link.n, link.n - 1
    name, kind = LISTS[family]
    start = family in CIPSTART
    real = getattr(rig.vm, "do_" + name)
    asked = []

    def answer(op, args):
        mine = op == kind and (not start or args == [str(old)])
        if mine:
            asked.append(rig.clock.now_us)
        if not mine or len(asked) <= question:
            return real(op, args)
        setattr(rig.vm, "do_" + name, real)
        rig.port.stall(rig.port.offset["rx"], 300)  # answer and notice are seen at once
        if start:
            rig.vm.info('+CIPSTATUS: %d,0,"TCP","198.51.100.2","80","CLOSED"' % old)
        else:
            rig.vm.info('+CIPOPEN: %d,"TCP","198.51.100.9",81,-1' % new)
        notice = "%d, REMOTE IP: 192.0.2.7" if start else '+CLIENT: %d,0,"192.0.2.7:50000"'
        rig.vm.after_final(lambda: rig.vm.report(notice % old))
        return "OK"

    setattr(rig.vm, "do_" + name, answer)
    states = set()
    for _ in range(1200):
        rig.pump(10)
        if link.n != old:
            states.add(link.state)
    assert link.n == new
    assert states == {State.CONNECTING} and not link.error


@pytest.mark.parametrize("ms", range(0, 12, 3))
def test_number_that_changes_hands_before_the_answer_about_it_is_looked_into(ms):
    # One client has left, and the module is asked which; meanwhile another one's number is closed and given anew.
    rig = Rig(family="sim7080", send_ms=0)
    s = listening(rig, timeout=60)
    outside = [rig.dial(80), rig.dial(80), rig.dial(80)]
    inside = [accepted(s)[0] for _ in outside]
    n = inside[1]._link.n
    third = []
    real = rig.vm.do_CACLOSE

    def closed(op, args):
        rig.clock.after_ms(25, lambda: third.append(dial_at(rig, n)))
        del rig.vm.do_CACLOSE
        return real(op, args)

    rig.vm.do_CACLOSE = closed
    inside[1].settimeout(0)
    inside[1].write(b"bye")
    inside[1].close()
    rig.clock.after_ms(ms, outside[1].close)
    outside[0].close()
    while not third:
        rig.pump(1)
    client, _ = accepted(s)
    assert client._link.n == n
    rig.pump(1000)
    carries(third[0], client)


@families
def test_end_of_a_server_is_no_time_out(family):
    rig = Rig(family=family)
    s = listening(rig, timeout=120)  # longer than silence_ms
    rig.vm.silent = True
    assert raises(errno.ECONNABORTED, s.accept).args[1].endswith("no answer, nor to AT+CMEE?")
    begin = rig.clock.ms
    raises(errno.ETIMEDOUT, s.accept)  # it has said so, and waits for the next context
    assert rig.clock.ms - begin >= 120_000


@families
def test_listen_without_a_context(family):
    rig = Rig(family=family, up=False)
    s = rig.socket()
    s.bind(("", 80))
    count = len(rig.sent)
    raises(errno.ENOTCONN, s.listen)
    assert len(rig.sent) == count
    rig.modem.connect("internet")
    s.listen()


@families
@pytest.mark.parametrize("blocking", [True, False])
def test_port_that_the_module_does_not_get(family, blocking):
    rig = Rig(family=family)
    rig.net.listen(80, None)  # somebody else's
    s = rig.socket(timeout=30 if blocking else 0)
    s.bind(("", 80))
    if blocking:
        assert "80" in str(raises(errno.EADDRINUSE, s.listen))
    else:
        poll = select.poll()
        poll.register(s, select.POLLIN)
        s.listen()
        assert not poll.poll(0)
        rig.pump(2000)
        assert poll.poll(0)[0][1] == select.POLLIN | select.POLLERR
        raises(errno.EADDRINUSE, s.accept)
    rig.net.unlisten(80)
    s.settimeout(30)
    s.listen()
    carries(rig.dial(80), accepted(s)[0])


@families
def test_listen_in_a_callback_while_links_are_listed(family):
    rig = Rig(family=family)
    s = rig.socket()
    s.bind(("", 80))
    s.setblocking(False)
    heard = []

    def listen(line):
        heard.append(line)
        s.listen()

    rig.modem.on_urc("+CMTI:", listen)
    rig.vm.inject("after_echo", '+CMTI: "SM",1')
    rig.modem.status("links")
    rig.pump(1000)
    assert heard == ['+CMTI: "SM",1']
    outside = rig.dial(80)
    s.settimeout(3)  # the notice of the client itself, not the search that follows
    carries(outside, accepted(s)[0])


@families
def test_listen_times_out(family):
    rig = Rig(family=family)
    rig.vm.silent = True
    s = rig.socket(timeout=1)
    s.bind(("", 80))
    raises(errno.ETIMEDOUT, s.listen)
    rig.vm.silent = False
    rig.pump(30_000)
    assert not rig.net.listeners
    if not rig.modem.isconnected():
        rig.modem.connect("internet")
    assert rig.works()


@families
def test_interrupted_listen_and_accept(family):
    rig = Rig(family=family)
    real = rig.modem.wait

    def interrupt(*_):
        raise KeyboardInterrupt

    s = rig.socket()
    s.bind(("", 80))
    rig.modem.wait = interrupt
    with pytest.raises(KeyboardInterrupt):
        s.listen()
    rig.modem.wait = real
    rig.pump(1000)
    assert not rig.net.listeners
    s.listen()
    rig.modem.wait = interrupt
    with pytest.raises(KeyboardInterrupt):
        s.accept()
    rig.modem.wait = real
    carries(rig.dial(80), accepted(s)[0])


@families
@pytest.mark.parametrize(
    "line", ["+CLIENT: x,0,1.2.3.4:5", "+CLIENT: 99,0,1.2.3.4:5", "+CLIENT: 0", "+SERVERSTOP: 9,x"]
)
def test_garbled_notices_do_no_harm(family, line):
    rig = Rig(family=family)
    s = listening(rig)
    rig.vm.urc(line)
    rig.vm.urc("9, REMOTE IP: 1.2.3.4")
    rig.vm.urc("/, REMOTE IP: 1.2.3.4")
    rig.pump(500)
    carries(rig.dial(80), accepted(s)[0])


@families
@pytest.mark.parametrize("ms", [0, 1000], ids=["notice not yet here", "waiting"])
def test_client_of_a_server_that_is_no_more(family, ms):
    rig = Rig(family=family)
    s = listening(rig)
    s.setblocking(False)
    outside = rig.dial(80)
    rig.pump(ms)
    s.close()
    assert outside.recv(1) == b""
    rig.pump(1000)
    assert not [link for link in rig.modem.links.slots if link]
    assert rig.works()


# A fixed local port


@pytest.mark.feature("bind")
@each_cip
def test_local_port_is_what_the_peer_sees(family):
    rig = Rig(family=family, modem_args={"mux": False} if OWN[family] else None)
    taken = []
    real = rig.net.open
    rig.net.open = lambda link, proto, host, port, local=0: (taken.append(local), real(link, proto, host, port, local))[
        1
    ]
    for port in (5000, 0, None):
        s = rig.socket()
        if port is not None:
            s.bind(("", port))
        s.connect(ECHO)
        s.write(b"x")
        assert s.read(1) == b"x"
        s.close()
    assert taken == [5000, 0, 0]
    words = ("AT+CLPORT", "AT+CIPSTART", "AT+CIPOPEN=")
    if OWN[family]:
        plain = 'AT+CIPSTART="TCP","echo.example",7'
        assert sent(rig, *words) == ['AT+CLPORT="TCP",5000', plain, 'AT+CLPORT="TCP",0', plain, plain]
    else:
        plain = 'AT+CIPOPEN=0,"TCP","echo.example",7'
        assert sent(rig, *words) == [plain + ",5000", plain, plain]


@families
def test_refused_connect_keeps_the_local_port_for_the_next(family):
    rig = Rig(family=family)
    s = rig.socket()
    s.bind(("", 5000))
    for _ in range(2):
        with pytest.raises(OSError):
            s.connect(("nobody.example", 9))
    s.connect(ECHO)
    s.write(b"x")
    assert s.read(1) == b"x"
    assert len([line for line in rig.sent if line.endswith(",5000")]) >= 3
    if OWN[family]:
        assert not any(rig.vm.local_ports.values())


@pytest.mark.parametrize("family", CIPSTART)
def test_module_that_has_local_ports_in_single_mode_only(family):
    rig = Rig(family=family)
    rig.vm.do_CLPORT = lambda op, args: rig.vm.refuse() if len(args) == 3 else 0
    s = rig.socket()
    s.bind(("", 5000))
    assert "CLPORT" in str(raises(errno.EOPNOTSUPP, s.connect, ECHO))
    assert not sent(rig, "AT+CIPSTART")
    assert rig.works()


@each_cip
@few
def test_local_port_while_a_server_listens(family, seed):
    rig = Rig(seed, family=family)
    s = listening(rig)
    came = []
    if rig.modem.LINKS > 2:
        before(rig, OPENS[family], "=", lambda n: came.append(dial_at(rig, n)))
    mine = rig.socket()
    mine.bind(("", 5000))
    mine.connect(ECHO)
    mine.write(b"x")
    assert mine.read(1) == b"x"
    rig.pump(500)
    assert mine._link.n == rig.modem.LINKS - 1 - len(came)
    for outside in came:
        carries(outside, accepted(s)[0])
    if OWN[family]:
        assert not any(rig.vm.local_ports.values())
    else:
        assert sent(rig, "AT+CIPOPEN=")[-1].endswith(",5000")


@families
def test_bind_refuses_and_sends_nothing(family):
    rig = Rig(family=family)
    count = len(rig.sent)
    s = rig.socket()
    for port in (-1, 65536, "80", 1.5):
        with pytest.raises(ValueError):
            s.bind(("", port))
    s.bind(("", 0))
    raises(errno.EINVAL, s.listen)
    raises(errno.EINVAL, s.bind, ("", 1))
    assert len(rig.sent) == count
    s = rig.socket(ECHO)
    raises(errno.EINVAL, s.bind, ("", 1))
    s.close()
    raises(errno.EBADF, s.bind, ("", 1))


@pytest.mark.parametrize("family", FAMILIES)
def test_port_0_is_no_server(family):
    rig = Rig(family=family)
    sent = len(rig.sent)
    with rig.modem.socket() as s:
        s.bind(("", 0))
        with pytest.raises(OSError) as caught:
            s.listen()
    assert caught.value.args[0] == errno.EINVAL and "port" in caught.value.args[1]
    assert len(rig.sent) == sent


@pytest.mark.parametrize("doubled", (True, False))
def test_client_whose_number_came_with_a_digit_twice_is_asked_after(doubled):
    r = Rig(family="sim7080")
    server = r.socket(timeout=30)
    server.bind(("", 80))
    server.listen()
    report = r.vm.report
    if doubled:
        r.vm.report = lambda text: report(text.replace("+CANEW: 0,1,", "+CANEW: 0,11,"))
    else:
        r.vm.successor = lambda free: free[-1]  # a module that gives the highest number
    caller = r.dial(80, "192.0.2.9", 50009)
    client, peer = server.accept()
    assert peer == ("192.0.2.9", 50009) and client._link.n == (1 if doubled else 12)
    caller.send(b"hello")
    assert client.read(5) == b"hello"
    client.close()
    assert r.works()
