"""The driver of the CIPOPEN families against a scripted module that answers as their transcripts do, byte for byte."""

import errno
import re
import time
from functools import partial

import pytest
import shim
from feed import CHUNKS, ERROR, Loaded, info, those, unasked
from feed_open import FAMILIES, GONE, OpenModule, connected, elapsed, idle, modem, raises, refused
from transcript import field, transcripts

import simcom

# Transcripts that are not replayed against the driver, and why; a number counts for both families.
NOT_REPLAYED: dict = {}
REPLAYED = ["01", "02", "03", "03b", "04", "06", "12", "13"]
REPLAYED += ["t01", "t02", "t03", "t04", "t05", "t06", "t07", "t11", "t12", "t13", "t16", "t17", "t18", "t19", "t20"]
REPLAYED += ["t14", "t15", "field/a76xx_01", "field/a76xx_02", "field/a76xx_07", "field/sim7028_01", "field/sim7028_02"]
REPLAYED += ["08", "09"]  # in test_udp_replay.py
REPLAYED += ["05", "t08", "t09", "field/a76xx_12"]  # in test_push.py
REPLAYED += ["07", "10", "11", "t10"]  # in test_transparent_replay.py


def every(wanted):
    return those(wanted, *FAMILIES)


class Replay(Loaded, OpenModule):
    """A module of the CIPOPEN families that answers as a transcript does."""

    def __init__(self, family, chunk=0, echo=False):
        super().__init__(family, chunk=chunk, echo=echo)

    def _play(self, line, answers, at):
        n = int(line.partition(b"=")[2][:1] or b"0") if re.match(rb"AT\+CIP(OPEN|CLOSE)=\d", line) else -1
        said = b"".join(each for each in answers if not isinstance(each, int))
        if line.startswith(b"AT+CIPSEND=") and said == b"\r\n>":
            payload, results = self.script.pop(at)

            def done(got):
                assert got == payload, "the host of the transcript sends something else"
                self.answer(results)

            return said, int(line.split(b",")[1]), done
        if line.startswith(b"AT+CIPOPEN=") and b"+CIPOPEN: %d,0" % n in said:
            self.open.add(n)
        elif line.startswith(b"AT+CIPCLOSE=") and b"+CIPCLOSE: %d,0" % n in said:
            self.open.discard(n)
        elif line == b"AT+NETOPEN":
            self.net = b"+NETOPEN: 0" in said
        elif line == b"AT+NETCLOSE":
            self.net = False
        self.answer(answers)
        return b""

    def answer(self, answers):
        """Send them, with their pauses."""
        ms = self.delay_ms
        for each in answers:
            if isinstance(each, int):
                ms += each
            else:
                self.uart.later(ms, each)
                ms += 5


def test_every_transcript_is_replayed_or_has_a_reason():
    numbers = {each.number for each in transcripts(*FAMILIES)}
    assert numbers == set(REPLAYED) | set(NOT_REPLAYED)
    assert not set(REPLAYED) & set(NOT_REPLAYED)


# The network


@every("01")
def test_network_check(transcript, chunk):
    module = Replay(transcript.family, chunk).load(transcript, anytime=[b"AT+C"])
    made = modem(module, transcript.family)
    assert made.status("rssi") == 2 * 23 - 113
    assert made.status("registration") == 1
    for line, (answer,) in list(module.script):  # which registration the driver asks for is its own choice
        assert ("\r\n%s\r\n\r\nOK\r\n" % made.at(line[2:].decode())[0]).encode() == answer
    module.finish()
    assert made.isconnected() and made.status() == "up"


@every("02")
def test_context_is_defined(transcript, chunk):
    module = Replay(transcript.family, chunk).load(transcript, dropped=[b'AT+CGDCONT=1,"IPV6"'])
    made = modem(module, transcript.family)
    module.finish()
    assert module.lines.index(b'AT+CGDCONT=1,"IP","CMNET"') < module.lines.index(b"AT+NETOPEN")
    assert made.isconnected()


@every("03")
def test_activation(transcript, chunk):
    module = Replay(transcript.family, chunk).load(transcript)
    made = modem(module, transcript.family)
    module.finish()
    assert made.ifconfig()[0] == made.ipconfig("addr4")[0] == "10.148.0.17"
    assert made.isconnected() and made.status() == "up"


@every("04")
def test_deactivation(transcript, chunk):
    module = Replay(transcript.family, chunk)
    made = modem(module, transcript.family)
    s = connected(made)
    module.load(transcript)
    made.disconnect()
    with pytest.raises(simcom.ATError) as caught:
        made.at("+IPADDR")
    assert caught.value.cmd == "AT+IPADDR"
    module.finish()
    assert not made.isconnected()
    assert made.ifconfig()[0] == "0.0.0.0"
    raises(GONE, s.read, 1)
    made.connect("CMNET")
    assert connected(made).write(b"x") == 1


