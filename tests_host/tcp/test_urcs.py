"""Unsolicited codes of every kind at every place, in every family: acted on or ignored, never mistaken."""

import errno

from families import CIP, FAMILIES, OPEN, START
import pytest
from rig import ECHO, Rig
from sim import Drip, Sink
from test_faults import POSITIONS, SMS, URCS, session

each_family = pytest.mark.parametrize("family", FAMILIES)

GONE = (errno.ENOTCONN, errno.ECONNABORTED)
places = pytest.mark.parametrize("position", POSITIONS)

# Codes that concern nothing that the session uses: those of all, with links of the dialect that nobody opened.
OF_CAOPEN = ["+CADATAIND: 0", "+CASTATE: 0,0", "+APP PDP: DEACTIVE"]
EVERYWHERE = [each for each in URCS if not each.startswith(("7", "6", "STATE", "+CIPRXGET")) and each not in OF_CAOPEN]
EVERYWHERE += ["PB DONE", "+CGEV: EPS PDN ACT 1", "+CGEV: NW PDN DEACT 1", "+CPIN: NOT READY", "+CTVZ", "*PSNWID: x"]
EVERYWHERE += ['+CUSD: 0,"a', "+CREG: 3", "+CESQ: 99,99,255,255,31,70", "+CRING: GPRS", "VOICE CALL: END: 000001"]
OTHER = {
    "sim800": ["5, CLOSED", "5,CLOSED", "+CIPRXGET: 1,5", "+CIPRXGET:1,4", "5, CONNECT FAIL", "4, CONNECT OK"]
    + ["5, SEND OK", "5, SEND FAIL", "5, CLOSE OK", "STATE: IP STATUS", "DATA ACCEPT:5,1", "5, ALREADY CONNECT"],
    "sim7000": ["7, CLOSED", "7,CLOSED", "+CIPRXGET: 1,7", "+CIPRXGET:1,6", "7, CONNECT FAIL", "6, CONNECT OK"]
    + ["7, SEND OK", "7, SEND FAIL", "7, CLOSE OK", "STATE: IP STATUS", "DATA ACCEPT:7,1", "7, ALREADY CONNECT"],
    "sim7028": ["+CIPOPEN: 1,0", "+CIPOPEN: 1,4", "+CIPSEND: 1,5,5", "+CIPCLOSE: 1,0", "+IPCLOSE: 1,1", "+IPCLOSE"]
    + ["+CIPRXGET: 1,1", "+CIPRXGET: 1,9", "+SERVERSTOP: 1,0", "CLOSED", "+IPCLOSE: 9,1", "SMS DONE"],
    "a76xx": ["+CIPOPEN: 9,0", "+CIPOPEN: 9,4", "+CIPSEND: 9,5,5", "+CIPCLOSE: 9,0", "+IPCLOSE: 9,1", "+IPCLOSE"]
    + ["+CIPRXGET: 1,9", "+CIPRXGET: 1,1", "+SERVERSTOP: 3,0", "CLOSED", "+CIPEVENT", "SMS DONE"][:4]
    + ["+CCHEVENT: 0,RECV EVENT", "+CCH_PEER_CLOSED: 0", "SMS DONE"],
    "sim7080": ["+CADATAIND: 12", "+CADATAIND:11", "+CASTATE: 12,0", "+CASTATE: 11,1", "+CAOPEN: 12,0"]
    + ["+CAOPEN: 11,27", '+CAURC: "buffer full",12', "+APP PDP: 3,DEACTIVE", "+APP PDP: 2,ACTIVE", "+CASEND: 12,0,5"],
}
for each in CIP:
    OTHER[each] += OF_CAOPEN
LOOKS = [
    b"+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY",
    b"+IPCLOSE: 0,1",
    b"+CIPOPEN: 0,0",
    b"+CIPSEND: 0,5,5",
    b"*ATREADY: 1",
]
TEXTS = SMS + [b'\r\n+CMT: "+491234567",,"24/05/17,10:11:12+08"\r\n%s\r\n' % each for each in LOOKS]


