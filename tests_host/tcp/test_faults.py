"""What goes wrong between the microcontroller and the peer, and that nothing of it gives a wrong byte or a hang."""

import errno
import random
import re
import sys

import pytest
import shim
from rig import ECHO, Hang, Port, Rig, Watched
from sim import Blackhole, Blob, Drip, Peer, Sink, Slam, Stall

import simcom

LIB = simcom.__file__.rpartition("/")[0]

TRAILERS = {"short": b"\r\nOK\r\n", "long": b"\r\n\r\nOK\r\n"}
GONE = (errno.ENOTCONN, errno.ECONNABORTED)

# Codes that say nothing about a connection (protocol 5.1)
URCS = (
    'RING|+CLIP: "+491234567",145,"",,"",0|+CRING: VOICE|NO CARRIER|VOICE CALL: BEGIN|+CMTI: "SM",10|+CMTI: "SM", 10|'
    '+CREG: 1|+CGREG: 5|+CEREG: 2|+CREG: 1,"1A2B","01C3D4E5",7|+CUSD: 0,"OK",15|+CGEV: ME DETACH|'
    '*PSUTTZ: 24/05/17,10:11:12","+08",0|*PSNWID: "001","01", "net", 0|DST: 0|+CTZV: +8,0|'
    "UNDER-VOLTAGE WARNNING|OVER-VOLTAGE WARNNING|CHARGE-ONLY MODE|+CMTE: 1|+SAPBR 1: DEACT|+CADATAIND: 0|"
    "+CASTATE: 0,0|+APP PDP: DEACTIVE|+CPIN: READY|SMS Ready|Call Ready|7, CLOSED|7,CLOSED|+CIPRXGET: 1,7|"
    "+CIPRXGET:1,6|7, CONNECT FAIL|6, CONNECT OK|7, SEND OK|STATE: IP STATUS"
).split("|")
SMS = [
    b'\r\n+CMT: "+491234567",,"24/05/17,10:11:12+08"\r\n%s\r\n' % text
    for text in (b"OK", b"0, CLOSED", b"ERROR", b"> ")
]
SMS += [
    b'\r\n+CMT: "+491234567"\r\n+CIPRXGET: 1,0\r\n',
    b"\r\n+CBM: 1,2,3,4,5\r\n+PDP: DEACT\r\n",
    b"\r\n+CDS: 9\r\nRDY\r\n",
]


class Slow(Port):
    """A program that looks at the UART seldom: much has come by then."""

    ms = 0

    def any(self):
        shim.clock.clock.sleep_ms(self.ms)
        return self.uart.any()


class Line:
    """The wire from the module: each block that it sends passes through `change` functions."""

    def __init__(self, rig):
        self.changes = []
        self._feed = rig.uart.feed
        rig.uart.feed = self.feed

    def feed(self, data, baud=None):
        for change in list(self.changes):
            data = change(data)
        return self._feed(data, baud)

    def lose(self, block, times=1):
        """Lose a whole block that matches a regular expression; `lost` counts."""
        lost = []

        def change(data):
            if len(lost) < times and re.search(block, data):
                lost.append(data)
                return b""
            return data

        self.changes.append(change)
        return lost

    def lose_bytes(self, at, count):
        """Lose `count` bytes of the line from payload byte `at` on (of all payload from now on)."""
        seen = [0]

        def change(data):
            found = re.match(rb"\r\n\+CIPRXGET: ?2,\d,(\d+),\d+\r\n", data)
            if not found or seen[0] < 0:
                return data
            begin, length = found.end(), int(found[1])
            first = at - seen[0]
            seen[0] += length
            if 0 <= first < length:
                seen[0] = -1
                data = data[: begin + first] + data[begin + first + count :]
            return data

        self.changes.append(change)


def download(rig, data, timeout=30, **kw):
    """A socket whose peer sends `data` and closes."""
    return rig.socket(rig.serve(Blob(data, **kw) if data else Slam), timeout)


# --- payload is opaque at every chunk size

MEAN = b"\r\nOK\r\n|\r\n> |ERROR\r\n|\r\n0, CLOSED\r\n|\r\n+CIPRXGET: 1,0\r\n|\r\n+CIPRXGET: 2,0,5,0\r\n"
MEAN += b"|+PDP: DEACT\r\nRDY\r\n\r\n\r\nOK\r\n" + bytes(range(256)) + b"\r\nDATA ACCEPT:0,9\r\n> \r\nOK\r\n"


class Chunks(Port):
    """No read gives more than `longest` bytes."""

    longest = 1

    def readinto(self, buf, n):
        return self.uart.readinto(buf, min(n, self.longest))


@pytest.mark.parametrize("first", range(1, 61))
def test_any_payload_arrives_equal_at_every_chunk_size(first):
    rig = Rig(wrap=Chunks, choices={"trailer": TRAILERS["long" if first % 2 else "short"]})
    s = rig.socket(rig.serve(lambda: Repeat(MEAN)))
    for longest in range(first, 301, 60):
        rig.port.longest = longest
        s.write(b"x")
        assert s.read(len(MEAN)) == MEAN, longest
    assert rig.works()


class Repeat(Peer):
    """Answers each segment with the same bytes."""

    def __init__(self, data):
        self.data = data

    def received(self, connection, data):
        connection.write(self.data)


@pytest.mark.parametrize("seed", range(4))
def test_any_payload_goes_out_and_comes_back_in_pieces_with_pauses(seed):
    rig = Rig(seed, split_ms=40)
    s = rig.socket(ECHO)
    for end in (len(MEAN), 7, 100):
        s.write(MEAN[:end])
        assert s.read(end) == MEAN[:end]


# --- lost bytes

COUNTED = bytes(range(100, 164))
TAILS = (b"\r\nOK\r\n", b"\r\n\r\nOK\r\n", b"OK\r\n", b"\r\n")