@every("t01")
def test_one_number_of_netopen_means_two_things(transcript, chunk):
    # Behind the question 1 is open; behind the command 0 is success.
    module = Replay(transcript.family, chunk).load(transcript, dropped=[b"AT+NETOPEN?"])
    made = modem(module, transcript.family)
    module.finish()
    module.load(transcript, dropped=[b"AT+NETOPEN\r"], end=b"AT+NETOPEN")
    assert made.at("+NETOPEN?") == ["+NETOPEN: 1"]
    module.finish()
    s = connected(made)
    module.say_to[b"AT+NETOPEN?"] = info(b"+NETOPEN: 0")
    assert made.at("+NETOPEN?") == ["+NETOPEN: 0"]  # an answer, no event
    assert s.write(b"x") == 1


@every("t02")
def test_netclose(transcript, chunk):
    module = Replay(transcript.family, chunk)
    made = modem(module, transcript.family)
    module.load(transcript)
    made.disconnect()
    module.finish()
    assert not made.isconnected() and made.status() == "idle"


@every("t07")
def test_address(transcript, chunk):
    module = Replay(transcript.family, chunk).load(transcript)
    made = modem(module, transcript.family)
    module.finish()
    assert made.ifconfig()[0] == "10.84.17.161"


@pytest.mark.parametrize("chunk", CHUNKS)
def test_bring_up_where_the_context_is_refused_because_it_exists(chunk):
    transcript = field("sim7028_02_bring_up")
    module = Replay("sim7028", chunk).load(transcript, anytime=[b"AT+C", b"AT+NETOPEN", b"AT+IPADDR"])
    module.say_to[b"AT+CGATT?"] = info(b"+CGATT: 0")
    made = modem(module, "sim7028", apn="hologram")
    left = {line: answers[0] for line, answers in module.script}
    assert set(left) <= {b"AT+CGDCONT?", b"AT+CGACT?", b"AT+CGACT=1,1"}
    for line in left:
        if line == b"AT+CGACT=1,1":
            with pytest.raises(simcom.ATError) as caught:
                made.at(line[2:].decode())
            assert (caught.value.errno, caught.value.line) == (errno.EIO, "+CME ERROR: 134")
        else:
            assert made.at(line[2:].decode()) == [left[line].split(b"\r\n")[1].decode()]
    module.finish()
    assert made.isconnected() and made.ifconfig()[0] == "10.1.2.3"


# Any command


SETTINGS = [each for each in transcripts("sim7028") if each.number in ("t11", "t12", "t13", "t16", "t19", "t20")]


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("transcript", SETTINGS, ids=lambda each: each.name)
def test_command_tables_by_at(transcript, chunk):
    module = Replay("sim7028", chunk)
    made = modem(module, "sim7028")
    s = connected(made)
    module.load(transcript)
    for line, answers in list(module.script):
        want = [each.decode() for each in b"".join(answers).split(b"\r\n") if each][:-1]
        assert (made.at if want else partial(unasked, made))(line[2:].decode()) == want
    module.finish()
    assert s.write(b"still there") == 11


@pytest.mark.parametrize("chunk", CHUNKS)
def test_lines_of_all_kinds_by_at_with_echo_on(chunk):
    transcript = field("a76xx_01_echo_bytes")
    module = Replay("a76xx", chunk)
    made = modem(module, apn=None)
    module.load(transcript)
    (_, (answer,)), *_ = module.script
    want = [line.decode() for line in answer.split(b"\r\n") if line]
    assert want[0] == "AT+SIMCOMATI\r" and len(want) == 11
    assert made.at("+SIMCOMATI") == want[1:-1]
    module.finish()
    idle(made, 3000)
    assert b"ATE0" in module.lines[module.lines.index(b"AT+SIMCOMATI") :]  # the echo was noticed
    assert made.at("+CSQ") == ["+CSQ: 20,0"]


# Start


@pytest.mark.parametrize("chunk", CHUNKS)
def test_start_line_between_echo_and_answer_and_no_service(chunk):
    transcript = field("a76xx_07_boot_a7670e")
    module = Replay("a76xx", chunk, echo=True).load(transcript, end=b"AT+CMGF=1", anytime=[b"AT+C"])
    for entry in module.script:
        entry[1][:] = [each.replace(entry[0] + b"\r", b"", 1) for each in entry[1]]  # the echo is Replay's
    assert module.script[0] == (b"AT", [b"", b"\r\n*ATREADY: 1\r\n", b"\r\n+CPIN: READY\r\n"])
    made = modem(module, apn=None)
    assert made.active() and not module.echo
    states = [info(b"+CEREG: 0,11"), info(b"+CGREG: 0,11"), info(b"+CREG: 0,3")]
    module.say_to = dict(zip((b"AT+CEREG?", b"AT+CGREG?", b"AT+CREG?"), states))
    e = raises((errno.ETIMEDOUT, errno.EACCES), lambda: made.connect("CMNET", timeout_ms=30_000))
    assert "registration" in str(e)
    assert b"AT+NETOPEN" not in module.lines  # emergency calls only is not registered
    assert not made.isconnected()


