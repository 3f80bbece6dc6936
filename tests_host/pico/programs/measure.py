"""What is measured on the emulated Pico. Each function prints a dict as its last line."""

import gc
import select
import sys
import time
from time import sleep_ms, ticks_diff, ticks_us

import device
from device import since

HOST = "measure.example"
BLOB, SINK, MUTE = 80, 81, 82


def up(family, rate=115200, flow=False, **config):
    """A modem that is connected."""
    modem = device.modem(family, flow=flow, baudrate=0 if rate == 115200 else rate)
    modem.active(True)
    if config:
        modem.config(**config)
    modem.connect("internet")
    return modem


def socket(modem, port):
    """A connected socket."""
    s = modem.socket()
    s.settimeout(60)
    s.connect((HOST, port))
    return s


def share(before, after):
    """Share of the processor between two readings of long_cycles()."""
    all, idle = (since(before[i], after[i]) for i in (0, 1))
    return (all - idle) / all


def heap_taken(s, buf):
    """Heap per received byte over some 6 kB."""
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    got = 0
    while got < 6000:
        k = s.readinto(buf)
        if k:
            got += k
    taken = gc.mem_alloc() - before
    gc.enable()
    return got, taken / got


def warm(s, buf):
    """Read what has gathered in the pause before."""
    got = 0
    while got < 4096:
        got += s.readinto(buf) or 0
    return got


def receive(s, n, rate, size, mode):
    """Receive n bytes; share of the line, of the processor, cycles and heap per byte. mode: "block", "busy" or
    "sleep"."""
    buf = bytearray(size)
    s.readinto(buf)
    if mode != "block":
        s.setblocking(False)
    first, heap = heap_taken(s, buf)
    gc.collect()
    device.call("watch", rate)
    first += warm(s, buf)
    before, start = device.long_cycles(), ticks_us()
    got = first
    while got < n:
        k = s.readinto(buf)
        if k:
            got += k
        elif k == 0:
            break
        elif mode == "sleep":
            sleep_ms(1)
    us, after = ticks_diff(ticks_us(), start), device.long_cycles()
    busy = since(before[0], after[0]) - since(before[1], after[1])
    s.settimeout(30)
    s.close()
    return {
        "line": device.call("line") or (got - first) * 1e7 / rate / us,
        "share": share(before, after),
        "cycles": busy * 64 / (got - first),
        "heap": heap,
    }


