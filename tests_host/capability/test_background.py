"""Pumping from a timer: what it does for a program that does not call, and that it may strike anywhere."""

import errno
import gc
import random
import sys
import time

from families import CIP, FAMILIES
import pytest
import rig

import simcom
from sim import Blob, Echo

LIB = simcom.__file__.rpartition("/")[0]


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
    first = r.modem.parts["timer"]
    r.modem.background(50)
    assert first._event is None and r.modem.parts["timer"]._event is not None
    assert r.works()


class Striking:
    """While it is entered the modem is pumped between the bytecodes of the library, at random, as by a soft timer."""

    def __init__(self, modem, seed, share=0.01):
        modem.background(1000)
        self.modem = modem
        self.random = random.Random(seed)
        self.share = share
        self.times = 0
        self._inside = False

    def __enter__(self):
        gc.disable()  # what an earlier test has left, a generator say, would be run, and struck, inside a bytecode
        sys.settrace(self._call)

    def __exit__(self, *_):
        sys.settrace(None)
        gc.enable()

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
                for _ in range(5):  # other programs' time passes too
                    time.sleep_ms(4)
                    self.modem.pump()
            finally:
                self._inside = False
        return self._step


MSG_PEEK = 1

families = pytest.mark.parametrize("family", FAMILIES)
each_cip = pytest.mark.parametrize("family", CIP)
seeds = pytest.mark.parametrize("seed", range(3))


def two_streams(r, seed, size):
    """Echoes of random bytes on two sockets that do not block, while the timer strikes."""
    sockets = r.socket(rig.ECHO), r.socket(rig.ECHO)
    striking = Striking(r.modem, seed)
    data = {s: random.Random(seed).randbytes(size + n) for n, s in enumerate(sockets)}
    sent = dict.fromkeys(sockets, 0)
    got = dict.fromkeys(sockets, b"")
    for s in sockets:
        s.setblocking(False)
    with striking:
        while sum(map(len, got.values())) < 2 * size + 1:
            for s in sockets:
                piece = striking.random.randrange(1, 400)
                sent[s] += s.write(data[s][sent[s] : sent[s] + piece]) or 0
                got[s] += s.read(striking.random.randrange(1, 500)) or b""
            r.modem.wait()
        for s in sockets:
            s.settimeout(30)
            s.close()
    assert got == data
    assert striking.times > 100
    assert not any(r.modem.links.slots)


@families
@seeds
@pytest.mark.parametrize("nodelay", [True, False])
def test_it_may_strike_between_any_two_bytecodes(family, seed, nodelay):
    r = rig.Rig(seed, family=family)
    simcom.install(r.modem, nodelay=nodelay)
    try:
        two_streams(r, seed, 6000)
    finally:
        simcom.install(None)


@families
@seeds
def test_it_may_strike_while_bytes_are_pushed(family, seed):
    r = rig.Rig(seed, family=family, up=False)
    r.modem.config(receive="push")
    r.modem.connect("internet")
    two_streams(r, seed, 3000)


@families
@seeds
@pytest.mark.parametrize("timeout", [30, 0])
def test_it_may_strike_among_datagrams(family, seed, timeout):
    r = rig.Rig(seed, family=family)
    here = ("udp.example", 7)
    r.net.serve(*here, Echo, "UDP")
    s = r.modem.socket(2, 2)
    s.settimeout(timeout)
    striking = Striking(r.modem, seed)

    def soon(work, *args):
        while True:
            try:
                return work(*args)
            except OSError as e:
                assert e.errno == errno.EAGAIN, e
            r.modem.wait()

    with striking:
        for _ in range(40):
            data = striking.random.randbytes(striking.random.randrange(1, 300))
            soon(s.sendto, data, here)
            assert soon(s.recvfrom, 1000) == (data, here)
        s.settimeout(30)
        s.close()
    assert striking.times > 100
    assert not any(r.modem.links.slots)


@families
@seeds
def test_it_may_strike_among_clients(family, seed):
    r = rig.Rig(seed, family=family)
    s = r.modem.socket()
    s.settimeout(60)
    striking = Striking(r.modem, seed, 0.005)
    with striking:
        s.bind(("", 8080))
        s.listen(2)
        for n in range(12):
            peer = r.dial(8080)
            data = striking.random.randbytes(striking.random.randrange(1, 3000))
            peer.send(data)
            c, _ = s.accept()
            c.settimeout(30)
            assert c.read(len(data)) == data
            c.write(data[::-1])
            assert peer.recv(len(data)) == data[::-1]
            if n % 2:
                peer.close()
                assert c.read(1) == b""
            c.close()
        s.close()
    assert striking.times > 100
    r.modem.flush()
    assert not any(r.modem.links.slots)


@families
@seeds
def test_it_may_strike_in_data_mode(family, seed):
    r = rig.Rig(seed, family=family)
    striking = Striking(r.modem, seed)
    with striking:
        t = r.modem.transparent(rig.ECHO)
        t.settimeout(60)
        for _ in range(10):
            data = striking.random.randbytes(300)
            t.write(data)
            assert t.read(300) == data
        t.close()
    assert striking.times > 100
    assert r.works()


@families
@seeds
def test_it_may_strike_in_a_read_that_waits(family, seed):
    r = rig.Rig(seed, family=family)
    data = random.Random(seed).randbytes(20_000)
    s = r.socket(r.serve(lambda: Blob(data)), 60)
    striking = Striking(r.modem, seed, 0.03)
    with striking:
        got = s.read()
        s.close()
    assert got == data
    assert striking.times > 100


@families
@seeds
def test_it_may_strike_in_a_look_at_what_is_there(family, seed):
    r = rig.Rig(seed, family=family)
    r.patience(36_000_000)  # each look loads a file, and the timer strikes at every third bytecode of it
    data = random.Random(seed).randbytes(10_000)
    s = r.socket(r.serve(lambda: Blob(data)), 60)
    striking = Striking(r.modem, seed, 0.3)
    got = b""
    with striking:
        while len(got) < len(data):
            look = s.recv(400, MSG_PEEK)
            assert s.recv(len(look)) == look
            got += look
        s.close()
    assert got == data
    assert striking.times > 100


@pytest.mark.parametrize("seed", range(30))
def test_it_may_strike_while_a_file_is_loaded(seed):
    r = rig.Rig(seed, up=False, on=False)
    striking = Striking(r.modem, seed, 0.05)
    r.modem.connect("internet", timeout_ms=0)
    with striking:
        for _ in range(40):
            r.modem.active()
            r.modem.status()
            r.modem.flush(0)
    while not r.modem.bringup.done:
        r.modem.wait()
    assert r.modem.isconnected()
    assert striking.times > 50
    assert r.works()
