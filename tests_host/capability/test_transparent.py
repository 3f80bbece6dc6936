"""Transparent mode: bytes, the ways out of data mode, the ends of a connection, what stands before and after."""

import errno
import random

from rig import ECHO, Rig  # first: it puts the shim in place
from families import CA, CIP, FAMILIES, OPEN, START
import machine
import pytest
import select
from sim import Blackhole, Blob, Drip, Echo, Peer, Refuse, Script, Sink, Slam

from simcom import ATError
from simcom.foreground import run
from simcom.query import ask

SEEDS = (None, *range(1, 9))
IN, OUT, ERR, HUP, NVAL = 1, 4, 8, 16, 32

every_family = pytest.mark.parametrize("family", FAMILIES)
shows = pytest.mark.feature("transparent")
# Looks like what the module says, but for a byte, or like the answers of command mode.
NASTY = b"\r\nCLOSED\rX\r\r\nCLOSED \r\n\r\n+PDP: DEAC\r\n\r\nOK\r\n\r\nRDY \r\nNO CARRIER\r\n\r\n+IPCLOSE: 1,1\r\n"
NASTY += b"ATO\r\x1a\x1b\x00\xff\r"


def noise(seed, n):
    """Random bytes with much that is nearly a line of the module's."""
    source = random.Random(seed or 0)
    data = bytearray()
    while len(data) < n:
        data += source.randbytes(source.randrange(40)) + source.choice((NASTY, b"\r", b"\r\n", b"+++", b"CLOSED\r\n"))
    return bytes(data[:n])


def collected(rig, t, n, ms=60_000):
    """n bytes, by a program that does not block."""
    t.setblocking(False)
    got = bytearray()
    end = rig.clock.ms + ms
    while len(got) < n and rig.clock.ms < end:
        got += t.read(n - len(got)) or b""
        rig.pump(2)
    t.setblocking(True)
    return bytes(got)


def ended(rig, t):
    """The program has closed the stream: sockets work as before."""
    t.close()
    assert rig.modem.isconnected() and rig.modem.status() == "up"
    assert not rig.vm._transparent
    assert rig.works()


def raises(code, function, *args, **kw):
    with pytest.raises(OSError) as raised:
        function(*args, **kw)
    assert raised.value.errno == code, repr(raised.value)
    return str(raised.value)


# --- bytes


@shows
@every_family
@pytest.mark.parametrize("seed", SEEDS)
def test_bytes_go_through_unchanged_both_ways(family, seed):
    rig = Rig(seed, family=family, split_ms=30)
    t = rig.modem.transparent(ECHO)
    data = bytes(range(256)) + noise(seed, 4000)
    t.setblocking(False)
    sent, got = 0, bytearray()
    for _ in range(20_000):
        sent += t.write(data[sent:]) or 0
        got += t.read(300) or b""
        if len(got) == len(data):
            break
        rig.pump(2)
    assert bytes(got) == data
    assert bytes(rig.connection().received) == data
    t.setblocking(True)
    ended(rig, t)


class Choppy:
    """A UART that never has more than `size` bytes at once."""

    def __init__(self, uart, size):
        self.__dict__.update(uart=uart, size=size)

    def __getattr__(self, name):
        return getattr(self.uart, name)

    def any(self):
        return min(self.size, self.uart.any())


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64, 255, 256, 257, 300])
@every_family
def test_end_behind_bytes_in_chunks_of_every_size(family, size):
    data = noise(size, 1500)
    rig = Rig(family=family, wrap=lambda uart: Choppy(uart, size), modem_args={"rxbuf": 8192})
    rig.uart.init(rxbuf=8192)
    t = rig.modem.transparent(rig.serve(lambda: Blob(data + b"\r\nCLOSED", after=b"go")))
    t.write(b"go")
    assert t.read() == data + b"\r\nCLOSED"
    assert t.read(1) == b""


def fed(t, stream, size):
    """What is received when data mode has begun and the stream comes in chunks of this size: (bytes, the rest)."""
    lines, link = t._modem.channel.parser, t._link
    got = bytearray()
    for at in range(0, len(stream), size):
        piece = stream[at : at + size]
        lines.buf[: len(piece)] = piece
        lines.feed(len(piece))
        part = bytearray(link.ready)
        t._modem.receive(link, part, len(part))
        got += part
    return bytes(got), t._like[: t._held], bytes(t._after)


@pytest.mark.parametrize("event", [b"CLOSED", b"+PDP: DEACT", b"+PDP DEACT", b"RDY", b"NO CARRIER", b"*ATREADY: 1"])
def test_events_are_found_at_every_chunk_size(event):
    rig = Rig()
    t = rig.modem.transparent(ECHO)
    event = b"\r\n" + event + b"\r\n"
    for size in range(1, 257):
        data = noise(size, 600) + b"x"
        for other in t._events:
            data = data.replace(other, other[:-1] + b"x")
        assert fed(t, data + event + b"\r\n+C", size) == (data, b"", event + b"\r\n+C"), size
        t._after = bytearray()
        for k in range(1, len(event)):  # a part of it, then something else
            part = event[:k] + (b"\r\n" if event[k] == 13 else b"\r") + event[:-1] + b"x"
            if event not in part:
                assert fed(t, part, size) == (part, b"", b"")


def test_beginning_of_an_event_waits_for_a_moment_only():
    rig = Rig()
    t = rig.modem.transparent(rig.serve(Peer))
    for tail in (b"\r", b"\r\n", b"\r\nCLOSE", b"\r\nCLOSED\r"):
        rig.connection().write(b"line" + tail)
        rig.clock.sleep_ms(30)
        begin = rig.clock.ms
        t.settimeout(2)
        assert t.read(4 + len(tail)) == b"line" + tail
        assert rig.clock.ms - begin < 250


