"""The address of a host, as steps of a longer procedure."""

import errno

from .query import fields, query


def numeric(host):
    """Whether it is an address already."""
    return ":" in host or not host.strip("0123456789.")


def lookup(m, host):
    """Steps: ``host`` as an address, by AT+CDNSGIP if it is a name. OSError(-2): unknown."""
    if numeric(host):
        return host
    return (yield from resolved(m, host, 30000))[0]


def resolved(m, host, ms):
    """Steps: the addresses of a name. OSError: -2: unknown; EHOSTUNREACH: the module says that the network is why."""
    try:
        line, found = (
            yield from query(
                m, b'AT+CDNSGIP="%s"%s' % (host.encode(), getattr(m, "RESOLVE", b"")), _addresses, ms, m.DNS
            )
        )[-1]
    except OSError as e:
        if not hasattr(e, "line"):  # no answer at all
            raise
        line, found = e.line, ()
    if found:
        return found
    code = errno.EHOSTUNREACH if m.DNS and line.endswith(": 0,3") else -2
    raise OSError(code, "%s: name not found (%s)" % (host, line))


def _addresses(line):
    row = fields(line)
    if row[0] == "0":
        int(row[1])
    elif row[0] != "1" or not row[2] or [each for each in row[2:] if not each or not numeric(each)]:
        raise ValueError
    return line, row[2:]
