"""The rules of the library that its text can be asked about: import order, names, style."""

import ast
import pathlib
import re
import subprocess
import sys

import package
import parts
import pytest
import reference

LIB = pathlib.Path(__file__).parents[2] / "lib" / "simcom"
SOURCES = {name or "__init__": path for name, path in parts.sources().items()}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in SOURCES.items()}

FAMILY_FILES = tuple(filter(package.FAMILY.match, TREES))
# From the bottom to the top: a module imports only what stands in an earlier row, when it is loaded.
ORDER = (
    ("lazy",),
    ("stream.echo", "hooks", "masking", "errors.ip", "errors.cme"),
    ("parser",),
    ("inline",),
    ("links",),
    ("channel", "stream.reclaim"),
    ("pump", "checks", "endpoint"),
    ("query", "aterror", "counters", "stages", "linkkind"),
    (
        "supported",
        "dns",
        "foreground",
        "registry",
        "preloading",
        "at.codes",
        "at.urc",
        "at.reserved",
        "recovery.strays",
        "bringup.model",
        "bringup.optional",
        "options.remembered",
    ),
    ("modem",),
    ("at.command",),
    ("recovery.resync", "bringup.registration", "stream.partial", "stream.reopen", "recovery.silence"),
    ("bringup.power", "bringup.card", "bringup.apn"),
    ("bringup.connect",),
    ("buffered",),
    ("tcp",),
    ("carecv", "ciprxget"),
    ("cipstart", "cipopen", "caopen"),
    ("casrip", "errors.caopen", "stream.caopen"),
    ("bringup.cipstart", "bringup.cipopen", "bringup.caopen"),
    ("modes.single", "receive.push", "modes.send"),
    ("receive.caopen", "receive.headers", "receive.hex"),
    ("receive.mode",),
    (
        "options.status",
        "recovery.reset",
        "context.second",
        "context.cipstart",
        "context.caopen",
        "modes.sleep",
        "modes.lowpower",
    ),
    (
        "options.cipstart",
        "options.cipopen",
        "options.caopen",
        "commands.cipstart",
        "commands.cipopen",
        "commands.caopen",
        "options.stack",
        "commands.values",
    ),
    ("options.keepalive", "options.lte"),
    ("local_port.bind", "udp.link"),
    (
        "local_port.cipstart",
        "local_port.cipopen",
        "local_port.caopen",
        "server.cipstart",
        "server.cipopen",
        "server.numbers",
    ),
    ("server.caopen",),
    ("udp.cipstart", "udp.cipopen", "udp.caopen"),
    ("udp.boundaries", "udp.receive"),
    ("transparent.cipstart", "transparent.cipopen", "transparent.caopen"),
    ("transparent.datamode", "transparent.connection", "transparent.life"),
    ("transparent.escape",),
    ("server.keeper",),
    FAMILY_FILES,
    ("socket",),
    ("arguments", "options.sockopt"),
    ("server.socket", "udp.peer", "stream.calls", "stream.flags", "recovery.recover"),
    ("udp.socket",),
    ("transparent.stream",),
    ("threads",),
    ("options.config", "bringup.shutdown", "modes.background"),
    ("tap", "detect"),
)
ASIDE = {"__init__"}  # part of no layer
RANK = {name: rank for rank, row in enumerate(ORDER) for name in row}