@every_family
def test_slow_reader_holds_the_module_back(family):
    data = noise(3, 30_000)
    rig = Rig(family=family)
    rig.uart.init(flow=rig.uart.RTS | rig.uart.CTS)
    t = rig.modem.transparent(rig.serve(lambda: Blob(data, after=b"go")), flow_control=True)
    assert "AT+IFC=2,2" in rig.sent
    t.write(b"go")
    rig.pump(3000)
    assert t._link.ring.any() <= rig.modem.ring_size + 64
    got = bytearray()
    while len(got) < len(data):
        part = t.read(min(5000, len(data) - len(got)))
        assert part
        got += part
        rig.clock.sleep_ms(100)
    assert bytes(got) == data and t.read(1) == b""
    assert not rig.uart.overruns


@pytest.mark.parametrize("kind", ["rp2", "esp32"])
def test_long_write_while_bytes_come(kind):
    rig = Rig(costs=None, modem_args={"baudrate": 921600})
    rig.uart.kind = kind
    t = rig.modem.transparent(rig.serve(Sink))
    data = noise(1, 20_000)
    begin = rig.clock.ms
    assert t.write(data) == len(data)
    assert t.write(data, 100) == 100 and t.write(data, 50, 60) == 60
    rig.pump(200)
    assert bytes(rig.connection().received) == data + data[:100] + data[50:110]
    assert rig.clock.ms - begin < 700  # 220 ms at this rate, and the silence at the end


@pytest.mark.parametrize("kind", ["rp2", "esp32"])
def test_calls_that_do_not_block_return_within_a_burst(kind):
    rig = Rig(costs=None)
    rig.uart.kind = kind
    t = rig.modem.transparent(ECHO)
    t.setblocking(False)
    data = noise(1, 3000)
    sent, got = 0, bytearray()
    while len(got) < len(data):
        for function, args in ((t.write, (data[sent:],)), (t.read, (500,)), (t.ioctl, (3, 5))):
            begin = rig.clock.now_us
            done = function(*args)
            assert rig.clock.now_us - begin < 25_000, function
            if function == t.write:
                sent += done or 0
            elif function == t.read:
                got += done or b""
        rig.clock.sleep_ms(1)
    assert bytes(got) == data


def test_poll_and_its_bits():
    rig = Rig()
    t = rig.modem.transparent(rig.serve(lambda: Blob(b"later", after=b"x")), timeout_ms=0)
    t.setblocking(False)
    assert t.ioctl(3, IN | OUT) == 0 and t.write(b"x") is None and t.read(1) is None
    poller = select.poll()
    poller.register(t, OUT)
    assert poller.poll(10_000) == [(t, OUT)]
    assert t.ioctl(3, IN) == 0
    assert t.write(b"x") == 1
    poller.modify(t, IN)
    assert poller.poll(10_000) == [(t, IN)]
    assert t.read(10) == b"later"
    assert poller.poll(10_000) == [(t, IN)]
    assert t.read(10) == b""
    t.close()
    assert t.ioctl(3, IN) == NVAL
    raises(errno.EBADF, t.read, 1)
    rig.pump(3000)
    assert rig.works()


# --- +++


@every_family
@pytest.mark.parametrize(
    "pieces", [[b"+++"], [b"+", b"+", b"+"], [b"++", b"+"], [b"+++++"], [b"+++", b"+++"], [b"+++x"]]
)
def test_pluses_between_silences_go_through(family, pieces):
    rig = Rig(family=family)
    t = rig.modem.transparent(rig.serve(Sink))
    for silence in (0, 500, 950, 1000, 1050, 1290, 1310, 3000):
        rig.pump(silence)
        for piece in pieces:
            assert t.write(piece) == len(piece)
        rig.pump(2500)
    t.write(b"end")
    rig.pump(200)
    assert bytes(rig.connection().received) == b"".join(pieces) * 8 + b"end"
    assert t._data, "still in data mode"


def test_pluses_when_not_blocking_and_by_a_uart_that_takes_little():
    rig = Rig()
    t = rig.modem.transparent(rig.serve(Sink))
    t.setblocking(False)
    write = rig.uart.write
    rig.uart.write = lambda buf, off, n: write(buf, off, min(n, 1))
    data = b"+++a++++++b+++"
    sent = 0
    while sent < len(data):
        rig.pump(400)
        sent += t.write(data[sent:]) or 0
    rig.pump(3000)
    assert bytes(rig.connection().received) == data
    assert t.write(b"x") == 1


def test_pluses_after_days_of_silence():
    rig = Rig()
    rig.patience(1 << 60)
    t = rig.modem.transparent(rig.serve(Sink))
    t.write(b"x")
    for _ in range(900):  # ticks go round every 12.4 days
        rig.clock.sleep_ms(1_000_000)
        rig.modem.pump()
        rig.modem.pump()
    t.write(b"+++")
    rig.pump(3000)
    assert bytes(rig.connection().received) == b"x+++"


# --- commands in between


@pytest.mark.feature("escape")
@every_family
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_escape_and_resume(family, seed):
    rig = Rig(seed, family=family, split_ms=10)
    codes = []
    rig.modem.on_urc("+CMTI", codes.append)
    t = rig.modem.transparent(ECHO)
    for i in range(3):
        t.write(b"before")
        rig.vm.urc('+CMTI: "SM",%d' % i)
        t.escape()
        if family in CIP or not seed:  # some spoil an answer now and then
            assert rig.modem.at("+CSQ") == ["+CSQ: 20,0"]
        assert rig.modem.status("rssi") == -73 and rig.modem.isconnected()
        assert codes == ['+CMTI: "SM",%d' % k for k in range(i + 1)]
        t.escape()
        rig.connection().write(b"waits in the module")
        rig.pump(2000)
        t.settimeout(2)
        assert t.read(6) == b"before"
        t.resume()
        t.resume()
        assert t.read(19) == b"waits in the module"
    ended(rig, t)


