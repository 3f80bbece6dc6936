"""Measures what the library promises, prints a table, writes build/bench.json, and fails where a limit is missed.

    .venv/bin/python tests_host/bench.py [--short]

Heap and instructions are those of MicroPython's unix port on a fake UART that hands out 64 bytes per read, as a board
sees them (instructions: callgrind, the difference between two amounts, less what the fake itself takes), for a quick
look at what a change costs. What a board takes and gives is measured on an emulated one, by `make pico-bench`. The
commands per MB are those on the virtual line under CPython, the sends those of real programs on the unix port, with a
real broker and a real web server.
"""

import argparse
import atexit
import functools
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
TREE = HERE.parent
sys.path[:0] = [str(TREE / "lib"), str(HERE), str(HERE / "support"), str(HERE / "tools")]

import shim  # noqa: E402

shim.install()

import live  # noqa: E402
import machine  # noqa: E402
import simcom  # noqa: E402
import size  # noqa: E402
from sim import Blob, Network, VirtualModem  # noqa: E402
from system import command, micropython_command  # noqa: E402

LOAD = HERE / "on_micropython/mpylib/load.py"
CALLS = HERE / "on_micropython/mpylib/calls.py"
SEGMENT = 1024
BURST = 64  # bytes per UART read
WHOLE = 4096  # a whole answer per read, as far as the driver's chunk buffer takes it
RATES = (115200, 460800, 921600)

# name: (least, most); a figure that is not here is only reported
LIMITS = {
    "rx_heap_bytes_per_kb": (0, 0),
    "rx_instr_per_byte": (None, 85),
    "rxget_commands_per_mb": (None, 740),
    "uart_overruns": (0, 0),
    "cipsends_http_get_nodelay_off": (1, 1),
    "cipsends_mqtt_connect_nodelay_off": (1, 1),
    "cipsends_mqtt_publish_nodelay_off": (1, 1),
}


