"""The driver against a scripted module that answers as the transcripts do, byte for byte."""

import errno
import re
import time

import pytest
import shim
from feed import CHUNKS, ERROR, Module, Scripted, info, unasked
from transcript import Transcript, field, transcripts

import simcom

STREAM, DATAGRAMS = 1, 2

# Transcripts of the family that are not replayed against the driver, and why. Without a family an entry counts for the
# English and the Chinese edition.
NOT_REPLAYED: dict = {}
REPLAYED = ["01", "08", "09", "10", "11", "14", "16", "field/sim7000_01", "field/sim7000_02", "field/sim7000_08"]
REPLAYED += ["03", "03b", "05"]  # in test_udp_replay.py
REPLAYED += ["06", "07"]  # in test_transparent_replay.py
REPLAYED += ["02", "04", "12", "13", "15", "17"]  # in test_single.py


def editions(wanted):
    """The transcripts of a number."""
    return pytest.mark.parametrize("transcript", transcripts("sim7000", number=wanted), ids=lambda each: each.name)


class Replay(Scripted, Module):
    """A module that answers what the transcript answers, in its order; everything else as usual.

    `anytime`: beginnings of commands that the driver sends earlier or later than the host of the transcript.
    `dropped`: those that it never sends. `multi`: a single connection transcript on link 0.
    """

    def __init__(self, transcript, *, anytime=(), dropped=(), multi=False, echo=False, chunk=0):
        super().__init__()
        self.uart.chunk = chunk
        self.echo = echo
        self.matched: list = []
        self._anytime = [each.encode() for each in anytime]
        for value, answers in transcript.exchanges():
            if multi:
                answers = [each if isinstance(each, int) else numbered(each) for each in answers]
            self.script.append((self._command(value, multi), answers))
        drop = tuple(each.encode() for each in dropped)
        self.script = [entry for entry in self.script if not (drop and entry[0].startswith(drop))]

    @staticmethod
    def _command(value, multi):
        line = value.rstrip(b"\r\n")
        return (
            re.sub(rb"^AT\+CIPSTART=", b"AT+CIPSTART=0,", re.sub(rb"^AT\+CIPSEND$", b"AT+CIPSEND=0", line))
            if multi
            else line
        )

    def _reply(self, line):
        for at, (theirs, answers) in enumerate(self.script):
            early = [each for each in self._anytime if theirs.startswith(each)]
            if same(line, theirs):
                del self.script[at]
                self.matched.append((line, theirs))
                return self._play(line, answers, at)
            if not early:
                break
        return super()._reply(line)

    def _play(self, line, answers, at):
        if line.startswith(b"AT+CIPSEND=") and answers[-1].endswith(b"> "):
            payload, results = self.script.pop(at)
            n = int(line.split(b",")[1])
            assert len(payload.rstrip(b"\x1a")) == n or payload[-2:] != b"\r\n", line

            def done(got):
                assert got.rstrip(b"\r\n") == payload.rstrip(b"\x1a"), "the host of the transcript sends something else"
                self.later(results)

            self.later(answers[:-1])
            return answers[-1], n, done
        if line.startswith(b"AT+CIPSTART="):
            self.open.add(int(line[12:13]))
        self.later(answers)
        return None if answers else b""

    def later(self, answers):
        """Send the answers, with their pauses."""
        ms = self.delay_ms
        for answer in answers:
            if isinstance(answer, int):
                ms += answer
                continue
            push = re.fullmatch(rb"\r\n\+RECEIVE,(\d),(\d+):\r\n(.*)", answer, re.DOTALL)
            if push:  # in buffer access the same bytes wait in the module
                n, data = int(push.group(1)), push.group(3)
                assert len(data) == int(push.group(2))
                shim.clock.clock.after_ms(ms, lambda n=n, data=data: self.arrive(n, data))
            else:
                self.uart.later(ms, answer)
            ms += 5

    def usual(self, line):
        if line.startswith(b"AT+CIPSTATUS="):
            return self.status(line) or super().usual(line)
        return super().usual(line)

    def status(self, line):
        """The state of one link by the transcript's list of all of them, once that was given."""
        return None


def same(ours, theirs):
    """Whether the driver's command asks for what the transcript's command asks for."""
    if ours.startswith(b"AT+CIPSEND=") and ours.count(b",") > theirs.count(b","):
        ours = ours.rpartition(b",")[0]  # the driver always gives the length
    if ours == b"AT+CIFSR":
        theirs = theirs.replace(b";E0", b"")
    return ours.replace(b'"', b"") == theirs.replace(b'"', b"")  # quotes of a port or a name are optional


