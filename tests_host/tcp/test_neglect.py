"""A program that does not call for days: ticks go round every 12.4 days; what is older than 6.2 seems to lie ahead."""

import errno

from rig import ECHO, Rig  # first: it puts the shim in place
import pytest
from sim import Blob, Sink
from target import pattern
from test_status import each_family

DAY_MS = 24 * 3600 * 1000
each_pause = pytest.mark.parametrize("days", (1, 6.5, 7, 10, 12.2, 13, 20, 25))


def neglect(rig, days, patience_ms):
    """Nobody calls for so many days; then so much patience is left."""
    rig.patience(2 * 30 * DAY_MS)
    rig.clock.sleep_ms(int(days * DAY_MS))
    rig.patience(patience_ms)


@each_family
@each_pause
@pytest.mark.parametrize("timeout", (None, 30))
def test_read_on_a_module_that_is_dead_since(family, days, timeout):
    rig = Rig(family=family)
    s = rig.socket(rig.serve(Sink), timeout)
    rig.pump(3000)
    rig.vm.power_cut()
    neglect(rig, days, 200_000)
    with pytest.raises(OSError) as caught:
        s.recv(1)
    assert caught.value.errno == errno.ETIMEDOUT


@each_family
@each_pause
def test_connection_goes_on_after_days(family, days):
    rig = Rig(family=family)
    s = rig.socket(ECHO)
    s.write(b"before")
    assert s.read(6) == b"before"
    neglect(rig, days, 200_000)
    s.write(b"behind")
    assert s.read(6) == b"behind"
    assert rig.works()


@each_family
@each_pause
def test_what_came_meanwhile_is_read(family, days):
    rig = Rig(family=family)
    s = rig.socket(rig.serve(lambda: Blob(pattern(5000), after=b"go")), 30)
    s.write(b"go")
    neglect(rig, days, 200_000)
    assert s.read() == pattern(5000)


@each_family
@each_pause
def test_write_that_was_under_way(family, days):
    rig = Rig(family=family)
    s = rig.socket(rig.serve(Sink), 0)
    s.write(b"x" * 500)
    rig.vm.silent = True
    neglect(rig, days, 400_000)
    s.settimeout(None)
    with pytest.raises(OSError):
        for _ in range(30):
            s.write(b"y" * 500)
