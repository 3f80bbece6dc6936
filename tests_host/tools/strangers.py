"""Other people's drivers, which the tests run on the virtual module: fetches them into .tools/strangers/.

From Python's index and from npm, both by the machine's own clients; gammu comes from Debian, see system.py. No script
of a package is run to install it.
"""

import subprocess
import sys

from pico.setup import npm
from tools.system import TOOLS, TREE, Unavailable, command, locked, run

PLACE = TOOLS / "strangers"
LISTS = TREE / "tests_host/strangers"


def _fetched(name, wanted, *install):
    """A folder, filled by a command of what a list says, anew when the list has changed."""
    folder, stamp = PLACE / name, PLACE / (name + ".stamp")
    with locked("strangers"):
        if not stamp.exists() or stamp.read_text() != wanted.read_text():
            folder.mkdir(parents=True, exist_ok=True)
            try:
                run(*install, cwd=folder)
            except OSError as error:
                raise Unavailable("%s: %s" % (install[0], error))
            stamp.write_text(wanted.read_text())
    return folder


def python():
    """The folder of the Python packages, for PYTHONPATH."""
    wanted = LISTS / "requirements.txt"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--upgrade")
    return _fetched("python", wanted, *pip, "--target", ".", "--requirement", str(wanted))


def node():
    """The command of Node, and the folder of the packages for NODE_PATH."""
    wanted = LISTS / "node.txt"
    names = wanted.read_text().split()
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--loglevel=error")
    folder = _fetched("node", wanted, *npm(), "install", *quiet, "--prefix", ".", *names)
    return command("node"), folder / "node_modules"


if __name__ == "__main__":
    try:
        print(python(), node()[1], *command("gammu"))
    except (Unavailable, subprocess.SubprocessError) as error:
        sys.exit(str(error))
