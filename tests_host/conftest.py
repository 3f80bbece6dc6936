"""Settings of the CPython suite that pytest takes from code."""

import os

import pytest


def pytest_sessionfinish(session):
    """In CI a skipped test fails the run: there, whatever a test needs must be installed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and reporter.stats.get("skipped"):
        reporter.write_line("\nA skipped test counts as failed in CI.", red=True)
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