def numbered(answer):
    """Results of a single connection as those of link 0."""
    return re.sub(rb"\r\n(CONNECT OK|CONNECT FAIL|SEND OK|CLOSED|CLOSE OK)\r\n", rb"\r\n0, \1\r\n", answer)


def modem(module, apn="CMNET"):
    shim.reset()
    made = simcom.SIM7000(module.uart)
    made.active(True)
    if apn:
        made.connect(apn)
    return made


def connected(made, host, port, timeout=60, kind=STREAM):
    s = made.socket(2, kind)
    s.settimeout(timeout)
    s.connect((host, port))
    return s


def idle(made, ms):
    end = shim.clock.clock.now_us + ms * 1000
    while shim.clock.clock.now_us < end:
        made.wait(50)


def elapsed(start):
    return time.ticks_diff(time.ticks_ms(), start)


def test_every_transcript_is_replayed_or_has_a_reason():
    numbers = {each.number for each in transcripts("sim7000")}
    assert numbers == set(REPLAYED) | set(NOT_REPLAYED)
    assert not set(REPLAYED) & set(NOT_REPLAYED)


# The network


@editions("01")
@pytest.mark.parametrize("chunk", CHUNKS)
def test_network_check(transcript, chunk):
    module = Replay(transcript, anytime=["AT+CSQ", "AT+CPIN?"], chunk=chunk)
    made = modem(module)
    assert made.status("rssi") == 2 * 20 - 113
    module.finish()
    assert made.isconnected() and made.status() == "up"


@pytest.mark.parametrize("chunk", CHUNKS)
def test_echo_of_a_module_is_recognised_and_switched_off(chunk):
    module = Replay(field("sim7000_01_echo_bytes"), echo=True, chunk=chunk)
    made = modem(module, apn=None)
    module.finish()
    assert made.active()
    assert b"ATE0" in module.lines and not module.echo
    assert made.at("+CSQ") == ["+CSQ: 20,0"]


@pytest.mark.parametrize("chunk", CHUNKS)
def test_bring_up_as_in_every_note(chunk):
    for transcript in transcripts("sim7000"):
        if transcript.number not in ("08", "10"):
            continue
        module = Replay(transcript, chunk=chunk)
        made = modem(module)
        sent = [theirs for _, theirs in module.matched]
        assert sent == [b"AT+CGATT?", b"AT+CIPMUX=1", b'AT+CSTT="CMNET"', b"AT+CIICR", b"AT+CIFSR"]
        address = {"08": "10.78.245.128", "10": "10.126.186.232"}[transcript.number]
        assert made.ifconfig()[0] == made.ipconfig("addr4")[0] == address
        assert made.isconnected()


# Links


@editions("08")
@pytest.mark.parametrize("chunk", CHUNKS)
def test_two_links_receive_one_is_closed_by_its_peer(transcript, chunk):
    class Listed(Replay):
        def status(self, line):
            state = re.search(rb"C: (%s,0,.*)\r" % line[13:], LIST)
            return info(b"+CIPSTATUS: " + state.group(1)) if state else None

    LIST = transcript.steps[-1][1]
    module = Listed(transcript, dropped=["AT+CIPSTATUS"], chunk=chunk)
    made = modem(module)
    a = connected(made, "116.228.221.51", 8500)
    b = connected(made, "116.228.221.51", 9600, kind=DATAGRAMS)
    a.write(b"TCP test")
    b.write(b"UDP test")
    module.finish()
    assert a.read(16) == b"SIM7000 TCP test"
    assert b.read(16) == b"SIM7000 UDP test"
    assert a.read(1) == b""  # 0, CLOSED
    assert a.write(b"x") == 1  # as with TCP
    with pytest.raises(OSError) as caught:
        a.write(b"x")
    assert caught.value.args[0] == errno.ECONNRESET
    idle(made, 25_000)  # the driver asks for the state of the other one
    assert module.sent(b"AT+CIPSTATUS=1")
    b.settimeout(0)
    assert b.read(1) is None
    assert made.isconnected()


