"""Answers that are late, damaged, or have lines of others in them: the question is asked again."""

import errno
import re

from families import CIP, FAMILIES, OPEN, START
import pytest
from rig import ECHO, Rig
from sim import Echo, Peer
from sim.at import CLEAN, GARBLED, LATE_OK, UNKNOWN_BEFORE, UNKNOWN_BEHIND
from sim.faults import Faulty

MANNERS = (LATE_OK, GARBLED, UNKNOWN_BEFORE, UNKNOWN_BEHIND)
DAMAGE = (LATE_OK, GARBLED)

families = pytest.mark.parametrize("family", FAMILIES)
each_cip = pytest.mark.parametrize("family", CIP)
manners = pytest.mark.parametrize("manner", MANNERS)

BRING_UP = [(family, name) for family in FAMILIES for name in ("CMEE", "CGMM", "CPIN", "CGATT")]
BRING_UP += [("sim800", "CGREG"), ("sim7000", "CEREG"), ("sim7028", "CEREG"), ("a76xx", "CEREG")]
BRING_UP += [(family, "CIFSR") for family in START] + [(family, "IPADDR") for family in OPEN]

STATUS = {
    "rssi": ("CSQ", -73),
    "registration": ("CGREG", 1),
    "sim": ("CPIN", "READY"),
    "attached": ("CGATT", True),
    "function": ("CFUN", 1),
}
CONFIG = {
    "manufacturer": "CGMI",
    "model": "CGMM",
    "firmware": "CGMR",
    "imei": "GSN",
    "imsi": "CIMI",
    "operator": "COPS",
}


def spoilt(rig, manner, times, *names):
    """From now on the answers of these commands, so many times each."""
    rig.vm.choices["answers"] = manner
    rig.vm.spoil = dict.fromkeys(names, times)


def left(rig):
    """How many answers are still to be spoilt."""
    return sum(rig.vm.spoil.values())


@manners
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("family, name", BRING_UP)
def test_bring_up_asks_again(family, name, times, manner):
    rig = Rig(family=family, on=False)
    spoilt(rig, manner, times, name)
    rig.modem.connect("internet")
    assert left(rig) < times
    assert rig.modem.address.count(".") == 3
    assert rig.modem.model in rig.vm.identity["CGMM"]
    rig.vm.choices["answers"] = CLEAN
    assert rig.works()


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("manner", MANNERS)
@families
def test_every_answer_now_and_then(family, manner, seed):
    rig = Rig(seed, family=family, on=False, choices={"answers": manner})
    rig.modem.connect("internet")
    assert rig.works()
    assert rig.modem.status("sim") == "READY"
    assert rig.modem.status("rssi") == -73
    assert rig.modem.config("imei") == rig.vm.identity["GSN"]


@pytest.mark.parametrize("manner", DAMAGE)
@pytest.mark.parametrize("name, step", [("CPIN", "sim")])
@families
def test_three_answers_in_vain_end_connect_with_step_and_command(family, name, step, manner):
    rig = Rig(family=family, up=False)

    def mute(op, args):
        return "OK"

    setattr(rig.vm, "do_" + name, mute)
    with pytest.raises(OSError) as raised:
        rig.modem.connect("internet")
    assert raised.value.errno == errno.EIO
    assert "connect, %s: AT+%s?: answer not understood" % (step, name) in str(raised.value)
    assert rig.sent.count("AT+%s?" % name) == 3
    delattr(rig.vm, "do_" + name)
    rig.modem.connect("internet")
    assert rig.works()


@manners
@pytest.mark.parametrize("param", STATUS)
@families
def test_status_asks_again(family, param, manner):
    rig = Rig(family=family)
    name, value = STATUS[param]
    spoilt(rig, manner, 2, name)
    assert rig.modem.status(param) == value


@manners
@pytest.mark.parametrize("param", CONFIG)
@families
def test_config_asks_again(family, param, manner):
    rig = Rig(family=family)
    value = rig.modem.config(param)
    assert value and len(value) > 3
    spoilt(rig, manner, 2, CONFIG[param])
    assert rig.modem.config(param) == value


@manners
@pytest.mark.parametrize("param", ["contexts", "context", "links", "servers", "acknowledged", "dns", "timeouts"])
@each_cip
def test_long_status_asks_again(family, param, manner):
    rig = Rig(family=family)
    if param == "timeouts" and family in START:
        return
    s = rig.socket(ECHO)
    s.write(b"hello")
    s.read(5)
    listener = rig.socket(timeout=30)
    listener.bind(("", 80))
    listener.listen()
    value = rig.modem.status(param)
    assert value
    spoilt(rig, manner, 2, "")
    assert rig.modem.status(param) == value


@manners
@families
def test_name_is_asked_for_again(family, manner):
    rig = Rig(family=family)
    value = rig.modem.resolve("echo.example")
    spoilt(rig, manner, 2, "CDNSGIP")
    assert rig.modem.resolve("echo.example") == value


