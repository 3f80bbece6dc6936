"""Other ways to hand bytes to the module: without a length, by time, without a prompt; how many it takes."""

import errno

from rig import ECHO, Rig  # first: it puts the shim in place
from families import CA, CIP, FAMILIES, OPEN, START
import pytest
from feed import CHUNKS, ERROR, Module
from modes import Mode, cases
from sim import Sink, Stall
from sim.at import NO_FINAL
from test_replay import editions, idle
from test_replay import connected as connected_start
from test_replay import modem as modem_start
from test_replay_open import Replay, every
from test_replay_open import modem as modem_open

FEW = (None, 1, 2, 3)
ALL = bytes(range(256))
PLAIN = bytes(c for c in ALL if c not in (8, 0x1A, 0x1B))  # what SIM800 and SIM7000 can send without a length

families = pytest.mark.parametrize("family", FAMILIES)
each_cip = pytest.mark.parametrize("family", CIP)
start_families = pytest.mark.parametrize("family", START)
open_families = pytest.mark.parametrize("family", OPEN)
seeds = pytest.mark.parametrize("seed", FEW)
EVERY = [(family, True) for family in CIP] + [(family, False) for family in START]
every_mode = pytest.mark.parametrize("family, mux", EVERY, ids=["%s-%s" % (f, "single" * (not m)) for f, m in EVERY])


def rig(family, seed=None, mux=True, settings=None, **given):
    r = Rig(seed, family=family, up=False, modem_args=None if mux else {"mux": False}, **given)
    if settings:
        r.modem.config(**settings)
    r.modem.connect("internet")
    return r


def bytes_for(family):
    return PLAIN if family in START else ALL


def sends(r):
    return [line for line in r.sent if line.partition("=")[0] == "AT+CIPSEND"]


def got(r):
    r.modem.flush()
    r.pump(300)
    return bytes(r.connection().received)


# Without a length


@pytest.mark.parametrize("case, family, seed", list(cases(OPEN, (1,))))
def test_shared_case_without_lengths(case, family, seed):
    case(Mode(seed, family, settings={"send": "variable"}))


@pytest.mark.feature("variable")
@every_mode
@seeds
def test_every_byte_without_a_length(family, mux, seed):
    r = rig(family, seed, mux, {"send": "variable"})
    data = bytes_for(family) * 12
    s = r.socket(ECHO)
    s.write(data)
    assert s.read(len(data)) == data
    assert {line.count(",") for line in sends(r)} == {0}
    assert got(r) == data
    s.close()
    assert r.works()


@start_families
@pytest.mark.parametrize("mux", [True, False])
@pytest.mark.parametrize("form", ["variable", ("timed", 2)])
@pytest.mark.parametrize("bad", [8, 0x1A, 0x1B])
def test_bytes_that_need_a_length_are_refused_before_anything_is_sent(family, mux, form, bad):
    r = rig(family, mux=mux, settings={"send": form})
    s = r.socket(r.serve(Sink))
    before = len(r.sent)
    for send in (s.write, s.send, s.sendall):
        with pytest.raises(ValueError) as raised:
            send(b"x" * 3000 + bytes([bad]))
        assert str(bad) in str(raised.value)
    s.settimeout(0)
    with pytest.raises(ValueError):
        s.write(memoryview(bytearray([65, bad])))
    s.settimeout(30)
    r.pump(500)
    assert len(r.sent) == before and got(r) == b""
    assert s.write(bytearray([65, bad, 66]), 1) == 1
    r.modem.config(send="fixed")
    assert s.write(bytes([bad])) == 1
    assert got(r) == bytes([65, bad])