@pytest.mark.parametrize("chunk", CHUNKS)
def test_text_of_the_boot_loader_is_not_an_answer(chunk):
    text = b"".join(value for _, value in field("sim7028_01_boot_log").steps)
    module = OpenModule("sim7028")
    module.uart.chunk = chunk
    shim.reset()
    module.uart.say(text)
    made = simcom.SIM7028(module.uart)
    made.active(True)
    made.connect("CMNET")
    assert made.ifconfig()[0] == "10.1.2.3"
    assert connected(made).write(b"x") == 1


def test_boot_text_in_mid_session_is_a_restart():
    text = b"".join(value for _, value in field("sim7028_01_boot_log").steps)
    module = OpenModule("sim7028")
    made = modem(module, "sim7028")
    sockets = [connected(made), connected(made)]
    module.net = False
    module.open.clear()
    module.uart.say(text)
    for s in sockets:
        start = time.ticks_ms()
        raises(GONE, s.read, 1)
        assert elapsed(start) < 1000
    assert not made.isconnected()
    made.connect("CMNET")
    assert connected(made).write(b"x") == 1


def test_firmware_without_sockets_says_so():
    module = OpenModule()  # as A7670E-LNXY-UBL: NETOPEN is no command of it
    made = modem(module, apn=None)
    for cmd in (b"AT+NETOPEN", b"AT+NETCLOSE", b"AT+CIP", b"AT+IPADDR"):
        module.say_to[cmd] = ERROR
    e = raises((errno.EIO, errno.ENODEV, errno.EOPNOTSUPP), made.connect, "CMNET")
    assert "context" in str(e) and "AT+" in str(e)
    assert made.active() and not made.isconnected()


# Links


@every("06")
def test_buffer_access(transcript, chunk):
    module = Replay(transcript.family, chunk)
    made = modem(module, transcript.family)
    assert b"AT+CIPRXGET=1" in module.lines
    zero = connected(made)
    module.load(
        transcript, first=b'AT+CIPOPEN=1,"TCP","117.131.85.139",5253', dropped=[b"AT+CIPRXGET=2,1", b"AT+CIPRXGET=3"]
    )
    module.script[3:5] = []  # how much waits is asked once, at the end
    s = connected(made, "117.131.85.139", 5253)
    module.inbox[1] += b"data from server"
    assert s.write(b"hello") == 5
    assert [s.read(5), s.read(5), s.read(6)] == [b"data ", b"from ", b"server"]
    with pytest.raises(simcom.ATError):
        unasked(made, "+CIPRXGET=2,2")  # a number that was never opened
    assert made.at("+CIPRXGET=4,1") == ["+CIPRXGET: 4,1,0"]
    s.settimeout(0)
    assert s.read(1) is None
    s.settimeout(5)
    s.close()
    module.finish()
    assert module.open == {0}
    assert zero.write(b"x") == 1


@every("13")
def test_list_of_links_is_an_answer_not_news(transcript, chunk):
    module = Replay(transcript.family, chunk)
    made = modem(module, transcript.family)
    zero = connected(made)
    module.load(transcript)
    s = connected(made, "117.131.85.139", 5253)
    lines = made.at("+CIPOPEN?")
    assert lines[:2] == ["+CIPOPEN: 0", '+CIPOPEN: 1,"TCP","117.131.85.139",5253,-1'] and len(lines) == module.links
    assert made.at("+CIPCLOSE?")[0].startswith("+CIPCLOSE: 0,1")
    s.close()
    assert made.at("+CIPCLOSE?")[0].startswith("+CIPCLOSE: 0,0")
    module.finish()
    assert zero.write(b"x") == 1
    assert connected(made).write(b"y") == 1  # number 1 is free again
    assert module.outbox == module.outbox | {0: b"x", 1: b"y"}


@every("t03")
def test_connect_on_the_first_link(transcript, chunk):
    module = Replay("sim7028", chunk)
    made = modem(module, "sim7028")
    module.load(transcript, dropped=[b'AT+CIPOPEN=1,"UDP"'])
    assert made.at("+CIPOPEN=?") == ['+CIPOPEN: (0-1),("TCP","UDP")']
    assert made.at("+CIPOPEN?") == ["+CIPOPEN: 0", '+CIPOPEN: 1,"TCP","183.230.174.137",6031,-1']
    s = connected(made, "183.230.174.137", 6031)
    module.finish()
    assert s.write(b"x") == 1