@manners
@families
def test_idle_link_lives_on(family, manner):
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    spoilt(rig, manner, 1000, "")
    rig.pump(120_000)
    rig.vm.choices["answers"] = CLEAN
    rig.pump(5000)
    s.write(b"still here")
    assert s.read(10) == b"still here"


@families
@pytest.mark.parametrize("count", [5, 16])
def test_links_live_on_when_a_row_that_tells_of_them_is_lost(family, count):
    rig = Rig(family=family, wrap=Faulty)
    pair = [rig.socket(ECHO), rig.socket(ECHO)]
    for at in range(36 - count):  # the shortest answer is so long
        rig.patience()
        rig.pump(2000)  # now they are only asked after
        rig.port.drop("rx", rig.port.offset["rx"] + at, count)
        rig.pump(12_000)
        for s in pair:
            s.write(b"still here")
            assert s.read(10) == b"still here", at


@manners
@families
def test_end_that_is_asked_for_is_seen(family, manner):
    rig = Rig(family=family)
    address = rig.serve(Peer)
    s = rig.socket(address)
    link = rig.vm.links[s._link.n]
    link.drop("CLOSED")  # its notice was lost
    spoilt(rig, manner, 2, "CIPSTATUS", "CIPOPEN")
    s.settimeout(60)
    assert s.read(1) == b""


@manners
@families
def test_server_asks_again(family, manner):
    rig = Rig(family=family)
    s = rig.socket(timeout=60)
    s.bind(("", 80))
    s.listen()
    for at in range(3):
        spoilt(rig, manner, 2, "CIPSERVER", "SERVERSTART", "CIPSTATUS", "CIPOPEN")
        rig.pump(11_000)
        peer = rig.dial(80)
        peer.send(b"hello %d" % at)
        client, _ = s.accept()
        client.settimeout(30)
        assert client.read(7) == b"hello %d" % at
        client.close()


@manners
@each_cip
def test_restart_that_is_noticed_is_got_over(family, manner):
    rig = Rig(family=family)
    spoilt(rig, manner, 2, "CMEE", "CGMM", "CIFSR", "IPADDR", "CIPQSEND")
    rig.modem.doubt = rig.modem.channel.echoed = True
    rig.pump(20_000)
    assert left(rig) < 8
    assert rig.modem.isconnected()
    assert rig.works()


@manners
@families
def test_recover_asks_again(family, manner):
    rig = Rig(family=family)
    spoilt(rig, manner, 2, "")
    assert rig.modem.recover() == "probe"


@families
def test_late_echo_in_front_of_an_answer(family):
    rig = Rig(family=family, on=False)
    for _ in range(2):
        rig.vm.inject("before_info", b"ATE0\r\r\nOK\r\n")
    rig.modem.active(True)
    rig.vm.inject("before_info", b"ATE0\r\r\nOK\r\n")
    rig.modem.connect("internet")
    assert rig.modem.model in rig.vm.identity["CGMM"]
    assert rig.works()


@families
def test_pin_is_not_sent_twice_for_a_late_ok(family):
    rig = Rig(family=family, on=False, sim="SIM PIN")
    rig.make(pin="1234")
    spoilt(rig, LATE_OK, 2, "CPIN")
    rig.modem.connect("internet")
    assert rig.sent.count('AT+CPIN="1234"') == 1


@each_cip
def test_read_is_not_repeated_after_a_bare_ok(family):
    # Bytes were known to wait: what came with the OK was lost, and a second read would give what follows.
    rig = Rig(family=family)
    s = rig.socket(rig.serve(Peer))
    rig.pump(500)
    reads = []

    def bare(op, args):
        reads.append(args)
        return "OK"

    rig.vm.do_CIPRXGET = bare
    rig.connection().write(b"never seen")
    with pytest.raises(OSError) as raised:
        s.read(1)
    assert raised.value.errno == errno.EIO
    assert len(reads) == 1
    del rig.vm.do_CIPRXGET
    assert rig.works()


@families
def test_read_takes_its_answer_behind_another_ok(family):
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    execute = rig.vm.execute

    def shifted(line):
        if line.startswith(b"AT+CIPRXGET=2"):
            rig.vm.result("OK", 0)
        execute(line)

    rig.vm.execute = shifted
    for at in range(5):
        s.write(b"hello %d" % at)
        assert s.read(7) == b"hello %d" % at


