"""A virtual SIMCom module on a pseudo-terminal, its links carried to sockets on loopback.

Prints the path of the terminal, then, on stderr, a line for what happens, until SIGTERM or SIGINT. Nothing leaves the
machine.
"""

import argparse
import signal
import sys

from .families import families
from .program import Program, parse_listen, parse_map, parse_seed, parse_setting


def start() -> Program:
    """The program that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m sim", description=__doc__.split("\n")[0])
    parser.add_argument("--family", default="sim7000", help="one of %s, or a model" % ", ".join(families()))
    parser.add_argument("--baud", type=int, help="rate of the line (default: the family's)")
    parser.add_argument("--link", metavar="PATH", help="symbolic link to the terminal, removed at the end")
    parser.add_argument("--map", default=[], action="append", metavar="HOST:PORT=127.0.0.1:PORT,...")
    parser.add_argument("--listen", default=[], action="append", metavar="PORT=REAL,...", help="ports of its servers")
    parser.add_argument("--seed", default="none", help="another module of its kind, by number (default: none)")
    parser.add_argument("--rude", action="store_true", help="a seed chooses faults and refusals too")
    parser.add_argument("--set", default=[], action="append", metavar="KEY=VALUE", help="profile attribute")
    parser.add_argument("--choice", default=[], action="append", metavar="KEY=VALUE", help="reading to pin")
    parser.add_argument("--log", metavar="FILE", help="append every byte in both directions")
    parser.add_argument("--think-ms", type=float, help="time that a command takes")
    parser.add_argument("--split-ms", type=float, default=0, help="longest pause inside an answer")
    parser.add_argument("--quiet", action="store_true", help="tell only what is wrong")
    parser.add_argument("--off", action="store_true", help="start switched off: use pwrkey on the control channel")
    parser.add_argument(
        "--control",
        metavar="PATH",
        help="FIFO for lines like: pwrkey 1, urc TEXT, restart, set csq=9; answers: PATH.out",
    )
    options = parser.parse_args()
    settings: dict = dict(parse_setting(text) for text in options.set)
    if options.think_ms is not None:
        settings["think_ms"] = options.think_ms
    choices = dict(parse_setting(text) for text in options.choice)
    table, listen = parse_map(",".join(options.map)), parse_listen(",".join(options.listen))
    where = {"link": options.link, "control": options.control, "log": options.log, "off": options.off}
    where["quiet"] = options.quiet
    more = {"seed": parse_seed(options.seed), "choices": choices, "baud": options.baud, "polite": not options.rude}
    return Program(options.family, table, listen, split_ms=options.split_ms, **where, **more, **settings)


def main() -> None:
    """The command line, until a signal."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    try:
        program = start()
    except (OSError, TypeError, ValueError) as error:
        sys.exit("sim: %s" % error)
    try:
        print(program.path, flush=True)
        program.run()
    finally:
        program.close()


if __name__ == "__main__":
    main()
