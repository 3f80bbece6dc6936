"""How received data comes: ``config(receive=...)``."""

import errno

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
    elif mode == "hex":
        from .hex import Hex

        m.use(Hex(m))
    else:
        m.use(m.RECEIVER(m, m.read_max, 2 * m.read_max))
