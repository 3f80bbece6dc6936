"""The echo of our own payload, which may say anything, told from what the module says."""

from micropython import const

_LINE_MAX = const(500)  # of longer lines the parser does not keep all


def behind(channel, line):
    """Whether ``line`` is what comes next of the echo, which is in the payload's order; then ``echoed`` tells so."""
    end = channel.filler
    left = bytes(channel.out[channel.echoed - 1 : end]).lstrip()
    n = left.find(b"\n") + 1 or len(left)
    if not n or left[:n].rstrip(b"\r\n")[:_LINE_MAX] != line[:_LINE_MAX]:
        return False
    channel.echoed = end + 1 - len(left) + n
    return True