def lose_and_check(rig, line, data, at, count):
    rig.patience()
    line.changes.clear()
    line.lose_bytes(at, count)
    s = download(rig, data)
    got = bytearray()
    error = None
    try:
        while piece := s.recv(100):
            got += piece
    except OSError as e:
        error = e
    where = "%d bytes lost at %d" % (count, at)
    assert data.startswith(got) and len(got) <= at, (where, bytes(got))
    assert error is not None and error.errno == errno.EIO, (where, error)
    s.close()
    line.changes.clear()
    assert rig.works(), where


@pytest.mark.parametrize("trailer", TRAILERS)
@pytest.mark.parametrize("count", range(1, 7))
def test_bytes_lost_in_the_first_payload_of_a_modem(trailer, count):
    for at in range(64):
        rig = Rig(choices={"trailer": TRAILERS[trailer]})
        lose_and_check(rig, Line(rig), COUNTED, at, count)


@pytest.mark.parametrize("trailer", TRAILERS)
@pytest.mark.parametrize("count", range(1, 7))
def test_bytes_lost_after_earlier_traffic(trailer, count):
    rig = Rig(choices={"trailer": TRAILERS[trailer]})
    assert rig.works()
    line = Line(rig)
    for at in range(64):
        lose_and_check(rig, line, COUNTED, at, count)


@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("trailer", TRAILERS)
def test_bytes_lost_from_payload_that_looks_like_its_trailer(trailer, tail, fresh):
    data = COUNTED[: 64 - len(tail)] + tail
    rig = None
    for at in (0, 1, *range(58 if fresh else 50, 64)):
        for count in (2, 4, 6) if fresh else range(1, 7):
            if fresh or rig is None:
                rig = Rig(choices={"trailer": TRAILERS[trailer]})
                assert fresh or rig.works()
                line = Line(rig)
            lose_and_check(rig, line, data, at, count)


def test_whole_answer_lost():
    rig = Rig()
    lost = Line(rig).lose(rb"\+CIPRXGET: ?2,")
    s = download(rig, COUNTED)
    with pytest.raises(OSError) as raised:
        s.read()
    assert lost and raised.value.errno in (errno.EIO, errno.ETIMEDOUT)
    assert rig.works()


@pytest.mark.parametrize("at", range(-22, 0))
def test_garbled_header(at):
    # One bit of the header turned: its numbers are not to be believed.
    rig = Rig()
    assert rig.works()
    line = Line(rig)
    hit = []

    def change(data):
        found = re.match(rb"\r\n\+CIPRXGET: ?2,\d,(\d+),\d+\r\n", data)
        if not found or hit or found.end() + at < 0:
            return data
        hit.append(at)
        data = bytearray(data)
        data[found.end() + at] ^= 1
        return bytes(data)

    line.changes.append(change)
    s = download(rig, COUNTED)
    got, error = b"", None
    try:
        got = s.read()
    except OSError as e:
        error = e
    assert COUNTED.startswith(got)
    assert got == COUNTED or error is not None, "bytes are missing and nobody was told"
    s.close()
    line.changes.clear()
    rig.pump(15_000)
    assert rig.works()


def test_overrun_of_the_receive_buffer():
    rig = Rig(wrap=Slow)
    rig.uart.init(rxbuf=600)  # less than the modem was told, and the program is busy with something else
    s = download(rig, bytes(range(250)) * 8)
    rig.port.ms = 100
    with pytest.raises(OSError) as raised:
        s.read()
    assert rig.uart.overruns
    assert raised.value.errno == errno.EIO
    rig.port.ms = 0
    rig.uart.init(rxbuf=2048)
    assert rig.works()


# --- unsolicited codes


def session(rig, inject, ask="+CIPMUX?", answer="+CIPMUX: 1"):
    """A session with something injected before each of its steps; all must go well."""
    inject()
    s = rig.socket(ECHO)
    for data in (b"first", b"x" * 100):
        inject()
        s.write(data)
        inject()
        assert s.read(len(data)) == data
    inject()
    assert rig.modem.at(ask) == [answer]
    inject()
    s.close()
    rig.pump(50)


POSITIONS = ("before_echo", "after_echo", "before_info", "before_ok", "after_ok", "before_prompt", "after_payload")
POSITIONS += ("before_report", "after_report", "before_data_ok")


@pytest.mark.parametrize(
    "position, fresh", [*((p, False) for p in POSITIONS), ("before_info", True), ("before_data_ok", True)]
)
def test_urc_anywhere(position, fresh):
    rig = Rig()
    assert fresh or rig.works()
    for text in URCS:
        try:
            session(rig, lambda text=text: rig.vm.inject(position, text))
        except OSError as e:
            raise AssertionError("%s %s: %r" % (text, position, e))
    assert rig.modem.isconnected()


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("text", ["+NEVERHEARD: 1,2", "SOMETHING ELSE", "0", "+", "\xfe\xff", "X" * 700], ids=range(6))
def test_line_that_nobody_knows_costs_one_socket_at_most(position, text):
    rig = Rig()
    assert rig.works()
    for begin in range(4):
        rig.patience()
        s = rig.modem.socket()
        s.settimeout(30)
        try:
            for step in range(4):
                if step == begin:
                    rig.vm.inject(position, text)
                if step == 0:
                    s.connect(ECHO)
                elif step < 3:
                    s.write(b"hello")
                    assert s.read(5) == b"hello"
            s.close()
        except OSError as e:
            assert e.errno in (errno.EIO, errno.ECONNABORTED, errno.ECONNREFUSED, errno.ETIMEDOUT), e
        s.close()
        rig.vm._hooks.clear()  # what never had its position
        assert rig.works()


@pytest.mark.parametrize("position", POSITIONS)
def test_many_urcs_in_a_row(position):
    rig = Rig()
    session(rig, lambda: [rig.vm.inject(position, text) for text in URCS])


