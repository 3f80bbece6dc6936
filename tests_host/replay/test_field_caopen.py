"""What logs of real modules of the CAOPEN dialect show: each is a file in `cases/`, replayed against the driver."""

import errno
import re
import time

from feed import ERROR, OK, info  # first: it puts the shim in place
import pytest
from feed_ca import CaModule, modem
from feed_open import connected, elapsed, idle, raises
import shim.clock
from target import pattern
from test_field_cases import case

GONE = (errno.ENOTCONN, errno.ECONNABORTED)


def answers(name):
    """What the module says, and its pauses in ms, of each exchange; without the echo of the command."""
    for command, said in case(name).exchanges():
        yield [each if isinstance(each, int) else each.replace(command + b"\r", b"") for each in said]


@pytest.mark.parametrize("order", ("result first", "ok first"))
def test_open_that_ends_after_75_seconds_with_no_memory(order):
    (_, ms), (late, result) = answers("caopen_no_memory")
    if order == "ok first":
        result = result.replace(OK, b"")
    module = CaModule()
    module.blocking = True
    made = modem(module)
    uart = module.uart

    def opening(line):
        uart.on_write = lambda data: None  # what comes meanwhile is lost

        def over():
            uart.on_write = module.receive
            uart.say(result)

        shim.clock.clock.after_ms(ms + late, over)
        return OK if order == "ok first" else b""

    module.say_to = {b'AT+CAOPEN=0,0,"TCP","slow': opening}
    start = time.ticks_ms()
    e = raises(errno.ETIMEDOUT, connected, made, "slow.example", 443, None)
    assert "+CAOPEN: 0,2" in str(e) and elapsed(start) < 80_000
    assert connected(made).write(b"x") == 1


def test_notice_and_close_behind_an_empty_answer():
    module = CaModule()
    made = modem(module)
    s = connected(made)
    first, empty, last, refusal = (b"".join(each) for each in answers("carecv_notice_behind_empty"))
    texts = [re.match(rb"\r\n\+CARECV: (\d+),", each) for each in (first, last)]
    texts = [each.string[each.end() :][: int(each[1])] for each in texts]
    assert texts == [b"*SET,55", b"15858"]
    module.arrive(0, texts[0])
    assert s.read(7) == texts[0]

    def read(line):
        if 0 not in module.taken:
            module.taken.add(0)
            module.open.discard(0)
            module.inbox[0] += texts[1]
            return empty
        return None if module.inbox[0] else refusal

    module.say_to = {b"AT+CARECV=0,": read}
    assert s.read() == texts[1]
    s.close()
    module.say_to.clear()
    assert made.flush() and connected(made).write(b"x") == 1


@pytest.mark.parametrize("tells", (True, False))
def test_payload_that_is_refused_although_there_is_room(tells):
    (prompt,), refusal, (counts,) = answers("casend_refused_unacknowledged")
    waits = int(re.search(rb"CAACK: \d+,(\d+)", counts)[1])
    module = CaModule()
    made = modem(module)
    s = connected(made, timeout=None)
    acked, refused = [0], []

    def acknowledge():
        acked[0] = min(acked[0] + 1460, len(module.outbox[0]))
        shim.clock.clock.after_ms(600, acknowledge)

    def send(line):
        fields = line.split(b",")
        left = len(module.outbox[0]) - acked[0]
        if len(fields) == 1:
            return info(b"+CASEND: %d" % (10_240 - left)) if tells else ERROR

        def done(payload):
            if left + len(payload) > waits:
                refused.append(left)
                return refusal[0]
            module.outbox[0] += payload
            return OK

        return prompt, int(fields[1]), done

    acknowledge()
    module.say_to = {
        b"AT+CASEND=0": send,
        b"AT+CAACK=0": lambda line: info(b"+CAACK: %d,%d" % (len(module.outbox[0]), len(module.outbox[0]) - acked[0])),
    }
    data = pattern(30_000)
    assert s.write(data) == len(data) and made.flush(60_000)
    assert bytes(module.outbox[0]) == data and refused


def test_open_that_is_answered_with_no_carrier():
    ((said,),) = answers("caopen_no_carrier")
    module = CaModule()
    made = modem(module)
    module.down()  # unheard
    module.say_to = {b"AT+CAOPEN=": lambda line: None if module.net else said}
    start = time.ticks_ms()
    raises(GONE, connected, made)
    assert elapsed(start) < 10_000 and not made.isconnected()
    made.connect("CMNET")
    assert connected(made).write(b"x") == 1


def test_context_that_the_network_refuses_behind_ok():
    (ok, ms, line), _, (result,) = answers("cnact_deactive")
    module = CaModule()
    made = modem(module, None)
    refuse = [True]

    def raising(command):
        if refuse and command.endswith(b"1"):
            module.uart.later(ms, line)
            return ok
        return None

    module.say_to = {b"AT+CNACT=0,": raising, b"AT+CAOPEN=": lambda line: None if module.net else result}
    start = time.ticks_ms()
    with pytest.raises(OSError):
        made.connect("CMNET", timeout_ms=60_000)
    assert elapsed(start) < 61_000 and not made.isconnected()
    raises(errno.ENOTCONN, connected, made)
    refuse.clear()
    made.connect("CMNET")
    s = connected(made)
    module.net = False  # unheard
    s.close()
    idle(made, 500)
    raises(GONE, connected, made)
    made.connect("CMNET")
    assert connected(made).write(b"x") == 1
