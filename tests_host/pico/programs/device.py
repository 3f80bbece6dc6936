"""On the emulated Pico: counters, and calls of functions on the host. Copied to its flash."""

from machine import UART, Pin, mem32
from micropython import const

_BOX = const(0x40070000)
_ASK = const(0x40070010)
_ASKED = const(0x40070014)
_ANSWER = const(0x40070018)


def cycles():
    """Cycles, and those of them that the processor slept, modulo 2**29."""
    return mem32[_BOX], mem32[_BOX + 4]


def long_cycles():
    """The same in units of 64, for more than four seconds."""
    return mem32[_BOX + 0x0C], mem32[_BOX + 0x1C]


def paint_stack():
    """From here on the depth of the C stack is watched."""
    mem32[_BOX + 0x20] = 0


def stack_used():
    """Bytes at its deepest."""
    return mem32[_BOX + 0x20]


def stack_checked():
    """The same, at the deepest call of a Python function; with a firmware of ours."""
    return mem32[_BOX + 0x28]


def allocations():
    """How often the heap has been asked since reset, also for frames that are given back at once."""
    return mem32[_BOX + 0x24]


def since(before, now):
    """From one reading to a later one."""
    return (now - before) & 0x1FFFFFFF


def lost():
    """Bytes that UART 1 has lost since reset."""
    return mem32[_BOX + 8]


def call(name, *args):
    """Call a function of the host; arguments and result are plain values."""
    for byte in repr((name,) + args).encode():
        mem32[_ASK] = byte
    mem32[_ASKED] = 1
    while not mem32[_ASKED]:
        pass
    return eval(bytes(mem32[_ANSWER] for _ in range(mem32[_ASKED])))


uarts = {}  # as they were made last


def uart(number=1, rate=115200, **options):
    """A UART where a virtual module is."""
    tx, rx = ((0, 1), (4, 5))[number]
    options.setdefault("rxbuf", 2048)
    uarts[number] = UART(number, rate, tx=Pin(tx), rx=Pin(rx), **options)
    return uarts[number]


def modem(family, number=1, pwrkey=True, flow=False, **options):
    """For the module at a UART. UART 1 has PWRKEY at GP2 (high: pressed), DTR at GP3, CTS and RTS at GP6 and GP7."""
    import simcom

    more = {"cts": Pin(6), "rts": Pin(7), "flow": UART.RTS | UART.CTS} if flow else {}
    key = Pin(2, Pin.OUT, value=0) if pwrkey and number == 1 else None
    return getattr(simcom, family.upper())(uart(number, **more), pwrkey=key, **options)
