"""Which module is at a UART: it is switched on, asked, and becomes an object of the class that fits."""

import errno
import sys

from .buffered import Buffered
from .checks import check_number
from .lazy import once
from .bringup.model import COMMANDS, fitting, names
from .pump import Pump
from .query import query
from .tcp import TcpIp
from .foreground import run

_TRIES = 5  # a second apart: right after its start a module may refuse to tell


class _Nothing(Buffered):
    """As long as it is not known which module it is."""

    def on_line(self, buf, i, j):
        """Buffered.on_line()"""
        return False


class _Anybody(TcpIp):
    LINKS = 1
    RECEIVER = _Nothing
    PRESS_OFF_MS = 3000  # the longest of all
    BOOT_MS = 30000


def detect(
    uart,
    *,
    pwrkey=None,
    pressed: int = 1,
    pin: str = "",
    baudrate: int = 0,
    rxbuf: int = 2048,
    mux: bool = True,
    timeout_ms: int = 120000,
):
    """Switch the module on if need be, ask what it is, and return an object of the right class; not yet ``active()``.

    Arguments are those of a class. A model that nobody knows gets a class by the commands that it has; that is printed,
    and ``modem.guessed`` is what it says it is, else "". Raises OSError: ETIMEDOUT when nothing answers, ENODEV when no
    class fits; ImportError when the class that fits is not installed.
    """
    check_number("timeout_ms", timeout_ms, 1)
    others = Pump.made
    anybody = _Anybody(uart, pwrkey=pwrkey, pressed=pressed, pin=pin, baudrate=baudrate, rxbuf=rxbuf)
    Pump.made = others  # it is gone when the right one is made
    name, guessed = run(anybody, _steps(anybody), timeout_ms, "detect")
    modem = getattr(sys.modules["simcom"], name)(
        uart, pwrkey=pwrkey, pressed=pressed, pin=pin, baudrate=baudrate, rxbuf=rxbuf, mux=mux
    )
    modem.guessed = guessed
    return modem


def _steps(m):
    """The name of its class, and what it says it is when that is a guess."""
    yield from once("bringup.power").find(m)
    yield from once("recovery.resync").silence(m)
    yield b"ATE0"
    for _ in range(_TRIES):
        said = yield from _said(m)
        found = fitting(said)
        if found:
            return found[1], ""
        if said:
            break
        yield 1000
    said = said or "a module that does not tell its name"
    for commands, name in COMMANDS:
        for cmd in commands:
            if not (yield from _has(m, cmd)):
                break
        else:
            has = " and ".join([cmd[:-2].decode() for cmd in commands])
            if name not in names():
                raise OSError(errno.ENODEV, "detect: %s has %s: simcom.%s, not in this version" % (said, has, name))
            print("simcom: nobody knows %s: taken for %s, as it has %s" % (said, name, has))
            return name, said
    why = "detect: %s has no AT+NETOPEN, AT+CIPMUX, AT+CAOPEN: its sockets are spoken to otherwise"
    raise OSError(errno.ENODEV, why % said)


def _said(m):
    # AT+CGMM names the model alone, ATI beside others; either may be refused, and lines of others come between.
    resync = once("recovery.resync")
    said = []
    for cmd in (b"AT+CGMM", b"ATI"):
        lines = yield from resync.without(query(m, cmd, resync.identity, 0, True))
        said += lines or []
        if fitting(" ".join(said)):
            break
    return " ".join(said)


def _has(m, cmd):
    for _ in range(2):  # a refusal may have been an older command's
        try:
            yield cmd
            return True
        except OSError as e:
            if not hasattr(e, "line"):  # no answer at all
                raise
    return False