def harmless(rig, position, texts):
    """A session for each text, with it in the middle."""
    for text in texts:
        rig.patience()
        try:
            session(rig, lambda text=text: rig.vm.inject(position, text), "+CSQ", "+CSQ: 20,0")
        except OSError as e:
            raise AssertionError("%s %s: %r" % (text, position, e))
    assert rig.modem.isconnected()


@pytest.mark.feature("urcs")
@each_family
@pytest.mark.parametrize(
    "position, fresh", [*((p, False) for p in POSITIONS), ("before_info", True), ("before_data_ok", True)]
)
def test_code_anywhere_does_no_harm(family, position, fresh):
    rig = Rig(family=family)
    assert fresh or rig.works()
    harmless(rig, position, EVERYWHERE + OTHER[family])
    assert rig.modem.ifconfig()[0] == rig.net.local_addresses[0]


@pytest.mark.feature("urcs")
@each_family
@places
def test_many_codes_in_a_row(family, position):
    rig = Rig(family=family)
    session(rig, lambda: [rig.vm.inject(position, text) for text in EVERYWHERE + OTHER[family]], "+CSQ", "+CSQ: 20,0")


@pytest.mark.feature("urcs")
@each_family
@pytest.mark.parametrize("position", POSITIONS[:-1])
def test_text_message_that_looks_like_a_result(family, position):
    rig = Rig(family=family)
    harmless(rig, position, TEXTS)


@pytest.mark.feature("urcs")
@each_family
@pytest.mark.parametrize("seed", (None, 1, 2, 3))
def test_codes_during_a_download_and_their_callbacks(family, seed):
    rig = Rig(seed, family=family)
    data = bytes(range(256)) * 12
    texts = [*EVERYWHERE, *OTHER[family], *TEXTS]
    heard = []
    for prefix in ("RING", "+CMTI:", "+CREG:"):
        rig.modem.on_urc(prefix, heard.append)
    emitted = []

    def emit(i=0):
        for text, give in ((texts[i % len(texts)], rig.vm.urc), (texts[(i + 1) % len(texts)], rig.vm.inject)):
            emitted.append(text)
            give(text) if give == rig.vm.urc else give("before_info", text)
        rig.clock.after_ms(13, lambda: emit(i + 1))

    s = rig.socket(rig.serve(lambda: Drip(data, 150, 10, close=True)))
    emit()
    assert s.read() == data
    rig.vm._hooks.clear()
    rig.pump(300)
    assert {"RING", '+CMTI: "SM",10', "+CREG: 1"} <= set(heard)
    assert all(each.startswith(("RING", "+CMTI", "+CREG")) for each in heard)


@pytest.mark.feature("urcs")
@each_family
@pytest.mark.parametrize("position", POSITIONS[:-1])
def test_codes_during_bring_up(family, position):
    for text in (
        *EVERYWHERE[:3],
        "+CREG: 2",
        "+CEREG: 1",
        "+CMTE: 1",
        "*PSUTTZ: x",
        "SMS Ready",
        "PB DONE",
        *TEXTS[:3],
    ):
        rig = Rig(family=family, on=False)
        for _ in range(3):
            rig.vm.inject(position, text)
        for ms in range(5, 400, 7):
            rig.clock.after_ms(ms, lambda rig=rig, text=text: rig.vm.inject(position, text))
        rig.modem.active(True)
        rig.modem.connect("internet")
        assert rig.modem.ifconfig()[0] == rig.net.local_addresses[0], text
        assert rig.works()


# --- codes that mean something


