"""The driver in transparent mode against a scripted module that answers as the transcripts do, byte for byte."""

import errno

from families import CA, OPEN, START
import pytest
import shim
from feed import CHUNKS, OK, Module, those, unasked
from feed_ca import CaModule
from feed_open import OpenModule
from transcript import field

import simcom


class Replay:
    """What stands between a module and its UART: plays the exchanges of a transcript, data mode included.

    `missed`: bytes of data mode that nobody awaited.
    """

    def __init__(self, family, chunk):
        self.module = OpenModule(family) if family in OPEN else CaModule() if family in CA else Module()
        self.module.uart.chunk = chunk
        self.module.uart.on_write = self.receive
        self._usual = self.module._answer
        self.module._answer = self.reply
        self.family = family
        self.steps: list = []  # [command or data, answers, pauses in ms]
        self.data = False
        self.missed = b""
        self._last_us = 0.0

    def load(self, transcript, *, first=b"", dropped=()):
        """Take the exchanges that begin with `first`, without the `dropped` ones."""
        entries = transcript.exchanges()
        while first and not entries[0][0].startswith(first):
            del entries[0]
        self.steps = [entry for entry in entries if not entry[0].startswith(tuple(dropped) or b"-")]

    def finish(self):
        """Whether all was asked, and every byte awaited."""
        assert self.steps == [] and self.missed == b""

    def receive(self, data):
        """Bytes from the host."""
        if not self.data:
            self.module.receive(data)
            return
        silence = shim.clock.clock.now_us - self._last_us
        self._last_us = shim.clock.clock.now_us
        self.missed += data
        line, answers = self.steps[0] if self.steps else (b"+++", [1000, OK])
        if self.missed == line:
            assert line != b"+++" or silence >= 1e6
            self.missed = b""
            del self.steps[:1]
            self.play(answers)

    def reply(self, line):
        """The answer to a command line."""
        if not self.steps or line.replace(b'"', b"") != self.steps[0][0].replace(b'"', b""):
            return self._usual(line)
        if line == b"AT+NETOPEN":
            self.module.net = True
        self.play(self.steps.pop(0)[1])
        return b""

    def play(self, answers):
        """Send them, with their pauses."""
        ms = 2
        for each in answers:
            if isinstance(each, int):
                ms += each
                continue
            self.module.uart.later(ms, each)
            for end, data in ((b"\r\nOK\r\n", False), (b"\r\nCLOSED\r\n", False), (b"\r\nCONNECT", True)):
                if each.startswith(end):
                    shim.clock.clock.after_ms(ms + 0.001, lambda data=data: setattr(self, "data", data))
            ms += 5


def replaying(family, chunk):
    """A replay, and a modem on it whose context is up."""
    replay = Replay(family, chunk)
    shim.reset()
    made = getattr(simcom, family.upper())(replay.module.uart)
    made.connect("CMNET")
    return replay, made


def closed(made, t):
    t.close()
    assert made.isconnected() and made.at("+CSQ") == ["+CSQ: 20,0"]


@those("06", *START)
def test_client(transcript, chunk):
    replay, made = replaying(transcript.family, chunk)
    replay.load(transcript, dropped=[b"AT+CGATT?"])
    t = made.transparent(("116.228.221.51", 8500))
    t.settimeout(10)
    t.write(b"some data bytes")
    t.escape()
    t.resume()
    assert replay.steps == []
    text = b"SIM800 channel test" if transcript.family == "sim800" else b"SIM7000 channel test"
    assert t.read(len(text)) == text
    if transcript.family != "sim800":  # that document stops before
        assert t.read() == b""
    assert replay.missed == b""
    closed(made, t)


