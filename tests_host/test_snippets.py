"""What the README shows does what it says."""

import pathlib
import re
import sys
import time
import types

import pytest
import rig


README = (pathlib.Path(__file__).parent.parent / "README.md").read_text()
SNIPPETS = re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)
FAMILIES = ("sim800", "sim7000", "sim7028", "a76xx")


def snippet(word):
    """The one with that word in it."""
    (found,) = [each for each in SNIPPETS if word in each]
    return found


@pytest.mark.parametrize("text", SNIPPETS)
def test_every_snippet_compiles(text):
    compile(text, "README.md", "exec")


@pytest.mark.parametrize("family", FAMILIES)
def test_network_stand_in_for_mqtt_as(family, monkeypatch):
    r = rig.Rig(family=family, on=False)
    board = types.ModuleType("board")
    board.modem = lambda: r.modem
    monkeypatch.setitem(sys.modules, "board", board)
    network = types.ModuleType("network")
    exec(snippet("class WLAN"), network.__dict__)
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    assert wlan.active() and not wlan.isconnected()
    start = time.ticks_ms()
    wlan.connect("internet", "")  # as mqtt_as does: returns at once, then it loops
    assert time.ticks_diff(time.ticks_ms(), start) < 100
    while not wlan.isconnected():
        assert wlan.status() not in ("off", "up")
        time.sleep_ms(100)
        assert time.ticks_diff(time.ticks_ms(), start) < 60_000
    assert wlan.status() == "up" and wlan.status("rssi") < 0
    assert r.works()
    wlan.disconnect()
    assert not wlan.isconnected()


def test_every_public_name_of_a_modem_is_told():
    from simcom import extras

    told = README[README.index("## The modem") : README.index("## Another module")]
    behind = {"awake"}  # of wake()
    missing = [name for name in set(extras._MODEM) - behind if not re.search(r"`[^`]*\b%s\b" % name, told)]
    assert not missing
