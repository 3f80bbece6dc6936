"""The driver of the CAOPEN families against a scripted module that answers as their transcripts do, byte for byte."""

import errno
import re
import time

import pytest
from feed import CHUNKS, ERROR, OK, info, those, unasked
from feed_ca import CaReplay, modem
from feed_open import connected, elapsed, idle, lands, raises
from transcript import field, transcripts

import simcom

# Transcripts that are not replayed against the driver, and why.
NOT_REPLAYED = {
    "26": "transparent mode: test_transparent_replay.py",
    "field/sim7000ca_01": "the host speaks an older form of the commands, which no driver sends",
}
REPLAYED = ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15", "16", "17"]
REPLAYED += ["20", "21", "22", "23", "24", "25", "27", "28"]
REPLAYED += ["field/sim70x0_01", "field/sim70x0_02", "field/sim70x0_03", "field/sim70x0_04"]
REPLAYED += ["field/sim7000ca_02", "field/sim7000ca_03", "field/sim7000ca_04"]  # what the module says in them

GONE = (errno.ENOTCONN, errno.ECONNABORTED)  # what tells that the context is lost
CLOSED = (errno.ECONNRESET, *GONE)
UDP = 2


def every(wanted):
    return those(wanted, "sim70x0")


chunks = pytest.mark.parametrize("chunk", CHUNKS)


def rows(answers):
    """The information lines of an answer."""
    return [each.decode() for each in b"".join(answers).partition(OK)[0].split(b"\r\n") if each]


def left_by_at(made, module):
    """What is left of the script, as the program's own questions."""
    for line, answers in list(module.script):
        want = rows(answers)
        assert (made.at if want else lambda cmd: unasked(made, cmd))(line[2:].decode()) == want
        idle(made, 50)


def test_every_transcript_is_replayed_or_has_a_reason():
    numbers = {each.number for each in transcripts("sim70x0", "sim7000ca")}
    assert numbers == set(REPLAYED) | set(NOT_REPLAYED)
    assert not set(REPLAYED) & set(NOT_REPLAYED)


# The context


@every("01")
def test_bearer(transcript, chunk):
    module = CaReplay(chunk).load(transcript, anytime=[b"AT+CPIN", b"AT+CSQ", b"AT+CGATT", b"AT+COPS", b"AT+CGNAPN"])
    made = modem(module, "ctnb")
    assert made.status("rssi") == 2 * 20 - 113
    assert made.isconnected() and made.ifconfig()[0] == "10.94.36.44"
    left_by_at(made, module)
    module.finish()


@every("02")
def test_radio_off_and_on_before_the_bearer(transcript, chunk):
    module = CaReplay(chunk)
    made = modem(module, None)
    module.load(transcript, end=b"AT+CGATT?", dropped=[b"AT+CGDCONT"])
    assert unasked(made, "+CFUN=0") == [] and unasked(made, "+CFUN=1") == []
    module.finish()
    module.load(transcript, first=b"AT+CGATT?", anytime=[b"AT+CGATT", b"AT+CGNAPN"], dropped=[b"AT+CGNAPN"])
    made.connect("ctnb")
    module.finish()
    assert made.ifconfig()[0] == "10.94.36.44"


@every("10")
def test_nothing_is_active(transcript, chunk):
    module = CaReplay(chunk)
    made = modem(module, None)
    module.load(transcript)
    assert made.at("+CNACT?") == ['+CNACT: %d,0,"0.0.0.0"' % n for n in range(4)]
    left_by_at(made, module)
    module.finish()
    made.connect("CMNET")
    assert made.isconnected()


@every("25")
def test_the_network_takes_the_context(transcript, chunk):
    module = CaReplay(chunk)
    made = modem(module)
    module.load(transcript, end=b"AT+CNACT?")
    s = connected(made, "192.0.2.10")
    start = time.ticks_ms()
    raises(GONE, s.read, 1)
    assert elapsed(start) < 1000
    idle(made, 1000)
    assert not made.isconnected() and made.status() == "idle"
    raises(GONE, connected, made)
    module.finish()
    module.down()
    tail = transcript.exchanges()[-3:-1]  # the first attempt is refused
    module.script = tail
    made.connect("CMNET")
    module.finish()
    assert connected(made, "192.0.2.10").write(b"x") == 1