def send(modem, n, rate):
    """Send n bytes in writes of 1460; the same figures."""
    s = socket(modem, SINK)
    piece = bytes(1460)
    s.write(piece)
    gc.collect()
    before, start = device.long_cycles(), ticks_us()
    for _ in range(n // 1460):
        s.write(piece)
    us, after = ticks_diff(ticks_us(), start), device.long_cycles()
    busy = since(before[0], after[0]) - since(before[1], after[1])
    s.close()
    n = n // 1460 * 1460
    return {"line": n * 1e7 / rate / us, "share": share(before, after), "cycles": busy * 64 / n}


def by_asyncio(modem, n, rate, links):
    """Receive n bytes on each of so many links with asyncio streams."""
    import asyncio
    import simcom

    simcom.install(modem)
    result = {}

    async def one(first):
        reader, writer = await asyncio.open_connection(HOST, BLOB)
        buf = bytearray(1024)
        got = await reader.readinto(buf)
        first.append(got)
        while len(first) < links:  # all begin together
            await asyncio.sleep_ms(1)
        if "start" not in result:
            gc.collect()
            device.call("watch", rate)
            result["before"], result["start"] = device.long_cycles(), ticks_us()
            result["first"] = sum(first)
        while got < n:
            k = await reader.readinto(buf)
            if not k:
                break
            got += k
        result["end"], result["after"] = ticks_us(), device.long_cycles()
        writer.close()
        await writer.wait_closed()
        return got

    async def all():
        first = []
        return sum(await asyncio.gather(*[one(first) for _ in range(links)]))

    device.paint_stack()
    got = asyncio.run(all())
    us = ticks_diff(result["end"], result["start"])
    return {
        "line": device.call("line") or (got - result["first"]) * 1e7 / rate / us,
        "share": share(result["before"], result["after"]),
        "stack": device.stack_used(),
    }


def buffer(family, rate, n):
    """Buffer access in every way of reading, at every thinking time."""
    modem = up(family, rate)
    found = {}
    for think in (0, 5, 20):
        device.call("think", think)
        found["block 1024, thinks %d ms" % think] = receive(socket(modem, BLOB), n, rate, 1024, "block")
    device.call("think", 0)
    found["block 4096"] = receive(socket(modem, BLOB), n, rate, 4096, "block")
    found["busy"] = receive(socket(modem, BLOB), n, rate, 1460, "busy")
    found["sleep_ms(1)"] = receive(socket(modem, BLOB), n, rate, 1460, "sleep")
    found["send"] = send(modem, n, rate)
    found["asyncio"] = by_asyncio(modem, n, rate, 1)
    found["asyncio, 4 links"] = by_asyncio(modem, n // 2, rate, 4)
    print(found)


def heap_of(function, n):
    """How often n calls ask the heap."""
    function()
    before = device.allocations()
    for _ in range(n):
        function()
    return device.allocations() - before


def quick(family, rate, n):
    """What only this port shows, in a few seconds: heap of what is called again and again, share of the line."""
    modem = up(family, rate)
    found = {"received": receive(socket(modem, BLOB), n, rate, 1024, "block")}
    s = socket(modem, BLOB)
    buf = bytearray(1024)
    found["20 reads"] = heap_of(lambda: s.readinto(buf), 20)
    s.close()
    s = socket(modem, MUTE)
    s.setblocking(False)
    one = bytearray(1)
    found["100 idle pumps"] = heap_of(modem.pump, 100)
    found["100 empty reads"] = heap_of(lambda: s.readinto(one), 100)
    found["100 polls"] = heap_of(lambda: s.ioctl(3, 1), 100)
    print(found)


def configured(family, rate, n, mode):
    """The modes "push" and "hex", with RTS/CTS: pushed bytes do not wait while this program measures."""
    modem = up(family, rate, True, receive=mode)
    print(receive(socket(modem, BLOB), n, rate, 1024, "block") | {"lost": device.lost()})


def transparent(family, rate, n, flow):
    """Transparent mode with or without RTS/CTS."""
    modem = up(family, rate, flow)
    before = device.lost()
    stream = modem.transparent((HOST, BLOB), flow_control=flow)
    stream.settimeout(5)
    buf = bytearray(1024)
    stream.readinto(buf)
    first, heap = heap_taken(stream, buf)
    gc.collect()
    first += warm(stream, buf)
    start = ticks_us()
    got = first
    while got < n:
        got += stream.readinto(buf)
    line = (got - first) * 1e7 / rate / ticks_diff(ticks_us(), start)
    lost = device.lost() - before
    piece = bytes(1460)
    stream.write(piece)  # fills the UART's buffer
    start = ticks_us()
    for _ in range(n // 1460):
        stream.write(piece)
    sent = n // 1460 * 1460 * 1e7 / rate / ticks_diff(ticks_us(), start)
    print({"line": line, "heap": heap, "lost": lost / n, "sent": sent})


def lap(function, n):
    """Busy cycles of a call, the median of three runs of n."""
    found = []
    for _ in range(3):
        before = device.long_cycles()
        for _ in range(n):
            function()
        after = device.long_cycles()
        found.append((since(before[0], after[0]) - since(before[1], after[1])) * 64 // n)
    return sorted(found)[1]


def calls(family):
    """Cycles of single calls, and the longest of them beside a transfer."""
    modem = up(family)
    found = {"bytecode: an empty function": lap(lambda: None, 200)}
    s = socket(modem, MUTE)
    modem.pump()
    modem.pump()
    uart = device.uarts[1]
    poller = select.poll()
    poller.register(uart, 1)

    def asked():
        for _ in poller.ipoll(0):
            pass

    found["firmware: uart.any()"] = lap(uart.any, 100)
    found["firmware: ipoll(0)"] = lap(asked, 100)
    found["firmware: ticks_us()"] = lap(ticks_us, 100)
    found["firmware: gc.collect()"] = lap(gc.collect, 3)
    found["pump"] = lap(modem.pump, 200)
    found["active()"] = lap(lambda: modem.active(), 5)  # noqa: PLW0108  (found anew each time, as a program does)
    found["isconnected()"] = lap(lambda: modem.isconnected(), 50)  # noqa: PLW0108
    found["status()"] = lap(lambda: modem.status(), 5)  # noqa: PLW0108
    s.setblocking(False)
    one = bytearray(1)
    found["empty read"] = lap(lambda: s.readinto(one), 100)
    s.settimeout(30)

    def connect():
        t = modem.socket()
        t.settimeout(30)
        before = device.long_cycles()
        t.connect((HOST, MUTE))
        after = device.long_cycles()
        t.close()
        ended = device.long_cycles()
        return tuple((since(a[0], b[0]) - since(a[1], b[1])) * 64 for a, b in ((before, after), (after, ended)))

    connect()
    times = sorted(connect() for _ in range(3))
    found["connect"], found["close"] = times[1]
    found["small write"] = lap(lambda: s.write(b"0123456789"), 3)
    s.close()
    s = socket(modem, BLOB)
    s.setblocking(False)
    buf = bytearray(1024)
    poller.register(s, 1)
    worst = {"pump": 0, "poll": 0, "readinto": 0}
    got = 0
    while got < 60000:
        if gc.mem_free() < 40000:
            gc.collect()
        gc.disable()
        before = device.cycles()[0]
        modem.pump()
        then = device.cycles()[0]
        worst["pump"] = max(worst["pump"], since(before, then))
        before = device.cycles()[0]
        s.ioctl(3, 1)
        then = device.cycles()[0]
        worst["poll"] = max(worst["poll"], since(before, then))
        gc.enable()
        before = device.cycles()[0]
        got += s.readinto(buf) or 0
        then = device.cycles()[0]
        worst["readinto"] = max(worst["readinto"], since(before, then))
    found["longest"] = worst
    print(found)


def largest_hole():
    """Bytes of the largest free piece of the heap."""
    low, high = 16, 240000
    while high - low > 64:
        middle = (low + high) // 2
        try:
            bytearray(middle)
            low = middle
        except MemoryError:
            high = middle
    gc.collect()
    return low


def memory(family):
    """RAM, holes and load times, from before the import to an open socket."""
    found = {}
    gc.collect()
    base = gc.mem_alloc()

    def note(stage, start):
        found[stage + " ms"] = ticks_diff(ticks_us(), start) / 1000
        gc.collect()
        found[stage + " RAM"] = gc.mem_alloc() - base
        found[stage + " hole"] = largest_hole()

    start = ticks_us()
    import simcom

    made = getattr(simcom, family.upper())
    note("import", start)
    start = ticks_us()
    modem = device.modem(family)
    note("made", start)
    start = ticks_us()
    modem.active(True)
    note("active", start)
    start = ticks_us()
    modem.connect("internet")
    note("connect", start)
    start = ticks_us()
    s = socket(modem, MUTE)
    note("socket", start)
    s.close()
    assert made
    print(found)


def loads(family, lists):
    """What the files of each list, {name: files}, take to load beside a client that is connected: ms, and heap."""
    import simcom

    modem = up(family)
    socket(modem, MUTE)
    found = {}
    for name, files in lists.items():
        known = set(sys.modules)
        gc.collect()
        before, start = gc.mem_alloc(), ticks_us()
        for file in files:
            __import__("simcom." + file)
        found[name + " ms"] = ticks_diff(ticks_us(), start) / 1000
        gc.collect()
        found[name + " RAM"] = gc.mem_alloc() - before
        for module in set(sys.modules) - known:
            del sys.modules[module]
            delattr(simcom, module[len("simcom.") :])
    print(found)


def heartbeat(family, n):
    """Worst lateness of a beat of 10 ms by phase, ms; collections are made by the program, between beats."""
    import asyncio

    modem = device.modem(family)
    worst = {}
    phase = "before"
    collected = time.ticks_ms()

    async def beat():
        nonlocal collected
        while True:
            if ticks_diff(time.ticks_ms(), collected) > 200:
                gc.collect()
                collected = time.ticks_ms()
            start = ticks_us()
            await asyncio.sleep_ms(10)
            worst[phase] = max(worst.get(phase, 0), ticks_diff(ticks_us(), start) / 1000 - 10)

    async def transfer(link, opened):
        nonlocal phase
        reader, writer = await asyncio.open_connection(HOST, BLOB)
        opened.append(link)
        if len(opened) == 4:
            phase = "transfer"
        buf = bytearray(1024)
        got = sent = 0
        while got < n:
            got += await reader.readinto(buf)
            if sent < n // 10:
                writer.write(buf)
                await writer.drain()
                sent += 1024
        writer.close()
        await writer.wait_closed()

    async def main():
        nonlocal phase
        assert asyncio.gather and asyncio.open_connection  # asyncio loads its parts when they are named
        asyncio.create_task(beat())
        await asyncio.sleep_ms(100)
        phase = "bring-up"
        modem.active(True, timeout_ms=0)
        while not modem.on:
            modem.isconnected()
            await asyncio.sleep_ms(20)
        modem.connect("internet", timeout_ms=0)
        while not modem.isconnected():
            await asyncio.sleep_ms(20)
        import simcom

        simcom.install(modem)
        phase = "first connections"
        opened = []
        await asyncio.gather(*[transfer(link, opened) for link in range(4)])

    asyncio.run(main())
    print(worst)


def hardships(family):
    """What a module that goes silent, a flash write and collections do to a download."""
    modem = up(family)
    found = {}

    def download(n, hardship=None):
        s = socket(modem, BLOB)
        buf = bytearray(1024)
        got = s.readinto(buf)
        lost, longest = device.lost(), 0
        try:
            while got < n:
                before = ticks_us()
                k = s.readinto(buf)
                longest = max(longest, ticks_diff(ticks_us(), before))
                if not k:
                    break
                got += k
                if hardship:
                    hardship()
            error = 0
        except OSError as e:
            error = e.errno
        s.close()
        return {"errno": error, "longest read ms": longest / 1000, "lost": device.lost() - lost, "got": got}

    found["flash written between reads"] = download(20000, lambda: write_flash(modem))
    found["collected between reads"] = download(20000, gc.collect)
    device.call("silent", 500, 10000)
    found["silent for 10 s"] = download(30000)
    print(found)


def write_flash(modem):
    """4 kB of a file, as an update over the air writes them."""
    modem.settle()
    with open("scratch", "wb") as f:
        f.write(bytes(4096))
