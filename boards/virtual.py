"""No board: the virtual module of `make sim` on a pseudo-terminal, for MicroPython's unix port and CPython.

SIMCOM_TTY names the terminal; SIMCOM_CONTROL, if set, the control channel of the virtual module, whose line `pwrkey`
stands for the wire from a Pin to the power key.
"""

import errno
import io
import os
import select
import sys
import termios

import simcom

_Stream = io.IOBase if sys.implementation.name == "micropython" else object


class TtyUart(_Stream):
    """The part of machine.UART that a modem uses, over a terminal."""

    def __init__(self, path):
        self._file = open(path, "r+b", buffering=0)
        fd = self._file.fileno()
        mode = termios.tcgetattr(fd)
        mode[0] = mode[1] = mode[3] = 0  # raw: no translation, no echo, no lines
        mode[6][6] = mode[6][5] = 0  # VMIN, VTIME: a read returns what is there
        termios.tcsetattr(fd, termios.TCSANOW, mode)
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)
        self._buf = bytearray(2048)
        self._view = memoryview(self._buf)
        self._at = self._end = 0

    def init(self, baudrate):
        """A pseudo-terminal has no rate."""

    def any(self):
        if self._poll.poll(0):
            left = self._end - self._at
            self._buf[:left] = self._view[self._at : self._end]
            self._at = 0
            self._end = left + (self._file.readinto(self._view[left:]) or 0)
        return self._end - self._at

    def readinto(self, buf, n=-1):
        n = min(self.any(), len(buf) if n < 0 else n)
        buf[:n] = self._view[self._at : self._at + n]
        self._at += n
        return n or None

    def write(self, buf, off=None, n=None):
        if n is None:
            off, n = 0, len(buf) if off is None else off
        return self._file.write(memoryview(buf)[off : off + n])

    def ioctl(self, request, arg):
        if request == 3:  # MP_STREAM_POLL
            return arg & (select.POLLOUT | (select.POLLIN if self.any() else 0))
        return -errno.EINVAL


class PowerKey:
    """A Pin whose wire ends at the virtual module."""

    def __init__(self, path):
        self._control = open(path, "wb", buffering=0)

    def value(self, level):
        self._control.write(b"pwrkey %d\n" % level)


def modem(family="SIM7000"):
    """The modem on the terminal."""
    control = os.getenv("SIMCOM_CONTROL")
    uart = TtyUart(os.getenv("SIMCOM_TTY") or "build/modem")
    return getattr(simcom, family)(uart, pwrkey=PowerKey(control) if control else None)
