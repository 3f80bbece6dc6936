"""How received data comes: ``config(receive=...)``."""

import errno
from binascii import unhexlify

from .links import RingPool

_MODES = ("buffer", "hex", "push")
_PUSH_RING = 4  # its ring is as many reads long: nothing tells the module to wait


def set_receive(m, mode):
    """ "buffer": the module keeps it until it is asked; "hex": so too, as hexadecimal digits; "push": it comes at once.

    For all sockets, before any is opened: OSError(EALREADY).
    """
    if mode not in _MODES:
        raise ValueError("receive: one of " + ", ".join(_MODES))
    for link in m.links.slots:
        if link:
            raise OSError(errno.EALREADY, "receive: %s:%d is open; close all sockets first" % link.peer)
    commands = (b"AT+CIPRXGET=1",)
    if mode == "push":
        commands = (b"AT+CIPRXGET=0", b"AT+CIPHEAD=1", b"AT+CIPSRIP=1")
    elif b"AT+CIPSRIP=1" in m.SETTINGS:
        commands = (b"AT+CIPSRIP=0", b"AT+CIPRXGET=1")
    return _change(m, mode, commands)


def _change(m, mode, commands):
    if m.up:
        for cmd in commands:
            yield cmd
    _install(m, mode, commands)


def _install(m, mode, commands):
    names = [cmd[:11] for cmd in (b"AT+CIPRXGET", b"AT+CIPHEAD=", b"AT+CIPSRIP=")]
    m.SETTINGS = tuple([cmd for cmd in m.SETTINGS if cmd[:11] not in names]) + commands
    former = getattr(m, "receiver", None)
    if former:
        former.remove()
    m.receiver = None
    m.channel.parser.long = None  # of digits it may have another form
    if mode == "hex":
        m.receiver = Hex(m)
    elif mode == "push":
        from .push import Push

        m.receiver = Push(m)
        resize(m, _PUSH_RING * m.READ_MAX)


def resize(m, size):
    """Links that are opened from now on get rings of ``size`` bytes; returns the size before."""
    before = m.ring_size
    m.ring_size = size
    m._rings = _Rings(size)
    return before


class _Rings(RingPool):
    """Takes back rings of all sizes, lends only its own."""

    def lend(self, link):
        super().lend(link)
        link.pool = self

    def give_back(self, link):
        ring = link.ring
        super().give_back(link)
        if ring is not None and getattr(link, "pool", None) is not self:
            self._free.remove(ring)


class Hex:
    """AT+CIPRXGET=3: two digits for every byte."""

    def __init__(self, m):
        self._modem = m
        self._into = None  # takes the bytes
        self._odd = b""  # a digit whose other half is not here yet
        self._equip = m.equip
        self._header = m._header
        self._segment = m._segment
        m.equip = self.equip
        m._header = self.header
        m._segment = self.segment
        m.ring_size //= 2

    def remove(self):
        """Back to bytes."""
        m = self._modem
        m.equip = self._equip
        m._header = self._header
        m._segment = self._segment
        m.ring_size *= 2

    def equip(self, link):
        """BufferAccess.equip()"""
        self._equip(link)
        link.rxget[12] = 51
        link.head = link.head.replace(b": 2", b": 3")

    def header(self, link, buf, i, j, kind):
        """BufferAccess._header(), which knows mode 2."""
        k = i + 10
        if not kind and buf.startswith(b"+CIPRXGET:", i):
            while k < j and buf[k] == 32:
                k += 1
            if buf[k] == 51:
                buf[k] = 50
        return self._header(link, buf, i, j, kind)

    def segment(self, got, buf, j):
        """BufferAccess._segment()"""
        self._segment(got, buf, j)
        parser = self._modem.channel.parser
        if parser.need:
            self._into = parser.take
            self._odd = b""
            parser.expect(2 * got, self.take)

    def take(self, buf, i, n):
        """Takes digits for bytes."""
        digits = self._odd + bytes(buf[i : i + n])
        n = len(digits) // 2
        self._odd = digits[2 * n :]
        try:
            data = unhexlify(digits[: 2 * n])
        except ValueError:
            m = self._modem
            m._got = 0
            return m._broken(m._link, errno.EIO, "received bytes were lost: these are no digits")
        self._into(data, 0, n)
