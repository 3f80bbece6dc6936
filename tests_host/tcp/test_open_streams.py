"""Sending and receiving on links of the CIPOPEN families: every form of the answers, other lines at every place."""

import errno
import time

import pytest
import shim
from feed import CHUNKS, ERROR, OK, info
from feed_open import FAMILIES, GONE, OpenModule, block, connected, elapsed, idle, lands, modem, raises, refused

up_with = pytest.mark.parametrize("family", FAMILIES)

# Variants of CIPSEND


@up_with
@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("prompt", [b"\r\n>", b"\r\n> ", b">", b"> "])
def test_prompt_with_and_without_its_blank(prompt, chunk, family):
    module = OpenModule(family)
    made = modem(module, family)
    module.uart.chunk = chunk
    module.prompt = prompt
    s = connected(made)
    for payload in (b"one", b"> two", b"\r\n>three", bytes(range(256)) * 6):
        assert s.write(payload) == len(payload)
    assert made.flush()
    assert module.outbox[0] == b"one> two\r\n>three" + bytes(range(256)) * 6
    assert max(len(each) for each in module.payloads) <= 1500


@pytest.mark.parametrize("chunk", CHUNKS)
def test_all_confirmed(chunk):
    module = OpenModule()
    made = modem(module)
    module.uart.chunk = chunk
    s = connected(made)
    data = bytes(range(256)) * 20
    assert s.write(data) == len(data)
    assert made.flush()
    assert module.outbox[0] == data


@pytest.mark.parametrize("form", [b"+CIPSEND: 0,%d,%d", b"+CIPSEND:0,%d,%d", b"+CIPSEND: 0, %d, %d"])
def test_result_of_cipsend_with_other_blanks(form):
    module = OpenModule()
    made = modem(module)
    s = connected(made)

    def confirm(n, requested):
        module.line(form % (requested, requested), 10)

    module.confirm = confirm
    start = time.ticks_ms()
    assert s.write(b"x" * 4000) == 4000
    assert made.flush()
    assert elapsed(start) < 3000


def test_fewer_confirmed_than_sent_ends_the_link():
    module = OpenModule()
    made = modem(module)
    s = connected(made)
    other = connected(made)
    module.confirm = lambda n, requested: requested - 3 if n == 0 else requested
    raises(errno.ECONNABORTED, lands, made, s, b"0123456789")
    assert module.outbox[0] == b"0123456"  # and nothing behind the gap
    idle(made, 3000)
    assert b"AT+CIPCLOSE=0" in module.lines
    assert other.write(b"x") == 1


def test_link_found_broken_by_a_send():
    module = OpenModule()
    made = modem(module)
    s = connected(made)
    module.confirm = lambda n, requested: -1
    raises(errno.ECONNRESET, lands, made, s, b"0123456789")
    idle(made, 3000)
    module.confirm = lambda n, requested: requested
    assert connected(made).write(b"x") == 1


@pytest.mark.parametrize("size", [10, 4000])
def test_buffer_of_the_module_full_once(size):
    module = OpenModule()
    made = modem(module)
    s = connected(made)
    answers = [0]
    module.confirm = lambda n, requested: answers.pop() if answers else requested
    data = (bytes(range(256)) * 16)[:size]
    assert s.write(data) == size
    assert made.flush()
    assert module.outbox[0] == data


def test_buffer_of_the_module_full_for_good():
    module = OpenModule()
    made = modem(module)
    s = connected(made)
    module.confirm = lambda n, requested: 0
    start = time.ticks_ms()
    s.settimeout(None)
    raises(errno.ECONNABORTED, s.write, b"0123456789")
    assert elapsed(start) < 150_000
    assert module.outbox[0] == b""


@pytest.mark.parametrize("refusal", [refused(b"+CIPERROR: 4"), ERROR], ids=["ciperror", "error"])
def test_send_refused_because_the_link_is_gone(refusal):
    module = OpenModule()
    made = modem(module)
    s = connected(made)
    other = connected(made)
    module.open.discard(0)  # its +IPCLOSE was lost
    module.say_to[b"AT+CIPSEND=0,"] = refusal
    start = time.ticks_ms()
    raises((errno.ENOTCONN, errno.ECONNRESET), lands, made, s, b"AT+CPOF\rAT+CPOF\r")
    assert elapsed(start) < 10_000
    assert module.payloads == [] and b"AT+CPOF" not in module.lines  # nothing without a prompt
    assert made.isconnected() and other.write(b"x") == 1


