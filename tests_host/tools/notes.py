"""The application notes, item by item: the public call that reaches each, and the tests that show it.

    python3 tests_host/tools/notes.py [--write]

tests_host/notes has a file for each note, and one for what three of them have in common. A row is one item:

    section | item | call | file::test ...
    section | item | - | why there is none

Without --write it prints the summary and tells what is wrong: a test that is not there, a call that is not part of the
public face, a summary in tests_host/notes/README.md that is out of date.
"""

import ast
import sys

from parts import TREE

FOLDER = TREE / "tests_host/notes"
README = FOLDER / "README.md"
NOTES = {  # note: the files with its items
    "SIM800": ("common", "sim800"),
    "SIM7000": ("common", "sim7000"),
    "SIM7000, Chinese": ("common", "sim7000cn"),
    "SIM7028": ("sim7028",),
    "A76XX": ("a76xx",),
}
WITHOUT = 0.03  # of a note's items, at most, may have no call


class Item:
    """A row: `section`, `item`, `call` ("" when there is none), `tests` [(file, function)], `why`."""

    def __init__(self, row):
        self.section, self.item, call, rest = row.split(" | ")
        self.call = "" if call == "-" else call
        self.why = "" if self.call else rest
        self.tests = [tuple(test.split("::")) for test in rest.split()] if self.call else []


def items(name):
    """The rows of one file."""
    lines = (FOLDER / (name + ".txt")).read_text(encoding="utf-8").splitlines()
    return [Item(line) for line in lines if line and not line.startswith("#")]


def note(title):
    """All items of a note."""
    return [item for name in NOTES[title] for item in items(name)]


def functions(file):
    """The tests, or cases, that a file has; none when it is not there."""
    path = next((TREE / ("tests_device" if "/" in file else "tests_host")).rglob(file), None)
    if not path:
        return set()
    found = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.name for node in found if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}


def missing_tests():
    """What the rows name and no file has."""
    named = {test for title in NOTES for item in note(title) for test in item.tests}
    have = {file: functions(file) for file, _ in named}
    return sorted("%s::%s" % (file, name) for file, name in named if name not in have[file])


def summary():
    """What README.md says."""
    lines = ["# The application notes, item by item", ""]
    lines += [
        "Every command, form, value, code and piece of advice of the notes is a row of a file here, with the call"
    ]
    lines += [
        "that reaches it and the tests that show it on the virtual module. Written by `tests_host/tools/notes.py`."
    ]
    lines += ["", "| note | items | by call and test | without | of these |", "|---|---|---|---|---|"]
    for title in NOTES:
        rows = note(title)
        without = sum(not item.call for item in rows)
        share = "%.1f %%" % (100 * without / len(rows))
        lines.append("| %s | %d | %d | %d | %s |" % (title, len(rows), len(rows) - without, without, share))
    lines += ["", "Without a call:", ""]
    for name in dict.fromkeys(name for names in NOTES.values() for name in names):
        for item in items(name):
            if not item.call:
                lines.append("* `%s.txt`, %s, %s: %s" % (name, item.section, item.item, item.why))
    return "\n".join(lines) + "\n"


def main():
    """Print or write the summary; exit with what is wrong."""
    text = summary()
    print(text)
    if "--write" in sys.argv:
        README.write_text(text, encoding="utf-8")
    wrong = ["no such test: " + name for name in missing_tests()]
    if not README.exists() or README.read_text(encoding="utf-8") != text:
        wrong.append("tests_host/notes/README.md is out of date: python3 tests_host/tools/notes.py --write")
    sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
