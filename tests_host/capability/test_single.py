"""Single-connection mode: one link without a number, on the virtual module and by the transcripts."""

import contextlib
import errno
import re

from rig import ECHO, Rig  # first: it puts the shim in place
from families import OPEN
import feed
import pytest
import shim
from feed import CHUNKS, info, unasked
from modes import Mode, cases
from sim import Blackhole, Blob, Refuse, Sink, Slam
from test_replay import Replay, idle
from transcript import transcripts

import simcom

FAMILIES = ("sim7000", "sim800")
FEW = (None, 1, 2, 3)
# Shared cases that hold several connections.
SEVERAL = (
    "links.dropped_sockets_do_not_cost_the_open_ones_their_link",
    "links.unread_bytes_of_one_link_do_not_hold_up_another",
    "nonblocking.poll_of_many_sockets_names_the_ready_one",
)

families = pytest.mark.parametrize("family", FAMILIES)
feature = pytest.mark.feature("single")


def rig(family="sim7000", seed=None, **settings):
    return Rig(seed, family=family, modem_args={"mux": False}, **settings)


@feature
@pytest.mark.parametrize("case, family, seed", list(cases(FAMILIES, (1,), SEVERAL)))
def test_shared_case(case, family, seed):
    case(Mode(seed, family, {"mux": False}))


@feature
@families
@pytest.mark.parametrize("seed", FEW)
def test_no_command_of_a_connection_has_a_number(family, seed):
    r = rig(family, seed)
    s = r.socket(ECHO)
    s.write(b"x" * 3000)
    assert s.read(3000) == b"x" * 3000
    assert r.modem.flush()
    r.pump(25_000)  # the driver asks how the link is
    s.close()
    own = [line for line in r.sent if line.startswith(("AT+CIPST", "AT+CIPSEND", "AT+CIPRXGET=2", "AT+CIPACK"))]
    assert {line.partition("=")[0] for line in own} == {
        "AT+CIPSTART",
        "AT+CIPSTATUS",
        "AT+CIPSEND",
        "AT+CIPRXGET",
        "AT+CIPACK",
    }
    assert "AT+CIPMUX=0" in r.sent and "AT+CIPMUX=1" not in r.sent
    assert "AT+CIPCLOSE" in r.sent
    assert not [line for line in own if re.match(r"AT\+CIP(START|SEND|ACK|STATUS)=0|AT\+CIPRXGET=2,0", line)]


@feature
@families
def test_second_connection_is_refused_naming_the_first(family):
    r = rig(family)
    s = r.socket(ECHO)
    before = len(r.sent)
    with pytest.raises(OSError) as raised:
        r.socket().connect(("other.example", 80))
    assert raised.value.errno == errno.ENOBUFS
    assert "%s:%d" % ECHO in str(raised.value)
    assert len(r.sent) == before
    s.close()
    assert r.works()


@families
@pytest.mark.parametrize("seed", FEW)
def test_connection_after_connection(family, seed):
    r = rig(family, seed)
    data = bytes(range(256)) * 8
    for k in range(3):
        s = r.socket(r.serve(Blob(data), port=80 + k))
        assert s.read() == data  # the peer closes
        with pytest.raises(OSError):
            r.socket(r.serve(Refuse, port=90 + k))
        assert r.socket(r.serve(Slam, port=95 + k)).recv(1) == b""
        assert r.works()


@families
@pytest.mark.parametrize("state", ["STATE: PDP DEACT", "+PDP: DEACT"])
def test_context_lost_while_connecting(family, state):
    r = rig(family)
    s = r.socket(timeout=100)
    r.clock.after_ms(500, lambda: r.vm.urc(state))
    with pytest.raises(OSError) as raised:
        s.connect(r.serve(Blackhole))
    assert raised.value.errno == errno.ENOTCONN
    assert not r.modem.isconnected()
    r.modem.connect("internet")
    assert r.works()


@families
def test_lost_report_of_the_connection_is_asked_for(family):
    r = rig(family)
    report = r.vm.link_connected
    r.vm.link_connected = lambda link: None
    s = r.socket(timeout=30)
    s.connect(ECHO)
    r.vm.link_connected = report
    assert "AT+CIPSTATUS" in r.sent
    s.write(b"x")
    assert s.read(1) == b"x"


