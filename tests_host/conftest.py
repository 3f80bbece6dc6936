"""Settings of the CPython suite that pytest takes from code.

A test lies where what it shows does: unit (one file of the library or of what stands in for MicroPython), bringup, tcp
and capability (the driver on a virtual module), replay (against what documents and recordings say), virtual_modem,
programs (other people's, on MicroPython), on_micropython, long, and project (lists, tools, boards, the plugin). What
they share lies in support.
"""

import gc
import os
import sys

import compiled
import features
import pytest
import states

compiled.keep()
states.hold()

# The library loads most of its modules anew at each use: what they compile to is kept, whatever the environment says.
os.environ["PYTHONDONTWRITEBYTECODE"] = ""
os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(features.TREE / "build/pycache")
sys.dont_write_bytecode = False

pytest_plugins = ["pytest_simcom.plugin"]
collect_ignore = ["example"]  # which test_plugin.py runs as its users do

REAL_TIME = ("test_programs", "test_micropython", "test_demo", "test_sim_program", "test_strangers")
GROUPS = 2  # of these files


def real_time(item):
    """Whether a test waits for programs that run in real time."""
    return item.path.name.startswith(REAL_TIME)


def pytest_addoption(parser):
    """How many seeds the shared cases run under, beside the recommended readings."""
    parser.addoption("--seeds", type=int, default=5, metavar="N", help="seeds of tests_host/tcp/test_cases.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One for each group of what runs in real time, which mostly waits, beside those that compute."""
    return os.cpu_count() + GROUPS


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(items):
    """What runs in real time runs on workers of its own, one file after the other."""
    files = list(dict.fromkeys(item.path for item in items if real_time(item)))
    for item in items:
        if real_time(item):
            item.add_marker(pytest.mark.xdist_group("real time %d" % (files.index(item.path) % GROUPS)))


def pytest_runtest_setup(item):
    """What computes stands back behind what runs in real time, whose worker begins with that."""
    if os.environ.get("PYTEST_XDIST_WORKER") and not real_time(item) and not os.nice(0):
        os.nice(10)


def pytest_collection_finish():
    """The library collects garbage now and then: let it not look at every item of the suite each time."""
    gc.freeze()


def pytest_configure(config):
    """Note which capabilities the tests show."""
    config.features = features.Ran()
    config.pluginmanager.register(config.features)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A report knows what its test shows."""
    outcome = yield
    outcome.get_result().shown = features.shown(item)


def pytest_sessionfinish(session):
    """In CI a skipped test fails the run: there, whatever a test needs must be installed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and reporter.stats.get("skipped"):
        reporter.write_line("\nA skipped test counts as failed in CI.", red=True)
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
    everything = session.config.args in (["tests_host"], session.config.getini("testpaths"))
    if everything and not hasattr(session.config, "workerinput"):
        session.config.features.write()


def pytest_terminal_summary(terminalreporter):
    """Tell the test functions that ran: parameters make many items of one function."""
    ran = {
        report.nodeid for reports in terminalreporter.stats.values() for report in reports if hasattr(report, "when")
    }
    functions = {nodeid.partition("[")[0] for nodeid in ran}
    if ran:
        terminalreporter.write_line("%d test functions, run as %d items" % (len(functions), len(ran)))


@pytest.fixture(autouse=True)
def nothing_left_behind():
    """What one test has loaded beforehand, locked or guarded, and what was to come, is no affair of the next."""
    import shim
    from simcom import lazy

    before = lazy.load, lazy.loader
    shim.reset()
    yield
    lazy.load, lazy.loader = before
    lazy.kept.clear()