@pytest.mark.parametrize("position", POSITIONS[:-1])
def test_text_message_that_looks_like_a_result(position):
    rig = Rig()
    for text in SMS:
        try:
            session(rig, lambda text=text: rig.vm.inject(position, text))
        except OSError as e:
            raise AssertionError("%s %s: %r" % (text, position, e))
    assert rig.modem.isconnected()


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_urcs_during_a_download(seed):
    rig = Rig(seed)
    data = bytes(range(256)) * 12
    texts = [*URCS, *SMS]

    def emit(i=0):
        rig.vm.urc(texts[i % len(texts)])
        rig.vm.inject("before_info", texts[(i + 1) % len(texts)])
        rig.clock.after_ms(13, lambda: emit(i + 1))

    s = rig.socket(rig.serve(Drip(data, 150, 10, close=True)))
    emit()
    assert s.read() == data


def test_text_message_between_payload_and_its_ok_is_never_payload():
    rig = Rig()
    for text in SMS:
        s = rig.socket(ECHO)
        rig.vm.inject("before_data_ok", text)
        try:
            s.write(b"hello")
            assert s.read(5) == b"hello"
        except OSError as e:
            assert e.errno == errno.EIO
        s.close()
        assert rig.works()


def test_urc_with_a_very_long_line():
    rig = Rig()
    session(rig, lambda: rig.vm.inject("before_info", '+CUSD: 0,"%s",15' % ("x" * 3000)))


@pytest.mark.parametrize("noise", [b"\0\xff\xff", b"\x80" * 100, b"AT", b">", b"\r\n>", b"\n\n\n", b"\r\n"])
def test_noise_between_commands(noise):
    rig = Rig()
    s = rig.socket(ECHO)
    for _ in range(3):
        rig.vm.push(noise)
        rig.pump(100)
        s.write(b"hello")
        assert s.read(5) == b"hello"


# --- lost lines cost a delay


@pytest.mark.parametrize("timeout", [None, 60])
def test_lost_notice_costs_a_delay(timeout):
    rig = Rig()
    lost = Line(rig).lose(rb"\+CIPRXGET: ?1,0")
    s = rig.socket(ECHO, timeout)
    s.write(b"hello")
    begin = rig.clock.ms
    assert s.read(5) == b"hello"
    assert lost and rig.clock.ms - begin < 25_000


def test_lost_notice_in_the_middle_of_a_download():
    rig = Rig()
    lost = Line(rig).lose(rb"\+CIPRXGET: ?1,0", times=3)
    data = bytes(range(200)) * 5
    s = rig.socket(rig.serve(Drip(data, 100, 500, close=True)), None)
    begin = rig.clock.ms
    assert s.read() == data
    assert lost and rig.clock.ms - begin < 60_000


def test_every_notice_lost():
    rig = Rig()
    Line(rig).lose(rb"\+CIPRXGET: ?1,", times=1 << 30)
    s = rig.socket(ECHO, None)
    for data in (b"one", b"two", b"three"):
        s.write(data)
        assert s.read(len(data)) == data


@pytest.mark.parametrize("data", [b"", b"some bytes"])
@pytest.mark.parametrize("timeout", [None, 60])
def test_lost_closed_costs_a_delay(data, timeout):
    rig = Rig()
    lost = Line(rig).lose(rb"0, ?CLOSED")
    s = download(rig, data, timeout)
    begin = rig.clock.ms
    assert s.read() == data
    assert lost and rig.clock.ms - begin < 25_000


def test_poll_sees_data_and_eof_whose_lines_were_lost():
    import select

    rig = Rig()
    Line(rig).lose(rb"\+CIPRXGET: ?1,|0, ?CLOSED", times=1 << 30)
    s = download(rig, b"hello")
    poller = select.poll()
    poller.register(s, 1)
    assert poller.poll(30_000)
    s.setblocking(False)
    got = b""
    for _ in range(100):
        piece = s.read(10)
        if piece == b"":
            break
        got += piece or b""
        poller.poll(30_000)
    assert got == b"hello" and piece == b""


@pytest.mark.parametrize("line", [rb"CONNECT OK", rb"^\r\nOK\r\n$"])
def test_lost_line_while_connecting(line):
    rig = Rig()
    lost = Line(rig).lose(line)
    begin = rig.clock.ms
    s = rig.modem.socket()
    try:
        s.connect(ECHO)
        s.write(b"hello")
        assert s.read(5) == b"hello"
    except OSError as e:  # without the OK nobody knows
        assert e.errno in (errno.ETIMEDOUT, errno.EIO)
    assert lost and rig.clock.ms - begin < 60_000
    assert rig.works()


@pytest.mark.parametrize("line", [rb"> $", rb"DATA ACCEPT"])
def test_lost_line_while_sending(line):
    rig = Rig()
    s = rig.socket(ECHO)
    lost = Line(rig).lose(line)
    begin = rig.clock.ms
    try:
        s.write(b"hello")
        assert s.read(5) == b"hello"
    except OSError as e:
        assert e.errno in (errno.ETIMEDOUT, errno.EIO)
    assert lost and rig.clock.ms - begin < 60_000
    assert rig.works()


@pytest.mark.parametrize("line", [rb"CLOSE OK", rb"CLOSED"])
def test_lost_line_while_closing(line):
    rig = Rig(choices={"close_ok": line})
    lost = Line(rig).lose(line)
    s = rig.socket(ECHO)
    begin = rig.clock.ms
    s.close()
    assert lost and rig.clock.ms - begin < 60_000
    for _ in range(9):
        assert rig.works()