@every_mode
def test_bytes_that_no_length_announces_do_not_exceed_the_room(family, mux):
    # What a module has no room for it would take for commands.
    r = rig(family, mux=mux, settings={"send": "variable"}, tx_limit=3000)
    command = b"\rAT+CIPSHUT\rAT+NETCLOSE\r"
    s = r.socket(r.serve(Stall), timeout=2)
    written = 0
    with pytest.raises(OSError) as raised:
        for _ in range(50):
            written += s.write(command * 40)
    assert raised.value.errno == errno.ETIMEDOUT
    taken = r.connection()
    taken.resume()
    r.pump(3000)
    s.settimeout(30)
    s.write(b"the end")
    r.modem.flush()
    r.pump(3000)
    data = bytes(taken.received)
    assert data.endswith(b"the end") and data[:-7] == (command * 2000)[: len(data) - 7]
    assert len(data) >= written
    assert not [line for line in r.sent if line in ("AT+CIPSHUT", "AT+NETCLOSE")][1:]


@every_mode
@pytest.mark.parametrize("form", ["variable", "fixed"])
def test_lost_end_of_the_payload_frees_the_module(family, mux, form):
    class Lossy:
        """Loses the last byte of a payload."""

        def __init__(self, uart):
            self.uart = uart

        def __getattr__(self, name):
            return getattr(self.uart, name)

        def write(self, buf, *given):
            off, n = (0, given[0]) if len(given) == 1 else given if given else (0, len(buf))
            data = bytes(buf[off : off + n])
            if data.startswith(b"payload"):
                self.uart.write(data[:-1])
                return len(data)
            return self.uart.write(buf, *given)

    r = rig(family, mux=mux, settings={"send": form}, wrap=Lossy)
    s = r.socket(r.serve(Sink))
    with pytest.raises(OSError) as raised:
        s.write(b"payload")
    assert raised.value.errno == errno.EIO
    s.close()
    assert r.modem.active() and r.modem.isconnected()
    assert r.works()


@open_families
def test_accepted_clients_get_their_lengths(family):
    r = rig(family, settings={"send": "variable"})
    s = r.socket()
    s.bind(("", 80))
    s.listen()
    outside = r.dial(80)
    inside, _ = s.accept()
    inside.write(b"to a client\x1a")
    assert outside.recv(12) == b"to a client\x1a"
    assert sends(r)[-1].endswith(",12")


@each_cip
@seeds
def test_several_connections_without_lengths(family, seed):
    r = rig(family, seed, settings={"send": "variable"})
    sockets = [r.socket(ECHO) for _ in range(2)]
    data = [bytes_for(family)[k:] * 20 for k in range(2)]
    back = [bytearray(), bytearray()]
    at = [0, 0]
    for s in sockets:
        s.settimeout(0)
    while [bytes(each) for each in back] != data:
        for k, s in enumerate(sockets):
            at[k] += s.write(data[k][at[k] :]) or 0
            back[k] += s.read(400) or b""
            assert data[k].startswith(bytes(back[k]))
        r.modem.wait()


@start_families
@pytest.mark.parametrize("form", ["fixed", "variable"])
@pytest.mark.parametrize("acknowledge", [False, True])
def test_results_of_both_kinds(family, form, acknowledge):
    # With acknowledgements the result is SEND OK, which tells no number.
    r = rig(family, settings={"send": form, "acknowledge": acknowledge}, tx_limit=3000)
    s = r.socket(r.serve(Sink))
    data = PLAIN * 20
    s.write(data)
    assert got(r) == data


# By time


@pytest.mark.feature("timed")
@start_families
@pytest.mark.parametrize("mux", [True, False])
@pytest.mark.parametrize("seconds", [1, 3, 12])
def test_sent_when_the_time_is_over(family, mux, seconds):
    r = rig(family, mux=mux, settings={"send": ("timed", seconds)})
    assert "AT+CIPATS=1,%d" % seconds in r.sent
    s = r.socket(r.serve(Sink))
    begin = r.clock.ms
    s.write(PLAIN)
    assert seconds * 1000 <= r.clock.ms - begin < seconds * 1000 + 500
    assert got(r) == PLAIN
    r.modem.config(send="fixed")
    assert r.sent[-1] == "AT+CIPATS=0"
    begin = r.clock.ms
    s.write(ALL)
    assert r.clock.ms - begin < 500
    assert got(r) == PLAIN + ALL


