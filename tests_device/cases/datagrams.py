"""UDP sockets: borders, addresses, time-outs, and other traffic beside them."""

import errno

from target import equal, fails, pattern, poll, true

IN, OUT, NVAL = 1, 4, 32

AF_INET = 2
SOCK_DGRAM = 2


def _socket(target, timeout=30):
    s = target.modem.socket(AF_INET, SOCK_DGRAM)
    s.settimeout(timeout)
    return s


def _time(target, s):
    """What micropython-lib's ntptime does; the seconds since 1900."""
    query = bytearray(48)
    query[0] = 0x1B
    s.sendto(query, target.peer("ntp"))
    answer = s.recv(48)
    equal(len(answer), 48, "length of the answer")
    return int.from_bytes(answer[40:44], "big")


def case_a_datagram_and_its_answer(target):
    s = _socket(target)
    equal(s.sendto(b"hello", target.peer("echo")), 5)
    equal(s.recvfrom(100), (b"hello", target.peer("echo")))
    s.close()
    fails(errno.EBADF, s.recv, 1)
    equal(s.ioctl(3, IN | OUT), NVAL, "closed")


def case_time_as_ntptime_asks_for_it(target):
    s = _socket(target, 1)
    try:
        equal(_time(target, s), 3944678400)
    finally:
        s.close()


def case_borders_are_kept(target):
    s = _socket(target)
    for n in (1, 2, 10, 48, 64, 65, 255, 256, 257, 500, 1000, 1400):
        data = pattern(n, n)
        equal(s.sendto(data, target.peer("echo")), n)
        equal(s.recv(2000), data, "%d bytes" % n)
    s.close()


def case_datagrams_that_end_like_lines(target):
    s = _socket(target)
    for data in (b"\n", b"\r\n", b"OK\r\n", b"\r\n\r\nOK\r\n", b"+CIPRXGET: 1,0\r\n", b"> "):
        s.sendto(data, target.peer("echo"))
        equal(s.recv(100), data)
    s.close()


def case_several_that_wait(target):
    # Their borders show, unless the module hides them: then they come joined, but none cut.
    s = _socket(target, 5)
    sent = [pattern(7 * (i + 1), i + 1) for i in range(6)]
    for data in sent:
        s.sendto(data, target.peer("echo"))
    got = []
    while len(b"".join(got)) < len(b"".join(sent)):
        got.append(s.recv(2000))
    for data in got:
        while data:
            true(data.startswith(sent[0]), "%r does not begin with %r" % (data, sent[0]))
            data = data[len(sent.pop(0)) :]
    equal(sent, [])
    s.close()


def case_the_rest_of_a_datagram_is_dropped(target):
    s = _socket(target)
    s.sendto(b"0123456789", target.peer("echo"))
    equal(s.recv(4), b"0123")
    s.sendto(b"abcdefghij", target.peer("echo"))
    buf = bytearray(20)
    equal(s.recv_into(buf, 3), 3)
    s.sendto(b"next", target.peer("echo"))
    equal(s.recvfrom_into(buf), (4, target.peer("echo")))
    equal(bytes(buf[:4]), b"next")
    s.close()


def case_connected(target):
    s = _socket(target)
    fails(errno.ENOTCONN, s.send, b"to whom?")
    s.connect(target.peer("echo"))
    equal(s.send(b"one"), 3)
    equal(s.read(3), b"one")
    equal(s.write(b"twothree", -1), 8)
    buf = bytearray(8)
    equal(s.readinto(buf), 8)
    equal(bytes(buf), b"twothree")
    s.close()


def case_one_read_is_one_datagram(target):
    # ssl asks for more than there is, through the stream protocol: DTLS would wait for ever.
    s = _socket(target, None)
    s.connect(target.peer("echo"))
    buf = bytearray(100)
    for data in (b"one", b"seven"):
        s.write(data)
        equal(s.readinto(buf), len(data))
        equal(buf[: len(data)], data)
    s.write(b"read")
    equal(s.read(100), b"read")
    s.close()


def case_too_long_or_empty(target):
    s = _socket(target)
    most = max(1460, target.modem.SEND_MAX)
    for n in (0, most + 1, 5000):
        fails(errno.EINVAL, s.sendto, bytes(n), target.peer("echo"))
    s.sendto(bytes(most), target.peer("echo"))
    equal(len(s.recv(2000)), most)
    s.close()


