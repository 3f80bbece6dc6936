"""What a socket raises, and that it works (or is closed) afterwards."""

import errno
import time

from target import REFUSED, equal, fails, pattern, true


def case_refused_connect(target):
    s = target.socket()
    e = fails(REFUSED, s.connect, target.peer("refused"))
    true(target.peer("refused")[0] in str(e), "the message names no peer: %s" % e)
    s.close()


def case_refused_connect_of_a_blocking_socket_without_time_out(target):
    s = target.socket(timeout=None)
    fails(REFUSED, s.connect, target.peer("refused"))
    s.close()


def case_socket_connects_after_a_refusal(target):
    s = target.socket()
    fails(REFUSED, s.connect, target.peer("refused"))
    s.connect(target.peer("echo"))
    s.write(b"second try")
    equal(s.read(10), b"second try")
    s.close()


def case_recv_times_out_and_the_socket_works_after_it(target):
    s = target.socket("echo", timeout=0.3)
    for receive in (lambda: s.recv(1), lambda: s.read(1), lambda: s.readinto(bytearray(1)), s.readline):
        start = time.ticks_ms()
        fails(errno.ETIMEDOUT, receive)
        took = time.ticks_diff(time.ticks_ms(), start)
        true(300 <= took < 3000, "after %d ms" % took)
    s.settimeout(30)
    s.write(b"hello")
    equal(s.read(5), b"hello")
    s.close()


def case_time_out_keeps_what_has_come(target):
    s = target.socket("drip", timeout=1)
    s.write(b"20 10 3000\n")
    buf = bytearray(20)
    try:
        n = s.readinto(buf)  # short, or an error that leaves the bytes where they are
        equal(n, 10)
    except OSError as e:
        equal(e.args[0], errno.ETIMEDOUT)
        n = 0
    s.settimeout(30)
    equal(bytes(buf[:n]) + s.read(20 - n), pattern(20))
    s.close()


def _every_use_fails(s, code):
    for receive in (s.recv, s.read):
        fails(code, receive, 1)
    for receive in (s.recv_into, s.readinto):
        fails(code, receive, bytearray(1))
    fails(code, s.readline)
    for send in (s.write, s.send, s.sendall):
        fails(code, send, b"x")


def case_use_before_connect(target):
    s = target.socket()
    _every_use_fails(s, errno.ENOTCONN)
    s.close()


def case_close_twice(target):
    s = target.socket("echo")
    s.close()
    s.close()
    s = target.socket()
    s.close()
    s.close()


def case_use_after_close(target):
    for kind in ("echo", None):
        s = target.socket(kind)
        s.close()
        _every_use_fails(s, errno.EBADF)
        fails(errno.EBADF, s.connect, target.peer("echo"))


def case_second_connect_of_an_open_socket(target):
    s = target.socket("echo")
    fails(106, s.connect, target.peer("echo"))  # EISCONN, as MicroPython's own
    s.write(b"still")
    equal(s.read(5), b"still")
    s.close()


def case_with_closes(target):
    with target.socket("echo") as s:
        s.write(b"x")
        equal(s.read(1), b"x")
    fails(errno.EBADF, s.read, 1)
    try:
        with target.socket("echo") as s:
            raise KeyError
    except KeyError:
        pass
    fails(errno.EBADF, s.write, b"x")


def case_write_after_the_peer_closed(target):
    s = target.socket("slam")
    equal(s.recv(1), b"")
    equal(s.write(b"x"), 1)  # as with TCP, whose reset is the answer to it
    fails(errno.ECONNRESET, s.write, b"x")
    fails(errno.ECONNRESET, s.send, b"x")
    s.close()


def case_reset_by_the_peer_ends_reading(target):
    s = target.socket("reset")
    # This module family does not tell a reset from a close; it may be heard of before the answer to the write.
    try:
        s.write(b"x")
        equal(s.recv(1), b"")
    except OSError as e:
        equal(e.args[0], errno.ECONNRESET)
    try:  # the first after the end may be good
        s.write(b"x")
    except OSError as e:
        equal(e.args[0], errno.ECONNRESET)
    fails(errno.ECONNRESET, s.write, b"x")
    s.close()


def case_bytes_before_a_close_stay_readable(target):
    s = target.socket("blob")
    s.write(b"1000\n")
    equal(s.read(1), pattern(1))
    time.sleep_ms(500)  # meanwhile the peer has closed
    equal(s.read(), pattern(1000)[1:])
    s.close()


def case_close_sends_what_was_written(target):
    s = target.socket("sink")
    s.setblocking(False)
    s.send(b"10\n")
    s.settimeout(30)
    s.write(b"0123456789")
    equal(len(s.read(32)), 32)
    s.close()
