"""Writes package.json, from which mip installs lib/simcom; its file list is what the folder holds.

    python3 tests_host/tools/package.py [--write]

Without --write it prints the text. The addresses are relative to package.json: `mpremote mip install package.json`
in a clone then installs that clone's files, and a fork or a tag its own. mpremote reads relative addresses since 1.25;
the mip inside MicroPython 1.25 does not yet.
"""

import json
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
PACKAGE = TREE / "package.json"
VERSION = "0.1.0"


def text(tree=TREE):
    """What package.json has to say."""
    files = sorted(p.relative_to(tree / "lib").as_posix() for p in (tree / "lib/simcom").rglob("*.py"))
    rows = ",\n".join("    %s" % json.dumps([name, "lib/" + name]) for name in files)
    return '{\n  "urls": [\n%s\n  ],\n  "deps": [],\n  "version": "%s"\n}\n' % (rows, VERSION)


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        PACKAGE.write_text(text())
    else:
        print(text(), end="")