@pytest.mark.parametrize("already", ["error first", "ok first"])
def test_number_that_the_module_still_thinks_open_never_gives_another_connections_bytes(already):
    rig = Rig(choices={"already": already})
    s = rig.socket(rig.serve(lambda: Blob(b"of the first connection", close=False)))
    receive = rig.vm.receive
    lost = []

    def garbled(data, baud):
        if data.startswith(b"AT+CIPCLOSE") and not lost:
            lost.append(data)
            data = data.replace(b"CLOSE", b"CLSE")
        receive(data, baud)

    rig.uart.attach(garbled)
    s.close()
    assert lost and rig.vm.links[0].open
    begin = rig.clock.ms
    assert rig.works()
    assert rig.clock.ms - begin < 20_000


def test_result_that_comes_before_the_payload_is_out():
    """Noise completed the count: what goes out of the rest must not be taken for the next command's payload."""
    rig = Rig()
    s = rig.socket(ECHO)
    receive = rig.vm.receive
    noise = [b"\0" * 350]

    def noisy(data, baud):
        receive(data + (noise.pop() if data.startswith(b"x") and noise else b""), baud)

    rig.uart.attach(noisy)
    with pytest.raises(OSError) as raised:
        s.write(b"x" * 400)
        s.recv(1)
        s.write(b"y")
    assert raised.value.errno == errno.EIO
    s.close()
    assert rig.works()


def test_answer_that_is_not_understood_does_not_end_the_watch():
    rig = Rig()
    feed = rig.uart.feed
    spoilt = []

    def garbled(data, baud=None):
        if rig.sent[-1] == "AT+CIFSR" and b"." in data and not spoilt:
            spoilt.append(data)
            data = data.replace(b".", b",", 1)
        return feed(data, baud)

    rig.uart.feed = garbled
    rig.vm.urc("SMS DONE")  # is it still configured?
    rig.pump(10_000)
    assert spoilt and rig.sent.count("AT+CIFSR") == 3  # for connect(), in vain, again
    assert rig.works()


def test_module_that_goes_off_and_on_is_watched_once():
    rig = Rig()
    for _ in range(5):
        rig.pump(20)
        rig.modem.on_silent("for a moment")
        rig.modem.active(True)
    rig.modem.connect("internet")
    rig.pump(2000)
    assert len(rig.modem._tasks) == 1


@pytest.mark.parametrize("family", ["sim7000", "a76xx"])
@pytest.mark.parametrize("ms", range(5000, 20_001, 1500))
def test_module_that_hangs_for_a_while_and_then_answers_everything(family, ms):
    rig = Rig(family=family, think_ms=100)
    s = rig.socket(ECHO)
    receive = rig.vm.receive
    held = []
    rig.uart.attach(lambda data, baud: held.append((data, baud)))

    def wake():
        rig.uart.attach(receive)
        for each in held:
            receive(*each)

    rig.clock.after_ms(ms, wake)
    for _ in range(40):
        try:
            answer = rig.modem.at("+CGATT?")
        except OSError as e:
            assert e.errno == errno.ETIMEDOUT
        else:
            assert answer == ["+CGATT: 1"]
            if not rig.modem.active():  # it was silent for too long
                break
            s.write(b"hello")
            assert s.read(5) == b"hello"
    rig.pump(10_000)
    if not rig.modem.isconnected():
        rig.modem.active(True)
        rig.modem.connect("internet")
    assert rig.works()


@pytest.mark.parametrize("answer", [b"\r\n+PDP: DEACT\r\n", b"\r\nERROR\r\n", b""])
def test_context_that_does_not_go_down_at_once(answer):
    rig = Rig(up=False)
    do_CIPSHUT = rig.vm.do_CIPSHUT

    def shut(op, args):
        rig.vm.do_CIPSHUT = do_CIPSHUT
        rig.vm.send(answer)
        return "none"

    rig.vm.do_CIPSHUT = shut
    rig.modem.connect("internet")
    assert rig.works()
    rig.vm.do_CIPSHUT = shut
    rig.modem.disconnect()
    assert not rig.modem.isconnected()


def test_answer_of_another_command_is_not_taken_for_the_end_of_a_connection():
    rig = Rig()
    s = rig.socket(ECHO)
    times = []

    def do_CIPSTATUS(op, args):
        times.append(rig.clock.ms)
        rig.vm.info("+CMEE: 1")
        return "OK"

    rig.vm.do_CIPSTATUS = do_CIPSTATUS
    rig.pump(25_000)
    assert times
    s.write(b"hello")
    assert s.read(5) == b"hello"


# --- Ctrl-C, and a microcontroller that starts again

PAYLOAD = bytes(range(32, 127)) + b"\r\nAT\r\n\x1a\x1b"


class Interrupt(Watched):
    """Raises after `after` bytes of the payload have gone out; a dead port raises for ever."""

    after = None
    dead = False
    error = KeyboardInterrupt

    def called(self):
        if self.dead:
            raise self.error

    def write(self, buf, off, n):
        self.called()
        data = bytes(memoryview(buf)[off : off + n])
        if self.after is None or not PAYLOAD.startswith(data[:1]) and self.begun == 0:
            return self.uart.write(data)
        if self.begun == 0 and not PAYLOAD.startswith(data):
            return self.uart.write(data)
        if self.begun + n > self.after:
            room = self.after - self.begun
            done = 0
            while done < room:
                done += self.uart.write(data[done:room]) or 0
                if done < room:
                    self.uart.flush()
            self.after = None
            self.fired = True
            self.dead = self.error is not KeyboardInterrupt
            raise self.error
        taken = self.uart.write(data) or 0
        self.begun += taken
        return taken

    def arm(self, after):
        self.after, self.begun, self.fired = after, 0, False


