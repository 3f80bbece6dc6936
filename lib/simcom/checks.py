"""Checks of what a program gives, before anything of it is kept or sent."""

import simcom.lazy as lazy

_ACCOUNT = 50  # characters of an APN, a user, a password


def check_text(what, text, most=_ACCOUNT, refused='"') -> str:
    """``text`` as a str, if it cannot end, split or overrun a command line; bytes are taken too. ValueError else."""
    if isinstance(text, bytes):
        text = "".join([chr(c) for c in text])
    if not isinstance(text, str) or len(text) > most:
        raise ValueError("%s: a string of at most %d characters" % (what, most))
    for c in text:
        if not " " <= c <= "~" or c in refused:
            raise ValueError("%s: character %r is not allowed" % (what, c))
    return text


def check_number(what, value, low=0, high=1 << 28) -> int:
    """``value``, if it is a whole number from ``low`` to ``high``. ValueError else."""
    if not isinstance(value, int) or not low <= value <= high:
        raise ValueError("%s: a whole number from %d to %d, not %r" % (what, low, high, value))
    return value


def check_pin(what, pin):
    """``pin``, if its level can be set. TypeError else."""
    if not hasattr(pin, "value"):
        raise TypeError("%s: a machine.Pin, as Pin(4, Pin.OUT), not %r" % (what, pin))
    return pin


def check_modem(kind, uart, pwrkey, pressed, pin, baudrate, rxbuf):
    """Say which argument of a modem is wrong, if one is; ``kind.made`` tells whether there is one already."""
    for name in ("any", "readinto", "write"):
        if not hasattr(uart, name):
            raise TypeError("uart: a machine.UART, as UART(1, 115200, rxbuf=2048), not %r" % (uart,))
    if pwrkey is not None:
        check_pin("pwrkey", pwrkey)
    check_number("pressed", pressed, 0, 1)
    check_number("baudrate", baudrate)
    check_number("rxbuf", rxbuf, 128)
    if pin and not (isinstance(pin, str) and pin.isdigit() and 4 <= len(pin) <= 8):
        raise ValueError('pin: a string of 4 to 8 digits, as "1234"')
    if kind.made:  # another one is there: each may have a thread of its own
        try:
            from .threads import guard

            guard(lazy)
        except ImportError:  # there are none on this port
            pass
    kind.made = True
