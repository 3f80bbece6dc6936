"""Writes lib/README.md, the reference of every public name, from the signatures and docstrings of lib/simcom.

    .venv/bin/python tests_host/tools/reference.py [--write]

Without --write it tells whether the file is out of date. A public name without a docstring is an error.
"""

import ast
import re
import sys

import package
import parts
from parts import TREE

REFERENCE = TREE / "lib" / "README.md"
HEAD = """# Every call

Written by `tests_host/tools/reference.py` from the docstrings of `simcom`; what calls are for, with examples, stands
in the [README](../README.md). Whatever goes wrong is an `OSError` with an errno of MicroPython, an `ATError` when the
module said ERROR; a caller's mistake is a `ValueError` or `TypeError`, raised before anything is sent. Times are in ms
where a name ends in `_ms`, else in seconds, as in `socket`. *Loads* names the files of `simcom` that a call loads when
it is used first: they stay in the heap, or are loaded each time and are garbage afterwards. `modem.preload()` loads
them beforehand.
"""
# Methods of the modem that are for programs; the others are between its parts.
OWN = ("active", "isconnected", "socket")
INSIDE = ("datagrams", "late", "via")  # loaded when used, but by the library
ALIASES = {"awake": "wake"}  # what a method is called that has another name where it lies
SOCKET = ("install", "getaddrinfo")


def table(trees, name):
    """The value of the constant that is called so, wherever it lies; of a table that is text, as a dict."""
    for tree in trees.values():
        for node in tree.body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
                value = node.value.args[0] if isinstance(node.value, ast.Call) else node.value  # const(...)
                value = ast.literal_eval(value)
                lines = value.split("\n")[1:-1] if isinstance(value, str) else ()
                return dict(line.split(" ", 1) for line in lines) or value
    raise LookupError("lib/simcom has no table " + name)


def member(body, name):
    """The function or class that is called so."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            return node
    raise LookupError("there is no " + name)


def signature(node, name, skip):
    """As it is called; of its parameters the first ``skip`` are given by the object."""
    if node.decorator_list:  # a property
        return name
    arguments = node.args
    arguments.args = arguments.args[skip:]
    returns = " -> " + ast.unparse(node.returns) if node.returns else ""
    text = "%s(%s)%s" % (name, ast.unparse(arguments), returns)
    return re.sub(r"'(\w+(?: \| \w+)+)'", r"\1", text)  # an annotation that stands in quotes


def said(node):
    """Its docstring, as Markdown."""
    text = ast.get_docstring(node)
    if not text:
        raise LookupError("%s, line %d: no docstring" % (node.name, node.lineno))
    return text.replace("``", "`")


class Reference:
    """The lines of the file, as they are added."""

    def __init__(self, trees):
        self._trees = trees
        self.lines = [HEAD]

    def section(self, title, text):
        self.lines += ["## " + title, "", text, ""]

    def entry(self, node, name, skip=0, loads="", about=None):
        """A function or method; ``about`` has its docstring, if it is another node."""
        self.lines += ["### `%s`" % signature(node, name, skip), "", said(about or node), ""]
        if loads:
            self.lines += ["*Loads* %s." % loads, ""]

    def methods(self, module, cls, names=None):
        """The public methods of a class, or those named."""
        for node in member(self._trees[module].body, cls).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                if names is None or node.name in names:
                    self.entry(node, node.name, 1)

    def later(self, names):
        """Methods that lie in files which are loaded when they are called."""
        homes, once = table(self._trees, "_METHODS"), table(self._trees, "_ONCE")
        for name in names:
            home = homes[name]
            loads = "`%s`, %s" % (home.replace(".", "/"), "each time" if home in once else "which stays")
            self.entry(member(self._trees[home].body, name), ALIASES.get(name, name), 1, loads)

    def settings(self, title, names, begin):
        """A table of what config() sets or status() asks, whose functions are called ``begin`` and the name."""
        self.lines += ["| %s | | loads |" % title, "|---|---|---|"]
        for name, home in sorted(names.items()):
            text = " ".join(said(member(self._trees[home].body, begin + name)).split()).replace("|", "\\|")
            self.lines.append("| `%s` | %s | `%s` |" % (name, text, home.replace(".", "/")))
        self.lines.append("")


def text(trees):
    """What the file has to say."""
    first = next(name for name in table(trees, "NAMES").split() if package.FAMILY.match(name.lower()))
    homes = table(trees, "_METHODS")
    later = [name for name in table(trees, "_LATER").split() if name not in INSIDE]
    ref = Reference(trees)

    def cls(module, name):
        return member(trees[module].body, name)

    ref.section(
        "simcom", "A class for each family, `simcom.%s` and so on. `simcom.__version__` tells the version." % first
    )
    modem = cls("modem", "Modem")
    ref.entry(member(modem.body, "__init__"), first, 1, "`checks`, each time", modem)
    for name in SOCKET:
        ref.entry(member(trees["socket"].body, name), name)
    ref.entry(cls("detect", "detect"), "detect", 0, "`detect`, which stays, and the class")
    tap = cls("tap", "Tap")
    ref.entry(member(tap.body, "__init__"), "Tap", 1, "`tap`, which stays", tap)
    error = cls("pump", "ATError")
    ref.entry(member(error.body, "__init__"), "ATError", 1, "", error)

    ref.section("A modem", "What `simcom.%s(...)` and the other families make." % first)
    ref.methods("modem", "Modem", OWN)
    ref.later(later)
    ref.section("config(name=value)", "What it sets, now and at each connect; more of it in `config()` above.")
    ref.settings("name", table(trees, "SETTERS"), "set_")
    ref.section("status(name)", "What it asks, beside `rssi` and `registration`.")
    ref.settings("name", table(trees, "GETTERS"), "get_")

    ref.section("A socket", "`socket.socket()` after `install()`, or `modem.socket()`.")
    socket = cls("socket", "socket")
    ref.entry(member(socket.body, "__init__"), "socket", 1, "", socket)
    ref.methods("socket", "socket")
    ref.methods("endpoint", "Endpoint")
    ref.later(name for name in homes if name not in (*table(trees, "_LATER").split(), *INSIDE))
    ref.section("A UDP socket", "Made with `SOCK_DGRAM`; what is not here is as above.")
    ref.methods("udp.socket", "DatagramSocket")
    ref.methods("udp.peer", "Association")
    ref.section(
        "A stream in transparent mode", "What `modem.transparent()` returns: a socket that has the UART to itself."
    )
    ref.methods("transparent.stream", "Transparent")
    ref.section("A second context", "What `modem.context()` returns.")
    ref.methods("context.second", "Context", ("connect", "disconnect", "isconnected", "ifconfig", "socket"))
    return "\n".join(ref.lines).rstrip() + "\n"


def main():
    wanted = text(parts.trees())
    if "--write" in sys.argv:
        REFERENCE.write_text(wanted)
    elif not REFERENCE.exists() or REFERENCE.read_text() != wanted:
        sys.exit("%s is out of date: reference.py --write" % REFERENCE.relative_to(TREE))


if __name__ == "__main__":
    main()
