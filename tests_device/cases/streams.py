"""Bytes both ways over blocking sockets."""

import hashlib

from target import equal, pattern, true


def _ask(target, kind, line, timeout=30):
    s = target.socket(kind, timeout)
    s.write(line)
    return s


def _echo(target, n):
    data = pattern(n, n + 1)
    with target.socket("echo") as s:
        equal(s.write(data), n, "write")
        equal(s.read(n), data, "echo")


def case_echo_of_one_byte(target):
    _echo(target, 1)


def case_echo_of_a_few_bytes(target):
    for n in (2, 3, 63, 64, 65):
        _echo(target, n)


def case_echo_of_one_segment(target):
    for n in (1023, 1024, 1025, 1460):
        _echo(target, n)


def case_echo_of_5_kb(target):
    # Written and read in turns: an echo that nobody reads fills every buffer on the way.
    data = pattern(5000, 7)
    with target.socket("echo") as s:
        got = b""
        for at in range(0, 5000, 1000):
            s.write(data[at : at + 1000])
            got += s.read(1000)
        equal(got, data)


def case_bytes_of_every_value_both_ways(target):
    data = bytes(range(256)) + bytes(range(255, -1, -1))
    with target.socket("echo") as s:
        s.write(data)
        equal(s.read(512), data)


def case_text_of_the_protocol_is_payload_like_any_other(target):
    data = b"\r\nOK\r\n\r\n> ERROR\r\n0, CLOSED\r\n\r\n+CIPRXGET: 1,0\r\n+++\x1a\x1bAT\r\r\n+PDP: DEACT\r\nSEND OK\r\n"
    with target.socket("echo") as s:
        for at in range(len(data)):
            s.write(data[at:])
            equal(s.read(len(data) - at), data[at:])


def case_download_of_20_kb(target):
    s = _ask(target, "blob", b"20000\n")
    buf = bytearray(700)
    digest = hashlib.sha256()
    total = 0
    while True:
        n = s.readinto(buf)
        if not n:
            break
        digest.update(memoryview(buf)[:n])
        total += n
    s.close()
    equal(total, 20000, "length")
    equal(digest.digest(), hashlib.sha256(pattern(20000)).digest(), "SHA-256")


def case_upload_of_20_kb(target):
    data = pattern(20000, 3)
    s = _ask(target, "sink", b"20000\n")
    for at in range(0, 20000, 3000):
        s.sendall(data[at : at + 3000])
    equal(s.read(32), hashlib.sha256(data).digest(), "what the peer got")
    s.close()


def case_write_of_20_kb_at_once(target):
    data = pattern(20000, 4)
    s = _ask(target, "sink", b"20000\n")
    equal(s.write(data), 20000)
    equal(s.read(), hashlib.sha256(data).digest(), "what the peer got")
    s.close()


def case_eof_is_an_empty_answer_that_repeats(target):
    s = _ask(target, "blob", b"10\n")
    equal(s.read(10), pattern(10))
    for _ in range(3):
        equal(s.recv(10), b"", "recv")
        equal(s.read(10), b"", "read")
        equal(s.read(), b"", "read to the end")
        equal(s.readline(), b"", "readline")
        equal(s.readinto(bytearray(4)), 0, "readinto")
        equal(s.recv_into(bytearray(4)), 0, "recv_into")
    s.close()


def case_eof_comes_after_all_bytes(target):
    s = _ask(target, "blob", b"3000\n")
    equal(s.read(), pattern(3000))
    s.close()


def case_peer_that_closes_at_once_is_eof(target):
    s = target.socket("slam")
    equal(s.recv(10), b"")
    s.close()


def case_read_is_short_only_at_the_end(target):
    s = _ask(target, "drip", b"50 7 30\n")
    equal(s.read(20), pattern(50)[:20])
    equal(s.read(100), pattern(50)[20:])
    s.close()


