"""A number for a new connection when all are taken."""

from errno import ECONNABORTED, ENOBUFS
from time import ticks_diff, ticks_ms

from ..links import State


def displace(table, link):
    """Give ``link`` the number of a failed or closing one, else of one that may have been dropped (see ``reclaim_ms``),
    the oldest first. OSError(ENOBUFS): there is none."""
    for keeper in table.spare:
        keeper.refuse()
    if table.place(link):  # it was kept for somebody who lets others have it
        return
    best = None
    rank = (0, 0)
    now = ticks_ms()
    for other in table.slots:
        if not (other and other.bit):  # kept for a server, or transparent mode's
            continue
        if other.state >= State.DRAINING:
            mine = (2, ticks_diff(now, other.heard))
        else:
            idle = ticks_diff(now, other.touched)
            mine = (other.reclaim_ms and not 0 <= idle < other.reclaim_ms, idle)
        if mine[0] and mine > rank:
            rank = mine
            best = other
    if not best:
        raise OSError(ENOBUFS, all_taken(table))
    n = best.n
    link.stale = best.state != State.DRAINING
    table.release(best)
    best.fail(ECONNABORTED, "number given to a new connection")
    table.put(link, n)


def all_taken(table):
    """For messages: that there is no number, and whose they are."""
    return "all links taken, by " + peers(table)


def peers(table):
    """For messages: who is connected."""
    return ", ".join(["%s:%d" % link.peer for link in table.slots + list(table.spare) if link])
