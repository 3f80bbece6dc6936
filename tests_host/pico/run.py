"""Runs the library on the emulated Pico: python -m pico.run [--family NAME] [--all] [--only WORDS] (in tests_host)

All shared cases on one family (which one the commit decides), and one whole life on each other; with --all the cases
on every family. Each file of cases begins with a fresh MicroPython. Ends with `N passed, 0 failed`.
"""

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import time

from pico.stage import HOST, PORTS, TREE, Stage  # first: it puts the shim in place
from families import FAMILIES
from pico import bench, firmware, frames, secure, setup
from pico.machine import Failure
from pico.programs import compiled
from pico.terminal import Terminal

TALLY = re.compile(r"^(\d+) passed, (\d+) failed", re.M)

CASES = """
import emulated, target
found = target.cases((%r,))
target.cases = lambda: found
target.run(emulated.Emulated(%r, %r, %r), %r)
"""
LIFE = "import life; life.run(%r, %r, %r)"
MPREMOTE = """
import board
modem = board.modem(%r)
modem.active(True)
modem.connect("internet")
print("%s up:", modem.isconnected())
"""


def cases_of(family, module, files, only=""):
    """Run a file of cases: what was printed, and the busy seconds of the Pico."""
    with Stage(family, files=files) as stage:
        stage.modem(0)  # of the case with two modems
        return report(stage, CASES % (module, family, HOST, PORTS, only))


def life_of(family, files):
    """Run a whole life, beginning with a module that is off."""
    with Stage(family, files=files, powered=False) as stage:
        return report(stage, LIFE % (family, HOST, PORTS))


def secure_of(family, files, image):
    """TLS, with the firmware that has `ssl` and the library in it."""
    with secure.stage(family, files, image) as (stage, program):
        return report(stage, program)


def mpremote_of(family, form):
    """mpremote, as it is, installs a family out of lib or build, and starts a program with a board's file."""
    lines = []
    with Stage(family, "none") as stage:
        stage.modem(0)  # where boards/pico_breakout.py has it
        program = stage.folder / "program.py"
        program.write_text(MPREMOTE % (family.upper(), family.upper()))
        steps = (
            (["mip", "install", str(TREE / form / (family + ".json"))], "Done"),
            (["fs", "cp", str(TREE / "boards/pico_breakout.py"), ":board.py"], "pico_breakout.py :board.py"),
            (["run", str(program)], "%s up: True" % family.upper()),
            (
                ["mount", str(TREE / "boards"), "exec", "import pico_breakout as b; print(b.__file__)"],
                "pico_breakout.py",
            ),
        )
        with Terminal(stage.pico) as terminal:
            for step, end in steps:
                command = [sys.executable, "-m", "mpremote", "connect", terminal.path, *step]
                done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
                good = done.returncode == 0 and done.stdout.rstrip().endswith(end)
                lines.append("mpremote %s: %s" % (step[0], "ok" if good else "FAILED\n" + done.stdout))
        busy = stage.pico.counters()
    bad = sum("FAILED" in line for line in lines)
    lines.append("%d passed, %d failed\n" % (len(steps) - bad, bad))
    return "\n".join(lines), (busy["cycles"] - busy["idle"]) / 125e6


def checks_of(function, *args):
    """What only this port shows and no case notices: lines, each ok or FAILED."""
    try:
        lines = function(*args)
    except Failure as e:
        lines = ["%s: FAILED" % e]
    bad = sum(line.endswith("FAILED") for line in lines)
    return "\n".join([*lines, "%d passed, %d failed\n" % (len(lines) - bad, bad)]), 0


def report(stage, program):
    """Run a program on a stage."""
    printed = []
    try:
        stage.pico.exec(program, 1500, printed.append)
    except BaseException as e:  # a Hang is none of the program's own
        if isinstance(e, KeyboardInterrupt):
            raise
        printed.append("\n%s: %s\n0 passed, 1 failed\n" % (type(e).__name__, e))
    counted = stage.pico.counters() if stage.pico.process.poll() is None else {"cycles": 0, "idle": 0}
    return "".join(printed), (counted["cycles"] - counted["idle"]) / 125e6


def family_of_commit():
    """The family whose turn it is."""
    git = subprocess.run(["git", "rev-parse", "HEAD"], cwd=TREE, capture_output=True, text=True)
    return FAMILIES[int(git.stdout.strip() or "0", 16) % len(FAMILIES)]


def jobs(options):
    """(name, function, arguments) of each session, long ones first."""
    files = compiled()
    modules = sorted(path.stem for path in (TREE / "tests_device/cases").glob("*.py"))
    chosen = FAMILIES if options.all else (options.family or family_of_commit(),)
    found = []
    if not options.only:
        image = firmware.own()[0]
        for family in sorted({*chosen, secure.DEEPEST}):
            found.append(("%s TLS" % family, secure_of, (family, files, image)))
        found.append(("heap and line", checks_of, (bench.quick, files)))
        found.append(("frames", checks_of, (frames.checked,)))
        found += [("%s mpremote %s" % (chosen[0], form), mpremote_of, (chosen[0], form)) for form in ("lib", "build")]
    found += [
        ("%s %s" % (family, module), cases_of, (family, module, files, options.only))
        for family in chosen
        for module in sorted(modules, key=lambda name: name not in ("links", "streams"))
    ]
    if not options.only:
        found += [("%s life" % family, life_of, (family, files)) for family in FAMILIES if family not in chosen]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--family", choices=FAMILIES, help="whose cases (default: the commit decides)")
    parser.add_argument("--all", action="store_true", help="the cases of every family")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    options = parser.parse_args()
    setup.ready_or_skip()
    passed = failed = 0
    start = time.monotonic()
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count() or 1) as pool:
        running = {pool.submit(function, *args): name for name, function, args in jobs(options)}
        for done in concurrent.futures.as_completed(running):
            text, busy = done.result()
            counts = [tuple(map(int, pair)) for pair in TALLY.findall(text)] or [(0, 1)]
            passed += sum(good for good, _ in counts)
            failed += sum(bad for _, bad in counts)
            bad = sum(bad for _, bad in counts)
            if bad:
                print(text)
            print("%-24s %3d passed, %d failed  %6.1f s busy" % (running[done], counts[0][0], bad, busy), flush=True)
    print("emulated Pico: %d s" % (time.monotonic() - start))
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(bool(failed) or not passed)


if __name__ == "__main__":
    main()
