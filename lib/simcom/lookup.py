"""The address of a host, as steps of a longer procedure."""

from .aterror import ATError


def numeric(host):
    """Whether it is an address already."""
    return ":" in host or not host.strip("0123456789.")


def lookup(m, host):
    """Steps: ``host`` as an address, by AT+CDNSGIP if it is a name. OSError(-2): unknown."""
    if numeric(host):
        return host
    try:
        line = (yield b'AT+CDNSGIP="%s"' % host.encode(), 30000, m.DNS)[-1]
    except ATError as e:
        line = e.line
    fields = [field.strip(' "') for field in line.split(":", 1)[-1].split(",")]
    if fields[0] != "1":
        raise OSError(-2, "%s: name not found (%s)" % (host, line))
    return fields[2]
