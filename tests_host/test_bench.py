"""The benchmark's own judgement, and the virtual line it measures on."""

import bench
import pytest


def test_a_missed_limit_is_told(monkeypatch):
    monkeypatch.setattr(bench, "LIMITS", {"a": (0.9, 1), "b": (None, 740), "c": (0, 0)})
    assert list(bench.missed({"a": 0.95, "b": 724, "c": 0})) == []
    told = list(bench.missed({"a": 0.89, "b": 741}))
    assert [line.split()[0] for line in told] == ["a", "b", "c"]
    assert "not measured" in told[2]


@pytest.mark.parametrize("rate", bench.RATES)
def test_a_download_of_a_few_segments_keeps_the_line_busy(rate):
    share, commands, overruns = bench.download(rate, 30_000)
    assert 0.9 < share < 1
    assert commands < 800
    assert overruns == 0
