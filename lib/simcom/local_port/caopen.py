"""A local port of our choice in the CAOPEN dialect."""

from ..linkkind import between


def _port(n, port):
    return b'AT+CACFG="LOCALPORT",%d,%d' % (n, port)


def local_port(n, port):
    """Steps: link ``n``, when it is opened next, gets this local port; 0: any."""
    yield _port(n, port)


def steps(m, link, port):
    """Open ``link`` with this local port: ends when the connection is there, or will not be."""
    return between(m, link, local_port(link.n, port), _port(link.n, 0))
