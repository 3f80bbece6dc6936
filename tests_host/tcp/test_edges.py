"""What needs more than the shared cases of cases/edges.py: the wire watched, time passing, the network taken away."""

import errno
import random

from families import CIP, FAMILIES, OPEN
import loop
import pytest
from rig import ECHO, Rig
from sim import Peer
from target import pattern

families = pytest.mark.parametrize("family", FAMILIES)
each_cip = pytest.mark.parametrize("family", CIP)

IN, OUT, ERR, HUP = 1, 4, 8, 16
PEEK, DONTWAIT = 1, 8


class Broker(Peer):
    """Answers a line, and closes after some lines: who talks to it must connect again."""

    def received(self, connection, data):
        connection.write(b"ok " + data)
        if data.startswith(b"last"):
            connection.close()


def flags(s):
    return s.ioctl(3, IN | OUT)


@families
def test_what_send_returned_for_is_with_the_module(family):
    # The program may do something else now, for long, without a call into the library.
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    for data in (b"pong", pattern(1000)):
        assert s.send(data) == len(data)
        rig.clock.sleep_ms(500)
        assert rig.connection().received.endswith(data)
        assert s.read(len(data)) == data


@each_cip
@pytest.mark.parametrize("way", ["buffer", "hex", "collected"])
def test_blocking_send_takes_all(family, way):
    rig = Rig(family=family)
    if way == "hex":
        rig.modem.config(receive="hex")
    s = rig.socket(ECHO)
    if way == "collected":
        s.setsockopt(6, 1, 0)  # TCP_NODELAY off
    data = pattern(5000)
    assert s.send(data) == 5000
    assert s.send(memoryview(data)[1:2401]) == 2400
    assert s.read(7400) == data + data[1:2401]
    assert rig.connection().received == data + data[1:2401]


@families
def test_send_that_does_not_block_takes_what_fits(family):
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    s.setblocking(False)
    assert s.send(pattern(4000)) == rig.modem.SEND_MAX
    with pytest.raises(OSError) as raised:
        s.send(b"x")
    assert raised.value.errno == errno.EAGAIN


@families
def test_send_tells_that_its_bytes_were_lost(family):
    rig = Rig(family=family)
    s = rig.socket(rig.serve(Peer))
    rig.vm.silent = True
    with pytest.raises(OSError):
        s.settimeout(120)
        s.send(b"into the void")
    assert flags(s) & (ERR | HUP)


@each_cip
@pytest.mark.parametrize("data", [b"a", b"\n", b"\n\n\nhello\n", b"two\nlines\n"])
def test_first_message_is_whole_whatever_it_ends_in(family, data):
    for seed in (None, 1, 2, 3):
        rig = Rig(seed, family=family)
        s = rig.socket(ECHO)
        s.send(data)
        rig.clock.sleep_ms(200)
        assert s.recv(100) == data


@families
def test_poll_does_not_promise_what_recv_does_not_give(family):
    # While the form of the module's answers is being learnt as well.
    rig = Rig(family=family)
    s = rig.socket(ECHO, timeout=0)
    s.send(b"0123456789")
    for _ in range(2000):
        if flags(s) & IN:
            break
        rig.modem.wait(1)
    assert s.recv(100) == b"0123456789"
    assert not flags(s) & IN
    with pytest.raises(OSError) as raised:
        s.recv(1)
    assert raised.value.errno == errno.EAGAIN


