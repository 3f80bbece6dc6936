"""Asks a time server, with the calls of micropython-lib's ntptime; then one that does not answer."""

import online
import socket
import struct


def seconds(host, timeout):
    query = bytearray(48)
    query[0] = 0x23
    address = socket.getaddrinfo(host, 123)[0][-1]
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        s.settimeout(timeout)
        s.sendto(query, address)
        answer = s.recv(48)
    finally:
        s.close()
    return len(answer), struct.unpack("!I", answer[40:44])[0]


for _ in range(12):
    print("time", *seconds("pool.example", 10))
try:
    seconds("silent.example", 1)
except OSError as e:
    print("silent", e.errno)
online.use_all_links(("echo.example", 7))
