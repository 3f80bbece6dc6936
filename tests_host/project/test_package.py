"""A board gets what the lists for mip say, as source or as `make mpy` makes it, and either runs."""

import ast
import json
import os
import shutil
import subprocess
import sys

from families import CIP
import made as made_of
import naming
import package
import parts
import reference
import pytest
from mpremote import mip
from tools.system import micropython_command

TREES = parts.trees()
NEEDS = {name: set.union(*each) for name, each in package.needed(TREES).items()}
LISTS = package.lists()
FAMILIES = tuple(filter(package.FAMILY.match, LISTS))
FAULTS = ("lost", "context", "restart", "refused", "count")  # as mpy_session.py has them
BUILD = package.TREE / "build"
pytestmark = pytest.mark.xdist_group("build")  # one worker: each would make it, while another reads it


@pytest.fixture(scope="module")
def made():
    """Names of the lists; `make mpy` has written them."""
    subprocess.run(["make", "--no-print-directory", "mpy"], cwd=package.TREE, check=True)
    return sorted(path.stem for path in BUILD.glob("*.json") if "urls" in json.loads(path.read_text()))


class Folder:
    """What mpremote's installer asks of a board's file system, on a folder."""

    def __init__(self, root):
        self.root = root

    def fs_exists(self, path):
        return (self.root / path).exists()

    def fs_mkdir(self, path):
        (self.root / path).mkdir()

    def fs_writefile(self, path, data, progress_callback=None):
        (self.root / path).write_bytes(data)


def install(folder, *lists):
    """What mpremote installs into a folder."""
    for path in lists:
        mip._install_package(Folder(folder), str(path), index="", target="lib", version=None, mpy=False)
    return folder / "lib"


def run(lib, *args):
    """Run a program on what is installed; what it prints."""
    env = os.environ | {"MICROPYPATH": "%s:%s:.frozen" % (lib, package.TREE / "tests_host/on_micropython/mpylib")}
    done = subprocess.run([*micropython_command(), *args], env=env, capture_output=True, text=True)
    return done.stdout + done.stderr


def test_the_lists_are_what_the_generator_writes():
    stale = [path.relative_to(package.TREE).as_posix() for path in package.differing()]
    assert not stale, "run: python3 tests_host/tools/package.py --write"


def test_reference_is_what_the_generator_writes():
    wanted = reference.text(parts.trees())
    assert reference.REFERENCE.read_text() == wanted, "run: python3 tests_host/tools/reference.py --write"


def test_every_file_is_in_a_list_and_package_json_has_all():
    assert set.union(*LISTS.values()) == set(TREES)
    assert {target for target, _ in json.loads(package.PACKAGE.read_text())["urls"]} == {
        path.relative_to(package.TREE / "lib").as_posix() for path in parts.sources().values()
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_a_list_has_what_its_files_load_and_no_more_dialects_than_one(family):
    later = {each for first in package.capabilities(TREES).values() for each in first}
    own = next(filter(None, map(parts.dialect, LISTS[family])))
    for name in {family} | set(LISTS) - set(FAMILIES):
        there = LISTS[family] | LISTS[name]
        mine = [each for each in there if parts.dialect(each) in ("", own)]
        gone = {(each, other) for each in mine for other in NEEDS[each] - there - later if not parts.dialect(other)}
        assert not gone, name
    assert len({parts.dialect(each) for each in LISTS[family]} - {""}) == 1
    assert not (set(FAMILIES) - {family}) & LISTS[family]


def test_what_is_loaded_by_a_table_is_made_too():
    whole = made_of.Made()
    named = {each for tree in TREES.values() if parts.has_table(tree) for each in parts.named(tree)}
    assert "counters" in named
    assert {whole.home[each] for each in named & set(TREES)} <= set(whole.sources)


def test_bytes_that_a_file_says_more_than_once_are_kept_once():
    for text in made_of.Made().sources.values():
        tree = ast.parse(text)
        inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Tuple) for part in node.elts}
        said = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in inside]
        said = [node.value for node in said if isinstance(node.value, bytes) and node.value]
        assert len(said) == len(set(said))


ALSO = {"dns"}  # of one dialect
LOADED = {"lazy", "preloading", "threads"}  # already, or with a second modem


def test_preload_knows_what_each_capability_comes_to_load():
    table = next(node.value for node in TREES["preloading"].body if isinstance(node, ast.Assign))
    there = {name: set(files) for name, files in ast.literal_eval(table).items()}
    wanted = package.preloads()
    assert there == wanted | {"tcp": wanted["tcp"] - LOADED - ALSO | {"socket", "query"}}


