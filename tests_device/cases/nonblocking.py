"""Sockets that do not block, polled as asyncio and ssl do."""

import errno
import select

from target import REFUSED, equal, fails, pattern, poll, true

IN, OUT, ERR, HUP = 1, 4, 8, 16


def _connecting(target, kind):
    s = target.modem.socket()
    s.setblocking(False)
    fails(errno.EINPROGRESS, s.connect, target.peer(kind))
    return s


def _gather(s, n):
    """`n` bytes as they come."""
    got = b""
    while len(got) < n:
        true(poll(s, IN) & IN, "nothing more came")
        piece = s.read(100)
        true(piece is None or len(piece) > 0, "read gave %r" % piece)
        got += piece or b""
    return got


def _open(target, kind):
    s = _connecting(target, kind)
    equal(poll(s, OUT), OUT, "poll while connecting")
    return s


def case_connect_is_in_progress_then_writable(target):
    s = _connecting(target, "echo")
    equal(s.ioctl(3, OUT), 0, "OUT before the connection is there")
    equal(s.read(1), None, "read while connecting")
    equal(s.write(b"x"), None, "write while connecting")
    equal(poll(s, OUT), OUT)
    equal(s.write(b"hello"), 5)
    equal(poll(s, IN), IN)
    s.settimeout(30)
    equal(s.read(5), b"hello")
    s.close()


def case_connect_by_a_loop_without_poll(target):
    # As mqtt_as does: connect, ignore EINPROGRESS, write until it works.
    s = _connecting(target, "echo")
    target.until(lambda: s.write(b"x"), "a write works")
    s.settimeout(30)
    equal(s.read(1), b"x")
    s.close()


def case_nothing_there(target):
    s = _open(target, "echo")
    fails(errno.EAGAIN, s.recv, 1)
    fails(errno.EAGAIN, s.recv_into, bytearray(1))
    equal(s.read(1), None)
    equal(s.read(), None)
    equal(s.readinto(bytearray(1)), None)
    equal(s.readline(), None)
    equal(s.ioctl(3, IN), 0, "IN without data")
    s.close()


def case_read_gives_what_is_there(target):
    s = _open(target, "echo")
    s.write(b"abc")
    equal(_gather(s, 3), b"abc")
    equal(s.read(10), None)
    s.write(b"line\nmore")
    got = b""
    while len(got) < 5:
        equal(poll(s, IN), IN)
        got += s.readline() or b""
    equal(got, b"line\n")
    s.close()


def _was_full(s, times):
    # The send buffer was full so often, and all that was sent has come: the peer's digest of it.
    true(times, "the send buffer was never full")
    s.settimeout(30)
    equal(len(s.read(32)), 32)
    s.close()


def case_send_takes_what_fits(target):
    data = pattern(9000, 5)
    s = _open(target, "sink")
    equal(s.send(b"9000\n"), 5)
    n = s.send(data)
    true(0 < n < 9000, "send took %d of 9000" % n)
    done = n
    refused = 0
    while done < 9000:
        try:
            n = s.send(memoryview(data)[done:])
            true(0 < n <= 9000 - done, "send: %r" % n)
            done += n
        except OSError as e:
            equal(e.args[0], errno.EAGAIN)
            refused += 1
            true(poll(s, OUT) & OUT, "never writable again")
    _was_full(s, refused)


def case_write_is_none_when_nothing_fits(target):
    data = pattern(3000)
    s = _open(target, "sink")
    s.write(b"3000\n")
    done = 0
    nothing = 0
    while done < 3000:
        n = s.write(memoryview(data)[done:])
        true(n is None or n > 0, "write: %r" % n)
        nothing += n is None
        done += n or 0
        if n is None:
            true(poll(s, OUT) & OUT, "never writable again")
    _was_full(s, nothing)


def case_sendall_that_does_not_fit(target):
    s = _open(target, "mute")
    fails(errno.EAGAIN, s.sendall, bytes(20000))
    s.close()


def case_refused_connect_is_raised_by_the_next_call(target):
    for use in (lambda s: s.read(1), lambda s: s.write(b"x"), lambda s: s.recv(1), lambda s: s.send(b"x")):
        s = _connecting(target, "refused")
        bits = poll(s, IN | OUT)
        true(bits & (ERR | HUP), "poll of a refused connection: %d" % bits)
        fails(REFUSED, use, s)
        s.close()


def case_poll_bits_of_each_state(target):
    s = target.modem.socket()
    s.setblocking(False)
    equal(s.ioctl(3, IN | OUT), OUT | HUP, "never connected")
    fails(errno.EINPROGRESS, s.connect, target.peer("blob"))
    equal(s.ioctl(3, IN | OUT), 0, "connecting")
    equal(poll(s, IN | OUT), OUT, "open")
    equal(s.ioctl(3, IN), 0, "open, asked for IN only")
    s.write(b"20\n")
    equal(poll(s, IN), IN, "data")
    s.settimeout(30)
    equal(s.read(20), pattern(20))
    true(poll(s, IN) & IN, "EOF is readable")
    equal(s.read(1), b"")
    s.close()
    true(s.ioctl(3, IN | OUT) & 32, "closed: NVAL")


def case_unknown_ioctl_is_einval(target):
    s = target.socket("echo")
    for request in (1, 2, 5, 11, 255):
        equal(s.ioctl(request, 0), -errno.EINVAL)
    equal(s.ioctl(4, 0), 0, "close")
    fails(errno.EBADF, s.read, 1)


def case_poll_times_out(target):
    s = _open(target, "echo")
    equal(poll(s, IN, 200), 0)
    s.close()


def case_poll_of_many_sockets_names_the_ready_one(target):
    sockets = [_open(target, "echo") for _ in range(min(3, target.modem.LINKS))]
    poller = select.poll()
    for s in sockets:
        poller.register(s, IN)
    sockets[1].write(b"x")
    ready = poller.poll(30000)
    equal([(entry[0] is sockets[1], entry[1]) for entry in ready], [(True, IN)])
    for s in sockets:
        s.close()


def case_close_returns_at_once_and_sends_what_was_written(target):
    s = _open(target, "echo")
    s.write(b"a" * 500)
    s.close()
    true(target.modem.flush(), "flush")
    # The number is free again.
    sockets = [target.socket("echo") for _ in range(target.modem.LINKS)]
    for s in sockets:
        s.close()
