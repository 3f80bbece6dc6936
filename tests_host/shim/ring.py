"""`micropython.RingIO` in Python."""


class RingIO:
    """The part of RingIO's API that the library uses; ``size``: bytes it holds."""

    def __init__(self, size: int):
        self._buf = bytearray(size)
        self._start = 0
        self._n = 0

    def any(self) -> int:
        """How many bytes there are."""
        return self._n

    def write(self, buf, off: int = 0, n: "int | None" = None) -> int:
        """Take ``n`` bytes of ``buf`` from ``off``, or as many as fit; returns how many."""
        buf = memoryview(buf).cast("B")  # an item of an array may be wider
        size = len(self._buf)
        rest = len(buf) - off
        n = min(rest if n is None else n, rest, size - self._n)
        at = (self._start + self._n) % size
        first = min(n, size - at)
        self._buf[at : at + first] = buf[off : off + first]
        self._buf[: n - first] = buf[off + first : off + n]
        self._n += n
        return n

    def readinto(self, buf, n: "int | None" = None) -> int:
        """Move at most ``n`` bytes into ``buf``; returns how many."""
        buf = memoryview(buf).cast("B")
        size = len(self._buf)
        n = min(len(buf) if n is None else n, len(buf), self._n)
        first = min(n, size - self._start)
        buf[:first] = self._buf[self._start : self._start + first]
        buf[first:n] = self._buf[: n - first]
        self._start = (self._start + n) % size
        self._n -= n
        return n