@pytest.mark.parametrize("refusal", [refused(b"+CIPERROR: 8"), ERROR], ids=["busy", "error"])
def test_send_refused_once_is_tried_again(refusal):
    module = OpenModule()
    made = modem(module)
    s = connected(made)
    answers = [refusal]
    module.say_to[b"AT+CIPSEND=0,"] = lambda line: answers.pop() if answers else None
    assert s.write(b"AT+CPOF\rAT+CPOF\r") == 16
    assert made.flush()
    assert module.outbox[0] == b"AT+CPOF\rAT+CPOF\r" and b"AT+CPOF" not in module.lines


def test_lines_between_the_command_and_the_prompt():
    module = OpenModule()
    made = modem(module)
    s = connected(made)
    other = connected(made)
    module.inbox[1] += b"meanwhile"
    between = b"\r\n+CIPRXGET: 1,1\r\n\r\n+CGEV: ME PDN ACT 1\r\n\r\n+CIPSEND: 5,1,1\r\n"

    def sends(line):
        prompt, n, done = module.usual(line)
        return between + prompt, n, done

    module.say_to[b"AT+CIPSEND=0,"] = sends
    assert s.write(b"payload") == 7
    assert other.read(9) == b"meanwhile"
    assert module.outbox[0] == b"payload"


def test_next_send_on_a_link_waits_for_the_result_and_others_do_not():
    module = OpenModule()
    made = modem(module)
    slow = connected(made)
    fast = connected(made)
    module.confirm = lambda n, requested: requested if n else None
    slow.setblocking(False)
    slow.write(b"first")
    idle(made, 500)
    slow.write(b"second")
    start = time.ticks_ms()
    assert fast.write(b"y" * 6000) == 6000
    assert elapsed(start) < 3000
    assert len(module.sent(b"AT+CIPSEND=0,")) == 1
    module.line(b"+CIPSEND: 0,5,5")
    module.confirm = lambda n, requested: requested
    idle(made, 1000)
    assert [each for each in module.payloads if each[:1] != b"y"] == [b"first", b"second"]


def test_flush_and_close_wait_for_the_result():
    module = OpenModule()
    made = modem(module)
    module.send_ms = 3000
    s = connected(made)
    start = time.ticks_ms()
    assert s.write(b"12345") == 5
    assert made.flush()
    assert elapsed(start) >= 3000
    start = time.ticks_ms()
    s.write(b"67890")
    s.close()
    assert 3000 <= elapsed(start) < 10_000
    assert module.outbox[0] == b"1234567890" and module.open == set()
    s = connected(made)
    module.confirm = lambda n, requested: None
    s.settimeout(0)
    s.write(b"never")
    assert not made.flush(2000)


def test_result_of_cipsend_that_is_lost_costs_a_delay():
    module = OpenModule()
    made = modem(module)
    s = connected(made, timeout=None)
    lost = []

    def confirm(n, requested):
        if not lost:
            lost.append(requested)
            module.outbox[n] += module.payloads[-1]
            return None
        return requested

    module.confirm = confirm
    start = time.ticks_ms()
    try:
        assert s.write(b"a" * 3000) == 3000
        assert module.outbox[0] == b"a" * 3000
    except OSError as e:
        assert e.args[0] in (errno.ETIMEDOUT, errno.EIO, errno.ECONNABORTED)
    assert elapsed(start) < 200_000


def test_peer_closes_between_payload_and_result():
    module = OpenModule()
    made = modem(module)
    s = connected(made)
    module.inbox[0] += b"bye"

    def confirm(n, requested):
        module.open.discard(n)
        module.line(b"+IPCLOSE: 0,1", 5)
        return -1

    module.confirm = confirm
    try:
        s.write(b"request")
    except OSError as e:
        assert e.args[0] == errno.ECONNRESET
    idle(made, 1000)
    assert s.read(3) == b"bye"
    raises(errno.ECONNRESET, s.write, b"x")


