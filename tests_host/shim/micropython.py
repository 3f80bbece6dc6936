"""CPython's stand-in for the `micropython` module."""

from .ring import RingIO  # noqa: F401


def const(value):
    """The value itself."""
    return value


def _identity(function):
    return function


native = viper = asm_thumb = asm_xtensawin = _identity


def heap_lock() -> int:
    """Nothing to lock on CPython."""
    return 1


def heap_unlock() -> int:
    """Nothing to unlock on CPython."""
    return 0


def heap_locked() -> int:
    """Never locked."""
    return 0


def kbd_intr(char: int) -> None:
    """Ctrl-C always gets through."""


def alloc_emergency_exception_buf(size: int) -> None:
    """CPython allocates."""


def schedule(function, argument) -> None:
    """Called at once: here nothing runs in an interrupt."""
    function(argument)


def opt_level(level: "int | None" = None) -> "int | None":
    """Always 0."""
    return 0 if level is None else None


def mem_info(verbose: object = None) -> None:
    """Nothing to tell."""


qstr_info = mem_info


def stack_use() -> int:
    """Unknown, so 0."""
    return 0