@every_family
def test_bytes_that_come_during_the_escape_are_kept(family):
    data = noise(7, 3000) + b"\r\nOK\r\n" * 3
    steps = [step for at in range(0, len(data), 20) for step in (("send", data[at : at + 20]), ("wait", 25))]
    rig = Rig(family=family)
    t = rig.modem.transparent(rig.serve(lambda: Script(("expect", b"x"), *steps)))
    t.write(b"x")
    got = bytearray()
    for _ in range(2):
        t.escape()
        assert rig.modem.at("+CSQ") == ["+CSQ: 20,0"]
        t.settimeout(0)
        got += t.read(4000) or b""
        t.resume()
        t.settimeout(1)
        try:
            got += t.read(500)
        except OSError:
            pass
    got += collected(rig, t, len(data) - len(got))
    assert bytes(got) == data
    ended(rig, t)


@every_family
@pytest.mark.parametrize("delay", [20, 400, 600, 850, 940])
def test_payload_that_reads_like_the_answer_to_the_escape(family, delay):
    rig = Rig(family=family)
    t = rig.modem.transparent(rig.serve(Sink))
    rig.pump(2000)
    data = b"\r\nOK\r\n"
    rig.clock.after_ms(delay, lambda: rig.connection().write(data))
    t.escape()
    assert rig.modem.at("+CSQ") == ["+CSQ: 20,0"]
    t.resume()
    assert t.read(len(data)) == data
    t.setblocking(False)
    assert t.read(1) is None


def test_payload_that_reads_like_the_end_and_like_the_answer_to_the_question():
    rig = Rig()
    t = rig.modem.transparent(rig.serve(Sink))
    rig.pump(2000)
    for delay in (300, 500, 700, 900):
        rig.connection().write(b"\r\nCLOSED\r\n")
        rig.clock.after_ms(delay, lambda: rig.connection().write(b"\r\nOK\r\n"))
        t.settimeout(10)
        assert t.read(16) == b"\r\nCLOSED\r\n\r\nOK\r\n"
        t.settimeout(1)
        raises(errno.ETIMEDOUT, t.read, 1)


@every_family
def test_what_others_may_do(family):
    rig = Rig(family=family)
    m = rig.modem
    t = m.transparent(ECHO)
    before = len(rig.connection().received)
    s = m.socket()
    listener = m.socket()
    listener.bind(("", 80))
    calls = [(m.at, "+CSQ"), (m.status, "rssi"), (m.resolve, "x.example"), (m.config, "imei")]
    calls += [
        (listener.listen, 1),
        (m.transparent, ECHO),
        (m.transparent_server, 80),
        (s.connect, ECHO),
        (run, m, ask(b"AT", 100)),
    ]
    for function, *arguments in calls:
        assert "transparent" in raises(errno.EALREADY, function, *arguments)
    assert m.isconnected() and m.status() == "up" and m.active()
    rig.pump(30_000)
    assert len(rig.connection().received) == before, "nothing was sent"
    t.escape()
    if family in START:
        raises(errno.EALREADY, s.connect, ECHO)
        raises(errno.EALREADY, listener.listen, 1)
    raises(errno.EALREADY, t.write, b"x")
    raises(errno.EALREADY, t.read, 1)
    t.setblocking(False)
    assert t.read(1) is None and t.ioctl(3, IN | OUT) == 0
    with pytest.raises(ATError):
        m.at("+NONSENSE")
    t.settimeout(5)
    t.resume()
    t.write(b"x")
    assert t.read(1) == b"x"
    ended(rig, t)
    listener.listen()
    listener.close()
    ended(rig, m.transparent(ECHO))


@every_family
@pytest.mark.parametrize("escaped", [False, True])
def test_disconnect_ends_it(family, escaped):
    rig = Rig(family=family)
    t = rig.modem.transparent(ECHO)
    if escaped:
        t.escape()
    rig.modem.disconnect()
    assert not rig.modem.isconnected() and not rig.connection().is_open
    assert rig.connection().received == b""
    raises(errno.ENOTCONN, t.read, 1)
    t.close()
    rig.modem.connect("internet")
    assert rig.works()


@every_family
def test_disconnect_after_transparent_mode_sends_what_is_owed(family):
    rig = Rig(family=family)
    rig.modem.transparent(ECHO).close()
    s = rig.socket(rig.serve(Sink), 0)
    s.write(b"x" * 500)
    rig.modem.disconnect()
    assert rig.connection().received == b"x" * 500


@every_family
@pytest.mark.parametrize("level", [0, 1])
def test_escape_by_dtr(family, level):
    pin = machine.Pin(6, machine.Pin.OUT, value=level)
    settings = {"dtr": pin}
    rig = Rig(family=family)
    rig.vm._dtr = pin
    pin = machine.Pin(6, machine.Pin.OUT, value=level)
    pin.watch(rig.vm.dtr)
    t = rig.modem.transparent(ECHO, **settings | {"dtr": pin})
    assert "AT&D1" in rig.sent
    t.write(b"x")
    t.escape()
    assert rig.modem.at("+CSQ") == ["+CSQ: 20,0"]
    t.resume()
    assert t.read(1) == b"x"
    assert bytes(rig.connection().received) == b"x"
    pin.value(level)
    ended(rig, t)
    assert pin.value() == level


def test_escape_of_a_module_that_does_not_hear_it():
    rig = Rig()
    t = rig.modem.transparent(rig.serve(Sink), tuning=(5, 2, 1024, 0), dtr=machine.Pin(9, machine.Pin.OUT))
    assert "AT+CIPCCFG=5,2,1024,0" in rig.sent
    raises(errno.ETIMEDOUT, t.escape)  # its DTR is not wired
    t.write(b"goes on")
    rig.pump(500)
    assert bytes(rig.connection().received).replace(b"+++", b"") == b"goes on"
    t.close()
    assert not rig.modem.isconnected() and rig.modem.status() == "off"
    rig.modem.connect("internet")
    assert rig.works()


@every_family
def test_connection_that_ended_in_command_mode(family):
    rig = Rig(family=family)
    t = rig.modem.transparent(ECHO)
    t.write(b"x")
    assert t.read(1) == b"x"
    t.escape()
    rig.connection().close()
    rig.pump(1000)
    raises(errno.ENOTCONN, t.resume)
    assert t.read(1) == b""
    ended(rig, t)


