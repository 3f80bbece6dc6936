"""What the README shows does what it says."""

import pathlib
import re

import pytest
import rig  # noqa: F401  it puts the shim in place
import size

README = (pathlib.Path(__file__).parents[2] / "README.md").read_text()
SNIPPETS = re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)


def snippet(word):
    """The one with that word in it."""
    (found,) = [each for each in SNIPPETS if word in each]
    return found


@pytest.mark.parametrize("text", SNIPPETS)
def test_every_snippet_compiles(text):
    compile(text, "README.md", "exec")


def test_every_public_name_of_a_modem_is_told():
    from simcom import modem

    told = README[README.index("## The modem") : README.index("## Another module")]
    behind = {"awake", "datagrams"}  # of wake(), of socket()
    missing = [name for name in set(modem._LATER.split()) - behind if not re.search(r"`[^`]*\b%s\b" % name, told)]
    assert not missing


def test_sizes_are_those_that_are_held():
    for budget in (size.BUDGET, size.FAULT_BUDGET):
        assert "| {:,} |".format(budget) in README


def section(title):
    """The text of one section of the README."""
    start = README.index("## %s\n" % title)
    return README[start : README.index("\n## ", start)]


def test_messages_of_the_troubleshooting_are_the_librarys():
    """Each stands in a string of lib/simcom; a %d or %s there may be anything."""
    lib = pathlib.Path(__file__).parents[2] / "lib" / "simcom"
    said = "\n".join(path.read_text() for path in lib.rglob("*.py"))
    table = section("When it does not work").partition("| what is seen")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert len(rows) > 12
    for row in rows:
        for message in re.findall(r"`([^`]+)`", row.split(" | ")[0]):
            assert message in said, message


def test_contents_name_every_section():
    def anchor(title):
        return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")

    titles = {anchor(title) for title in re.findall(r"^## (.+)$", README, re.M)}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) == titles
