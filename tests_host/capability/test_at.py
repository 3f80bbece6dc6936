"""Any command by at(): what the module answers is returned, all of it, and nothing else is harmed."""

import errno

from rig import ECHO, Rig  # first: it puts the shim in place
from families import OPEN, START
import pytest
from sim import Sink
from test_status import FAMILIES, each_family

import simcom

each_open = pytest.mark.parametrize("family", OPEN)
each_start = pytest.mark.parametrize("family", START)

# Lines that begin like unsolicited codes, or are some.
LINES = ["Call me at five", "RING me", "RING", "OVER", "CHARGE 20", "NO CASH", "NORMAL price", "SMS credit 1.65", "RDY"]
LINES += ["UNDER", "DST: x", "VOICE", "+CREG: 1", "+CMTI: now", "0, CLOSED", "CLOSED", "+PDP: DEACT", "+CIPRXGET: 1,0"]
LINES += [
    "+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY",
    "+IPCLOSE: 0,1",
    "NORMAL POWER DOWN",
    "SMS Ready",
    "*ATREADY: 1",
    ">",
]
LINES += ["> quoted", "AT+CSQ", "+CMT: x", "  indented", "STATE: fine", "+CFUN: 1", "NO CARRIER", "$GNRMC,1", "ERRORS"]


def harmless(rig, s):
    """The socket that was open goes on, and the module takes commands."""
    s.write(b"hello")
    assert s.read(5) == b"hello"
    assert rig.modem.isconnected()
    assert ["+CSQ: 20,0"] in [rig.modem.at("+CSQ") for _ in range(2)]  # some modules spoil an answer, but not twice


def with_messages(family, *bodies, seed=None, **settings):
    rig = Rig(seed, family=family, **settings)
    s = rig.socket(ECHO)
    rig.modem.at("+CMGF=1")
    for body in bodies:
        rig.vm.store_sms(body)
    rig.pump(100)
    return rig, s


# --- answers


@each_family
@pytest.mark.parametrize("lines", [LINES, *([line] for line in LINES)], ids=lambda lines: lines[0] + str(len(lines)))
def test_lines_of_a_message_are_returned_as_they_are(family, lines):
    rig, s = with_messages(family, "\r\n".join(["first", *lines, "bye"]).encode())
    got = rig.modem.at("+CMGR=1")
    assert got == ['+CMGR: "REC UNREAD","+15550100","","25/04/10,18:45:46+48"', "first", *lines, "bye"]
    rig.pump(2000)
    harmless(rig, s)


@each_family
@pytest.mark.parametrize("seed", (None, 1, 2))
def test_list_of_messages_is_whole(family, seed):
    rig, s = with_messages(family, b"RING\r\nRDY", b"Call Ready\r\n0, CLOSED", seed=seed)
    got = rig.modem.at('+CMGL="ALL"')
    assert [line for line in got if not line.startswith("+CMGL")] == ["RING", "RDY", "Call Ready", "0, CLOSED"]
    rig.pump(2000)
    harmless(rig, s)


@each_family
def test_message_in_pdu_mode(family):
    rig, s = with_messages(family, b"\r\nOK\r\nRDY")
    rig.modem.at("+CMGF=0")
    assert rig.modem.at("+CMGR=1") == [
        "+CMGR: 0,,25",
        "05915155001004089151551000000052400181546484090DC573D950488959",
    ]
    harmless(rig, s)


@each_family
def test_codes_behind_a_message_are_no_part_of_it(family):
    rig, s = with_messages(family, b"hello")
    heard = []
    rig.modem.on_urc("+CMTI:", heard.append)
    for text in ("RING", '+CMTI: "SM",9', "+CREG: 1"):
        rig.vm.inject("before_ok", text)
    assert rig.modem.at("+CMGR=1")[1:] == ["hello"]
    rig.pump(100)
    assert heard == ['+CMTI: "SM",9']
    harmless(rig, s)


UNSOLICITED = ['*ISIMAID: "A0000000000000000000000000000000"', "DST: 1", "*REJCAUSE: 2,3", "+CSCON: 1", "+STIN: 25"]
UNSOLICITED += ["RING", "+CREG: 2", "+UGNSINF: 1,1", "+FOOBAR: 7", "^MODE: 17,4", "$GNRMC,052014.00,A", "QCRDY"]