def until_said(rig, position, text):
    """Go on with sockets until the code has come; what they raise is their own matter."""
    s = rig.modem.socket()
    s.settimeout(20)
    rig.vm.inject(position, text)
    raised = []
    for _ in range(3):
        try:
            if not s._link.state:
                s.connect(ECHO)
            s.write(b"hello")
            s.read(5)
            rig.modem.at("+CSQ")
        except OSError as e:
            raised.append(e.args[0])
        if not rig.vm._hooks:
            break
    try:
        s.close()
    except OSError as e:
        raised.append(e.args[0])
    assert not rig.vm._hooks, "the position never came"
    return raised


LOST = {
    "sim800": ("+PDP: DEACT", "+PDP DEACT"),
    "sim7000": ("+PDP: DEACT", "+PDP DEACT"),
    "sim7028": ("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY",),
    "a76xx": ("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY",),
    "sim7080": ("+APP PDP: 0,DEACTIVE",),
}


@pytest.mark.feature("urcs")
@each_family
@places
def test_lost_context_is_noticed_wherever_it_is_told(family, position):
    for text in LOST[family]:
        rig = Rig(family=family)
        assert rig.works()
        until_said(rig, position, text)
        rig.pump(2000)
        if position == "before_data_ok" and rig.modem.isconnected():
            continue  # taken for lost bytes: that socket fails, the state is asked later
        assert not rig.modem.isconnected(), text
        rig.modem.connect("internet")
        assert rig.works()


BOOT = ["RDY", "*ATREADY: 1", "+CFUN: 1", "QCRDY", "+CPIN: READY", "SMS Ready", "Call Ready", "SMS DONE", "PB DONE"]


@pytest.mark.feature("urcs")
@each_family
@places
def test_boot_line_without_a_restart_ends_nothing(family, position):
    rig = Rig(family=family)
    kept = rig.socket(ECHO)
    for text in BOOT:
        assert not until_said(rig, position, text) or position == "before_data_ok", text
        rig.pump(1000)
        assert rig.modem.isconnected() and not rig.modem.doubt, text
    kept.write(b"hello")
    assert kept.read(5) == b"hello"


@pytest.mark.feature("urcs")
@each_family
@pytest.mark.parametrize("text", BOOT)
def test_boot_line_is_asked_after_at_once(family, text):
    rig = Rig(family=family)
    for ms in (100, 200, 300, 400):
        rig.pump(ms)
        sent = len(rig.sent)
        rig.vm.urc(text)
        rig.pump(80)
        assert rig.sent[sent:] == ["AT+CIFSR" if family in START else "AT+IPADDR" if family in OPEN else "AT+CNACT?"]
        assert not rig.modem.doubt and rig.modem.isconnected()