@up_with
def test_late_result_of_a_closed_connection_is_not_the_next_ones(family):
    module = OpenModule(family)
    made = modem(module, family)
    s = connected(made)

    def confirm(n, requested):
        module.open.discard(n)
        module.line(b"+IPCLOSE: %d,1" % n, 5)
        return None

    before = module.confirm
    module.confirm = confirm
    assert s.write(b"request") == 7
    assert s.read() == b""
    s.close()
    module.confirm = lambda n, requested: module.line(b"+CIPSEND: 0,7,-1", 5) or before(n, requested)
    s = connected(made)
    assert s.write(b"REQUEST") == s.write(b"another") == 7
    s.close()
    module.confirm = before
    assert connected(made)._link.n == 0, "its result has come"


# Variants of reading


NOTHING = {
    "text": refused(b"+IP ERROR: No data"),
    "number": refused(b"+IP ERROR: 22"),
    "no-blank": refused(b"+IP ERROR:22"),
}


@up_with
@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("answer", NOTHING.values(), ids=NOTHING.keys())
def test_no_data_is_no_error(answer, chunk, family):
    module = OpenModule(family)
    made = modem(module, family)
    module.uart.chunk = chunk
    s = connected(made)
    module.say_to[b"AT+CIPRXGET=2,0,"] = lambda line: None if module.inbox[0] else answer
    for data in (b"first", b"second"):
        module.line(b"+CIPRXGET: 1,0")  # a notice of nothing
        idle(made, 100)
        s.settimeout(0)
        assert s.read(1) is None
        raises(errno.EAGAIN, s.recv, 1)
        s.settimeout(1)
        raises(errno.ETIMEDOUT, s.recv, 1)
        shim.clock.clock.after_ms(200, lambda data=data: module.arrive(0, data))
        assert s.read(len(data)) == data
    assert s.write(b"x") == 1


@pytest.mark.parametrize("form", [b"+CIPRXGET: 2,0,%d,%d", b"+CIPRXGET:2,0,%d,%d", b"+CIPRXGET: 2, 0, %d, %d"])
@pytest.mark.parametrize("trailer", [OK, b"\r\n" + OK], ids=["short", "long"])
@pytest.mark.parametrize("chunk", CHUNKS)
def test_header_and_trailer_of_a_segment(chunk, trailer, form):
    module = OpenModule()
    made = modem(module)
    module.uart.chunk = chunk
    s = connected(made)
    data = b"\r\nOK\r\n\r\n+IPCLOSE: 0,1\r\n> " + bytes(range(256)) * 20

    def segment(line):
        most = int(line.split(b",")[2])
        got = bytes(module.inbox[0][:most])
        del module.inbox[0][:most]
        if not got:
            return module.ip_error(22)
        return b"\r\n" + form % (len(got), len(module.inbox[0])) + b"\r\n" + got + trailer

    module.say_to[b"AT+CIPRXGET=2,0,"] = segment
    module.arrive(0, data)
    assert s.read(len(data)) == data
    assert max(int(line.split(b",")[2]) for line in module.sent(b"AT+CIPRXGET=2,0,")) <= 1500


def test_bytes_that_waited_and_are_refused_are_not_the_end_of_the_stream():
    module = OpenModule()
    made = modem(module)
    s = connected(made)
    module.inbox[0] += bytes(3000)
    module.line(b"+CIPRXGET: 1,0")

    def segment(line):
        if len(module.inbox[0]) < 2000:
            return module.ip_error(22)
        return None

    module.say_to[b"AT+CIPRXGET=2,0,"] = segment
    got = bytearray()

    def use():
        while True:
            part = s.recv(3000)
            assert part, "end of the stream although bytes were missing"
            got.extend(part)

    raises(errno.ECONNRESET, use)
    assert 0 < len(got) < 3000


