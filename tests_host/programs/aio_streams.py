"""Streams of asyncio: a task for each link, all at the same time, and time-outs that leave a stream usable."""

import asyncio

import online

beats = 0


async def heartbeat():
    global beats
    while True:
        beats += 1
        await asyncio.sleep_ms(5)


async def talk(n):
    """Lines, an exact count, whatever comes, until the peer closes."""
    reader, writer = await asyncio.open_connection("echo.example", 7)
    good = 0
    for k in range(5):
        line = b"%d says %d\n" % (n, k)
        writer.write(line)
        await writer.drain()
        good += await reader.readline() == line
    data = bytes([n]) * 3000
    writer.write(data)
    await writer.drain()
    good += await reader.readexactly(3000) == data
    buf = bytearray(10)
    writer.write(b"short")
    await writer.drain()
    good += await reader.readinto(buf) == 5 and buf[:5] == b"short"
    writer.write(b"QUIT")
    await writer.drain()
    good += await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    return good


async def time_out():
    """Nothing comes: the wait ends, the stream goes on."""
    reader, writer = await asyncio.open_connection("echo.example", 7)
    ended = 0
    for _ in range(3):
        try:
            await asyncio.wait_for_ms(reader.read(10), 50)
        except asyncio.TimeoutError:
            ended += 1
        writer.write(b"still there?\n")
        await writer.drain()
        ended += await asyncio.wait_for(reader.readline(), 20) == b"still there?\n"
    writer.close()
    await writer.wait_closed()
    return ended


async def refused():
    """A connection that nobody takes: the error comes with the first use."""
    try:
        reader, writer = await asyncio.open_connection("nobody.example", 7)
        writer.write(b"x")
        await writer.drain()
        await reader.read(1)
    except OSError as e:
        return e.errno


async def main():
    beating = asyncio.create_task(heartbeat())
    count = online.modem.LINKS
    results = await asyncio.gather(*[talk(n) for n in range(count)])
    print("talks", results == [8] * count, results)
    print("time-outs", await time_out())
    for _ in range(count + 2):
        print("refused", await refused())
    print("heartbeat", beats > 20)
    beating.cancel()


asyncio.run(main())
online.use_all_links(("echo.example", 7))
