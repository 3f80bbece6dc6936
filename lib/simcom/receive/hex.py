"""Receiving in buffer access as hexadecimal digits (AT+CIPRXGET=3)."""

import errno
from binascii import unhexlify

from ..ciprxget import CipRxGet


class Hex(CipRxGet):
    """Two digits for every byte."""

    DIGITS = 2  # for each byte

    def __init__(self, m):
        super().__init__(m, m.read_max // 2, m.read_max // 2 * 2)
        self._into = None  # takes the bytes
        self._odd = b""  # a digit whose other half is not here yet

    def equip(self, link):
        """Buffered.equip()"""
        super().equip(link)
        link.rxget[12] = 51
        link.head = link.head.replace(b": 2", b": 3")

    def on_read(self, kind, buf, i, j):
        """CipRxGet.on_read(), which knows mode 2."""
        k = i + 10
        if not kind and buf.startswith(b"+CIPRXGET:", i):
            while k < j and buf[k] == 32:
                k += 1
            if buf[k] == 51:
                buf[k] = 50
        return super().on_read(kind, buf, i, j)

    def _begin(self, got, left):
        """Digits for ``got`` bytes follow."""
        super()._begin(got, left)
        if got:
            self._into = self.link.take
            self._odd = b""
            self._channel.parser.expect(2 * got, self.take)

    def take(self, buf, i, n):
        """Takes digits for bytes."""
        digits = self._odd + bytes(buf[i : i + n])
        n = len(digits) // 2
        self._odd = digits[2 * n :]
        try:
            data = unhexlify(digits[: 2 * n])
        except ValueError:
            self.got = 0
            return self._modem.broken(self.link, errno.EIO, "received bytes were lost: these are no digits")
        self._into(data, 0, n)
