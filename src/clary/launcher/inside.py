"""`clary` as the inside of a container knows it: `/opt/clary/clary/…`, in a warm parent that still stands outside.

Modules are given the names of the files that the container will see, and are read from where they lie now; so a
traceback, `__file__` and a later import are the same in a fork and in a program started cold.
"""

# ruff: noqa: PTH113
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from types import ModuleType
from typing import Any, Mapping

PACKAGE = "clary"
INSIDE = "/opt/clary/clary"


class Border:
    """A finder (for `sys.meta_path`) of the package `clary` alone; after `cross` files lie where they are named."""

    def __init__(self, outside: str) -> None:
        self._outside = outside
        self._own: dict[str, ModuleType] = {}
        self._theirs = False

    def keep_to_itself(self) -> None:
        """What is imported of `clary` by now is the launcher's own, not the program's."""
        self._own = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == PACKAGE}

    def cross(self) -> None:
        """This process stands inside now: the launcher's own modules are not there, and never were.

        They are only put out of sight, and the names of the others are not looked through: both would write to hundreds
        of pages that are shared with the warm parent.
        """
        self._outside = INSIDE
        for name in self._own:
            del sys.modules[name]
        if self._theirs:
            sys.modules[PACKAGE] = self._own[PACKAGE]

    def real(self, path: str) -> str:
        """Where a file inside lies for this process."""
        return self._outside + path[len(INSIDE) :] if path.startswith(INSIDE) else path

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """PEP 451."""
        if name != PACKAGE and not name.startswith(PACKAGE + "."):
            return None
        self._theirs = bool(self._own)
        place = INSIDE + name[len(PACKAGE) :].replace(".", "/")
        if os.path.isfile(self.real(place + "/__init__.py")):
            return self._spec(name, place + "/__init__.py", [place])
        return self._spec(name, place + ".py", None) if os.path.isfile(self.real(place + ".py")) else None

    def _spec(self, name: str, path: str, locations: list[str] | None) -> ModuleSpec | None:
        loader = _Loader(name, path, self)
        return spec_from_file_location(name, path, loader=loader, submodule_search_locations=locations)


class _Loader(SourceFileLoader):
    """Reads a file by its inner name; writes no byte code there."""

    def __init__(self, name: str, path: str, border: Border) -> None:
        super().__init__(name, path)
        self._border = border

    def get_data(self, path: object) -> bytes:
        return super().get_data(self._border.real(str(path)))

    def path_stats(self, path: object) -> Mapping[str, Any]:
        return super().path_stats(self._border.real(str(path)))

    def set_data(self, path: object, data: object, *, _mode: int = 0o666) -> None:
        return