@those("07", *START)
def test_codes_that_waited_for_command_mode(transcript, chunk):
    replay, made = replaying(transcript.family, chunk)
    codes = []
    made.on_urc("+CMTI", codes.append)
    made.on_urc("RING", codes.append)
    replay.load(transcript)
    replay.steps.insert(0, (b'AT+CIPSTART="TCP","1.2.3.4",80', [OK, 300, b"\r\nCONNECT\r\n"]))
    t = made.transparent(("1.2.3.4", 80))
    t.escape()
    assert made.at("+CSQ") == ["+CSQ: 20,0"]
    assert codes == (["RING"] if transcript.family == "sim800" else []) + ['+CMTI: "SM",10']
    assert replay.steps == []
    t.setblocking(False)
    assert t.read(1) is None
    t.setblocking(True)
    closed(made, t)


@those("07", *OPEN)
def test_client_of_the_other_dialect(transcript, chunk):
    replay, made = replaying(transcript.family, chunk)
    replay.load(transcript)
    t = made.transparent(("117.131.85.139", 5253))
    t.settimeout(10)
    t.write(b"data to server")
    assert t.read(32) == b"DATA FROM SERVER" * 2
    t.escape()
    links = made.at("+CIPOPEN?")
    assert links[:2] == ['+CIPOPEN: 0,"TCP","117.131.85.139",5253,-1', "+CIPOPEN: 1"] and len(links) == made.LINKS
    t.resume()
    assert t.read(12) == b"HELLO CLIENT"
    closed(made, t)
    replay.finish()


@those("10", *OPEN)
def test_datagrams(transcript, chunk):
    replay, made = replaying(transcript.family, chunk)
    replay.load(transcript)
    assert replay.steps[-1][0] == b'AT+CIPOPEN=0,"UDP","117.131.85.139",5254,5000'
    replay.steps[-1] = (b"ATO", replay.steps[-1][1])  # what the driver comes back with in both dialects
    t = made.transparent(("117.131.85.139", 5254), udp=True, local_port=5000)
    t.settimeout(10)
    t.write(b"data to server")
    assert t.read(24) == b"HELLO CLIENT" * 2
    t.escape()
    assert made.at("+CIPOPEN?")[0] == '+CIPOPEN: 0,"UDP","117.131.85.139",5254,-1'
    t.resume()
    replay.finish()
    closed(made, t)


@those("11", *OPEN)
def test_server(transcript, chunk):
    replay, made = replaying(transcript.family, chunk)
    replay.load(transcript)
    t = made.transparent_server(8080, timeout_ms=10_000)
    assert t.peer == ("192.168.108.5", 57202)
    closed(made, t)
    replay.finish()


@those("t10", *OPEN)
def test_mode_is_a_setting(transcript, chunk):
    replay, made = replaying(transcript.family, chunk)
    replay.load(transcript)
    assert made.at("+CIPMODE=?") == ["+CIPMODE: (0-1)"] and made.at("+CIPMODE?") == ["+CIPMODE: 0"]
    replay.module.connect_error["1.2.3.4"] = 1
    with pytest.raises(OSError) as raised:
        made.transparent(("1.2.3.4", 80))
    assert raised.value.errno == errno.ECONNABORTED  # +CIPOPEN: 0,1, as outside of transparent mode
    assert unasked(made, "+CIPMODE") == []
    assert replay.steps == []


@pytest.mark.parametrize("chunk", CHUNKS)
def test_session_of_a_real_module(chunk):
    replay, made = replaying("a76xx", chunk)
    replay.load(field("a76xx_12_direct_push_sim7600"), first=b"AT+NETCLOSE")
    t = made.transparent(("211.149.158.237", 8011))
    t.escape()
    t.resume()
    replay.finish()
    closed(made, t)


@those("26", "sim70x0")
def test_client_of_the_third_dialect(transcript, chunk):
    replay, made = replaying("sim7080", chunk)
    replay.load(transcript)
    t = made.transparent(("192.0.2.10", 7))
    replay.module.open.add(0)  # it is asked more often than in the transcript
    t.settimeout(10)
    t.write(b"hello")
    assert t.read(5) == b"hello"
    t.escape()
    assert made.at("+CASTATE?") == ["+CASTATE: 0,1"]
    t.resume()
    closed(made, t)
    replay.finish()
