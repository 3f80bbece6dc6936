"""Raspberry Pi Pico and a module on a breakout board, wired by hand.

    Pico            module
    GP0  (pin 1) -> RXD
    GP1  (pin 2) <- TXD
    GP2  (pin 4) -> PWRKEY, through a transistor: 1 presses the key
    GND          -- GND, and a supply that gives 2 A

SIM7000, SIM7028 and A76XX have 1.8 V pins: between a bare module and the Pico belongs a level translator, which most
breakout boards have. UART and pins as MicroPython's rp2 port names them (UART 0: GP0, GP1). Not yet tried.
"""

from machine import UART, Pin

import simcom


def modem(family=""):
    """The modem on these pins; ``family``: its class, as "SIM800"; without, the module is switched on and asked."""
    uart = UART(0, 115200, tx=Pin(0), rx=Pin(1), rxbuf=2048)
    return getattr(simcom, family or "detect")(uart, pwrkey=Pin(2, Pin.OUT, value=0))