@pytest.mark.lacks("timed")
@pytest.mark.lacks("prompt")
@pytest.mark.lacks("room")
@open_families
def test_families_without_a_timer_say_so(family):
    r = Rig(family=family)
    before = len(r.sent)
    for work in (
        lambda: r.modem.config(send="timed"),
        lambda: r.modem.config(prompt=0),
        lambda: r.modem.status("room"),
    ):
        with pytest.raises(OSError) as raised:
            work()
        assert raised.value.errno == errno.EOPNOTSUPP
        assert family.upper() in str(raised.value)
    assert len(r.sent) == before
    assert r.works()


@families
def test_what_cannot_be_set_sends_nothing(family):
    r = Rig(family=family)
    bad = [{"send": "fast"}, {"send": None}, {"send": ("variables", 3)}]
    if family in START:
        bad += [{"send": ("timed", 0)}, {"send": ("timed", 101)}, {"send": ("timed", "1")}, {"prompt": 3}]
    for settings in bad:
        before = len(r.sent)
        with pytest.raises(ValueError):
            r.modem.config(**settings)
        assert len(r.sent) == before


# Without a prompt


@pytest.mark.feature("prompt")
@start_families
@pytest.mark.parametrize("mux", [True, False])
@pytest.mark.parametrize("form", ["fixed", "variable"])
@pytest.mark.parametrize("prompt", [0, 2])
@pytest.mark.parametrize("seed", FEW[:4])
def test_payload_without_a_prompt(family, mux, form, prompt, seed):
    r = rig(family, seed, mux, {"prompt": prompt, "send": form})
    assert "AT+CIPSPRT=%d" % prompt in r.sent and "AT+CIPSPRT=1" not in r.sent
    s = r.socket(ECHO)
    data = PLAIN * 8
    s.write(data)
    assert s.read(len(data)) == data
    r.modem.config(prompt=1)
    s.write(b"with a prompt")
    assert s.read(13) == b"with a prompt"
    assert got(r) == data + b"with a prompt"


@start_families
@pytest.mark.parametrize("prompt", [0, 2])
def test_refusal_is_waited_for_before_payload_goes_out(family, prompt):
    r = rig(family, settings={"prompt": prompt})
    s = r.socket(r.serve(Sink))
    refuse, r.vm.do_CIPSEND = r.vm.do_CIPSEND, lambda op, args: r.vm.refuse()
    s.settimeout(0)
    s.write(b"AT+CIPSHUT\r")
    before = len(r.sent)
    r.pump(3000)
    assert "AT+CIPSHUT" not in r.sent[before:]
    r.vm.do_CIPSEND = refuse
    r.pump(3000)
    assert got(r) == b"AT+CIPSHUT\r"


@start_families
def test_module_that_tells_no_result_is_believed(family):
    r = rig(family, settings={"prompt": 2})
    s = r.socket(r.serve(Sink))
    said = r.vm.line
    r.vm.line = lambda text: None if b"ACCEPT" in bytes(str(text), "latin-1") else said(text)
    for _ in range(3):
        begin = r.clock.ms
        assert s.write(b"12345") == 5
        assert r.clock.ms - begin < 3000
    assert got(r) == b"12345" * 3


# Room


@pytest.mark.feature("room")
@start_families
@seeds
def test_room_of_every_connection(family, seed):
    r = rig(family, seed, tx_limit=2000)
    assert r.modem.status("room") == {}
    a = r.socket(r.serve(Stall, port=81))
    b = r.socket(r.serve(Sink, port=82))
    assert r.modem.status("room") == {0: 1460, 1: 1460}
    a.write(b"x" * 1000)
    b.write(b"x" * 1000)
    r.pump(500)
    assert r.modem.status("room") == {0: 1000, 1: 1460}


@pytest.mark.feature("room")
@pytest.mark.parametrize("family", CA)
@seeds
def test_room_of_every_send_buffer(family, seed):
    r = rig(family, seed, tx_limit=6000)
    assert r.modem.status("room") == {}
    a = r.socket(r.serve(Stall, port=81))
    r.socket(r.serve(Sink, port=82))
    assert r.modem.status("room") == {0: 6000, 1: 6000}
    a.write(b"x" * 1000)
    r.pump(500)
    assert r.modem.status("room") == {0: 5000, 1: 6000}


