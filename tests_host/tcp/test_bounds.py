"""How long each call that waits may take, and that it feeds a watchdog meanwhile."""

import errno

from rig import ECHO, Rig  # first: it puts the shim in place
from families import CIP, FAMILIES
import pytest
import time

from sim import Echo

MORE_MS = 100  # a time-out holds, and so much

each_family = pytest.mark.parametrize("family", FAMILIES)
each_cip = pytest.mark.parametrize("family", CIP)


def listening(rig):
    s = rig.socket(timeout=2)
    s.bind(("", 80))
    s.listen()
    return s


def datagrams(rig):
    rig.net.serve(*ECHO, Echo, "UDP")
    return rig.modem.socket(2, 2)


def socket_of(rig):
    return rig.socket(ECHO, timeout=2)


# What is called, its bound in ms, and what it needs before the module goes silent. README and docstrings tell the same.
BLOCKING = {
    "at": (100, None, lambda rig, _: rig.modem.at("+CSQ", timeout_ms=100)),
    "at, without a time-out": (156_000, None, lambda rig, _: rig.modem.at("+CSQ")),
    "status": (100, None, lambda rig, _: rig.modem.status("rssi", timeout_ms=100)),
    "status, without a time-out": (30_000, None, lambda rig, _: rig.modem.status("links")),
    "config, asked": (100, None, lambda rig, _: rig.modem.config("imei", timeout_ms=100)),
    "config, set": (100, None, lambda rig, _: rig.modem.config(receive="hex", timeout_ms=100)),
    "config, without a time-out": (30_000, None, lambda rig, _: rig.modem.config(acknowledge=True)),
    "resolve": (100, None, lambda rig, _: rig.modem.resolve("echo.example", timeout_ms=100)),
    "settle": (100, None, lambda rig, _: rig.modem.settle(100)),
    "settle, without a time-out": (10_000, None, lambda rig, _: rig.modem.settle()),
    "flush": (100, socket_of, lambda rig, s: (s.setblocking(False), s.write(b"x"), rig.modem.flush(100))),
    "disconnect": (100, None, lambda rig, _: rig.modem.disconnect(timeout_ms=100)),
    "disconnect, without a time-out": (150_000, None, lambda rig, _: rig.modem.disconnect()),
    "reset": (1000, None, lambda rig, _: rig.modem.reset(timeout_ms=1000)),
    "recover": (1000, None, lambda rig, _: rig.modem.recover(timeout_ms=1000)),
    "active(False)": (1000, None, lambda rig, _: rig.modem.active(False, timeout_ms=1000)),
    "connect, socket": (2000, lambda rig: rig.socket(timeout=2), lambda rig, s: s.connect(ECHO)),
    "write": (2000, socket_of, lambda rig, s: s.write(bytes(3000))),
    "send": (2000, socket_of, lambda rig, s: s.send(bytes(3000))),
    "read": (2000, socket_of, lambda rig, s: s.read(100)),
    "recv": (2000, socket_of, lambda rig, s: s.recv(100)),
    "readinto": (2000, socket_of, lambda rig, s: s.readinto(bytearray(100))),
    "readline": (2000, socket_of, lambda rig, s: s.readline()),
    "close": (10_000, socket_of, lambda rig, s: s.close()),
    "setsockopt": (30_000, socket_of, lambda rig, s: s.setsockopt(1, 8, 1)),
    "listen": (2000, lambda rig: rig.socket(timeout=2), lambda rig, s: (s.bind(("", 81)), s.listen())),
    "accept": (2000, listening, lambda rig, s: s.accept()),
    "close, server": (10_000, listening, lambda rig, s: s.close()),
    "sendto": (32_000, datagrams, lambda rig, s: (s.settimeout(2), s.sendto(b"x", ECHO))),
    "transparent": (2000, None, lambda rig, _: rig.modem.transparent(ECHO, timeout_ms=2000)),
}


def busy(rig):
    """The worst moment: the module has just been given a command that may take a minute, and hangs."""
    rig.vm.silent = True
    rig.modem.start(step for step in [(b"AT+CIPSHUT" if rig.family in FAMILIES[:2] else b"AT+NETCLOSE", 65_000)])
    rig.modem.pump()
    assert rig.modem.channel.busy


@each_family
@pytest.mark.parametrize("call", BLOCKING)
def test_call_ends_in_its_time_behind_a_command_that_is_never_answered(family, call):
    bound_ms, before, work = BLOCKING[call]
    rig = Rig(family=family)
    made = before(rig) if before else None
    busy(rig)
    start = rig.clock.ms
    try:
        work(rig, made)
    except OSError:
        pass
    assert rig.clock.ms - start <= bound_ms + MORE_MS


