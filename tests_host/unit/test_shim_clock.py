"""The virtual clock and the ticks that follow it."""

import time

import pytest
import shim
import shim.clock

shim.install()


@pytest.fixture(autouse=True)
def fresh():
    shim.reset()


def test_events_run_in_order_of_time_then_of_entry():
    clock, seen = shim.clock.clock, []
    clock.after_ms(20, lambda: seen.append("c"))
    clock.after_ms(10, lambda: seen.append("a"))
    clock.after_ms(10, lambda: seen.append("b"))
    clock.sleep_ms(15)
    assert seen == ["a", "b"]
    clock.sleep_ms(5)
    assert seen == ["a", "b", "c"]


def test_an_event_sees_its_own_time():
    clock, seen = shim.clock.clock, []
    clock.after_ms(10, lambda: clock.after_ms(5, lambda: seen.append(clock.ms)))
    clock.sleep_ms(100)
    assert seen == [15]


def test_a_cancelled_event_never_runs():
    clock, seen = shim.clock.clock, []
    clock.cancel(clock.after_ms(1, lambda: seen.append(1)))
    clock.sleep_ms(10)
    assert not seen and clock.next_due() is None


def test_ticks_ms_wraps_ten_seconds_after_the_start():
    start = time.ticks_ms()
    time.sleep_ms(9_999)
    assert time.ticks_ms() == 2**30 - 1
    time.sleep_ms(2)
    assert time.ticks_ms() == 1
    assert time.ticks_diff(time.ticks_ms(), start) == 10_001
    assert time.ticks_diff(start, time.ticks_ms()) == -10_001


def test_ticks_add_wraps_too():
    assert time.ticks_add(2**30 - 1, 2) == 1
    assert time.ticks_add(1, -2) == 2**30 - 1


def test_ticks_us_follows_the_same_clock():
    before = time.ticks_us()
    time.sleep_us(300)
    assert time.ticks_diff(time.ticks_us(), before) == 300


def test_a_wait_stops_at_the_change_that_it_waits_for():
    clock, seen = shim.clock.clock, []
    clock.after_ms(3, lambda: seen.append(1))
    clock.after_ms(9, lambda: seen.append(2))
    assert clock.wait(lambda: seen, clock.now_us + 75e6)
    assert clock.ms == 3 and seen == [1]


def test_a_wait_ends_at_its_deadline():
    clock = shim.clock.clock
    assert not clock.wait(lambda: False, clock.now_us + 75e6)
    assert clock.ms == 75_000


def test_waiting_for_nothing_is_an_error_instead_of_a_hang():
    with pytest.raises(RuntimeError, match="would wait for ever"):
        shim.clock.clock.wait(lambda: False)


def test_install_twice_changes_nothing():
    ticks = time.ticks_ms
    shim.install()
    assert time.ticks_ms is ticks


def test_the_real_clock_runs_events_while_it_sleeps():
    clock, seen = shim.clock.RealClock(), []
    clock.after_ms(2, lambda: seen.append(clock.ms))
    begin = time.monotonic()
    clock.sleep_ms(5)
    assert seen and seen[0] >= 2
    assert time.monotonic() - begin >= 0.005


def test_micropython_names_are_there():
    import micropython

    assert micropython.const(7) == 7
    assert micropython.native(len) is len
    micropython.heap_lock()
    micropython.heap_unlock()
    with pytest.raises(AttributeError):
        _ = micropython.no_such_name
