"""The AT channel: whose line is it, deadlines, payload behind the prompt, Ctrl-C."""

import errno
import time

import pytest
import shim
from feed import ERROR, OK, Module, ScriptedUart, counted, info

import simcom
from simcom.channel import Channel

KINDS = ("info", "text", "OK", "ERROR", "LOST")  # what a handler is told, by number
CHUNKS = [pytest.param(1, id="byte-by-byte"), pytest.param(7, id="by-seven"), pytest.param(0, id="whole")]


class Receives:
    """Notes that payload was whole."""

    def __init__(self, bench):
        self.channel = bench.channel
        self.log = bench.log

    def on_line(self, buf, i, j):
        return False

    def refusal(self):
        """Nothing is kept."""

    def on_trailer(self):
        self.log.append(("trailer",))


class Bench:
    """A channel between a scripted UART and an owner that knows some codes; `log` has what came up, in order.

    `urcs`: beginnings of the lines that the owner knows. The command's handler takes lines beginning with `awaited`,
    and as free text those beginning with `free`.
    """

    hooks: tuple = ()
    on_wait = None
    ticking = False

    def __init__(self, urcs=(b"+CIPRXGET: 1", b"+PDP", b"0, ", b"RING", b"+CMT:", b"OVER-"), chunk=0):
        shim.reset()
        self.uart = ScriptedUart()
        self.uart.chunk = chunk
        self.log: list = []
        self.urcs = tuple(urcs)
        self.awaited: "tuple | bytes" = b"+CSQ:"
        self.free: "tuple | bytes" = ()
        self.channel = Channel(self.uart, self)
        self.channel.receiver = Receives(self)

    # the owner

    def on_line(self, buf, i, j):
        line = bytes(buf[i:j])
        known = line.startswith(self.urcs)
        if known:
            self.log.append(("urc", line))
            if line.startswith(b"+CMT:"):
                self.channel.parser.text = True
        return known

    def take(self, buf, i, n):
        data = bytes(buf[i : i + n])
        if self.log[-1][0] == "data":
            self.log[-1] = ("data", self.log[-1][1] + data)
        else:
            self.log.append(("data", data))

    def late(self):
        if self.channel.parser.need or self.channel.parser.tail:
            self.channel.on_end(False)
        else:
            self.channel.lost(False)

    def handler(self, kind, buf, i, j):
        line = bytes(buf[i:j])
        name = KINDS[kind]
        if name == "info" and not line.startswith(self.awaited):
            return False
        if name == "text" and not line.startswith(self.free):
            return False
        self.log.append((name, line) if name != "LOST" else (name,))
        if name == "info" and counted(line):
            n, trailer = counted(line)
            self.channel.parser.expect(n, self.take, trailer)
        return True

    # the test

    def start(self, cmd=b"AT+CSQ", ms=5000, own=False, payload=None):
        self.channel.start(cmd + b"\r", len(cmd) + 1, self.handler, ms, own, payload, len(payload or b""))

    def run(self, ms=100):
        """Poll as a pump does for so long."""
        end = shim.clock.clock.now_us + ms * 1000
        while shim.clock.clock.now_us < end:
            if not self.channel.poll():
                self.channel.wait(max(0, min(20, (end - shim.clock.clock.now_us) / 1000)))
        return self.log

    def ask(self, reply, cmd=b"AT+CSQ", **how):
        """A command, its whole reply, the log."""
        self.start(cmd, **how)
        self.uart.say(reply)
        return self.run(300)


@pytest.fixture
def bench():
    return Bench()


# Where a URC can stand

URCS = [
    pytest.param([b"+CIPRXGET: 1,0"], id="one"),
    pytest.param([b"0, CLOSED", b"RING", b"+PDP: DEACT", b"0, CLOSED"], id="several-in-a-row"),
]


def framed(lines):
    return b"".join(b"\r\n" + line + b"\r\n" for line in lines)


