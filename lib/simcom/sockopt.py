"""Socket options."""


def setsockopt(s, level: int, option: int, value):
    """Accepted and without effect: the module offers none of these."""
