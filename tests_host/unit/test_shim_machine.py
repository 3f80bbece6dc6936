"""Pins, timers and idling."""

import pytest
import shim

shim.install()

import machine  # noqa: E402
import shim.clock  # noqa: E402


@pytest.fixture(autouse=True)
def fresh():
    shim.reset()


def test_a_pin_remembers_its_levels_with_their_time():
    pin = machine.Pin(4, machine.Pin.OUT, value=1)
    shim.clock.clock.sleep_ms(100)
    pin(0)
    shim.clock.clock.sleep_ms(1000)
    pin.on()
    assert pin.history == [(0, 1), (100, 0), (1100, 1)]
    assert pin.value() == 1


def test_pins_with_one_number_are_one_pin():
    machine.Pin(4, machine.Pin.OUT).value(1)
    assert machine.Pin(4).value() == 1
    assert machine.Pin(5).value() == 0


def test_a_fresh_test_has_fresh_pins():
    machine.Pin(4, machine.Pin.OUT, value=1)
    shim.reset()
    assert machine.Pin(4).value() == 0 and machine.Pin(4).history == []


def test_an_input_is_not_driven_by_value():
    pin = machine.Pin(4, machine.Pin.IN, machine.Pin.PULL_UP)
    pin.value(0)
    assert pin.value() == 1
    pin.drive(0)
    assert pin.value() == 0


def test_watchers_and_interrupts_hear_changes_only():
    pin, seen = machine.Pin(4, machine.Pin.OUT), []
    pin.watch(seen.append)
    pin.irq(lambda which: seen.append("irq"), machine.Pin.IRQ_FALLING)
    pin.on()
    pin.on()
    pin.off()
    assert seen == [1, 0, "irq"]


def test_idle_lasts_until_the_next_event_or_a_millisecond():
    clock, seen = shim.clock.clock, []
    begin = clock.now_us
    machine.idle()
    assert clock.now_us - begin == 1000
    clock.after(300, lambda: seen.append(1))
    machine.idle()
    assert clock.now_us - begin == 1300 and seen


def test_idle_wakes_for_a_byte():
    uart = machine.UART(1, 115200)
    uart.feed(b"x")
    machine.idle()
    assert uart.any() == 1 and shim.clock.clock.ms == 0


def test_a_timer_fires_until_it_is_stopped():
    seen: list = []
    timer = machine.Timer(-1, period=10, callback=seen.append)
    shim.clock.clock.sleep_ms(35)
    timer.deinit()
    shim.clock.clock.sleep_ms(100)
    assert seen == [timer] * 3


def test_lightsleep_is_a_wait():
    machine.lightsleep(500)
    assert shim.clock.clock.ms == 500
