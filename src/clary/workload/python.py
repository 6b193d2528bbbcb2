"""What of the host a container must see for an environment's Python to run: the environment and its base Python."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from clary.compute.base import Mount

_SYSTEM = Path("/usr")
"""Is there in every container."""


@lru_cache(maxsize=256)
def python_mounts(python: Path) -> tuple[Mount, ...]:
    """Read-only mounts, at the same paths as on the host, for `ENVIRONMENT/bin/python` of a virtual environment.

    Every link between the environment and the real interpreter is followed: uv, pyenv and conda keep Pythons under
    the user's home, often behind a link named by the minor version.
    """
    environment = python.parent.parent
    prefixes = [environment, *_prefixes(python)]
    wanted = [path for path in dict.fromkeys(prefixes) if not path.is_relative_to(_SYSTEM)]
    return tuple(Mount(str(path), str(path)) for path in wanted if not _covered(path, wanted))


def _prefixes(python: Path) -> Iterator[Path]:
    """The installation folder of each link's target, as named and as resolved."""
    seen: set[Path] = set()
    while python.is_symlink() and python not in seen:
        seen.add(python)
        python = Path(os.path.normpath(python.parent / python.readlink()))
        yield python.parent.parent
    yield python.resolve().parent.parent


def _covered(path: Path, wanted: list[Path]) -> bool:
    return any(path != other and path.is_relative_to(other) for other in wanted)
