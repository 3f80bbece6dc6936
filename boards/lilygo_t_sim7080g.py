"""LilyGO T-SIM7080G (S3): ESP32-S3, SIM7080G, and an AXP2101 that supplies it.

    ESP32-S3   SIM7080G
    IO5   ->   RXD
    IO4   <-   TXD
    IO41  ->   PWRKEY, through a transistor: 1 presses the key
    IO42  ->   DTR: 0 keeps it awake
    IO3   <-   RI
               AXP2101, at 0x34
    IO15  --   SDA
    IO7   ->   SCL

The module's supply is DC3 of the AXP2101, which is off until it is told: 3.0 V here, as in the vendor's examples, with
the pins (BOARD_MODEM_TXD_PIN 5, BOARD_MODEM_RXD_PIN 4, BOARD_MODEM_PWR_PIN 41, BOARD_MODEM_DTR_PIN 42, I2C_SDA 15,
I2C_SCL 7). While its GNSS is on (AT+CGNSPWR=1) the module carries no data. Not yet tried on the board.
"""

from machine import I2C, UART, Pin

import simcom

_PMU = 0x34
_ON_OFF, _DC3 = 0x80, 0x84  # of its registers
_DC3_ON = 4
_MV_3000 = 102  # from 88 on, 100 mV a step above 1600


def supply(on=True):
    """Switch the module's supply."""
    bus = I2C(0, scl=Pin(7), sda=Pin(15), freq=100000)
    if on:
        bus.writeto_mem(_PMU, _DC3, bytes([_MV_3000]))
    now = bus.readfrom_mem(_PMU, _ON_OFF, 1)[0]
    bus.writeto_mem(_PMU, _ON_OFF, bytes([now | _DC3_ON if on else now & ~_DC3_ON]))


def modem():
    """The modem of this board, supplied, not yet switched on."""
    supply()
    Pin(42, Pin.OUT, value=0)
    uart = UART(1, 115200, tx=5, rx=4, rxbuf=2048)
    return simcom.SIM7080(uart, pwrkey=Pin(41, Pin.OUT, value=0))
