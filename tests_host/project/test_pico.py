"""What `make pico` and `make pico-bench` decide on the host; the emulated Pico itself runs there."""

import pathlib

import pytest
from pico import bench, frames, setup
from pico.machine import nominal
from pico.run import FAMILIES, family_of_commit
from pico.secure import Broker
from tools.system import Unavailable


@pytest.mark.parametrize("ci", ["", "true"])
def test_without_its_parts_it_is_skipped_which_fails_in_ci(ci, monkeypatch, tmp_path, capsys):
    def unavailable(*args, **kw):
        raise Unavailable("no network")

    monkeypatch.setattr(setup, "FOLDER", tmp_path)
    monkeypatch.setattr(setup, "locked", lambda name: pathlib.Path(tmp_path / name).open("w"))
    monkeypatch.setattr(setup, "download", unavailable)
    monkeypatch.setenv("CI", ci)
    with pytest.raises(SystemExit) as end:
        setup.ready_or_skip()
    assert bool(end.value.code) == bool(ci)
    assert capsys.readouterr().out == "SKIP: no emulated Pico: no network\n"


def test_a_file_that_is_not_the_pinned_one_is_refused(tmp_path):
    name = next(iter(setup.SHA256))
    (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(Unavailable):
        setup.checked(tmp_path / name)


@pytest.mark.parametrize(
    "values, better, digits, bad",
    [
        ((0.9,), bench.UP, 3, False),
        ((0.894,), bench.UP, 3, True),
        ((0.95,), bench.UP, 3, False),
        ((0.906,), bench.DOWN, 3, True),
        ((0.85,), bench.DOWN, 3, False),
    ],
)
def test_a_figure_worse_than_promised_breaks_the_promise(values, better, digits, bad):
    assert bench.broken(values, (0.9,), better, digits) == bad


def test_a_promise_of_nothing_holds_only_for_nothing():
    assert not bench.broken((0.0,), (0.0,), bench.DOWN, 3)
    assert bench.broken((0.001,), (0.0,), bench.DOWN, 3)


def test_rate_of_a_divider_is_the_rate_that_was_meant():
    assert [nominal(rate) for rate in (115207, 460829, 919117, 9599, 50000)] == [115200, 460800, 921600, 9600, 50000]


def test_broker_takes_packets_however_they_are_cut():
    data = b"\x82\x0a\x00\x01\x00\x05topic\x00" + b"\x32\x8f\x01" + bytes(143) + b"\xc0\x00"
    assert Broker.packet(data[:5]) is None
    kinds, rest = [], data
    while packet := Broker.packet(rest):
        kinds.append((packet[0], len(packet[2])))
        rest = packet[3]
    assert kinds == [(8, 10), (3, 143), (12, 0)] and rest == b""


def test_the_commit_chooses_one_of_the_families():
    assert family_of_commit() in FAMILIES


def test_hot_functions_are_those_that_every_segment_goes_through():
    found = frames.hot()
    assert {("channel", "poll"), ("buffered", "on_trailer"), ("socket", "readinto"), ("socket", "_poll")} <= set(found)
    assert not {("tcp", "open"), ("tcp", "_live"), ("pump", "start")} & set(found)
