"""A socket at its edges: as those of MicroPython's own ports behave there."""

import errno
import select
import sys
import time
from array import array

from target import REFUSED, Failed, equal, fails, pattern, true

IN, OUT, ERR, HUP, NVAL = 1, 4, 8, 16, 32

AF_INET = 2
SOCK_STREAM = 1
SOCK_DGRAM = 2
SOCK_RAW = 3
PEEK = 1
DONTWAIT = 8
PORT = 8001
EISCONN = 106


def _raises(kind, function, *args):
    try:
        got = function(*args)
    except kind:
        return
    raise Failed("returned %r instead of %s" % (got, kind.__name__))


def _flags(poller, ms=0):
    """The events of the only socket that is polled; 0: it is not ready."""
    ready = poller.poll(ms)
    return ready[0][1] if ready else 0


def _poller(s):
    """A poll object, `s` registered without events to wait for: IN and OUT."""
    poller = select.poll()
    poller.register(s)
    return poller


def case_what_a_socket_cannot_be(target):
    socket = target.modem.socket
    for args in ((None,), (AF_INET, None), (AF_INET, SOCK_RAW, None), ("2",), (AF_INET, SOCK_DGRAM, None)):
        _raises(TypeError, socket, *args)
    fails(errno.EOPNOTSUPP, socket, AF_INET, SOCK_RAW)
    fails(errno.EOPNOTSUPP, socket, 99)


def case_names_of_the_module(target):
    from simcom import socket

    equal((socket.SOCK_RAW, socket.MSG_PEEK, socket.MSG_DONTWAIT), (SOCK_RAW, PEEK, DONTWAIT))
    equal(socket.getaddrinfo("", 0)[0][-1], ("0.0.0.0", 0), "for bind()")
    equal(socket.getaddrinfo(b"io.example", 1883)[0][-1], ("io.example", 1883), "bytes, as many programs have them")
    equal(socket.getaddrinfo("0.0.0.0", 8000, AF_INET)[0][-1], ("0.0.0.0", 8000))


def case_number_of_a_socket(target):
    s = target.socket()
    other = target.socket()
    true(s.fileno() >= 0 and s.fileno() == s.fileno() != other.fileno(), "fileno: %r" % s.fileno())
    s.close()
    equal(s.fileno(), -1, "closed")
    other.close()


def case_a_small_message_is_received_at_once(target):
    # Also by the first read that the module answers, from whose form the driver learns.
    s = target.socket("echo")
    s.send(b"client to server")
    equal(s.recv(16), b"client to server")
    s.close()


def case_peek_leaves_the_bytes(target):
    s = target.socket("echo")
    s.write(b"abcdefgh")
    equal(s.recv(8, PEEK), b"abcdefgh")
    equal(s.recv(3, PEEK), b"abc")
    equal(s.recv(3), b"abc")
    equal(s.recv(100, PEEK), b"defgh")
    equal(s.read(5), b"defgh")
    fails(errno.EAGAIN, s.recv, 1, PEEK | DONTWAIT)
    fails(errno.EOPNOTSUPP, s.recv, 1, 2)
    s.close()
    fails(errno.EBADF, s.recv, 1, PEEK)


def case_peek_amid_a_stream(target):
    want = pattern(9000)
    s = target.socket("blob")
    s.write(b"9000\n")
    at = 0
    while True:
        ahead = s.recv(700, PEEK)
        equal(s.read(len(ahead)) if ahead else s.recv(1), ahead, "after %d" % at)
        if not ahead:
            break
        equal(ahead, want[at : at + len(ahead)], "after %d" % at)
        at += len(ahead)
    equal(at, len(want))
    s.close()


def case_receiving_without_waiting(target):
    s = target.socket("echo")
    start = time.ticks_ms()
    fails(errno.EAGAIN, s.recv, 8, DONTWAIT)
    fails(errno.EAGAIN, s.recvfrom, 8, DONTWAIT)
    true(time.ticks_diff(time.ticks_ms(), start) < 200, "it waited")
    s.write(b"there")
    equal(s.read(1), b"t", "a call without the flag waits")
    equal(s.recvfrom(8, DONTWAIT), (b"here", target.peer("echo")))
    s.close()


