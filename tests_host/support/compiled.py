"""Keeps what the library's files compile to: most of its modules are loaded anew at each use."""

import functools
import importlib.machinery
import importlib.util
import sys


class _Loader(importlib.machinery.SourceFileLoader):
    code = None

    def get_code(self, name):
        if self.code is None:
            self.code = super().get_code(name)
        return self.code


@functools.cache
def _found(name, folders):
    """The loader of a module, and the folders of its own modules when it is a package."""
    spec = importlib.machinery.PathFinder.find_spec(name, folders)
    if spec is None or spec.origin is None:
        return None, None
    return _Loader(name, spec.origin), spec.submodule_search_locations


class _Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if not name.startswith("simcom."):
            return None
        loader, folders = _found(name, tuple(path))
        if loader is None:
            return None
        return importlib.util.spec_from_file_location(
            name, loader.path, loader=loader, submodule_search_locations=folders
        )


def keep():
    """From here each file of the library is found, read and compiled once."""
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)
