"""Builds the wheels of tests_host and of tests_host/sim for pip (PEP 517), with the standard library alone.

What goes into them comes from outside those folders, setuptools would leave its work in the tree, and pip has to fetch
nothing this way. In a wheel `shim` and `sim`, names that a program may use itself, are parts of a package that is named
as the project.
"""

import base64
import hashlib
import re
import tomllib
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve()
TESTS = HERE.parents[1]
TREE = HERE.parents[2]
INSIDE = ("shim", "sim")
# Whoever imports one of these has what CPython lacks put in place.
STAND_INS = ("machine.py", "micropython.py")
STAND_IN = "from %s import shim\n\nshim.install()\n"
IMPORT = re.compile(r"^( *)(?:import (shim|sim)$|from (shim|sim)\b(?=[\w.]* import ))", re.M)


def moved(text: str, package: str) -> str:
    """A file's text with `shim` and `sim` inside a package."""
    return IMPORT.sub(
        lambda m: m[1] + ("from %s import %s" % (package, m[2]) if m[2] else "from %s.%s" % (package, m[3])), text
    )


def contents(package: str) -> dict:
    """{path in the wheel: text}; a package that has a folder of its own needs the library."""
    found = {package + "/__init__.py": ""}
    for name in (package, *INSIDE):
        for path in sorted((TESTS / name).rglob("*.py")):
            if path != HERE:
                place = path.relative_to(TESTS).as_posix()
                found[package + "/" + place if name in INSIDE else place] = moved(path.read_text(), package)
    if (TESTS / package).is_dir():
        for path in sorted((TREE / "lib/simcom").rglob("*.py")):
            found[path.relative_to(TREE / "lib").as_posix()] = path.read_text()
        found["simcom/__init__.py"] += "\n\nimport micropython  # puts in place what CPython lacks\n"
        found.update(dict.fromkeys(STAND_INS, STAND_IN % package))
    return found


def about(project: dict, version: str) -> dict:
    """{file of the .dist-info folder: text}"""
    metadata = ["Metadata-Version: 2.1", "Name: " + project["name"], "Version: " + version]
    metadata += ["Summary: " + project["description"], "Requires-Python: " + project["requires-python"]]
    metadata += ["Requires-Dist: " + each for each in project.get("dependencies", ())]
    points = []
    for group, entries in {"console_scripts": project.get("scripts", {}), **project.get("entry-points", {})}.items():
        points += ["[%s]" % group, *("%s = %s" % entry for entry in entries.items())]
    return {
        "METADATA": "\n".join(metadata) + "\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: packing\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "entry_points.txt": "\n".join(points) + "\n",
        "LICENSE": (TREE / "LICENSE").read_text(),
    }


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None) -> str:
    """What pip calls, in the folder of the project: the name of the wheel that now is in `wheel_directory`."""
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    version = re.search(r'^__version__ = "(.+)"$', (TREE / "lib/simcom/__init__.py").read_text(), re.M)[1]
    package = project["name"].replace("-", "_")
    stem = "%s-%s" % (package, version)
    folder = stem + ".dist-info/"
    files = {folder + name: text for name, text in about(project, version).items()}
    record = []
    with zipfile.ZipFile(Path(wheel_directory) / (stem + "-py3-none-any.whl"), "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, text in {**contents(package), **files}.items():
            data = text.encode()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append("%s,sha256=%s,%d\n" % (path, digest, len(data)))
            wheel.writestr(path, data)
        wheel.writestr(folder + "RECORD", "".join(record) + folder + "RECORD,,\n")
    return stem + "-py3-none-any.whl"