def test_bytes_that_a_module_drops_when_the_peer_closes_are_not_the_end_of_the_stream():
    module = OpenModule()
    made = modem(module)
    s = connected(made)

    def segment(line):
        if len(module.inbox[0]) > 2000:
            return None
        if module.inbox[0]:
            module.inbox[0].clear()
            module.open.discard(0)
            module.line(b"+IPCLOSE: 0,1")
        return module.ip_error(22)

    module.say_to[b"AT+CIPRXGET=2,0,"] = segment
    module.arrive(0, bytes(3000))
    raises(errno.ECONNRESET, s.read)


def test_notice_of_data_that_is_lost_costs_a_delay():
    module = OpenModule()
    made = modem(module)
    s = connected(made)
    module.inbox[0] += b"silent"
    start = time.ticks_ms()
    assert s.read(6) == b"silent"
    assert elapsed(start) < 30_000


# Lines between


FLOOD = b"".join(b"\r\n+CGEV: %s\r\n" % each for each in (b"NW PDN DEACT 1", b"ME DETACH", b"EPS PDN ACT 1")) * 40


@up_with
def test_flood_of_packet_domain_events(family):
    module = OpenModule(family)
    made = modem(module, family, apn=None)
    ordinary = module.usual

    def flooded(line):
        answer = ordinary(line)
        if isinstance(answer, tuple):
            return FLOOD + answer[0], answer[1], lambda payload: FLOOD + answer[2](payload)
        module.uart.later(10, FLOOD)
        return FLOOD + answer

    module.usual = flooded
    made.connect("CMNET")
    s = connected(made)
    assert s.write(b"x" * 2000) == 2000
    module.arrive(0, b"y" * 2000)
    assert s.read(2000) == b"y" * 2000
    s.close()
    made.disconnect()
    assert module.outbox[0] == b"x" * 2000 and module.open == set()


LINES = [
    b"+CIPOPEN: 1,0",
    b"+CIPOPEN: 7,10",
    b"+CIPSEND: 7,5,5",
    b"+CIPSEND: 7,5,-1",
    b"+CIPCLOSE: 7,0",
    b"+CIPCLOSE: 7,4",
    b"+IPCLOSE: 7,1",
    b"+IPCLOSE: 9,2",
    b"CLOSED",
    b"+CIPRXGET: 1,1",
    b"+CIPRXGET: 1,7",
    b"+CGEV: NW PDN DEACT 1",
    b"+CGEV: EPS PDN ACT 1",
    b"PB DONE",
    b"+CPIN: READY",
    b"+CEREG: 5",
    b'+CEREG: 1,"3F29","055A7B07",9',
    b"+CESQ: 99,99,255,255,31,70",
    b"+CTZV: +8,0",
    b'+CMTI: "SM",10',
    b"RING",
    b"+CLIENT: 7,0,192.0.2.1:57202",
]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.decode())
def test_line_of_something_else_at_every_place(line):
    module = OpenModule()
    made = modem(module)
    s = connected(made)
    other = connected(made)
    between = b"\r\n" + line + b"\r\n"
    ordinary = module.usual

    def with_lines(cmd):
        answer = ordinary(cmd)
        if isinstance(answer, tuple):
            prompt, n, done = answer
            return between + prompt, n, lambda payload: between + done(payload) + between
        if cmd.startswith(b"AT+CIPRXGET=2,") and answer.endswith(OK) and answer != OK:
            return between + answer[: -len(OK)] + between + OK + between
        return between + answer + between

    module.usual = with_lines
    assert s.write(b"x" * 2500) == 2500
    module.arrive(0, bytes(range(256)) * 10)
    assert s.read(2560) == bytes(range(256)) * 10
    assert s.write(b"y") == 1
    idle(made, 25_000)  # the link is asked how it is
    assert made.at("+CSQ") == ["+CSQ: 20,0"]
    third = connected(made)
    assert third.write(b"z") == 1
    third.close()
    assert module.outbox[0] == b"x" * 2500 + b"y" and module.outbox[2] == b"z"
    assert made.isconnected() and other.write(b"still") == 5