# Imports inside functions: what is loaded when it is used. (who, whom)
LAZY = {
    ("channel", "stream.echo"),
    ("pump", "errors.cme"),
    ("checks", "threads"),
    ("pump", "errors.ip"),
    ("pump", "masking"),
    ("__init__", "lazy"),
    ("modem", "options.config"),
    ("modem", "recovery.silence"),
    ("detect", "bringup.power"),
    ("detect", "recovery.resync"),
    ("bringup.cipopen", "errors.ip"),
    ("server.cipopen", "errors.ip"),
    ("recovery.resync", "recovery.silence"),
    ("recovery.recover", "recovery.resync"),
    ("tcp", "stream.partial"),
    ("tcp", "recovery.silence"),
    ("tcp", "stream.reopen"),
    ("tcp", "stream.reclaim"),
    ("transparent.stream", "stream.reclaim"),
    ("modem", "recovery.resync"),
    ("modem", "checks"),
    ("modem", "bringup.power"),
    ("modem", "modes.single"),
    ("modem", "recovery.strays"),
    ("bringup.power", "checks"),
    ("bringup.connect", "checks"),
    ("lazy", "registry"),
    ("modes.background", "registry"),
    ("socket", "stream.reopen"),
    ("endpoint", "arguments"),
    ("stream.flags", "arguments"),
    ("local_port.bind", "arguments"),
    ("udp.peer", "arguments"),
    ("udp.socket", "arguments"),
    ("options.config", "arguments"),
    ("transparent.stream", "arguments"),
    ("at.command", "at.reserved"),
    ("at.reserved", "options.remembered"),
    ("socket", "options.sockopt"),
    ("socket", "stream.calls"),
    ("socket", "stream.flags"),
    ("udp.socket", "stream.flags"),
    ("udp.cipstart", "local_port.cipstart"),
    ("options.sockopt", "options.keepalive"),
    ("options.config", "registry"),
    ("receive.mode", "receive.headers"),
    ("receive.mode", "receive.hex"),
    ("recovery.reset", "bringup.power"),
    ("recovery.recover", "bringup.connect"),
    ("recovery.recover", "bringup.power"),
    ("bringup.power", "recovery.resync"),
    ("udp.link", "stream.partial"),
    ("bringup.connect", "bringup.power"),
    ("bringup.connect", "recovery.resync"),
    ("bringup.connect", "bringup.registration"),
    ("options.status", "bringup.card"),
    ("options.status", "bringup.registration"),
    ("context.second", "udp.link"),
    ("context.second", "arguments"),
    ("bringup.connect", "bringup.card"),
    ("bringup.connect", "bringup.apn"),
    ("bringup.connect", "bringup.model"),
    ("bringup.card", "bringup.registration"),
    ("bringup.cipopen", "bringup.optional"),
    ("bringup.cipstart", "bringup.optional"),
    ("options.stack", "bringup.optional"),
    ("bringup.power", "bringup.shutdown"),
    ("caopen", "stream.caopen"),
    ("stream.caopen", "stream.partial"),
    ("errors.caopen", "bringup.caopen"),
    ("caopen", "errors.caopen"),
    ("transparent.caopen", "errors.caopen"),
    ("transparent.caopen", "bringup.caopen"),
    ("errors.caopen", "dns"),
    ("bringup.caopen", "bringup.optional"),
    ("udp.caopen", "casrip"),
    ("udp.caopen", "errors.caopen"),
    ("server.caopen", "errors.caopen"),
}

# Methods whose meaning the docstring of their caller gives, and those of machine.UART.
FACES = {
    "channel": {"on_line", "on_prompt", "on_end"},
    "buffered": {"on_line", "on_head", "on_trailer"},
    "ciprxget": {"on_line"},
    "carecv": {"on_line"},
    "receive.caopen": {"on_line"},
    "receive.headers": {"on_line"},
    "cipstart": {"on_line"},
    "cipopen": {"on_line"},
    "server.keeper": {"on_line", "on_lost"},
    "options.cipstart": {"on_line"},
    "transparent.connection": {"on_line"},
    "tap": {"init", "any", "read", "readinto", "write", "ioctl"},
}

MODELS = re.compile(r"(?i)\b(sim\d{3,4}\w*|a76\w\w|a7\d{3}\w*)\b")
FAMILIES = {name.upper() for name in FAMILY_FILES}


def modules_but(*without):
    """For every module but these."""
    return pytest.mark.parametrize("name", [name for name in TREES if name not in without])


modules = modules_but()
layers = modules_but(*ASIDE)
# A method that is not loaded yet takes whatever it is given.
below_socket = modules_but("lazy", *[name for name in TREES if RANK.get(name, RANK["socket"]) >= RANK["socket"]])


def parents(tree):
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            child.parent = node
    return tree


for _tree in TREES.values():
    parents(_tree)


def inside_function(node):
    while hasattr(node, "parent"):
        node = node.parent
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return True
    return False


def imported(node, name):
    """Which modules of the package an import statement, or a call of once() or load(), in this one names."""
    if parts.loads(node):
        return [each.value for each in parts.loads(node)]
    return [module for module, _, _ in parts.imported(node, name, TREES)]


