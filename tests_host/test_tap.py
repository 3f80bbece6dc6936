"""The tap: everything passes through, and is recorded in the format of the transcripts."""

import select

import pytest
import shim
from feed import Module, ScriptedUart
from transcript import parse

import simcom


@pytest.fixture
def uart():
    shim.reset()
    return ScriptedUart()


@pytest.fixture
def record():
    return []


@pytest.fixture
def tap(uart, record):
    return simcom.Tap(uart, record.append)


def steps(record):
    """The record as a transcript is read: its time taken off."""
    return list(parse("\n".join(line.split(None, 1)[1] for line in record)))


def test_bytes_pass_in_both_directions(uart, tap):
    uart.say(b"\r\nOK\r\n")
    assert tap.any() == 6
    buf = bytearray(10)
    assert tap.readinto(buf, 4) == 4 and buf[:4] == b"\r\nOK"
    assert tap.readinto(buf) == 2 and buf[:2] == b"\r\n"
    assert tap.readinto(buf) is None
    assert tap.write(b"AT\r") == 3
    assert tap.write(b"ATE0\rxx", 5) == 5
    assert tap.write(b"xxATI\r", 2, 4) == 4
    assert uart.sent == b"AT\rATE0\rATI\r"


def test_settings_reach_the_uart(uart, tap):
    tap.init(baudrate=9600, rxbuf=2048)
    assert uart.settings == {"baudrate": 9600, "rxbuf": 2048}


def test_record_is_a_transcript(uart, tap, record):
    tap.write(b"AT+CIPSEND=0,4\r")
    uart.say(b"\r\n> ")
    tap.readinto(bytearray(50))
    tap.write(b"\x00\\\xff\n")
    uart.say(b"\r\nDATA ACCEPT:0,4\r\n")
    tap.readinto(bytearray(50))
    tap.write(b"AT\r")
    assert steps(record) == [
        (">", b"AT+CIPSEND=0,4\r"),
        ("<", b"\r\n> "),
        (">", b"\x00\\\xff\n"),
        ("<", b"\r\nDATA ACCEPT:0,4\r\n"),
        (">", b"AT\r"),
    ]


def test_every_byte_value_is_recorded_readably(uart, tap, record):
    data = bytes(range(256)) + b"\n"
    uart.say(data)
    tap.readinto(bytearray(300))
    tap.write(b"AT\r")
    assert all(32 <= ord(c) < 127 for line in record for c in line)
    assert b"".join(value for kind, value in steps(record) if kind == "<") == data


def test_blank_at_an_end_is_written_as_the_format_says(uart, tap, record):
    uart.say(b"\r\n> ")
    tap.readinto(bytearray(50))
    tap.write(b" x\r")
    texts = [line.split(None, 1)[1][2:] for line in record]
    assert texts == ["\\r\\n>\\x20", "\\x20x\\r"] or texts == ["\\r\\n", ">\\x20", "\\x20x\\r"]


def test_line_that_arrives_in_pieces_is_one_line(uart, tap, record):
    for piece in (b"\r", b"\n+C", b"SQ: 2", b"0,0\r", b"\n"):
        uart.say(piece)
        tap.readinto(bytearray(50))
    text = b"".join(value for _, value in steps(record))
    assert text == b"\r\n+CSQ: 20,0\r\n"
    assert [line for line in record if "+CSQ: 20,0\\r\\n" in line]


def test_what_the_uart_did_not_take_is_not_recorded(uart, tap, record):
    uart.write_plan = [None, 2, 0]
    assert tap.write(b"AT\r") is None
    assert tap.write(b"AT\r") == 2
    assert not tap.write(b"\r")
    assert tap.write(b"\r") == 1
    assert steps(record) == [(">", b"AT\r")]


def test_time_in_front_is_in_milliseconds(uart, tap, record):
    tap.write(b"AT\r")
    shim.clock.clock.sleep_ms(1500)
    tap.write(b"ATI\r")
    first, second = (int(line.split()[0]) for line in record)
    assert 1500 <= second - first <= 1510


def test_long_payload_is_recorded_in_pieces_and_whole(uart, tap, record):
    data = bytes(32 + k % 90 for k in range(1460))
    for at in range(0, 1460, 64):
        tap.write(data, at, min(64, 1460 - at))
    uart.say(b"\r\nOK\r\n")
    tap.readinto(bytearray(20))
    assert b"".join(value for kind, value in steps(record) if kind == ">") == data
    assert max(len(line) for line in record) < 1000


def test_poll_sees_through_it(uart, tap):
    poll = select.poll()
    poll.register(tap, select.POLLIN)
    assert list(poll.ipoll(0)) == []
    uart.say(b"x")
    assert [event for _, event in poll.ipoll(0)] == [select.POLLIN]
    assert tap.ioctl(4, 0) < 0  # no request that it does not know is answered with 0


def test_modem_works_behind_it_and_its_session_is_recorded():
    shim.reset()
    module, record = Module(), []
    made = simcom.SIM7000(simcom.Tap(module.uart, record.append))
    made.active(True)
    made.connect("internet")
    s = made.socket()
    s.settimeout(30)
    s.connect(("1.2.3.4", 80))
    s.write(b"payload > 4")
    module.arrive(0, b"answer")
    assert s.read(6) == b"answer"
    made.at("+CSQ")
    sent = b"".join(value for kind, value in steps(record) if kind == ">")
    assert sent == module.uart.sent
    assert b'AT+CSTT="internet"\r' in sent and b"\rpayload > 4" in sent
    assert b"nswer\r\nOK\r\n" in b"".join(value for kind, value in steps(record) if kind == "<")


def test_default_output_is_print(uart, capsys):
    simcom.Tap(uart).write(b"AT\r")
    assert capsys.readouterr().out.split() == ["0", ">", "AT\\r"]