@families
def test_lost_end_of_the_connection_is_asked_for(family):
    r = rig(family)
    s = r.socket(r.serve(Sink))
    r.vm._tell_end = lambda link: None
    r.connection().close()
    assert s.read(1) == b""
    assert "AT+CIPSTATUS" in r.sent


@families
def test_restart_behind_which_a_connection_raises_the_context_is_found_out(family):
    r = rig(family, boot_lines=())
    r.vm.restart()
    r.clock.sleep_ms(20_000)  # nobody pumps
    s = r.socket(timeout=5)
    with contextlib.suppress(OSError):
        s.connect(ECHO)
    s.close()
    r.pump(20_000)
    assert not r.modem.isconnected()
    r.modem.connect("internet")
    assert r.works()


@families
def test_own_questions_are_answered_as_the_module_words_them(family):
    r = rig(family)
    s = r.socket(ECHO)
    assert r.modem.at("+CIPRXGET=4") == ["+CIPRXGET: 4,0"]
    assert r.modem.at("+CIPSEND?") == ["+CIPSEND: 1460"]
    assert r.modem.at("+CIPACK") == ["+CIPACK: 0,0,0"]
    s.write(b"12345")
    assert s.read(5) == b"12345"


@families
@pytest.mark.parametrize("receive", ["buffer", "hex", "push"])
@pytest.mark.parametrize("seed", FEW)
def test_server_has_one_client_at_a_time(family, receive, seed):
    r = rig(family, seed, up=False)
    r.modem.config(receive=receive)
    r.modem.connect("internet")
    s = r.socket()
    s.bind(("", 80))
    s.listen()
    for _ in range(3):
        outside = r.dial(80)
        outside.send(b"before it is accepted")
        r.pump(500)
        inside, address = s.accept()
        inside.settimeout(30)
        assert address[0] == r.vm.links[0].address
        assert inside.read(21) == b"before it is accepted"
        inside.write(b"answer")
        assert outside.recv(6) == b"answer"
        with pytest.raises(OSError) as raised:
            r.socket().connect(ECHO)
        assert raised.value.errno == errno.ENOBUFS
        inside.close()
    s.close()
    r.pump(1000)
    assert r.works()


@pytest.mark.lacks("single")
@pytest.mark.parametrize("family", OPEN)
def test_families_without_it_say_so(family):
    r = Rig(family=family, on=False)
    with pytest.raises(OSError) as raised:
        r.make(mux=False)
    assert raised.value.errno == errno.EOPNOTSUPP
    assert family.upper() in str(raised.value)
    assert r.sent == []


@families
def test_everybody_else_loads_nothing_of_it(family):
    import subprocess
    import sys

    code = "import sys; sys.path[:0] = %r\nfrom rig import Rig\nassert Rig(family=%r).works()\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code % (sys.path, family)], capture_output=True, text=True)
    for name in ("single", "lacks", "push", "receiving", "sending", "settings"):
        assert "simcom." + name not in done.stdout.split(), done.stderr
    assert "simcom.socket" in done.stdout.split(), done.stderr


# The transcripts


