"""Clary's own `sitecustomize` (clients/site) in a program that is forked: made once, by the warm parent.

Every container has it on its path. Read there anew, its source is compiled in each program, where no byte code of that
Python lies beside it: 1.4 MiB.
"""

# ruff: noqa: PTH118, PTH208, PTH113
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import importlib.util
import os
import site
import sys
from types import ModuleType
from typing import Optional, Sequence

NAME = "sitecustomize"
INSIDE = "/opt/clary/site"
"""Where containers see that folder."""


def prepared(package: str) -> Optional[ModuleType]:
    """Clary's own, which has changed nothing yet; `package` is the folder of `clary`. None where it is not there."""
    path = os.path.join(package, "clients", "site", NAME + ".py")
    spec = importlib.util.spec_from_file_location("_clary_" + NAME, path)
    if spec is None or spec.loader is None or not os.path.isfile(path):
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.__name__ = NAME
    module.__file__ = "{}/{}.py".format(INSIDE, NAME)
    return module


def customize(paths: Sequence[str], own: Optional[ModuleType]) -> None:
    """What a Python of its own would have run at its start, where these are first on its path. Where the warm parent
    has found no `sitecustomize`, there is none further down."""
    found = sys.modules.pop(NAME, None)
    there = [path for path in paths if _may_hold(path)]
    if found is None and there == [INSIDE] and own is not None:
        sys.modules[NAME] = own
        own.begin()
    elif found is not None or there:
        site.execsitecustomize()


def _may_hold(path: str) -> bool:
    """Looked at without a finder, which writes to many pages that are shared with the warm parent."""
    try:
        return any(name.partition(".")[0] == NAME for name in os.listdir(path))
    except OSError:
        return os.path.isfile(path)  # an archive
