"""Faults between a UART and its user."""

import pytest
import shim

shim.install()

import machine  # noqa: E402
import select  # noqa: E402
import shim.clock  # noqa: E402
from sim.faults import Faulty  # noqa: E402


@pytest.fixture
def wires():
    shim.reset()
    uart = machine.UART(1, 115200, rxbuf=4096, txbuf=4096)
    return uart, Faulty(uart)


def read_all(faulty, ms=50):
    got = bytearray()
    for _ in range(ms):
        shim.clock.clock.sleep_ms(1)
        while faulty.any():
            got += faulty.read(faulty.any())
    return bytes(got)


def test_without_faults_everything_passes(wires):
    uart, faulty = wires
    uart.feed(bytes(range(256)))
    assert read_all(faulty) == bytes(range(256))
    assert faulty.write(b"abc") == 3 and uart.tx_log == b"abc"


RECEIVED = [
    (lambda f: f.drop("rx", 2, 3), b"01567890"),
    (lambda f: f.flip("rx", 1, 0x40), b"0q234567890"[:1] + b"q" + b"234567890"),
    (lambda f: f.insert("rx", 4, b"\r\nRING\r\n"), b"0123\r\nRING\r\n4567890"),
    (lambda f: f.duplicate("rx", 3, 2), b"0123434567890"),
]


@pytest.mark.parametrize("fault, expected", RECEIVED)
@pytest.mark.parametrize("piece", [1, 4, 100])
def test_faults_are_where_they_belong_however_the_bytes_come(wires, fault, expected, piece):
    uart, faulty = wires
    fault(faulty)
    got = b""
    for at in range(0, 11, piece):
        uart.feed(b"01234567890"[at : at + piece])
        got += read_all(faulty, 10)
    assert got == expected


def test_sent_bytes_have_faults_too(wires):
    uart, faulty = wires
    faulty.drop("tx", 1)
    faulty.flip("tx", 5, 0x20)
    assert faulty.write(b"abcd") == 4
    assert faulty.write(memoryview(b"xabcdx"), 1, 4) == 4
    assert uart.tx_log == b"acdaBcd"


def test_a_stall_delays_what_follows(wires):
    uart, faulty = wires
    faulty.stall(3, 500)
    uart.feed(b"abcdef")
    assert read_all(faulty) == b"abc"
    assert read_all(faulty, 400) == b""
    assert read_all(faulty, 100) == b"def"


def test_bytes_can_come_at_a_moment(wires):
    _, faulty = wires
    faulty.insert_at(100, b"\r\nRDY\r\n")
    assert read_all(faulty, 99) == b""
    assert read_all(faulty, 10) == b"\r\nRDY\r\n"


def test_reads_can_be_kept_short(wires):
    uart, faulty = wires
    faulty.split(3, seed=1)
    uart.feed(b"0123456789")
    shim.clock.clock.sleep_ms(10)
    pieces = []
    while faulty.any():
        buf = bytearray(100)
        pieces.append(bytes(buf[: faulty.readinto(buf)]))
    assert b"".join(pieces) == b"0123456789"
    assert max(map(len, pieces)) <= 3


def test_something_can_happen_at_a_byte(wires):
    uart, faulty = wires
    seen = []
    faulty.call("rx", 5, lambda: seen.append(faulty.offset["rx"]))
    uart.feed(b"0123")
    read_all(faulty)
    assert not seen
    uart.feed(b"45")
    read_all(faulty)
    assert seen


def test_a_poll_sees_what_has_passed_the_faults(wires):
    uart, faulty = wires
    faulty.stall(0, 300)
    uart.feed(b"x")
    poll = select.poll()
    poll.register(faulty, select.POLLIN)
    assert poll.poll(200) == []
    assert poll.poll(200) == [(faulty, select.POLLIN)]
    assert 300 <= shim.clock.clock.ms <= 303


def test_a_fault_in_the_past_is_a_mistake(wires):
    uart, faulty = wires
    uart.feed(b"0123")
    read_all(faulty)
    with pytest.raises(ValueError):
        faulty.drop("rx", 3)