@chunks
@pytest.mark.parametrize("result", (1, 21))
def test_woken_module_has_no_context(chunk, result):
    transcript = field("sim70x0_02_psm_wake")
    module = CaReplay(chunk)
    made = modem(module)
    module.down()  # unheard: it slept
    module.results["example.com"] = result
    e = raises(GONE, connected, made, "example.com", 1883)
    assert "example.com:1883" in str(e)
    idle(made, 1000)
    assert not made.isconnected()
    module.results.clear()
    module.load(transcript, first=b"AT+CNACT=0,1")
    made.connect("CMNET")
    module.finish()
    assert connected(made, "example.com", 1883).write(b"x") == 1


# Links


@every("03")
def test_client(transcript, chunk):
    module = CaReplay(chunk)
    made = modem(module)
    module.load(transcript, dropped=[b"AT+CASSLCFG", b"AT+CNACT?"], end=b"AT+CNACT=0,0")
    s = connected(made, "117.131.85.139", 6004)
    assert s.write(b"hello") == 5
    assert made.flush() and s.read(10) == b"GET / HTTP"
    s.settimeout(0)
    assert s.read(1) is None
    s.settimeout(5)
    s.close()
    module.finish()
    assert module.open == set()
    module.load(transcript, first=b"AT+CNACT=0,0")
    made.disconnect()
    module.finish()
    assert not made.isconnected()


@every("17")
def test_bytes_behind_the_open(transcript, chunk):
    module = CaReplay(chunk)
    made = modem(module)
    module.load(transcript, first=b'AT+CAOPEN=0,0,"TCP","117.131.85.139",6005')
    s = connected(made, "117.131.85.139", 6005)
    assert s.read(10) == b"GET / HTTP"
    assert s.write(b"hello") == 5 and made.flush()
    s.close()
    made.disconnect()  # whose last line has no number
    module.finish()
    made.connect("CMNET")
    assert connected(made).write(b"x") == 1


@every("23")
def test_opens_that_fail(transcript, chunk):
    module = CaReplay(chunk)
    made = modem(module)
    module.load(transcript, end=b"AT+CNACT=0,0", dropped=[b"AT+CAOPEN=13"])
    for line in module.script:
        line[1][:] = [b"\r\nOK\r\n", line[1][0].replace(OK, b"")] if module.later_open else line[1]
    raises(errno.ECONNREFUSED, connected, made, "192.0.2.10", 81)
    raises(errno.EHOSTUNREACH, connected, made, "no.such.host")
    raises((errno.ECONNABORTED, errno.ETIMEDOUT), connected, made, "192.0.2.99")
    module.finish()
    assert connected(made, "192.0.2.10").write(b"x") == 1
    assert made.isconnected()


@every("23")
def test_opens_that_fail_where_all_wait_for_them(transcript, chunk):
    module = CaReplay(chunk)
    module.blocking = True
    made = modem(module)
    module.load(transcript, end=b"AT+CNACT=0,0", dropped=[b"AT+CAOPEN=13"])
    raises(errno.ECONNREFUSED, connected, made, "192.0.2.10", 81)
    raises(errno.EHOSTUNREACH, connected, made, "no.such.host")
    raises((errno.ECONNABORTED, errno.ETIMEDOUT), connected, made, "192.0.2.99")
    module.finish()
    assert connected(made, "192.0.2.10").write(b"x") == 1


@every("24")
def test_open_that_lets_others_speak(transcript, chunk):
    module = CaReplay(chunk).load(transcript, end=b'AT+CAOPEN=0,0,"TCP","192.0.2.10",80')
    made = modem(module)
    module.finish()
    module.load(transcript, first=b'AT+CAOPEN=0,0,"TCP","192.0.2.10",80')
    s = made.socket()
    s.settimeout(0)
    raises(errno.EINPROGRESS, s.connect, ("192.0.2.10", 80))
    assert made.at("+CSQ") == ["+CSQ: 20,0"]
    s.settimeout(5)
    idle(made, 100)
    raises(errno.ECONNREFUSED, connected, made, "192.0.2.10", 81)
    assert made.at("+CASTATE?") == ["+CASTATE: 0,1"]
    module.finish()
    assert s.write(b"x") == 1


