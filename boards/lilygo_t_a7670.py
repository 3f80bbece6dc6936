"""LilyGO T-A7670 (E, G, SA; T-A7608 has the same pins): ESP32-WROVER and A7670.

    ESP32      A7670
    IO26  ->   RXD
    IO27  <-   TXD
    IO4   ->   PWRKEY, through a transistor: 1 presses the key
    IO5   ->   RESET, through a transistor: 1 resets
    IO12  ->   its supply: 1 switches it on
    IO25  ->   DTR: 0 keeps it awake

Pins as in the vendor's examples (MODEM_TX_PIN 26, MODEM_RX_PIN 27, BOARD_PWRKEY_PIN 4, MODEM_RESET_PIN 5,
BOARD_POWERON_PIN 12, MODEM_DTR_PIN 25). Not yet tried on the board.
"""

from machine import UART, Pin

import simcom


def modem():
    """The modem of this board, supplied, not yet switched on."""
    for pin, level in ((12, 1), (5, 0), (25, 0)):
        Pin(pin, Pin.OUT, value=level)
    uart = UART(1, 115200, tx=26, rx=27, rxbuf=2048)
    return simcom.A76XX(uart, pwrkey=Pin(4, Pin.OUT, value=0))