@pytest.mark.feature("urcs")
@each_family
@pytest.mark.parametrize("text", BOOT)
@pytest.mark.parametrize("what", ("read", "nothing"))
def test_restart_is_known_within_a_second_of_any_boot_line(family, text, what):
    rig = Rig(family=family, boot_lines=((200, text),), boot_ms=2800, baud=115200)
    s = rig.socket(rig.serve(Sink), timeout=60)
    rig.pump(500)
    rig.vm.restart()
    booted = rig.clock.now_us + 3_000_000
    raised = None
    while rig.clock.now_us < booted + 1_000_000 and not raised:
        if what == "nothing":
            rig.modem.wait()
            continue
        s.settimeout(max((booted + 1_000_000 - rig.clock.now_us) / 1e6, 0.001))
        try:
            raised = s.read(1) or "EOF"
        except OSError as e:
            raised = e.args[0]
    # A read that is under way gets no answer: SIM7080 is asked for bytes again and again.
    assert raised is None if what == "nothing" else raised in GONE or (raised == errno.ETIMEDOUT and family not in CIP)
    rig.pump((booted + 1_000_000 - rig.clock.now_us) // 1000)
    assert not rig.modem.isconnected()
    rig.pump(3000)
    assert not rig.vm.echo  # it is told all anew
    rig.modem.connect("internet")
    assert rig.works()


@pytest.mark.feature("urcs")
@each_family
@pytest.mark.parametrize("text", BOOT)
def test_restart_during_a_command_is_known_within_a_second(family, text):
    rig = Rig(family=family, boot_lines=((200, text),), boot_ms=2800, baud=115200)
    rig.vm.scan_ms = 60_000
    rig.clock.after_ms(2000, rig.vm.restart)
    start = rig.clock.now_us
    with pytest.raises(OSError) as caught:
        rig.modem.at("+COPS=?", timeout_ms=120_000)
    assert caught.value.errno == errno.ETIMEDOUT
    while rig.modem.isconnected():
        rig.modem.wait()
    assert rig.clock.now_us - start < 6_000_000
    rig.modem.connect("internet")
    assert rig.works()


@pytest.mark.feature("urcs")
@each_family
@places
def test_power_down_is_noticed_wherever_it_is_told(family, position):
    rig = Rig(family=family)
    assert rig.works()
    until_said(rig, position, "UNDER-VOLTAGE POWER DOWN")
    rig.pump(1000)
    if position == "before_data_ok" and rig.modem.active():
        return
    assert not rig.modem.active() and not rig.modem.isconnected()


@pytest.mark.feature("urcs")
@each_family
@places
def test_closed_by_the_peer_is_noticed_wherever_it_is_told(family, position):
    rig = Rig(family=family)
    first = rig.socket(rig.serve(Sink), timeout=30)
    text = "0, CLOSED" if family in START else "+IPCLOSE: 0,1" if family in OPEN else "+CASTATE: 0,0"
    s = rig.modem.socket()
    s.settimeout(20)
    rig.vm.inject(position, text)
    try:
        s.connect(ECHO)
        s.write(b"hello")
        assert s.read(5) == b"hello"
        s.write(b"hello")
        assert s.read(5) == b"hello"
        rig.modem.at("+CSQ")
        s.close()
    except OSError as e:
        assert position == "before_data_ok" and e.args[0] == errno.EIO
    assert not rig.vm._hooks, "the position never came"
    if position == "before_data_ok" and first._link.state == 2:
        return
    assert first.read(1) == b""


@pytest.mark.feature("urcs")
@each_family
@places
def test_notice_of_data_is_never_lost_for_good(family, position):
    rig = Rig(family=family)
    s = rig.socket(rig.serve(Sink), timeout=60)
    rig.connection().write(b"waiting")
    for notice in ("+CIPRXGET: 1,0", "+CIPRXGET:1,0") if family in CIP else ("+CADATAIND: 0",):
        rig.vm.inject(position, notice)
    rig.modem.at("+CSQ")
    assert s.read(7) == b"waiting"
    assert rig.works()


LATE = [("AT+CIPRXGET=2,0,", "OK", each) for each in CIP]
LATE += [("AT+CIPSEND=0,5", "OK", each) for each in OPEN]
LATE += [("AT+CIPSEND=0,5", text, each) for text in ("DATA ACCEPT:0,5", "0, SEND OK") for each in START]


@pytest.mark.parametrize("command, text, family", LATE)
def test_answer_of_an_older_command_is_not_taken_for_that_of_a_send_or_a_read(command, text, family):
    rig = Rig(family=family, think_ms=20)
    assert rig.works()
    sockets = rig.socket(ECHO), rig.socket(ECHO)
    execute = rig.vm.execute
    late = [text]

    def taken(line):
        if late and line.startswith(command.encode()):
            rig.vm.line(late.pop())
            rig.vm.later(20, lambda: execute(line))
        else:
            execute(line)

    rig.vm.execute = taken
    for data in (b"first", b"other"):
        for s in sockets:
            s.setblocking(False)
            s.write(data)
        for s in sockets:
            s.settimeout(30)
            assert s.read(5) == data
    assert not late
    assert [bytes(each.received) for each in rig.net.connections[-2:]] == [b"firstother"] * 2
    for s in sockets:
        s.close()
    assert rig.works()
