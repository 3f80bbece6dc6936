"""The benchmark's own judgement, and the virtual line on which it counts."""

import json

import bench
import pytest
from tools.system import Unavailable


def test_a_missed_limit_is_told(monkeypatch):
    monkeypatch.setattr(bench, "LIMITS", {"a": (0.9, 1), "b": (None, 740), "c": (0, 0)})
    assert list(bench.missed({"a": 0.95, "b": 724, "c": 0})) == []
    told = list(bench.missed({"a": 0.89, "b": 741}))
    assert [line.split()[0] for line in told] == ["a", "b", "c"]
    assert "not measured" in told[2]


@pytest.mark.parametrize("rate", bench.RATES)
def test_a_download_of_a_few_segments_takes_few_commands(rate):
    commands, overruns = bench.download(rate, 30_000)
    assert commands < 800
    assert overruns == 0


@pytest.mark.parametrize("ci", ["", "true"])
def test_without_a_broker_its_figures_are_left_out_which_fails_in_ci(ci, monkeypatch, tmp_path, capsys):
    def unavailable(name):
        raise Unavailable("no %s on this machine" % name)

    for name in vars(bench).copy():
        if name.endswith("_figures") and name != "send_figures":
            monkeypatch.setattr(bench, name, lambda *args: {})
    sends = {name: limit for name, limit in bench.LIMITS.items() if name.startswith("cipsends_")}
    monkeypatch.setattr(bench, "LIMITS", sends)
    monkeypatch.setattr(bench, "TREE", tmp_path)
    monkeypatch.setattr(bench, "compiled", lambda: None)
    monkeypatch.setattr(bench.live, "command", unavailable)
    monkeypatch.setattr("sys.argv", ["bench.py"])
    monkeypatch.setenv("CI", ci)
    assert bench.main() == bool(ci)
    report = json.loads((tmp_path / "build/bench.json").read_text())
    assert not report.keys() & sends and report["skipped"] == ["no mosquitto on this machine"]
    missed = ["MISSED: %s was not measured" % name for name in sends] if ci else []
    assert len(sends) == 3 and capsys.readouterr().out.splitlines() == ["SKIP: no mosquitto on this machine", *missed]
