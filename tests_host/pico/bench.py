"""Measures the library on the emulated Pico: python -m pico.bench [--write] (in tests_host)

Prints the figures and what is promised of them, writes both to build/pico.json, and fails when a promise is broken.
The promises (promised.json) are what was measured when they were last written: a ratchet, on the way to the goals that
stand beside. --write makes today's figures the promise, there and in the README's table.

All on SIM7000, with the module at 115200 baud that thinks no time, unless said. The same sources give the same figures
on every machine.
"""

import argparse
import ast
import concurrent.futures
import json
import os
import sys
import time

from pico.stage import TREE, Stage  # first: it puts the shim in place
import peer
from pico import firmware, secure, setup
from pico.programs import compiled
from sim import Network, Peer, Sink

PROMISED = TREE / "tests_host/pico/promised.json"
README = TREE / "README.md"
MARKS = ("<!-- pico: written by `make pico-bench WRITE=1` -->\n", "<!-- pico: end -->\n")
RATES = (115200, 460800, 921600)
BYTES = dict(zip(RATES, (24000, 40000, 60000)))
FAMILY = "sim7000"
UNCOUNTED = "sim7080"  # does not tell how much is left …
ITS_RATES = (115200, 921600)  # … and has no 460800
STAGES = ("import", "made", "active", "connect", "socket")
FLOW = "transparent %d RTS/CTS"
CYCLES_PER_MS = 125_000
SLACK = 0.005  # a figure may be worse than promised by this share: a line of code moves what is in the flash's cache

UP, DOWN = "higher", "lower"


class Blob(Peer):
    """Serves more than anybody asks for."""

    def opened(self, connection):
        connection.write(peer.pattern(1000) * 120)


