"""A local port of our choice in the CAOPEN dialect."""


def local_port(n, port):
    """Steps: link ``n``, when it is opened next, gets this local port; 0: any."""
    yield b'AT+CACFG="LOCALPORT",%d,%d' % (n, port)


def steps(m, link, port):
    """Open ``link`` with this local port: ends when the connection is there, or will not be."""
    n = link.n
    yield from local_port(n, port)
    error = None
    try:
        yield from m.dial(link)
        yield from m.outcome(link, n)
    except OSError as e:
        error = e
    if m.up:  # who is given the number later must not get the port with it
        try:
            yield from local_port(n, 0)
        except OSError:
            pass
    if error:
        raise error