def case_nothing_asked_for(target):
    s = target.socket("echo")
    for nothing in (s.read(0), s.readline(0)):
        equal(nothing, b"")
    equal((s.readinto(bytearray(0)), s.send(b""), s.write(b""), s.sendall(b"")), (0, 0, 0, None))
    s.setblocking(False)
    equal((s.read(0), s.send(b""), s.write(b"")), (b"", 0, 0))
    s.settimeout(30)
    s.write(b"x")
    true(_flags(_poller(s), 30000) & OUT, "open")
    equal(s.read(1), b"x")
    s.close()


def case_blocking_send_takes_all(target):
    # As on ESP32: programs send a page by one call, and do not look at what it returns.
    s = target.socket("echo")
    data = pattern(2400)
    equal(s.send(data), 2400)
    equal(s.read(2400), data)
    s.close()


def case_buffers_of_wide_items(target):
    # A stream counts bytes, whatever the items of a buffer are; numbers have the byte order of the board.
    s = target.socket("echo")
    numbers = array("H", [258 * n for n in range(100)])
    for send in (s.write, s.send, s.sendall, lambda buf: s.sendto(buf, target.peer("echo"))):
        true(send(numbers) in (200, None), "%r: how many" % send)
        equal(s.read(200), bytes(numbers))
    equal(s.write(numbers, 3), 3, "n counts bytes")
    equal(s.write(numbers, 3, 1000), 197, "off counts bytes")
    equal(s.read(200), bytes(numbers))
    for receive in (s.readinto, s.recv_into, lambda buf: s.recvfrom_into(buf)[0]):
        s.write(memoryview(numbers)[:10])
        time.sleep_ms(300)
        got = array("H", [0] * 10)
        equal(receive(got), 20)
        equal(got, numbers[:10])
    s.write(b"\x01\x02\x03\x04\x05\x06")
    got = array("I", [0, 0])
    equal(s.readinto(got, 3), 3)
    equal(bytes(got), b"\x01\x02\x03" + bytes(5))
    equal((s.readinto(memoryview(got)[1:], 3), bytes(got)[4:7]), (3, b"\x04\x05\x06"))
    for buf in (5, None, [1], b"fixed", "text"):
        _raises(TypeError, s.readinto, buf)
        _raises(TypeError, s.recv_into, buf)
    for buf in (5, None, [1]):
        for send in (s.write, s.send, s.sendall):
            _raises(TypeError, send, buf)
    s.close()


def case_datagrams_of_wide_items(target):
    s = _datagrams(target)
    numbers = array("H", [258 * n for n in range(100)])
    equal(s.sendto(numbers, target.peer("echo")), 200)
    equal(s.recv(300), bytes(numbers))
    for receive in (lambda buf: s.recvfrom_into(buf)[0], s.recv_into, s.readinto):
        s.sendto(memoryview(numbers)[:10], target.peer("echo"))
        got = array("H", [0] * 10)
        equal(receive(got), 20)
        equal(got, numbers[:10])
    s.close()


def case_reading_nothing_of_a_silent_peer(target):
    s = target.socket("mute", timeout=1)
    equal((s.recv(0), s.recv_into(bytearray(0)), s.recvfrom(0)[0], s.read(0)), (b"", 0, b"", b""))
    s.close()
    for function, args in ((s.recv, (0,)), (s.recv_into, (bytearray(0),)), (s.read, (0,)), (s.write, (b"",))):
        fails(errno.EBADF, function, *args)


def case_every_call_on_a_closed_socket(target):
    for s in (target.socket("echo"), target.modem.socket(), _datagrams(target)):
        s.close()
        s.close()
        calls = [(getattr(s, name), (b"x",)) for name in ("send", "sendall", "write")]
        calls += [(getattr(s, name), (1,)) for name in ("recv", "read", "recvfrom")]
        calls += [(getattr(s, name), (bytearray(1),)) for name in ("recv_into", "readinto", "recvfrom_into")]
        calls += [(s.connect, (target.peer("echo"),)), (s.bind, (("", PORT),)), (s.listen, ()), (s.accept, ())]
        calls += [
            (s.readline, ()),
            (s.makefile, ()),
            (s.sendto, (b"x", target.peer("echo"))),
            (s.setsockopt, (6, 1, 1)),
        ]
        for function, args in calls:
            fails(errno.EBADF, function, *args)


