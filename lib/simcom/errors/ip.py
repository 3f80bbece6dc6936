"""Why a CIPOPEN module refused a command, or failed: its numbers and texts as an errno."""

import errno

# <err> of +CIPOPEN, +NETOPEN, +CIPERROR, …
_ERRNO = (
    errno.EIO,
    errno.ECONNABORTED,
    errno.ENOTCONN,
    errno.EINVAL,
    errno.EALREADY,
    errno.ENOBUFS,
    errno.EADDRINUSE,
    errno.EADDRINUSE,
    errno.EAGAIN,
    errno.EAGAIN,
    errno.ETIMEDOUT,
    errno.EHOSTUNREACH,
)


# <err_info> of +IP ERROR
_INFO = (
    (errno.ETIMEDOUT, "Connection time out"),
    (errno.EADDRINUSE, "Bind port failed"),
    (errno.EINVAL, "Port overflow"),
    (errno.ENOBUFS, "Create socket failed"),
    (errno.EALREADY, "Network is already opened"),
    (errno.ENOTCONN, "Network is already closed"),
    (errno.ENOTCONN, "No clients connected"),
    (errno.ENOTCONN, "No active client"),
    (errno.ENOTCONN, "Network not opened"),
    (errno.EBADF, "Client index overflow"),
    (errno.EALREADY, "Connection is already created"),
    (errno.ENOTCONN, "Connection is not created"),
    (errno.EINVAL, "Invalid parameter"),
    (errno.EOPNOTSUPP, "Operation not supported"),
    (errno.EHOSTUNREACH, "DNS query failed"),
    (errno.EAGAIN, "TCP busy"),
    (errno.EAGAIN, "Net close failed for socket opened"),
    (errno.ETIMEDOUT, "Sending time out"),
    (errno.ECONNABORTED, "Sending failure for network error"),
    (errno.EHOSTUNREACH, "Open failure for network error"),
    (errno.EADDRINUSE, "Server is already listening"),
    (errno.EIO, "Operation failed"),
    (errno.EAGAIN, "No data"),
)


def code(err):
    """The errno for an <err>."""
    return _ERRNO[err] if err < len(_ERRNO) else errno.EIO


def errno_of(cause, cmd):
    """The errno for "+IP ERROR: <err_info>", a number or a text, or a line that ends in an <err>, before ERROR."""
    name, _, why = cause.partition(":")
    why = why.split(",")[-1].strip()
    if name == "+CDNSGIP":
        return errno.EHOSTUNREACH
    if name != "+IP ERROR" and why.isdigit():
        if why != "4":
            return code(int(why))
        if "+CIPOPEN" in cmd + name:
            return errno.EALREADY
        return errno.ENOTCONN if cmd.startswith("AT+CIP") else errno.EOPNOTSUPP
    for n, (known, said) in enumerate(_INFO):
        if why == said or why == str(n):
            return known
    return errno.EIO
