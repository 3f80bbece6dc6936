"""The PDP context in the CIPOPEN dialect, loaded for bring-up."""

import errno

from micropython import const

from ..lazy import once

_query = once("query")
fields = _query.fields
query = _query.query

_CONFIG = b"AT+CIPCCFG="
_OPEN_ALREADY = const(4)  # <err> of +NETOPEN
_NET = const(1250)  # tenths of a second: AT+NETOPEN and AT+NETCLOSE report within two minutes


def context_up(m, apn, user, key):
    """From whatever state to an open network."""
    yield from context_down(m)
    yield from once("bringup.optional").settings(m, context_setting)
    err = 0
    try:
        err = yield from _report(m, b"AT+NETOPEN")
    except OSError as e:
        if e.errno != errno.EALREADY:
            yield from once("bringup.optional").told(m, b"AT+NETOPEN")  # some refuse it so when it is open
            if m.net != 0:
                raise e
    if err and err != _OPEN_ALREADY:
        raise OSError(errno.EHOSTUNREACH if err == 1 else once("errors.ip").code(err), "AT+NETOPEN: error %d" % err)
    yield from context_check(m)


def context_setting(m, cmd):
    """Send one of SETTINGS. Of AT+CIPCCFG errors as numbers and headers with the link's number are ours."""
    if cmd.startswith(_CONFIG):
        cmd = yield from _config(m, cmd)
    yield cmd


def _numbers(line):
    found = [int(each) for each in fields(line)]
    if len(found) < 7:
        raise ValueError
    return found


def _config(m, cmd):
    # The others stay as a program set them.
    mine = _numbers(":" + cmd[len(_CONFIG) :].decode())
    now = mine[:]
    try:
        now = (yield from query(m, _CONFIG[:-1] + b"?", _numbers))[-1]
    except OSError as e:
        if e.errno == errno.ETIMEDOUT:
            raise
    now[3:5] = mine[3:5]
    for place, value in (m.parts.get("fields") or {}).items():
        now[place] = value
    return _CONFIG + ",".join([str(each) for each in now]).encode()


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
    # OK comes first, what became of it later: its <err>.
    m.net = None
    try:
        yield cmd, 10000, False
    except OSError:
        if m.net is None:
            raise
    for n in range(1, _NET):
        if m.net is not None:
            return m.net
        yield 100
        if not n % 100:  # the report may have been lost
            yield from once("bringup.optional").told(m, cmd)
    raise OSError(errno.ETIMEDOUT, cmd.decode() + ": no result")
