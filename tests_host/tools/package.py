"""Writes the lists from which mip installs lib/simcom: package.json has all, lib/<name>.json what one purpose needs.

    python3 tests_host/tools/package.py [--write]

A family's list holds what its TCP client with bring-up can come to load; the others, that lib/simcom/registry.py names,
are to be installed beside it, and hold what each of these capabilities needs beyond any family. What that is, the
imports tell. mip does not resolve relative dependencies, so every list is complete in itself.

Without --write it tells what differs. The addresses are relative to the list: `mpremote mip install lib/sim7000.json`
in a clone installs that clone's files, and a fork or a tag its own. mpremote reads relative addresses since 1.25; the
mip inside MicroPython 1.25 does not yet.
"""

import ast
import json
import re
import sys

import parts
from parts import TREE

PACKAGE = TREE / "package.json"
FAMILY = re.compile(r"(sim|a)\d+\w*$")
ENTRY = ("", "socket", "aterror")  # of every TCP client, beside its family
PRELOADING = "preloading"  # has the table of all that can be loaded ahead
RARE = {"supported"}  # only on the way to an error
OF_ONE = {
    "errors.caopen",
    "stream.caopen",
    "casrip",
    "receive.caopen",
}  # of one dialect alone: preloading.py has them apart


def version(tree=TREE):
    """simcom.__version__"""
    return re.search(r'^__version__ = "(.+)"$', (tree / "lib/simcom/__init__.py").read_text(), re.M)[1]


def capabilities(trees):
    """{list: what it has that is loaded first}, as the package says."""
    for node in trees["registry"].body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "LISTS":
            lines = map(str.split, ast.literal_eval(node.value).strip().split("\n"))
            return {name: files for name, *files in lines}
    raise LookupError("lib/simcom/registry.py has no LISTS")


def needed(trees):
    """{module: (what it loads with itself, what it loads later)}, but for what preload() is asked for."""
    found = {name: parts.needs(name, tree, trees) for name, tree in trees.items()}
    return found | {PRELOADING: (found[PRELOADING][0], set())}


def preloads(lib=TREE / "lib"):
    """{name of a capability: what has to be loaded beforehand so that nothing is loaded later}, in any dialect."""
    trees = parts.trees(lib)
    needs = needed(trees)
    found = lists(lib)
    families = {name for name in found if FAMILY.match(name)}
    tcp = set().union(*(found[name] for name in families))
    found = {name: members for name, members in found.items() if name not in families} | {"tcp": tcp}
    result = {}
    for name, members in found.items():
        wanted = set(capabilities(trees).get(name, ())).union(*(needs[each][1] for each in members))
        wanted &= members
        result[name] = {
            each[: -len(parts.dialect(each))] if parts.dialect(each) else each for each in wanted - RARE - OF_ONE
        }
    return result


def lists(lib=TREE / "lib"):
    """{name of a list: names of its modules}"""
    trees = parts.trees(lib)
    needs = needed(trees)
    early = {name: at_once for name, (at_once, _) in needs.items()}
    links = {name: at_once | later for name, (at_once, later) in needs.items()}
    entries = capabilities(trees)
    stop = {each for names in entries.values() for each in names}
    found = {}
    for family in filter(FAMILY.match, trees):
        own = parts.closure([family], early) & set(parts.DIALECTS)
        other = {name for name in trees if parts.dialect(name) and parts.dialect(name) not in own}
        found[family] = parts.closure([*ENTRY, family], links, stop | other)
    common = set.intersection(*found.values()) | set(filter(parts.dialect, set.union(*found.values())))
    for name, first in entries.items():
        found[name] = parts.closure(first, links, stop - set(first)) - common
    return found


def text(rows, version):
    """A list for mip: (name on the board, address)."""
    lines = ",\n".join("    %s" % json.dumps(list(row)) for row in sorted(rows))
    return '{\n  "urls": [\n%s\n  ],\n  "deps": [],\n  "version": "%s"\n}\n' % (lines, version)


def texts(tree=TREE):
    """{path of a list: what it has to say}"""
    paths = {name: p.relative_to(tree / "lib").as_posix() for name, p in parts.sources(tree / "lib").items()}
    now = version(tree)
    found = {tree / "package.json": text([(path, "lib/" + path) for path in paths.values()], now)}
    for name, members in lists(tree / "lib").items():
        found[tree / "lib" / (name + ".json")] = text([(paths[each], paths[each]) for each in members], now)
    return found


def differing(tree=TREE):
    """Lists that say something else, or should not be there."""
    wanted = texts(tree)
    there = {tree / "package.json", *(tree / "lib").glob("*.json")}
    return sorted(path for path in there | set(wanted) if not path.exists() or path.read_text() != wanted.get(path))


if __name__ == "__main__":
    for path in differing():
        print(path.relative_to(TREE))
        if "--write" in sys.argv[1:]:
            if path in texts():
                path.write_text(texts()[path])
            else:
                path.unlink()
