"""An asyncio program whose heart must not stop: how late the package makes a task of 10 ms beside it.

    micropython heartbeat.py FAMILY UART UP DOWN     UART: rp2 or esp32; bytes up and down on each of four links

A module that is off is brought up, then four links at once send and receive at 115200 baud, then close. What the worst
delay was made of is printed as `ms x calls`, then its long calls, indented by who called whom; then a JSON object.
"""

import sys

import virtual
from virtual import clock

virtual.install()

import asyncio  # noqa: E402

asyncio.gather, asyncio.open_connection  # noqa: B018  (loaded: from here each import is the package's)
virtual.charge_calls("source" in sys.argv)

import simcom  # noqa: E402
from fakenet import Key, NetUart, stream  # noqa: E402
from simcom.stream.reclaim import peers  # noqa: E402

BEAT_MS = 10
LINKS = 4
PIECE = 1024


class Heart:
    def __init__(self):
        self.beats = 0
        self.phase = "before"
        self.worst_us = {}  # phase: …
        self.story = []  # what the worst delay of all was made of

    async def beat(self):
        while True:
            due = clock.now // 1000 * 1000 + BEAT_MS * 1000
            clock.forget()
            await asyncio.sleep_ms(BEAT_MS)
            late = clock.now - due
            self.beats += 1
            if late > max(self.worst_us.values(), default=0):
                self.story = ["%.1f ms late in %s:" % (late / 1000, self.phase)] + clock.story()
            if late > self.worst_us.get(self.phase, 0):
                self.worst_us[self.phase] = late

    def worst_ms(self):
        return max(self.worst_us.values()) / 1000


async def client(n, up, down, problems):
    reader, writer = await asyncio.open_connection("host%d.example" % n, 80)
    sender = asyncio.create_task(send(writer, up))
    expected = stream(PIECE + 251)
    got = 0
    while got < down:
        data = await reader.read(PIECE)
        k = got % 251
        if not data or data != expected[k : k + len(data)]:
            problems.append("link %d differs after %d bytes" % (n, got))
            break
        got += len(data)
    await sender
    writer.close()
    await writer.wait_closed()


async def send(writer, total):
    data = stream(total)
    for at in range(0, total, PIECE):
        writer.write(data[at : at + PIECE])
        await writer.drain()


async def program(modem, heart, up, down, problems):
    modem.preload()  # who wants even beats loads before he has any
    simcom.install(modem)
    asyncio.create_task(heart.beat())
    await asyncio.sleep_ms(100)
    heart.phase = "bring-up"
    modem.connect("internet", timeout_ms=0)
    for _ in range(2000):
        if modem.isconnected():
            break
        await asyncio.sleep_ms(50)
    else:
        problems.append("not connected, at %s" % modem.step)
        return
    heart.phase = "transfer"
    await asyncio.gather(*[client(n, up, down, problems) for n in range(LINKS)])
    heart.phase = "close"
    for _ in range(100):
        modem.pump()
        await asyncio.sleep_ms(20)
    if [link for link in modem.links.slots if link]:
        problems.append("not closed: %s" % peers(modem.links))


def run(family, kind, up, down, fault=None):
    """(what went wrong, the Heart); `fault(heart)` is called in each pump."""
    asyncio.new_event_loop()
    clock.wires.clear()
    heart = Heart()
    key = Key()
    uart = NetUart(family.lower(), kind, times=down // up, key=key)
    modem = getattr(simcom, family)(uart, pwrkey=key)
    if fault:
        pump = modem.pump

        def slow():
            fault(heart)
            return pump()

        modem.pump = slow
    problems = []
    asyncio.run(program(modem, heart, up, down, problems))
    if uart.strange or uart.wrong or uart.overruns:
        problems.append("commands %s, %d bytes wrong, %d lost" % (uart.strange, uart.wrong, uart.overruns))
    if uart.sent != LINKS * up:
        problems.append("peers got %d bytes" % uart.sent)
    return problems, heart


if __name__ == "__main__":
    import json

    start = clock.now
    problems, heart = run(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    for line in problems + heart.story:
        print(line)
    us = {"late": heart.worst_us, "calls": clock.longest, "all": clock.now - start}
    print(json.dumps({"worst_ms": heart.worst_ms(), "beats": heart.beats, "us": us}))
    sys.exit(bool(problems))