def case_nothing_comes(target):
    s = _socket(target, 0.3)
    s.settimeout(30)
    s.sendto(b"anybody?", target.peer("mute"))
    s.settimeout(0.3)
    for use in (lambda: s.recv(10), lambda: s.recvfrom(10), lambda: s.read(10)):
        fails(errno.ETIMEDOUT, use)
    s.settimeout(30)
    s.sendto(b"here", target.peer("echo"))
    equal(s.recv(10), b"here")
    s.close()


def case_not_blocking(target):
    s = _socket(target, 0)
    equal(s.ioctl(3, IN | OUT), OUT, "new")
    equal(s.sendto(b"first", target.peer("echo")), 5)
    fails(errno.EAGAIN, s.sendto, b"second", target.peer("echo"))
    equal(s.ioctl(3, OUT), 0, "one waits")
    fails(errno.EAGAIN, s.recv, 10)
    equal(s.read(10), None)
    equal(s.readinto(bytearray(10)), None)
    equal(poll(s, OUT), OUT)
    equal(poll(s, IN), IN)
    equal(s.recvfrom(10), (b"first", target.peer("echo")))
    fails(errno.EAGAIN, s.recvfrom, 10)
    equal(poll(s, IN, 100), 0)
    s.connect(target.peer("echo"))
    equal(s.write(b"second"), 6)
    equal(s.write(b"third"), None)
    equal(poll(s, IN), IN)
    equal(s.read(6), b"second")
    s.close()


def case_two_at_once(target):
    a = _socket(target)
    b = _socket(target)
    for i in range(5):
        a.sendto(b"a%d" % i, target.peer("echo"))
        b.sendto(b"b%d" % i, target.peer("echo"))
        equal(b.recv(10), b"b%d" % i)
        equal(a.recv(10), b"a%d" % i)
    a.close()
    b.close()


def case_one_peer_after_the_other(target):
    s = _socket(target)
    for _ in range(2):
        equal(_time(target, s), 3944678400)
        s.sendto(b"echo", target.peer("echo"))
        equal(s.recvfrom(10), (b"echo", target.peer("echo")))
    s.close()


def case_time_while_requests_are_answered(target):
    # As a client of MQTT does, whose replies must not mix with the datagrams.
    stream = target.socket("echo")
    for i in range(4):
        s = _socket(target)
        request = pattern(200 + 100 * i, i + 1)
        stream.write(request)
        equal(_time(target, s), 3944678400)
        equal(stream.read(len(request)), request, "round %d" % i)
        s.close()
    stream.close()


def case_closed_and_used_again(target):
    for i in range(2 * target.modem.LINKS + 1):
        s = _socket(target)
        s.sendto(b"%d" % i, target.peer("echo"))
        equal(s.recv(10), b"%d" % i)
        s.close()
    sockets = [target.socket("echo") for _ in range(target.modem.LINKS)]
    e = fails(errno.ENOBUFS, _socket(target).sendto, b"x", target.peer("echo"))
    true("links taken" in str(e), str(e))
    for s in sockets:
        s.close()


def case_closed_with_one_that_waits(target):
    s = _socket(target, 0)
    s.sendto(b"the last word", target.peer("mute"))
    before = target.sent()
    s.close()
    true(target.modem.flush(), "flush")
    true(target.sent() - before >= len(b"the last word"), "it went out")


def case_no_name(target):
    s = _socket(target)
    fails((-2, errno.ECONNREFUSED), s.sendto, b"x", ("no.such.name.example", 7))
    s.sendto(b"still well", target.peer("echo"))
    equal(s.recv(20), b"still well")
    s.close()


def case_not_for_streams(target):
    s = _socket(target)
    fails(errno.EOPNOTSUPP, s.listen, 1)
    fails(errno.EOPNOTSUPP, s.accept)
    s.close()


def case_a_stream_takes_calls_with_addresses(target):
    s = target.socket("echo")
    equal(s.sendto(b"x", target.peer("mute")), 1)
    equal(s.recvfrom(1), (b"x", target.peer("echo")))
    s.close()


try:
    for _name, _case in list(globals().items()):
        if _name.startswith("case_"):
            _case.feature = "tcp" if _case is case_a_stream_takes_calls_with_addresses else "udp"
except AttributeError:  # MicroPython's functions have no attributes; there nobody asks for them
    pass
