"""The fixtures and the marker of the plugin."""

import functools
import pathlib
import runpy
import sys

import pytest
from shim import board

from . import kept

kept.install()
board.install()  # a program may be imported before any fixture is set up

import machine  # noqa: E402

from .module import Module  # noqa: E402

_LIMIT_MS = 24 * 3600 * 1000  # of virtual time, until a test that runs no program for longer is taken for endless


def pytest_addoption(parser):
    """The family of tests that do not name one."""
    parser.addini("simcom_family", "the SIMCom module that programs are tested with", default="sim7000")


def pytest_configure(config):
    """The marker."""
    config.addinivalue_line(
        "markers", "simcom(*families, **settings): the virtual module of this test; settings as of pytest_simcom.Module"
    )


def _families(node) -> tuple:
    """What the nearest marker names."""
    return next((mark.args for mark in node.iter_markers("simcom") if mark.args), ())


def pytest_generate_tests(metafunc):
    """Once with each family that the marker names."""
    if "module" in metafunc.fixturenames and len(_families(metafunc.definition)) > 1:
        metafunc.parametrize("module", _families(metafunc.definition), indirect=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """A program that ends the board outside of run() fails its test, not the whole session."""
    try:
        return (yield)
    except machine.Ended as end:
        raise AssertionError("the program has ended by %s: call it by run()" % end)


@pytest.fixture
def module(request):
    """The virtual module at the UART of the program: `module.restart()`, `module.signal = 5`, see Module."""
    settings: dict = {}
    for mark in request.node.iter_markers("simcom"):
        settings = {**mark.kwargs, **settings}
    named = _families(request.node)
    family = getattr(request, "param", named[0] if named else request.config.getini("simcom_family"))
    made = Module(family, **settings)
    made.patience(_LIMIT_MS)
    made.await_uart()
    board.power_on()
    yield made
    board.power_off()


@pytest.fixture
def modem(module):
    """A fresh modem object of the library, as a program makes it: `modem.active(True)` comes next."""
    return module.driver(machine.UART(1, 115200, rxbuf=2048), pwrkey=module.pwrkey)


@pytest.fixture
def serve(module):
    """serve(host, port, peer, proto="TCP") puts a peer into the network and returns it, see Module.serve()."""
    return module.serve


@pytest.fixture
def run(module, request):
    """run(program, seconds=None) starts a program as a board does at power-up; it tells how the program ended.

    `program`: a file (the path is relative to that of the test, or to the current folder), which runs as `__main__`
    with all modules beside it loaded anew, and a folder `lib` beside it on the path; or a function, also an `async`
    one. After so many seconds of virtual time it is ended, as by Ctrl-C: "stopped". "returned": by itself; "reset",
    "deepsleep", "watchdog": as it says. A second run() is what follows when the board restarts: the module is as the
    first one left it.
    """

    def run(program, seconds: "float | None" = None) -> str:
        __tracebackhide__ = True
        if not callable(program):
            program = functools.partial(_run_file, _found(program, request.path.parent))
        module.patience(_LIMIT_MS + (seconds or 0) * 1000)
        return board.run(program, seconds)

    return run


def _found(path, folder: pathlib.Path) -> pathlib.Path:
    """The file at a path relative to the test or to the current folder."""
    for start in (folder, pathlib.Path.cwd()):
        if (start / path).is_file():
            return (start / path).resolve()
    raise FileNotFoundError("no %s in %s or %s" % (path, folder, pathlib.Path.cwd()))


def _take_out(folder: pathlib.Path) -> dict:
    """Forget the modules of a folder: what was loaded."""
    found = {
        name: loaded
        for name, loaded in list(sys.modules.items())
        if pathlib.Path(getattr(loaded, "__file__", None) or "").resolve().parent == folder
    }
    for name in found:
        del sys.modules[name]
    return found


def _run_file(path: pathlib.Path) -> None:
    """Run a file as a board would: nothing of its folder is loaded yet."""
    __tracebackhide__ = True
    tests = _take_out(path.parent)
    places = [str(path.parent), str(path.parent / "lib")]
    sys.path[:0] = places
    try:
        runpy.run_path(str(path), run_name="__main__")
    finally:
        for place in places:
            sys.path.remove(place)
        _take_out(path.parent)
        sys.modules.update(tests)