def test_escape_with_a_full_ring():
    rig = Rig()
    rig.uart.init(flow=3)
    t = rig.modem.transparent(rig.serve(lambda: Blob(b"x" * 10_000, after=b"go", close=False)), flow_control=True)
    t.write(b"go")
    rig.pump(2000)
    raises(errno.ENOBUFS, t.escape)
    t.read(9990)
    t.escape()
    t.resume()
    assert t.read(10) == b"x" * 10


@every_family
def test_refused_ato(family):
    rig = Rig(family=family)
    t = rig.modem.transparent(ECHO)
    t.escape()
    rig.vm.links[0].end_told = True
    rig.vm.links[0].drop("CLOSED")  # and its line was lost
    raises(errno.ENOTCONN, t.resume)
    assert t.read(1) == b""
    ended(rig, t)


def test_refused_ato_tells_of_a_lost_context():
    rig = Rig()
    t = rig.modem.transparent(ECHO)
    t.escape()
    rig.vm.links[0].drop("CLOSED")
    rig.vm.contexts[0].state = "PDP DEACT"  # and both lines were lost
    raises(errno.ENOTCONN, t.resume)
    rig.pump(3000)
    assert not rig.modem.isconnected()
    rig.modem.connect("internet")
    assert rig.works()


@pytest.mark.parametrize("ms", [500, 1500, 2000, 2350, 4000])
@pytest.mark.parametrize("n", [2750, 2900])
def test_data_mode_begins_again_when_there_is_room(n, ms):
    rig = Rig()
    rig.uart.init(flow=3)
    data = b"x" * n + b"\r\nCLOSED\r\n"
    steps = ("expect", b"go"), ("send", data), ("wait", ms), ("send", b"\r\n" + b"y" * 600)
    t = rig.modem.transparent(rig.serve(lambda: Script(*steps)), flow_control=True)
    t.write(b"go")
    for _ in range(300):  # CONNECT and many bytes in one read
        rig.modem.pump()
        rig.clock.sleep_ms(20)
    assert t.read(len(data) + 602) == data + b"\r\n" + b"y" * 600
    t.write(b"on")
    rig.pump(300)
    assert bytes(rig.connection().received) == b"goon"
    ended(rig, t)


# --- the end


ENDS = [("sim800", {}), ("sim7000", {})]
ENDS += [(family, {"transparent_end": end}) for family in OPEN for end in ("closed", "both", "ipclose")]
TEXTS = ("", "CLOSED", "+CASTATE: %d,0", "NO CARRIER", "OK")
ENDS += [(f, {"stream_end": text, "stream_left": left}) for f in CA for text in TEXTS for left in (True, False)]


@shows
@pytest.mark.parametrize("family, choices", ENDS)
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_closed_by_the_peer(family, choices, seed):
    rig = Rig(seed, family=family, split_ms=20, choices=choices)
    codes = []
    rig.modem.on_urc("+CMTI", codes.append)
    t = rig.modem.transparent(rig.serve(lambda: Blob(noise(seed, 5000), after=b"go")))
    t.write(b"go")
    rig.vm.urc('+CMTI: "SM",1')
    assert t.read() == noise(seed, 5000)
    assert t.read(1) == b"" and t.recv(5) == b"" and t.readline() == b""
    raises(errno.ECONNRESET, t.write, b"x")
    raises(errno.ENOTCONN, t.escape)
    assert codes == ['+CMTI: "SM",1']
    if seed is None:  # other modules spoil an answer now and then
        assert rig.modem.at("+CSQ") == ["+CSQ: 20,0"]
    ended(rig, t)


@pytest.mark.parametrize("family", CA)
@pytest.mark.parametrize("form", ("alone", "states before", "states behind", "states"))
def test_stream_that_a_lost_context_cuts_has_no_end(family, form):
    rig = Rig(family=family, choices={"context_loss": form})
    t = rig.modem.transparent(rig.serve(lambda: Drip(noise(1, 600), 300, 60_000)))
    t.settimeout(60)
    assert t.read(300) == noise(1, 300)
    rig.vm.network_lost()
    raises(errno.ENOTCONN, t.read, 1)
    t.close()
    rig.modem.connect("internet")
    assert rig.works()


@pytest.mark.parametrize("family", CA)
@pytest.mark.parametrize("choices", [choices for family, choices in ENDS if family == CA[0]])
@pytest.mark.parametrize("said", (b"0,DEACTIVE", b"DEACTIVE"))
def test_last_bytes_read_like_the_end_of_the_context(family, choices, said):
    data = b"x\r\n+APP PDP: " + said + b"\r\n"
    rig = Rig(family=family, choices=choices)
    t = rig.modem.transparent(rig.serve(lambda: Blob(data)))
    t.settimeout(60)
    assert t.read() == data
    ended(rig, t)


@every_family
def test_closed_at_once(family):
    rig = Rig(family=family)
    t = rig.modem.transparent(rig.serve(Slam))
    assert t.read() == b""
    ended(rig, t)


@every_family
@pytest.mark.parametrize("where", ["middle", "end", "both"])
def test_payload_that_reads_like_the_end(family, where):
    event = b"\r\nCLOSED\r\n"
    data = {"middle": b"a" + event + b"b" * 500, "end": b"a" + event, "both": event + b"+" + event}[where]
    rig = Rig(family=family)
    t = rig.modem.transparent(ECHO)
    for _ in range(2):
        t.settimeout(20)
        t.write(data)
        assert t.read(len(data)) == data
    assert bytes(rig.connection().received) == data * 2
    t.settimeout(60)  # some modules have to be asked
    rig.connection().close()
    assert t.read() == b""
    ended(rig, t)


@pytest.mark.parametrize("family", ["sim800", "sim7000"])  # the others may end with another line too
def test_last_bytes_read_like_the_end(family):
    rig = Rig(family=family)
    t = rig.modem.transparent(rig.serve(lambda: Blob(b"x\r\nCLOSED\r\n", after=b"go")))
    t.write(b"go")
    assert t.read() == b"x\r\nCLOSED\r\n"
    ended(rig, t)


