"""A fifth family, added as the README says: its example is taken from there, and runs."""

import pathlib
import re

import rig
import pytest
import target
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
        original = rig.VirtualModem
        rig.VirtualModem = lambda family, *args, **kw: VirtualModem("a76xx", *args, **kw)
        try:
            super().__init__(family="sim7600", **settings)
        finally:
            rig.VirtualModem = original


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


def test_it_is_a_dozen_lines():
    assert len(FILE.splitlines()) < 20