@every("08")
def test_close(transcript, chunk):
    module = CaReplay(chunk)
    made = modem(module)
    sockets = [connected(made), connected(made)]
    module.load(transcript)
    for s in sockets:
        s.close()
    with pytest.raises(simcom.ATError):
        unasked(made, "+CACLOSE=2")
    module.finish()
    assert connected(made).write(b"x") == 1


@every("28")
def test_what_waits(transcript, chunk):
    module = CaReplay(chunk)
    made = modem(module)
    s = connected(made)
    s.setblocking(False)
    assert s.read(1) is None
    module.load(transcript)
    assert unasked(made, "+CASEND=0") == ["+CASEND: 10240"]
    assert unasked(made, "+CARECV?") == []
    s.settimeout(5)
    module.script = [each for each in module.script if each[0] != b"AT+CARECV?"]
    assert s.read(12) == b"hello world!"
    module.finish()
    assert s.write(b"x") == 1


@chunks
def test_late_result_of_a_send(chunk):
    module = CaReplay(chunk)
    made = modem(module)
    module.load(field("sim70x0_03_late_casend"), first=b'AT+CAOPEN=0,0,"TCP","192.0.2.10",8080')
    s = connected(made, "192.0.2.10", 8080)
    assert s.write(b"hello") == 5
    assert s.read(10) == b"GET / HTTP"
    s.close()
    made.disconnect()
    module.finish()


@chunks
def test_buffer_is_full_and_the_peer_closes(chunk):
    module = CaReplay(chunk)
    made = modem(module)
    module.load(field("sim70x0_04_buffer_full"))
    module.script[-2:-1] = []  # how often it is asked behind the end is the driver's choice
    s = connected(made, "192.0.2.10")
    assert s.read() == b"A" * 8 + b"B" * 8 + b"C" * 8 + b"DDD"
    s.close()
    module.finish()


@chunks
def test_supply_warnings_and_a_result_in_no_table(chunk):
    _, (*warnings, result) = field("sim7000ca_02_open_error_11").exchanges()[1]
    module = CaReplay(chunk)
    made = modem(module)
    module.script = [(b'AT+CAOPEN=0,0,"TCP","example.com",8883', [*warnings, result.replace(b"1,11", b"0,11"), OK])]
    e = raises(errno.ECONNABORTED, connected, made, "example.com", 8883)
    assert "11" in str(e)
    module.finish()
    assert connected(made).write(b"x") == 1


@chunks
def test_closed_at_once(chunk):
    _, answers = field("sim7000ca_03_closed_at_once").exchanges()[1]
    module = CaReplay(chunk)
    made = modem(module)
    module.script = [(b'AT+CAOPEN=0,0,"TCP","example.com",8883', answers)]
    s = connected(made, "example.com", 8883)
    assert s.read() == b""
    raises(CLOSED, lands, made, s, b"x")
    s.close()
    module.finish()
    assert connected(made).write(b"x") == 1


# Datagrams and servers


@every("22")
def test_datagrams_to_one_peer(transcript, chunk):
    module = CaReplay(chunk)
    made = modem(module)
    module.load(transcript, dropped=[b"AT+CASTATE?"])
    s = made.socket(2, UDP)
    s.settimeout(5)
    s.connect(("192.0.2.10", 6000))
    assert s.write(b"00") == 2
    assert s.recv(100) == b"pong"
    s.settimeout(0.5)
    raises(errno.ETIMEDOUT, s.recv, 100)
    s.close()
    module.finish()


@every("05")
def test_datagrams_of_everybody(transcript, chunk):
    module = CaReplay(chunk)
    made = modem(module)
    module.load(transcript, first=b'AT+CASERVER=0,0,"UDP",6000', end=b"AT+CNACT=0,0")
    module.senders[0] = (b"117.131.85.139", b"5001")
    s = made.socket(2, UDP)
    s.settimeout(5)
    s.bind(("", 6000))
    assert s.recvfrom(100) == (b"GET / HTTP", ("117.131.85.139", 5001))
    assert s.sendto(b"hello", ("117.131.85.139", 6014)) == 5
    s.close()
    module.finish()
    assert module.outbox[0] == b"hello"