@pytest.mark.parametrize("family", CIP)
def test_dcd_tells_the_end_at_once(family):
    rig = Rig(family=family)
    dcd = rig.vm._dcd = machine.Pin(7, machine.Pin.IN, value=1)
    t = rig.modem.transparent(rig.serve(lambda: Blob(b"x", after=b"go")), dcd=dcd)
    assert dcd.value() == 0
    t.write(b"go")
    begin = rig.clock.ms
    assert t.read() == b"x"
    assert rig.clock.ms - begin < 300
    assert dcd.value() == 1
    ended(rig, t)


@pytest.mark.parametrize("family", CIP)
def test_dcd_tells_payload_that_reads_like_the_end(family):
    data = b"x\r\nCLOSED\r\n"
    rig = Rig(family=family)
    dcd = rig.vm._dcd = machine.Pin(7, machine.Pin.IN, value=1)
    t = rig.modem.transparent(rig.serve(lambda: Blob(data, after=b"go", close=False)), dcd=dcd)
    t.write(b"go")
    begin = rig.clock.ms
    assert t.read(len(data)) == data
    t.write(b"more")
    rig.pump(300)
    assert bytes(rig.connection().received) == b"gomore"
    assert rig.clock.ms - begin < 700
    ended(rig, t)


def test_dcd_tells_what_a_lost_line_does_not():
    rig = Rig()
    dcd = rig.vm._dcd = machine.Pin(7, machine.Pin.IN, value=1)
    t = rig.modem.transparent(ECHO, dcd=dcd)
    t.write(b"x")
    rig.pump(100)
    rig.vm.send = lambda data: None  # flash is written just then
    rig.connection().close()
    rig.pump(100)
    del rig.vm.send
    assert t.read() == b"x"
    ended(rig, t)


@shows
@every_family
@pytest.mark.parametrize("escaped", [False, True])
def test_lost_context_is_an_error_behind_the_bytes(family, escaped):
    rig = Rig(family=family)
    t = rig.modem.transparent(ECHO)
    t.write(b"before")
    rig.pump(200)
    if escaped:
        t.escape()
    rig.vm.network_lost()
    rig.pump(100)
    assert t.read(6) == b"before"
    raises(errno.ENOTCONN, t.read, 1)
    raises(errno.ENOTCONN, t.write, b"x")
    assert t.ioctl(3, 0) & ERR
    assert not rig.modem.isconnected()
    rig.modem.connect("internet")
    assert rig.works()
    t.close()
    assert rig.works()


@every_family
def test_module_that_restarts(family):
    rig = Rig(family=family, **({"default_autobaud": False} if family in CA else {}))  # else it says nothing
    t = rig.modem.transparent(ECHO)
    t.settimeout(60)
    rig.vm.restart()
    raises(
        errno.ECONNABORTED, lambda: [t.read(1) for _ in range(1000)]
    )  # what its loader says cannot be told from data
    t.close()
    assert not rig.modem.isconnected()
    rig.pump(10_000)
    rig.modem.connect("internet")
    assert rig.works()


@pytest.mark.parametrize("text", ("UNDER-VOLTAGE POWER DOWN", "NORMAL POWER OFF"))
def test_module_that_switches_itself_off(text):
    rig = Rig()
    t = rig.modem.transparent(ECHO)
    t.settimeout(60)
    rig.vm.leave_data()
    rig.vm.power_off(text)
    raises(errno.ETIMEDOUT, t.read, 1)
    assert not rig.modem.active()
    t.close()


def test_no_carrier():
    rig = Rig()
    t = rig.modem.transparent(ECHO)
    rig.vm.exception("NO CARRIER")
    assert t.read() == b""
    ended(rig, t)


def test_module_that_hangs_in_data_mode():
    rig = Rig()
    t = rig.modem.transparent(ECHO)
    rig.vm.silent = True
    t.settimeout(3)
    raises(errno.ETIMEDOUT, t.read, 1)
    t.close()
    assert not rig.modem.isconnected() and rig.modem.status() == "off"
    rig.vm.silent = False
    rig.modem.connect("internet")
    assert rig.works()


def test_close_without_blocking_is_finished_by_the_pump():
    rig = Rig()
    t = rig.modem.transparent(ECHO)
    t.setblocking(False)
    begin = rig.clock.ms
    t.close()
    assert rig.clock.ms - begin < 50 and rig.connection().is_open
    rig.pump(5000)
    assert not rig.connection().is_open and rig.modem.isconnected()
    assert rig.works()


def test_with_and_twice():
    rig = Rig()
    for _ in range(3):
        with rig.modem.transparent(ECHO) as t:
            t.sendall(b"line\nrest")
            assert t.readline() == b"line\n" and t.recv(10) == b"rest"
            assert t.makefile("rwb") is t
        t.close()
    assert rig.modem.hooks == () and rig.modem.open.__self__ is rig.modem
    assert rig.works()


def test_ctrl_c():
    rig = Rig()
    t = rig.modem.transparent(ECHO)
    rig.clock.after_ms(500, lambda: rig.clock.after_ms(0, interrupt))

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        t.read(1)
    t.write(b"x")
    assert t.read(1) == b"x"
    ended(rig, t)


@pytest.mark.parametrize("receive", ["buffer", "push"])
def test_ctrl_c_while_bytes_are_read(receive):
    rig = Rig()
    rig.modem.config(receive=receive)
    t = rig.modem.transparent(rig.serve(lambda: Blob(b"x" * 400, after=b"go", close=False)))
    channel = rig.modem.channel
    readinto = channel._readinto

    def interrupted(*_):
        channel._readinto = readinto
        raise KeyboardInterrupt

    t.write(b"go")
    channel._readinto = interrupted
    with pytest.raises(KeyboardInterrupt):
        t.read(400)
    assert t.read(400) == b"x" * 400
    t.write(b"on")
    begin = rig.clock.ms
    t.close()
    assert rig.clock.ms - begin < 3000
    assert bytes(rig.connection().received) == b"goon"
    assert rig.works()


# --- the beginning