@every("t04")
def test_send(transcript, chunk):
    module = Replay("sim7028", chunk)
    made = modem(module, "sim7028")
    connected(made)
    s = connected(made)
    module.load(transcript, end=b'AT+CIPSEND=1,5,"183.230.174.137",6031')
    assert made.at("+CIPSEND=?") == ["+CIPSEND: (0-1),(1-1500)"]
    assert s.write(b"12345") == 5
    assert made.flush()
    module.finish()
    assert s.write(b"and more") == 8


@every("t05")
def test_read(transcript, chunk):
    module = Replay("sim7028", chunk)
    made = modem(module, "sim7028")
    s = connected(made)
    module.load(transcript, dropped=[b"AT+CIPRXGET=1", b"AT+CIPRXGET=2", b"AT+CIPRXGET=3"])
    assert made.at("+CIPRXGET=?") == ["+CIPRXGET: (0-4),(0-1),(1-1500)"]
    assert made.at("+CIPRXGET?") == ["+CIPRXGET: 1"]
    module.arrive(0, b"123456")
    assert s.read(6) == b"123456"
    assert made.at("+CIPRXGET=4,0") == ["+CIPRXGET: 4,0,18"]
    module.finish()


@every("t06")
def test_close(transcript, chunk):
    module = Replay("sim7028", chunk)
    made = modem(module, "sim7028")
    s = connected(made)
    module.load(transcript)
    assert made.at("+CIPCLOSE=?") == ["+CIPCLOSE: (0-1)"]
    assert made.at("+CIPCLOSE?") == ["+CIPCLOSE: 0,0"]
    start = time.ticks_ms()
    s.close()
    assert elapsed(start) < 1000
    module.finish()
    assert module.open == set()


@every("t17")
def test_name_is_resolved(transcript, chunk):
    module = Replay("sim7028", chunk)
    made = modem(module, "sim7028")
    module.load(transcript)
    assert made.at("+CDNSGIP=?") == []
    assert made.resolve("www.baidu.com") == ["61.135.169.121"]
    module.finish()


@pytest.mark.parametrize("code", [10, 8, 3])
def test_name_is_unknown(code):
    module = OpenModule()
    made = modem(module)
    module.say_to[b"AT+CDNSGIP"] = refused(b"+CDNSGIP: 0,%d" % code)
    start = time.ticks_ms()
    raises(-2, made.resolve, "abctest")
    assert elapsed(start) < 1000
    assert made.isconnected() and made.at("+CSQ") == ["+CSQ: 20,0"]


@pytest.mark.parametrize("chunk", CHUNKS)
def test_network_closed_behind_the_connection(chunk):
    transcript = field("a76xx_02_network_closed")
    module = Replay("a76xx", chunk)
    module.load(transcript, first=b"AT+NETOPEN", end=b"AT+NETOPEN?", dropped=[b"AT+CIPRXGET=1"])
    made = modem(module)
    assert b"AT+CIPRXGET=1" in module.lines
    s = made.socket()
    s.settimeout(60)

    def use():
        s.connect(("postman-echo.com", 80))
        module.net = False
        module.open.clear()
        idle(made, 100)
        s.write(b"x" * 40)

    start = time.ticks_ms()
    raises(GONE, use)
    assert elapsed(start) < 5000
    module.net = False
    module.open.clear()
    module.finish()
    assert not made.isconnected()
    assert module.payloads == []
    module.load(transcript, first=b"AT+NETOPEN?", anytime=[b"AT+"])  # if asked: closed, refused, refused, nothing, …
    made.connect("CMNET")
    assert made.isconnected()
    module.script.clear()
    assert connected(made).write(b"x") == 1


def test_settings_are_made_before_anything_that_depends_on_them():
    # field/a76xx_02: that host chose them so; numbers for errors, links in the headers, sends that do not wait for ACK
    for family in FAMILIES:
        module = OpenModule(family)
        made = modem(module, family)
        connected(made)
        at = [next(i for i, line in enumerate(module.lines) if line.startswith(each)) for each in (
            b"AT+CGDCONT=", b"AT+NETOPEN", b"AT+CIPRXGET=1", b"AT+CIPOPEN=")]  # fmt: skip
        assert at[0] < at[1] < at[3] and at[2] < at[3]
        assert b"AT+CIPSENDMODE=0" in module.lines[: at[3]]
        assert module.settings[b"AT+CIPCCFG"].split(b",")[3:5] == [b"0", b"1"]
