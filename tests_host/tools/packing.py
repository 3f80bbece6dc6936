"""Builds the wheel of tests_host/pyproject.toml for pip (PEP 517), with the standard library alone.

The library comes from outside that folder, setuptools would leave its work in the tree, and pip has to fetch nothing
this way. In the wheel `shim` and `sim`, names that a program may use itself, are parts of `pytest_simcom`; and whoever
imports `simcom`, `machine` or `micropython` there has what CPython lacks put in place.
"""

import base64
import hashlib
import re
import tomllib
import zipfile
from pathlib import Path

from package import TREE, version

HERE = TREE / "tests_host"
INSIDE = ("shim", "sim")
STAND_IN = "from pytest_simcom import shim\n\nshim.install()\n"
IMPORT = re.compile(r"^( *)(?:import (shim|sim)$|from (shim|sim)\b(?=[\w.]* import ))", re.M)


def moved(text: str) -> str:
    """A file's text with `shim` and `sim` inside `pytest_simcom`."""
    return IMPORT.sub(
        lambda m: m[1] + ("from pytest_simcom import " + m[2] if m[2] else "from pytest_simcom." + m[3]), text
    )


def contents() -> dict:
    """{path in the wheel: text}"""
    found = {"machine.py": STAND_IN, "micropython.py": STAND_IN}
    for path in (TREE / "lib/simcom").rglob("*.py"):
        found[path.relative_to(TREE / "lib").as_posix()] = path.read_text()
    found["simcom/__init__.py"] += "\n\nimport micropython  # puts in place what CPython lacks\n"
    for name in ("pytest_simcom", *INSIDE):
        for path in (HERE / name).rglob("*.py"):
            place = path.relative_to(HERE).as_posix()
            found["pytest_simcom/" + place if name in INSIDE else place] = moved(path.read_text())
    return found


def about() -> dict:
    """{file of the .dist-info folder: text}"""
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    metadata = ["Metadata-Version: 2.1", "Name: " + project["name"], "Version: " + version()]
    metadata += ["Summary: " + project["description"], "Requires-Python: " + project["requires-python"]]
    metadata += ["Requires-Dist: " + each for each in project["dependencies"]]
    points = []
    for group, entries in project["entry-points"].items():
        points += ["[%s]" % group, *("%s = %s" % entry for entry in entries.items())]
    return {
        "METADATA": "\n".join(metadata) + "\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: packing\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "entry_points.txt": "\n".join(points) + "\n",
        "LICENSE": (TREE / "LICENSE").read_text(),
    }


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None) -> str:
    """What pip calls: the name of the wheel that now is in that folder."""
    stem = "pytest_simcom-" + version()
    folder = stem + ".dist-info/"
    record = []
    name = stem + "-py3-none-any.whl"
    with zipfile.ZipFile(Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, text in {**contents(), **{folder + file: text for file, text in about().items()}}.items():
            data = text.encode()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append("%s,sha256=%s,%d\n" % (path, digest, len(data)))
            wheel.writestr(path, data)
        wheel.writestr(folder + "RECORD", "".join(record) + folder + "RECORD,,\n")
    return name