def test_ctrl_c_at_every_offset_of_a_sent_payload():
    rig = Rig(wrap=Interrupt)
    for after in range(len(PAYLOAD)):
        rig.patience()
        s = rig.socket(ECHO)
        connection = rig.connection()
        rig.port.arm(after)
        with pytest.raises(KeyboardInterrupt):
            s.write(PAYLOAD)
        assert rig.port.fired
        # The stream is whole, or it is closed; what came through is what was sent, perhaps with filler behind it.
        try:
            s.settimeout(5)
            s.write(b"more")
            whole = s.read(len(PAYLOAD) + 4) == PAYLOAD + b"more"
            assert whole, after
        except OSError as e:
            assert e.errno in (errno.EIO, errno.ETIMEDOUT, errno.ECONNABORTED, errno.ECONNRESET), after
            got = bytes(connection.received)
            assert got[:after] == PAYLOAD[: min(after, len(got))], after
        s.close()
        assert rig.works(), after


class Tick(Watched):
    """Raises KeyboardInterrupt at the call with this number; `behind`: at that read or write, when it is done."""

    calls = 0
    at = None
    behind = False

    def called(self):
        if not self.behind:
            self._count()

    def _count(self):
        self.calls += 1
        if self.calls == self.at:
            raise KeyboardInterrupt

    def readinto(self, buf, n):
        return self._done(super().readinto(buf, n))

    def write(self, *args):
        return self._done(super().write(*args))

    def _done(self, result):
        if self.behind:
            self._count()
        return result


@pytest.mark.parametrize("behind", (False, True))
def test_ctrl_c_at_any_call_of_a_session(behind):
    """After it the same modem carries on: each side has what the other sent, the peer perhaps with a hole and filler
    where Ctrl-C struck; a new connection works."""
    rig = Rig(wrap=Tick)
    rig.port.behind = behind
    filler = b"\r\x1b"  # with what a module inside a payload is freed
    data = bytes(byte for byte in random.Random(1).randbytes(512) if byte not in filler)
    at = 0
    while True:
        rig.patience()
        rig.port.calls, rig.port.at = 0, at + 1
        before = len(rig.net.connections)
        s = rig.modem.socket()
        s.settimeout(20)
        interrupted = False
        got = bytearray()
        try:
            s.connect(ECHO)
            s.write(data)
            while len(got) < len(data):
                got += s.recv(100)
            assert got == data
            s.close()
        except KeyboardInterrupt:
            interrupted = True
        if not interrupted:
            break
        rig.port.at = None
        try:
            while piece := s.recv(len(data)):
                got += piece
        except OSError:
            pass
        echoed = bytes(rig.connection().received) if len(rig.net.connections) > before else b""
        assert echoed.startswith(got), at
        hole = next((i for i, byte in enumerate(echoed) if data[i : i + 1] != bytes([byte])), len(echoed))
        assert data.find(echoed[hole:].rstrip(filler), hole) >= 0, at
        s.close()
        assert rig.works(), at
        at += 1 + at // 25
    assert at > (30 if behind else 100)


class Midway:
    """Steps of a task in which Ctrl-C strikes; that ends them."""

    def __init__(self, steps):
        self.steps = steps
        self.struck = False

    def send(self, value):
        if self.struck:
            return self.steps.send(value)
        self.struck = True
        return self.steps.throw(KeyboardInterrupt())


def test_ctrl_c_inside_a_task_does_not_end_what_it_looks_after():
    rig = Rig()
    s = rig.socket(ECHO, None)
    rig.pump(100)
    for task in (s._link.task, rig.modem.watcher):
        task.steps = Midway(task.steps)
        with pytest.raises(KeyboardInterrupt):
            rig.pump(5000)
    with pytest.raises(OSError) as raised:
        s.recv(1)
    assert raised.value.errno == errno.ECONNABORTED
    rig.pump(1000)
    assert not any(rig.modem.links.slots)
    rig.vm.urc("SMS DONE")  # somebody still looks at it
    rig.pump(3000)
    assert rig.sent[-1].startswith("AT+C") and not rig.modem.doubt
    assert rig.works()


class Strike:
    """Raises KeyboardInterrupt before the bytecode `at` that a function of the library runs while this is entered."""

    def __init__(self, name, at):
        self.name, self.at, self.seen = name, at, 0

    def __enter__(self):
        sys.settrace(self.called)

    def __exit__(self, *_):
        sys.settrace(None)

    def called(self, frame, event, _):
        if frame.f_code.co_name != self.name or not frame.f_code.co_filename.startswith(LIB):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self.step

    def step(self, frame, event, _):
        if event == "opcode":
            self.seen += 1
            if self.seen == self.at:
                raise KeyboardInterrupt
        return self.step


@pytest.mark.parametrize("family", ["sim7000", "a76xx"])
@pytest.mark.parametrize("name", ["pump", "_do", "close"])
def test_ctrl_c_between_two_bytecodes_of(name, family):
    rig = Rig(family=family)
    at = 0
    while True:
        at += 1 + at // 40
        rig.patience()
        s = rig.modem.socket()
        s.settimeout(20)
        strike = Strike(name, at)
        try:
            with strike:
                s.connect(ECHO)
                s.write(b"hello")
                assert s.read(5) == b"hello"
                s.close()
        except KeyboardInterrupt:
            pass
        if strike.seen < at:
            break
        s.close()
        rig.pump(31_000)  # a command that was not sent takes its time
        assert not any(rig.modem.links.slots), at
        assert rig.works(), at
    assert at > 50


class Reset(BaseException):
    """The microcontroller starts again: no code of the old program runs any more."""


def test_microcontroller_restarts_at_every_offset_of_a_sent_payload():
    rig = Rig(wrap=Interrupt)
    for after in range(len(PAYLOAD)):
        rig.patience()
        s = rig.socket(ECHO)
        rig.port.error = Reset
        rig.port.arm(after)
        with pytest.raises(Reset):
            s.write(PAYLOAD)
        assert rig.port.fired
        rig.clock.sleep_ms(500)
        rig.uart.read()  # its receive buffer is empty after a reset
        rig.make(port=Interrupt(rig.uart))
        rig.modem.active(True)
        rig.modem.connect("internet")
        assert rig.works(), after


# --- a module that is silent, or slow


