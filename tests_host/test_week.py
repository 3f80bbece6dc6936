"""A program that runs for hours in a field with bad signal; `make week` runs it for a week."""

import pytest
from test_cases import FAMILIES
from week import Soak


@pytest.mark.parametrize("family", FAMILIES)
def test_program_lives_through_bad_weather(family):
    report = Soak(family, 5).run(2)
    assert report.exchanges > 50 and report.failures and report.interrupts
