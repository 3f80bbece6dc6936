"""Messages on every link at once, a large one, pings, a close and a server that goes away: async_websocket_client."""

import asyncio

import online
from async_websocket_client import AsyncWebsocketClient

URL = "ws://chat.example:9000/"
LARGE = bytes(range(250)) * 80


async def echo(n):
    """Messages come back as they were."""
    client = AsyncWebsocketClient(1)
    await client.handshake(URL + "echo")
    good = 0
    for message in ("Grüße von %d" % n, bytes([n]) * 126, "", "x" * 900):
        await client.send(message)
        good += await client.recv() == message
    if not n:
        client.sock.setblocking(True)  # the package does not look how much of a write was taken
        await client.send(LARGE)
        client.sock.setblocking(False)
        good += await client.recv() == LARGE
    await client.close()
    return good


async def listen(path):
    """What the server says until it ends."""
    client = AsyncWebsocketClient(1)
    await client.handshake(URL + path, headers=[(b"X-Name", b"board")])
    messages = []
    while await client.open():
        messages.append(await client.recv())
    return messages


async def main():
    print("echo", await asyncio.gather(*[echo(n) for n in range(online.modem.LINKS)]))
    for path in ("ping", "bye", "gone"):
        print(path, await listen(path))
    try:
        await listen("missing")
    except Exception as e:
        print("missing", e)


asyncio.run(main())
online.use_all_links(("echo.example", 7))