def silenced(rig, call, seconds, *words):
    """call() ends with ETIMEDOUT within so many seconds and names these words; then the module is back."""
    rig.vm.silent = True
    begin = rig.clock.ms
    with pytest.raises(OSError) as raised:
        call()
    assert raised.value.errno == errno.ETIMEDOUT, raised.value
    assert rig.clock.ms - begin < seconds * 1000
    for word in words:
        assert word in str(raised.value)
    rig.vm.silent = False


def back(rig):
    """After a silence: whatever the modem thinks of the module now, this sequence makes it work."""
    rig.modem.active(True)
    rig.modem.connect("internet")
    assert rig.works()


def test_silent_module_ends_a_command():
    rig = Rig()
    silenced(rig, lambda: rig.modem.at("+CSQ"), 30, "AT+CSQ")
    back(rig)


def test_command_with_a_time_out_of_its_own():
    rig = Rig()
    silenced(rig, lambda: rig.modem.at("+CSQ", timeout_ms=500), 3, "AT+CSQ")
    back(rig)


@pytest.mark.parametrize("call", ["recv", "read", "readinto", "readline"])
def test_silent_module_ends_a_read_that_waits_for_ever(call):
    rig = Rig()
    s = rig.socket(ECHO, None)
    argument = {"recv": (5,), "read": (5,), "readinto": (bytearray(5),), "readline": ()}[call]
    silenced(rig, lambda: getattr(s, call)(*argument), 120, "AT")
    back(rig)


def test_silent_module_ends_a_connect_that_waits_for_ever():
    rig = Rig()
    s = rig.socket(timeout=None)
    silenced(rig, lambda: s.connect(ECHO), 120, "AT+CIPSTART")
    back(rig)


def test_silent_module_ends_a_write_that_waits_for_ever():
    rig = Rig()
    s = rig.socket(ECHO, None)
    silenced(rig, lambda: s.write(b"x" * 5000), 120, "AT")
    back(rig)


@pytest.mark.parametrize("call", ["connect", "disconnect", "active"])
def test_silent_module_ends_every_blocking_call(call):
    rig = Rig(up=call != "connect")
    rig.vm.silent = True
    begin = rig.clock.ms
    try:
        {
            "connect": lambda: rig.modem.connect("internet"),
            "disconnect": rig.modem.disconnect,
            "active": lambda: rig.modem.active(False),
        }[call]()
    except OSError as e:
        assert e.errno == errno.ETIMEDOUT
    assert rig.clock.ms - begin < 200_000
    rig.vm.silent = False
    rig.modem.active(False)
    back(rig)


def test_silent_module_is_noticed_by_a_socket_that_polls():
    import select

    rig = Rig()
    s = rig.socket(ECHO, 0)
    rig.vm.silent = True
    poller = select.poll()
    poller.register(s, 1)
    assert poller.poll(120_000), "still not noticed"
    with pytest.raises(OSError) as raised:
        s.read(1)
    assert raised.value.errno == errno.ETIMEDOUT


@pytest.mark.parametrize("call", ["recv", "write"])
def test_end_by_silence_is_told_from_a_time_out_of_the_next_call(call):
    # A program that takes ETIMEDOUT for "nothing came in time" would ask for ever, and never connect anew.
    rig = Rig()
    s = rig.socket(ECHO, 5)
    argument = {"recv": 1, "write": b"x"}[call]
    rig.vm.silent = True
    for _ in range(30):
        with pytest.raises(OSError) as raised:
            getattr(s, call)(argument)
        if raised.value.errno != errno.ETIMEDOUT:
            break
    assert raised.value.errno == errno.ECONNABORTED
    assert "no answer" in str(raised.value)
    rig.vm.silent = False
    s.close()
    back(rig)


@pytest.mark.parametrize("silence_ms", [1000, 3000, 8000])
def test_short_silence_does_no_harm(silence_ms):
    # Output is held up, not lost: a module that was busy with something else.
    from sim.faults import Faulty

    rig = Rig(wrap=Faulty)
    s = rig.socket(ECHO)
    s.write(b"before")
    assert s.read(6) == b"before"
    rig.port.stall(rig.port.offset["rx"] + 1, silence_ms)
    try:
        s.write(b"after")
        assert s.read(5) == b"after"
    except OSError as e:
        assert e.errno == errno.ETIMEDOUT
    assert rig.works()


# --- the peer, the network


def test_late_connect_fail_of_a_socket_that_waits():
    rig = Rig()
    begin = rig.clock.ms
    s = rig.modem.socket()
    with pytest.raises(OSError) as raised:
        s.connect(rig.serve(Blackhole))
    assert raised.value.errno == errno.ETIMEDOUT
    assert "peer.example:80" in str(raised.value)
    assert 70_000 < rig.clock.ms - begin < 90_000
    assert rig.works()


def test_late_connect_fail_of_a_socket_that_gave_up():
    rig = Rig()
    s = rig.socket(timeout=10)
    with pytest.raises(OSError) as raised:
        s.connect(rig.serve(Blackhole))
    assert raised.value.errno == errno.ETIMEDOUT
    others = [rig.socket(ECHO) for _ in range(8)]  # one has the number of the first
    rig.vm.inject("before_info", "0, CONNECT FAIL")
    for i in range(90):
        each = others[i % 8]
        each.write(b"hello")
        assert each.read(5) == b"hello"
        rig.pump(1000)


def test_late_connect_fail_inside_another_commands_exchange():
    rig = Rig()
    address = rig.serve(Blackhole)
    s = rig.socket(timeout=0)
    with pytest.raises(OSError):
        s.connect(address)
    other = rig.socket(ECHO)
    begin = rig.clock.ms
    while rig.clock.ms - begin < 80_000:
        other.write(b"x" * 50)
        assert other.read(50) == b"x" * 50
        rig.pump(300)
    with pytest.raises(OSError) as raised:
        s.read(1)
    assert raised.value.errno == errno.ETIMEDOUT


