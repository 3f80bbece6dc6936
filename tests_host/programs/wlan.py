"""What mqtt_as does with a network module, on every port: it asks once a second, and gives up at an error."""

import asyncio

import cellular
import network
import socket


async def connect(wlan):
    wlan.active(True)
    wlan.config(pm=0xA11140)
    wlan.connect("internet", "")
    for looks in range(60):
        await asyncio.sleep(1)
        if wlan.isconnected():
            return "connected", looks < 8
        if wlan.status() < network.STAT_IDLE:  # ESP32
            return "failed", 1 <= wlan.status() <= 2  # RP2


async def main():
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    print(cellular.modem.active(), wlan.isconnected())
    for _ in range(2):
        print(*await connect(wlan))
        if wlan.isconnected():
            print(wlan.status(), wlan.status("rssi") < 0)
            s = socket.socket()
            s.connect(socket.getaddrinfo("echo.example", 7)[0][-1])
            s.write(b"hello")
            print(s.read(5))
            s.close()
        wlan.disconnect()
        print(wlan.isconnected())
    wlan.active(False)


asyncio.run(main())
