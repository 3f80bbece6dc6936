"""The fake UART behaves as the ports' UARTs do."""

import pytest
import shim

shim.install()

import machine  # noqa: E402
import shim.clock  # noqa: E402

BYTE_US = 1e7 / 115200


@pytest.fixture(autouse=True)
def fresh():
    shim.reset()


class FreeUART(machine.UART):
    """Calls cost no time."""

    costs = None


def now() -> float:
    return shim.clock.clock.now_us


def sleep_us(us: float) -> None:
    shim.clock.clock.advance(us)


def test_bytes_arrive_one_after_another():
    uart = FreeUART(1, 115200)
    uart.feed(b"0123456789")
    sleep_us(BYTE_US * 0.9)
    assert uart.any() == 0
    sleep_us(BYTE_US * 0.2)
    assert uart.any() == 1
    sleep_us(BYTE_US * 4)
    assert uart.any() == 5
    sleep_us(BYTE_US * 40)
    assert uart.read() == b"0123456789"


def test_what_is_fed_later_waits_for_the_line():
    uart = FreeUART(1, 115200)
    uart.feed(b"x" * 100)
    end = uart.feed(b"y")
    assert end - now() == pytest.approx(BYTE_US * 101)
    assert uart.backlog_us() == pytest.approx(BYTE_US * 101)


def test_bytes_without_room_are_lost_and_counted():
    uart = FreeUART(1, 115200, rxbuf=64)
    uart.feed(bytes(range(100)))
    sleep_us(BYTE_US * 101)
    assert uart.any() == 64 and uart.overruns == 36
    assert uart.read() == bytes(range(64))


def test_rts_makes_the_sender_wait():
    uart = FreeUART(1, 115200, rxbuf=64, flow=machine.UART.RTS | machine.UART.CTS)
    uart.feed(bytes(range(100)))
    sleep_us(BYTE_US * 300)
    assert uart.any() == 64
    got = uart.read(64)
    sleep_us(BYTE_US * 37)
    got += uart.read(64)
    assert got == bytes(range(100)) and uart.overruns == 0


def test_another_rate_garbles():
    uart = FreeUART(1, 9600)
    uart.feed(b"\r\nOK\r\n", 115200)
    sleep_us(100_000)
    assert uart.any() == 6 and b"OK" not in uart.read()


def test_changing_the_rate_keeps_the_other_settings():
    uart = FreeUART(1, 9600, rxbuf=32)
    uart.init(baudrate=115200)
    uart.feed(b"x" * 40)
    sleep_us(BYTE_US * 41)
    assert uart.any() == 32


def test_rp2_write_is_short_then_none():
    uart = FreeUART(1, 115200, txbuf=100)
    assert uart.write(b"x" * 150) == 100
    assert uart.write(b"x" * 50) is None
    sleep_us(BYTE_US * 10.5)
    assert uart.write(b"x" * 50) == 10
    assert uart.write(b"") == 0


def test_esp32_write_blocks_until_all_but_txbuf_is_out():
    uart = FreeUART(1, 115200, txbuf=100)
    uart.kind = "esp32"
    begin = now()
    assert uart.write(b"x" * 1460) == 1460
    assert now() - begin == pytest.approx(1360 * BYTE_US, rel=0.01)


def test_write_takes_offset_and_count():
    uart = FreeUART(1)
    assert uart.write(b"abcdef") == 6
    assert uart.write(b"abcdef", 2) == 2
    assert uart.write(memoryview(b"abcdef"), 2, 3) == 3
    assert uart.tx_log == b"abcdefabcde"


def test_sent_bytes_reach_the_other_side_in_time():
    uart, got = FreeUART(1, 115200), []
    uart.attach(lambda data, rate: got.append((now(), data, rate)))
    begin = now()
    uart.write(b"x" * 20)
    assert not uart.txdone()
    uart.flush()
    assert b"".join(data for _, data, _ in got) == b"x" * 20
    assert got[-1][0] - begin == pytest.approx(20 * BYTE_US)
    assert uart.txdone()


def test_reading_an_empty_uart_blocks_a_millisecond():
    uart = machine.UART(1, 115200)
    begin = now()
    assert uart.readinto(bytearray(10)) is None
    assert 1000 <= now() - begin < 1100


def test_asking_for_more_than_there_is_costs_a_character_time_out():
    uart = machine.UART(1, 115200)
    uart.feed(b"abc")
    sleep_us(1000)
    begin = now()
    buf = bytearray(10)
    assert uart.readinto(buf, 3) == 3
    assert now() - begin < 50
    uart.feed(b"abc")
    sleep_us(1000)
    begin = now()
    assert uart.readinto(buf) == 3
    assert now() - begin > 1000


def test_asking_costs_time_so_that_a_loop_comes_to_an_end():
    uart = machine.UART(1, 115200)
    uart.feed(b"x")
    turns = 0
    while not uart.any():
        turns += 1
    assert 10 < turns < 20


def test_readline_stops_at_the_newline():
    uart = FreeUART(1)
    uart.feed(b"one\ntwo")
    sleep_us(10_000)
    assert uart.readline() == b"one\n"
    assert uart.readline() == b"two"
    assert uart.readline() is None


def test_ioctl_answers_polls_and_refuses_the_rest():
    uart = FreeUART(1, txbuf=8)
    assert uart.ioctl(3, 5) == 4
    uart.feed(b"x")
    sleep_us(100)
    assert uart.ioctl(3, 5) == 5
    assert uart.ioctl(3, 1) == 1
    uart.write(b"x" * 8)
    assert uart.ioctl(3, 4) == 0
    assert uart.ioctl(4, 0) == -22
