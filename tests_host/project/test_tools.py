"""The helper scripts: which mirrors are used, what counts as passed under MicroPython, what a module imports."""

import ast

import joining
import pytest
import run_mpy
import size
import system

LIST = """\
# deb http://comment.example/debian trixie main
deb [arch=amd64 signed-by=/k.gpg] http://one.example/debian bookworm main contrib
deb-src http://source.example/debian trixie main
deb cdrom:[Debian]/ bookworm main
deb http://one.example/debian trixie main
deb http://vendor.example/apt vendor-suite main
deb http://security.example/debian-security bookworm-security main
"""
DEB822 = """\
Types: deb deb-src
URIs: http://two.example/debian
 http://three.example/debian
# a comment between
Suites: trixie trixie-updates
Components: main

Types: deb
URIs: http://off.example/debian
Suites: trixie
Components: main
Enabled: no
"""


def test_mirrors_are_those_of_the_debian_suites_apt_has(tmp_path, monkeypatch):
    monkeypatch.setattr(system, "_codename", lambda: "bookworm")
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(LIST)
    (tmp_path / "sources.list.d/x.sources").write_text(DEB822)
    expected = ["http://one.example/debian", "http://two.example/debian", "http://three.example/debian"]
    assert system.mirrors(tmp_path) == expected


def test_no_apt_means_no_mirrors(tmp_path):
    assert system.mirrors(tmp_path) == []


@pytest.mark.parametrize(
    "output, status, passed, failed, skipped",
    [
        ("x\n3 passed, 0 failed\n", 0, 3, 0, 0),
        ("3 passed, 0 failed\n2 passed, 0 failed\n", 0, 5, 0, 0),
        ("3 passed, 1 failed\n", 0, 3, 1, 0),
        ("3 passed, 0 failed\n", 1, 3, 1, 0),
        ("3 passed, 0 failed\n", None, 3, 1, 0),
        ("0 passed, 0 failed\n", 0, 0, 1, 0),
        ("", 0, 0, 1, 0),
        ("SKIP: no tls\n", 0, 0, 0, 1),
        ("SKIP: no tls\n", 1, 0, 1, 0),
    ],
)
def test_verdict_on_a_micropython_file(output, status, passed, failed, skipped):
    assert run_mpy.verdict(output, status, 1)[:3] == (passed, failed, skipped)


SOURCE = """
from . import links
from .parser import Parser
try:
    from micropython import RingIO
except ImportError:
    from .twin import RingIO

def tap():
    from .tap import Tap
    raise OSError(5, "four %d" % 1) if Tap else ValueError("abc")
"""
KNOWN = {"simcom", "simcom.links", "simcom.parser", "simcom.twin", "simcom.tap"}


def test_imports_are_told_apart_by_when_they_happen():
    early, late = size.imports(ast.parse(SOURCE), KNOWN)
    assert early == {"simcom", "simcom.links", "simcom.parser"}
    assert late == {"simcom.tap"}


MESSAGES = """
def check(name, limit):
    if limit: raise ValueError("bad %s" % name)
def find():
    text = "lost %d" % 5
    check("host", "not shown")
    link.fail(5, "gone")
    raise OSError(1, text) if "x" else KeyError("key")
class Link:
    def fail(self, code, why): self.why = why
"""


def test_messages_are_the_strings_that_end_up_in_an_exception():
    tree = ast.parse(MESSAGES)
    found = [part.value for part in size.messages(tree, size.raised_parameters([tree]))]
    assert sorted(found) == ["bad %s", "gone", "host", "key", "lost %d", "x"]


DIALECT = """
class Dialect(TcpIp):
    LINKS = 1
    RATE = 2
    def ask(self): return super().ask()
"""
FAMILY = """
class Family(Dialect):
    '''It has more.'''
    LINKS = 8
    MORE = (3,)
"""
AS_ONE = """
class Family(TcpIp):
    RATE = 2
    def ask(self): return super().ask()
    LINKS = 8
    MORE = (3,)
"""


@pytest.mark.parametrize(
    "more, taken, one",
    [
        ("", set(), True),
        ("", {"Dialect"}, False),
        ("class Other(Dialect): pass", set(), False),
        ("    OWN = Dialect.LINKS", set(), False),
        ("    def tell(self): pass", set(), False),
    ],
    ids=["alone", "imported", "two", "asked", "a method"],
)
def test_a_family_that_only_gives_values_is_one_class_with_its_dialect(more, taken, one):
    source = DIALECT + FAMILY + more
    made = ast.unparse(joining.joined(ast.parse(source), taken))
    assert made == ast.unparse(ast.parse(AS_ONE if one else source))
