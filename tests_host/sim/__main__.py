"""A virtual SIMCom module on a pseudo-terminal, its links carried to sockets on loopback.

Prints the path of the terminal and runs until SIGTERM or SIGINT. Nothing leaves the machine.
"""

import argparse
import signal
import sys

from .program import Program, parse_map, parse_setting


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m sim", description=__doc__.split("\n")[0])
    parser.add_argument("--family", default="sim7000")
    parser.add_argument("--baud", type=int, help="rate of the line (default: the family's)")
    parser.add_argument("--link", metavar="PATH", help="symbolic link to the terminal, removed at the end")
    parser.add_argument("--map", default=[], action="append", metavar="HOST:PORT=127.0.0.1:PORT,...")
    parser.add_argument(
        "--listen", default=[], action="append", metavar="PORT=REAL", help="real port of a module's server"
    )
    parser.add_argument("--seed", default="0", help="which module of its kind; 'none' for the recommended readings")
    parser.add_argument("--set", default=[], action="append", metavar="KEY=VALUE", help="profile attribute")
    parser.add_argument("--choice", default=[], action="append", metavar="KEY=VALUE", help="reading to pin")
    parser.add_argument("--log", metavar="FILE", help="append every byte in both directions")
    parser.add_argument("--think-ms", type=float, help="time that a command takes")
    parser.add_argument("--split-ms", type=float, default=0, help="longest pause inside an answer")
    parser.add_argument("--off", action="store_true", help="start switched off: use pwrkey on the control channel")
    parser.add_argument("--control", metavar="PATH", help="FIFO for lines like: pwrkey 1, urc TEXT, restart, silent on")
    options = parser.parse_args()
    settings: dict = dict(parse_setting(text) for text in options.set)
    if options.think_ms is not None:
        settings["think_ms"] = options.think_ms
    seed = None if options.seed.lower() == "none" else int(options.seed)
    choices = dict(parse_setting(text) for text in options.choice)
    table = parse_map(",".join(options.map))
    listen = {int(outer): int(real) for outer, _, real in (text.partition("=") for text in options.listen)}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    where = {"link": options.link, "control": options.control, "log": options.log, "off": options.off}
    more = {"seed": seed, "choices": choices, "baud": options.baud, "split_ms": options.split_ms}
    program = Program(options.family, table, listen, **where, **more, **settings)
    try:
        print(program.path, flush=True)
        program.run()
    finally:
        program.close()


if __name__ == "__main__":
    main()
