"""A program that runs for hours in a field with bad signal; `make week` runs it for a week."""

import pytest
from test_cases import FAMILIES
from week import Soak

import weeks


def lives(soak):
    report = soak.run(2)
    assert report.exchanges.total() > 50 and report.failures and report.interrupts


@pytest.mark.parametrize("family", FAMILIES)
def test_program_lives_through_bad_weather(family):
    lives(Soak(family, 5))


@pytest.mark.parametrize("receive", ["hex", "push"])
@pytest.mark.parametrize("family", FAMILIES[1:3])
def test_program_lives_through_it_with_other_ways_of_receiving(family, receive):
    # Of changed bytes nobody could tell, where payload has no border of its own.
    lives(Soak(family, 5, rates={"turn": 0, "noise": 0}, settings={"receive": receive}))


@pytest.mark.parametrize(
    "program, family",
    [(program, families[at % len(families)]) for at, (program, families) in enumerate(weeks.PROGRAMS)],
    ids=lambda each: getattr(each, "__name__", each),
)
def test_other_programs_live_through_it(program, family):
    report = Soak(family, 5, program).run(0.5)
    assert min(report.exchanges[kind] for kind in report.last) > 3 and report.failures
