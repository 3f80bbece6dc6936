"""After preload() a whole session loads nothing: each in a process of its own, in which nothing was loaded before."""

import errno
import gc
import importlib
import subprocess
import sys

import pytest
import rig  # first: it puts the shim in place
import simcom
import target
from simcom import lazy
from test_cases import Virtual

# capability: files of shared cases
CASES = {
    "tcp": ("streams", "errors", "nonblocking", "links"),
    "udp": ("datagrams",),
    "server": ("servers",),
    "transparent": ("transparent",),
}
ALSO = {"transparent": ("at", "options")}  # which these cases use in command mode
NAMES = ("tcp", "udp", "server", "transparent", "receive", "send", "single", "sleep", "context", "background")
NAMES += ("recover", "at", "options", "tap", "detect", "lowpower")


class Watch:
    """First of the finders of modules: notes what of the package is not there yet."""

    def __init__(self):
        self.on = False
        self.loaded = []

    def find_spec(self, name, path=None, into=None):
        if self.on and name.startswith("simcom."):
            self.loaded.append(name)


class Preloaded(Virtual):
    """A target whose modem has loaded beforehand what it needs, and uses a capability."""

    def __init__(self, family, name, watch):
        self.rig = rig.Rig(family=family, on=False, modem_args={"mux": name != "single"})
        self.modem = self.rig.modem
        self.modem.preload(name, *ALSO.get(name, ()))
        watch.on = True
        self.modem.connect("internet")
        if name in USES:
            USES[name](self.modem)
            self.modem.connect("internet")
        self.serve()


def push(modem):
    modem.config(receive="push")


def forms(modem):
    try:
        modem.config(prompt=0)
    except OSError:  # not in the CIPOPEN dialect
        modem.config(send="variable")


def sleeps(modem):
    modem.sleep(dtr=rig.machine.Pin(5, rig.machine.Pin.OUT))


def second(modem):
    context = modem.context("ims")
    context.connect()
    context.disconnect()


def from_a_timer(modem):
    modem.background(50)


def recovers(modem):
    assert modem.recover() == "probe"
    modem.reset()


def asks(modem):
    modem.on_urc("+CUSD", print)
    assert modem.at("+CSQ")


def tunes(modem):
    modem.config(dns=("8.8.8.8",), acknowledge=False)
    modem.status("links")
    modem.status("counters")


def taps(modem):
    simcom.Tap(modem.channel.uart, print)


USES = {
    "receive": push,
    "send": forms,
    "sleep": sleeps,
    "context": second,
    "background": from_a_timer,
    "recover": recovers,
    "at": asks,
    "options": tunes,
    "tap": taps,
}


def session(family, name):
    """What is loaded by the shared cases although preload() was there before."""
    gc.freeze()  # preload() collects garbage before each file: let it not look at pytest
    watch = Watch()
    sys.meta_path.insert(0, watch)
    for file in CASES.get(name, ("streams",)):
        module = importlib.import_module("cases." + file)
        for case in dir(module):
            if case.startswith("case_"):
                watch.on = False
                try:
                    getattr(module, case)(Preloaded(family, name, watch))
                except target.Skip:
                    pass
    return watch.loaded


SESSIONS = [(name, "sim7000") for name in NAMES]
SESSIONS += [("receive", "sim7080")]
SESSIONS += [(name, "a76xx") for name in NAMES if name not in ("single", "context")]  # which it has not


@pytest.mark.parametrize("name, family", SESSIONS)
def test_nothing_is_loaded_in_a_session(name, family):
    code = 'import test_preload; print("loaded", *test_preload.session(%r, %r))' % (family, name)
    path = ":".join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": path}, cwd=rig.__file__[:-6]
    )
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["loaded"]), done.stderr


def test_unknown_name_lists_those_there_are():
    modem = rig.Rig(on=False).modem
    with pytest.raises(ValueError) as failed:
        modem.preload("tcp", "upd")
    assert str(failed.value) == "preload: one of %s, not 'upd'" % ", ".join(sorted(NAMES))


def test_once_drops_what_nobody_preloaded():
    modem = rig.Rig(on=False).modem
    lazy.once("bringup.power")
    assert "simcom.bringup.power" not in sys.modules and not hasattr(sys.modules["simcom.bringup"], "power")
    modem.preload()
    try:
        assert lazy.once("bringup.power") is lazy.once("bringup.power") is sys.modules["simcom.bringup.power"]
    finally:
        for name in lazy.kept:
            if name != "socket":
                del sys.modules["simcom." + name]
        lazy.kept.clear()


class Without:
    """A modem whose dialect has no servers."""

    DIALECT = "other"
    LACKS = ("server",)


def test_capability_that_a_family_lacks_is_told():
    with pytest.raises(OSError) as failed:
        lazy.capability(Without, "server")
    assert failed.value.errno == errno.EOPNOTSUPP and str(failed.value).endswith("has no server")
    with pytest.raises(ImportError):
        lazy.capability(Without, "udp")  # not installed


@pytest.mark.parametrize("family", ["SIM800", "SIM7000", "SIM7028", "A76XX"])
def test_file_of_each_capability_is_there_unless_the_family_lacks_it(family):
    modem = getattr(simcom, family)
    for name in ("bringup", "server", "udp", "local_port", "transparent", "options", "commands"):
        assert name in modem.LACKS or lazy.capability(modem, name).__name__.startswith("simcom.%s." % name)