def test_room_of_a_single_connection():
    r = rig("sim7000", mux=False)
    assert r.modem.status("room") == {}
    r.socket(ECHO)
    assert r.modem.status("room") == {0: 1460}


@start_families
def test_question_without_an_answer(family):
    r = rig(family)
    r.socket(ECHO)
    r.vm.do_CIPSEND = lambda op, args: NO_FINAL
    with pytest.raises(OSError) as raised:
        r.modem.status("room")
    assert raised.value.errno == errno.ETIMEDOUT


# Fixed, as the families differ


@pytest.mark.feature("fixed")
@each_cip
def test_all_bytes_with_their_length(family):
    r = Rig(family=family)
    s = r.socket(ECHO)
    s.write(ALL * 5)
    assert s.read(1280) == ALL * 5
    assert {line.count(",") for line in sends(r)} == {1}


# The transcripts


class Variable:
    """Takes payload up to its last byte as the transcript has it."""

    def _play(self, line, answers, at):
        said = b"".join(each for each in answers if not isinstance(each, int))
        if not line.startswith(b"AT+CIPSEND=") or not said.rstrip(b" ").endswith(b">"):
            return super()._play(line, answers, at)
        payload, results = self.script.pop(at)

        def done(got):
            assert got == payload
            self.answer(results)

        return said, len(payload), done


@every("08")
def test_datagrams_without_a_length(transcript, chunk):
    class Told(Variable, Replay):
        pass

    module = Told(transcript.family, chunk)
    made = modem_open(module, transcript.family, apn=None)
    made.config(receive="push")
    made.connect("CMNET")
    zero = made.socket(2, 2)
    zero.settimeout(10)
    module.load(transcript, dropped=[b"AT+NETOPEN"])
    one = b'AT+CIPOPEN=1,"UDP",,,5000'
    assert module.script[0][0] == one
    module.say_to[b'AT+CIPOPEN=0,"UDP",,,4000'] = b"\r\n+CIPOPEN: 0,0\r\n\r\nOK\r\n"
    zero.bind(("", 4000))
    s = made.socket(2, 2)
    s.settimeout(10)
    s.bind(("", 5000))
    made.config(send="variable")
    s.sendto(b"HELLOSERVER", ("117.131.85.139", 5254))
    made.config(send="fixed")
    s.sendto(b"HELLO", ("117.131.85.139", 5254))
    assert s.recvfrom(100) == (b"HELLO CLIENT\r\n", ("117.131.85.139", 5254))
    s.close()
    module.finish()


@editions("14")
@pytest.mark.parametrize("chunk", CHUNKS)
def test_quick_send_without_a_length(transcript, chunk):
    module = Module()
    module.uart.chunk = chunk
    made = modem_start(module)
    sent = [value for kind, value in transcript.steps if kind == ">" and not value.startswith(b"AT")]
    answers = [value for kind, value in transcript.steps if kind == "<" and b"DATA ACCEPT" in value]
    assert sent == [b"1234567890\x1a"] and len(answers) == 1
    s = connected_start(made, "116.236.221.75", 5107)
    made.config(send="variable")
    module.say_to[b"AT+CIPSEND?"] = b"\r\n+CIPSEND: 0,1460\r\n\r\nOK\r\n"
    module.say_to[b"AT+CIPSEND=0"] = lambda line: (b"\r\n> ", 11, lambda payload: answers[0])
    assert s.write(b"1234567890") == 10
    assert module.payloads == sent
    assert b"AT+CIPSEND=0" in module.lines


def test_refusal_of_a_send_without_a_length():
    module = Module()
    made = modem_start(module)
    s = connected_start(made, "1.2.3.4", 80)
    made.config(send="variable")
    module.say_to[b"AT+CIPSEND"] = ERROR
    module.lines.clear()
    s.settimeout(0)
    s.write(b"AT+CFUN=0\rAT+CFUN=0\r")
    idle(made, 3000)
    assert module.payloads == [] and b"AT+CFUN=0" not in module.lines