@each_family
@pytest.mark.parametrize("text", UNSOLICITED)
@pytest.mark.parametrize("position", ("before_info", "before_ok"))
def test_code_is_no_part_of_an_answer(family, text, position):
    rig = Rig(family=family)
    rig.vm.inject(position, text)
    assert rig.modem.at("+CSQ") == ["+CSQ: 20,0"]
    rig.vm.inject(position, text)
    assert rig.modem.at("+CSQ;+CGATT?") == ["+CSQ: 20,0", "+CGATT: 1"]


@each_family
@pytest.mark.parametrize("text", UNSOLICITED[:7])
def test_identity_is_found_among_codes(family, text):
    rig = Rig(family=family)
    for position in ("before_info", "before_ok"):
        for what, cmd in (("imsi", "CIMI"), ("imei", "GSN")):
            rig.vm.inject(position, text)
            assert rig.modem.config(what) == rig.vm.identity[cmd]
            rig.vm.inject(position, text)
            assert rig.modem.at("+" + cmd) == [rig.vm.identity[cmd]]


@each_family
def test_registration_is_told_from_its_code(family):
    rig = Rig(family=family)
    rig.vm.inject("before_info", "+CREG: 5")
    rig.vm.inject("before_ok", '+CREG: 1,"1A2B","01C3D4E5",7')
    assert rig.modem.at("+CREG?") == ["+CREG: 0,1"]
    rig.vm.inject("before_ok", "+CREG: 5")
    rig.modem.at("+CREG=2")
    assert rig.modem.at("+CREG?") == ["+CREG: 2,1" + rig.vm.cell]


@each_family
@pytest.mark.parametrize("count", (1, 7, 14, 40, 100))
@pytest.mark.parametrize("rate", (115200, 921600))
def test_long_list_of_networks_is_whole(family, count, rate):
    rig = Rig(family=family, modem_args={"baudrate": rate})
    s = rig.socket(ECHO)
    rig.vm.networks = tuple(
        (1, "Operator %02d long name" % n, "Op%02d" % n, "001%02d" % (n % 100), 7) for n in range(count)
    )
    rig.vm.scan_ms = 45_000
    (line,) = rig.modem.at("+COPS=?", timeout_ms=120_000)
    assert line.count("Operator") == count
    access = "" if family == "sim800" else ",7"
    assert line.endswith('"%s),,(0,1,2,3,4),(0,1,2)' % access)
    assert len(line) == 27 + count * (43 + len(access))
    assert len(rig.modem.channel.parser.line) == 512
    harmless(rig, s)


@each_family
def test_line_that_is_too_long_raises(family):
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    rig.vm.networks = ((1, "x" * 9000, "x", "00101", 7),)
    with pytest.raises(OSError) as caught:
        rig.modem.at("+COPS=?", timeout_ms=120_000)
    assert caught.value.errno == errno.ENOBUFS
    assert "AT+COPS=?" in caught.value.args[1]
    assert len(rig.modem.channel.parser.line) == 512
    harmless(rig, s)


@each_start
@pytest.mark.parametrize("mux", (True, False))
def test_answers_without_ok_and_behind_it(family, mux):
    rig = Rig(family=family, modem_args={"mux": mux})
    s = rig.socket(ECHO)
    assert rig.modem.at("+CIFSR") == [rig.net.local_addresses[0]]
    got = rig.modem.at("+CIPSTATUS")
    assert got[0].startswith("STATE: ")
    assert len(got) == (1 + rig.modem.LINKS if mux else 1)
    rig.net.names["host.example"] = ["203.0.113.9"]
    assert rig.modem.at('+CDNSGIP="host.example"') == ['+CDNSGIP: 1,"host.example","203.0.113.9"']
    harmless(rig, s)
    assert rig.modem.at("+CIPSHUT") == ["SHUT OK"]
    assert not rig.modem.isconnected()
    with pytest.raises(OSError) as caught:
        s.read(1)
    assert caught.value.errno == errno.ENOTCONN
    rig.modem.connect("internet")
    assert rig.works()


@each_open
def test_context_that_is_closed_by_command_is_known_to_be_closed(family):
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    assert rig.modem.at("+NETCLOSE") == []
    assert not rig.modem.isconnected()
    with pytest.raises(OSError) as caught:
        s.write(b"x")
    assert caught.value.errno == errno.ENOTCONN
    rig.modem.connect("internet")
    assert rig.works()


