"""Why a CAOPEN module did not open a link or a server: its results as an errno; and whether it is deaf until then."""

import errno

from micropython import const

from ..channel import passed
from ..lazy import once
from ..links import State

_PARAMETER = const(4)  # a <result>: one is wrong
_SLOW_MS = const(10000)  # a failure after that is taken for a time-out
_TURNS = const(20)  # so often it is looked for an answer, each
_TURN_MS = const(50)

_ERRNO = {
    2: errno.ENOBUFS,  # no memory; slow: a blocked card
    3: errno.ENOBUFS,  # connection limit
    _PARAMETER: errno.EINVAL,
    6: errno.EINVAL,  # IP address
    7: errno.EOPNOTSUPP,
    12: errno.EADDRINUSE,  # bind
    13: errno.EADDRINUSE,  # listen
    20: errno.EHOSTUNREACH,  # name not found
    21: errno.ENOTCONN,  # network not active
    23: errno.ECONNREFUSED,
}


def refused(m, link, e):
    """Steps after AT+CAOPEN failed: with the result ``link.report``, or else with the error ``e``, which is raised to
    have another attempt."""
    result = link.report
    if result == _PARAMETER and _unpushed(m, link):
        return
    if result:
        code, ends = yield from cause(m, getattr(link.kind, "pdp", m.pdp), result, link.moved, link.proto)
        link.fail(code, "connect %s:%d: +CAOPEN: %d,%d" % (link.peer + (link.n, result)))
        heard(m, ends)
        return
    slow = passed(link.moved, _SLOW_MS)
    if not hasattr(e, "line") or (link.stale < 2 and not slow):
        raise e
    m.owed |= link.bit
    if not slow and _unpushed(m, link):
        return
    m.doubt = True
    code = errno.ETIMEDOUT if slow else errno.ECONNABORTED
    if not slow:
        if not link.kind:
            m.spurned = link.peer  # for recover()
        try:
            yield from once("dns").lookup(m, link.peer[0])
        except OSError as other:
            if "+CDNSGIP" in other.args[1]:
                code = other.args[0]
    link.fail(code, "connect %s:%d: %s" % (link.peer + (e.line,)))


def _unpushed(m, link):
    # Some firmware has no recv_mode.
    return m.channel.parser.pushed and m.receiver.without(link)


def cause(m, pdp, result, since, proto="TCP"):
    """Steps: the errno for the <result> of what began at ``since`` (ticks_ms), -2: a name of UDP is not found; and what
    heard() is to be told when that is noted."""
    code = _ERRNO.get(result, errno.ECONNABORTED)  # of certificates, and that only say that it failed
    ends = b""
    if result == 20 and proto == "UDP":
        code = -2
    elif (result == 2 or result == 27) and passed(since, _SLOW_MS):
        code = errno.ETIMEDOUT
    elif result == 1 or result == 21:  # the line that tells of the end of its context may be lost
        code = errno.ECONNABORTED
        if (yield from once("bringup.caopen").state_of(m, pdp))[0] == "0":
            code = errno.ENOTCONN
            ends = b"+APP PDP: %d,DEACTIVE" % pdp
    return code, ends


def heard(m, line):
    """Take ``line``, if any, for one that the module has said."""
    if line:
        m.channel.on_line(line, 0, len(line))


class _Remember:
    """A hook that takes the answer to an AT which no task waits for: it may come when it likes."""

    result = None  # whether it was OK
    modem = link = None  # what it was asked for

    def on_line(self, buf, i, j):
        if j - i == 2 and buf.startswith(b"OK", i):
            if not self.result and _open(self.link):  # now: a moment later it may be connected
                self.modem.blocks = False
            self.result = True
        elif j - i == 5 and buf.startswith(b"ERROR", i):
            self.result = False
        else:
            return False
        return True

    def on_lost(self, code, why):
        return False


def beside(m, link):
    """Steps, once the module has said OK to the opening of ``link``: ``m.blocks``, whether it hears nothing until that
    has a result, although it has taken ASYNCOPEN. If so that is waited for: nobody else may send meanwhile."""
    answer = _Remember()
    answer.modem = m
    answer.link = link
    m.hooks = (answer,) + m.hooks  # hooks.py would be a file more
    try:
        if m.blocks is None:
            if "sleeper" in m.parts:
                yield m.parts["sleeper"].rouse()
            m.channel.write(b"AT\r", 3)
            for _ in range(_TURNS):
                if answer.result is not None or not _open(link):
                    break
                yield _TURN_MS
            if answer.result:
                return m.reserve(None)
            m.blocks = _open(link) or None
        else:
            answer.result = True
        # Then ask() looks what it is at.
        while _open(link) and not passed(link.moved, m.CONNECT_MS if link.state == State.CLOSING else _SLOW_MS):
            yield 500
        for _ in range(_TURNS):  # it may come behind the result
            if answer.result is not None:
                break
            yield _TURN_MS
    finally:
        m.hooks = tuple([each for each in m.hooks if each is not answer])


def _open(link):
    return link.pending and (link.state == State.CONNECTING or link.state == State.CLOSING)