@pytest.mark.parametrize("kind", ["stream", "datagrams"])
@pytest.mark.parametrize("split", [0, 1])
@families
def test_read_takes_its_answer_behind_an_error_of_nobody(family, split, kind):
    rig = Rig(family=family)
    rig.vm.split_ms = split
    if kind == "stream":
        s = rig.socket(ECHO)
    else:
        rig.net.serve("peer.example", 9, Echo, "UDP")
        s = rig.modem.socket(2, 2)
        s.settimeout(30)
        s.connect(("peer.example", 9))
    for at in range(6):
        text = b"hello %d" % at * (1 + 60 * (at % 2) * (kind == "stream"))
        rig.vm.stray_reads = 1 + at // 3
        s.write(text)
        assert (s.read(len(text)) if kind == "stream" else s.recv(100)) == text
        rig.pump(700)


@families
def test_end_of_a_stream_behind_an_error_of_nobody(family):
    # The peer's last bytes wait in the module: nobody may take the ERROR for "nothing there, and closed".
    for at in range(4):
        rig = Rig(family=family)
        s = rig.socket(rig.serve(Peer))
        connection = rig.connection()
        rig.pump(300 * at)
        rig.vm.stray_reads = 1 + at % 2
        connection.write(b"the last words")
        connection.close()
        assert s.read() == b"the last words"


@each_cip
def test_header_without_its_last_number_is_loss(family):
    # What stands behind a line that was cut may be payload, or not.
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    feed = rig.uart.feed
    rig.uart.feed = lambda data, *args: feed(re.sub(rb"(GET: ?2,0,\d+),\d+\r", rb"\1\r", data), *args)
    with pytest.raises(OSError) as raised:
        s.write(b"hello")
        s.read(5)
    assert raised.value.errno == errno.EIO
    rig.uart.feed = feed
    assert rig.works()


@each_cip
def test_genuine_error_to_a_read_ends_the_link_a_moment_later(family):
    rig = Rig(family=family)
    s = rig.socket(rig.serve(Peer))
    rig.pump(500)
    rig.vm.do_CIPRXGET = lambda op, args: "ERROR"
    rig.connection().write(b"never seen")
    start = rig.clock.now_us
    with pytest.raises(OSError) as raised:
        s.read(1)
    assert raised.value.errno == errno.ECONNRESET
    assert rig.clock.now_us - start < 200_000
    del rig.vm.do_CIPRXGET
    assert rig.works()


@each_cip
def test_notice_behind_an_error_that_says_nothing_is_there(family):
    # The notice is of bytes that came behind the refusal.
    rig = Rig(family=family)
    s = rig.socket(rig.serve(Peer))
    link = s._link
    rig.pump(500)
    refused = []

    def nothing(op, args):
        del rig.vm.do_CIPRXGET
        refused.append(args)
        rig.vm.after_final(lambda: rig.connection().write(b"hello"))
        return "ERROR"

    rig.vm.do_CIPRXGET = nothing
    rig.modem.links.reading |= link.bit
    s.settimeout(5)
    assert s.read(5) == b"hello"
    assert len(refused) == 1


@pytest.mark.parametrize("family", OPEN)
def test_address_of_a_name_behind_the_only_ok(family):
    rig = Rig(family=family, names_behind_ok=True)
    start = rig.clock.now_us
    (address,) = rig.modem.resolve(ECHO[0])
    assert address.count(".") == 3
    with pytest.raises(OSError) as raised:
        rig.modem.resolve("nowhere.example")
    assert raised.value.errno == -2
    assert rig.clock.now_us - start < 3_000_000 and rig.works()


# Questions that a firmware refuses, or does not answer


@pytest.mark.parametrize("how", ["refused", "bare OK"])
@pytest.mark.parametrize("name", ["CMEE", "CGMM", "CGATT", "CNMI"])
@families
def test_answer_that_is_not_needed_is_gone_without(family, name, how):
    rig = Rig(family=family, on=False, unknown=(name,) if how == "refused" else ())
    if how != "refused":
        setattr(rig.vm, "do_" + name, lambda op, args: "OK")
    rig.modem.connect("internet")
    assert rig.modem.model == ("" if name == "CGMM" else rig.vm.identity["CGMM"])
    assert rig.works()


@families
def test_module_that_is_not_attached_and_will_not_tell(family):
    rig = Rig(family=family, unknown=("CGATT", "CSQ"), on=False)
    rig.vm.registration = 2
    with pytest.raises(OSError) as raised:
        rig.modem.connect("internet", timeout_ms=5000)
    assert "registration 2, signal None dBm" in str(raised.value)


@pytest.mark.parametrize("after", [0, 40])
@families
def test_module_that_refuses_the_question_of_getting_back_in_step(family, after):
    rig = Rig(family=family, unknown=("CMEE",))
    s = rig.socket(ECHO)
    s.write(b"before")
    assert s.read(6) == b"before"
    rig.vm.hang(20_000, after=after)
    try:
        s.write(b"lost, or not")
        s.read(12)
    except OSError:
        pass
    rig.pump(60_000)
    assert rig.modem.isconnected() and rig.modem.active()
    assert rig.works()
