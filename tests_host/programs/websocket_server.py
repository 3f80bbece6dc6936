"""Serves MicroPython's own `websocket` on the port that is its argument: messages go back as they came.

That module is the server's end: it does not mask what it writes.
"""

import binascii
import hashlib
import select
import sys

import online
import socket
import websocket

_GET_KIND, _SET_KIND = 8, 9  # ioctl(): 1 text, 2 binary


def upgrade(client):
    key = None
    while True:
        line = client.readline().strip()
        if not line:
            break
        name, _, value = line.partition(b": ")
        if name.lower() == b"sec-websocket-key":
            key = value
    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    client.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
    client.write(b"Sec-WebSocket-Accept: " + binascii.b2a_base64(digest)[:-1] + b"\r\n\r\n")


def serve(ws, wait=None):
    """Each message is its length in six digits, and so many bytes."""
    kinds = []
    message = b""
    length = 6
    while True:
        part = ws.read(length - len(message))
        if part is None:
            wait()
            continue
        if not part:
            return kinds
        message += part
        if len(message) == length == 6:
            length += int(message)
        if len(message) == length:
            kinds.append(ws.ioctl(_GET_KIND))
            ws.ioctl(_SET_KIND, kinds[-1])
            ws.write(message)
            message = b""
            length = 6


s = socket.socket()
s.bind(("0.0.0.0", int(sys.argv[1])))
s.listen()
print("serving")
for blocking in (True, False, True):
    client, _ = s.accept()
    upgrade(client)
    if blocking:
        print(serve(websocket.websocket(client)))
    else:  # as WebREPL does
        client.setblocking(False)
        poll = select.poll()
        poll.register(client, select.POLLIN)
        print(serve(websocket.websocket(client, True), poll.poll))
        client.setblocking(True)
    client.close()
s.close()
online.use_all_links(("echo.example", 7))
