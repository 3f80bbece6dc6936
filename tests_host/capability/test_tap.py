"""The tap: everything passes through, and is recorded in the format of the transcripts."""

from feed import Module, ScriptedUart  # first: it puts the shim in place
import pytest
from rig import Rig
import select
import shim
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


def test_rate_is_told_as_the_uart_tells_it(uart, tap):
    assert str(tap) == str(uart)
    rig = Rig(on=False, baud=460800)
    modem = simcom.SIM7000(simcom.Tap(rig.uart, len), pwrkey=rig.pwrkey, baudrate=460800)
    modem.active(True)
    assert modem.channel.rate == 460800 // 10 * 64 // 1000


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
    assert sent == module.uart.sent.replace(b'AT+CSTT="internet"', b'AT+CSTT="********"')
    assert b"\rpayload > 4" in sent
    assert b"nswer\r\nOK\r\n" in b"".join(value for kind, value in steps(record) if kind == "<")


def test_default_output_is_print(uart, capsys):
    simcom.Tap(uart).write(b"AT\r")
    assert capsys.readouterr().out.split() == ["0", ">", "AT\\r"]


def shown(record, direction):
    return b"".join(value for kind, value in steps(record) if kind == direction)


SECRETS = (
    (b'AT+CPIN="1234"\r', b'AT+CPIN="****"\r'),
    (b"at+cpin=1234\r", b"at+cpin=****\r"),
    (b'AT+CPIN="12345678","4321"\r', b'AT+CPIN="********","****"\r'),
    (b'AT+CLCK="SC",1,"1234"\r', b'AT+CLCK="**",1,"****"\r'),
    (b'AT+CPWD="SC","1234","5678"\r', b'AT+CPWD="**","****","****"\r'),
    (b'AT+CSTT="apn","me","a;b,c"\r', b'AT+CSTT="***","**","*****"\r'),
    (b'AT+CSQ;+CGAUTH=1,1,"key","me"\r', b'AT+CSQ;+CGAUTH=1,1,"***","**"\r'),
    (b'AT+CSOCKAUTH=1,1,"key","me"\r', b'AT+CSOCKAUTH=1,1,"***","**"\r'),
    (b'AT+CNCFG=0,1,"apn","me","key",3\r', b'AT+CNCFG=0,1,"***","**","***",3\r'),
    (b'AT+CPIN = "7391"\r', b'AT+CPIN = "****"\r'),
    (b'AT+SAPBR=3,1,"PWD","key"\r', b'AT+SAPBR=3,1,"***","***"\r'),
    (b'AT+CGDCONT=1,"IP","apn"\r', b'AT+CGDCONT=1,"IP","apn"\r'),
    (b'AT+CIPSTART=0,"TCP","host",80\r', b'AT+CIPSTART=0,"TCP","host",80\r'),
    (b"AT+CPIN?\r", b"AT+CPIN?\r"),
)


@pytest.mark.parametrize("size", (1, 3, 100))
@pytest.mark.parametrize("line, masked", SECRETS)
def test_secrets_are_masked_in_both_directions_however_they_are_cut(uart, tap, record, line, masked, size):
    for at in range(0, len(line), size):
        tap.write(line[at : at + size])
    for at in range(0, len(line), size):  # echo
        uart.say(line[at : at + size])
        tap.readinto(bytearray(50))
    tap.write(b"AT\r")
    assert shown(record, ">") == masked + b"AT\r"
    assert shown(record, "<") == masked
    assert b"".join(uart.sent.splitlines(True)) == line + b"AT\r"


@pytest.mark.parametrize("size", (1, 4, 100))
def test_text_of_an_sms_is_masked_with_its_echo(uart, tap, record, size):
    def say(data):
        for at in range(0, len(data), size):
            uart.say(data[at : at + size])
            tap.readinto(bytearray(100))

    tap.write(b'AT+CMGS="+15550100"\r')
    say(b'AT+CMGS="+15550100"\r\r\n> ')
    text = b'the "code\nis 4711\x1a'
    for at in range(0, len(text), size):
        tap.write(text[at : at + size])
        say(text[at : at + size])
    say(b"\r\n+CMGS: 7\r\n\r\nOK\r\n")
    tap.write(b'AT+CPIN="1234"\r')
    say(b"\r\nOK\r\n")
    tap.write(b"AT\r")
    assert shown(record, ">") == b'AT+CMGS="+15550100"\r*********\n*******\x1aAT+CPIN="****"\rAT\r'
    assert b"4711" not in shown(record, "<")
    assert shown(record, "<").endswith(b"\r\n+CMGS: 7\r\n\r\nOK\r\n\r\nOK\r\n")


def test_command_behind_a_refused_sms_is_shown(uart, tap, record):
    tap.write(b'AT+CMGS="+15550100"\r')
    uart.say(b"\r\n+CMS ERROR: 310\r\n")
    tap.readinto(bytearray(50))
    tap.write(b"AT+CSQ\r")
    assert shown(record, ">") == b'AT+CMGS="+15550100"\rAT+CSQ\r'


def test_texts_of_sms_that_are_read_are_masked(uart, tap, record):
    uart.say(
        b'\r\n+CMGL: 1,"REC READ","+15550100","","x"\r\nfirst\nsecond\r\n\r\n+CMGL: 2,"REC READ","+15550100"\r\n'
        b"third\r\n\r\nOK\r\n\r\n+CSQ: 20,0\r\n\r\nOK\r\n"
    )
    tap.readinto(bytearray(300))
    uart.say(b'\r\n+CMT: "+15550100","","x"\r\nRING me\r\n\r\nRING\r\n')
    tap.readinto(bytearray(300))
    tap.write(b"AT\r")
    assert shown(record, "<") == (
        b'\r\n+CMGL: 1,"REC READ","+15550100","","x"\r\n*****\n******\r\n\r\n+CMGL: 2,"REC READ","+15550100"\r\n'
        b"*****\r\n\r\nOK\r\n\r\n+CSQ: 20,0\r\n\r\nOK\r\n"
        b'\r\n+CMT: "+15550100","","x"\r\n*******\r\n\r\nRING\r\n'
    )