@pytest.mark.feature("transparent_udp")
@every_family
@pytest.mark.parametrize("port", [0, 5000])
def test_datagrams(family, port):
    rig = Rig(family=family)
    rig.net.serve("udp.example", 9, Echo, "UDP")
    t = rig.modem.transparent(("udp.example", 9), udp=True, local_port=port)
    t.write(b"datagram")
    assert t.read(8) == b"datagram"
    command = [line for line in rig.sent if '"UDP"' in line and "udp.example" in line][0]
    if rig.modem.DIALECT == "cipopen":
        assert port == 0 or command.endswith(",9,5000")
        assert int(command.split(",")[4]) >= 5000
    elif family in CA:
        assert ('AT+CACFG="LOCALPORT",0,5000' in rig.sent) == bool(port)
    else:
        assert ('AT+CLPORT="UDP",5000' in rig.sent) == bool(port)
    t.escape()
    t.resume()
    t.write(b"x")
    assert t.read(1) == b"x"
    ended(rig, t)
    ports = rig.vm.__dict__.get("local_ports", {})
    assert not (ports.get((0, "UDP")) or ports.get(0))


@every_family
def test_local_port(family):
    rig = Rig(family=family)
    t = rig.modem.transparent(ECHO, local_port=4000)
    t.write(b"x")
    assert t.read(1) == b"x"
    texts = {"cipopen": '"echo.example",7,4000', "cipstart": 'AT+CLPORT="TCP",4000', "caopen": '"LOCALPORT",0,4000'}
    assert any(texts[rig.modem.DIALECT] in line for line in rig.sent)
    ended(rig, t)


@every_family
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_refused(family, seed):
    rig = Rig(seed, family=family)
    assert "peer.example:80" in raises(errno.ECONNREFUSED, rig.modem.transparent, rig.serve(Refuse))
    assert rig.modem.isconnected()
    assert rig.works()


@every_family
def test_time_out_of_the_call(family):
    rig = Rig(family=family)
    begin = rig.clock.ms
    raises(errno.ETIMEDOUT, rig.modem.transparent, rig.serve(Blackhole), timeout_ms=5000)
    assert rig.clock.ms - begin < 5500
    while not rig.modem.isconnected():  # the module of one dialect tries for two minutes, whatever it is told
        rig.pump(1000)
    assert rig.works()


@every_family
def test_time_out_of_the_module(family):
    rig = Rig(family=family)
    raises(errno.ETIMEDOUT, rig.modem.transparent, rig.serve(Blackhole))
    assert rig.works()


@every_family
def test_context_that_does_not_come(family):
    rig = Rig(family=family)
    rig.vm.bringup, rig.vm.refuse_contexts = "error", 20
    with pytest.raises(OSError):
        rig.modem.transparent(ECHO)
    assert not rig.modem.isconnected()
    rig.vm.bringup, rig.vm.refuse_contexts = "ok", 0
    rig.modem.connect("internet")
    assert rig.works()


@every_family
def test_user_and_key_are_given_again(family):
    rig = Rig(family=family, up=False)
    rig.modem.connect("apn.example", "me", "secret")
    account = [line for line in rig.sent if "secret" in line]
    start = account[0].startswith(("AT+CSTT=", "AT+CNCFG="))
    assert start or account[0].startswith("AT+CGAUTH=")  # which the module keeps with +CGDCONT while it runs
    t = rig.modem.transparent(ECHO)
    assert [line for line in rig.sent if "secret" in line] == account * (2 if start else 1)
    t.close()
    assert [line for line in rig.sent if "secret" in line] == account * (3 if start else 1)
    assert sum(line.startswith('AT+CGDCONT=1,"IP","apn.example"') for line in rig.sent) == (family != "sim800")
    assert rig.works()


@every_family
def test_settings_of_the_program_are_made_again(family):
    rig = Rig(family=family)
    rig.modem.config(dns=("198.51.100.1", "198.51.100.2"))
    rig.modem.extra = [("signal", lambda m: ask(b"AT+CSQ", 1000))]
    before = len(rig.sent)
    rig.modem.transparent(ECHO).close()
    sent = rig.sent[before:]
    assert sent.count("AT+CSQ") == 2
    assert sum(line.startswith("AT+CDNSCFG=") for line in sent) == 2
    assert rig.works()


@every_family
def test_mistakes_of_the_caller_send_nothing(family):
    rig = Rig(family=family)
    m = rig.modem
    before = len(rig.sent)
    for args in (("", 80), ("a b", 80), ('a"', 80), ("a", 0), ("a", 65536), ("a", "80")):
        with pytest.raises(ValueError):
            m.transparent(args)
    for port in (0, 65536, "80", None):
        with pytest.raises(ValueError):
            m.transparent_server(port)
    with pytest.raises(ValueError):
        m.transparent(ECHO, local_port=-1)
    if m.DIALECT == "cipstart":
        pin = machine.Pin(9, machine.Pin.OUT)
        for tuning in ((5, 2), (5, 2, 1024, 0), (2, 2, 1024, 1), (5, 2, 1461, 1), (5, 2, 1024, 1, 0, 49), (5,) * 8):
            with pytest.raises(ValueError):
                m.transparent(ECHO, tuning=tuning)
        with pytest.raises(ValueError):
            m.transparent(ECHO, tuning=(5, 2, 1024, "1"), dtr=pin)
    else:
        assert m.LACKS is not None
        assert type(m).__name__ in raises(errno.EOPNOTSUPP, m.transparent, ECHO, tuning=(5, 2, 1024, 1))
    s = rig.socket(ECHO)
    after = len(rig.sent)
    assert "echo.example" in raises(errno.EALREADY, m.transparent, ECHO)
    assert len(rig.sent) == after
    s.close()
    m.disconnect()
    after = len(rig.sent)
    raises(errno.ENOTCONN, m.transparent, ECHO)
    raises(errno.ENOTCONN, m.transparent_server, 80)
    assert len(rig.sent) == after and before < after