def imports(name, lazy):
    """What a module imports of the package, inside functions (or only if it must), or when it is loaded."""
    for node in ast.walk(TREES[name]):
        for other in imported(node, name):
            optional = isinstance(getattr(node, "parent", None), ast.ExceptHandler)
            if (inside_function(node) or optional) == lazy:
                yield other


def strings(tree):
    """Constants of text, without docstrings and annotations."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            if isinstance(node.parent, ast.Expr) or isinstance(node.parent, ast.arg):
                continue
            yield node.value if isinstance(node.value, str) else node.value.decode("latin-1")


def where(name, node):
    return "%s.py:%d" % (name.replace(".", "/"), node.lineno)


# Folders


def test_a_folder_has_no_file_of_its_name_beside_it():
    # MicroPython finds the folder, CPython the file.
    assert not {name.rpartition(".")[0] for name in TREES} & {*TREES, *lines("import simcom\nprint(simcom.NAMES)")}


# Layers


def test_every_module_has_its_place():
    assert set(TREES) <= set(RANK) | ASIDE
    for name in ("parser", "links", "channel", "pump", "modem", "tcp", "cipstart", "sim7000", "socket"):
        assert name in TREES


@pytest.mark.parametrize("name", sorted(ASIDE))
def test_what_stands_aside_imports_nothing_of_the_package(name):
    assert not list(imports(name, lazy=False))


@layers
def test_imports_go_only_downwards(name):
    for other in imports(name, lazy=False):
        assert RANK[other] < RANK[name], "%s imports %s" % (name, other)


def test_imports_inside_functions_are_those_of_the_table():
    found = {(name, other) for name in TREES for other in imports(name, lazy=True)}
    assert found <= LAZY, "not in the table: %s" % (found - LAZY)
    assert LAZY <= found, "no longer there: %s" % (LAZY - found)


def test_parser_knows_no_uart_no_clock_and_no_command():
    tree = TREES["parser"]
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= {"micropython"}
    assert not [text for text in strings(tree) if "AT" in text or "CIP" in text]


@modules_but("channel", "tap", "transparent.datamode")  # in data mode there are no commands
def test_only_the_channel_touches_the_uart(name):
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "uart":
            assert node.attr == "init", where(name, node)  # the rate is a matter of bring-up


ASKS_TYPE = ("supported", "registry", "options.config")  # to name the family for people; to give it a method


@modules
def test_no_test_of_a_family_or_model(name):
    if name not in ("__init__", "bringup.model"):  # which tell what fits what
        assert not [text for text in strings(TREES[name]) if MODELS.search(text)]
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "type" or name in ASKS_TYPE, where(name, node)
            if node.func.id in ("isinstance", "issubclass"):
                used = {each.id for each in ast.walk(node.args[1]) if isinstance(each, ast.Name)}
                assert not used & (FAMILIES | {"CipStart", "CipOpen"}), where(name, node)
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("__class__", "__name__") or name in ("supported", "registry", "options.config"), (
                where(name, node)
            )
        if isinstance(node, ast.Name) and node.id in FAMILIES:
            assert not isinstance(node.parent, ast.Compare), where(name, node)


@pytest.mark.parametrize("name", FAMILY_FILES)
def test_family_is_attributes_and_differences(name):
    tree = TREES[name]
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    assert [each.name for each in classes] == [name.upper()]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.If | ast.IfExp)]
    assert "differs" in ast.get_docstring(tree)


def lines(code, loaded=()):
    """Run Python that has the shim and the library; what it prints, as a list."""
    path = [str(LIB.parent), str(LIB.parent.parent / "tests_host")]
    head = "import sys; sys.path[:0] = %r\nimport shim; shim.install()\n" % path
    head += "def mine(): return sorted(name for name in sys.modules if name.split('.')[0] == 'simcom')\n"
    done = subprocess.run([sys.executable, "-c", head + code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_import_of_the_package_loads_nothing():
    assert lines("import simcom\nprint(*mine())") == ["simcom"]


def test_public_names_load_what_they_need_when_they_are_used():
    loaded = lines("import simcom\nsimcom.Tap\nprint(*mine())")
    assert loaded == ["simcom", "simcom.lazy", "simcom.masking", "simcom.tap"]
    loaded = lines("import simcom\nsimcom.SIM7000\nprint(*mine())")
    assert {"simcom.sim7000", "simcom.channel"} <= set(loaded)
    for later in ("socket", "bringup.power", "bringup.connect", "recovery.resync", "options.config", "aterror", "tap"):
        assert "simcom." + later not in loaded


def test_every_public_name_exists():
    names = lines("import simcom\nprint(simcom.NAMES)")
    assert {"SIM7000", "ATError", "Tap", "install", "socket"} <= set(names)
    for each in names:
        assert (
            lines("import simcom\nprint(simcom.%s is not None, simcom.%s is simcom.%s)" % ((each,) * 3)) == ["True"] * 2
        )


def test_unknown_name_of_the_package_is_an_attribute_error_that_lists_the_families():
    code = "import simcom\ntry:\n    simcom.SIM9999\nexcept AttributeError as e:\n    print(e)"
    said = " ".join(lines(code))
    assert said.startswith("simcom has no SIM9999; it has SIM800, SIM7000, SIM7028, A76XX,")
    assert said.endswith(", ATError, Tap, install, socket")  # between them: who added a family runs this test too


def test_methods_of_a_modem_that_are_not_loaded_are_those_that_can_be():
    found = lines(
        "from simcom import modem, registry\nprint(modem._LATER)\nprint(';', *registry.known(registry._METHODS))"
    )
    at = found.index(";")
    names, homes = set(found[:at]), found[at + 1 :]
    of_sockets = homes[homes.index("bind") :]
    assert names == set(homes) - set(of_sockets)
    code = "from simcom import socket\nprint(*[n for n in %r if hasattr(socket.socket, n)])" % of_sockets
    assert lines(code) == of_sockets


# Style


@modules
def test_no_assert_does_work_or_checks_the_caller(name):
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Assert):  # stripped on the device: nothing may depend on it
            inner = [
                each for each in ast.walk(node) if isinstance(each, ast.Call | ast.NamedExpr | ast.Await | ast.Yield)
            ]
            assert not inner, where(name, node)
            function = node.parent
            while not isinstance(function, ast.FunctionDef):
                function = function.parent
            public = not function.name.startswith("_")
            arguments = {arg.arg for arg in ast.walk(function.args) if isinstance(arg, ast.arg)} - {"self"}
            used = {each.id for each in ast.walk(node.test) if isinstance(each, ast.Name)}
            assert not (public and used & arguments), where(name, node)


@modules
def test_no_bare_except(name):
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, where(name, node)
            caught = {each.id for each in ast.walk(node.type) if isinstance(each, ast.Name)}
            again = isinstance(node.body[-1], ast.Raise) and not node.body[-1].exc
            assert "BaseException" not in caught or again, where(name, node)


@modules
def test_texts_are_formatted_with_percent(name):
    for node in ast.walk(TREES[name]):
        assert not isinstance(node, ast.JoinedStr), where(name, node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in ("format", "format_map"), where(name, node)


@below_socket
def test_no_closures_and_no_keyword_dictionaries_below_socket(name):
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            assert not inside_function(node), where(name, node)
            assert node.args.kwarg is None, where(name, node)
        assert not isinstance(node, ast.Nonlocal), where(name, node)
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), where(name, node)


@modules
def test_time_is_compared_with_ticks_diff(name):
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.BinOp | ast.Compare):
            calls = [each for each in [getattr(node, "left", None), getattr(node, "right", None)] if each]
            calls += getattr(node, "comparators", [])
            for each in calls:
                if isinstance(each, ast.Call):
                    called = each.func.attr if isinstance(each.func, ast.Attribute) else getattr(each.func, "id", "")
                    assert called not in ("ticks_ms", "ticks_us", "time"), where(name, node)


def undocumented(name):
    """Public functions and methods without a docstring, of their own or of what they override."""

    def methods_of(bases):
        for tree in TREES.values():
            for node in tree.body:
                if isinstance(node, ast.ClassDef) and node.name in bases:
                    yield from ((each.name, each) for each in node.body if isinstance(each, ast.FunctionDef))
                    yield from methods_of({base.id for base in node.bases if isinstance(base, ast.Name)})

    for node in TREES[name].body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not ast.get_docstring(node):
            yield node.name
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            inherited = dict(methods_of({base.id for base in node.bases if isinstance(base, ast.Name)}))
            for each in node.body:
                if (
                    not isinstance(each, ast.FunctionDef)
                    or each.name.startswith("_")
                    or each.name in FACES.get(name, ())
                ):
                    continue
                if not ast.get_docstring(each) and each.name not in inherited:
                    yield "%s.%s" % (node.name, each.name)


@modules
def test_every_public_function_and_method_has_a_docstring(name):
    assert list(undocumented(name)) == []


@modules
def test_every_module_says_in_one_sentence_what_it_is(name):
    text = ast.get_docstring(TREES[name])
    first = text.split("\n\n")[0].replace("\n", " ")
    assert re.fullmatch(r"[^\n]+[.)]", first), first


def test_faces_are_described_where_they_are_called():
    parser = ast.get_docstring(next(node for node in TREES["parser"].body if getattr(node, "name", "") == "Parser"))
    channel = ast.get_docstring(next(node for node in TREES["channel"].body if getattr(node, "name", "") == "Channel"))
    for method in FACES["channel"]:
        assert method in parser, method
    for method in FACES["buffered"]:
        assert method in channel, method


@modules
def test_annotations_stand_for_names_that_exist_everywhere(name):
    # Never evaluated on the device; CPython evaluates unquoted ones.
    plain = {"int", "float", "str", "bytes", "bool", "list", "tuple", "dict", "None"}
    for node in ast.walk(TREES[name]):
        found = []
        if isinstance(node, ast.FunctionDef):
            found = [arg.annotation for arg in ast.walk(node.args) if isinstance(arg, ast.arg)] + [node.returns]
        for each in found:
            if each is not None and not isinstance(each, ast.Constant):
                assert isinstance(each, ast.Name) and each.id in plain, where(name, each)


@modules
def test_nothing_unfinished_and_no_place_of_its_writing(name):
    text = SOURCES[name].read_text(encoding="utf-8")
    assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", text)
    assert not re.search(r"(?<![\w.])/(home|work|root|tmp|usr|Users|opt|mnt|var)/", text)
    assert "\t" not in text and text.endswith("\n")


@modules
def test_constants_of_a_file_are_not_imported_by_another(name):
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.ImportFrom) and imported(node, name):
            private = [alias.name for alias in node.names if alias.name.startswith("_")]
            assert not private, "%s: %s" % (where(name, node), private)


def constants(tree):
    """`_NAME = const(number)` of a module."""
    found = {}
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and ast.unparse(node.value.func) == "const"
        ):
            found[node.targets[0].id] = node.value.args[0]
    return {name: value.value for name, value in found.items() if isinstance(value, ast.Constant)}


def test_constants_of_the_same_name_are_the_same_and_few():
    # const() cannot be imported: what several files need stands in a class of constants, which make mpy folds.
    found = {}
    for name, tree in TREES.items():
        for constant, value in constants(tree).items():
            found.setdefault((constant, value), []).append(name)
    twice = {constant: names for (constant, _), names in found.items() if len(names) > 1}
    assert twice == TWICE


# Of the UART's hot loop, where even the look-up in a class costs.
TWICE = {"_CHUNK": ["at.command", "channel"]}


def stores(tree, attribute):
    """Where an attribute of that name is written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == attribute and isinstance(node.ctx, ast.Store):
            yield node


