"""Program images into the data folder: from a folder with `train` and `serve` to a name that estimators take."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from clary.errors import ClaryError
from clary.images.environments import Environments
from clary.images.own import Entry, OwnImages
from clary.images.programs import assemble, requirements_of
from clary.images.pythons import Pythons
from clary.names import random_hex


@dataclass(frozen=True)
class Content:
    """What an image is to be made of."""

    program: Path | None
    requirements: tuple[str, ...]
    python: str


def content(program: Path | None, requirements: Path | None, python: str) -> Content:
    """`requirements` is DIR/requirements.txt where not said, `python` Clary's own. Raises ClaryError."""
    return Content(program, tuple(_requirements(program, requirements)), _python(python))


def add(own: OwnImages, name: str, made_of: Content, images_dir: Path) -> Entry:
    """Take it in under a name; what that meant before is let go of. Made beside, then moved to its place: a
    half-copied image is never seen. Raises ClaryError."""
    fresh = images_dir / f"new-{random_hex(8)}"
    fresh.mkdir(mode=0o755, parents=True)
    try:
        made = assemble(made_of.program, made_of.requirements, made_of.python, fresh)
        return own.put(name, made, fresh, time.time())
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def build(cache_dir: Path, entry: Entry, on_line: Callable[[str], None], *, wheels_only: bool = False) -> None:
    """Its environment, now: the first job need not wait. Raises ClaryError."""
    Environments(cache_dir).build(entry.image.environment, on_line, wheels_only=wheels_only)


def _requirements(program: Path | None, given: Path | None) -> list[str]:
    path = given or (program / "requirements.txt" if program else None)
    if path is None:
        raise ClaryError("An image is made of a program, of packages, or of both.", "Give --program or --requirements.")
    if path.is_file():
        return requirements_of(path)
    if given:
        raise ClaryError(f"{given} is no file.")
    return []


def _python(wanted: str) -> str:
    version = wanted or f"{sys.version_info.major}.{sys.version_info.minor}"
    pythons = Pythons()
    if pythons.find(version) is None:
        raise ClaryError(f"Python {version} is not on this machine.", f"There are {', '.join(pythons.versions())}.")
    return version