@pytest.mark.parametrize("family", ("sim800", "sim7000"))
def test_tuning_reaches_the_module(family):
    rig = Rig(family=family)
    t = rig.modem.transparent(ECHO, tuning=(6, 3, 512, 1, 1, 1400, 100))
    assert rig.vm.tuning == [6, 3, 512, 1, 1, 1400, 100]
    ended(rig, t)
    pin = machine.Pin(6, machine.Pin.OUT, value=0)
    t = rig.modem.transparent(ECHO, tuning=(6, 3, 512, 0), dtr=pin)
    assert rig.vm.tuning[:4] == [6, 3, 512, 0]
    t.close()


@pytest.mark.parametrize("family", FAMILIES)
def test_flow_control_reaches_the_module(family):
    rig = Rig(family=family)
    t = rig.modem.transparent(ECHO, flow_control=True)
    assert rig.vm.values["IFC"] == "2,2"
    ended(rig, t)


def test_lost_bytes_are_warned_of_once(capsys):
    import simcom.transparent.stream

    simcom.transparent.stream._told = False
    rig = Rig()
    rig.uart.init(flow=3)
    rig.modem.transparent(ECHO, flow_control=True).close()
    assert capsys.readouterr().out == ""
    for times in (1, 0):
        rig.modem.transparent(ECHO).close()
        assert capsys.readouterr().out.count("lost bytes") == times


@pytest.mark.parametrize("rate, loses", [(460800, False), (921600, True)])
def test_rate_that_loses_without_flow_control_is_named(rate, loses, capsys):
    import simcom.transparent.stream

    simcom.transparent.stream._told = False
    rig = Rig(modem_args={"baudrate": rate})
    rig.modem.transparent(ECHO).close()
    assert ("at 921600 baud" in capsys.readouterr().out) == loses


MODES = [(family, mode) for family in CIP for mode in ("push", "hex")] + [(family, "push") for family in CA]
MODES += [("sim800", "asleep"), ("a76xx", "asleep")]  # by silence, which the others cannot


@pytest.mark.parametrize("family, mode", MODES)
def test_other_settings_are_there_again_afterwards(family, mode):
    rig = Rig(family=family)
    if mode == "asleep":
        rig.modem.sleep()
    else:
        rig.modem.config(receive=mode)
    t = rig.modem.transparent(ECHO)
    assert not rig.vm.links[0].pushes if family in CA else rig.vm.rxget == 0
    if rig.modem.DIALECT == "cipstart":
        assert rig.vm.head == rig.vm.show_source == 0
    data = b"\r\n+IPD,5:\r\n+RECEIVE,0,3:\r\nabc"
    t.write(data)
    assert t.read(len(data)) == data
    rig.pump(3000)
    t.escape()
    assert rig.modem.at("+CSQ") == ["+CSQ: 20,0"]
    t.close()
    assert rig.works()
    if mode == "push":
        opened = [line for line in rig.sent if line.startswith("AT+CAOPEN=")]
        assert opened[-1].endswith(",1") if family in CA else rig.vm.rxget == 0


@every_family
def test_line_that_nobody_knows_is_no_loss_of_push_mode(family):
    rig = Rig(family=family)
    rig.modem.config(receive="push")
    t = rig.modem.transparent(ECHO)
    t.escape()
    for _ in range(2):
        rig.vm.report("NOT IN ANY MANUAL")
        rig.pump(100)
    t.resume()
    t.write(b"unharmed")
    assert t.read(8) == b"unharmed"
    ended(rig, t)


@pytest.mark.parametrize("family", ["sim800", "sim7000"])
def test_in_single_connection_mode(family):
    rig = Rig(family=family, modem_args={"mux": False})
    t = rig.modem.transparent(ECHO)
    t.write(b"0, CLOSED\r\n")
    assert t.read(11) == b"0, CLOSED\r\n"
    rig.connection().close()
    assert t.read() == b""
    t.close()
    assert rig.works()


@pytest.mark.parametrize("family", ["sim800", "sim7000"])
def test_nothing_else_is_asked_after_there_was_a_second_context(family):
    rig = Rig(family=family)
    second = rig.modem.context("other.apn")
    second.connect()
    second.disconnect()
    rig.net.connect_ms = 5000
    rig.clock.after_ms(2000, lambda: rig.vm.report("SMS DONE" if family == "sim7000" else "SMS Ready"))
    t = rig.modem.transparent(ECHO)
    assert rig.sent[-1].startswith("AT+CIPSTART")
    ended(rig, t)


@every_family
def test_microcontroller_that_restarts_in_data_mode(family):
    rig = Rig(family=family)
    rig.modem.transparent(rig.serve(Sink))
    rig.pump(2000)
    rig.make()
    rig.modem.connect("internet")
    assert rig.works()


# --- servers


@pytest.mark.feature("transparent_server")
@every_family
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_server(family, seed):
    rig = Rig(seed, family=family, split_ms=10)
    clients = []
    rig.clock.after_ms(5000, lambda: clients.append(rig.dial(8080, "192.0.2.9", 1234)))
    t = rig.modem.transparent_server(8080, timeout_ms=60_000)
    assert t.peer == ("192.0.2.9", 0 if family in START else 1234)
    clients[0].send(b"request")
    assert t.read(7) == b"request"
    t.write(b"answer")
    assert clients[0].recv(6) == b"answer"
    t.escape()
    assert rig.modem.at("+CSQ") == ["+CSQ: 20,0"]
    t.resume()
    clients[0].send(b"last words")
    clients[0].close()
    assert t.read() == b"last words"
    assert not rig.net.listeners, "nobody else shall come"
    ended(rig, t)
    assert not rig.net.listeners


@every_family
def test_server_that_closes_first(family):
    rig = Rig(family=family)
    rig.clock.after_ms(3000, lambda: rig.dial(8080))
    t = rig.modem.transparent_server(8080)
    t.write(b"bye")
    ended(rig, t)
    assert not rig.net.listeners


@every_family
def test_nobody_comes(family):
    rig = Rig(family=family)
    begin = rig.clock.ms
    raises(errno.ETIMEDOUT, rig.modem.transparent_server, 8080, timeout_ms=10_000)
    assert rig.clock.ms - begin < 10_500
    rig.pump(5000)
    assert not rig.net.listeners and rig.works()


