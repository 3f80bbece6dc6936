"""The receive path takes no heap, from the UART to readinto: with the heap locked, and by count with the collector off.

All of it for one dialect, the shorter part for the others.

On the unix port each poll of a stream written in Python takes 1 ms, hence the modest counts.
"""

import gc
import sys

import micropython

sys.path.append(__file__.rpartition("/")[0] + "/mpylib")
import faketime
from fakeuart import PERIOD, opened, up

faketime.install()

RXBUF = 1080  # requests of 1024 bytes
RING = 2 * 1024
SEGMENT = RXBUF - 56
LINKS = 8

passed = failed = 0
position = 0  # bytes that the program has read from the stream
family = "SIM7000"
uart = modem = notices = None  # of that family


def check(name, problem):
    global passed, failed
    if problem:
        failed += 1
        print("FAILED: %s: %s" % (name, problem))
    else:
        passed += 1


def locked(name, work, s=None, buf=None, times=0):
    """`work` must raise nothing with the heap locked; returns what it did."""
    result = problem = None
    gc.collect()
    micropython.heap_lock()
    try:
        result = work(s, buf, times)  # not *args: that takes heap by itself
    except Exception as e:
        problem = e
    micropython.heap_unlock()
    check("%s: %s, heap locked" % (family, name), problem and repr(problem))
    return result


def counted(name, work, s=None, buf=None, times=0):
    """`work` must leave gc.mem_alloc() as it was, with the collector off; returns what it did."""
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    result = work(s, buf, times)
    after = gc.mem_alloc()
    gc.enable()
    check("%s: %s, gc.mem_alloc()" % (family, name), after != before and "%d bytes more" % (after - before))
    return result


def same(buf, n, at):
    """Whether buf[:n] is what the stream holds from position `at`."""
    for i in range(n):
        if buf[i] != (at + i) % PERIOD:
            return False
    return True


def download(s, buf, times):
    """Bytes read by `times` calls that each fill the buffer."""
    done = 0
    for _ in range(times):
        done += s.readinto(buf)
    return done


def twice(name, s, size, times):
    """One download with the heap locked, one counted; what came last is checked."""
    global position
    buf = bytearray(size)
    for way in (locked, counted):
        uart.offer(size * times)
        s._modem.pump()
        n = way(name, download, s, buf, times)
        position += size * times
        check(name + ": the bytes", (n != size * times or not same(buf, size, position - size)) and "differ")


def fresh(**settings):
    global position, uart, modem
    uart, modem = up(family, RXBUF, faketime.tick, **settings)
    position = 2
    return opened(modem, uart)


def setting(burst=64, segment=SEGMENT, inside=b"", after=b""):
    uart.burst = burst
    uart.segment = segment
    uart.inside = inside
    uart.after = after


LENGTHS = (1, 9, 10, 99, 100, 101, 999, 1000, 1024)


def pieces(s, buf, times):
    done = 0
    for n in LENGTHS:
        uart.add(n)
        uart.put(uart.notice)
        done += s.readinto(buf, n)
    return done


