"""Lines for the person at the terminal."""

import select
import sys


def say(text: str) -> None:
    """One line; lost when nobody takes it, since the module must not wait for that."""
    try:
        taken = select.select((), (sys.stderr,), (), 0)[1]
    except (OSError, ValueError):  # no file: it can always be written
        taken = True
    if taken:
        print("sim: " + text, file=sys.stderr, flush=True)