@every_family
def test_next_client_comes_before_the_server_is_closed(family):
    rig = Rig(family=family)
    clients = []
    rig.clock.after_ms(3000, lambda: clients.append(rig.dial(8080)))
    t = rig.modem.transparent_server(8080)
    clients[0].close()
    rig.clock.sleep_ms(100)
    clients.append(rig.dial(8080))
    assert clients[1].taken
    rig.pump(100)
    clients[1].send(b"for nobody")
    rig.pump(20_000)
    ended(rig, t)
    assert not rig.net.listeners


LIKE_EVENTS = (b"RDY", b"NORMAL POWER DOWN", b"UNDER-VOLTAGE POWER DOWN", b"Call Ready", b"SMS Ready", b"+CFUN: 1")
LIKE_EVENTS += (b"*ATREADY: 1", b"+PDP: DEACT", b"+PDP DEACT", b"+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY", b"CLOSED")
LIKE = [(family, event) for family in FAMILIES for event in LIKE_EVENTS if family in CIP or event != b"CLOSED"]


@pytest.mark.feature("transparent")
@pytest.mark.parametrize("ms", [0, 30, 700])
@pytest.mark.parametrize("family, event", LIKE)
def test_stream_that_ends_in_what_reads_like_an_event(family, event, ms):
    rig = Rig(family=family)
    t = rig.modem.transparent(rig.serve(Peer), flow_control=True)
    t.settimeout(60)
    data = b"the last line is payload\r\n%s\r\n" % event
    peer = rig.connection()
    peer.write(data)
    rig.clock.after_ms(20 + ms, peer.close)
    assert t.read() == data
    t.close()
    assert rig.modem.isconnected()


# What nobody can tell: whether CLOSED is the word of a module that mostly ends in silence and is not in command mode
# then (SIM7080); and: a module that ends with +IPCLOSE alone, behind a stream that ends in "\r\nCLOSED\r\n", says
# b"\r\nCLOSED\r\n\r\n+IPCLOSE: 0,1\r\n", as one does that ends with both lines; likewise the other way round.
@pytest.mark.parametrize("family, last", [(f, b"RDY") for f in FAMILIES] + [(f, b"CLOSED") for f in CIP])
@pytest.mark.parametrize("event", [each for each in LIKE_EVENTS if each != b"CLOSED"])
def test_stream_that_ends_in_two_lines_that_read_like_events(family, event, last):
    rig = Rig(family=family, choices={"transparent_end": "both"} if family in OPEN else {})
    t = rig.modem.transparent(rig.serve(Peer), flow_control=True)
    t.settimeout(60)
    data = b"payload\r\n%s\r\n\r\n%s\r\n" % (event, last)
    peer = rig.connection()
    peer.write(data)
    rig.clock.after_ms(20, peer.close)
    assert t.read() == data
    t.close()
    assert rig.modem.isconnected() and rig.works()


@every_family
@pytest.mark.parametrize("remedy", ["recover", "reset", "power-down"])
@pytest.mark.parametrize("timeout_ms", [5, 1000, 30000])  # not begun, connecting, connected
def test_ended_by_who_must_have_the_module(family, timeout_ms, remedy):
    rig = Rig(family=family)
    m = rig.modem
    stream = None
    try:
        stream = m.transparent(rig.serve(Blackhole) if timeout_ms == 1000 else ECHO, timeout_ms=timeout_ms)
    except OSError as e:
        assert e.errno == errno.ETIMEDOUT
        raises(errno.EALREADY, m.status, "rssi")
    assert bool(stream) == (timeout_ms == 30000)
    if remedy == "recover":
        assert m.recover() in ("context", "power")
    elif remedy == "reset":
        m.reset(timeout_ms=200_000)
    else:
        assert not m.active(False)
    m.active(True)
    m.connect("internet")
    if stream:
        raises(errno.ECONNABORTED, stream.write, b"x")
        stream.close()
    assert rig.works()


@pytest.mark.parametrize("family", OPEN)
@pytest.mark.parametrize("known", (True, False))
def test_end_by_dtr_is_told_from_a_send_that_timed_out(family, known):
    pin = machine.Pin(6, machine.Pin.OUT, value=0)
    rig = Rig(family=family, dtr=pin)
    t = rig.modem.transparent(ECHO, dtr=pin if known else None)
    rig.vm.dtr_mode = 2
    pin.value(1)
    rig.pump(6000)
    said = raises(errno.ETIMEDOUT, t.read, 1)
    assert said.endswith("DTR is off" if known else "sending timed out, or DTR off")
    pin.value(0)
    ended(rig, t)


@pytest.mark.parametrize("family", OPEN)
def test_send_that_timed_out_is_no_end_by_dtr(family):
    pin = machine.Pin(6, machine.Pin.OUT, value=0)
    rig = Rig(family=family, dtr=pin)
    t = rig.modem.transparent(ECHO, dtr=pin)
    rig.vm.dtr_mode = 2
    pin.value(1)
    pin.value(0)
    rig.pump(6000)
    assert raises(errno.ETIMEDOUT, t.read, 1).endswith("sending timed out")
    ended(rig, t)


@pytest.mark.parametrize("family", OPEN)
@pytest.mark.parametrize("udp", (False, True))
def test_data_mode_begins_again_by_connecting_again(family, udp):
    rig = Rig(family=family)
    rig.net.serve(*ECHO, Echo, "UDP")
    rig.vm.do_O = lambda op, args: rig.vm.ip_error(13)
    t = rig.modem.transparent(ECHO, udp=udp)
    t.settimeout(30)
    t.escape()
    t.resume()
    t.write(b"on it goes")
    assert t.read(10) == b"on it goes"
    opens = [line for line in rig.sent if line.startswith("AT+CIPOPEN=0")]
    assert len(opens) == 2 and opens[0] == opens[1] and len(rig.net.connections) == 1
    ended(rig, t)
