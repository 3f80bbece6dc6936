"""Which families there are, however somebody spells one."""

import functools
import pathlib
import re
import sys

_PARTS = {"a76xx": "a76"}  # what all models of a family begin with, where that is not its name


def families() -> list:
    """Their names: each is a file on this package's path with a class Module."""
    return _in(tuple(sys.modules[__package__].__path__))


@functools.cache
def _in(folders: tuple) -> list:
    files = [file for folder in folders for file in pathlib.Path(folder).glob("*.py")]
    return sorted(file.stem for file in files if "\nclass Module(" in file.read_text())


def find(name: str) -> tuple:
    """The family, and the model that somebody means: "SIM-7000", "A7670E" … ValueError tells what there is."""
    key = re.sub("[^a-z0-9]", "", name.lower())
    known = families()
    if key in known:
        return key, None
    parts = sorted(((_PARTS.get(family, family), family) for family in known), reverse=True)
    for part, family in parts:
        if key.startswith(part):
            return family, name.upper()
    raise ValueError("no such family: %s; there are: %s" % (name, ", ".join(known)))