@every("21")
@pytest.mark.parametrize("quoted", (False, True))
def test_sender_in_the_header(transcript, chunk, quoted):
    module = CaReplay(chunk)
    made = modem(module)
    t = connected(made)
    module.load(transcript, first=b"AT+CARECV=0,100", end=b"AT+CACLOSE=0")
    ((_, answers),) = module.script
    header = answers[0].replace(b"192.0.2.10", b'"192.0.2.10"') if quoted else answers[0]
    module.script = [(b"AT+CASRIP=1", [OK])]
    s = made.socket(2, UDP)
    s.settimeout(5)
    s.bind(("", 6000))
    module.finish()
    module.say_to[b"AT+CARECV=1,"] = lambda line: module.say_to.pop(b"AT+CARECV=1,") and header
    module.line(b"+CADATAIND: 1")
    assert s.recvfrom(100) == (b"ping", ("192.0.2.10", 6000))
    module.arrive(0, b"and of a stream")
    assert t.read(15) == b"and of a stream"


@every("04")
def test_server(transcript, chunk):
    module = CaReplay(chunk)
    made = modem(module)
    module.load(transcript, first=b'AT+CASERVER=0,0,"TCP",6000')
    server = made.socket()
    server.settimeout(5)
    server.bind(("", 6000))
    server.listen()
    client, peer = server.accept()
    assert peer == ("117.131.85.139", 5004)
    assert client.read(10) == b"GET / HTTP"
    assert client.write(b"hello") == 5
    client.close()
    server.close()
    made.disconnect()
    module.finish()


@every("27")
def test_server_is_full_and_its_client_is_pushed(transcript, chunk):
    module = CaReplay(chunk)
    made = pushing(module)
    module.load(transcript, first=b'AT+CASERVER=0,0,"TCP",6000,1', end=b"AT+CACLOSE=1")
    (start, said), (state, lines), (_, after) = module.script
    module.script = [(start, said), (state, lines)]
    server = made.socket()
    server.settimeout(5)
    server.bind(("", 6000))
    server.listen(1)
    assert made.at("+CASTATE?") == ["+CASTATE: 0,2"]
    client, peer = server.accept()
    assert peer == ("192.0.2.20", 5004) and client.read(5) == b"hello"
    module.script = [(state, after)]
    assert made.at("+CASTATE?") == ["+CASTATE: 0,2", "+CASTATE: 1,1"]
    assert client.read(1) == b""
    client.close()
    server.close()
    module.finish()
    assert not module.open and not module.taken and not module.servers


# Pushed bytes


def pushing(module):
    """A driver whose context is up and whose links are pushed what they receive."""
    made = modem(module, None)
    made.config(receive="push")
    made.connect("CMNET")
    return made


@every("20")
def test_pushed(transcript, chunk):
    module = CaReplay(chunk)
    made = pushing(module)
    module.load(transcript)
    s = connected(made, "192.0.2.10", 7)
    for data in (b"hello", b"a\r\nOK\r\nb"):
        assert s.write(data) == len(data)
        assert s.read(len(data)) == data
    assert s.read(1) == b""
    s.close()
    module.finish()


# Any command


@every("06 15")
def test_what_is_asked_beside_a_connection(transcript, chunk):
    module = CaReplay(chunk)
    made = modem(module)
    s = connected(made)
    module.load(transcript)
    left_by_at(made, module)
    module.finish()
    assert s.write(b"still there") == 11


@every("07 09 16")
def test_what_is_asked_and_set_before_there_is_one(transcript, chunk):
    module = CaReplay(chunk)
    made = modem(module)
    module.load(transcript)
    left_by_at(made, module)
    module.finish()
    assert connected(made).write(b"x") == 1


@every("11")
def test_names(transcript, chunk):
    module = CaReplay(chunk)
    made = modem(module)
    module.load(transcript, end=b'AT+CDNSGIP="www.baidu.com",1,1000')
    left_by_at(made, module)
    module.load(transcript, first=b'AT+CDNSGIP="www.baidu.com",1,1000')
    assert made.resolve("www.baidu.com") == ["183.232.231.172"]
    module.finish()