def urcs_of(lines):
    return [("urc", line) for line in lines]


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("urcs", URCS)
@pytest.mark.parametrize("echo", [b"", b"AT+CSQ\r"])
class TestUrcInsideAnAnswer:
    ANSWER = [("info", b"+CSQ: 20,0"), ("OK", b"OK")]

    def ask(self, chunk, reply):
        bench = Bench(chunk=chunk)
        log = bench.ask(reply)
        assert not bench.channel.busy and not bench.channel.strays
        return log

    def test_urc_before_the_echo(self, chunk, urcs, echo):
        log = self.ask(chunk, framed(urcs) + echo + info(b"+CSQ: 20,0"))
        assert log == urcs_of(urcs) + self.ANSWER

    def test_urc_between_echo_and_reply(self, chunk, urcs, echo):
        log = self.ask(chunk, echo + framed(urcs) + info(b"+CSQ: 20,0"))
        assert log == urcs_of(urcs) + self.ANSWER

    def test_urc_between_information_and_ok(self, chunk, urcs, echo):
        log = self.ask(chunk, echo + b"\r\n+CSQ: 20,0\r\n" + framed(urcs) + OK)
        assert log == [self.ANSWER[0], *urcs_of(urcs), self.ANSWER[1]]

    def test_urc_right_behind_ok(self, chunk, urcs, echo):
        log = self.ask(chunk, echo + info(b"+CSQ: 20,0") + framed(urcs))
        assert log == self.ANSWER + urcs_of(urcs)

    def test_urc_before_the_prompt(self, chunk, urcs, echo):
        bench = Bench(chunk=chunk)
        bench.start(b"AT+CIPSEND=0,5", payload=b"hello")
        bench.uart.say(framed(urcs))
        bench.run()
        assert bench.uart.sent == b"AT+CIPSEND=0,5\r"
        bench.uart.say(b"\r\n> ")
        assert bench.run() == urcs_of(urcs)
        assert bench.uart.sent == b"AT+CIPSEND=0,5\rhello"

    def test_urc_between_payload_and_result(self, chunk, urcs, echo):
        bench = Bench(chunk=chunk)
        bench.free = b"DATA ACCEPT"
        bench.start(b"AT+CIPSEND=0,5", own=True, payload=b"hello")
        bench.uart.say(echo + b"\r\n> ")
        bench.run()
        bench.uart.say(framed(urcs) + b"\r\nDATA ACCEPT:0,5\r\n")
        assert bench.run() == [*urcs_of(urcs), ("text", b"DATA ACCEPT:0,5")]
        assert not bench.channel.busy

    def test_urc_between_received_payload_and_ok(self, chunk, urcs, echo):
        bench = Bench(chunk=chunk)
        bench.awaited = b"+CIPRXGET: 2"
        log = bench.ask(echo + b"\r\n+CIPRXGET: 2,0,5,0\r\nhello" + framed(urcs) + OK, b"AT+CIPRXGET=2,0,5")
        assert log == [("info", b"+CIPRXGET: 2,0,5,0"), ("data", b"hello"), *urcs_of(urcs), ("trailer",)]
        assert not bench.channel.busy


# The order of decision


def test_final_result_goes_before_awaited_information_and_urcs():
    bench = Bench(urcs=(b"OK", b"ERROR"))
    bench.awaited = bench.free = (b"OK", b"ERROR")
    assert bench.ask(OK) == [("OK", b"OK")]
    bench.log.clear()
    assert bench.ask(ERROR) == [("ERROR", b"ERROR")]


def test_awaited_information_goes_before_urcs():
    bench = Bench(urcs=(b"+CREG:",))
    bench.awaited = b"+CREG:"
    assert bench.ask(info(b"+CREG: 0,1")) == [("info", b"+CREG: 0,1"), ("OK", b"OK")]


