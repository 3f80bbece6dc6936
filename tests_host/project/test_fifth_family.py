"""One more family, added as the README says: its two files are taken from there, and run."""

import json
import pathlib
import re
import shutil
import subprocess
import sys

from rig import ECHO, Rig  # first: it puts the shim in place
import families
import machine
import pytest
import sim
import target

import simcom

TREE = pathlib.Path(__file__).parents[2]
EXAMPLES = re.search(r"^## Another module\n(.*?)^## ", (TREE / "README.md").read_text(), re.M | re.S).group(1)
FILE, PROFILE = re.findall(r"```python\n(.*?)```", EXAMPLES, re.S)
NAME = re.search(r"^class (\w+)", FILE, re.M).group(1)
FAMILY = NAME.lower()


@pytest.fixture
def family(tmp_path, monkeypatch):
    """Both files beside those that are there, and the line in the registry."""
    for package, text in ((simcom, FILE), (sim, PROFILE)):
        folder = tmp_path / package.__name__
        folder.mkdir()
        (folder / (FAMILY + ".py")).write_text(text)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    monkeypatch.setattr(simcom, "NAMES", "%s%s " % (simcom.NAMES, NAME))
    yield FAMILY
    vars(simcom).pop(NAME, None)
    for package in ("simcom", "sim"):
        sys.modules.pop("%s.%s" % (package, FAMILY), None)


def test_example_of_the_readme_is_a_family(family):
    r = Rig(family=family)
    assert type(r.modem).__name__ == NAME
    sockets = [r.socket(ECHO) for _ in range(r.modem.LINKS)]
    assert len(sockets) == r.vm.link_count == 10
    for n, s in enumerate(sockets):
        s.write(target.pattern(3000, n + 1))
    for n, s in enumerate(sockets):
        assert s.read(3000) == target.pattern(3000, n + 1)
        s.close()
    assert r.works()
    r.modem.active(False)
    held = [ms for ms, level in r.pwrkey.history if level]
    assert not held and not r.modem.active()  # by command


def test_example_is_switched_on_by_its_key(family):
    r = Rig(family=family, powered=False)
    assert r.works()


def test_reset_by_pin_needs_no_line_of_its_own(family):
    r = Rig(family=family)
    pin = machine.Pin(5, machine.Pin.OUT, value=0)
    r.modem.reset(pin=pin)
    assert any(level for _, level in pin.history)
    r.modem.connect("internet")
    assert r.works()


def test_sibling_is_told_from_the_profile_alone(family):
    assert families.sibling(family) == "a76xx"
    assert families.quick(family) == families.quick("a76xx") == {"netopen_ms": 20, "netclose_ms": 20}


def test_two_files_and_a_line_are_all(tmp_path):
    for name in ("lib", "tests_host", "tests_device", "boards"):
        shutil.copytree(TREE / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("CHANGELOG.md", "Makefile", "README.md", "package.json", "pyproject.toml"):
        shutil.copy(TREE / name, tmp_path)
    for name in (".venv", ".tools"):  # `make mpy` there finds them made
        if (TREE / name).exists():
            (tmp_path / name).symlink_to((TREE / name).resolve())

    def python(*args):
        done = subprocess.run([sys.executable, *args], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    (tmp_path / "lib/simcom" / (FAMILY + ".py")).write_text(FILE)
    (tmp_path / "tests_host/sim" / (FAMILY + ".py")).write_text(PROFILE)
    registry = tmp_path / "lib/simcom/__init__.py"
    text = registry.read_text()
    assert text.count(" A76XX ") == 1
    registry.write_text(text.replace(" A76XX ", " A76XX %s " % NAME))
    python("tests_host/tools/package.py", "--write")
    ran = python("-m", "pytest", "-q", "-k", FAMILY + " and streams", "tests_host/tcp/test_cases.py")
    assert int(re.search(r"(\d+) passed", ran).group(1)) > 5
    # of the sessions on the families' own lists that of the sibling will do
    files = ("tests_host/project/test_architecture.py", "tests_host/project/test_package.py")
    python("-m", "pytest", "-q", "-k", "not runs_from_its_list_alone or a76xx", *files)
    made = json.loads((tmp_path / "build" / (FAMILY + ".json")).read_text())
    assert ["simcom/%s.mpy" % FAMILY, "lib/simcom/%s.mpy" % FAMILY] in made["urls"]


def test_it_is_a_dozen_lines():
    assert len(FILE.splitlines()) < 20 and len(PROFILE.splitlines()) < 15
