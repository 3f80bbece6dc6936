"""A program that runs for hours in a field with bad signal; `make week` runs it for a week."""

import pytest
from test_cases import FAMILIES
from week import Soak


def lives(soak):
    report = soak.run(2)
    assert report.exchanges > 50 and report.failures and report.interrupts


@pytest.mark.parametrize("family", FAMILIES)
def test_program_lives_through_bad_weather(family):
    lives(Soak(family, 5))


@pytest.mark.parametrize("receive", ["hex", "push"])
@pytest.mark.parametrize("family", FAMILIES[1:3])
def test_program_lives_through_it_with_other_ways_of_receiving(family, receive):
    # Of changed bytes nobody could tell, where payload has no border of its own.
    lives(Soak(family, 5, rates={"turn": 0, "noise": 0}, settings={"receive": receive}))
