"""Runs each tests_host/on_micropython/mpy_*.py under MicroPython, in a process of its own, and where it can under a
32-bit one too; as many at once as the machine has cores.

    python tests_host/tools/run_mpy.py [--timeout SECONDS] [FILE ...]

A file passes when it ends with exit status 0 and has printed `N passed, 0 failed` with N above 0, alone on a line.
It may print `SKIP: reason` instead. In CI (CI=true) a skip counts as a failure.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from system import TREE, Unavailable, micropython_command

# .frozen holds asyncio, requests, umqtt…
ENVIRONMENT = os.environ | {"MICROPYPATH": ":".join([str(TREE / "lib"), str(TREE / "tests_device"), ".frozen"])}
TALLY = re.compile(r"^(\d+) passed, (\d+) failed\b.*$", re.M)
SKIP = re.compile(r"^SKIP: (.*)$", re.M)


def run(command, timeout_s):
    """Output, exit status (None: out of time), seconds."""
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=TREE,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # so that what the file itself started ends with it
    )
    try:
        output, _ = process.communicate(timeout=timeout_s)
        status = process.returncode
    except subprocess.TimeoutExpired:
        status = None
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
    return output.decode("utf-8", "replace"), status, time.monotonic() - start


def verdict(output, status, timeout_s):
    """(passed, failed, skipped, what to tell) of one file, counted in its own cases."""
    passed, failed = (sum(map(int, column)) for column in zip(*TALLY.findall(output) or [(0, 0)]))
    skip = SKIP.search(output)
    if status is None:
        return passed, failed + 1, 0, "no end within %d s" % timeout_s
    if status:
        return passed, max(failed, 1), 0, "exit status %d" % status
    if skip and not passed and not failed:
        return 0, 0, 1, "SKIP: " + skip[1]
    if not passed and not failed:
        return 0, 1, 0, "printed no `N passed, 0 failed`"
    return passed, failed, 0, "%d passed, %d failed" % (passed, failed)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="*", help="default: all")
    parser.add_argument("--timeout", type=int, default=600, metavar="SECONDS", help="for one file")
    args = parser.parse_args()
    in_ci = os.environ.get("CI") == "true"
    try:
        widths = [("", micropython_command())]
    except Unavailable as e:
        print("SKIP: the MicroPython suite: no micropython: %s" % e)
        return in_ci
    try:
        widths.append((" (32 bits)", micropython_command(narrow=True)))
    except Unavailable as e:
        print("only as wide as this machine: %s" % e)
    files = args.files or map(str, (TREE / "tests_host/on_micropython").glob("mpy_*.py"))
    files = sorted(files, key=os.path.getsize, reverse=True)  # what takes longest first
    jobs = [(path, width, [*micropython, path]) for path in files for width, micropython in widths]
    passed = failed = skipped = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        timed = pool.map(lambda job: run(job[2], args.timeout), jobs)
        for (path, width, _), (output, status, seconds) in zip(jobs, timed, strict=True):
            file_passed, file_failed, file_skipped, told = verdict(output, status, args.timeout)
            if file_failed or file_skipped and in_ci:
                print(output.rstrip())
            name = os.path.basename(path) + width
            print("%s: %s (%.1f s)" % (name, told, seconds), flush=True)
            passed += file_passed
            failed += file_failed
            skipped += file_skipped
    print("MicroPython:")
    print("%d passed, %d failed%s" % (passed, failed, ", %d skipped" % skipped if skipped else ""))
    return bool(failed or not passed or skipped and in_ci)


if __name__ == "__main__":
    sys.exit(main())
