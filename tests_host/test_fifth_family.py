"""A fifth family, added as the README says: its example is taken from there, and runs."""

import json
import pathlib
import re
import shutil
import subprocess
import sys

import rig
import machine
import pytest
import target
from pytest_simcom import module
from sim import VirtualModem

import simcom

README = (pathlib.Path(__file__).parent.parent / "README.md").read_text()
EXAMPLES = re.search(r"^## Another module\n(.*?)^## ", README, re.M | re.S).group(1)
FILE = re.search(r"```python\n(.*?)```", EXAMPLES, re.S).group(1)
SETTINGS = dict(text.split("=") for text in re.search(r"SET='(.*?)'", EXAMPLES).group(1).split())


@pytest.fixture
def family(tmp_path, monkeypatch):
    """The file of the README beside those of the package, with its line in the registry."""
    (tmp_path / "sim7600.py").write_text(FILE)
    monkeypatch.setattr(simcom, "__path__", [*simcom.__path__, str(tmp_path)])
    monkeypatch.setattr(simcom, "_NAMES", [*simcom._NAMES, "SIM7600"])
    yield "sim7600"
    vars(simcom).pop("SIM7600", None)


class Rig(rig.Rig):
    """The virtual module of the sibling, told the constants of the new one."""

    def __init__(self, **settings):
        rig.QUICK_NET["sim7600"] = rig.QUICK_NET["a76xx"]
        module.VirtualModem = lambda family, *args, **kw: VirtualModem("a76xx", *args, **kw)
        try:
            super().__init__(family="sim7600", **settings)
        finally:
            module.VirtualModem = VirtualModem


def test_example_of_the_readme_is_a_family(family):
    r = Rig(link_count=int(SETTINGS["link_count"]))
    assert type(r.modem).__name__ == "SIM7600"
    sockets = [r.socket(rig.ECHO) for _ in range(r.modem.LINKS)]
    assert len(sockets) == int(SETTINGS["link_count"])
    for n, s in enumerate(sockets):
        s.write(target.pattern(3000, n + 1))
    for n, s in enumerate(sockets):
        assert s.read(3000) == target.pattern(3000, n + 1)
        s.close()
    assert r.works()
    r.modem.active(False)
    held = [ms for ms, level in r.pwrkey.history if level]
    assert not held and not r.modem.active()  # by command


PROFILE = """from .a76xx import Module as Sibling


class Module(Sibling):
    family = "sim7600"
    on_press_ms = 500
"""


def test_steps_of_the_readme(tmp_path):
    tree = pathlib.Path(__file__).parent.parent
    for name in ("lib", "tests_host", "tests_device", "boards"):
        shutil.copytree(tree / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("CHANGELOG.md", "Makefile", "README.md", "package.json", "pyproject.toml"):
        shutil.copy(tree / name, tmp_path)
    for name in (".venv", ".tools"):  # `make mpy` there finds them made
        if (tree / name).exists():
            (tmp_path / name).symlink_to((tree / name).resolve())

    def change(name, old, new):
        path = tmp_path / name
        text = path.read_text()
        assert old in text, name
        path.write_text(text.replace(old, new, 1))

    def python(*args):
        done = subprocess.run([sys.executable, *args], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    (tmp_path / "lib/simcom/sim7600.py").write_text(FILE)
    (tmp_path / "tests_host/sim/sim7600.py").write_text(PROFILE)
    change("lib/simcom/__init__.py", '"A76XX",', '"A76XX", "SIM7600",')
    change("tests_host/test_cases.py", '"a76xx")', '"a76xx", "sim7600")')
    change(
        "tests_host/rig.py", '    "a76xx": {', '    "sim7600": {"netopen_ms": 20, "netclose_ms": 20},\n    "a76xx": {'
    )
    python("tests_host/tools/package.py", "--write")
    python("-m", "pytest", "-q", "-k", "sim7600 and streams", "tests_host/test_cases.py")
    # of the sessions on the families' own lists that of the sibling will do
    files = ("tests_host/test_architecture.py", "tests_host/test_package.py")
    python("-m", "pytest", "-q", "-k", "not runs_from_its_list_alone or a76xx", *files)
    made = json.loads((tmp_path / "build/sim7600.json").read_text())
    assert ["simcom/sim7600.mpy", "lib/simcom/sim7600.mpy"] in made["urls"]


def test_reset_by_pin_needs_no_line_of_its_own(family):
    r = Rig()
    pin = machine.Pin(5, machine.Pin.OUT, value=0)
    r.modem.reset(pin=pin)
    assert any(level for _, level in pin.history)
    r.modem.connect("internet")
    assert r.works()


def test_it_is_a_dozen_lines():
    assert len(FILE.splitlines()) < 20