def test_urc_goes_before_free_text():
    bench = Bench(urcs=(b"RING",))
    bench.awaited = ()
    bench.free = (b"RING", b"10.")
    log = bench.ask(b"\r\nRING\r\n\r\n10.1.2.3\r\n", b"AT+CIFSR", own=True)
    assert log == [("urc", b"RING"), ("text", b"10.1.2.3")]


def test_line_that_nobody_knows_is_counted(bench):
    bench.ask(b"\r\nwhat is this\r\n" + OK)
    assert bench.log == [("OK", b"OK")]
    assert bench.channel.strays == 1


def test_same_line_is_a_urc_when_no_command_awaits_it():
    bench = Bench(urcs=(b"+CREG:",))
    bench.awaited = b"+CREG:"
    bench.uart.say(b"\r\n+CREG: 5\r\n")
    bench.run()
    bench.start(b"AT+CREG?")
    bench.uart.say(info(b"+CREG: 0,5"))
    bench.run()
    bench.uart.say(b"\r\n+CREG: 1\r\n")
    assert bench.run() == [("urc", b"+CREG: 5"), ("info", b"+CREG: 0,5"), ("OK", b"OK"), ("urc", b"+CREG: 1")]


def test_final_result_without_a_command_is_a_stray(bench):
    bench.uart.say(OK + ERROR + b"\r\n+CME ERROR: 3\r\n")
    assert bench.run() == []
    assert bench.channel.strays == 3


@pytest.mark.parametrize("line", [b"ERROR", b"+CME ERROR: 3", b"+CME ERROR: SIM not inserted", b"+CMS ERROR: 500"])
def test_every_form_of_error_ends_the_command(bench, line):
    assert bench.ask(b"\r\n" + line + b"\r\n") == [("ERROR", line)]
    assert not bench.channel.busy


@pytest.mark.parametrize(
    "line", [b"OKAY", b"OK 1", b"ERRORS", b"NO ERROR", b"+CIPERROR: 4", b"0, SEND OK", b"CLOSE OK"]
)
def test_line_that_only_resembles_a_final_result_does_not_end_the_command(line):
    bench = Bench(urcs=())
    bench.ask(b"\r\n" + line + b"\r\n")
    assert bench.log == [] and bench.channel.busy and bench.channel.strays == 1


def test_command_with_a_result_of_its_own_is_not_ended_by_ok():
    bench = Bench()
    bench.awaited = b"+CDNSGIP:"
    log = bench.ask(OK + framed([b"RING"]) + b'\r\n+CDNSGIP: 1,"a","1.2.3.4"\r\n', b'AT+CDNSGIP="a"', own=True)
    assert log == [("urc", b"RING"), ("info", b'+CDNSGIP: 1,"a","1.2.3.4"')]
    assert not bench.channel.busy


def test_command_with_a_result_of_its_own_is_ended_by_error():
    bench = Bench()
    assert bench.ask(ERROR, b"AT+CIFSR", own=True) == [("ERROR", b"ERROR")]
    assert not bench.channel.busy


def test_text_of_an_sms_is_never_matched():
    for text in (b"OK", b"ERROR", b"0, CLOSED", b"+CSQ: 1,1", b"+PDP: DEACT", b"RING", b"AT+CSQ", b"+CMT: x"):
        bench = Bench()
        log = bench.ask(b'\r\n+CMT: "+49123",,"24/01/01"\r\n' + text + b"\r\n" + info(b"+CSQ: 20,0"))
        assert log == [("urc", b'+CMT: "+49123",,"24/01/01"'), ("info", b"+CSQ: 20,0"), ("OK", b"OK")], text
        assert not bench.channel.strays and not bench.channel.echoed


def test_echo_is_noticed_and_is_no_stray(bench):
    assert bench.ask(b"AT+CSQ\r" + info(b"+CSQ: 20,0")) == [("info", b"+CSQ: 20,0"), ("OK", b"OK")]
    assert bench.channel.echoed and not bench.channel.strays


