"""A board gets every file of lib/simcom and nothing else: package.json lists them, `make mpy` compiles them."""

import json
import os
import subprocess

import package
from mpremote import mip
from tools.system import micropython_command


def test_package_json_is_what_the_generator_writes():
    assert package.PACKAGE.read_text() == package.text(), "run: python3 tests_host/tools/package.py --write"


def test_every_address_is_a_file_and_every_file_is_listed():
    urls = json.loads(package.PACKAGE.read_text())["urls"]
    assert all((package.TREE / source).is_file() for _, source in urls)
    listed = {target for target, _ in urls}
    assert listed == {"simcom/" + path.name for path in (package.TREE / "lib/simcom").glob("*.py")}
    assert "simcom/__init__.py" in listed


def test_a_missing_file_is_noticed(tmp_path):
    (tmp_path / "lib/simcom").mkdir(parents=True)
    (tmp_path / "lib/simcom/a.py").touch()
    before = package.text(tmp_path)
    assert json.loads(before)["urls"] == [["simcom/a.py", "lib/simcom/a.py"]]
    (tmp_path / "lib/simcom/b.py").touch()
    assert package.text(tmp_path) != before


class Folder:
    """What mpremote's installer asks of a board's file system, on a folder."""

    def __init__(self, root):
        self.root = root

    def fs_exists(self, path):
        return (self.root / path).exists()

    def fs_mkdir(self, path):
        (self.root / path).mkdir()

    def fs_writefile(self, path, data, progress_callback=None):
        (self.root / path).write_bytes(data)


def test_mpremote_installs_it_from_a_clone(tmp_path):
    mip._install_package(Folder(tmp_path), str(package.PACKAGE), index="", target="lib", version=None, mpy=False)
    for target, source in json.loads(package.PACKAGE.read_text())["urls"]:
        assert (tmp_path / "lib" / target).read_bytes() == (package.TREE / source).read_bytes()


def test_the_compiled_package_is_whole_and_runs():
    subprocess.run(["make", "--no-print-directory", "mpy"], cwd=package.TREE, check=True)
    compiled = package.TREE / "build/lib"
    names = {path.stem for path in (package.TREE / "lib/simcom").glob("*.py")}
    assert {path.stem for path in (compiled / "simcom").glob("*.mpy")} == names
    assert len(list((compiled / "simcom").iterdir())) == len(names)
    session = [*micropython_command(), str(package.TREE / "tests_host/mpy_session.py")]
    done = subprocess.run(
        session, env=os.environ | {"MICROPYPATH": "%s:.frozen" % compiled}, capture_output=True, text=True
    )
    assert done.stdout == "4 passed, 0 failed\n", done.stdout + done.stderr


EACH = """
import sys
for name in %r:
    for loaded in [key for key in sys.modules if key.startswith("simcom")]:
        del sys.modules[loaded]
    try:
        __import__("simcom." + name)
    except Exception as e:
        print(name, repr(e))
"""


def test_every_file_loads_first_on_micropython():
    """`from . import file` there asks the package's __getattr__ first, which knows no files."""
    names = sorted(path.stem for path in (package.TREE / "lib/simcom").glob("*.py") if path.stem != "__init__")
    environment = os.environ | {"MICROPYPATH": "%s:.frozen" % (package.TREE / "lib")}
    machine = "import sys\nsys.modules['machine'] = sys\n"  # the unix port has one without UART
    command = [*micropython_command(), "-c", machine + EACH % names]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