def case_looking_at_names_loads_nothing(target):
    from simcom import socket

    modem = target.modem
    s = modem.socket()
    before = sorted(sys.modules)
    for name in ("bind", "listen", "accept", "setsockopt", "sendto", "recvfrom", "recvfrom_into", "fileno", "sendall"):
        true(hasattr(socket.socket, name) and callable(getattr(s, name)) and name in dir(s), name)
    for name in ("active", "config", "transparent", "context", "on_urc", "sleep"):
        true(hasattr(modem, name) and callable(getattr(modem, name)), name)
    equal((hasattr(s, "nonsense"), getattr(s, "nonsense", 5)), (False, 5))
    equal((hasattr(modem, "nonsense"), getattr(modem, "nonsense", 5)), (False, 5))
    dir(modem)
    equal(sorted(sys.modules), before, "loaded")
    s.close()


def case_flags_of_a_connection(target):
    s = target.modem.socket()
    poller = _poller(s)
    equal(_flags(poller), OUT | HUP, "new")
    equal([events for _, events in poller.ipoll(0)], [OUT | HUP], "new, by ipoll")
    s.setblocking(False)
    fails(errno.EINPROGRESS, s.connect, target.peer("blob"))
    equal(_flags(poller), 0, "connecting")
    equal(_flags(poller, 30000), OUT, "open")
    s.write(b"100\n")
    poller.modify(s, IN)
    equal(_flags(poller, 30000), IN, "something came")
    s.settimeout(30)
    equal(s.read(99), pattern(100)[:99])
    time.sleep_ms(300)
    target.until(lambda: s.ioctl(3, OUT) & OUT, "the peer's close")
    poller.modify(s, IN | OUT)
    equal(_flags(poller), IN | OUT, "closed by the peer, one byte left")
    equal(s.read(), pattern(100)[99:])
    equal(_flags(poller), IN | OUT, "at the end")
    equal((s.recv(1), s.recv(1), s.read(), s.read(1), s.readline()), (b"",) * 5, "the end stays")
    s.close()
    equal(_flags(poller), NVAL, "closed")


def case_flags_of_a_refused_connection(target):
    s = target.modem.socket()
    s.setblocking(False)
    poller = _poller(s)
    fails(errno.EINPROGRESS, s.connect, target.peer("refused"))
    for _ in range(2):
        events = _flags(poller, 30000)
        true(events & (ERR | HUP) and events & IN, "refused: %d" % events)
    fails(REFUSED, s.recv, 1)
    s.settimeout(30)
    s.connect(target.peer("echo"))
    equal(_flags(poller), OUT, "connected after that")
    s.close()


def case_poll_object_forgets_a_socket(target):
    s = target.socket("echo")
    poller = _poller(s)
    equal([events for _, events in poller.ipoll(0, 1)], [OUT], "once")
    equal(_flags(poller), 0, "no longer asked for")
    poller.unregister(s)
    fails(errno.ENOENT, poller.modify, s, IN)
    s.close()


def case_connect_again_and_again(target):
    s = target.socket()
    for _ in range(3):
        fails(REFUSED, s.connect, target.peer("refused"))
        s.connect(target.peer("echo"))  # the same socket
        s.write(b"QUIT?")
        equal(s.read(5), b"QUIT?")
        fails(EISCONN, s.connect, target.peer("echo"))
        s.close()
        s = target.socket("slam")
        equal(s.recv(1), b"")
        s.connect(target.peer("blob"))  # after the peer closed
        s.write(b"5\n")
        equal(s.read(), pattern(5))
    s.close()


def case_connect_is_asked_whether_it_has_connected(target):
    s = target.socket(timeout=0)
    fails(errno.EINPROGRESS, s.connect, target.peer("echo"))
    target.until(lambda: fails((errno.EALREADY, EISCONN), s.connect, target.peer("echo")).args[0] == EISCONN, "EISCONN")
    s.close()