@functools.cache
def compiled():
    """A folder with the compiled package, kept until this process ends."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    size.compile_package(Path(folder.name))
    return folder.name


def micropython(*args, under=(), program=LOAD):
    """What a program prints on both streams; it has the compiled modules, as a board would."""
    env = os.environ | {"MICROPYPATH": "%s:.frozen" % compiled()}
    words = [*under, *micropython_command(), str(program), *map(str, args)]
    done = subprocess.run(words, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=200)
    if done.returncode:
        told = done.stdout, program.name, " ".join(map(str, args)), done.returncode
        sys.exit("%s\nbench: %s %s failed (exit status %d)" % told)
    return done.stdout


def instructions(load):
    """Instructions that MicroPython executes for a load: (what, times, burst, names before)."""
    valgrind = [*command("valgrind"), "--tool=callgrind", "--callgrind-out-file=" + os.devnull]
    return int(re.search(r"Collected : (\d+)", micropython(*load, under=valgrind))[1])


def heap_figures(short):
    kb = 128 if short else 1024
    return {"rx_heap_bytes_per_kb": round(int(micropython("heap", kb, WHOLE)) / kb, 2) or 0}


def instruction_figures(pool, short):
    """Per byte of payload, and per pump with nothing to do: the difference between an amount and a smaller one.

    MicroPython's cache of name look-ups makes single figures differ by up to 20 a byte with the number of names that
    were made before, as names of the fake meet in it, so the lowest of several such numbers counts.
    """
    few, many = (1, 4) if short else (4, 16)
    loads = {  # (what, burst): smaller amount, larger amount, numbers of names
        ("rx", BURST): (64, 128, many),
        ("bare", BURST): (64, 128, many),
        ("rx8", BURST): (64, 128, few),
        ("rx", WHOLE): (64, 128, few),
        ("bare", WHOLE): (64, 128, few),
        ("send", BURST): (16, 48, few),
        ("bare_send", BURST): (16, 48, few),
        ("idle", BURST): (300, 1300, few),
    }
    runs = [
        (what, times, burst, names)
        for (what, burst), (less, more, layouts) in loads.items()
        for names in range(layouts)
        for times in (less, more)
    ]
    count = dict(zip(runs, pool.map(instructions, runs), strict=True))

    def each(what, burst=BURST):
        less, more, layouts = loads[what, burst]
        extra = min(count[what, more, burst, names] - count[what, less, burst, names] for names in range(layouts))
        return extra / (more - less)

    def net(what, bare, burst=BURST):
        return round((each(what, burst) - each(bare, burst)) / SEGMENT, 1)

    return {
        "rx_instr_per_byte": net("rx", "bare"),
        "rx_instr_per_byte_whole": net("rx", "bare", WHOLE),
        "rx_instr_per_byte_eight_links": net("rx8", "bare"),
        "rx_instr_per_byte_bare_uart": round(each("bare") / SEGMENT, 1),
        "send_instr_per_byte": net("send", "bare_send"),
        "idle_pump_instr": round(each("idle")),
    }


def calls_of(family):
    """[(name, instructions)] of each call of the package in the session of calls.py, without what its fakes take."""
    with tempfile.TemporaryDirectory() as folder:
        dumps = Path(folder, "dumps")
        # Each unsetenv() ends a count; nothing of valgrind's own may come between the lines.
        count = ["--tool=callgrind", "--dump-before=unsetenv", "--combine-dumps=yes", "--log-file=" + os.devnull]
        valgrind = [*command("valgrind"), *count, "--callgrind-out-file=%s" % dumps]
        names = micropython(family, under=valgrind, program=CALLS).split("\n")
        counts = [int(n) for n in re.findall(r"(?m)^totals: (\d+)", dumps.read_text())]
    calls, pieces = {}, {}
    for name, n in zip(names, counts, strict=True):  # what ended there, or "" for what is not the package's
        calls[name] = calls.get(name, 0) + n
        pieces[name] = pieces.get(name, 0) + 1
    del calls[""]
    nothing = min(n for name, n in calls.items() if name.startswith("nothing "))
    fake = min(n for name, n in calls.items() if name.startswith("any ")) - nothing  # for entering and leaving one
    return [(name.split()[0], n - nothing - fake * (pieces[name] - 1)) for name, n in calls.items()]


def call_figures(pool, short):
    """The longest single calls in instructions, and the mean for each call of a function that virtual.py charges."""
    families = ["SIM7000"] if short else ["SIM7000", "A76XX"]
    result, total = {}, 0
    for name, n in sum(pool.map(calls_of, families), []):
        if name not in ("any", "nothing"):
            total += n
            key = "longest_%s_instr" % name
            result[key] = max(n, result.get(key, 0))
    calls = sum(int(micropython(family, "charge", program=CALLS)) for family in families)
    return result | {"instr_per_function_call": round(total / calls)}


def size_figures():
    """Flash without messages and RAM of each family, as `make size` says, which holds the budget."""
    report = size.measure([], size.files(), ())
    result = {}
    for family, total in report["families"].items():
        name = family.rpartition(".")[2]
        result["mpy_bytes_" + name] = total["mpy"]
        result["mpy_bytes_%s_with_messages" % name] = total["mpy"] + total["messages"]
        result["ram_" + name] = total["ram"]
    return result


def download(rate, total):
    """(AT+CIPRXGET=2 per MiB, bytes lost in the UART)"""
    shim.reset()
    uart = machine.UART(1, 115200, rxbuf=2048)
    net = Network(latency_ms=1)
    period = bytes(range(251))
    data = (period * (total // 251 + 1))[:total]
    net.serve("192.0.2.1", 80, Blob(data))
    module = VirtualModem("sim7000", uart, seed=None, powered=True, net=net, think_ms=0)
    modem = simcom.SIM7000(uart, baudrate=0 if rate == 115200 else rate)
    modem.connect("internet")
    s = modem.socket()
    s.settimeout(30)
    s.connect(("192.0.2.1", 80))
    if uart.baudrate != rate:
        sys.exit("bench: the UART runs at %d, not at %d" % (uart.baudrate, rate))
    buf = bytearray(SEGMENT)
    done = s.recv_into(buf)  # the first segment has come
    asked = len(module.commands)
    while done < total:
        n = s.readinto(buf)
        if not n or buf[:n] != data[done : done + n]:
            sys.exit("bench: the download differs after %d bytes" % done)
        done += n
    reads = sum(line.startswith(b"AT+CIPRXGET=2,") for line in module.commands[asked:])
    return reads * (1 << 20) / total, uart.overruns


def line_figures(short):
    reads, lost = zip(*[download(rate, (1 << 18) if short else (1 << 20)) for rate in RATES], strict=True)
    return {"rxget_commands_per_mb": round(max(reads)), "uart_overruns": sum(lost)}


def send_figures():
    with tempfile.TemporaryDirectory() as folder:
        return live.cipsends(Path(folder), "sim7000")


def missed(figures):
    """One line for each limit that does not hold."""
    for name, (least, most) in LIMITS.items():
        value = figures.get(name)
        if value is None:
            yield "%s was not measured" % name
        elif least is not None and value < least:
            yield "%s is %s, at least %s is promised" % (name, value, least)
        elif most is not None and value > most:
            yield "%s is %s, at most %s is promised" % (name, value, most)


def families(figures):
    """Those whose size was measured."""
    return [name[10:] for name in figures if name.startswith("mpy_bytes_") and not name.endswith("_with_messages")]


def limit_text(name):
    least, most = LIMITS.get(name, (None, None))
    if least is not None and least == most:
        return "= %s" % most
    if least is not None:
        return ">= %s" % least
    return "<= %s" % most if most is not None else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--short", action="store_true", help="download 256 kB instead of 1 MB")
    short = parser.parse_args().short
    figures, without = {}, []
    compiled()  # before there are threads
    with ThreadPoolExecutor(1 + 2 * os.cpu_count()) as pool:
        parts = [(send_figures,), (heap_figures, short), (instruction_figures, pool, short)]
        parts += [(call_figures, pool, short)] + ([] if short else [(size_figures,)])
        waiting = [pool.submit(line_figures, short)]
        for part, *args in parts:
            try:
                figures |= part(*args)
            except unittest.SkipTest as e:  # what is needed is unavailable
                without.append(str(e))
        figures = waiting[0].result() | figures
    problems = list(missed(figures))
    if without and os.environ.get("CI") != "true":
        problems = [line for line in problems if "was not measured" not in line]
    for name, value in figures.items():
        print("%-34s %10s   %s" % (name, value, limit_text(name)))
    (TREE / "build").mkdir(exist_ok=True)
    report = figures | {"short": short, "limits": LIMITS, "missed": problems, "skipped": without}
    report["mpy_bytes"] = {name: figures["mpy_bytes_" + name] for name in families(figures)}
    (TREE / "build/bench.json").write_text(json.dumps(report, indent=1) + "\n")
    for reason in without:
        print("SKIP: %s" % reason)
    for line in problems:
        print("MISSED: " + line)
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