def case_recv_returns_what_is_there(target):
    s = _ask(target, "drip", b"30 10 1000\n")  # a refused read is sent again half a second later
    got = s.recv(100)
    true(0 < len(got) < 30, "recv waited for all: %d bytes" % len(got))
    while True:
        more = s.recv(7)
        if not more:
            break
        true(len(more) <= 7, "recv gave more than asked for")
        got += more
    equal(got, pattern(30))
    s.close()


def case_recv_into_fills_the_start_of_a_buffer(target):
    s = target.socket("echo")
    s.write(b"abcdef")
    buf = bytearray(b"........")
    got = 0
    while got < 6:
        n = s.recv_into(memoryview(buf)[got:], 3)
        true(0 < n <= 3, "recv_into: %r" % n)
        got += n
    equal(bytes(buf), b"abcdef..")
    s.close()


def case_readinto_fills_exactly(target):
    s = _ask(target, "drip", b"40 9 30\n")
    buf = bytearray(b"." * 30)
    equal(s.readinto(buf, 12), 12, "with a length")
    equal(bytes(buf), pattern(40)[:12] + b"." * 18)
    equal(s.readinto(buf), 28, "to the end")
    equal(bytes(buf[:28]), pattern(40)[12:])
    equal(s.readinto(buf), 0, "at the end")
    s.close()


def case_readline_across_segments(target):
    s = target.socket("echo")
    for part in (b"first li", b"ne\r\nsec", b"ond\n", b"\nrest"):
        s.write(part)
    equal(s.readline(), b"first line\r\n")
    equal(s.readline(), b"second\n")
    equal(s.readline(), b"\n")
    equal(s.read(4), b"rest")
    s.close()


def case_readline_of_a_long_line_with_limit_and_at_eof(target):
    data = pattern(2500).replace(b"\n", b"?")
    s = target.socket("echo")
    s.write(data + b"\n")
    equal(s.readline(), data + b"\n")
    s.write(b"abcdef\n")
    equal(s.readline(4), b"abcd", "limit")
    equal(s.readline(), b"ef\n")
    s.close()
    s = _ask(target, "blob", b"9\n")
    equal(s.readline(), pattern(9).split(b"\n")[0], "the last line ends at EOF")
    s.close()


def case_sendall_of_any_buffer(target):
    s = target.socket("echo")
    for data in (b"bytes", bytearray(b"bytearray"), memoryview(b"memoryview")):
        s.sendall(data)
        equal(s.read(len(data)), bytes(data))
    equal(s.write(b"with a length", 6), 6)
    equal(s.read(6), b"with a")
    equal(s.write(b"with an offset", 5, 4), 4)
    equal(s.read(4), b"an o")
    for beyond in (-1, 7, 1 << 20):  # as py/stream.c: what there is
        equal(s.write(b"buffer", beyond), 6, "write(buf, %d)" % beyond)
        equal(s.read(6), b"buffer")
    equal(s.write(b"buffer", 4, 1000), 2)
    equal(s.read(2), b"er")
    equal(s.write(b"buffer", 9, 1), 0)
    equal(s.send(b""), 0)
    equal(s.write(b""), 0)
    s.write(b"!")
    equal(s.read(1), b"!")
    s.close()


def case_buffer_may_change_after_send(target):
    # Nothing of the caller's buffer is kept: umqtt and ssl reuse theirs at once.
    s = target.socket("echo")
    s.setblocking(False)
    buf = bytearray(b"first")
    equal(s.send(buf), 5)
    buf[:] = b"XXXXX"
    s.settimeout(30)
    equal(s.read(5), b"first")
    s.close()


def case_makefile_reads_and_writes(target):
    s = target.socket("echo")
    f = s.makefile("rwb", 0)
    f.write(b"a line\n")
    equal(f.readline(), b"a line\n")
    s.close()


def case_pieces_that_drip_are_put_together(target):
    s = _ask(target, "drip", b"200 8 15\n")
    equal(s.read(), pattern(200))
    s.close()
