"""A module that says nothing for a while: its connections are in doubt, not dead."""

import errno

from families import CA, CIP
from rig import ECHO, Rig  # first: it puts the shim in place
import pytest
from sim import Blob, Echo, Sink
from sim.at import CLEAN
from target import pattern
from test_status import each_family

BOTH = pytest.mark.parametrize("keeps", (True, False), ids=("heard later", "never heard"))


def blob(rig, n, host="blob.example"):
    """A connection on which n bytes come."""
    return rig.socket(rig.serve(lambda: Blob(pattern(n)), host, 80), timeout=120)


def read_all(s, n):
    got = b""
    while len(got) < n:
        part = s.recv(4096)
        if not part:
            break
        got += part
    return got


@each_family
@BOTH
@pytest.mark.parametrize("ms", (3000, 30_000, 55_000))
@pytest.mark.parametrize("after", (1, 700, 7777))
def test_download_goes_on_after_a_silence(family, keeps, ms, after):
    rig = Rig(family=family)
    s = blob(rig, 12_000)
    rig.vm.hang(ms, keeps, after)
    assert read_all(s, 12_000) == pattern(12_000)
    rig.pump(15_000)
    assert rig.works()


@each_family
@BOTH
@pytest.mark.parametrize("ms", (4000, 50_000))
@pytest.mark.parametrize("form", ("read", "readinto", "readline"))
def test_reader_waits_through_a_silence(family, keeps, ms, form):
    rig = Rig(family=family)
    s = rig.socket(ECHO, 120)
    s.write(b"first line\n")
    rig.vm.hang(ms, keeps)
    buf = bytearray(11)
    call = {"read": lambda: s.read(11), "readinto": lambda: s.readinto(buf) and bytes(buf), "readline": s.readline}
    assert call[form]() == b"first line\n"
    s.write(b"second\n")
    assert s.read(7) == b"second\n"


@each_family
@BOTH
@pytest.mark.parametrize("ms", (2000, 12_000, 30_000))
@pytest.mark.parametrize("at", ("before", "prompt", "payload", "result"))
def test_send_goes_on_after_a_silence(family, keeps, ms, at):
    rig = Rig(family=family)
    s = rig.socket(rig.serve(Sink), None)
    s.write(b"-")
    # How much the module says to a send: the prompt, then the result.
    after = {"before": 0, "prompt": 2, "payload": 4, "result": 9}[at]
    rig.vm.hang(ms, keeps, after)
    data = pattern(3000).replace(b"A", b"B").replace(b"a", b"b")  # no command could be in it
    if at in ("prompt", "payload") and (not keeps or (family in CA and ms > 10_000)):
        return  # the payload is never heard, or not in the module's input time: what became of it is not known
    assert s.write(data) == 3000
    assert s.write(b"end") == 3
    rig.pump(2000)
    assert bytes(rig.connection().received) == b"-" + data + b"end"


@each_family
@BOTH
@pytest.mark.parametrize("ms", (2000, 12_000, 30_000))
@pytest.mark.parametrize("after", (0, 6, 12))
def test_connect_goes_on_after_a_silence(family, keeps, ms, after):
    rig = Rig(family=family)
    s = rig.socket(timeout=None)
    rig.vm.hang(ms, keeps, after)
    s.connect(ECHO)
    s.write(b"hello")
    assert s.read(5) == b"hello"


@each_family
@pytest.mark.parametrize("ms", (2900, 3050, 3300, 3900, 4500))
@pytest.mark.parametrize("seed", (None, 1, 2, 3, 4))
def test_nothing_to_read_is_no_lost_answer(family, ms, seed):
    rig = Rig(seed, family=family, choices={"answers": CLEAN})  # a damaged one might be that to the read
    s = rig.socket(ECHO)
    rig.pump(300)
    rig.vm.urc("+CIPRXGET: 1,0" if family in CIP else "+CADATAIND: 0")  # of what was read already
    rig.clock.sleep_ms(3)
    rig.vm.hang(ms, True)  # it answers the question in the same breath as the read
    rig.pump(ms + 3000)
    s.write(b"hello")
    assert s.read(5) == b"hello"