@every("12")
def test_ping(transcript, chunk):
    module = CaReplay(chunk)
    made = modem(module)
    module.load(transcript, first=b"AT+SNPDPID=0")
    left_by_at(made, module)
    module.finish()


# Start, sleep, end


@every("13")
def test_restart(transcript, chunk):
    module = CaReplay(chunk)
    made = modem(module)
    s = connected(made)
    _, answers = transcript.exchanges()[0]
    module.down()
    module.answer(answers[1:])
    raises(GONE, s.read, 1)
    assert not made.isconnected()
    made.connect("CMNET")
    assert connected(made).write(b"x") == 1


@every("14")
def test_power_off(transcript, chunk):
    module = CaReplay(chunk)
    made = modem(module)
    module.load(transcript)
    made.active(False)
    module.finish()


@chunks
def test_late_end_of_the_boot_is_no_restart(chunk):
    """SMS Ready comes before an echo; what is asked then is answered one command later."""
    transcript = field("sim70x0_01_sms_ready_late")
    module = CaReplay(chunk, echo=True)
    module.load(transcript, end=b"AT", anytime=[b"AT+C"])
    late = transcript.exchanges()[8][1][0].replace(b"0,2", b"0,1")  # of AT+CEREG?, when the host has given up
    module.script[-1][1].extend((400, late))
    for _, answers in module.script:  # the echo is CaReplay's
        answers[:] = [re.sub(rb"^AT.*\r\r", b"\r", each) if isinstance(each, bytes) else each for each in answers]
    made = modem(module, None)
    for each in list(module.script):
        if each[0] in (b"AT+CNMP=2", b"AT+CMNB=2", b"AT+CMNB?", b"AT+CNMP?"):
            assert unasked(made, each[0][2:].decode()) == rows(each[1])
    made.connect("CMNET")
    assert connected(made).write(b"x") == 1


@chunks
def test_boot_lines_between_commands_and_answers(chunk):
    said = [each for _, answers in field("sim7000ca_04_restart_lines").exchanges()[:2] for each in answers]
    module = CaReplay(chunk)
    module.script = [(b"AT", [*said, OK])]
    busy = [b"\r\n+CME ERROR: SIM busy\r\n", b"\r\n+CFUN: 1\r\n" + info(b"+CPIN: READY") + b"\r\nSMS Ready\r\n"]
    module.say_to[b"AT+CPIN?"] = lambda line: busy.pop(0) if busy else None
    made = modem(module)
    module.finish()
    assert not busy
    assert connected(made).write(b"x") == 1


# What other firmware may say, of which there is no transcript


NOTICE, FULL, STATE = b"\r\n+CADATAIND: 0\r\n", b"\r\n+CAURC: buffer full,0\r\n", b"\r\n+CASTATE: 0,1\r\n"
OTHERS = (NOTICE, FULL, STATE, b"\r\n+CEREG: 1\r\n", b"\r\nSMS Ready\r\n", b"\r\nUNDER-VOLTAGE WARNNING\r\n")
OTHERS += (b'\r\n*PSUTTZ: 21/09/14,02:43:56","-20",1\r\n', b"\r\nDST: 1\r\n", b"\r\n+CPIN: READY\r\n")
READS = (
    (b"\r\n+CARECV: %d,", b"\r\n\r\nOK\r\n"),
    (b"\r\n+CARECV: %d,", b"\r\nOK\r\n"),
    (b"\r\n+CARECV:%d,", b"\r\n\r\nOK\r\n"),
)
EMPTY = (info(b"+CARECV: 0"), info(b"+CARECV: 0,"), info(b"+CARECV:0"), OK, ERROR, b"\r\n+CARECV: 0,\r\n\r\n\r\nOK\r\n")
DATA = bytes(range(256)) * 8 + b"\r\nOK\r\n\r\nERROR\r\n+CARECV: 5,\r\n+CASTATE: 0,0\r\n> "


def session(made, module):
    """Send, receive, hear of the end."""
    s = connected(made)
    module.arrive(0, DATA)
    assert s.read(len(DATA)) == DATA
    assert s.write(b"hello") == 5 and made.flush()
    s.settimeout(0.3)
    raises(errno.ETIMEDOUT, s.recv, 1)
    s.settimeout(5)
    module.arrive(0, DATA, notice=False)
    module.close_peer(0)
    assert s.read() == DATA
    s.close()
    assert module.outbox[0] == b"hello"
    assert connected(made).write(b"x") == 1
    assert not made.status("counters").get("resync"), made.status("counters")


