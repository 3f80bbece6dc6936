"""LilyGO T-Call SIM800 with the power chip IP5306 (V1.3, V1.4): ESP32-WROVER and SIM800L.

    ESP32      SIM800L
    IO27  ->   RXD
    IO26  <-   TXD
    IO4   ->   PWRKEY, straight: 0 presses the key
    IO5   ->   RST, low-active
    IO23  ->   its supply: 1 switches it on

Pins as in the vendor's examples (MODEM_TX 27, MODEM_RX 26, MODEM_PWRKEY 4, MODEM_RST 5, MODEM_POWER_ON 23). Not yet
tried on the board. On a battery alone the power chip has to be told to stay on; the vendor's examples show how.
"""

from machine import UART, Pin

import simcom


def modem():
    """The modem of this board, supplied, not yet switched on."""
    Pin(5, Pin.OUT, value=1)
    Pin(23, Pin.OUT, value=1)
    uart = UART(1, 115200, tx=27, rx=26, rxbuf=2048)
    return simcom.SIM800(uart, pwrkey=Pin(4, Pin.OUT, value=1), pressed=0)
