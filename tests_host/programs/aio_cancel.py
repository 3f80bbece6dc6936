"""Tasks that are cancelled in the middle of connect, read and write; the links are all there afterwards."""

import asyncio
import sys

import online

WHAT = sys.argv[1]
connected = 0


async def connect():
    await asyncio.open_connection("busy.example", 7)  # it never takes the connection


async def read():
    global connected
    reader, writer = await asyncio.open_connection("echo.example", 7)
    connected += 1
    try:
        await reader.read(1)
    finally:
        writer.close()
        await writer.wait_closed()


async def write():
    global connected
    reader, writer = await asyncio.open_connection("stalled.example", 7)  # it takes the connection, and reads nothing
    connected += 1
    try:
        while True:
            writer.write(b"x" * 5000)
            await writer.drain()
    finally:
        writer.close()
        await writer.wait_closed()


async def main():
    work = {"connect": connect, "read": read, "write": write}[WHAT]
    global connected
    cancelled = 0
    for _ in range(2):
        tasks = [asyncio.create_task(work()) for _ in range(online.modem.LINKS)]
        connected = 0
        await asyncio.sleep_ms(100)
        while WHAT != "connect" and connected < len(tasks):
            await asyncio.sleep_ms(10)
        for task in tasks:
            task.cancel()
        for task in tasks:
            try:
                await task
            except asyncio.CancelledError:
                cancelled += 1
        await asyncio.sleep_ms(10_300 if WHAT == "connect" else 300)  # what nobody polls any more counts as dropped
    print("cancelled", cancelled == 2 * online.modem.LINKS)


asyncio.run(main())
online.use_all_links(("echo.example", 7))