@families
def test_peek_while_more_is_coming(family):
    rig = Rig(3, family=family)
    data = pattern(20000)
    s = rig.socket(ECHO)
    got = bytearray()
    sent = 0
    s.setblocking(False)
    while len(got) < len(data):
        if sent < len(data):
            sent += s.write(memoryview(data)[sent:]) or 0
        try:
            ahead = s.recv(1 + len(got) % 400, PEEK)
            assert ahead == data[len(got) : len(got) + len(ahead)]
            got += s.recv(1 + len(ahead) // 2)
        except OSError as e:
            assert e.errno == errno.EAGAIN
            rig.modem.wait()
    assert got == data


@families
def test_flags_of_a_connection_whose_context_is_lost(family):
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    s.write(b"kept")
    rig.pump(500)
    rig.vm.restart()
    for _ in range(3000):
        if not rig.modem.up:
            break
        rig.modem.wait()
    assert flags(s) & (ERR | HUP) and flags(s) & IN and flags(s) & OUT
    assert s.read(4) == b"kept"
    for use in (lambda: s.recv(1), lambda: s.recv(1, PEEK), lambda: s.send(b"x"), lambda: s.write(b"x")):
        with pytest.raises(OSError) as raised:
            use()
        assert raised.value.errno in (errno.ECONNABORTED, errno.ENOTCONN)
    rig.modem.connect("internet")
    s.connect(ECHO)
    assert flags(s) == OUT
    s.write(b"again")
    assert s.read(5) == b"again"


@families
def test_flags_while_a_connection_is_tried_in_vain(family):
    rig = Rig(family=family)
    s = rig.modem.socket()
    s.settimeout(1)
    rig.net.connect_ms = 100_000
    with pytest.raises(OSError) as raised:
        s.connect(ECHO)
    assert raised.value.errno == errno.ETIMEDOUT
    assert flags(s) & ERR
    rig.net.connect_ms = 20
    s.settimeout(60)
    s.connect(ECHO)
    s.write(b"then")
    assert s.read(4) == b"then"


@families
@pytest.mark.parametrize("late_ms", [6000, 8500, 9300, 12000])
def test_connection_whose_ok_comes_late_is_one_that_stays(family, late_ms):
    rig = Rig(family=family)
    assert rig.works()
    execute = rig.vm.execute
    late = [late_ms]

    def taken(line):
        if late and line.startswith((b"AT+CIPSTART", b"AT+CIPOPEN=")):
            rig.vm.later(late.pop(), lambda: execute(line))
        else:
            execute(line)

    rig.vm.execute = taken
    before = len(rig.net.connections)
    s = rig.socket(ECHO)
    connection = rig.connection()
    rig.pump(3000)
    s.write(b"hello")
    assert s.read(5) == b"hello"
    assert rig.connection() is connection
    tries = len(rig.net.connections) - before
    assert tries <= 2
    if family in OPEN and late_ms < 9000:  # answers may take so long there
        assert tries == 1
    s.close()
    assert rig.works()


@families
def test_all_links_lost_by_dropping_their_sockets(family):
    # Nobody tells the library that an object is gone: its error names the peers.
    rig = Rig(family=family)
    sockets = [rig.socket(ECHO) for _ in range(rig.modem.LINKS)]
    del sockets
    s = rig.modem.socket()
    with pytest.raises(OSError) as raised:
        s.connect(ECHO)
    assert raised.value.errno == errno.ENOBUFS and ECHO[0] in str(raised.value)


def connecting(rig):
    """A socket whose connection is on its way, as asyncio.open_connection() waits for it."""
    s = rig.socket(timeout=0)
    with pytest.raises(OSError) as raised:
        s.connect(ECHO)
    assert raised.value.errno == errno.EINPROGRESS
    assert not flags(s)
    return s


@families
def test_connections_that_come_after_their_task_was_cancelled_cost_no_links(family):
    rig = Rig(family=family)
    for _ in range(3):
        for _ in range(rig.modem.LINKS):
            connecting(rig)
            rig.pump(500)
        assert rig.net.connections[-1].is_open
        rig.pump(10_000)
        assert rig.works()


@families
def test_connection_that_somebody_polls_keeps_its_link(family):
    rig = Rig(family=family)
    sockets = [connecting(rig) for _ in range(rig.modem.LINKS)]
    for _ in range(100):
        rig.pump(20)
        ready = [flags(s) for s in sockets]
    assert ready == [OUT] * len(sockets)
    rig.pump(2000)  # nobody has used one yet
    with pytest.raises(OSError) as raised:
        rig.socket(ECHO)
    assert raised.value.errno == errno.ENOBUFS
    for s in sockets:
        s.settimeout(30)
        s.write(b"still here")
        assert s.read(10) == b"still here"


def refused_a_number(rig):
    s = rig.modem.socket()
    s.settimeout(30)
    with pytest.raises(OSError) as raised:
        s.connect(ECHO)
    return raised.value.errno == errno.ENOBUFS


@families
def test_healthy_connection_keeps_its_number_however_idle(family):
    # Opened by a task that polled, was told, and used it once; and by a call that blocks, which used it never.
    rig = Rig(family=family)
    s = connecting(rig)
    rig.pump(500)
    assert flags(s) == OUT
    s.settimeout(30)
    s.write(b"once")
    assert s.read(4) == b"once"
    sockets = [s, *[rig.socket(ECHO) for _ in range(rig.modem.LINKS - 1)]]
    for _ in range(20):
        rig.pump(30_000)
        assert refused_a_number(rig)
    for s in sockets:
        s.settimeout(30)
        s.write(b"still here")
        assert s.read(10) == b"still here"


@families
def test_oldest_of_the_connections_that_nobody_used_goes_first(family):
    rig = Rig(family=family)
    sockets = []
    for _ in range(rig.modem.LINKS):
        sockets.append(connecting(rig))
        rig.pump(300)
        flags(sockets[-1])
    rig.pump(9000 - 300 * rig.modem.LINKS)
    assert refused_a_number(rig)
    flags(sockets[0])  # somebody waits for it still
    rig.pump(4000)
    assert rig.works()
    assert sockets[1]._link.n < 0 and sockets[0]._link.n >= 0
    sockets[0].settimeout(30)
    sockets[0].write(b"mine")
    assert sockets[0].read(4) == b"mine"


async def opened(address, modem, used):
    """asyncio.open_connection(), and an exchange."""
    s = modem.socket()
    s.setblocking(False)
    try:
        s.connect(address)
    except OSError as e:
        if e.errno != errno.EINPROGRESS:
            raise
    await loop.ready(s, OUT)
    used.append(s)
    try:
        s.write(b"hello")
        await loop.ready(s, IN)
        return s.recv(5)
    finally:
        s.close()


@families
def test_thousand_cancellations_at_random_moments(family):
    rig = Rig(family=family)
    rig.patience(10**9)
    draw = random.Random(family)
    runner = loop.Loop(rig.clock)
    used = []
    full = 0
    for _ in range(1000):
        task = runner.start(opened(ECHO, rig.modem, used))
        runner.run(draw.choice((0, 1, 2, 5, 20, 40, 60, 90, 120, 200)) + draw.random())
        if not task.done:
            runner.cancel(task)
        elif task.error:
            assert task.error.errno in (errno.ENOBUFS, errno.EALREADY)  # all taken; the number is being closed still
            full += 1
            runner.run(10_000)
    runner.run(12_000)
    assert used and full
    sockets = [rig.socket(ECHO) for _ in range(rig.modem.LINKS)]
    for s in sockets:
        s.write(b"all here")
        assert s.read(8) == b"all here"


@pytest.mark.feature("tcp")
@pytest.mark.parametrize("family", ["sim7028"])
@pytest.mark.parametrize("seed", [None, *range(1, 7)])
def test_reconnecting_fifty_times_on_two_links(family, seed):
    # As umqtt.robust does: a new socket for each attempt, the broken one is never closed but dropped after its error,
    # while the other link carries something else.
    rig = Rig(seed, family=family)
    rig.patience(36_000_000)
    broker = rig.serve(Broker)
    other = rig.socket(ECHO)
    assert rig.modem.LINKS == 2
    for turn in range(50):
        kind = turn % 5
        s = rig.modem.socket()
        s.settimeout(30)
        if kind == 4:  # one attempt fails first
            with pytest.raises(OSError):
                s.connect(("refused.example", 1883))
            s = rig.modem.socket()
            s.settimeout(30)
        s.connect(broker)
        s.write(b"publish %d\n" % turn)
        assert s.readline() == b"ok publish %d\n" % turn
        if kind == 1:  # the broker closes
            s.write(b"last\n")
            assert s.read() == b"ok last\n"
        elif kind == 2:  # … and that is found out by writing
            s.write(b"last\n")
            rig.pump(1000)
            with pytest.raises(OSError):
                for _ in range(2):  # the first one behind the close may be good, as with TCP
                    s.write(b"x")
        elif kind == 3:  # it answers no more: given up after a time-out
            s.settimeout(1)
            with pytest.raises(OSError) as raised:
                s.read(1)
            assert raised.value.errno == errno.ETIMEDOUT
        else:
            s.close()
        other.write(b"beside %d" % turn)
        assert other.read(len(b"beside %d" % turn)) == b"beside %d" % turn
    other.close()
    rig.modem.flush()
    sockets = [rig.socket(ECHO) for _ in range(2)]
    for s in sockets:
        s.write(b"both work")
        assert s.read(9) == b"both work"
