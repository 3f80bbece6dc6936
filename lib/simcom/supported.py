"""What a family cannot do, told by the words in its LACKS."""

import errno


def need(m, what):
    """OSError(EOPNOTSUPP) naming the family, and nothing sent, when it has no ``what``."""
    if what in m.LACKS:
        raise OSError(errno.EOPNOTSUPP, "%s has no %s" % (type(m).__name__, what))


def start_only(m, what):
    """As ``need()``, for what no family of the CIPOPEN dialect has."""
    if m.DIALECT != "cipstart":
        raise OSError(errno.EOPNOTSUPP, "%s has no %s" % (type(m).__name__, what))
