"""What tests_host/bench.py has MicroPython do, under callgrind or alone: load.py WHAT TIMES [BURST [NAMES]].

rx: read TIMES segments of 1024 bytes through the driver; rx8: with seven more links; bare: off the fake UART alone.
send, bare_send: write TIMES segments; idle: pump TIMES times.
heap: read TIMES segments with the collector off; prints the bytes of heap that took.
"""

import gc
import select
import sys

import faketime
from fakeuart import FakeUart, opened, up

faketime.install()

# MicroPython caches name look-ups by the number of the name: how many names came before moves the figures.
for n in range(int(sys.argv[4]) if len(sys.argv) > 4 else 0):
    globals()["name_%d" % n] = n

SEGMENT = 1024
RXBUF = SEGMENT + 56  # so that this is what the driver asks for

gc.disable()  # what a collection takes is nobody's in particular
what = sys.argv[1]
times = int(sys.argv[2])
burst = int(sys.argv[3]) if len(sys.argv) > 3 else 64
buf = bytearray(SEGMENT)


def ready(total):
    """A link that has `total` bytes waiting and no request out yet; one segment is read already."""
    uart, modem = up(rxbuf=RXBUF, burst=burst, idle=faketime.tick)
    s = opened(modem, uart)
    uart.offer(SEGMENT + total)
    s.readinto(buf)
    return uart, modem, s


def read(s, n):
    for _ in range(n):
        s.readinto(buf)


def read_bare(uart, n):
    """What any driver must do: ask for a segment, poll, any, readinto."""
    poll = select.poll()
    poll.register(uart, select.POLLIN)
    cmd = b"AT+CIPRXGET=2,0,%d\r" % SEGMENT
    chunk = bytearray(256)
    for _ in range(n):
        uart.write(cmd, 0, len(cmd))
        got = 1
        while got:
            got = 0
            for _ in poll.ipoll(0):
                got = uart.any()
                uart.readinto(chunk, got if got < 256 else 256)
                break


def write(s, n):
    for _ in range(n):
        s.write(buf)


def write_bare(uart, n):
    """The command, the prompt, the payload in slices, the answer."""
    chunk = bytearray(256)
    for _ in range(n):
        cmd = b"AT+CIPSEND=%d,%d\r" % (0, SEGMENT)
        uart.write(cmd, 0, len(cmd))
        uart.readinto(chunk, uart.any())
        for at in range(0, SEGMENT, 64):
            uart.write(buf, at, 64)
        uart.readinto(chunk, uart.any())


def heap(s, n):
    gc.collect()
    before = gc.mem_alloc()
    read(s, n)
    return gc.mem_alloc() - before


if what == "rx":
    uart, modem, s = ready(times * SEGMENT)
    read(s, times)
elif what == "rx8":
    uart, modem, s = ready(0)
    for n in range(7):
        modem.socket().connect(("b%d.example" % n, 80))
    uart.offer(times * SEGMENT)
    read(s, times)
elif what == "bare":
    uart = FakeUart(burst=burst)
    uart.offer(times * SEGMENT)
    read_bare(uart, times)
elif what == "heap":
    uart, modem, s = ready(times * SEGMENT)
    print(heap(s, times))
elif what == "send":
    uart, modem, s = ready(0)
    write(s, times)
elif what == "bare_send":
    uart, modem, s = ready(0)
    write_bare(uart, times)
elif what == "idle":
    uart, modem, s = ready(0)
    for _ in range(times):
        modem.pump()
