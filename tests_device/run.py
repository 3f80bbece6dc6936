"""Runs the shared cases on a board over USB.

    python3 tests_device/run.py PORT BOARD.py --peers HOST [--first 7001] [--apn internet] [--only words]

Copies BOARD.py (a file of boards/, as board.py), target.py and cases/ to the board and starts them there; the library
must be on it (`mpremote mip install`, or --lib copies lib/simcom). The board's SIM reaches HOST, where
`python3 tests_device/peer.py --bind 0.0.0.0 --first 7001` runs. Takes some minutes and about 300 kB of traffic.

The cases themselves run on every change, on CPython and MicroPython, against the virtual module. This program's steps
are checked by a test, but it has not yet been run on hardware: expect to mend it.
"""

import argparse
import os
import subprocess
import sys

import peer

HERE = os.path.dirname(os.path.abspath(__file__))
LIB = os.path.join(HERE, os.pardir, "lib", "simcom")


def ports(first):
    """The port of each kind of peer, as `peer.py --first` gives them."""
    return {kind: first + i for i, kind in enumerate([*peer.KINDS, "refused"])}


def program(apn, host, first, only):
    """What the board executes."""
    lines = ["import board, target", "t = target.Board(board, %r, %r, %r)" % (apn, host, ports(first))]
    return "\n".join(lines + ["target.run(t, %r)" % only])


def steps(options):
    """The arguments of mpremote, joined by `+`: one session, so that the board is not restarted in between."""
    copy = [["fs", "cp", options.board, ":board.py"], ["fs", "cp", os.path.join(HERE, "target.py"), ":target.py"]]
    copy.append(["fs", "cp", "-r", os.path.join(HERE, "cases"), ":"])
    if options.lib:
        copy += [["exec", "import os; 'lib' in os.listdir() or os.mkdir('lib')"], ["fs", "cp", "-r", LIB, ":lib/"]]
    run = ["exec", program(options.apn, options.peers, options.first, options.only)]
    joined = ["connect", options.port]
    for step in [["soft-reset"], *copy, run]:
        joined += ["+", *step]
    return joined


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("port", help="the board's serial port, as mpremote names it")
    parser.add_argument("board", help="a file with modem(), for example one of boards/")
    parser.add_argument("--peers", required=True, metavar="HOST", help="where peer.py runs, as the SIM reaches it")
    parser.add_argument("--first", type=int, default=7001, help="its --first (default 7001)")
    parser.add_argument("--apn", default="internet")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    parser.add_argument("--lib", action="store_true", help="copy lib/simcom too")
    options = parser.parse_args()
    mpremote = subprocess.Popen([sys.executable, "-m", "mpremote", *steps(options)], stdout=subprocess.PIPE)
    last = b""
    for line in mpremote.stdout:
        sys.stdout.buffer.write(line)
        sys.stdout.flush()
        last = line.strip() or last
    sys.exit(mpremote.wait() or not (b" passed, 0 failed" in last and not last.startswith(b"0 ")))


if __name__ == "__main__":
    main()
