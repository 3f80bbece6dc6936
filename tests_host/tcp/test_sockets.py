"""What sockets do on the wire and in time, where a shared case cannot look."""

import errno
import time

from rig import ECHO, Rig  # first: it puts the shim in place
import pytest
import select
from sim import Blackhole, Blob, Drip, Peer, Sink, Slam, Stall

from simcom import socket

IN, OUT, ERR, HUP, NVAL = 1, 4, 8, 16, 32


@pytest.fixture
def rig():
    return Rig()


def commands(rig, prefix):
    return [line for line in rig.sent if line.startswith(prefix)]


# --- on the wire


@pytest.mark.parametrize("n, sizes", [(1, [1]), (1024, [1024]), (1025, [1024, 1]), (3000, [1024, 1024, 952])])
def test_one_write_is_as_few_sends_as_the_module_takes(rig, n, sizes):
    s = rig.socket(rig.serve(Sink))
    s.write(b"x" * n)
    assert [int(line.split(",")[1]) for line in commands(rig, "AT+CIPSEND=")] == sizes
    rig.modem.flush()
    assert bytes(rig.connection().received) == b"x" * n


def test_each_write_is_sent_at_once(rig):
    s = rig.socket(rig.serve(Sink))
    for data in (b"GET ", b"/ ", b"HTTP/1.0\r\n\r\n"):
        s.write(data)
    assert len(commands(rig, "AT+CIPSEND=")) == 3


def test_write_returns_when_the_module_has_the_bytes(rig):
    s = rig.socket(rig.serve(Sink))
    s.write(b"x" * 2000)
    rig.clock.sleep_ms(100)  # nobody pumps
    assert len(rig.connection().received) == 2000


def test_download_asks_for_whole_segments_and_never_what_waits(rig):
    data = bytes(range(250)) * 40
    s = rig.socket(rig.serve(Blob(data)))
    assert s.read() == data
    asked = commands(rig, "AT+CIPRXGET=")
    assert not [line for line in asked if line.startswith("AT+CIPRXGET=4")]
    assert len(asked) <= 2 + len(data) // 1000


@pytest.mark.parametrize("rxbuf", [128, 256, 512, 1024, 2048])
def test_no_answer_is_longer_than_the_uart_buffers(rxbuf):
    rig = Rig(modem_args={"rxbuf": rxbuf})
    data = bytes(range(250)) * 20
    s = rig.socket(rig.serve(Blob(data)))
    assert s.read() == data
    sizes = [int(line.split(",")[2]) for line in commands(rig, "AT+CIPRXGET=2")]
    assert max(sizes) + 56 <= max(rxbuf, 128)


def test_idle_socket_sends_next_to_nothing(rig):
    rig.socket(ECHO)
    before = len(rig.sent)
    rig.pump(60_000)
    assert len(rig.sent) - before <= 20


def test_numbers_are_given_from_the_lowest(rig):
    sockets = [rig.socket(ECHO) for _ in range(4)]
    sockets[1].close()
    rig.socket(ECHO)
    numbers = [int(line[len("AT+CIPSTART=")]) for line in commands(rig, "AT+CIPSTART=")]
    assert numbers == [0, 1, 2, 3, 1]


def test_close_closes_the_link_in_the_module(rig):
    s = rig.socket(ECHO)
    s.close()
    assert commands(rig, "AT+CIPCLOSE=") == ["AT+CIPCLOSE=0"]
    assert not rig.connection().is_open


def test_close_of_what_the_peer_closed_sends_nothing(rig):
    s = rig.socket(rig.serve(Slam))
    assert s.recv(1) == b""
    s.close()
    rig.pump(500)
    assert commands(rig, "AT+CIPCLOSE=") == []


def test_name_goes_to_the_module_as_it_is(rig):
    rig.net.serve("some.name.example", 8080, Sink)
    rig.socket(socket.getaddrinfo("some.name.example", 8080)[0][-1])
    assert commands(rig, "AT+CIPSTART=") == ['AT+CIPSTART=0,"TCP","some.name.example",8080']


# --- time


@pytest.mark.parametrize("seconds", [0.1, 1, 7.5])
def test_connect_honours_its_time_out(rig, seconds):
    s = rig.socket(timeout=seconds)
    begin = rig.clock.ms
    with pytest.raises(OSError) as raised:
        s.connect(rig.serve(Blackhole))
    assert raised.value.errno == errno.ETIMEDOUT
    assert seconds * 1000 <= rig.clock.ms - begin < seconds * 1000 + 1000
    assert "peer.example:80" in str(raised.value)
    assert rig.works()


