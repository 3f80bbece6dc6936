"""A local port of our choice in the CIPSTART dialect."""

import errno

from ..linkkind import between


def _port(n, proto, port):
    return b'AT+CLPORT=%d,"%s",%d' % (n, proto.encode(), port)


def local_port(m, link, proto, port):
    """Steps: ``link``, when it is opened next as ``proto``, gets this local port; 0: any.

    The form with the number of a link stands in the SIM800 manual only.
    """
    try:
        yield _port(link.n, proto, port)
    except OSError as e:
        if e.errno == errno.ETIMEDOUT:
            raise
        why = "%s takes no local port for one connection of several (%s); with mux=False it may"
        raise OSError(errno.EOPNOTSUPP, why % (m.model, e.args[1]))


def steps(m, link, port):
    """Open ``link`` with this local port: ends when the connection is there, or will not be."""
    return between(m, link, local_port(m, link, link.proto, port), _port(link.n, link.proto, 0))