def test_echo_that_comes_during_the_next_command_is_not_its_text():
    bench = Bench()
    bench.awaited = ()
    bench.free = b""  # everything
    bench.ask(OK, b"AT+CIPSTATUS=1")
    bench.start(b"AT+CIFSR", own=True)
    bench.uart.say(b"AT+CIPSTATUS=1\rAT+CIFSR\r\r\n10.1.2.3\r\n")
    assert bench.run() == [("OK", b"OK"), ("text", b"10.1.2.3")]


def test_echo_in_front_of_the_prompt(bench):
    bench.start(b"AT+CIPSEND=0,3", payload=b"abc")
    bench.uart.say(b"AT+CIPSEND=0,3\r\r\n> ")
    bench.run()
    assert bench.uart.sent.endswith(b"\rabc")


# Deadlines


def test_deadline_ends_the_command_as_lost(bench):
    bench.start(ms=5000)
    bench.run(4900)
    assert bench.log == [] and bench.channel.busy
    bench.run(200)
    assert bench.log == [("LOST",)]
    assert not bench.channel.busy and bench.channel.desync


def test_deadline_holds_across_the_wrap_of_the_ticks(bench):
    shim.clock.clock.advance(9_990_000)  # ten milliseconds before
    bench.start(ms=300)
    bench.run(290)
    assert bench.log == []
    bench.run(40)
    assert bench.log == [("LOST",)]


def test_lines_do_not_move_the_deadline(bench):
    bench.start(ms=1000)
    for ms in range(100, 2000, 100):
        bench.uart.later(ms, framed([b"RING"]))
    bench.run(1100)
    assert ("LOST",) in bench.log


def test_answer_after_the_deadline_belongs_to_nobody(bench):
    bench.start(ms=100)
    bench.run(200)
    bench.uart.say(info(b"+CSQ: 20,0"))
    assert bench.run() == [("LOST",)]


def test_payload_that_stops_coming_is_lost_after_a_second(bench):
    bench.awaited = b"+CIPRXGET: 2"
    bench.start(b"AT+CIPRXGET=2,0,50", ms=10000)
    bench.uart.say(b"\r\n+CIPRXGET: 2,0,50,0\r\n" + b"x" * 20)
    bench.run(800)
    assert ("LOST",) not in bench.log
    bench.run(500)
    assert bench.log[-1] == ("LOST",) and bench.channel.desync
    assert b"".join(item[1] for item in bench.log if item[0] == "data") == b"x" * 20


def test_slow_payload_is_not_lost(bench):
    bench.awaited = b"+CIPRXGET: 2"
    bench.start(b"AT+CIPRXGET=2,0,20", ms=10000)
    bench.uart.say(b"\r\n+CIPRXGET: 2,0,20,0\r\n")
    for k in range(20):
        bench.uart.later(500 * (k + 1), b"%c" % (65 + k))
    bench.uart.later(10500, OK)
    bench.run(11000)
    assert bench.log[1:] == [("data", bytes(range(65, 85))), ("trailer",)]


def test_after_lost_bytes_lines_mean_nothing(bench):
    bench.awaited = b"+CIPRXGET: 2"
    bench.start(b"AT+CIPRXGET=2,0,5")
    bench.uart.say(b"\r\n+CIPRXGET: 2,0,5,0\r\nheloxx\r\n0, CLOSED\r\n+PDP: DEACT\r\n")  # may be payload
    bench.run()
    assert ("LOST",) in bench.log and ("trailer",) not in bench.log
    assert [item for item in bench.log if item[0] == "urc"] == []


# Payload behind the prompt

PAYLOAD = bytes(k * 7 % 256 for k in range(1024))


def send(bench, payload, ms=10000):
    """A send up to the prompt."""
    bench.free = b"DATA ACCEPT"
    bench.start(b"AT+CIPSEND=0,%d" % len(payload), ms, own=True, payload=payload)
    bench.uart.sent.clear()
    bench.uart.say(b"\r\n> ")


