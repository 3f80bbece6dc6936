"""Keeps what the files of the library compile to: most of them are loaded anew at each use.

pytest would rewrite the assertions of each every time, as of all files that are installed with a plugin.
"""

import importlib.machinery
import sys


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles a file once."""

    codes: dict = {}

    def get_code(self, fullname):
        """The code of the file, from the first time."""
        if self.path not in self.codes:
            self.codes[self.path] = super().get_code(fullname)
        return self.codes[self.path]


class _Finder:
    """Finds the files of the library where everybody else does."""

    @staticmethod
    def find_spec(fullname, path, target=None):
        """A spec with our loader, or None."""
        if fullname.partition(".")[0] != "simcom":
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec and type(spec.loader) is importlib.machinery.SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def install() -> None:
    """In front of whatever else finds modules."""
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)
