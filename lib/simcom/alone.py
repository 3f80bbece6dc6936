"""Keeping a timer that pumps out of what must be done in one piece."""


def alone(m, work, *args):
    """``work(*args)``, with every pump meanwhile doing nothing."""
    pumping = m.pumping
    m.pumping = True
    try:
        return work(*args)
    finally:
        m.pumping = pumping