@pytest.mark.parametrize("blocking", [True, False])
def test_send_fail(blocking):
    rig = Rig()
    s = rig.socket(ECHO, 30 if blocking else 0)
    rig.vm.fail_sends = 1
    with pytest.raises(OSError) as raised:
        for _ in range(1000):
            s.write(b"hello")
            rig.pump(20)
    assert raised.value.errno == errno.ECONNABORTED
    with pytest.raises(OSError):
        s.write(b"again")
    s.close()
    assert rig.works()


class CloseAfter(Peer):
    """Closes (or resets) when so many bytes have come."""

    def __init__(self, count, how="close", data=b""):
        self.count, self.how, self.data = count, how, data

    def received(self, connection, data):
        if len(connection.received) >= self.count and connection.is_open:
            if self.data:
                connection.write(self.data)
            getattr(connection, self.how)()


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("answer", [b"SEND FAIL", b"ERROR", b""])
@pytest.mark.parametrize("count", [1, 1000, 5000])
def test_closed_while_sending(how, answer, count):
    rig = Rig(choices={"send_on_closed": answer})
    s = rig.socket(rig.serve(CloseAfter(count, how)))
    begin = rig.clock.ms
    with pytest.raises(OSError) as raised:
        for _ in range(20):
            s.write(b"x" * 1000)
    assert raised.value.errno in (errno.ECONNRESET, errno.ECONNABORTED)
    assert rig.clock.ms - begin < 30_000
    s.close()
    assert rig.works()


@pytest.mark.parametrize("ms", range(0, 40, 3))
def test_closed_at_any_moment_of_a_send(ms):
    rig = Rig()
    s = rig.socket(rig.serve(Peer))
    connection = rig.connection()
    rig.clock.after_ms(ms, connection.close)
    begin = rig.clock.ms
    with pytest.raises(OSError) as raised:
        for _ in range(50):
            s.write(b"x" * 300)
    assert raised.value.errno in (errno.ECONNRESET, errno.ECONNABORTED)
    assert rig.clock.ms - begin < 30_000
    s.close()
    assert rig.works()


def test_answer_that_came_before_the_peer_closed_while_sending_is_readable():
    rig = Rig()
    s = rig.socket(rig.serve(CloseAfter(2000, data=b"413 too large")))
    with pytest.raises(OSError):
        for _ in range(20):
            s.write(b"x" * 1000)
    assert s.read() == b"413 too large"


@pytest.mark.parametrize("seed", [None, 1])
@pytest.mark.parametrize("latency_ms", [0, 5])
@pytest.mark.parametrize("ms", [0, 3, 20])
def test_peer_that_answers_and_closes_at_once(seed, latency_ms, ms):
    """The module took all: the write is good, the answer is there, only later writes fail."""
    rig = Rig(seed, wrap=Slow)
    rig.net.latency_ms = latency_ms
    rig.port.ms = ms
    address = rig.serve(lambda: CloseAfter(5, "close", b"bye" * 100))
    for _ in range(3):
        s = rig.socket(address)
        assert s.write(b"hello") == 5
        assert s.read() == b"bye" * 100
        with pytest.raises(OSError) as raised:
            assert s.write(b"more") == 4  # only if the write before was over when the end came
            s.write(b"more")
        assert raised.value.errno == errno.ECONNRESET
        s.close()


def test_context_lost_ends_every_socket_at_once():
    rig = Rig()
    sockets = [rig.socket(ECHO, timeout) for timeout in (None, 30, 0)]
    closed = rig.socket(rig.serve(Slam))
    assert closed.recv(1) == b""
    rig.vm.pdp_deact()
    begin = rig.clock.ms
    for s in sockets:
        with pytest.raises(OSError) as raised:
            s.read(1)
            rig.pump(100)
            s.read(1)
        assert raised.value.errno in GONE
        with pytest.raises(OSError) as raised:
            s.write(b"x")
        assert raised.value.errno in GONE
    assert rig.clock.ms - begin < 500
    assert not rig.modem.isconnected()
    with pytest.raises(OSError) as raised:
        rig.socket(ECHO)
    assert raised.value.errno == errno.ENOTCONN
    rig.modem.connect("internet")
    assert rig.works()


@pytest.mark.parametrize("what", ["read", "write", "connect"])
@pytest.mark.parametrize("ms", [0, 3, 10, 18, 40, 500])
def test_context_lost_ends_a_blocked_call(what, ms):
    rig = Rig()
    address = rig.serve(Stall if what == "write" else Blackhole if what == "connect" else Peer)
    s = rig.socket(None if what == "connect" else address, None)
    rig.clock.after_ms(ms, rig.vm.pdp_deact)
    begin = rig.clock.ms
    call = {"read": lambda: s.read(1), "write": lambda: s.write(b"x" * 50_000), "connect": lambda: s.connect(address)}
    with pytest.raises(OSError) as raised:
        call[what]()
    assert raised.value.errno in GONE
    assert rig.clock.ms - begin < ms + 15_000
    rig.modem.connect("internet")
    assert rig.works()


def test_context_lost_keeps_verified_bytes_readable():
    rig = Rig()
    s = rig.socket(rig.serve(Blob(b"0123456789", close=False)))
    assert s.read(2) == b"01"
    rig.pump(500)
    rig.vm.pdp_deact()
    rig.pump(100)
    got = b""
    with pytest.raises(OSError) as raised:
        while True:
            got += s.recv(3)
    assert got == b"23456789"
    assert raised.value.errno in GONE


def test_context_lost_while_its_notice_is_lost():
    rig = Rig()
    lost = Line(rig).lose(rb"\+PDP")
    s = rig.socket(ECHO, None)
    rig.vm.pdp_deact()
    begin = rig.clock.ms
    with pytest.raises(OSError) as raised:
        if s.read(1) == b"":  # taken for a close: the next use tells
            rig.socket(ECHO, None)
    assert lost and rig.clock.ms - begin < 120_000
    assert raised.value.errno in (*GONE, errno.ETIMEDOUT, errno.EIO)
    rig.pump(3000)
    rig.modem.connect("internet")
    assert rig.works()