def test_a_file_that_is_new_or_gone_is_noticed(tmp_path):
    shutil.copytree(package.TREE / "lib", tmp_path / "lib")
    shutil.copy(package.PACKAGE, tmp_path)
    assert package.differing(tmp_path) == []
    (tmp_path / "lib/simcom/novel.py").touch()
    assert package.differing(tmp_path) == [tmp_path / "package.json"]
    (tmp_path / "lib/simcom/sim800.py").unlink()
    assert tmp_path / "lib/sim800.json" in package.differing(tmp_path)


@pytest.mark.parametrize("name", [*LISTS, "package"])
def test_mpremote_installs_a_list_from_a_clone(tmp_path, name):
    path = package.PACKAGE if name == "package" else package.TREE / "lib" / (name + ".json")
    lib = install(tmp_path, path)
    urls = json.loads(path.read_text())["urls"]
    assert len(urls) == len({target for target, _ in urls}) > 0
    for target, source in urls:
        assert (lib / target).read_bytes() == (path.parent / source).read_bytes()


def test_every_list_has_the_version_of_the_package():
    version = package.version()
    assert ("\n## " + version) in (package.TREE / "CHANGELOG.md").read_text()
    for path in package.texts():
        assert json.loads(path.read_text())["version"] == version


def test_made_lists_are_those_of_the_sources(made):
    assert made == sorted([*LISTS, "package"])
    for name in made:
        for target, source in json.loads((BUILD / (name + ".json")).read_text())["urls"]:
            assert source == "lib/" + target and (BUILD / source).is_file()


def test_made_files_import_what_there_is(made):
    trees = parts.trees(BUILD / "lib-sources")
    defined = {name: set(naming.identifiers(tree)) for name, tree in trees.items()}
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "simcom":
                for alias in node.names:
                    assert alias.name in defined[node.module.partition(".")[2]], (name, node.module, alias.name)
            for said in parts.loads(node) or ():
                assert said.value in trees, (name, said.value)


