"""Why a command was refused: the number of +CME ERROR as an errno."""

from errno import EACCES, EAGAIN, EHOSTUNREACH, EINVAL, EIO, ENOBUFS, ENODEV, ENOTCONN, EOPNOTSUPP

# <err> of +CME ERROR (3GPP TS 27.007 section 9.2 and SIMCom's own from 100 on); others: EIO
_ERRNO = {
    3: ENOTCONN,
    4: EOPNOTSUPP,
    10: ENODEV,
    11: EACCES,
    12: EACCES,
    13: ENODEV,
    14: EAGAIN,
    15: ENODEV,
    16: EACCES,
    30: EHOSTUNREACH,
    107: EACCES,
    148: EACCES,
    149: EACCES,
    160: EHOSTUNREACH,
    161: ENOBUFS,
    180: ENOTCONN,
    181: EAGAIN,
    765: EINVAL,
}


def errno_of(line, cmd):
    """The errno for a result line that ends in an <err>."""
    number = line.split(":")[-1].strip()
    return _ERRNO.get(int(number) if number.isdigit() else 0, EIO)