@pytest.mark.parametrize("family", FAMILIES)
def test_line_that_ends_the_answer_is_given(family):
    rig = Rig(family=family)

    def ussd(op, args):
        rig.vm.after_final(lambda: rig.vm.later(3000, lambda: rig.vm.report('+CUSD: 0,"1.65 EUR",15')))
        return "OK"

    rig.vm.do_CUSD = ussd
    assert rig.modem.at('+CUSD=1,"*100#"', end="+CUSD:", timeout_ms=20_000) == ['+CUSD: 0,"1.65 EUR",15']
    assert rig.modem.at('+CUSD=1,"*100#"') == []
    assert rig.works()


@each_family
def test_time_out_holds_for_everything(family):
    rig = Rig(family=family, think_ms=1)
    rig.vm.do_X = lambda op, args: "pending"
    start = rig.clock.now_us
    with pytest.raises(OSError) as caught:
        rig.modem.at("X", timeout_ms=300)
    assert caught.value.errno == errno.ETIMEDOUT
    assert 300_000 <= rig.clock.now_us - start <= 400_000


@each_family
def test_ok_of_an_older_command_is_not_the_answer(family):
    rig = Rig(family=family)
    for _ in range(3):
        rig.vm.inject("before_info", "OK")
        assert rig.modem.at("+CGATT?") == ["+CGATT: 1"]
        rig.vm.inject("before_info", "OK")
        assert rig.modem.at("+CSQ") == ["+CSQ: 20,0"]
        rig.vm.inject("before_info", b"\xff\xff\xff\xff\xff")
        assert rig.modem.at("+CSQ") == ["+CSQ: 20,0"]
    assert rig.works()


# --- prompts


@each_family
@pytest.mark.parametrize("seed", (None, 1, 2, 3))
def test_prompt_that_nobody_serves_is_left_at_once(family, seed):
    rig = Rig(seed, family=family)
    s = rig.socket(ECHO)
    rig.modem.at("+CMGF=1")
    start = rig.clock.now_us
    with pytest.raises(OSError) as caught:
        rig.modem.at('+CMGS="+15550100"')
    assert caught.value.errno == errno.EINVAL and "data=" in caught.value.args[1]
    assert rig.clock.now_us - start < 300_000
    assert rig.vm.sent_sms == []
    harmless(rig, s)
    assert [level for _, level in rig.pwrkey.history if level] == []


@each_family
@pytest.mark.parametrize("text", (b"hello", b"two\rlines", b"", b"x" * 1000))
def test_data_answers_the_prompt(family, text):
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    rig.modem.at("+CMGF=1")
    assert rig.modem.at('+CMGS="+15550100"', data=text + b"\x1a") == ["+CMGS: 1"]
    assert rig.vm.sent_sms == [("+15550100", text)]
    harmless(rig, s)


@each_family
def test_data_that_nobody_asked_for_is_not_sent(family):
    rig = Rig(family=family)
    with pytest.raises(OSError) as caught:
        rig.modem.at("+CSQ", data=b"hello\x1a")
    assert caught.value.errno == errno.EINVAL
    assert rig.sent[-1] == "AT+CSQ"
    assert rig.works()


@each_family
def test_prompt_for_a_count_of_bytes_is_left_too(family):
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    written = []

    def certificate(op, args):
        rig.vm.send(b"\r\n>")
        rig.vm.collect(int(args[1]), lambda data: (written.append(data), rig.vm.resume("OK")))
        return "pending"

    rig.vm.do_CCERTDOWN = certificate
    with pytest.raises(OSError) as caught:
        rig.modem.at('+CCERTDOWN="ca.pem",700')
    assert caught.value.errno == errno.EINVAL
    rig.pump(10_000)
    assert len(written) == 1
    harmless(rig, s)
    data = bytes(range(256)) * 2 + b"\x1a" * 188
    assert rig.modem.at('+CCERTDOWN="ca.pem",700', data=data) == []
    assert written[1] == data
    harmless(rig, s)


@each_family
def test_prompt_that_comes_when_the_caller_is_gone_is_left(family):
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    execute = rig.vm.execute

    def late(line):
        if b"CMGS" in line:
            rig.vm.later(2000, lambda: execute(line))
        else:
            execute(line)

    rig.vm.execute = late
    with pytest.raises(OSError) as caught:
        rig.modem.at('+CMGS="+15550100"', timeout_ms=1000)
    assert caught.value.errno == errno.ETIMEDOUT
    rig.pump(20_000)
    assert rig.vm.sent_sms == [] and rig.vm._sink is None
    harmless(rig, s)


