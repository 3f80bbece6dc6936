"""A rain gauge: a reed switch tips with each 0.2 mm, the sum goes to an MQTT broker every minute."""

import time

import simcom
from machine import UART, Pin

modem = simcom.SIM7000(UART(1, 115200, tx=27, rx=26, rxbuf=2048), pwrkey=Pin(4, Pin.OUT), pin="1234")
simcom.install(modem)

from mqtt import Client  # noqa: E402  behind install(): its `import socket` is the modem

trouble = Pin(12, Pin.OUT, value=0)
gauge = Pin(14, Pin.IN, Pin.PULL_UP)
tips = 0


def tipped(_):
    global tips
    tips += 1


gauge.irq(tipped, Pin.IRQ_FALLING)
client = Client("broker.example", b"gauge")
while True:
    try:
        modem.active(True)
        modem.connect("internet")
        client.connect()
        while True:
            client.publish(b"rain", b"%d" % tips)
            trouble.off()
            time.sleep(60)
    except OSError as e:
        print("again in 10 s:", e)
        trouble.on()
        time.sleep(10)