@pytest.mark.parametrize("boot_lines", [None, (), ((0, "SMS Ready"),)], ids=["all", "none", "one"])
@pytest.mark.parametrize("what", ["read", "write", "nothing"])
def test_module_that_restarts_is_noticed(boot_lines, what):
    rig = Rig(up=False, **({} if boot_lines is None else {"boot_lines": boot_lines}))
    rig.modem.active(True, init=("+CNMP=38",))
    rig.modem.connect("internet")
    s = rig.socket(rig.serve(Peer), None)
    rig.vm.restart()
    begin = rig.clock.ms
    if what == "nothing":
        rig.pump(60_000)
        assert not rig.modem.isconnected()
    with pytest.raises(OSError) as raised:
        while True:
            if what == "write":
                s.write(b"x")
                rig.pump(500)
            else:
                assert s.read(1) == b""
                s.write(b"x")
    assert raised.value.errno in (*GONE, errno.ETIMEDOUT, errno.ECONNRESET), raised.value
    assert rig.clock.ms - begin < 120_000
    rig.pump(20_000)
    rig.modem.active(True)
    rig.modem.connect("internet")
    assert rig.vm.values["CNMP"] == "38", "init was not replayed"
    assert not rig.vm.echo
    assert rig.works()


@pytest.mark.parametrize("text", ["NORMAL POWER DOWN", "UNDER-VOLTAGE POWER DOWN", "NORMAL POWER OFF"])
def test_module_that_switches_itself_off(text):
    rig = Rig()
    s = rig.socket(ECHO, None)
    rig.vm.power_off(text)
    begin = rig.clock.ms
    with pytest.raises(OSError):
        s.read(1)
    assert rig.clock.ms - begin < 5000
    assert not rig.modem.isconnected()
    rig.clock.sleep_ms(5000)
    rig.modem.active(True)
    rig.modem.connect("internet")
    assert rig.works()


def test_supply_that_fails_without_a_word():
    rig = Rig()
    s = rig.socket(ECHO, None)
    rig.vm.power_cut()
    with pytest.raises(OSError) as raised:
        s.read(1)
    assert raised.value.errno == errno.ETIMEDOUT
    rig.modem.active(True)  # presses the key
    rig.modem.connect("internet")
    assert rig.works()


# --- one link does not hold up another


def rate(rig, kind):
    """Bytes a second of a transfer on a link of its own."""
    count = 5000
    if kind == "upload":
        s = rig.socket(rig.serve(Sink, port=81))
        begin = rig.clock.now_us
        s.write(b"x" * count)
    else:
        s = rig.socket(rig.serve(Blob(b"x" * count), port=82))
        begin = rig.clock.now_us
        assert len(s.read()) == count
    took = rig.clock.now_us - begin
    s.close()
    return count * 1e6 / took


@pytest.mark.parametrize("kind, full", [("upload", "partial"), ("upload", "error"), ("download", "partial")])
def test_peer_that_stops_acknowledging_leaves_other_links_their_rate(kind, full):
    rig = Rig(choices={"full": full}, costs=None)
    alone = rate(rig, kind)
    stuck = rig.socket(rig.serve(Stall), 0)
    for _ in range(400):  # until module and send buffer are full
        try:
            stuck.write(b"y" * 500)
        except OSError as e:
            assert e.errno == errno.EAGAIN
        rig.pump(20)
    assert stuck.write(b"y") is None
    assert rate(rig, kind) >= 0.8 * alone


def test_link_whose_reader_sleeps_leaves_other_links_their_rate():
    rig = Rig(costs=None)
    alone = rate(rig, "download")
    lazy = rig.socket(rig.serve(Blob(b"y" * 15_000)))
    rig.pump(3000)
    assert rate(rig, "download") >= 0.8 * alone
    assert lazy.read() == b"y" * 15_000


def test_stalled_send_goes_on_when_the_peer_wakes_up():
    rig = Rig()
    s = rig.socket(rig.serve(Stall), None)
    connection = rig.connection()
    rig.clock.after_ms(60_000, connection.resume)
    data = bytes(range(256)) * 100
    s.write(data)
    assert rig.modem.flush(60_000)
    assert bytes(connection.received) == data


# --- the guard of these tests


def test_endless_wait_is_noticed():
    rig = Rig()
    s = rig.socket(ECHO, None)
    rig.patience(50_000)
    with pytest.raises(Hang):
        s.read(1)


# The heap is full


@pytest.mark.parametrize(
    "where, times", [("on_line", 1), ("on_line", 5), ("_on_answer", 1), ("marks", 1), ("marks", 5)]
)
def test_no_memory_for_a_moment(monkeypatch, where, times):
    rig = Rig()
    s = rig.socket(ECHO, 60)
    s.write(b"before")
    assert s.read(6) == b"before"
    left = [times]
    owner = rig.modem.receiver if where == "on_line" else rig.modem
    work = getattr(owner, where)

    def scarce(*args):
        if left[0]:
            left[0] -= 1
            raise MemoryError
        return work(*args)

    monkeypatch.setattr(owner, where, scarce)
    try:
        s.write(b"during")
        while not s.ioctl(3, 1):  # a poll raises nothing
            rig.pump(100)
        got = s.read(6)
    except OSError as e:
        assert e.errno in (errno.ENOMEM, errno.EIO, errno.ETIMEDOUT), e
    else:
        assert got == b"during"
    s.close()
    assert left[0] < times
    left[0] = 0
    rig.pump(30_000)
    if not rig.modem.isconnected():
        rig.modem.connect("internet")
    assert rig.works()
