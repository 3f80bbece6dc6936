"""A local port of our choice in the CIPOPEN dialect."""

from .bind import command


def steps(m, link, port):
    """Open a TCP client with this local port."""
    yield command(m, link) + b",%d" % port, m.ANSWER_MS, False
