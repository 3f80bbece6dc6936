"""On rp2 poll() asks a socket again after an interrupt only, and time alone makes none."""

import sys

from rig import ECHO, Rig  # first: it puts the shim in place
import pytest
import select
from sim import Sink
from sim.faults import Faulty
from test_status import each_family


@pytest.fixture(autouse=True)
def rp2(monkeypatch):
    monkeypatch.setattr(sys, "platform", "rp2")


def flags(s, mask, ms):
    poller = select.poll()
    poller.register(s, mask)
    return [bits for _, bits in poller.poll(ms)]


@each_family
def test_notice_of_data_that_is_lost(family):
    rig = Rig(family=family, wrap=Faulty)
    s = rig.socket(rig.serve(Sink))
    rig.pump(100)
    rig.port.drop("rx", rig.port.offset["rx"], len("\r\n+CIPRXGET: 1,0\r\n"))
    rig.connection().write(b"hello")
    assert flags(s, select.POLLIN, 20000) == [select.POLLIN]
    assert s.recv(10) == b"hello"


@each_family
def test_module_that_falls_silent(family):
    rig = Rig(family=family)
    s = rig.socket(rig.serve(Sink))
    rig.vm.power_cut()
    assert flags(s, select.POLLIN, 300_000) == [select.POLLIN | select.POLLERR]


@each_family
def test_number_whose_peer_closed_before(family):
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    rig.connection().close()
    assert s.recv(1) == b""
    s.close()
    rig.modem.disconnect()
    rig.modem.connect("internet")
    s = rig.socket(timeout=0)
    with pytest.raises(OSError):
        s.connect(ECHO)
    assert flags(s, select.POLLOUT, 2000) == [select.POLLOUT]


@each_family
def test_nothing_beats_once_the_module_is_off(family):
    rig = Rig(family=family)
    assert rig.modem.beat._event
    rig.modem.active(False)
    assert not rig.modem.beat._event
    rig.modem.active(True)
    assert rig.modem.beat._event