def test_payload_goes_out_once_after_the_prompt(bench):
    send(bench, PAYLOAD)
    bench.run()
    assert bench.uart.sent == PAYLOAD
    bench.uart.say(b" \r\nDATA ACCEPT:0,1024\r\n")
    assert bench.run() == [("text", b"DATA ACCEPT:0,1024")]
    assert bench.uart.sent == PAYLOAD


def test_payload_goes_out_in_slices_as_long_as_the_uart_has_room(bench, monkeypatch):
    send(bench, PAYLOAD)
    lengths = []
    write = bench.uart.write

    def noted(buf, off, n):
        lengths.append(n)
        return write(buf, off, n)

    monkeypatch.setattr(bench.uart, "write", noted)
    bench.channel.poll()
    assert bench.uart.sent == PAYLOAD
    assert max(lengths) <= 256


@pytest.mark.parametrize(
    "plan",
    [
        [1] * 1024,
        [3, None, 0, 5, None, None, 64, 1] * 100,
        [None] * 50,
        [None, 63] * 30,
    ],
    ids=["one-each", "mixed", "full-for-a-while", "every-other"],
)
def test_payload_survives_a_uart_that_takes_less(bench, plan):
    send(bench, PAYLOAD)
    bench.uart.write_plan = list(plan)
    bench.run(3000)
    assert bench.uart.sent == PAYLOAD


def test_command_survives_a_uart_that_takes_less(bench):
    bench.uart.write_plan = [1, None, 2, 0, 3]
    assert bench.ask(info(b"+CSQ: 20,0")) == [("info", b"+CSQ: 20,0"), ("OK", b"OK")]
    assert bench.uart.sent == b"AT+CSQ\r"


def test_uart_that_blocks_holds_nobody_longer_than_a_burst(bench):
    send(bench, PAYLOAD)
    bench.uart.slow_us = 87.0  # 115200 baud
    longest = 0
    while bench.uart.sent != PAYLOAD:
        start = shim.clock.clock.now_us
        bench.channel.poll()
        longest = max(longest, shim.clock.clock.now_us - start)
        bench.channel.wait(1)
    assert longest <= 12_000


def test_answer_is_awaited_from_the_last_byte_of_payload():
    bench = Bench()
    bench.uart.slow_us = 8700.0  # 1200 baud
    send(bench, PAYLOAD, ms=2000)
    bench.run(10_000)
    assert bench.uart.sent == PAYLOAD and ("LOST",) not in bench.log
    bench.uart.say(b"\r\nDATA ACCEPT:0,1024\r\n")
    assert bench.run() == [("text", b"DATA ACCEPT:0,1024")]


def test_uart_that_takes_nothing_any_more_ends_in_a_time_out(bench):
    send(bench, PAYLOAD, ms=2000)
    bench.uart.write_plan = [100] + [None] * 100_000
    bench.run(2500)
    assert bench.log == [("LOST",)] and bench.channel.desync


@pytest.mark.parametrize(
    "refusal", [ERROR, b"\r\n+CME ERROR: 3\r\n", b"\r\n+PDP: DEACT\r\n" + ERROR, b"\r\n0, CLOSED\r\n" + ERROR]
)
def test_payload_is_not_sent_without_a_prompt(bench, refusal):
    bench.start(b"AT+CIPSEND=0,5", payload=b"hello")
    bench.uart.say(refusal)
    bench.run(1000)
    assert bench.uart.sent == b"AT+CIPSEND=0,5\r"
    assert bench.log[-1][0] == "ERROR" and not bench.channel.busy and bench.channel.owed == 5


def test_refusal_whose_time_ends_between_two_looks_at_the_clock(bench, monkeypatch):
    bench.start()
    bench.uart.say(ERROR)
    bench.channel.poll()
    now = [time.ticks_ms()]

    def later():
        now[0] += 30
        return now[0]

    monkeypatch.setattr("simcom.channel.ticks_ms", later)
    for _ in range(4):
        bench.channel.poll()
    assert bench.log == [("ERROR", b"ERROR")]