def case_use_of_a_socket_that_never_connected(target):
    s = target.socket(timeout=None)
    for function in (s.recv, s.read):
        fails(errno.ENOTCONN, function, 1)
    fails(errno.ENOTCONN, s.recv, 1, PEEK)
    fails(errno.ENOTCONN, s.send, b"x")
    fails(errno.EINVAL, s.accept)
    fails(errno.EINVAL, s.listen)
    s.close()
    for function, args in ((s.accept, ()), (s.listen, ()), (s.bind, (("", 5000),)), (s.recvfrom, (1,))):
        fails(errno.EBADF, function, *args)


def case_lines_across_segments(target):
    s = target.socket("echo")
    for part in (b"one", b" line\r", b"\nand ", b"more"):
        s.write(part)
        time.sleep_ms(60)
    equal(s.readline(), b"one line\r\n")
    equal(s.readline(8), b"and more")
    s.settimeout(0.2)
    fails(errno.ETIMEDOUT, s.readline)
    s.close()


def case_time_out_of_a_fraction(target):
    s = target.socket("mute", timeout=0.2)
    for function in (s.recv, s.read):
        start = time.ticks_ms()
        fails(errno.ETIMEDOUT, function, 1)
        took = time.ticks_diff(time.ticks_ms(), start)
        true(200 <= took < 2000, "after %d ms" % took)
    s.settimeout(0.0)
    fails(errno.EAGAIN, s.recv, 1)
    s.close()


def case_a_socket_that_listens(target):
    s = target.socket()
    s.bind(("0.0.0.0", PORT))
    s.listen()
    s.listen()
    for timeout in (None, 0, 1):
        s.settimeout(timeout)
        fails(errno.ENOTCONN, s.recv, 10)
        fails(errno.ENOTCONN, s.send, b"x")
    s.settimeout(0.3)
    fails(errno.ETIMEDOUT, s.accept)
    s.setblocking(False)
    fails(errno.EAGAIN, s.accept)
    equal(_flags(_poller(s)), 0, "nobody came")
    other = target.socket()
    other.setblocking(False)
    other.bind(("", PORT))
    fails(errno.EADDRINUSE, other.listen)
    other.close()
    s.close()
    fails(errno.EBADF, s.accept)
    fails(errno.EBADF, s.listen)
    equal(_flags(_poller(s)), NVAL, "closed")


def _datagrams(target):
    s = target.modem.socket(AF_INET, SOCK_DGRAM)
    s.settimeout(30)
    return s


def case_peek_at_a_datagram(target):
    s = _datagrams(target)
    s.sendto(b"abcdefgh", target.peer("echo"))
    equal(s.recvfrom(5, PEEK), (b"abcde", target.peer("echo")))
    equal(s.recv(100, PEEK), b"abcdefgh")
    equal(s.recvfrom(100), (b"abcdefgh", target.peer("echo")))
    start = time.ticks_ms()
    for flags in (DONTWAIT, PEEK | DONTWAIT):
        fails(errno.EAGAIN, s.recvfrom, 8, flags)
        fails(errno.EAGAIN, s.recv, 8, flags)
    true(time.ticks_diff(time.ticks_ms(), start) < 1000, "it waited")  # a file is loaded for each
    fails(errno.EOPNOTSUPP, s.recvfrom, 8, 2)
    s.sendto(b"x", target.peer("echo"))
    equal(s.recv(5), b"x", "a call without the flag waits")
    s.close()


def case_datagram_socket_without_a_peer(target):
    # A loop that receives, not blocking, may be there before the first datagram is sent.
    s = _datagrams(target)
    s.setblocking(False)
    for function in (s.recv, s.recvfrom):
        fails(errno.EAGAIN, function, 10)
    equal(s.read(10), None)
    equal(_flags(_poller(s)), OUT)
    s.settimeout(30)
    s.sendto(b"now", target.peer("echo"))
    equal(s.recv(10), b"now")
    s.close()


try:
    case_a_socket_that_listens.feature = "server"
    case_datagrams_of_wide_items.feature = "udp"
    case_peek_at_a_datagram.feature = "udp"
    case_datagram_socket_without_a_peer.feature = "udp"
except AttributeError:  # MicroPython keeps no such notes
    pass
