"""What the README shows does what it says."""

import pathlib
import re

import pytest
import rig  # noqa: F401  it puts the shim in place

README = (pathlib.Path(__file__).parent.parent / "README.md").read_text()
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
    behind = {"awake"}  # of wake()
    missing = [name for name in set(modem._LATER.split()) - behind if not re.search(r"`[^`]*\b%s\b" % name, told)]
    assert not missing