def test_prompt_behind_a_refusal_is_answered(bench):
    bench.start(b"AT+CIPSEND=0,5", payload=b"hello")
    bench.uart.say(ERROR + ERROR)  # another command's
    bench.run(200)
    assert bench.log == [] and bench.channel.busy
    bench.uart.say(b"\r\n> ")
    bench.run()
    assert bench.uart.sent == b"AT+CIPSEND=0,5\rhello"
    bench.uart.say(OK)
    assert bench.run() == [("OK", b"OK")]
    assert bench.channel.owed == 0


def test_prompt_is_not_awaited_when_the_refusal_has_a_known_reason(bench):
    bench.start(b"AT+CIPSEND=0,5", payload=b"hello")
    bench.channel.sent = -2
    bench.uart.say(ERROR)
    bench.run(100)
    assert bench.log[-1] == ("ERROR", b"ERROR")


def test_of_two_answers_the_last_is_ours(bench):
    bench.start()
    bench.uart.say(ERROR + ERROR)
    bench.run(30)
    assert bench.channel.busy
    bench.uart.say(OK)
    assert bench.run() == [("OK", b"OK")]
    bench.start()
    bench.uart.say(ERROR)
    assert bench.run(100)[-1] == ("ERROR", b"ERROR")


def test_payload_is_not_sent_to_a_prompt_that_comes_too_late(bench):
    bench.start(b"AT+CIPSEND=0,5", ms=1000, payload=b"hello")
    bench.run(1100)
    bench.uart.say(b"\r\n> ")
    bench.run(300)
    assert bench.log == [("LOST",)] and bench.channel.stray and bench.channel.owed == 5
    assert bench.uart.sent == b"AT+CIPSEND=0,5\r\x1b"  # an end of what has no length, filler in what has one


def test_greater_than_in_an_answer_is_not_taken_for_a_prompt(bench):
    bench.start()
    bench.uart.say(b"\r\n> \r\n" + OK)
    assert bench.run() == [("OK", b"OK")]


# Through a modem


def modem(up=True, module=None):
    """A modem on a scripted module."""
    shim.reset()
    module = module or Module()
    made = simcom.SIM7000(module.uart)
    made.active(True)
    if up:
        made.connect("internet")
    module.lines.clear()
    return made, module


def connected(made, host="1.2.3.4", timeout=60):
    s = made.socket()
    s.settimeout(timeout)
    s.connect((host, 80))
    return s


def idle(made, ms):
    """A program that only pumps."""
    end = shim.clock.clock.now_us + ms * 1000
    while shim.clock.clock.now_us < end:
        made.wait(100)


def test_time_out_names_the_command():
    made, module = modem(up=False)
    module.say_to[b"AT+COPS"] = b""
    with pytest.raises(OSError) as caught:
        made.at("+COPS=?", timeout_ms=3000)
    assert caught.value.args[0] == errno.ETIMEDOUT
    assert "AT+COPS=?" in str(caught.value)


def test_refusal_names_command_and_result_line():
    made, module = modem(up=False)
    module.say_to[b"AT+CPIN?"] = b"\r\n+CME ERROR: 10\r\n"
    with pytest.raises(simcom.ATError) as caught:
        made.at("+CPIN?")
    assert caught.value.args[0] == errno.ENODEV
    assert (caught.value.cmd, caught.value.line) == ("AT+CPIN?", "+CME ERROR: 10")


def test_after_a_time_out_answers_fit_commands_again():
    made, module = modem(up=False)
    module.say_to[b"AT+CCLK?"] = lambda line: module.uart.later(1200, info(b'+CCLK: "24/01/01"')) or b""
    with pytest.raises(OSError):
        made.at("+CCLK?", timeout_ms=1000)
    assert made.at("+CSQ") == ["+CSQ: 20,0"]
    assert made.at("+GSN") == []