def test_state_of_a_link_has_one_writer():
    found = [where(name, node) for name, tree in TREES.items() for node in stores(tree, "state")]
    function = next(node for node in ast.walk(TREES["links"]) if getattr(node, "name", "") == "to")
    assert found == [where("links", node) for node in stores(function, "state")]
    assert len(found) == 1


# What stands between one object and another: each of these numbers and lists only goes down.


def attributes(tree, context):
    """Attributes of anything but `self` that are read, or written, in a syntax tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, context):
            if ast.unparse(node.value) not in ("self", "super()", "cls"):
                yield node


def classes():
    """Every class of the package."""
    for tree in TREES.values():
        yield from (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


# Names of methods that elsewhere are those of data, or of what takes payload (Link.take).
DATA = {"busy", "init", "lost", "peer", "result", "rxget", "steps", "take", "_only"}


def methods():
    """Names of all methods."""
    return {each.name for node in classes() for each in node.body if isinstance(each, ast.FunctionDef)} - DATA


# file: methods of other objects that it puts others in place of
REPLACED = {
    # Methods whose files are loaded when they are called become methods of the class.
    "modem": {"setattr(Modem, name, method(name))"},
    "registry": {"setattr(type(owner), name, found)"},
    "socket": {"setattr(socket, _name, method(_name))"},
    # A socket becomes one for datagrams.
    "udp.socket": {"setattr(s, name, getattr(face, name))"},
    # Attributes that come and go, so that there is room.
    "bringup.power": {"setattr(each, name, None)"},
    # A timer pumps: each of these is a critical section then.
    "modes.background": {"m.open", "m.send", "m.close", "m.receive", "m.hungry", "m.forget"},
    "threads": {"lazy.load"},  # one file at a time
    # The UART as data mode sees it.
    "transparent.datamode": {"channel.any"},
}


def replaced(name):
    """How a file puts something in place of methods of other objects."""
    names = methods() | {"load"} if name == "threads" else methods()
    for node in attributes(TREES[name], ast.Store):
        if node.attr in names:
            yield ast.unparse(node)
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "setattr":
            yield ast.unparse(node)


@modules
def test_methods_of_other_objects_that_are_replaced_are_those_of_the_list(name):
    found, listed = set(replaced(name)), REPLACED.get(name, set())
    assert found <= listed, "new: a hook, a receiver, a stage or a kind of link is the way"
    assert listed <= found, "no longer there: take it off the list"


# file: private names of other objects that it uses
PRIVATE = {"modes.background": ["owner._modem"]}  # a socket's, where a method is loaded that lies in another file


@modules
def test_private_names_are_their_objects_own(name):
    nodes = [node for node in attributes(TREES[name], ast.Load | ast.Store) if re.match("_[^_]", node.attr)]
    found = [ast.unparse(node) for node in nodes if not ast.unparse(node.value)[:1].isupper()]  # a base
    assert found == PRIVATE.get(name, [])


def test_one_loader_imports_by_name():
    found = {name for name, tree in TREES.items() for node in ast.walk(tree) if getattr(node, "id", "") == "__import__"}
    assert found == {"lazy"}


def test_getattr_is_for_what_is_not_loaded_yet():
    found = {
        name for name, tree in TREES.items() for each in ast.walk(tree) if getattr(each, "name", "") == "__getattr__"
    }
    assert found == {"__init__", "modem", "socket"}


def drawn(late):
    """{module: what it imports}, also inside functions and by name when `late`; who loads by the table imports it."""
    needs = package.needed(parts.trees())
    links = {name or "__init__": early | (later if late else set()) for name, (early, later) in needs.items()}
    links["registry"] = set(needs["registry"][0])
    links["lazy"] = set()
    if late:
        table = {name: reference.table(TREES, name) for name in ("_METHODS", "SETTERS", "GETTERS")}
        for method, home in table["_METHODS"].items():
            links["socket" if method in OF_SOCKETS else "modem"].add(home)
        links["options.config"] |= {*table["SETTERS"].values(), *table["GETTERS"].values()}
    return {name: others - {name, ""} for name, others in links.items()}


OF_SOCKETS = set("bind listen accept via setsockopt fileno makefile sendall sendto recvfrom recvfrom_into".split())


def circles(links):
    """Groups of modules each of which reaches all others of it."""
    reach = {name: parts.closure(links[name], links) for name in links}
    groups = {frozenset({name} | {other for other in reach[name] if name in reach[other]}) for name in links}
    return {group for group in groups if len(group) > 1}


def floors(links):
    """How many modules stand one on the other; a circle counts as one."""
    group = {name: {name} for name in links} | {name: each for each in circles(links) for name in each}
    height = {}

    def of(name):
        if name not in height:
            height[name] = 0
            below = {other for each in group[name] for other in links[each]} - group[name]
            height[name] = 1 + max(map(of, below), default=0)
        return height[name]

    return max(map(of, links))


def test_no_imports_go_in_circles_and_floors_are_few():
    assert circles(drawn(late=False)) == set()
    assert floors(drawn(late=False)) <= 8


def test_nothing_loads_each_other_later():
    links = drawn(late=True)
    assert circles(links) == set()
    assert floors(links) <= 12


@modules
def test_no_constant_stands_for_another_file(name):
    assert not re.search(r"= (const\(.*\)|-?\d+)  # .*\bas (in )?\w+\.py", SOURCES[name].read_text())
