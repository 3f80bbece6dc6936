"""Programs for the emulated Pico; here, what compiles them."""

from pico import flash
from pico.stage import HERE, TREE

BUILT = TREE / "build/pico"


def compiled():
    """These programs and the shared cases: name on the Pico -> bytes."""
    BUILT.mkdir(parents=True, exist_ok=True)
    files = {"target": TREE / "tests_device/target.py"}
    files |= {path.stem: path for path in (HERE / "programs").glob("*.py") if path.stem != "__init__"}
    files |= {"cases/" + path.stem: path for path in (TREE / "tests_device/cases").glob("*.py")}
    return {name + ".mpy": flash.compiled(path, name, BUILT) for name, path in files.items()}