def test_sms_text_does_not_reach_a_command_or_a_link():
    made, module = modem()
    s = connected(made)
    module.say_to[b"AT+CSQ"] = b'\r\n+CMT: "+49123",,"24/01/01"\r\nERROR\r\n\r\n+CMT: "x"\r\n0, CLOSED\r\n' + info(
        b"+CSQ: 9,0"
    )
    assert made.at("+CSQ") == ["+CSQ: 9,0"]
    s.write(b"still open")
    assert module.payloads == [b"still open"]


@pytest.mark.parametrize(
    "urc",
    [b'+CUSD: 0,"Balance 12.50",15', b'+CLIP: "+49.123",145', b'+CRING: "1.2.3.4"', b'+CGEV: ME PDN ACT "a.b.c.d"'],
)
def test_unsolicited_code_with_dots_is_not_taken_for_the_address(urc):
    made, module = modem(up=False)
    module.say_to[b"AT+CIFSR"] = b"\r\n" + urc + b"\r\n\r\n10.1.2.3\r\n"
    made.connect("internet")
    assert made.ifconfig()[0] == "10.1.2.3"
    assert len(module.sent(b"AT+CIFSR")) == 1


def test_urc_callback_runs_with_the_channel_idle():
    made, module = modem(up=False)
    seen = []
    made.on_urc("+CUSD:", lambda line: seen.append((line, made.channel.busy)))
    module.say_to[b"AT+CSQ"] = b'\r\n+CUSD: 1,"hi"\r\n' + info(b"+CSQ: 9,0")
    made.at("+CSQ")
    idle(made, 100)
    assert seen == [('+CUSD: 1,"hi"', False)]


def prompt_after(module, ms):
    """The module asks for 200 bytes of payload so late."""

    def late(line):
        module.missing, module._done = 200, lambda payload: b"\r\nDATA ACCEPT:0,200\r\n"
        module.uart.later(ms, b"\r\n> ")
        return b""

    module.say_to[b"AT+CIPSEND"] = late


def test_prompt_that_comes_late_gets_its_payload():
    made, module = modem()
    s = connected(made)
    prompt_after(module, 11_000)
    assert s.write(b"x" * 200) == 200
    assert b"AT+CIPSEND=0,200\r" + b"x" * 200 in module.uart.sent
    del module.say_to[b"AT+CIPSEND"]
    assert made.at("+CSQ") == ["+CSQ: 20,0"]


def test_prompt_that_comes_too_late_does_not_leave_the_module_in_payload_input():
    made, module = modem()
    s = connected(made)
    prompt_after(module, 61_000)
    with pytest.raises(OSError):
        s.write(b"at" * 100)
    del module.say_to[b"AT+CIPSEND"]
    idle(made, 60_000)
    assert module.missing == 0
    assert made.at("+CSQ") == ["+CSQ: 20,0"]


# Ctrl-C

SIZE = 200
SENT = bytes(k % 251 for k in range(SIZE))


def interrupted_write(at, goes_out, plan=()):
    """A write of SENT that Ctrl-C interrupts inside uart.write, when so much of the payload is out."""
    made, module = modem()
    s = connected(made)

    def prompt(line):
        module.uart.break_write = (len(module.uart.sent) + at, goes_out)
        module.uart.write_plan = list(plan)
        return None

    module.say_to[b"AT+CIPSEND=0,%d" % SIZE] = prompt
    with pytest.raises(KeyboardInterrupt):
        s.write(SENT)
    del module.say_to[b"AT+CIPSEND=0,%d" % SIZE]
    return made, module, s