@pytest.mark.parametrize("seconds", [0.1, 1, 7.5])
def test_write_to_a_peer_that_takes_nothing_honours_its_time_out(rig, seconds):
    s = rig.socket(rig.serve(Stall), seconds)
    begin = rig.clock.ms
    with pytest.raises(OSError) as raised:
        for _ in range(100):
            begin = rig.clock.ms
            s.write(b"x" * 1000)
    assert raised.value.errno == errno.ETIMEDOUT
    assert seconds * 1000 <= rig.clock.ms - begin < seconds * 1000 + 5000
    assert rig.works()


def test_time_out_counts_from_the_last_byte(rig):
    s = rig.socket(rig.serve(Drip(bytes(20), 1, 800, close=True)), 2)
    assert len(s.read(20)) == 20  # 16 s in all


def test_close_waits_for_a_stalled_peer_ten_seconds_at_most(rig):
    s = rig.socket(rig.serve(Stall))
    s.write(b"never acknowledged")
    begin = rig.clock.ms
    s.close()
    assert rig.clock.ms - begin < 12_000
    rig.pump(15_000)
    for each in [rig.socket(ECHO) for _ in range(8)]:
        each.close()


def test_read_that_waits_for_ever_waits_while_the_link_lives(rig):
    s = rig.socket(rig.serve(lambda: After(300_000, b"five minutes")), None)
    assert s.read(12) == b"five minutes"


class After(Peer):
    """Says something after a while."""

    def __init__(self, ms, data):
        self.ms, self.data = ms, data

    def opened(self, connection):
        connection.clock.after_ms(self.ms, lambda: connection.write(self.data))


def heartbeat(rig, limit_ms):
    """A function that runs calls and fails when one of them holds the program longer than the limit."""

    def call(function, *args):
        begin = rig.clock.now_us
        try:
            return function(*args)
        except OSError as e:
            if e.errno not in (errno.EAGAIN, errno.EINPROGRESS):
                raise
            return None
        finally:
            took = (rig.clock.now_us - begin) / 1000
            assert took <= limit_ms, "%s held the program for %.1f ms" % (function.__name__, took)

    return call


@pytest.mark.parametrize("kind", ["rp2", "esp32"])
def test_calls_that_do_not_block_return_within_a_burst(kind):
    rig = Rig(costs=None, powered=False, on=False)
    rig.uart.kind = kind
    call = heartbeat(rig, 15)  # 64 bytes take 6 ms, a chunk of 128 to read 3 ms
    call(lambda: rig.modem.connect("internet", timeout_ms=0))
    while not call(rig.modem.isconnected):
        call(rig.modem.status)
        rig.clock.sleep_ms(5)
    s = rig.modem.socket()
    s.setblocking(False)
    call(s.connect, ECHO)
    data = bytes(range(256)) * 16
    sent, got = 0, bytearray()
    buf = bytearray(512)
    while len(got) < len(data):
        if sent < len(data):
            sent += call(s.write, data[sent : sent + 2000]) or 0
        call(s.ioctl, 3, IN | OUT)
        n = call(s.readinto, buf)
        got += buf[: n or 0]
        rig.clock.sleep_ms(1)
    assert got == data
    call(s.close)
    for _ in range(100):
        call(rig.modem.pump)
        rig.clock.sleep_ms(5)
    assert not rig.connection().is_open


def test_blocking_call_sleeps_instead_of_spinning():
    rig = Rig(costs=None)
    s = rig.socket(ECHO, 5)
    calls = []
    ioctl = rig.uart.ioctl
    rig.uart.ioctl = lambda *args: calls.append(1) or ioctl(*args)
    with pytest.raises(OSError):
        s.recv(1)
    assert len(calls) < 5000  # in 5 s


# --- poll, state by state


def bits(s, want=IN | OUT):
    return s.ioctl(3, want)


def until(rig, condition):
    for _ in range(2000):
        if condition():
            return
        rig.pump(5)
    raise AssertionError("never")


def test_poll_bits_as_modlwip_has_them(rig):
    s = rig.modem.socket()
    assert bits(s) == OUT | HUP  # never connected
    s.setblocking(False)
    address = rig.serve(lambda: Answer(b"hello", True))
    with pytest.raises(OSError):
        s.connect(address)
    assert bits(s) == 0  # connecting
    until(rig, lambda: bits(s))
    assert bits(s) == OUT and bits(s, IN) == 0 and bits(s, OUT) == OUT
    s.write(b"x")
    until(rig, lambda: bits(s) & IN)
    assert bits(s, IN) == IN and bits(s, OUT) == OUT
    until(rig, lambda: not rig.connection().is_open)
    rig.pump(200)
    assert bits(s, IN) & IN  # closed by the peer, bytes left
    got = b""
    while len(got) < 5:
        got += s.read(5) or b""
        rig.pump(5)
    assert got == b"hello"
    until(rig, lambda: bits(s, IN))
    assert bits(s, IN) & IN and s.read(1) == b""  # EOF is readable
    s.close()
    assert bits(s) == NVAL


