"""Brings .venv, and with `stubs` also .tools/stubs-*, to what the pinned requirement files say.

    python3 tests_host/tools/install.py [stubs]

Does nothing, quickly, when they already are. pip takes whatever index this machine is configured with.
"""

import hashlib
import importlib.util
import shutil
import subprocess
import sys

from system import TOOLS, TREE, Unavailable, fetch, locked

VENV = TREE / ".venv"
PYTHON = VENV / "bin/python"
REQUIREMENTS = TREE / "tests_host/requirements.txt"
# Two ports cannot share one site-packages: both bring a machine.pyi.
STUBS = {port: TREE / ("tests_host/tools/stubs-%s.txt" % port) for port in ("esp32", "rp2")}


def key(requirements):
    """What an installed folder depends on; kept in its stamp."""
    version = "%d.%d\n" % sys.version_info[:2]
    return version + hashlib.sha256(requirements.read_bytes()).hexdigest()


def is_current(folder, requirements):
    stamp = folder / "stamp"
    return stamp.exists() and stamp.read_text() == key(requirements)


def pip_install(*args):
    # the versions are pinned, so pip's advice to upgrade itself is noise
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *args], check=True)


def create_venv():
    if VENV.exists():
        shutil.rmtree(VENV)
    if importlib.util.find_spec("ensurepip"):
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        return
    # Debian leaves ensurepip to the package python3-venv; pip itself is a wheel in another package.
    root = TOOLS / "root/pip"
    if not root.exists():
        print("this Python has no ensurepip; fetching pip into .tools/", flush=True)
        fetch("python3-pip-whl", root, dependencies=False)
    wheel = next((root / "usr/share/python-wheels").glob("pip-*.whl"))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", VENV], check=True)
    install = [PYTHON, wheel / "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--no-index", wheel], check=True)


def main(args):
    if sys.version_info < (3, 11):
        sys.exit("Python 3.11 or newer is needed, this is %d.%d" % sys.version_info[:2])
    if not PYTHON.exists() or not is_current(VENV, REQUIREMENTS):
        print("installing tests_host/requirements.txt into .venv", flush=True)
        create_venv()
        pip_install("--requirement", REQUIREMENTS)
        (VENV / "stamp").write_text(key(REQUIREMENTS))
    for port, requirements in STUBS.items() if "stubs" in args else ():
        folder = TOOLS / ("stubs-" + port)
        if not is_current(folder, requirements):
            print("installing MicroPython stubs for %s into .tools" % port, flush=True)
            shutil.rmtree(folder, ignore_errors=True)
            pip_install("--no-deps", "--target", folder, "--requirement", requirements)
            (folder / "stamp").write_text(key(requirements))


if __name__ == "__main__":
    try:
        with locked("venv"):
            main(sys.argv[1:])
    except Unavailable as e:
        sys.exit("no .venv: this Python has no ensurepip (install python3-venv), and %s" % e)
    except subprocess.CalledProcessError as e:
        sys.exit("%s failed (exit status %d)" % (" ".join(map(str, e.cmd[:4])), e.returncode))