@editions("10")
@pytest.mark.parametrize("chunk", CHUNKS)
def test_first_context_of_the_two_is_used_closed_and_shut(transcript, chunk):
    # The driver has one context: what belongs to the second one is taken out.
    second = Transcript(transcript.path)
    hosts = [i for i, step in enumerate(second.steps) if step[0] == ">"]
    start = next(i for i in hosts if second.steps[i][1].startswith(b"AT+CIPSGTXT=1"))
    end = next(i for i in hosts if second.steps[i][1].startswith(b"AT+CIPSTART=1"))
    del second.steps[start:end]
    end = next(i for i, step in enumerate(second.steps) if step[1].startswith(b"AT+CIPSGTXT=0"))
    del second.steps[end:]
    module = Replay(second, dropped=["AT+CIPSTATUS"], chunk=chunk)
    made = modem(module)
    a = connected(made, "116.236.221.75", 5555)
    b = connected(made, "116.236.221.75", 5555)
    assert a.read(15) == b"Hello world 000"
    assert b.read(15) == b"Hello world 111"
    a.write(b"test 0")
    b.write(b"test 2")
    a.close()
    assert module.matched[-1][0] == b"AT+CIPCLOSE=0"
    made.disconnect()
    module.finish()
    assert not made.isconnected()
    with pytest.raises(OSError) as caught:
        b.read(1)
    assert caught.value.args[0] in (errno.ENOTCONN, errno.ECONNABORTED)


@pytest.mark.parametrize("wording", [b"0, CLOSE OK", b"0, CLOSED", b"0,CLOSED", b"0, CLOSED OK"])
def test_close_is_done_by_every_wording(wording):
    module = Module()
    made = modem(module)
    s = connected(made, "1.2.3.4", 80)
    module.say_to[b"AT+CIPCLOSE=0"] = b"\r\n" + wording + b"\r\n"
    start = time.ticks_ms()
    s.close()
    assert elapsed(start) < 5000
    assert made.at("+CSQ") == ["+CSQ: 20,0"]
    assert connected(made, "1.2.3.4", 81)
    assert module.sent(b"AT+CIPSTART")[-1].startswith(b"AT+CIPSTART=0,")  # the number is free again


# DNS


@editions("11")
@pytest.mark.parametrize("chunk", CHUNKS)
def test_names_are_resolved_or_unknown(transcript, chunk):
    module = Replay(transcript, multi=True, chunk=chunk)
    made = modem(module)
    assert made.resolve("www.baidu.com") == ["119.75.218.77", "119.75.217.56"]
    with pytest.raises(OSError) as caught:
        made.resolve("abctest")
    assert caught.value.args[0] == -2
    s = connected(made, "WWW.SIM.COM", 80)
    s.write(b"DNS test")
    module.finish()
    assert made.isconnected()


# Sending


@editions("14")
@pytest.mark.parametrize("chunk", CHUNKS)
def test_quick_send(transcript, chunk):
    module = Replay(transcript, anytime=["AT+CIPQSEND"], chunk=chunk)
    made = modem(module)  # the driver sets quick send while it brings the context up
    assert b"AT+CIPQSEND=1" in module.lines
    module.script = [entry for entry in module.script if entry[0] != b"AT+CIPQSEND=1"]
    s = connected(made, "116.236.221.75", 5107)
    assert s.write(b"1234567890") == 10
    module.finish()


@editions("16")
@pytest.mark.parametrize("chunk", CHUNKS)
def test_flush_waits_for_acknowledgements(transcript, chunk):
    module = Replay(transcript, dropped=["AT+CIPSTATUS", "AT+CIPQSEND"], chunk=chunk)
    made = modem(module)
    zero = connected(made, "1.2.3.4", 80)
    tcp = connected(made, "116.228.221.51", 8500)
    udp = connected(made, "116.228.221.51", 9600, kind=DATAGRAMS)
    zero.close()  # as there: links 1 and 2 are open, 0 is not
    tcp.write(b"TCP")
    assert made.flush()  # 3 of 3
    tcp.write(b"TCP again")
    assert made.flush()  # 12 of 12
    udp.write(b"UDP")
    assert made.flush(2000)  # datagrams are never acknowledged
    assert not module.sent(b"AT+CIPACK=2")
    assert made.at("+CIPACK=2")[0].replace(" ", "") == "+CIPACK:3,0,3"
    module.finish()


