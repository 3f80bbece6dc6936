"""select.poll with MicroPython's semantics."""

import errno
import os
import sys
import threading

import pytest
import shim

shim.install()

import machine  # noqa: E402
import select  # noqa: E402
import shim.clock  # noqa: E402


@pytest.fixture(autouse=True)
def fresh():
    shim.reset()


class Stream:
    """A stream written in Python."""

    def __init__(self, bits):
        self.bits, self.asked = bits, 0

    def ioctl(self, request, arg):
        self.asked += 1
        return self.bits() if callable(self.bits) else self.bits


def poll_of(obj, mask):
    poll = select.poll()
    poll.register(obj, mask)
    return poll


def test_the_proxy_keeps_the_rest_of_the_module():
    import selectors

    assert select.POLLIN == 1 and callable(select.select)
    assert selectors.PollSelector._selector_cls is not select.poll
    assert sys.modules["uselect"] is select


def test_poll_wakes_when_the_byte_arrives():
    uart = machine.UART(1, 115200)
    poll = poll_of(uart, select.POLLIN)
    shim.clock.clock.after_ms(20, lambda: uart.feed(b"x"))
    assert poll.poll(75_000) == [(uart, select.POLLIN)]
    assert shim.clock.clock.ms == 20


def test_poll_ends_at_its_time_out():
    poll = poll_of(machine.UART(1), select.POLLIN)
    assert poll.poll(75_000) == []
    assert 75_000 <= shim.clock.clock.ms <= 75_001


def test_ipoll_zero_looks_once():
    stream = Stream(0)
    assert list(poll_of(stream, 1).ipoll(0)) == []
    assert stream.asked == 1 and shim.clock.clock.ms == 0


def test_waiting_for_ever_on_a_silent_uart_is_an_error():
    with pytest.raises(RuntimeError, match="would wait for ever"):
        poll_of(machine.UART(1), select.POLLIN).poll()


def test_waiting_for_ever_on_a_silent_stream_is_an_error():
    with pytest.raises(RuntimeError, match="would wait for ever"):
        poll_of(Stream(0), select.POLLIN).poll(-1)


def test_a_stream_that_changes_with_time_is_asked_every_millisecond():
    clock = shim.clock.clock
    stream = Stream(lambda: 1 if clock.ms >= 50 else 0)
    assert poll_of(stream, 1).poll(-1) == [(stream, 1)]
    assert clock.ms == 50


def test_bits_that_were_not_asked_for_are_reported():
    stream = Stream(select.POLLHUP)
    assert poll_of(stream, select.POLLIN).poll(0) == [(stream, select.POLLHUP)]


def test_a_negative_answer_is_an_error():
    with pytest.raises(OSError) as caught:
        poll_of(Stream(-errno.EINVAL), 1).poll(0)
    assert caught.value.errno == errno.EINVAL


def test_modify_needs_a_known_object_and_unregister_does_not():
    stream, poll = Stream(1), select.poll()
    with pytest.raises(OSError) as caught:
        poll.modify(stream, 1)
    assert caught.value.errno == errno.ENOENT
    poll.unregister(stream)
    poll.register(stream, 1)
    poll.unregister(stream)
    assert poll.poll(0) == []


def test_one_shot_takes_the_mask_away():
    uart = machine.UART(1)
    poll = poll_of(uart, select.POLLOUT)
    assert list(poll.ipoll(0, 1)) == [(uart, select.POLLOUT)]
    assert poll.poll(0) == []


def test_real_descriptors_work_beside_streams():
    reader, writer = os.pipe()
    stream = Stream(4)
    poll = poll_of(stream, 4)
    poll.register(reader, select.POLLIN)
    assert poll.poll(0) == [(stream, 4)]
    os.write(writer, b"x")
    assert sorted(poll.poll(0), key=repr) == sorted([(stream, 4), (reader, select.POLLIN)], key=repr)
    os.close(reader)
    os.close(writer)


def test_descriptors_alone_are_waited_for_in_real_time():
    reader, writer = os.pipe()
    poll = poll_of(reader, select.POLLIN)
    threading.Timer(0.02, os.write, (writer, b"x")).start()
    assert poll.poll(60_000) == [(reader, select.POLLIN)]
    assert shim.clock.clock.ms == 0
    os.close(reader)
    os.close(writer)


def test_on_the_real_clock_a_descriptor_wakes_the_poll(monkeypatch):
    monkeypatch.setattr(shim.clock, "clock", shim.clock.RealClock())
    reader, writer = os.pipe()
    poll = poll_of(reader, select.POLLIN)
    assert poll.poll(5) == []
    shim.clock.clock.after_ms(5, lambda: os.write(writer, b"x"))
    assert poll.poll(2000) == [(reader, select.POLLIN)]
    assert shim.clock.clock.ms < 1000
    os.close(reader)
    os.close(writer)
