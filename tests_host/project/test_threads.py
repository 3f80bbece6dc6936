"""Two modems with a thread each: files are loaded by one thread at a time."""

import sys
import threading

import pytest
from rig import Rig  # first: it puts the shim in place

from simcom import lazy

ROUNDS = 30
FILES = ("bringup.connect", "recovery.resync", "bringup.power", "query", "bringup.card", "bringup.cipopen", "checks")
FILES += ("options.stack", "bringup.apn")


def together(*works):
    """Run these at the same time; what they raise."""
    start = threading.Barrier(len(works))
    raised = []

    def run(work):
        start.wait()
        try:
            work()
        except Exception as e:
            raised.append(e)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=run, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    return raised


def loading(keep):
    for _ in range(ROUNDS):
        for name in FILES:
            module = lazy.load(name, None, keep)
            assert module.__name__ == "simcom." + name and module.__doc__


@pytest.fixture
def two_modems():
    rigs = [Rig(on=False) for _ in range(2)]
    yield rigs


@pytest.mark.parametrize("keep", [False, True])
def test_files_that_two_threads_load_at_the_same_time(two_modems, keep):
    assert together(*[lambda: loading(keep)] * 4) == []


def test_a_file_that_loads_others_is_loaded_whole(two_modems):
    # resync asks for query when it is loaded itself.
    def resync():
        for _ in range(ROUNDS):
            assert lazy.once("recovery.resync").configure and lazy.once("query").query

    assert together(resync, resync) == []


def test_thread_that_fails_to_load_holds_nobody_up(two_modems):
    def missing():
        for _ in range(ROUNDS):
            with pytest.raises(ImportError):
                lazy.load("no_such_file")

    assert together(missing, lambda: loading(False)) == []


def test_second_modem_is_what_has_files_loaded_one_at_a_time():
    code = """
import shim
shim.install()
import machine, simcom
from simcom import lazy
plain = lazy.load
made = [simcom.A76XX(machine.UART(n, 115200, rxbuf=2048)) for n in (1,)]
assert lazy.load is plain and "simcom.threads" not in sys.modules
made.append(simcom.SIM800(machine.UART(2, 115200, rxbuf=2048)))
assert lazy.load is not plain
"""
    import subprocess

    path = [entry for entry in sys.path if entry]
    done = subprocess.run(
        [sys.executable, "-c", "import sys\nsys.path[:0] = %r\n%s" % (path, code)], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