@pytest.mark.parametrize("chunk", CHUNKS)
def test_http_session_with_quick_send(chunk):
    transcript = field("sim800_06_http_quick_send")
    answer = transcript.steps[-1][1]
    body = answer.partition(b"+CIPRXGET: 2,1,255,1116\r\n")[2][:255]
    module = Replay(transcript, dropped=["AT+CDNSCFG", "AT+CIPRXGET"], chunk=chunk)
    module.script[1] = (b"AT+CIFSR", [b"\r\n10.255.78.194\r\n"])  # the driver does without E0, so there is no OK
    module.inbox[1] += body + bytes(k % 256 for k in range(1116))
    made = modem(module)
    assert made.ifconfig()[0] == "10.255.78.194"
    connected(made, "1.2.3.4", 80)  # link 0, which that host used before
    s = connected(made, "cdn.rawgit.com", 80)
    requests = [value for kind, value in transcript.steps if kind == ">" and not value.startswith(b"AT")]
    assert [len(each) for each in requests] == [65, 22, 21]
    for each in requests:  # their answer begins with the blank of the prompt
        assert s.write(each) == len(each)
    module.finish()
    assert [line for line in module.lines if line.startswith(b"AT+CIPSEND")] == [
        b"AT+CIPSEND=1,65",
        b"AT+CIPSEND=1,22",
        b"AT+CIPSEND=1,21",
    ]
    assert s.read(255) == body
    assert s.readinto(bytearray(1116)) == 1116


# Receiving


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("exchange", [0, 1], ids=["own-link", "other-link-too"])
def test_notices_inside_replies(exchange, chunk):
    transcript = field("sim7000_08_rxget_notice_inside_reply")
    answers = [value for kind, value in transcript.steps if kind == "<"]
    notice, _, reply = answers[2].partition(b"+CIPRXGET: 2,0,12,0\r\n")
    data = reply.partition(b"\r\nOK\r\n")[0]
    assert data == b"hello world!"
    module = Module()
    made = modem(module)
    s = connected(made, "1.2.3.4", 80)
    connected(made, "1.2.3.5", 80)
    module.uart.chunk = chunk
    module.say_to[b"AT+CIPRXGET=4,0"] = answers[exchange]
    module.say_to[b"AT+CIPRXGET=2,0,"] = lambda line: notice + module.usual(line)[2:]
    module.inbox[0] += data  # no other notice of it
    assert made.at("+CIPRXGET=4,0")[-1] == "+CIPRXGET: 4,0,12"
    start = time.ticks_ms()
    assert s.read(12) == data
    assert elapsed(start) < 15_000  # the notice was an answer to at(): a delay, never a hang
    asked = module.sent(b"AT+CIPRXGET=2,")
    assert [line for line in asked if line.startswith(b"AT+CIPRXGET=2,1,")], asked  # the notice of the other link
    idle(made, 15_000)
    s.settimeout(0)
    assert s.read(1) is None


@pytest.mark.parametrize("chunk", CHUNKS)
def test_notice_before_the_header_of_every_reply(chunk):
    module = Module()
    made = modem(module)
    s = connected(made, "1.2.3.4", 80)
    module.uart.chunk = chunk
    data = bytes(range(256)) * 12
    module.say_to[b"AT+CIPRXGET=2,0,"] = lambda line: b"\r\n+CIPRXGET: 1,0\r\n" * 3 + module.usual(line)
    module.arrive(0, data)
    assert s.read(len(data)) == data


# The context is lost


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("line", [b"STATE: PDP DEACT", b"+PDP: DEACT"])
def test_context_lost_while_connecting(line, chunk):
    transcript = field("sim7000_02_pdp_deact_on_connect")
    answers = {}
    for at, (kind, value) in enumerate(transcript.steps):
        if kind == ">":
            answers[value.strip()] = [step[1] for step in transcript.steps[at + 1 : at + 3] if step[0] == "<"]
    start = answers[b'AT+CIPSTART="TCP","io.adafruit.com","1883"']
    assert start == [b"\r\nOK\r\n", b"\r\nSTATE: PDP DEACT\r\n"]
    module = Module()
    made = modem(module)
    module.uart.chunk = chunk

    def deact(_):
        module.uart.later(100, start[1].replace(b"STATE: PDP DEACT", line))
        for refused in (b"AT+CIFSR", b"AT+CIPSTATUS", b"AT+CIPCLOSE"):
            module.say_to[refused] = answers[b"AT+CIPCLOSE"][0]
        return start[0]

    def shut(_):
        for refused in (b"AT+CIFSR", b"AT+CIPSTATUS", b"AT+CIPCLOSE"):
            module.say_to.pop(refused, None)
        return answers[b"AT+CIPSHUT"][0]

    module.say_to = {b"AT+CIPSTART": deact, b"AT+CIPSHUT": shut}
    s = made.socket()
    s.settimeout(100)
    begin = time.ticks_ms()
    with pytest.raises(OSError) as caught:
        s.connect(("io.adafruit.com", 1883))
    assert caught.value.args[0] == errno.ENOTCONN, caught.value
    assert elapsed(begin) < 20_000
    idle(made, 5_000)
    assert not made.isconnected()
    module.lines.clear()
    made.connect("CMNET")  # as there: shut, the settings again, another try
    first = [module.lines.index(each) for each in (b"AT+CIPSHUT", b"AT+CIPMUX=1", b"AT+CIPRXGET=1")]
    assert first == sorted(first)
    assert made.isconnected()
    del module.say_to[b"AT+CIPSTART"]
    assert connected(made, "io.adafruit.com", 1883).write(b"x") == 1