def test_results_that_come_inside_another_commands_answer():
    # Of link 1: connected, sent, closed by the peer; each inside a read of link 0, before its header, before its OK.
    for before in (True, False):
        module = OpenModule()
        made = modem(module)
        s = connected(made)
        module.connect_error["late.example"] = None
        module.confirm = lambda n, requested: None if n else requested
        other = made.socket()
        other.setblocking(False)
        raises(errno.EINPROGRESS, other.connect, ("late.example", 80))
        idle(made, 200)
        inside = []

        def segment(line, module=module, inside=inside, before=before):
            answer = module.usual(line)
            if inside and answer.startswith(b"\r\n+CIPRXGET: 2,0,"):
                text = b"\r\n" + inside.pop(0) + b"\r\n"
                answer = text + answer if before else answer[: -len(OK)] + text + OK
            return answer

        module.say_to[b"AT+CIPRXGET=2,0,"] = segment
        module.arrive(0, b"x")
        assert s.read(1) == b"x"
        inside.append(b"+CIPOPEN: 1,0")
        module.open.add(1)
        module.arrive(0, b"12")
        assert s.read(2) == b"12"
        other.settimeout(10)
        other.setblocking(False)
        assert other.write(b"hello") == 5
        idle(made, 200)
        assert module.payloads[-1] == b"hello"
        inside.append(b"+CIPSEND: 1,5,5")
        module.arrive(0, b"34")
        assert s.read(2) == b"34"
        other.write(b"again")
        idle(made, 200)
        assert module.payloads[-1] == b"again", "the result of the first send was not seen"
        module.open.discard(1)
        inside.append(b"+IPCLOSE: 1,1")
        module.arrive(0, b"56")
        assert s.read(2) == b"56"
        idle(made, 500)
        assert other.read(1) == b""


def test_late_close_of_one_link_inside_the_send_of_another():
    module = OpenModule()
    made = modem(module)
    a = connected(made)
    b = connected(made)
    a.setblocking(False)
    module.close_ms = 100_000
    a.close()
    idle(made, 200)
    assert b"AT+CIPCLOSE=0" in module.lines

    def sends(line):
        prompt, n, done = module.usual(line)
        return prompt, n, lambda payload: b"\r\nCLOSED\r\n\r\n+CIPCLOSE: 0,0\r\n" + done(payload)

    module.say_to[b"AT+CIPSEND=1,"] = sends
    assert b.write(b"x" * 10) == 10
    idle(made, 500)
    c = connected(made)
    assert c.write(b"y") == 1 and module.outbox[0] == b"y"  # its number was given back
    assert module.outbox[1] == b"x" * 10


@pytest.mark.parametrize("digits", [5, 10])
def test_state_of_links_of_a_module_with_another_number_of_them(digits):
    module = OpenModule()
    made = modem(module)
    module.say_to[b"AT+CIPCLOSE?"] = lambda line: info(
        b"+CIPCLOSE: " + b",".join(b"%d" % (n in module.open) for n in range(digits))
    )
    module.say_to[b"AT+CIPOPEN?"] = lambda line: block(
        *[b'+CIPOPEN: %d,"TCP","1.2.3.4",80,1' % n if n in module.open else b"+CIPOPEN: %d" % n for n in range(digits)]
    )
    s = connected(made)
    idle(made, 60_000)
    s.settimeout(0)
    assert s.read(1) is None
    s.settimeout(5)
    assert s.write(b"x") == 1


@pytest.mark.parametrize("line", [b"*ATREADY: 1", b"RDY"])
def test_restart_in_mid_session(line):
    module = OpenModule()
    made = modem(module)
    sockets = [connected(made), connected(made)]
    module.net = False
    module.open.clear()
    module.numbers = False
    module.line(line)
    idle(made, 100)
    for s in sockets:
        start = time.ticks_ms()
        raises(GONE, s.read, 1)
        assert elapsed(start) < 1000
    made.connect("CMNET")
    assert module.numbers  # its settings were made again
    assert connected(made).write(b"x") == 1


def test_power_down_by_command():
    module = OpenModule()
    made = modem(module)
    made.active(False)
    assert b"AT+CPOF" in module.lines
    assert not made.active() and not made.isconnected()
