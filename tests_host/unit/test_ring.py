"""RingIO's twin against a model, with the positions wrapped everywhere."""

import random

import pytest
from shim.ring import RingIO


class Model:
    """What a ring of so many bytes is."""

    def __init__(self, size):
        self.size = size
        self.data = b""

    def write(self, buf, off, n):
        took = bytes(buf[off : off + n])[: self.size - len(self.data)]
        self.data += took
        return len(took)

    def readinto(self, buf, n):
        got, self.data = self.data[:n], self.data[n:]
        buf[: len(got)] = got
        return len(got)


@pytest.mark.parametrize("seed", range(30))
def test_random_operations_are_those_of_the_model(seed):
    rnd = random.Random(seed)
    size = rnd.choice((1, 2, 3, 7, 16, 64, 100, 2920))
    ring, model = RingIO(size), Model(size)
    for step in range(2000):
        if rnd.random() < 0.5:
            source = bytearray(rnd.randbytes(rnd.randrange(0, size + 20)))
            off = rnd.randrange(len(source) + 1)
            n = rnd.randrange(len(source) - off + 1)
            assert ring.write(source, off, n) == model.write(source, off, n), step
        else:
            n = rnd.randrange(0, size + 20)
            mine, its = bytearray(b"\xee" * (size + 20)), bytearray(b"\xee" * (size + 20))
            assert ring.readinto(mine, n) == model.readinto(its, n), step
            assert mine == its and len(mine) == size + 20, step
        assert ring.any() == len(model.data), step


def test_bytes_come_out_as_they_went_in_at_every_position_of_the_wrap():
    for size in range(1, 20):
        for position in range(size):
            ring = RingIO(size)
            ring.write(bytes(position), 0, position)
            ring.readinto(bytearray(size), position)
            for n in range(size + 1):
                data = bytes(range(1, n + 1))
                assert ring.write(data, 0, n) == n
                out = bytearray(n)
                assert ring.readinto(out, n) == n
                assert out == data


def test_full_ring_takes_what_fits():
    ring = RingIO(10)
    assert ring.write(b"0123456", 0, 7) == 7
    assert ring.write(b"abcdefg", 0, 7) == 3
    assert ring.write(b"x", 0, 1) == 0
    assert ring.any() == 10
    out = bytearray(20)
    assert ring.readinto(out, 20) == 10
    assert out[:10] == b"0123456abc" and len(out) == 20


def test_empty_ring_gives_nothing():
    ring = RingIO(4)
    out = bytearray(b"keep")
    assert ring.any() == 0
    assert ring.readinto(out, 4) == 0 and out == b"keep"
    assert ring.write(b"", 0, 0) == 0


def test_part_of_a_buffer_is_written():
    ring = RingIO(10)
    chunk = bytearray(b"..header:payload..")
    assert ring.write(chunk, 9, 7) == 7
    out = bytearray(7)
    ring.readinto(out, 7)
    assert out == b"payload" and chunk == b"..header:payload.."


def test_view_of_a_buffer_is_filled():
    ring = RingIO(10)
    ring.write(b"payload", 0, 7)
    out = bytearray(b"0123456789")
    assert ring.readinto(memoryview(out)[3:], 4) == 4
    assert out == b"012payl789"
    assert ring.readinto(memoryview(out)[:2], 2) == 2
    assert out == b"oa2payl789" and ring.any() == 1


def test_whole_buffer_is_the_default():
    ring = RingIO(10)
    assert ring.write(b"hello") == 5
    out = bytearray(3)
    assert ring.readinto(out) == 3 and out == b"hel"


def test_count_beyond_the_buffer_is_cut():
    # As MicroPython's streams do: neither may read or write past the end of what was passed in.
    ring = RingIO(10)
    assert ring.write(b"abc", 1, 9) == 2 and ring.any() == 2
    ring.write(b"def", 0, 3)
    out = bytearray(3)
    assert ring.readinto(out, 10) == 3
    assert out == b"bcd" and ring.any() == 2


def test_two_rings_share_nothing():
    a, b = RingIO(4), RingIO(4)
    a.write(b"aaaa", 0, 4)
    assert b.any() == 0
