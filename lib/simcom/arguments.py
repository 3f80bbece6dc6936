"""Arguments that are seldom given or wrong: what becomes of them, or the exception that says what to give instead."""

from .checks import check_text

_LABEL = 63  # characters between two dots of a name


def host(host) -> str:
    """``host`` as text, which it may be given as bytes: a name or an address. ValueError for what is none."""
    text = check_text("host", host, 254, '", ;')
    if "/" in text:
        raise ValueError('host: "example.com", without "http://" and without a path, not %r' % host)
    if ":" in text and (text.count(":") < 2 or text.strip("0123456789abcdefABCDEF:.")):
        raise ValueError('host: the port stands apart, as in ("example.com", 80), not %r' % host)
    if not 0 < max(map(len, text.split("."))) <= _LABEL:
        raise ValueError("host: empty, or a label of more than 63 characters")
    return text


def address(address, least=1):
    """(host, port) of any pair. ValueError: it is none, or has a port outside ``least`` to 65535; with 0, for bind(),
    the host may be "" too."""
    if not isinstance(address, (tuple, list)) or len(address) != 2:
        raise ValueError('address: (host, port), as ("example.com", 80), not %r' % (address,))
    name, port = address
    if not isinstance(port, int) or not least <= port <= 65535:
        raise ValueError("port: a number from %d to 65535, not %r" % (least, port))
    return host(name if name or least else "0.0.0.0"), port


def local_port(address):
    """The port of what bind() is given; the host does not matter. ValueError: it is no such pair."""
    if not isinstance(address, (tuple, list)) or len(address) != 2:
        raise ValueError('address: ("", port), as ("", 8080), not %r' % (address,))
    port = address[1]
    if not isinstance(port, int) or not 0 <= port <= 65535:
        raise ValueError("port: a number from 0 to 65535, not %r" % (port,))
    return port


def seconds(value):
    """Say what settimeout() takes."""
    if isinstance(value, (int, float)):
        raise ValueError("settimeout: seconds, 0 (does not block) or more; None: no time-out; not %r" % value)
    raise TypeError("settimeout: a number of seconds, or None, not %r" % (value,))


def count(n, most=None, what="n: a number of bytes"):
    """``n``, if it is a number of bytes. TypeError, ValueError else."""
    if not isinstance(n, int):
        raise TypeError("%s, not %r" % (what, n))
    if n < 0 or (most is not None and n > most):
        raise ValueError("%s, 0 or more, at most what the buffer holds, not %d" % (what, n))
    return n


def position(off):
    """Say what write(buf, off, n) begins at."""
    raise ValueError("off: a position in the buffer, 0 or more, not %d" % off)


def flat(buf, fill, probe):
    """The bytes of ``buf``, in place: TypeError when it has none, or they are to be filled and cannot be changed.

    ``probe``: the ring that has told by what it took that an item is more than a byte.
    """
    if isinstance(buf, str) and not fill:
        return buf.encode()
    try:
        if fill:
            probe.readinto(buf, 0)
        probe.write(buf, 0, 0)
        size = len(bytes(memoryview(buf)[:1]))
    except TypeError:
        what = "a bytearray or another buffer that can be changed" if fill else "bytes, or another buffer"
        raise TypeError("buf: %s, not %r" % (what, buf))
    probe.readinto(bytearray(2))
    try:
        from uctypes import addressof, bytearray_at
    except ImportError:  # not MicroPython
        return memoryview(buf).cast("B")
    return bytearray_at(addressof(buf), size * len(buf))
