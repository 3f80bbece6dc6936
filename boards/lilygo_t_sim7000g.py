"""LilyGO T-SIM7000G: ESP32-WROVER and SIM7000G.

    ESP32      SIM7000G
    IO27  ->   RXD
    IO26  <-   TXD
    IO4   ->   PWRKEY, through a transistor: 1 presses the key
    IO25  ->   DTR

Pins as in the vendor's examples (PIN_TX 27, PIN_RX 26, PWR_PIN 4, PIN_DTR 25). Not yet tried on the board.
"""

from machine import UART, Pin

import simcom


def modem():
    """The modem of this board, not yet switched on."""
    uart = UART(1, 115200, tx=27, rx=26, rxbuf=2048)
    return simcom.SIM7000(uart, pwrkey=Pin(4, Pin.OUT, value=0))