@each_family
def test_prompt_that_an_earlier_life_left_is_left_by_active(family):
    rig = Rig(family=family)
    rig.uart.write(b'AT+CMGS="+15550100"\r')
    rig.clock.sleep_ms(100)
    assert rig.vm._sink
    rig.make()
    rig.modem.active(True)
    rig.modem.connect("internet")
    assert rig.vm.sent_sms == []
    assert [level for _, level in rig.pwrkey.history if level] == []
    assert rig.works()


# --- what is the driver's own

REFUSED = ("+CIPMUX=0", "+CIPMODE=1", "+CIPRXGET=0", "+CIPRXGET=2,0,100", "+CIPHEAD=1", "E1", "+CMEE=2", "+CIPSRIP=1")
REFUSED += ("+CIPSHOWTP=1", "+CIPQSEND=0", "V0", "Q1", "+CFUN=1,1", "+CIPSEND=0,5", '+CIPSTART=0,"TCP","a.example",80')
REFUSED += (
    '+CIPOPEN=0,"TCP","a.example",80',
    "+CIPCLOSE=0",
    "+IPR=9600",
    "+CIPSENDMODE=1",
    "+CIPCCFG=10,0,0,1,1,0,500",
)
REFUSED += (
    "at+cipmux=0",
    "AT+CIPMUX=0",
    "+csq;+cipmux=0",
    "E1+CSQ",
    "+CSQ;E1",
    "e1v0",
    "ATE1",
    " + CIPMUX = 0",
    "&F",
    "Z",
)
REFUSED += (
    "+CIPSERVER=1,80",
    "+SERVERSTART=80,0",
    "+CIPCCFG",
    "+CIPCCFG=10,0,1",
    "+CPOWD=1",
    "+CRESET",
    "D*99#",
    "E",
    "+CIPSEND",
)
ALLOWED = (
    "+CIPMUX?",
    "+CIPMODE=?",
    "E0",
    "ATE0",
    "at+csq",
    "+CMEE=1",
    "+CMEE?",
    "+CSQ;+CMEE?",
    '+CSCS="CIPMUX=0;E1"',
    "Q0V1",
)


@each_family
@pytest.mark.parametrize("cmd", REFUSED)
def test_command_that_is_the_drivers_own_is_refused(family, cmd):
    rig = Rig(family=family)
    sent = len(rig.sent)
    with pytest.raises(ValueError, match="use |as it is"):
        rig.modem.at(cmd)
    rig.pump(50)
    assert len(rig.sent) == sent
    assert rig.works()


@each_family
@pytest.mark.parametrize("cmd", ALLOWED)
def test_command_that_changes_nothing_is_sent(family, cmd):
    rig = Rig(family=family)
    try:
        rig.modem.at(cmd)
    except simcom.ATError:
        assert family not in START
    assert cmd[2 * (cmd[:2].upper() == "AT") :] == rig.sent[-1][2:]
    assert rig.works()


@each_open
def test_setting_of_which_only_a_part_is_the_drivers_is_followed(family):
    rig = Rig(family=family)
    mine = next(each for each in rig.modem.SETTINGS if each.startswith(b"AT+CIPCCFG"))
    fields = mine.decode().split("=")[1].split(",")
    fields[0], fields[6] = "3", "1000"
    rig.modem.at("+CIPCCFG=" + ",".join(fields))
    rig.modem.disconnect()
    rig.modem.connect("internet")
    assert [each for each in rig.sent if each.startswith("AT+CIPCCFG")][-1] == "AT+CIPCCFG=" + ",".join(fields)
    assert rig.works()


@each_family
@pytest.mark.parametrize("cmd", ("+CFUN=0", "+CFUN=4", "+CGATT=0"))
def test_command_that_takes_the_context_is_followed(family, cmd):
    rig = Rig(family=family)
    s = rig.socket(rig.serve(Sink))
    rig.modem.at(cmd, timeout_ms=20_000)
    rig.pump(1000)
    assert not rig.modem.isconnected()
    with pytest.raises(OSError) as caught:
        s.read(1)
    assert caught.value.errno in (errno.ENOTCONN, errno.ECONNABORTED)
