"""The exception for a command that the module refuses."""

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


class ATError(OSError):
    """A final result other than OK.

    ``errno``: from the number of +CME ERROR, or of the line before ERROR, else EIO; ``cmd``: the command; ``line``: the
    result line as received, or the one before it that tells the cause.
    """

    def __init__(self, cmd: str, line: str, code: "int | None" = None):
        number = line.split(":")[-1].strip()
        code = code or _ERRNO.get(int(number) if number.isdigit() else 0, EIO)
        super().__init__(code, "%s: %s" % (cmd, line))
        self.cmd = cmd
        self.line = line
