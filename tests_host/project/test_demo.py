"""`make demo`, on a line that is quicker than it has to be."""

import pathlib
import subprocess
import sys

import pytest
from tools.system import micropython_command

DEMO = pathlib.Path(__file__).parents[1] / "demo.py"


def demo(*options):
    """Its exit status and what it printed."""
    micropython_command()  # else skipped
    words = [sys.executable, str(DEMO), "--baud", "2000000", *options]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100)
    return done.returncode, done.stdout


@pytest.mark.parametrize("options", [(), ("--python", "cpython", "--family", "a76xx")])
def test_it_downloads_the_file_and_says_so(options):
    status, printed = demo(*options)
    assert status == 0, printed
    for text in ("power up", "registration", "connected to files.example", "100000/100000", "as served"):
        assert text in printed


def test_a_server_that_goes_in_the_middle_is_told():
    status, printed = demo("--cut", "30000")
    assert status == 1 and "the server closed after 30000 of 100000 bytes" in printed, printed
    assert "DEMO FAILED" in printed
