"""A local port of our choice in the CIPOPEN dialect."""


def steps(m, link, port):
    """Open a TCP client with this local port."""
    return m.dial(link, b",%d" % port)