class Answer(Peer):
    """Answers once, then closes or not."""

    def __init__(self, data, close=False):
        self.data, self.close = data, close

    def received(self, connection, data):
        connection.write(self.data)
        if self.close:
            connection.close()


def test_poll_bits_of_failed_sockets(rig):
    s = rig.socket(timeout=0)
    with pytest.raises(OSError):
        s.connect(("refused.example", 1))
    until(rig, lambda: bits(s))
    assert bits(s) & (IN | OUT) and bits(s) & (ERR | HUP)
    assert bits(s, 0) & (ERR | HUP), "an error is told whatever is asked for"
    s = rig.socket(ECHO, 0)
    rig.vm.pdp_deact()
    rig.pump(50)
    assert bits(s) & (IN | OUT) and bits(s) & (ERR | HUP)


def test_poll_without_room_to_send(rig):
    s = rig.socket(rig.serve(Stall), 0)
    for _ in range(300):
        s.write(b"x" * 1000)
        rig.pump(10)
    assert s.write(b"x") is None
    assert bits(s) == 0
    rig.connection().resume()
    until(rig, lambda: bits(s) & OUT)
    assert s.write(b"x") == 1


def test_ioctl_never_raises_and_is_never_negative_for_poll(rig):
    s = rig.socket(ECHO, 0)
    rig.vm.silent = True
    s.write(b"x")
    for _ in range(1000):  # silence_ms, and what it takes to be sure
        assert bits(s) >= 0
        rig.clock.sleep_ms(100)
    assert bits(s) & (ERR | HUP)


def test_poll_wakes_up_when_data_comes(rig):
    s = rig.socket(rig.serve(lambda: After(3000, b"x")), 0)
    poller = select.poll()
    poller.register(s, IN)
    begin = rig.clock.ms
    assert poller.poll(60_000) == [(s, IN)]
    assert rig.clock.ms - begin < 4000


# --- links


def test_failed_link_is_taken_before_an_idle_one(rig):
    sockets = [rig.socket(ECHO, 0.2) for _ in range(8)]
    with pytest.raises(OSError):
        sockets[5].recv(1)  # the only one whose last call timed out
    extra = rig.socket(ECHO)
    extra.write(b"mine")
    assert extra.read(4) == b"mine"
    for i, s in enumerate(sockets):
        s.settimeout(10)
        if i == 5:
            with pytest.raises(OSError) as raised:
                s.write(b"x")
            assert raised.value.errno == errno.ECONNABORTED
        else:
            s.write(b"yours")
            assert s.read(5) == b"yours"


def test_socket_that_timed_out_and_was_used_again_keeps_its_link(rig):
    sockets = [rig.socket(ECHO, 0.2) for _ in range(8)]
    for s in sockets:
        with pytest.raises(OSError):
            s.recv(1)
        s.settimeout(10)
        s.write(b"x")
        assert s.read(1) == b"x"
    with pytest.raises(OSError) as raised:
        rig.socket(ECHO)
    assert raised.value.errno == errno.ENOBUFS


def test_socket_that_timed_out_and_is_polled_keeps_its_link(rig):
    sockets = [rig.socket(ECHO, 0.2) for _ in range(8)]
    poller = select.poll()
    for s in sockets:
        with pytest.raises(OSError):
            s.recv(1)
        poller.register(s, select.POLLIN)
    assert poller.poll(100) == []
    with pytest.raises(OSError) as raised:
        rig.socket(ECHO)
    assert raised.value.errno == errno.ENOBUFS


def test_bytes_of_a_link_that_is_gone_stay_readable_while_its_number_is_used_again(rig):
    first = rig.socket(rig.serve(Blob(b"a" * 1000, close=True)))
    assert first.read(1) == b"a"
    rig.pump(1000)  # read to the end, closed
    others = [rig.socket(ECHO) for _ in range(8)]
    for s in others:
        s.write(b"b" * 100)
    for s in others:
        assert s.read(100) == b"b" * 100
    assert first.read() == b"a" * 999
    assert first.read() == b""


def test_data_of_a_closed_socket_does_not_reach_the_next_one(rig):
    s = rig.socket(rig.serve(Drip(b"old" * 400, 30, 5)))
    assert s.read(3) == b"old"
    s.close()
    s = rig.socket(ECHO)
    s.write(b"new")
    assert s.read(3) == b"new"
    rig.pump(3000)
    s.settimeout(0.5)
    with pytest.raises(OSError):
        s.recv(1)


