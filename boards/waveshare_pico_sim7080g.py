"""Waveshare Pico-SIM7080G: Raspberry Pi Pico on a board with SIM7080G.

    Pico             SIM7080G
    GP0  (pin 1)  -> RXD
    GP1  (pin 2)  <- TXD
    GP14 (pin 19) -> PWRKEY, through a transistor: 1 presses the key
    GP17 (pin 22) -> DTR: 0 keeps it awake

Pins as in examples for the board (TX 0, RX 1, PWR 14, WKU 17). Not yet tried on the board.
"""

from machine import UART, Pin

import simcom


def modem():
    """The modem of this board, not yet switched on."""
    Pin(17, Pin.OUT, value=0)
    uart = UART(0, 115200, tx=Pin(0), rx=Pin(1), rxbuf=2048)
    return simcom.SIM7080(uart, pwrkey=Pin(14, Pin.OUT, value=0))