class Alone(Replay):
    """A module in single-connection mode; `header`: direct push has one (AT+CIPHEAD=1)."""

    def __init__(self, transcript, *, header=False, **given):
        super().__init__(transcript, **given)
        self.header = header
        self.pushed = False
        say = self.uart.say
        self.uart.say = lambda data: say(bare(data))

    def usual(self, line):
        """A numbered module's answer without the numbers."""
        if line == b"AT+CIPSTATUS":
            state = b"CONNECT OK" if 0 in self.open else b"TCP CLOSED"
            return b"\r\nOK\r\n\r\nSTATE: " + state + b"\r\n"
        if line == b"AT+CIPSERVER?":
            return info(b"+CIPSERVER: 1,1234,0,0")
        if line == b"AT+CIPSEND?":
            return info(b"+CIPSEND: 1460")
        name, given, rest = line.partition(b"=")
        if name == b"AT+CIPRXGET" and len(rest) == 1:
            self.pushed = rest == b"0"
            return feed.OK
        if name in (b"AT+CIPSTART", b"AT+CIPSEND", b"AT+CIPCLOSE", b"AT+CIPACK"):
            line = name + b"=0" + (b"," + rest if given else b"")
        elif name == b"AT+CIPRXGET":
            line = name + b"=%s,0%s" % (rest[:1], rest[1:])
        answer = super().usual(line)
        if isinstance(answer, tuple):
            return answer[0], answer[1], lambda payload: bare(answer[2](payload))
        return bare(answer)

    def _play(self, line, answers, at):
        if line.startswith(b"AT+CIPSTART="):
            self.open.add(0)
        elif line.startswith(b"AT+CIPSEND") and answers[-1].endswith(b"> "):
            payload, results = self.script.pop(at)

            def done(got):
                assert got == payload, "the host of the transcript sends something else"
                self.later(results)

            self.later(answers[:-1])
            return answers[-1], len(payload), done
        self.later(answers)
        return b""

    def later(self, answers):
        """What is not framed is payload: in buffer access it waits in the module."""
        ms = self.delay_ms
        for answer in answers:
            if isinstance(answer, int):
                ms += answer
            elif answer.startswith(b"\r\n"):
                self.uart.later(ms, answer)
            elif self.pushed:
                self.uart.later(ms, b"\r\n+IPD,%d:%s" % (len(answer), answer))
            else:
                shim.clock.clock.after_ms(ms, lambda data=answer: self.arrive(0, data))
            ms += 5


def bare(answer):
    """Results of link 0 as those of a single connection."""
    answer = re.sub(rb"\r\n0, ([A-Z])", rb"\r\n\1", answer)
    answer = re.sub(rb"(DATA ACCEPT:|\+CIPRXGET: 4,|\+CIPRXGET: [23],(?=0,\d+,))0,", rb"\1", answer)
    return answer.replace(b"+CIPRXGET: 1,0\r", b"+CIPRXGET: 1\r")


def editions(wanted):
    """The transcripts of a number, of both families and the Chinese edition."""
    found = transcripts(*FAMILIES, number=wanted)
    assert len(found) == 3
    return pytest.mark.parametrize("transcript", found, ids=lambda each: each.name)


def modem(module, transcript, apn="CMNET", **settings):
    shim.reset()
    made = getattr(simcom, transcript.family.upper())(module.uart, mux=False)
    made.active(True)
    if settings:
        made.config(**settings)
    if apn:
        made.connect(apn)
    return made


def connected(made, host="116.228.221.51", port=8500):
    s = made.socket()
    s.settimeout(60)
    s.connect((host, port))
    return s


@editions("02")
@pytest.mark.parametrize("receive", ["buffer", "push"])
@pytest.mark.parametrize("chunk", CHUNKS)
def test_tcp_client(transcript, receive, chunk):
    module = Alone(transcript, chunk=chunk)
    made = modem(module, transcript, receive=receive, send="variable")
    s = connected(made)
    s.write(b"hello TCP serve")
    said = b"hello SIM800" if transcript.family == "sim800" else b"hello SIM7000"
    assert s.read(len(said)) == said
    assert s.read() == b""
    module.finish()
    assert s.write(b"x") == 1  # as with TCP, whose reset is the answer to it
    with pytest.raises(OSError) as raised:
        s.write(b"x")
    assert raised.value.errno == errno.ECONNRESET


@editions("04")
@pytest.mark.parametrize("receive", ["buffer", "push"])
@pytest.mark.parametrize("chunk", CHUNKS)
def test_tcp_server(transcript, receive, chunk):
    # There the module raises the context by itself; the driver has done it before.
    module = Alone(transcript, anytime=["AT+CIPSERVER=1"], chunk=chunk)
    made = modem(module, transcript, receive=receive, send="variable")
    s = made.socket()
    s.settimeout(60)
    s.bind(("", 1234))
    s.listen()
    module.open.add(0)
    idle(made, 21_000)  # the driver asks whether there is a client
    client, address = s.accept()
    client.settimeout(60)
    assert address == ("10.78.103.220", 0)
    assert client.read(12) == b"hello server"
    client.write(b"hello client")
    s.close()
    client.close()
    module.finish()