def test_connect_again_after_the_peer_closed(rig):
    s = rig.socket(rig.serve(Slam))
    assert s.recv(1) == b""
    s.connect(ECHO)
    s.write(b"x")
    assert s.read(1) == b"x"


def test_reading_nothing_returns_at_once(rig):
    s = rig.socket(ECHO, None)
    assert s.read(0) == b""
    assert s.readinto(bytearray(0)) == 0
    assert s.readline(0) == b""


def test_socket_without_a_modem():
    with pytest.raises(OSError) as raised:
        socket.socket()
    assert raised.value.errno == errno.ENODEV


def test_options_are_accepted(rig):
    s = rig.socket(ECHO)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.IPPROTO_TCP, 1, 1)
    s.write(b"x")
    assert s.read(1) == b"x"


@pytest.mark.parametrize("seed", range(1, 6))
def test_many_links_in_and_out_at_once(seed):
    rig = Rig(seed, split_ms=10)
    sockets = [rig.socket(ECHO, 0) for _ in range(8)]
    data = [bytes((i * 37 + k * 11) & 255 for k in range(1500)) for i in range(8)]
    sent, got = [0] * 8, [bytearray() for _ in range(8)]
    for _ in range(40_000):
        for i, s in enumerate(sockets):
            if sent[i] < 1500:
                sent[i] += s.write(data[i][sent[i] : sent[i] + 400]) or 0
            got[i] += s.read(300) or b""
        if all(len(each) == 1500 for each in got):
            break
        rig.pump(2)
    assert got == [bytearray(each) for each in data]


def test_settle_leaves_the_line_silent_until_the_next_call():
    rig = Rig()
    data = bytes(range(256)) * 40
    s = rig.socket(rig.serve(lambda: Blob(data)))
    got = s.read(1) + s.read(1)
    assert rig.modem.channel.busy, "the next read is under way"
    rig.modem.settle()
    before = len(rig.vm.log)
    rig.clock.sleep_ms(200)  # flash is written
    assert len(rig.vm.log) == before
    assert not rig.modem.channel.busy and not rig.uart.any()
    assert got + s.read() == data


@pytest.mark.parametrize("rate", [115200, 460800, 921600])
def test_reader_that_waits_leaves_the_uart_alone_until_its_bytes_are_due(rate):
    rig = Rig(family="sim7000", modem_args={"baudrate": rate})
    s = rig.socket(rig.serve(lambda: Blob(bytes(40 * 1460), after=b"go")))
    s.write(b"go")
    buf = bytearray(1024)
    for _ in range(10):  # how fast bytes come is learnt
        s.readinto(buf)
    channel = rig.modem.channel
    polls, poll, begin = [], channel.poll, rig.clock.ms
    channel.poll = lambda: polls.append(0) or poll()
    for _ in range(20):
        assert s.readinto(buf) == 1024
    assert len(polls) < 20 * 10
    assert 20 * 1024 * 10_000 / rate / (rig.clock.ms - begin) > 0.8  # of the line


@pytest.mark.parametrize("rate", [115200, 921600])
def test_the_pace_of_the_line_is_known_once_the_module_is_on(rate):
    rig = Rig(family="sim7000", modem_args={"baudrate": rate})
    rig.socket(rig.serve(lambda: Blob(b"")))
    assert rig.modem.channel.rate == rate * 64 // 10000


def test_polls_and_empty_reads_leave_the_pump_alone_until_what_is_counted_is_due():
    rig = Rig(family="sim7000")
    data = bytes(range(256)) * 20

    class Talker(Peer):
        def opened(self, connection):
            connection.write(data)

    s = rig.socket(rig.serve(Talker))
    got = s.read(1460)
    s.setblocking(False)
    channel, pump, pumped, spared, buf = rig.modem.channel, rig.modem.pump, [], 0, bytearray(100)
    while time.ticks_diff(channel.due, time.ticks_ms()) < 20:
        got += s.read(2920) or b""
        rig.clock.sleep_ms(1)
    got += s.read(2920) or b""
    assert s.ioctl(3, 1) == 0
    rig.modem.pump = lambda: pumped.append(0) or pump()
    while time.ticks_diff(channel.due, time.ticks_ms()) > 0:
        assert s.ioctl(3, 1) == 0 and s.readinto(buf) is None
        spared += 2
        rig.clock.sleep_ms(1)
    assert spared >= 20 and not pumped
    s.close()
    assert s.ioctl(3, 1) & 32, "POLLNVAL at once"
    with pytest.raises(OSError):
        s.readinto(buf)
    s = rig.socket(rig.serve(lambda: Blob(data)))
    s.setblocking(False)
    got = bytearray()
    while len(got) < len(data):
        while not s.ioctl(3, 1):
            rig.clock.sleep_ms(1)
        k = s.readinto(buf)
        got += buf[:k]
    assert got == data