@each_cip
@pytest.mark.parametrize("call", BLOCKING)
def test_watchdog_is_fed_while_a_call_waits(family, call):
    _, before, work = BLOCKING[call]
    rig = Rig(family=family)
    made = before(rig) if before else None
    busy(rig)
    fed = [rig.clock.ms]
    rig.modem.on_wait = lambda: fed.append(rig.clock.ms)
    try:
        work(rig, made)
    except OSError:
        pass
    fed.append(rig.clock.ms)
    assert max(b - a for a, b in zip(fed, fed[1:])) <= 100
    assert len(fed) > 3


@each_family
def test_watchdog_is_fed_from_power_to_context_and_through_a_download(family):
    rig = Rig(family=family, on=False, powered=False, register_ms=60_000)
    fed = [rig.clock.ms]
    rig.modem.on_wait = lambda: fed.append(rig.clock.ms)
    rig.modem.active(True)
    rig.modem.connect("internet")
    s = rig.socket(ECHO)
    s.write(bytes(20_000))
    assert s.read(20_000) == bytes(20_000)
    s.close()
    assert rig.clock.ms > 60_000
    assert max(b - a for a, b in zip(fed, fed[1:])) <= 100


@each_family
def test_watchdog_is_fed_while_a_socket_without_a_time_out_waits_for_hours(family):
    rig = Rig(family=family)
    s = rig.socket(ECHO, timeout=None)
    rig.patience(10_000_000)
    fed = [rig.clock.ms]
    rig.modem.on_wait = lambda: fed.append(rig.clock.ms)
    rig.clock.after_ms(2 * 3_600_000, lambda: rig.connection().write(b"at last"))
    assert s.read(7) == b"at last"
    assert rig.clock.ms > 2 * 3_600_000
    assert max(b - a for a, b in zip(fed, fed[1:])) <= 100


@each_family
@pytest.mark.parametrize("ms", [60_000, 300_000])
def test_watchdog_is_fed_until_a_silent_module_is_given_up(family, ms):
    rig = Rig(family=family)
    rig.modem.config(silence_ms=ms)
    s = rig.socket(ECHO, timeout=None)
    rig.vm.silent = True
    begin = rig.clock.ms
    fed = [begin]
    rig.modem.on_wait = lambda: fed.append(rig.clock.ms)
    with pytest.raises(OSError) as caught:
        s.read(1)
    assert caught.value.errno == errno.ETIMEDOUT
    assert ms < rig.clock.ms - begin < ms + 60_000
    assert max(b - a for a, b in zip(fed, fed[1:] + [rig.clock.ms])) <= 100


@each_family
def test_watchdog_is_not_fed_by_a_wait_that_never_ends(family):
    rig = Rig(family=family)
    fed = []
    rig.modem.on_wait = lambda: fed.append(rig.clock.ms)
    begin = rig.clock.ms
    start = time.ticks_ms()
    for _ in range(1000):  # a wait of 5 s that does not see its end
        rig.modem.wait(20, start, 5000)
    assert begin + 5000 <= fed[-1] <= begin + 6020 < rig.clock.ms


@each_family
def test_timer_feeds_no_watchdog(family):
    import machine

    rig = Rig(family=family)
    fed = []
    rig.modem.on_wait = lambda: fed.append(rig.clock.ms)
    if not hasattr(machine, "Timer"):
        pytest.skip("the shim has no timers")
    rig.modem.background(50)
    rig.clock.sleep_ms(1000)
    rig.modem.background(0)
    assert fed == []


@each_cip
@pytest.mark.parametrize("param", ["rssi", "links"])
def test_question_that_does_not_wait(family, param):
    rig = Rig(family=family)
    want = rig.modem.status(param)
    start = rig.clock.ms
    task = rig.modem.status(param, timeout_ms=0)
    assert rig.clock.ms == start and not task.done
    rig.pump(500)
    assert task.done and task.result == want and task.error is None


@each_family
def test_disconnect_that_does_not_wait(family):
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    task = rig.modem.disconnect(timeout_ms=0)
    rig.pump(15_000)
    assert task.done and task.error is None and not rig.modem.isconnected()
    with pytest.raises(OSError) as caught:
        s.write(b"x")
    assert caught.value.args[0] in (errno.ENOTCONN, errno.ECONNABORTED)
    rig.modem.connect("internet")
    assert rig.works()
