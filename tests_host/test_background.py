"""Pumping from a timer: what it does for a program that does not call, and that it may strike anywhere."""

import random
import sys
import time

import pytest
import rig

import simcom

LIB = simcom.__file__.rpartition("/")[0]
FAMILIES = ("sim800", "sim7000", "sim7028", "a76xx")


def test_without_it_held_bytes_wait_and_with_it_they_go_out():
    r = rig.Rig()
    simcom.install(r.modem, nodelay=False)
    try:
        s = r.socket(rig.ECHO)
    finally:
        simcom.install(None)
    sends = [line for line in r.sent if "CIPSEND=" in line]
    s.write(b"held")
    time.sleep_ms(2000)
    assert [line for line in r.sent if "CIPSEND=" in line] == sends
    r.modem.background(20)
    time.sleep_ms(2000)
    assert len([line for line in r.sent if "CIPSEND=" in line]) == len(sends) + 1
    assert s.read(4) == b"held"
    r.modem.background(0)
    commands = len(r.sent)
    time.sleep_ms(30_000)
    assert len(r.sent) == commands


def test_started_twice_is_one_timer():
    r = rig.Rig()
    r.modem.background(20)
    first = r.modem.timer
    r.modem.background(50)
    assert first._event is None and r.modem.timer._event is not None
    assert r.works()


class Striking:
    """Calls `strike` between the bytecodes of the library, at random: what a soft timer can do."""

    def __init__(self, strike, seed, share):
        self.random = random.Random(seed)
        self.strike = strike
        self.share = share
        self.times = 0
        self._inside = False

    def __enter__(self):
        sys.settrace(self._call)

    def __exit__(self, *_):
        sys.settrace(None)

    def _call(self, frame, event, _):
        if self._inside or not frame.f_code.co_filename.startswith(LIB):
            return None
        frame.f_trace_opcodes = True
        return self._step

    def _step(self, frame, event, _):
        if not self._inside and self.random.random() < self.share:
            self._inside = True
            self.times += 1
            try:
                self.strike(None)
            finally:
                self._inside = False
        return self._step


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("nodelay", [True, False])
def test_it_may_strike_between_any_two_bytecodes(family, seed, nodelay):
    r = rig.Rig(seed, family=family)
    simcom.install(r.modem, nodelay=nodelay)
    try:
        a, b = r.socket(rig.ECHO), r.socket(rig.ECHO)
    finally:
        simcom.install(None)
    r.modem.background(1000)
    data = {s: random.Random(seed).randbytes(6000 + n) for n, s in enumerate((a, b))}
    sent = {a: 0, b: 0}
    got = {a: b"", b: b""}

    def strike(_):
        for _ in range(5):  # other programs' time passes too
            time.sleep_ms(4)
            r.modem.pump()

    shaken = Striking(strike, seed, 0.01)
    for s in (a, b):
        s.setblocking(False)
    with shaken:
        while len(got[a]) + len(got[b]) < 12_001:
            for s in (a, b):
                piece = shaken.random.randrange(1, 400)
                sent[s] += s.write(data[s][sent[s] : sent[s] + piece]) or 0
                got[s] += s.read(shaken.random.randrange(1, 500)) or b""
            r.modem.wait()
        for s in (a, b):
            s.settimeout(30)
            s.close()
    assert got == data
    assert shaken.times > 200
    assert not any(r.modem.links.slots)
