"""Callbacks of unsolicited codes: what they are told, and what they may do."""

import errno

from rig import ECHO, Rig  # first: it puts the shim in place
import machine
import pytest
from sim import Sink
from test_status import each_family

STREAM, DATAGRAM = 1, 2


def counts(rig):
    """How many calls were dropped, and failed."""
    found = rig.modem.status("counters")
    return found["callbacks dropped"], found["callbacks failed"]


def calling(rig, work):
    """What `work()` does inside a callback: its result, or the errno that it raises."""
    done = []

    def callback(line):
        try:
            done.append(work())
        except OSError as e:
            done.append(e.errno)

    rig.modem.on_urc("RING", callback)
    sent = len(rig.sent)
    rig.vm.urc("RING")
    while not done:
        rig.modem.wait()
    rig.modem.on_urc("RING", None)
    return done[0], rig.sent[sent:]


WAITS = {
    "at": lambda m, s, u, t: m.at("+CSQ"),
    "status": lambda m, s, u, t: m.status("rssi"),
    "config": lambda m, s, u, t: m.config("imei"),
    "resolve": lambda m, s, u, t: m.resolve("host.example"),
    "disconnect": lambda m, s, u, t: m.disconnect(),
    "connect of the modem": lambda m, s, u, t: m.connect("internet") or m.reset(),
    "active": lambda m, s, u, t: m.active(False),
    "recover": lambda m, s, u, t: m.recover(),
    "connect": lambda m, s, u, t: m.socket().connect(ECHO),
    "recv": lambda m, s, u, t: s.recv(1),
    "read": lambda m, s, u, t: s.read(1),
    "readinto": lambda m, s, u, t: s.readinto(bytearray(1)),
    "readline": lambda m, s, u, t: s.readline(),
    "write": lambda m, s, u, t: s.write(b"x"),
    "send": lambda m, s, u, t: s.send(b"x"),
    "sendall": lambda m, s, u, t: s.sendall(b"x"),
    "sendto": lambda m, s, u, t: u.sendto(b"x", ECHO),
    "recvfrom": lambda m, s, u, t: u.recvfrom(10),
    "listen": lambda m, s, u, t: t.listen(),
}


@each_family
@pytest.mark.parametrize("what", WAITS)
def test_what_would_wait_raises_before_anything_is_sent(family, what):
    rig = Rig(family=family)
    s = rig.socket(rig.serve(Sink), timeout=None)
    u, t = rig.modem.socket(2, DATAGRAM), rig.modem.socket()
    t.bind(("", 80))
    result, sent = calling(rig, lambda: WAITS[what](rig.modem, s, u, t))
    assert result == errno.EALREADY
    rig.pump(1000)
    assert [line for line in rig.sent[-len(sent) :] if sent and not line.startswith(("AT+CIPRXGET", "AT+CARECV"))] == []
    assert rig.modem.isconnected()
    assert s.write(b"x") == 1
    assert rig.works()


@each_family
def test_what_needs_no_waiting_works(family):
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    s.write(b"hello world")
    while s._link.ready < 11:
        rig.pump(50)
    assert calling(rig, lambda: s.recv(5))[0] == b"hello"
    assert calling(rig, lambda: s.read(6))[0] == b" world"
    other = rig.modem.socket()
    other.setblocking(False)
    assert calling(rig, lambda: other.connect(ECHO))[0] == errno.EINPROGRESS
    rig.pump(500)
    assert calling(rig, lambda: other.write(b"from a callback"))[0] == 15
    rig.pump(500)
    assert calling(rig, lambda: other.recv(100))[0] == b"from a callback"
    assert calling(rig, lambda: other.recv(100))[0] == errno.EAGAIN
    assert calling(rig, other.close)[0] is None
    rig.pump(1000)
    assert other._link.n < 0
    server = rig.modem.socket()
    server.bind(("", 80))
    server.setblocking(False)
    assert calling(rig, server.listen)[0] is None
    rig.pump(1000)
    rig.dial(80).send(b"hi")
    rig.pump(1000)
    client = calling(rig, server.accept)[0][0]
    rig.pump(1000)
    assert calling(rig, lambda: client.recv(10))[0] == b"hi"
    assert calling(rig, s.close)[0] is None
    assert calling(rig, rig.modem.status)[0] == "up"
    rig.pump(1000)
    assert s._link.n < 0
    assert rig.works()


