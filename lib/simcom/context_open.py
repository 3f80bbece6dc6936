"""The PDP context in the CIPOPEN dialect, loaded for bring-up."""

import errno
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from .cipopen import code
from .pump import once

query = once("query").query

_NET_MS = const(125000)  # AT+NETOPEN and AT+NETCLOSE report within two minutes


def context_up(m, apn, user, key):
    """From whatever state to an open network."""
    yield from context_down(m)
    for cmd in m.SETTINGS:
        yield cmd
    yield b'AT+CGDCONT=1,"%s","%s"' % (m.PDP, apn.encode())
    if user or key:
        yield b'AT+CGAUTH=1,1,"%s","%s"' % (key.encode(), user.encode())
    try:
        yield from _report(m, b"AT+NETOPEN")
    except OSError as e:
        if e.errno != errno.EALREADY:
            raise
    yield from context_check(m)


def context_check(m):
    """Read the address; ATError when the network is not open."""
    m.address = (yield from query(m, b"AT+IPADDR", _address, 10000))[-1]


def _address(line):
    address = line[line.index(":") + 1 :].strip(' "')
    if address.strip("0123456789." if address.count(".") == 3 else "0123456789abcdefABCDEF:.") or len(address) < 3:
        raise ValueError
    return address


def context_down(m):
    """Close the network, and every link with it."""
    try:
        yield from _report(m, b"AT+NETCLOSE")
    except OSError as e:
        if e.errno == errno.ETIMEDOUT:
            raise


def _report(m, cmd):
    # OK comes first, what became of it later.
    m.net = None
    try:
        yield cmd, 10000, False
    except OSError:
        if m.net is None:
            raise
    give_up = ticks_add(ticks_ms(), _NET_MS)
    while m.net is None:
        if ticks_diff(give_up, ticks_ms()) < 0:
            raise OSError(errno.ETIMEDOUT, m.command() + ": no result")
        yield 100
    if m.net:
        raise OSError(errno.EHOSTUNREACH if m.net == 1 else code(m.net), "%s: error %d" % (m.command(), m.net))