class Watch:
    """Measures the line's use by the distance of the commands that read whole segments."""

    def __init__(self, stage):
        self.clock = stage.pico.clock
        self.reads, self.rate = [], 0
        execute = stage.module.execute

        def watched(line):
            if line.startswith((b"AT+CIPRXGET=2", b"AT+CARECV=")):
                self.reads.append((self.clock.now_us, int(line.rpartition(b",")[2])))
            return execute(line)

        stage.module.execute = watched

    def begin(self, rate):
        """From here on."""
        self.reads, self.rate = [], rate

    def line(self):
        """Payload's share of the line; None when there were too few such commands."""
        full = max((length for _, length in self.reads), default=0)
        pairs = zip(self.reads, self.reads[1:], strict=False)
        times = sorted(b[0] - a[0] for a, b in pairs if a[1] == b[1] == full)
        return full * 1e7 / self.rate / times[len(times) // 2] if len(times) > 4 else None


def session(function, args, files, library="mpy", image=None):
    """Run one function of measure.py, whose first argument is the family; the dict that it prints."""
    net = Network(latency_ms=1, connect_ms=20, dns_ms=5)
    with Stage(args[0], library, image, files, net=net, think_ms=0) as stage:
        watch = Watch(stage)
        stage.net.serve("measure.example", 80, Blob())
        stage.net.serve("measure.example", 81, Sink())
        stage.net.serve("measure.example", 82, Peer())
        stage.pico.answers |= {
            "watch": watch.begin,
            "line": watch.line,
            "think": lambda ms: setattr(stage.module, "think_ms", ms),
            "silent": lambda ms, for_ms: silent(stage, ms, for_ms),
        }
        text = stage.pico.exec("import measure; measure.%s(%s)" % (function, ", ".join(map(repr, args))), 1500)
    return ast.literal_eval(text.rstrip().splitlines()[-1])


def silent(stage, ms, for_ms):
    """In so many milliseconds the module stops answering, for a while."""
    stage.module.later(ms, lambda: setattr(stage.module, "silent", True))
    stage.module.later(ms + for_ms, lambda: setattr(stage.module, "silent", False))


def files_of(form, name):
    """The files that a list for mip installs out of lib ("lib") or as made ("build")."""
    lists = json.loads((TREE / form / (name + ".json")).read_text())
    return [TREE / form / address for _, address in lists["urls"]]


def capabilities():
    """{name: the files that it loads on FAMILY}; a family's list has __init__."""
    found = {path.stem: files_of("build", path.stem) for path in sorted((TREE / "lib").glob("*.json"))}
    return {
        name: [path.stem for path in files if not path.stem.endswith("_open")]
        for name, files in found.items()
        if files[0].stem != "__init__"
    }


def blocks(form):
    """kB of 4 kB blocks that FAMILY's installation takes of the flash, and files."""
    sizes = [path.stat().st_size for path in files_of(form, FAMILY)]
    return [4 * sum(-(-size // 4096) for size in sizes), len(sizes)]


def sessions(image):
    """name: arguments of session()."""
    found = {"buffer %d" % rate: ("buffer", (FAMILY, rate, BYTES[rate])) for rate in RATES}
    found |= {"push %d" % rate: ("configured", (FAMILY, rate, BYTES[rate], "push")) for rate in RATES}
    found["hex 115200"] = ("configured", (FAMILY, 115200, BYTES[115200], "hex"))
    for rate in RATES:
        for flow in (False, True):
            name = "transparent %d%s" % (rate, " RTS/CTS" if flow else "")
            found[name] = ("transparent", (FAMILY, rate, BYTES[rate], flow))
    found["calls"] = ("calls", (FAMILY,))
    found["quick"] = ("quick", (FAMILY, RATES[-1], 30000))
    found |= {"uncounted %d" % rate: ("quick", (UNCOUNTED, rate, 30000)) for rate in ITS_RATES}
    found["hardships"] = ("hardships", (FAMILY,))
    found["loads"] = ("loads", (FAMILY, capabilities()))
    found["heartbeat"] = ("heartbeat", (FAMILY, 20000))
    found["memory mpy"] = ("memory", (FAMILY,))
    found["memory source"] = ("memory", (FAMILY,), "source")
    found["memory frozen"] = ("memory", (FAMILY,), "frozen", image)
    return found


def quick(files):
    """Lines, each ok or FAILED: how often what is called again and again asks the heap, how full the line is."""
    promised = json.loads(PROMISED.read_text())
    found = session("quick", (FAMILY, RATES[-1], 30000), files)
    received = found["received"]
    limits = {"100 idle pumps": 0, "100 empty reads": 0, "100 polls": 0, "20 reads": promised["asked"][0] * 1.03}
    checks = {}
    for what, most in limits.items():
        checks["%s ask the heap %d times, at most %d" % (what, found[what], most)] = found[what] <= most
    checks["heap per received byte: %.3f" % received["heap"]] = received["heap"] == 0
    least = promised["block"][-1] * 0.97  # of a longer download
    checks["payload as share of the line: %.3f, at least %.3f" % (received["line"], least)] = received["line"] >= least
    return ["%s: %s" % (what, "ok" if good else "FAILED") for what, good in checks.items()]


def measure(image):
    """All of it, by session."""
    files = compiled()
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count() or 1) as pool:
        running = {}
        for name, (function, args, *more) in sessions(image).items():
            running[name] = pool.submit(session, function, args, files, *more)
        running["TLS"] = pool.submit(secure.depth, files, image)
        return {name: job.result() for name, job in running.items()}


BLOCK = "block 1024, thinks %d ms"  # a mode of sessions


def rows(found):
    """(key, what it is, values, which way is better, digits, goals or None), in the order of the table."""
    return [*line_rows(found), *processor_rows(found), *memory_rows(found), *loading_rows(found)]


def line_rows(found):
    """What of the line is payload, and what that asks of the heap."""
    buffers = [found["buffer %d" % rate] for rate in RATES]
    at_once = buffers[0]

    def line(mode):
        return [by_mode[mode]["line"] for by_mode in buffers]

    def each(name, what):
        return [found[name % rate][what] for rate in RATES]

    heap = [at_once[BLOCK % 0]["heap"], found["push 115200"]["heap"], found["transparent 115200"]["heap"]]
    rates = "at 115200 / 460800 / 921600 baud"
    return [
        ("heap", "heap per received byte: buffer access / push / transparent", heap, DOWN, 3, (0, 0, 0)),
        (
            "asked",
            "how often 20 reads of 1,024 ask the heap, for frames of functions",
            [found["quick"]["20 reads"]],
            DOWN,
            0,
            (0,),
        ),
        (
            "busy",
            "payload as share of the line %s: polled without pause" % rates,
            line("busy"),
            UP,
            3,
            (0.958, 0.947, 0.93),
        ),
        ("block", "the same: blocking `readinto` of 1,024", line(BLOCK % 0), UP, 3, (0.955, 0.938, 0.905)),
        (
            "block uncounted",
            "the same on SIM7080, which does not tell how much is left, at 115200 / 921600 baud",
            [found["uncounted %d" % rate]["received"]["line"] for rate in ITS_RATES],
            UP,
            3,
            (0.955, 0.905),
        ),
        ("block 4096", "the same: blocking `readinto` of 4,096", line("block 4096"), UP, 3, None),
        ("sleep", "the same: `sleep_ms(1)` between reads", line("sleep_ms(1)"), UP, 3, None),
        ("asyncio", "the same: asyncio, one link", line("asyncio"), UP, 3, (0.958, 0.947, 0.928)),
        ("asyncio 4", "the same: asyncio, four links", line("asyncio, 4 links"), UP, 3, None),
        ("thinks 5", "the same: blocking, the module thinks 5 ms per command", line(BLOCK % 5), UP, 3, None),
        ("thinks 20", "the same: blocking, the module thinks 20 ms", line(BLOCK % 20), UP, 3, None),
        ("push", "the same: blocking, pushed data with RTS/CTS", each("push %d", "line"), UP, 3, None),
        ("hex", "the same: as hexadecimal digits, at 115200 baud", [found["hex 115200"]["line"]], UP, 3, None),
        ("transparent", "the same: transparent mode with RTS/CTS", each(FLOW, "line"), UP, 3, None),
        ("transparent bare", "the same: without RTS/CTS", each("transparent %d", "line"), UP, 3, None),
        ("send", "the same: `write` of 1,460", line("send"), UP, 3, None),
        ("send transparent", "the same, in transparent mode with RTS/CTS", each(FLOW, "sent"), UP, 3, None),
        ("lost", "share lost in transparent mode without RTS/CTS", each("transparent %d", "lost"), DOWN, 3, None),
        ("lost flow", "with RTS/CTS", each(FLOW, "lost"), DOWN, 3, (0, 0, 0)),
    ]


def processor_rows(found):
    """What keeps the processor busy, for how long and how deep."""
    at_once = found["buffer %d" % RATES[0]]
    calls = found["calls"]
    beat = found["heartbeat"]
    used = [at_once[mode]["share"] for mode in (BLOCK % 0, "sleep_ms(1)", "asyncio")]
    longest = [calls["longest"][name] / CYCLES_PER_MS for name in ("pump", "poll", "readinto")]
    phases = [beat[name] for name in ("bring-up", "first connections", "transfer")]
    return [
        (
            "share",
            "share of the processor, download at 115200: blocking / `sleep_ms(1)` / asyncio",
            used,
            DOWN,
            3,
            (0.17, 0.3, 0.42),
        ),
        (
            "cycles",
            "cycles: idle pump with one link / non-blocking read that finds nothing / byte received / byte sent",
            [calls["pump"], calls["empty read"], at_once[BLOCK % 0]["cycles"], at_once["send"]["cycles"]],
            DOWN,
            0,
            (8000, 18000, 2000, None),
        ),
        (
            "connect",
            "busy time of `connect` / `close`, ms",
            [calls["connect"] / CYCLES_PER_MS, calls["close"] / CYCLES_PER_MS],
            DOWN,
            1,
            (6.5, None),
        ),
        (
            "longest",
            "longest `pump` / `ioctl(POLL)` / `readinto` in a transfer, ms",
            longest,
            DOWN,
            1,
            (3.5, 3.5, None),
        ),
        (
            "stack",
            "C stack at its deepest, asyncio / at the deepest call of Python inside TLS (of 7,936)",
            [at_once["asyncio"]["stack"], found["TLS"]],
            DOWN,
            0,
            (6200, None),
        ),
        (
            "heartbeat",
            "worst lateness of a 10 ms beat beside bring-up / first connections on four links / transfer, ms",
            phases,
            DOWN,
            0,
            (20, 20, 20),
        ),
    ]


def memory_rows(found):
    """RAM, flash, and the largest hole of the heap."""
    memory = [found["memory " + library] for library in ("mpy", "frozen", "source")]
    return [
        (
            "RAM",
            "RAM with one open socket: `.mpy` / frozen / source",
            [m["socket RAM"] for m in memory],
            DOWN,
            0,
            (37000, 14300, None),
        ),
        (
            "import",
            "import of package and family, ms: the same",
            [m["import ms"] for m in memory],
            DOWN,
            0,
            (120, None, None),
        ),
        *(
            (
                "%s %s" % (key, library),
                "%s, %s: imported / made / active / connected / one socket" % (what, library),
                [by_library["%s %s" % (stage, key)] for stage in STAGES],
                better,
                0,
                None,
            )
            for key, what, better in (("RAM", "RAM", DOWN), ("hole", "largest free piece of the heap", UP))
            for library, by_library in zip(("`.mpy`", "frozen", "source"), memory, strict=True)
        ),
        (
            "flash",
            "flash of one family, kB / files: `.mpy` as made / source",
            blocks("build") + blocks("lib"),
            DOWN,
            0,
            (64, 12, 160, None),
        ),
    ]


def loading_rows(found):
    """What takes long now and then."""
    hard = [
        found["hardships"][name]
        for name in ("silent for 10 s", "flash written between reads", "collected between reads")
    ]
    return [
        (
            "loads",
            "loading, ms: " + " / ".join(capabilities()),
            [found["loads"][name + " ms"] for name in capabilities()],
            DOWN,
            0,
            None,
        ),
        (
            "hard",
            "longest `readinto` of 1,024, ms: module silent for 10 s / flash written / heap collected between reads",
            [each["longest read ms"] for each in hard],
            DOWN,
            0,
            None,
        ),
        ("hard lost", "bytes lost then", [each["lost"] for each in hard], DOWN, 0, (0, 0, 0)),
    ]


def shown(values, digits):
    """Figures as text."""
    return " / ".join("–" if value is None else "{:,.{}f}".format(value, digits) for value in values)


def broken(values, promised, better, digits):
    """Whether a figure is worse than promised."""
    unit = 10.0**-digits
    for value, limit in zip(values, promised, strict=True):
        worse = limit - value if better == UP else value - limit
        if worse > max(abs(limit) * SLACK, unit * 0.5):
            return True
    return False


def table(found, promised):
    """Lines of the README."""
    lines = ["| figure | measured | goal |\n", "|---|---|---|\n"]
    for key, what, _, _, digits, goal in found:
        lines.append("| %s | %s | %s |\n" % (what, shown(promised[key], digits), shown(goal, digits) if goal else ""))
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--write", action="store_true", help="make today's figures the promise")
    options = parser.parse_args()
    setup.ready_or_skip()
    start = time.monotonic()
    raw = measure(firmware.own()[0])
    found = rows(raw)
    promised = json.loads(PROMISED.read_text()) if PROMISED.exists() else {}
    if options.write:
        promised = {key: [round(value, digits) for value in values] for key, _, values, _, digits, _ in found}
        PROMISED.write_text(json.dumps(promised, indent=1).replace("\n  ", " ").replace("\n ]", " ]") + "\n")
        before, _, rest = README.read_text().partition(MARKS[0])
        README.write_text("".join([before, MARKS[0], *table(found, promised), MARKS[1], rest.partition(MARKS[1])[2]]))
    failed = []
    for key, what, values, better, digits, goal in found:
        bad = key not in promised or broken(values, promised[key], better, digits)
        failed += [key] if bad else []
        print("%-100s %s" % (what, shown(values, digits)))
        print("%100s %s" % ("promised", shown(promised.get(key, ()), digits) + (" BROKEN" if bad else "")))
        if goal:
            print("%100s %s" % ("goal", shown(goal, digits)))
    summary = {key: {"is": values, "promised": promised.get(key), "goal": goal} for key, _, values, _, _, goal in found}
    output = TREE / "build/pico.json"
    output.write_text(json.dumps({"rows": summary, "sessions": raw}, indent=1) + "\n")
    print("written to %s; %d s" % (output, time.monotonic() - start))
    sys.exit("promises broken: " + ", ".join(failed) if failed else 0)


if __name__ == "__main__":
    main()
