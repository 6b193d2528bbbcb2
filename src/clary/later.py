"""Modules that take long to import and that a process may never need (docs/decisions/0077).

    if TYPE_CHECKING:
        from awscrt import checksums
    else:
        checksums = later("awscrt.checksums")

Types and layers are checked by what stands above; below it is what happens.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    """Has what the module of its name has, which is imported when something of it is asked for."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the module holds
        return getattr(importlib.import_module(self.__name__), name)


def later(name: str) -> ModuleType:
    """The module of this name, which need not exist yet. Raises ImportError when it is used and cannot be imported."""
    return _Later(name)