def without_waiting(s, buf, total):
    done = 0
    for _ in range(2 * total // 64):
        done += s.readinto(buf) or 0
    return done


def nothing_there(s, buf, times):
    for _ in range(200):
        if s.readinto(buf) is not None:
            return False
    return True


def into(s, buf, total):
    done = 0
    while done < total:
        done += s.recv_into(buf)
    return done


def pumps(s, buf, times):
    for _ in range(1000):
        modem.pump()


def polls(s, buf, times):
    for _ in range(250):
        s.ioctl(3, 1)
        s.ioctl(3, 5)


def others(s):
    """What only CAOPEN has: other notices, other ways to say that there is nothing, headers that name the sender."""
    for notice in (b"\r\n+CAURC: buffer full,0\r\n", b'\r\n+CAURC: "buffer full"\r\n', b"\r\n+CASTATE: 0,1\r\n"):
        text = str(notice, "ascii").strip()
        setting(after=notice)
        twice(text + " after OK", s, SEGMENT, 4)
        setting(inside=notice)
        twice(text + " before OK", s, SEGMENT, 4)
    setting()
    for nothing in (b"\r\n+CARECV: 0,\r\n\r\nOK\r\n", b"\r\nOK\r\n", b"\r\nERROR\r\n"):
        uart.nothing = nothing
        twice("nothing is %s" % nothing, s, SEGMENT, 4)
    from simcom.casrip import sources
    from simcom.foreground import run

    global position
    run(modem, sources(modem))
    uart.sender = b"192.0.2.1,80,"
    uart.offer(100)
    position += s.readinto(bytearray(100))  # the first header stores what later ones replace
    for sender in (b"192.0.2.1,80,", b'"192.0.2.1",80,'):
        uart.sender = sender
        for burst in (64, 1, 4096):
            setting(burst=burst)
            twice("%s in the header, at most %d bytes per UART read" % (sender, burst), s, SEGMENT, 4)


HEADERS = {
    "SIM7000": (b"\r\n+RECEIVE,0,1024:\r\n", b"\r\n+RECEIVE,0,1024,192.0.2.1:80:\r\n"),
    "A76XX": (b"\r\nRECV FROM:192.0.2.1:80\r\n+IPD1024\r\n", b"\r\nRECV FROM:192.0.2.1:80\r\n+RECEIVE,0,1024:\r\n"),
    "SIM7080": (b'\r\n+CAURC: "recv",0,1024\r\n', b'\r\n+CAURC: "recv",0,1024,"192.0.2.1",80\r\n'),
}


def unasked(s, buf, header):
    done = 0
    for _ in range(4):
        uart.push(header, SEGMENT)
        done += s.readinto(buf)
    return done


def by_push():
    """What comes unasked, behind a header each."""
    global position
    for header in HEADERS[family]:
        fresh().close()
        modem.config(receive="push")
        s = modem.socket()
        s.settimeout(5)
        s.connect(("a.example", 80))
        position = 0
        buf = bytearray(SEGMENT)
        for burst in (4096, 64, 1):
            setting(burst=burst, after=b"\r\n" if family == "SIM7080" else b"")
            position += unasked(s, buf, header)  # the first header keeps the sender that later ones name again
            for way in (locked, counted):
                what = "pushed behind %s, at most %d bytes per UART read" % (header.strip(), burst)
                n = way(what, unasked, s, buf, header)
                position += 4 * SEGMENT
                check(
                    what + ": the bytes", (n != 4 * SEGMENT or not same(buf, SEGMENT, position - SEGMENT)) and "differ"
                )
        s.close()


TEXT = b"a line\r\n\r\n\rCLOSE\r\nCLOSE, again\r\n" * 27


def through(s, buf, times):
    done = 0
    for _ in range(times):
        uart.put(TEXT)
        done += s.readinto(buf)
    return done


def by_tunnel():
    """Transparent mode: lines that begin as what the module says at the end, and do not go on so."""
    setting()
    fresh().close()
    s = modem.transparent(("a.example", 80), flow_control=True)
    s.settimeout(5)
    buf = bytearray(len(TEXT))
    through(s, buf, 1)
    for burst in (4096, 64, 1):
        setting(burst=burst)
        for way in (locked, counted):
            what = "transparent, at most %d bytes per UART read" % burst
            n = way(what, through, s, buf, 3)
            check(what + ": the bytes", (n != 3 * len(TEXT) or buf != TEXT) and "differ")


def by_turns(links, buf, times):
    done = 0
    for _ in range(times):
        all_offered()
        done += all_read(links, buf)
    return done


def all_offered():
    for n in range(LINKS):
        uart.add(SEGMENT, n)
        uart.put(notices[n])


def all_read(links, buf):
    done = 0
    for s in links:
        done += s.readinto(buf)
    return done


def eight():
    """Links whose bytes come at the same time."""
    global notices
    notices = [uart.notice.replace(b"0\r", b"%d\r" % n) for n in range(LINKS)]
    links = []
    for _ in range(LINKS):
        s = modem.socket()
        s.settimeout(5)
        s.connect(("a.example", 80))
        links.append(s)
    by_turns(links, bytearray(SEGMENT), 1)
    for way in (locked, counted):
        n = way("eight links, each with bytes", by_turns, links, bytearray(SEGMENT), 4)
        check("eight links: the bytes", n != 4 * LINKS * SEGMENT and "%s came" % n)
    check("eight links: no byte lost", modem.channel.desync and "resynchronised")
    for s in links:
        s.close()


def reading(sizes, long_sizes, segments, bursts):
    """What the program reads at once, and how it comes; returns the socket."""
    global position
    # Out of whole segments (the prebuilt header).
    for long, each in ((True, long_sizes), (False, sizes)):
        s = fresh(long=long)
        for size in each:
            what = "readinto of %d%s" % (size, ", long trailer" if long else "")
            twice(what, s, size, 2 + 2000 // size if size > 63 else 20)

    # Many whole segments, as many bytes per UART read as the driver takes.
    setting(burst=4096)
    rxgets = uart.rxgets
    twice("100 whole segments", s, SEGMENT, 100)
    rxgets = uart.rxgets - rxgets
    check("100 whole segments: none was cut", rxgets > 210 and "%d reads" % rxgets)

    # Answers of fewer bytes than asked for: the header is read digit by digit.
    for segment in segments:
        setting(segment=segment)
        twice("answers of %d" % segment, s, segment, 6)

    # Requests of all lengths: the number in the command is written anew each time.
    setting()
    for way in (locked, counted):
        what = "pieces of all lengths"
        position += sum(LENGTHS)
        check(what + ": the bytes", way(what, pieces, s, bytearray(RING)) != sum(LENGTHS) and "missing")

    # Bytes per UART read.
    for burst in bursts:
        setting(burst=burst)
        twice("at most %d bytes per UART read" % burst, s, SEGMENT, 4)
    return s


def with_notices(s):
    """For this link and for one that nobody opened, between segments and between payload and its OK."""
    for notice in (uart.notice, uart.notice.replace(b"0\r", b"3\r")):
        text = str(notice, "ascii").strip()
        setting(after=notice)
        twice(text + " after OK", s, SEGMENT, 4)
        setting(inside=notice)
        twice(text + " before OK", s, SEGMENT, 4)
        check(text + ": no byte lost", modem.channel.desync and "resynchronised")


def other_calls(s):
    """Not blocking, recv_into, poll, and nothing to do."""
    global position
    setting()
    buf = bytearray(512)
    for way in (locked, counted):
        s.setblocking(False)
        uart.offer(10000)
        modem.pump()
        check("not blocking: the bytes", way("not blocking", without_waiting, s, buf, 10000) != 10000 and "missing")
        check(
            "not blocking, empty: None", not way("not blocking, empty", nothing_there, s, buf) and "data from nowhere"
        )
        s.settimeout(5)
        uart.offer(10000)
        modem.pump()
        position += 20000
        check("recv_into: the bytes", way("recv_into", into, s, buf, 10000) != 10000 and "missing")
    for way in (locked, counted):
        # Each poll is a millisecond; after ten seconds the link would be asked how it is, which does take heap.
        twice("before idling", s, 100, 1)
        way("idle pump", pumps, s)
        way("ioctl poll", polls, s)


def measure(name, *sizes):
    """All of it for the family of that name; positions in the stream are checked throughout."""
    global family, position
    family = name
    s = reading(*sizes)
    with_notices(s)
    other_calls(s)
    s.close()

    setting()
    eight()
    if family == "SIM7080":
        position = 2
        s = opened(modem, uart)
        others(s)
        s.close()
        eight()
    by_push()
    if family != "SIM7080":  # goes there another way; what follows is the same
        by_tunnel()


SIZES = (1, 2, 63, 64, 65, 100, 255, 256, 257, 512, 1000, 1023, 1024, 1025, 1460, 1500, 2047, RING)
SEGMENTS = (1, 7, 63, 64, 65, 99, 100, 255, 256, 257, 500, 999, 1000, 1023)
measure("SIM7000", SIZES, (1, 64, 1024, RING), SEGMENTS, (65, 100, 128, 255, 256))
measure("A76XX", (1, 64, 1024, RING), (64, RING), (1, 100, 1023), (100, 256))
measure("SIM7080", SIZES, (1, 64, 1024, RING), SEGMENTS, (65, 100, 128, 255, 256))

print("%d passed, %d failed" % (passed, failed))
sys.exit(1 if failed else 0)