@each_family
@BOTH
@pytest.mark.parametrize("ms", (12_000, 30_000, 55_000))
def test_idle_connection_outlives_a_silence(family, keeps, ms):
    rig = Rig(family=family)
    s = rig.socket(ECHO, 30)
    rig.vm.hang(ms, keeps)
    rig.pump(ms + 20_000)
    s.write(b"hello")
    assert s.read(5) == b"hello"
    assert s.write(b"x" * 2000) == 2000 and s.read(2000) == b"x" * 2000


@each_family
@BOTH
@pytest.mark.parametrize("ms", (12_000, 30_000))
def test_all_links_go_on(family, keeps, ms):
    rig = Rig(family=family)
    made = [blob(rig, 3000, "host%d.example" % k) for k in range(4)]
    rig.vm.hang(ms, keeps, 1500)
    for s in made:
        assert read_all(s, 3000) == pattern(3000)


@each_family
@BOTH
@pytest.mark.parametrize("ms", (3000, 30_000))
@pytest.mark.parametrize("after", (0, 30, 700, 2000))
def test_pushed_download_goes_on(family, keeps, ms, after):
    rig = Rig(family=family, up=False)
    rig.modem.config(receive="push")
    rig.modem.connect("internet")
    s = rig.socket(rig.serve(lambda: Blob(pattern(4000), after=b"go", close=False)), 120)
    s.write(b"go")
    rig.vm.hang(ms, keeps, after)
    assert s.read(4000) == pattern(4000)
    rig.pump(20_000)
    s.write(b"x")
    assert not s._link.error


@each_family
@BOTH
@pytest.mark.parametrize("ms", (3000, 12_000, 30_000))
@pytest.mark.parametrize("after", (0, 12))
def test_datagram_comes_after_a_silence(family, keeps, ms, after):
    rig = Rig(family=family)
    rig.net.serve(*ECHO, Echo, "UDP")
    s = rig.modem.socket(2, 2)
    s.settimeout(None)
    s.sendto(b"one", ECHO)
    assert s.recv(10) == b"one"
    rig.vm.hang(ms, keeps, after)
    s.sendto(b"two", ECHO)
    assert s.recv(10) == b"two"
    s.sendto(b"three", ECHO)
    assert s.recv(10) == b"three"


@each_family
@BOTH
@pytest.mark.parametrize("ms", (3000, 30_000))
def test_client_of_a_server_goes_on(family, keeps, ms):
    rig = Rig(family=family)
    server = rig.modem.socket()
    server.bind(("", 80))
    server.listen(1)
    peer = rig.dial(80)
    server.settimeout(30)
    s, _ = server.accept()
    s.settimeout(120)
    peer.send(pattern(3000))
    rig.vm.hang(ms, keeps, 300)
    assert s.read(3000) == pattern(3000)
    s.write(b"answer")
    assert peer.recv(6) == b"answer"


# --- what does not come back


@each_family
def test_silence_that_lasts_too_long_is_told(family):
    rig = Rig(family=family)
    s = rig.socket(ECHO, None)
    rig.vm.hang(300_000)
    start = rig.clock.ms
    with pytest.raises(OSError) as caught:
        s.read(1)
    assert caught.value.errno == errno.ETIMEDOUT and "no answer" in caught.value.args[1]
    assert 60_000 <= rig.clock.ms - start < 90_000
    assert not rig.modem.active()


@each_family
@pytest.mark.parametrize("ms", (5000, 200_000))
def test_how_long_is_settable(family, ms):
    rig = Rig(family=family)
    rig.modem.config(silence_ms=ms)
    s = rig.socket(ECHO, None)
    rig.vm.silent = True
    start = rig.clock.ms
    with pytest.raises(OSError):
        s.read(1)
    assert ms <= rig.clock.ms - start < ms + 35_000


@pytest.mark.parametrize("value", (0, 999, "1", None, 1.5, 1 << 29))
def test_no_such_silence(value):
    with pytest.raises((ValueError, TypeError)):
        Rig().modem.config(silence_ms=value)