def test_context_lost_reaches_every_socket_at_once():
    module = Module()
    made = modem(module)
    sockets = [connected(made, "1.2.3.4", 80 + k) for k in range(3)]
    module.arrive(1, b"unread")
    assert sockets[1].read(2) == b"un"
    module.uart.say(b"\r\n+PDP: DEACT\r\n")
    for s in (sockets[0], sockets[2]):
        start = time.ticks_ms()
        with pytest.raises(OSError) as caught:
            s.read(1)
        assert caught.value.args[0] in (errno.ENOTCONN, errno.ECONNABORTED)
        assert elapsed(start) < 1000


# Other modules of the dialect


@pytest.mark.parametrize("chunk", CHUNKS)
def test_answers_in_pieces_with_pauses(chunk):
    module = Replay(field("sim800_04_uart_chunks_bytes"), chunk=chunk)
    cmd, answers = module.script.pop()
    module.say_to[cmd] = lambda line: module.later(answers) or b""  # whenever it is asked
    made = modem(module, apn=None)
    module.finish()  # AT, ATE0
    assert made.config("model") == "SIMCOM_SIM800"
    assert made.at("+CSQ") == ["+CSQ: 20,0"]


@pytest.mark.parametrize("chunk", CHUNKS)
def test_any_command_by_at_with_echo_on(chunk):
    transcript = field("sim800_05_echo_on_bytes")
    module = Module()
    made = modem(module, apn=None)
    module.uart.chunk = chunk
    seen = []
    made.on_urc("+HTTPACTION", seen.append)
    made.on_urc("+CREG", seen.append)
    exchanges, urcs = [], []
    for kind, value in transcript.steps:
        if kind == ">":
            exchanges.append((value[2:-1].decode(), []))
        elif len(exchanges[-1][1]):
            urcs.append(value)
        else:
            exchanges[-1][1].append(value)
    assert len(exchanges) == 9
    for cmd, (answer,) in exchanges:
        echo, _, reply = answer.partition(b"\r\r\n")
        assert echo == b"AT" + cmd.encode()
        lines = [line.decode() for line in reply.split(b"\r\n") if line]
        module.say_to = {echo: answer}
        if lines[-1] == "OK":
            assert (unasked(made, cmd) if cmd == "+CMEE=2" else made.at(cmd)) == lines[:-1], cmd
        else:
            with pytest.raises(simcom.ATError) as caught:
                made.at(cmd)
            assert (caught.value.cmd, caught.value.line) == ("AT" + cmd, lines[-1])
    for value in urcs:
        module.uart.say(value)
    idle(made, 1000)
    assert seen == ["+HTTPACTION: 0,603,0", "+CREG: 5"]


def test_refused_send_is_not_followed_by_payload():
    # sim7000_12: AT+CIPSEND=1461 is answered ERROR; a payload sent all the same would be taken for commands.
    module = Module()
    made = modem(module)
    s = connected(made, "1.2.3.4", 80)
    module.say_to[b"AT+CIPSEND"] = ERROR
    module.lines.clear()
    s.settimeout(0)
    s.write(b"AT+CFUN=0\rAT+CFUN=0\r")
    idle(made, 3000)
    assert module.payloads == [] and b"AT+CFUN=0" not in module.lines
    del module.say_to[b"AT+CIPSEND"]
    idle(made, 3000)
    assert module.payloads == [b"AT+CFUN=0\rAT+CFUN=0\r"]