@chunks
@pytest.mark.parametrize("nothing", EMPTY)
@pytest.mark.parametrize("head, trailer", READS)
def test_answers_to_reads(head, trailer, nothing, chunk):
    module = CaReplay(chunk)
    module.head, module.trailer, module.nothing = head, trailer, nothing
    session(modem(module), module)


class Chatty(CaReplay):
    """Says `more` at one of the places where there may be a line: behind so many lines of each answer."""

    def __init__(self, more, at, chunk):
        super().__init__(chunk)
        self.more, self.at = more, at

    def _reply(self, line):
        answer = super()._reply(line)
        if not isinstance(answer, bytes) or line.startswith(b"AT+CARECV=") and self.at not in (0, -1):
            return answer
        if not self.net or not answer or self.taken:
            return answer
        if self.at == -1:
            return answer + self.more
        lines = re.split(rb"(?<=\r\n)(?=\r\n)", answer)
        return b"".join(lines[: self.at] + [self.more] + lines[self.at :])


@pytest.mark.parametrize("chunk", (0, 1))
@pytest.mark.parametrize("at", (0, 1, 2, -1))
@pytest.mark.parametrize("more", OTHERS)
def test_lines_in_and_around_answers(more, at, chunk):
    module = Chatty(more, at, chunk)
    session(modem(module), module)


@chunks
def test_echo_that_cannot_be_switched_off(chunk):
    class Echoing(CaReplay):
        def _take(self, line):
            self.echo = True
            super()._take(line)

    module = Echoing(chunk, echo=True)
    session(modem(module), module)


SPELLINGS = {
    "no blank": lambda said: re.sub(rb"(\+[A-Z ]+:) ", rb"\1", said),
    "a blank behind commas": lambda said: re.sub(rb",(?=[0-9\"A-Z])", b", ", said),
    "blanks at the end": lambda said: said.replace(b"\r\n+", b"\r\r\n+"),
    "one line end between lines": lambda said: said.replace(b"\r\n\r\nOK", b"\r\nOK"),
    "no number of the context": lambda said: re.sub(rb"\+APP PDP: 0,", b"+APP PDP: ", said),
    "no quotes": lambda said: said.replace(b'"', b""),
    "prompt without a blank": lambda said: said.replace(b"\r\n> ", b"\r\n>"),
    "prompt on the line of the command": lambda said: said.replace(b"\r\n> ", b"> "),
    "ports in quotes": lambda said: re.sub(rb",(80|443|7)\b", rb',"\1"', said),
}


class Spelling(CaReplay):
    """Spells what it says, but for bytes of streams, as `spell` does."""

    def __init__(self, spell, chunk):
        super().__init__(chunk)
        self.spell = spell
        say = self.uart.say
        self.uart.say = lambda said: say(said if b"+CARECV" in said or DATA[:20] in said else spell(said))


@chunks
@pytest.mark.parametrize("blocking", (False, True))
@pytest.mark.parametrize("name", SPELLINGS)
def test_spellings(name, blocking, chunk):
    module = Spelling(SPELLINGS[name], chunk)
    module.blocking = blocking
    made = modem(module)
    assert made.ifconfig()[0] == "10.181.182.177"
    session(made, module)
    assert made.resolve("www.example.com") == ["192.0.2.7"]
    server = made.socket()
    server.settimeout(5)
    server.bind(("", 80))
    server.listen()
    n = next(iter(module.servers))
    module.open.add(9)
    module.line(b"+CANEW: %d,9,192.0.2.20,5004" % n)
    client, peer = server.accept()
    assert peer == ("192.0.2.20", 5004)
    module.arrive(9, b"hello")
    assert client.read(5) == b"hello"
    module.results["192.0.2.9"] = 23
    raises(errno.ECONNREFUSED, connected, made, "192.0.2.9")
    module.lose_network()
    raises(GONE, client.read, 1)
    made.connect("CMNET")
    assert connected(made).write(b"x") == 1
