"""Blocks the background timer's pump during a critical section."""


def critical(m, work, *args):
    """``work(*args)``, with every pump meanwhile doing nothing."""
    pumping = m.pumping
    m.pumping = True
    try:
        return work(*args)
    finally:
        m.pumping = pumping