@each_family
@pytest.mark.parametrize("call", ("recv", "write"))
def test_time_out_of_a_socket_holds_and_says_who_is_silent(family, call):
    rig = Rig(family=family)
    s = rig.socket(ECHO, 20)
    rig.vm.hang(40_000)
    start = rig.clock.ms
    with pytest.raises(OSError) as caught:
        s.recv(1) if call == "recv" else s.write(b"x" * 100)
    assert caught.value.errno == errno.ETIMEDOUT and "the module is silent" in caught.value.args[1]
    assert 20_000 <= rig.clock.ms - start <= 20_100
    quiet = Rig(family=family)
    s = quiet.socket(ECHO, 5)
    with pytest.raises(OSError) as caught:
        s.recv(1)
    assert "silent" not in caught.value.args[1]


@each_family
@pytest.mark.parametrize("how", ("boot lines", "no boot lines"))
@pytest.mark.parametrize("what", ("reading", "writing", "idle"))
def test_restart_during_a_silence_is_found_by_asking(family, how, what):
    rig = Rig(family=family, **({} if how == "boot lines" else {"boot_lines": ()}))
    s = rig.socket(ECHO, None)
    rig.vm.hang(100_000)
    rig.clock.after_ms(20_000, rig.vm.restart)
    start = rig.clock.ms
    with pytest.raises(OSError) as caught:
        if what == "reading":
            s.recv(1)
        elif what == "writing":
            s.write(b"x" * 3000)
        else:
            rig.pump(60_000)
            s.recv(1)
    assert caught.value.errno in (errno.ECONNABORTED, errno.ENOTCONN)
    assert rig.clock.ms - start < 85_000
    rig.modem.connect("internet")
    assert rig.works()


@each_family
@pytest.mark.parametrize("way", ("connect", "active", "recover"))
def test_module_without_a_pin_comes_back(family, way):
    rig = Rig(family=family, modem_args={"pwrkey": None})
    s = rig.socket(ECHO, None)
    rig.vm.hang(120_000, False)
    with pytest.raises(OSError):
        s.read(1)
    rig.clock.sleep_ms(60_000)
    if way == "recover":
        rig.modem.recover()
    else:
        if way == "active":
            rig.modem.active(True)
        rig.modem.connect("internet")
    assert rig.works()


@each_family
@pytest.mark.parametrize("receive", ("buffer", "push"))
@pytest.mark.parametrize("count", (1, 2, 6, 8, 9, 12, 18, 20, 24, 38))
def test_lost_bytes_are_told_from_a_silence(family, receive, count):
    # What the module answers when it is asked whether it is there must not pass for the bytes that are missing.
    rig = Rig(family=family, up=False)
    rig.modem.config(receive=receive)
    rig.modem.connect("internet")
    s = rig.socket(rig.serve(Sink), 30)
    feed = rig.uart.feed

    def losing(data, baud=None):
        at = data.find(pattern(1000)[500:510])
        return feed(data if at < 0 else data[:at] + data[at + count :], baud)

    rig.uart.feed = losing
    start = rig.clock.ms
    got = b""
    with pytest.raises(OSError) as caught:
        rig.connection().write(pattern(1000))
        while True:
            got += s.recv(1000)
    assert caught.value.errno == errno.EIO and pattern(1000).startswith(got) and len(got) <= 500
    assert rig.clock.ms - start < 4000


def gap(rig, text, ms):
    """From the next output with this text on nothing reaches us for so long."""
    feed = rig.uart.feed
    ends = []

    def change(block, baud=None):
        if not ends and text in block:
            ends.append(rig.clock.ms + ms)
        return feed(b"" if ends and rig.clock.ms < ends[0] else block, baud)

    rig.uart.feed = change


@pytest.mark.parametrize("family", CIP + CA)
@pytest.mark.parametrize("ms", (20, 2000, 3500, 9000))
def test_announced_bytes_whose_answer_is_lost_are_no_silence(family, ms):
    rig = Rig(family=family)
    s = rig.socket(ECHO, None)  # or its time-out would end the waiting
    s.write(b"first")
    assert s.read(5) == b"first"
    rig.pump(2000)
    gap(rig, b"second", ms)
    with pytest.raises(OSError) as caught:
        s.write(b"second")
        s.read(6)
    assert caught.value.errno in (errno.ETIMEDOUT, errno.ECONNRESET)
    with pytest.raises(OSError):
        s.read(1)
    assert rig.works()