@pytest.mark.parametrize("plan", [(), (7, None, 20) * 100], ids=["whole", "short"])
@pytest.mark.parametrize("goes_out", [False, True])
def test_ctrl_c_inside_write_never_leaves_the_module_in_payload_input(goes_out, plan):
    for at in range(SIZE):
        made, module, s = interrupted_write(at, goes_out, plan)
        assert module.missing < SIZE, at  # the rest went out before Ctrl-C reached the program
        if goes_out and not plan:
            assert module.missing == 0 and module.payloads == [SENT], at
        idle(made, 30_000)
        assert module.missing == 0, at
        assert len(module.payloads[0]) == SIZE
        assert made.at("+CSQ") == ["+CSQ: 20,0"], at
        other = connected(made)
        other.write(b"works")
        assert module.payloads[-1] == b"works", at


@pytest.mark.parametrize("goes_out", [False, True])
def test_link_damaged_by_ctrl_c_is_closed_and_fails(goes_out):
    for at in range(SIZE):
        made, module, s = interrupted_write(at, goes_out)
        idle(made, 30_000)
        if module.payloads[0] == SENT:
            s.write(b"more")
            assert module.payloads == [SENT, b"more"], at
        else:
            assert module.sent(b"AT+CIPCLOSE=0"), at
            with pytest.raises(OSError) as caught:
                s.write(b"more")
            assert caught.value.args[0] == errno.EIO, (at, caught.value)
            assert len(module.payloads) == 1, at


def test_ctrl_c_inside_readinto_loses_no_byte_silently():
    data = bytes(range(8, 256, 2))
    for at in range(1000):
        made, module = modem()
        s = connected(made, timeout=120)
        module.arrive(0, data)
        start = module.uart.taken
        module.uart.break_read = start + at
        module.uart.chunk = 50
        got, failed, interrupts = b"", None, 0
        while len(got) < len(data) and not failed:
            try:
                got += s.recv(len(data))
            except KeyboardInterrupt:
                interrupts += 1
            except OSError as e:
                failed = e
        if not interrupts:  # the bytes of an undisturbed run are through
            break
        assert data.startswith(got), at
        assert not failed or failed.args[0] == errno.EIO, (at, failed)
        idle(made, 30_000)
        assert made.at("+CSQ") == ["+CSQ: 20,0"], at
    assert len(data) < at < 999


def test_ctrl_c_inside_a_command_leaves_a_modem_that_works():
    for out in (False, True):
        for at in range(len(b"AT+CSQ\r")):
            made, module = modem(up=False)
            module.uart.break_write = (len(module.uart.sent) + at, out)
            with pytest.raises(KeyboardInterrupt):
                made.at("+CSQ")
            idle(made, 30_000)
            assert made.at("+CSQ") == ["+CSQ: 20,0"], at
            assert made.active(), at


def test_one_poll_makes_few_small_reads_and_the_next_goes_on_at_once(bench):
    channel, takes = bench.channel, []
    channel.any = lambda: min(1, len(bench.uart.rx))  # as some ports tell: something is there
    channel.parser.expect(300, lambda buf, i, n: takes.append(bytes(buf[i : i + n])))
    data = bytes(range(150)) * 2
    bench.uart.rx += data + b"\r\nOK\r\n"
    shim.clock.clock.advance(30_000)  # nobody has called
    begin = shim.clock.clock.now_us
    while not bench.log:
        before = len(takes)
        assert channel.poll()
        assert len(takes) - before <= 17
    assert bench.log == [("trailer",)] and b"".join(takes) == data
    assert shim.clock.clock.now_us - begin < 20_000


def test_header_behind_a_pause_begins_the_patience_with_its_payload_anew(bench):
    channel = bench.channel
    bench.awaited = b"+CIPRXGET: 2"
    bench.start(b"AT+CIPRXGET=2,0,30", own=2)
    shim.clock.clock.advance(50_000)  # it thinks
    bench.uart.rx += b"\r\n+CIPRXGET: 2,0,30,0\r\n"
    channel.poll()
    bench.uart.rx += b"123456789"
    channel.poll()
    assert len(bench.uart.rx) == 9, "a handful is not worth a read"
