"""Which module of the package loads which, told from the text alone.

Modules are named as in `simcom.<name>`, with a dot behind a folder; "" is the package itself. A module is loaded by an
import statement, by `once("name")`, by `capability(m, "bringup")`, which puts `bringup.` and the dialect together, or
by a name that comes from elsewhere: then every string of that module that names another one counts.
"""

import ast
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
PACKAGE = "simcom"
LOADERS = ("once", "load", "loader", "capability", "__import__")
DIALECTS = ("cipstart", "cipopen", "caopen")  # how a file of a folder is called that words something in its own way


def sources(lib=TREE / "lib"):
    """Path of each module by its name."""
    found = {}
    for path in sorted((lib / PACKAGE).rglob("*.py")):
        parts = path.relative_to(lib / PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def trees(lib=TREE / "lib"):
    """Syntax tree of each module by its name."""
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in sources(lib).items()}


def package_of(name, known):
    """The package that a relative import in this module begins at."""
    return name if any(other.startswith(name + ".") for other in known if name) else name.rpartition(".")[0]


def imported(node, name, known):
    """(module, name in it or None, name here) of everything that an import statement takes out of the package."""
    if isinstance(node, ast.ImportFrom):
        if node.level:
            base = package_of(name, known).split(".") if package_of(name, known) else []
            base = base[: len(base) - node.level + 1]
        elif (node.module or "").split(".")[0] == PACKAGE:
            base = []
        else:
            return []
        module = (node.module or "").removeprefix(PACKAGE if not node.level else "").strip(".")
        module = ".".join([*base, *filter(None, [module])])
        found = []
        for alias in node.names:
            whole = ".".join(filter(None, (module, alias.name)))
            here = alias.asname or alias.name
            found.append((whole, None, here) if whole in known else (module, alias.name, here))
        return found
    if isinstance(node, ast.Import):
        found = [(alias.name.partition("."), alias.asname) for alias in node.names]
        return [(name, None, here or PACKAGE) for (first, _, name), here in found if first == PACKAGE]
    return []


def loader(call):
    """The name of the function that is called, by itself or as `lazy.name`, else ""."""
    function = call.func
    if getattr(getattr(function, "value", None), "id", "") == "lazy":
        return function.attr
    return getattr(function, "id", "")


def loads(node):
    """The nodes of the names that a call loads, one of which it may choose; [] when it puts the name together, None
    when it loads nothing."""
    if not isinstance(node, ast.Call) or loader(node) not in LOADERS:
        return None
    first = node.args[0]
    if loader(node) == "capability":
        return []
    if isinstance(first, ast.IfExp):
        return [each for each in (first.body, first.orelse) if isinstance(each, ast.Constant)]
    return [first] if isinstance(first, ast.Constant) else []


def begins(node):
    """How the name begins that a call puts together, "" when that does not tell, None when it puts none together."""
    if loads(node) != []:
        return None
    first = node.args[0]
    if loader(node) == "capability":
        return node.args[1].value + "."
    known = isinstance(first, ast.BinOp) and isinstance(first.left, ast.Constant)
    return first.left.value.removeprefix(PACKAGE + ".") if known else ""


def has_table(tree):
    """Whether a module loads others by names that come from elsewhere."""
    return any(begins(node) == "" for node in ast.walk(tree))


def docstrings(tree):
    """The ids of the nodes that are docstrings."""
    return {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
        and isinstance(node.body[0].value, ast.Constant)
    }


def strings(tree):
    """The nodes of all strings that are there when the program runs, but for the keys of tables."""
    doc = docstrings(tree) | {id(key) for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys}
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [node for node in found if id(node) not in doc]


def named(tree):
    """What the strings of a module can be the name of: each, or in a table that is text what stands behind a name."""
    tables = [node for node in strings(tree) if is_table(node.value)]
    behind = [word for node in tables for line in node.value.split("\n") for word in line.split()[1:]]
    return [node.value for node in strings(tree) if node.value] + behind


def is_table(text):
    """Whether a string is a table, of lines with a name and what belongs to it."""
    return text.startswith("\n") and "\n" in text[1:]


def needs(name, tree, known):
    """(what it loads when it is loaded, what its functions load)"""
    early, late = set(), set()

    def visit(node, into):
        if isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ExceptHandler)):
            into = late
        into.update(module for module, _, _ in imported(node, name, known) if module)
        into.update(each.value for each in loads(node) or ())
        if begins(node):
            late.update(each for each in known if each.startswith(begins(node)) and dialect(each))
        for child in ast.iter_child_nodes(node):
            visit(child, into)

    visit(tree, early)
    if name and has_table(tree):
        late.update(named(tree))
    return early & set(known), late & set(known) - early - {name}


def closure(start, links, stop=()):
    """Everything that is reached from `start` by `links`, {name: names}, and does not lie behind `stop`."""
    found, todo = set(), [name for name in start if name not in stop]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += [other for other in links[name] if other not in stop]
    return found


def dialect(name):
    """The dialect whose wording a module holds, or ""."""
    folder, _, last = name.rpartition(".")
    return last if folder and last in DIALECTS else ""
