"""How received data comes: ``config(receive=...)``."""

import errno
from binascii import unhexlify

from ..buffered import Buffered
from ..lazy import capability
from ..supported import need

_MODES = ("buffer", "hex", "push")


def set_receive(m, mode):
    """ "buffer": the module keeps it until it is asked; "hex": so too, as hexadecimal digits; "push": it comes at once.

    For all sockets, before any is opened: OSError(EALREADY).
    """
    if mode not in _MODES:
        raise ValueError("receive: one of " + ", ".join(_MODES))
    for link in m.links.slots:
        if link:
            raise OSError(errno.EALREADY, "receive: %s:%d is open; close all sockets first" % link.peer)
    need(m, 'receive="%s"' % mode)
    if not getattr(m, "BUFFERED", True):  # each open says it
        return capability(m, "receive").change(m, mode)
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
    channel = m.channel
    if channel.parser.pushed:
        channel.parser = m.receiver.former
    channel.parser.long = None  # of digits it may have another form
    if mode == "push":
        from .headers import CipPush

        m.use(CipPush(m))
    else:
        m.use(Hex(m) if mode == "hex" else m.RECEIVER(m, m.read_max, 2 * m.read_max))


class Hex(Buffered):
    """AT+CIPRXGET=3: two digits for every byte."""

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
        """Buffered.on_read(), which knows mode 2."""
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
