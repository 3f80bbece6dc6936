"""Which link number a new connection gets."""

import errno
import time

import pytest
import shim
import states

shim.install()

from simcom.stream.reclaim import displace  # noqa: E402
from simcom.links import Link, LinkTable, State  # noqa: E402

CONNECTING, OPEN, DRAINING, CLOSING = State.CONNECTING, State.OPEN, State.DRAINING, State.CLOSING


def table(*links):
    """A full table of links, given as (state, seconds since it was heard of or used[, reclaim_ms])."""
    shim.reset()
    made = LinkTable(len(links))
    shim.clock.clock.sleep_ms(100_000)
    for n, (state, silent_s, *reclaim_ms) in enumerate(links):
        link = Link()
        assert made.place(link) and link.n == n
        link.state = state
        link.heard = link.touched = time.ticks_add(time.ticks_ms(), -1000 * silent_s)
        link.reclaim_ms = reclaim_ms[0] if reclaim_ms else 0
    return made


def taken(made):
    """The number that a new link gets, and the link that had it."""
    before = list(made.slots)
    link = Link()
    if not made.place(link):
        try:
            displace(made, link)
        except OSError as e:
            assert e.errno == errno.ENOBUFS
            return None
    assert made.get(link.n) is link and link.bit == 1 << link.n
    old = before[link.n]
    assert old is None or (old.n == -1 and old.error)
    return link.n


def test_lowest_free_number_first():
    made = table((OPEN, 1), (OPEN, 1), (OPEN, 1), (OPEN, 1))
    for n in (1, 3):
        made.release(made.get(n))
    assert taken(made) == 1


def test_highest_free_number_while_the_module_numbers_clients():
    made = table((OPEN, 1), (OPEN, 1), (OPEN, 1), (OPEN, 1))
    for n in (0, 2):
        made.release(made.get(n))
    made.upward = 1
    assert taken(made) == 2


@pytest.mark.parametrize("upward, n", [(-1, 2), (1, 0)])
def test_number_that_the_module_may_be_busy_with_comes_last(upward, n):
    made = table((OPEN, 1), (OPEN, 1), (OPEN, 1))
    made.upward = upward
    for each in (0, 2):
        made.release(made.get(each))
    made.last = 1 << (2 - n)
    assert taken(made) == n
    assert taken(made) == 2 - n


def test_free_number_goes_before_that_of_a_failed_link():
    made = table((CLOSING, 90), (OPEN, 1), (OPEN, 1))
    made.release(made.get(2))
    assert taken(made) == 2


@pytest.mark.parametrize("oldest", range(3))
def test_of_failed_and_closing_links_the_oldest(oldest):
    made = table(*[(CLOSING if n % 2 else DRAINING, 50 if n == oldest else 10 + n) for n in range(3)])
    assert taken(made) == oldest


@pytest.mark.parametrize("oldest", range(3))
def test_of_links_that_may_have_been_dropped_the_oldest(oldest):
    made = table(*[(OPEN, 50 if n == oldest else 20 + n, 10_000) for n in range(3)])
    assert taken(made) == oldest


def test_link_that_was_used_within_its_time_is_not_taken():
    assert taken(table((OPEN, 9, 10_000), (CONNECTING, 9, 10_000))) is None
    assert taken(table((OPEN, 9, 10_000), (CONNECTING, 11, 10_000))) == 1
    assert taken(table((OPEN, 0, -1), (OPEN, 9, 10_000))) == 0


def test_failed_link_goes_before_one_that_may_have_been_dropped():
    assert taken(table((OPEN, 90, 10_000), (CLOSING, 1), (OPEN, 90, 10_000))) == 1


def test_healthy_idle_link_is_never_taken():
    assert taken(table((OPEN, 90), (OPEN, 50))) is None


@pytest.mark.parametrize("state, stale", [(DRAINING, False), (CLOSING, True)])
def test_number_of_a_link_that_the_module_still_holds_open_is_closed_first(state, stale):
    made = table((state, 1))
    link = Link()
    displace(made, link)
    assert link.n == 0 and bool(link.stale) == stale


@pytest.mark.parametrize(
    "before, after", [("IDLE", "OPEN"), ("DRAINING", "CONNECTING"), ("CLOSED", "DRAINING"), ("CLOSING", "OPEN")]
)
def test_state_that_cannot_follow_fails_a_test(before, after):
    link = Link()
    link.state = getattr(State, before)
    with pytest.raises(AssertionError, match="a link changes from"):
        link.to(getattr(State, after))


def test_every_state_can_be_reached_and_left_or_is_the_last():
    allowed = states.table()
    names = {value for name, value in vars(State).items() if name.isupper()}
    assert set(allowed) == names
    assert set().union(*allowed.values()) == names - {State.IDLE}
