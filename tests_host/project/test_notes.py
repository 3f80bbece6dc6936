"""Every item of the application notes has a public call and a test, or a reason."""

import ast

import rig  # noqa: F401 - first: it puts the shim in place
import pytest
import notes

import simcom
from simcom import registry, socket
from simcom.context.second import Context
from simcom.options import config
from simcom.transparent.stream import Transparent

ROOTS = {  # what a row's call begins with: where its attributes are
    "modem": (simcom.SIM7000, registry.known(registry._METHODS)),
    "s": (socket.socket, registry.known(registry._METHODS)),
    "t": (Transparent, ()),
    "second": (Context, ()),
    "socket": (socket, ()),
    "simcom": (simcom, ()),
}
ROWS = [
    (name, item)
    for name in ("common", "sim800", "sim7000", "sim7000cn", "sim7028", "a76xx")
    for item in notes.items(name)
]
CALLS = sorted({item.call for _, item in ROWS if item.call})


def test_every_note_has_its_items():
    found = {title: len(notes.note(title)) for title in notes.NOTES}
    assert found == {"SIM800": 139, "SIM7000": 135, "SIM7000, Chinese": 134, "SIM7028": 199, "A76XX": 101}
    for title in notes.NOTES:
        rows = [(item.section, item.item) for item in notes.note(title)]
        assert len(set(rows)) == len(rows), title  # none twice, none merged


def test_every_item_has_a_test_or_a_reason():
    for name, item in ROWS:
        assert bool(item.tests) == bool(item.call) != bool(item.why), (name, item.section, item.item)


@pytest.mark.parametrize("title", notes.NOTES)
def test_hardly_an_item_is_without_a_call(title):
    rows = notes.note(title)
    assert sum(not item.call for item in rows) <= notes.WITHOUT * len(rows)


def test_every_test_that_is_named_exists():
    assert notes.missing_tests() == []


@pytest.mark.parametrize("call", CALLS)
def test_every_call_is_part_of_the_public_face(call):
    for node in ast.walk(ast.parse(call)):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        home, others = ROOTS[node.value.id]
        assert not node.attr.startswith("_") and (hasattr(home, node.attr) or node.attr in others), node.attr
    for node in ast.walk(ast.parse(call)):
        function = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
        if function == "status":
            assert node.args[0].value in {*registry.known(registry.GETTERS), *config._STATUS}
        elif function == "config":
            assert node.keywords and {word.arg for word in node.keywords} <= set(registry.known(registry.SETTERS))


def test_no_item_is_reached_by_a_raw_command_alone():
    assert not [call for call in CALLS if call.startswith("modem.at(")]


def test_summary_is_what_the_rows_say():
    assert notes.README.read_text(encoding="utf-8") == notes.summary()
