"""A server of asyncio's streams: several clients at once, beside a connection of its own; closed and started again."""

import asyncio
import sys

import online

PORT = int(sys.argv[1])
CLIENTS = int(sys.argv[2])
done = 0


async def serve(reader, writer):
    """Send every line back until it is QUIT."""
    global done
    while True:
        line = await reader.readline()
        if not line or line == b"QUIT\n":
            break
        writer.write(line)
        await writer.drain()
    writer.close()
    await writer.wait_closed()
    done += 1


async def ask():
    """A connection of our own while the server runs."""
    reader, writer = await asyncio.open_connection("echo.example", 7)
    for i in range(5):
        writer.write(b"question %d\n" % i)
        await writer.drain()
        if await reader.readline() != b"question %d\n" % i:
            return False
    writer.close()
    await writer.wait_closed()
    return True


async def main():
    global done
    for turn in range(2):
        done = 0
        server = await asyncio.start_server(serve, "0.0.0.0", PORT)
        print("turn", turn)
        print("own", await ask())
        while done < CLIENTS:
            await asyncio.sleep_ms(20)
        server.close()
        await server.wait_closed()
        print("served", done)


asyncio.run(main())
online.use_all_links(("echo.example", 7))
