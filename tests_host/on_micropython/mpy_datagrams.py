"""Datagrams take no heap on their way from the UART to readinto: with the heap locked, and by count."""

import gc
import sys

import micropython

sys.path.append(__file__.rpartition("/")[0] + "/mpylib")
import faketime
from fakeuart import PERIOD, up

faketime.install()

RXBUF = 2048
PEER = ("192.0.2.1", 7)

passed = failed = 0


def check(name, good):
    global passed, failed
    passed += good
    failed += not good
    if not good:
        print("FAILED:", name)


def receive(s, buf, times):
    """Bytes read by so many calls, each for one datagram of the size of the buffer."""
    done = 0
    for _ in range(times):
        done += s.readinto(buf)
    return done


def locked(s, buf, times):
    """How many bytes with the heap locked; what was raised if it needs heap."""
    gc.collect()
    micropython.heap_lock()
    try:
        result = receive(s, buf, times)
    except Exception as e:
        result = e
    micropython.heap_unlock()
    return result


def counted(s, buf, times):
    """How many bytes; the heap that it took if it took any."""
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    result = receive(s, buf, times)
    taken = gc.mem_alloc() - before
    gc.enable()
    return "%d bytes of heap" % taken if taken else result


def measure(family, long):
    uart, modem = up(family, RXBUF, faketime.tick, long=long)
    s = modem.socket(2, 2)
    s.sendto(b"hello", PEER)
    uart.offer(2)  # the command that reads is made once
    s.readinto(bytearray(2))
    at = 2
    for size in (1, 10, 99, 100, 255, 256, 512, 1000, 1400):
        buf = bytearray(size)
        uart.segment = size
        for way in (locked, counted):
            uart.offer(3 * size)
            modem.pump()
            got = way(s, buf, 3)
            name = "%s, datagrams of %d bytes, %s" % (family, size, way.__name__)
            check("%s: %r" % (name, got), got == 3 * size)
            at += 3 * size
            check(name + ": the bytes", all([buf[i] == (at - size + i) % PERIOD for i in range(size)]))
    s.close()


measure("SIM7000", False)
measure("SIM7000", True)
measure("A76XX", False)
measure("SIM7080", True)

print("%d passed, %d failed" % (passed, failed))
sys.exit(1 if failed else 0)