def test_made_files_have_every_name_they_read(made):
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821,F823", BUILD / "lib-sources"]
    ruff += ["--config", "builtins = ['%s']" % made_of.COMPILERS]
    done = subprocess.run(ruff, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_made_names_were_the_package_s_own_and_say_what_they_were(made):
    names = json.loads((BUILD / "names.json").read_text())
    before = [old for each in names.values() for old in each]
    assert len(before) > len(names) > 200 and len(set(before)) == len(before)
    assert all(map(naming.private, before))
    said = {each for tree in TREES.values() for each in naming.identifiers(tree)}
    built_in = names.keys() & naming.BUILT_IN
    assert not said & names.keys() - built_in
    plain, members = naming.bare(TREES.values())
    assert len(built_in) > 50 and not members & built_in
    assert not plain & {old for each in built_in for old in names[each]}  # else the function would be hidden


@pytest.mark.parametrize("form", ["lib", "build"])
@pytest.mark.parametrize("family", CIP)  # that mpy_session.py has a fake module of
def test_a_family_runs_from_its_list_alone(made, tmp_path, family, form):
    lib = install(tmp_path, package.TREE / form / (family + ".json"))
    session = str(package.TREE / "tests_host/on_micropython/mpy_session.py")
    for fault in ((), *((fault,) for fault in FAULTS if form == "build")):
        output = run(lib, session, family, *fault)
        assert output.startswith("MODULES ") and "WRONG" not in output, output


ABSENT = """
import simcom, fakeuart
modem = simcom.SIM7000(fakeuart.FakeUart())
for call in (%s):
    try:
        print(call())
    except ImportError as e:
        print(e)
"""


@pytest.mark.parametrize("form", ["lib", "build"])
def test_what_is_not_installed_names_the_list_that_has_it(made, tmp_path, form):
    calls = {
        "udp": "lambda: modem.socket(2, 2)",
        "server": "lambda: modem.socket().bind(('', 80))",
        "receive": "lambda: modem.config(receive='push')",
        "sleep": "lambda: modem.sleep()",
        "at": "lambda: modem.at('+CSQ')",
        "options": "lambda: modem.status('dns')",
        "recover": "lambda: modem.reset()",
        "single": "lambda: simcom.SIM7000(fakeuart.FakeUart(), mux=False)",
        "a76xx": "lambda: simcom.A76XX",
        "tap": "lambda: simcom.Tap",
        "detect": "lambda: simcom.detect",
        "lowpower": "lambda: modem.psm()",
    }
    lib = install(tmp_path, package.TREE / form / "sim7000.json")
    (tmp_path / "absent.py").write_text(ABSENT % ", ".join(calls.values()))
    said = run(lib, str(tmp_path / "absent.py")).splitlines()
    assert [line.partition("mip install lib/")[2].partition(".json")[0] for line in said] == list(calls), said


@pytest.mark.parametrize("form", ["lib", "build"])
def test_a_capability_is_installed_beside_its_family(made, tmp_path, form):
    lib = install(tmp_path, *(package.TREE / form / (name + ".json") for name in ("a76xx", "udp", "tap")))
    (tmp_path / "udp.py").write_text("import simcom, fakeuart\nm = simcom.A76XX(simcom.Tap(fakeuart.FakeUart()))\n")
    with (tmp_path / "udp.py").open("a") as file:
        file.write("print(m.socket(2, 2).recvfrom)\n")
    assert "bound_method" in run(lib, str(tmp_path / "udp.py"))


def test_all_of_the_made_package_runs(made, tmp_path):
    lib = install(tmp_path, BUILD / "package.json")
    assert run(lib, str(package.TREE / "tests_host/on_micropython/mpy_session.py")) == "5 passed, 0 failed\n"


PRELOADS = """
import fakeuart, simcom
for name in ("SIM800", "SIM7000", "SIM7028", "A76XX", "SIM7080"):
    getattr(simcom, name)(fakeuart.FakeUart()).preload("udp")
"""


@pytest.mark.parametrize("form", ["lib", "build/lib"])
def test_preload_finds_its_files_on_micropython(made, form):
    assert run(package.TREE / form, "-c", PRELOADS) == ""


EACH = """
import sys
for name in %r:
    for loaded in [key for key in sys.modules if key.startswith("simcom")]:
        del sys.modules[loaded]
    try:
        __import__("simcom." + name)
    except Exception as e:
        print(name, repr(e))
"""


@pytest.mark.parametrize("form", ["lib", "build/lib"])
def test_every_file_loads_first_on_micropython(made, form):
    """`from . import file` there asks the package's __getattr__ first, which knows no files."""
    folder = package.TREE / form / "simcom"
    paths = [path.relative_to(folder).with_suffix("") for path in folder.rglob("*.*py")]
    names = sorted({".".join(path.parts) for path in paths} - {"__init__"})
    machine = "import sys\nsys.modules['machine'] = sys\n"  # the unix port has one without UART
    assert len(names) > 50 and run(package.TREE / form, "-c", machine + EACH % names) == ""


KIN = """
class One:
    def _first(self):
        self._mine = 1
        self.heard = self._given

class Two:
    def _second(self, deadline):
        self._own = deadline
        self._first_of(One())

    def _first_of(self, one):
        one._given = 2

class Three(One):
    def _third(self):
        self._first()
"""


def test_names_that_no_object_can_have_both_become_one():
    new = naming.shortened({"": ast.parse(KIN)}, {})
    for one, other in (("_first", "_third"), ("_second", "_first_of"), ("_given", "_own"), ("_given", "_mine")):
        assert new[one] != new[other]
    alike = [{old for old in new if new[old] == name} for name in set(new.values())]
    assert sorted(map(len, alike)) == [1, 1, 2, 2, 2], alike
    assert {"_given"} in alike and {"heard"} in alike
    assert all(len(each & {"_first", "_third", "_mine"}) < 2 for each in alike)


def test_parameters_are_called_alike_but_those_that_somebody_names():
    tree = naming.unnamed(
        ast.parse("def _a(self, buf, n=n):\n    return buf[n]\ndef _b(ms, why):\n    print(ms)"), {"why"}, ()
    )
    assert ast.unparse(tree) == "def _a(self, end, key=n):\n    return end[key]\n\ndef _b(end, why):\n    print(end)"
    assert "_a(self, buf" in ast.unparse(naming.unnamed(ast.parse("def _a(self, buf):\n    pass"), (), {"_a"}))


def test_names_in_front_are_those_that_are_said_most():
    text = "".join("a.b%d\n" % n for n in range(naming.FOREMOST)) + "def f(x):\n    x.often = x.often + y.often\n"
    head = naming.foremost(text).splitlines()
    assert head[:2] == ["while True:", "    break"] and head[2].startswith("    None.a.often.f")
    assert naming.foremost("a.b") == "a.b"


HELD = """
class Held:
    def reserve(self, task):
        self._only = task
    def reserved(self):
        return self._only
    def kept(self):
        return self._kept

def use(m):
    m.reserve(1)
    print(m.reserved(), m.kept, m.kept())
"""


def test_methods_that_only_set_or_return_an_attribute_become_it():
    tree = ast.parse(HELD)
    text = ast.unparse(made_of.Folded({"": tree}).visit(tree))
    assert "def reserve" not in text and "m._only = 1" in text
    assert "def kept" in text and "print(m._only, m.kept, m.kept())" in text  # it is used as a value too