@each_family
def test_at_most_32_calls_wait(family):
    rig = Rig(family=family)
    heard = []
    rig.modem.on_urc("+CMTI:", heard.append)
    assert counts(rig) == (0, 0)
    rig.vm.scan_ms = 60_000
    for n in range(100):
        rig.clock.after_ms(1000 + 500 * n, lambda n=n: rig.vm.urc('+CMTI: "SM",%d' % n))
    rig.modem.at("+COPS=?", timeout_ms=120_000)
    assert len(heard) < 2
    rig.pump(2000)
    assert heard == ['+CMTI: "SM",%d' % n for n in range(68, 100)]
    assert counts(rig) == (68, 0)


@each_family
@pytest.mark.parametrize("body", ("OK", "ERROR", "0, CLOSED", "RDY", "+CMT: x", "hello"))
def test_code_of_several_lines_is_one_call(family, body):
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    heard = []
    rig.modem.on_urc("+CMT:", heard.append, lines=2)
    rig.modem.on_urc("+CUSD:", heard.append, lines=3)
    for position in ("before_info", "before_ok"):
        rig.vm.inject(position, b'\r\n+CMT: "+15550100"\r\n%s\r\n' % body.encode())
    assert rig.modem.at("+CSQ") == ["+CSQ: 20,0"]
    rig.vm.urc('+CUSD: 0,"one\r\ntwo\r\nthree",15')
    rig.pump(500)
    assert heard == ['+CMT: "+15550100"\n' + body] * 2 + ['+CUSD: 0,"one\ntwo\nthree",15']
    rig.modem.on_urc("+CMT:", None)
    rig.vm.urc(b'\r\n+CMT: "+15550100"\r\nRDY\r\n')
    rig.pump(500)
    assert len(heard) == 3
    s.write(b"hello")
    assert s.read(5) == b"hello"


def test_exception_of_a_callback_is_printed_and_counted(capsys):
    rig = Rig()
    rig.modem.on_urc("RING", lambda line: 1 // 0)
    rig.vm.urc("RING")
    rig.vm.urc("RING")
    rig.pump(500)
    assert capsys.readouterr().err.count("ZeroDivisionError") + capsys.readouterr().out.count("ZeroDivisionError") == 2
    assert counts(rig) == (0, 2)
    assert rig.works()


# --- RI


@pytest.mark.feature("ri")
@each_family
def test_pulse_of_ri_calls_back_with_its_length(family):
    pin = machine.Pin(5, machine.Pin.IN)
    rig = Rig(family=family, ri=pin)
    told = []
    rig.modem.on_urc(pin, told.append)
    rig.vm.store_sms(b"hello")
    rig.pump(500)
    assert told == [120]
    rig.vm.call_from("+15550100")
    rig.pump(500)
    assert told == [120] + ([50] if family == "sim800" else [])
    rig.vm.call_ends()
    rig.modem.on_urc(pin, None)
    rig.vm.store_sms(b"hello again")
    rig.pump(500)
    assert 120 not in told[1:]
    assert rig.works()


@each_family
def test_ri_is_the_cue_to_leave_data_mode(family):
    pin = machine.Pin(5, machine.Pin.IN)
    rig = Rig(family=family, ri=pin)
    news, lines = [], []
    rig.modem.on_urc(pin, news.append)
    rig.modem.on_urc("+CMTI:", lines.append)
    t = rig.modem.transparent(ECHO)
    t.settimeout(30)
    t.write(b"12345")
    assert t.read(5) == b"12345"
    rig.vm.store_sms(b"hello")
    rig.pump(3000)
    assert news == [120] and lines == []  # the connection has the UART
    t.escape()
    rig.pump(500)
    assert lines == ['+CMTI: "SM",1']
    t.resume()
    t.write(b"on it goes")
    assert t.read(10) == b"on it goes"
    t.close()


@pytest.mark.parametrize("family", ("sim800", "sim7000", "a76xx"))
def test_ri_tells_of_a_message_while_the_module_sleeps(family):
    pin, dtr = machine.Pin(5, machine.Pin.IN), machine.Pin(7, machine.Pin.OUT, value=0)
    rig = Rig(family=family, ri=pin, dtr=dtr)
    news = []
    rig.modem.on_urc(pin, news.append)
    rig.modem.sleep(dtr)
    rig.pump(5000)
    assert not rig.vm.awake()
    rig.vm.store_sms(b"hello")
    rig.pump(500)
    assert news == [120]
    rig.modem.wake()
    assert rig.works()