@families
@pytest.mark.parametrize("seed", FEW)
@pytest.mark.parametrize("account", ((), ("internet", "user", "key")))
def test_listen_raises_the_context(family, seed, account):
    r = rig(family, seed, up=False)
    if account:
        r.modem.connect(*account)
        r.modem.disconnect()
    assert r.vm.state == "IP INITIAL"
    s = r.modem.socket()
    s.settimeout(60)
    s.bind(("", 1234))
    s.listen()
    assert r.modem.isconnected() and r.modem.ifconfig()[0] == r.net.local_addresses[0]
    assert r.modem.status("context") == "SERVER LISTENING" and r.vm.server_port == 1234
    if account:
        context = r.vm.contexts[0]
        assert (context.apn, context.user, context.password) == account
    caller = r.dial(1234)
    client, address = s.accept()
    assert address[0] == "192.0.2.7"
    caller.send(b"hello server")
    assert client.read(12) == b"hello server"
    client.write(b"hello client")
    assert caller.recv(12) == b"hello client"


@families
def test_listen_that_raises_no_context(family):
    r = rig(family, up=False)
    r.vm.bringup = "error"
    s = r.modem.socket()
    s.bind(("", 1234))
    for seconds, code in ((0, errno.ENOTCONN), (60, None)):
        s.settimeout(seconds)
        with pytest.raises(OSError) as raised:
            s.listen()
        assert raised.value.errno == (code or raised.value.errno)
    assert "context" in str(raised.value) and not r.vm.server_port
    r.vm.bringup = "ok"
    s.listen()
    assert r.vm.server_port == 1234


@editions("13")
@pytest.mark.parametrize("chunk", CHUNKS)
def test_quick_send(transcript, chunk):
    module = Alone(transcript, anytime=["AT+CIPQSEND"], chunk=chunk)
    made = modem(module, transcript, send="variable")
    s = connected(made)
    assert s.write(b"hello") == 5
    module.finish()


@editions("15")
@pytest.mark.parametrize("chunk", CHUNKS)
def test_acknowledgements(transcript, chunk):
    module = Alone(transcript, anytime=["AT+CIPQSEND"], chunk=chunk)
    made = modem(module, transcript, send="variable")
    s = connected(made, "116.236.221.75", 5107)
    idle(made, 11_000)  # the driver asks how the link is
    assert s.write(b"012345678912") == 12
    assert made.flush()
    module.finish()


@editions("17")
@pytest.mark.parametrize("receive, mode", [("buffer", b"2"), ("hex", b"3")])
@pytest.mark.parametrize("chunk", CHUNKS)
def test_manual_receive(transcript, receive, mode, chunk):
    drop = ["AT+CIPRXGET=3"] if mode == b"2" else ["AT+CIPRXGET=2"]
    module = Alone(transcript, anytime=["AT+CIPRXGET=1"], dropped=drop, chunk=chunk)
    made = modem(module, transcript, receive=receive)
    made.channel.parser.long = False  # else it is learnt by reading one byte first
    s = connected(made, port=5555)
    assert s.read(11) == b"HELLO WORLD"
    module.finish()
    assert [line for line in module.lines if line[:13] == b"AT+CIPRXGET=" + mode][0].endswith((b",1460", b",730"))


@editions("12")
def test_room_and_too_long_a_send(transcript):
    module = Alone(transcript, dropped=["1"])
    made = modem(module, transcript)
    s = connected(made)
    assert made.status("room") == {0: 1460}
    with pytest.raises(simcom.ATError):
        unasked(made, "+CIPSEND=1461")
    made.config(send="variable")
    module.script.clear()
    most = made.SEND_MAX
    sizes = [most + 1, 1461 - most + 1]  # more than there is room for, and Ctrl-Z, is what the driver does not send

    def prompt(line):
        return None if line != b"AT+CIPSEND" else (b"\r\n> ", sizes.pop(0), accept)

    def accept(payload):
        assert payload[-1:] == b"\x1a"
        return b"\r\nDATA ACCEPT:%d\r\n" % (len(payload) - 1)

    module.say_to[b"AT+CIPSEND"] = prompt
    assert s.write(b"1" * 1461) == 1461
    assert [len(each) for each in module.payloads] == [most + 1, 1462 - most]
