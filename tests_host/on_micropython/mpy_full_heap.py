"""The heap is full while the pump runs, at any moment of a session: it raises nothing, no byte is wrong, all goes on.

micropython mpy_full_heap.py [FAMILY]
"""

import gc
import sys
import time as real

import micropython

sys.path.append(__file__.rpartition("/")[0] + "/mpylib")

READY = (1,)
NOTHING = ()


class Clock:
    """`time` and `select` in one: nobody waits for real, and neither takes heap."""

    POLLIN = 1

    def __init__(self):
        self.now = 0
        self.uart = None
        self.ticks_add = real.ticks_add
        self.ticks_diff = real.ticks_diff
        for name in ("ticks_ms", "sleep_ms", "poll"):  # a method can be imported only when it is kept
            setattr(self, name, getattr(self, name))

    def ticks_ms(self):
        return self.now

    def sleep_ms(self, ms):
        self.now += ms or 1

    def poll(self):
        return self

    def register(self, uart, events):
        self.uart = uart

    def ipoll(self, ms):
        if self.uart.any():
            return READY
        self.now += ms
        return NOTHING


sys.modules["time"] = sys.modules["select"] = Clock()

import simcom  # noqa: E402
from fakeuart import PERIOD, FakeUart  # noqa: E402

locked = False


class Wire(FakeUart):
    """A UART with heap of its own; `deaf`: what it is told is lost."""

    deaf = False

    def write(self, buf, off=0, n=None):
        if n is None:
            n = len(buf) - off
        if self.deaf:
            return n
        if locked:
            micropython.heap_unlock()
        n = super().write(buf, off, n)
        if locked:
            micropython.heap_lock()
        return n


class Full:
    """The modem's pump, `times` calls of which, from call `at` on, find no heap."""

    def __init__(self, modem, at, times):
        self.pump = modem.pump
        self.at = at
        self.end = at + times
        self.count = 0
        self.escaped = None
        modem.pump = self

    def __call__(self):
        global locked
        self.count += 1
        if locked or not self.at <= self.count < self.end:
            return self.pump()
        got = 0
        escaped = None
        locked = True
        micropython.heap_lock()
        try:
            got = self.pump()
        except BaseException as e:
            escaped = e
        micropython.heap_unlock()
        locked = False
        if escaped:
            self.escaped = escaped
        return got


def session(modem, uart, silent):
    """What is wrong with what a program gets, if it is not an error."""
    s = modem.socket()
    s.settimeout(30)
    got = bytearray()
    wrong = None
    try:
        s.connect(("a.example", 80))
        s.write(b"x" * 40)
        if s._link.n >= 0:
            uart.offer(300, s._link.n)
        uart.deaf = silent
        while len(got) < 300:
            part = s.recv(100)
            if not part:
                wrong = "EOF after %d bytes" % len(got)
                break
            got.extend(part)
        s.write(b"y" * 40)
    except OSError:
        pass
    for i in range(len(got)):
        if got[i] != i % PERIOD:
            wrong = "byte %d" % i
            break
    try:
        s.close()
    except OSError:
        pass
    uart.deaf = False
    return wrong


def works(modem, uart):
    """What is wrong with the next connection."""
    for k in range(8000):  # a report that is lost costs two minutes
        if k > 200 and not any(modem.links.slots):
            break
        modem.wait()
    if not modem.isconnected():
        modem.active(True)
        modem.connect("internet")
    s = modem.socket()
    s.settimeout(30)
    s.connect(("a.example", 80))
    if s.write(b"x" * 40) != 40:
        return "write"
    uart.offer(10, s._link.n)
    if s.read(10) != bytes(range(10)):
        return "read"
    s.close()
    if any(modem.links.slots):
        return "a link is left"


def tried(family, at, times, silent):
    """(what is wrong, whether the pump was called so often)"""
    uart = Wire(family=family.lower())
    modem = getattr(simcom, family)(uart)
    modem.connect("internet")
    full = Full(modem, at, times)
    try:
        wrong = session(modem, uart, silent)
        full.end = 0
        wrong = wrong or full.escaped or works(modem, uart)
    except Exception as e:
        sys.print_exception(e)
        wrong = e
    return wrong, full.count >= at


passed = failed = 0
for family in sys.argv[1:2] or ("SIM7000", "A76XX"):
    for silent in (False, True):
        for times in (1, 3, 400):
            at = 1
            more = True
            while more:
                wrong, more = tried(family, at, times, silent)
                if wrong:
                    failed += 1
                    print("FAILED: %s, pumps %d to %d, silent: %s: %r" % (family, at, at + times - 1, silent, wrong))
                else:
                    passed += 1
                at += 1 if at < 60 else 97
                more = more and at < 1500
                gc.collect()

print("%d passed, %d failed" % (passed, failed))
sys.exit(1 if failed else 0)
