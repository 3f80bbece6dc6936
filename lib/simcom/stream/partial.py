"""A send of which the module did not take all, or not at once, or does not tell how much: loaded by the first one."""

import errno
from time import ticks_diff, ticks_ms

from micropython import const

from ..channel import passed
from ..links import State, Wait
from ..lazy import once

query = once("query").query

_RETRY_MAX_MS = const(4000)


def settle_send(m, link, n, bit, info, error):
    """Steps: how many of ``n`` bytes the module took.

    ``bit``: its link's at the beginning; ``info``: the answer to the payload, None: there was none; ``error``: what
    ended the waiting, or None; ``link.report``: what was told in the end. When nothing was taken a pause that grows has
    passed, until STALL_MS are over. OSError when it stays unknown, so that nothing is sent twice.
    """
    took = n
    if error or link.report != n:
        took = yield from _taken(m, link, n, bit, info, error)
    if link.borders:
        return took
    while took and m.flushing > 1 and link.unacked and link.state == State.OPEN:
        if passed(link.moved, m.STALL_MS):
            raise stalled(link)
        yield from m.ack(link)
    return took


def _taken(m, link, n, bit, info, error):
    report = link.report
    full = False
    took = None if info is None else n
    # That of another send, a damaged one, or none: it may have been lost, or the module waits for the peer.
    while took and (report == -1 or (error and report is None)):
        link.report = None
        left = m.STALL_MS - ticks_diff(ticks_ms(), link.moved)
        if left <= 0 and error:
            break
        if m.flushing < 2 and (yield from sent(m, link)) == n:
            return n
        if isinstance(error, ValueError):  # no number
            raise error
        error = None
        try:
            yield from m.reported(link, left)
        except OSError as e:
            error = e
        report = link.report
    if report == n and not error:
        return n
    if link.borders:
        return (yield from link.kind.settle(link, n, error))
    if error:
        if link.state == State.DRAINING or link.n < 0:  # closed by the peer meanwhile
            return 0
        if took and passed(link.moved, m.STALL_MS):
            raise stalled(link)
        full = link.task.prompted and hasattr(m, "RECOUNTS") and hasattr(error, "line")  # of the module's buffer
        if took or (link.task.prompted and not full):
            raise _unknown(link, n)
        if error.errno == errno.ETIMEDOUT and report != 0:  # 0: it never heard of it; more: it took filler
            raise error
        yield from ask(m, link)  # refused before the prompt: closed, or the module's buffer full?
        took = 0
    elif report is None:  # the peer closed before the report came; the module has the bytes
        m.links.last |= bit  # it might be taken for one of the number's next connection
    elif report < 0:
        yield from ask(m, link)
        if link.state == State.OPEN:  # else the peer closed: what it said before is still to be read
            raise OSError(-report, "send %s:%d: failed" % link.peer)
        took = n if report == -errno.ECONNRESET else 0
    else:
        took = report
    state = link.state
    if took == n or not _goes_on(link):
        return took
    really = yield from sent(m, link)
    if _goes_on(link):
        if really == n and not error:
            return n
        if full:
            if not 0 <= really <= n:
                raise _unknown(link, n)
            took = really
        code = errno.EIO if really != took and (really >= 0 or not error) else 0
        if took and m.DIALECT == "cipopen":  # there the rest is lost
            code = errno.ECONNABORTED
        if code:
            raise OSError(code, "send %s:%d: took %d of %d bytes, or %d?" % (link.peer + (took, n, really)))
        if took:
            return took
        if passed(link.moved, m.STALL_MS):
            raise stalled(link)
    start = ticks_ms()
    pause = min(max(ticks_diff(start, link.moved), Wait.RETRY_MS), _RETRY_MAX_MS)
    while link.state == state and not passed(start, pause):  # whoever wakes this task
        yield pause
    return 0


def _goes_on(link):
    # Whether what is left will still be sent; also while it is closed by us.
    return link.state == State.OPEN or (link.state == State.CLOSING and link.n >= 0 and not link.error)


def ask(m, link):
    """Steps: whether it is closed, if that is not known."""
    if link.n >= 0:
        yield from m.inquire(link)


def _unknown(link, n):
    return OSError(errno.EIO, "send %s:%d: what became of %d bytes is not known" % (link.peer + (n,)))


def stalled(link):
    """The exception for a link that takes nothing any more."""
    return OSError(errno.ECONNABORTED, "send %s:%d: nothing taken any more" % link.peer)


def sent(m, link):
    """How many bytes behind those before the module has sent, as it counts; -1: it does not tell."""
    try:
        return (
            max(
                (yield from query(m, getattr(m, "ACK", b"AT+CIPACK=%d") % link.n, _counts))[-1][
                    : getattr(m, "RECOUNTS", 1)
                ]
            )
            - link.total
        )
    except OSError:
        yield from ask(m, link)
        return -1


def _counts(line):
    return [int(each) for each in line.split(":")[1].split(",")]
