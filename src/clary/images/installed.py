"""Algorithms of one's own: packages installed beside Clary that name one in the entry point group `clary.algorithms`.

The entry point's name is the image's name, its value (`module:NAME`) is a `clary.algorithms.base.algorithm.Algorithm`;
the package's version is the tag, its requirements are the environment's. Nothing of the package is imported here: its
files are only found, and seen by the container.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path

from clary.images.addresses import Address
from clary.images.base import Environment, Image, Program
from clary.images.releases import environment_key
from clary.images.repository import ENV

GROUP = "clary.algorithms"

_FRAME = ("httptools", "numpy", "scipy")
"""What `clary.algorithms.base` stands on."""
_PRELOAD = ("numpy", "scipy.sparse", "httptools", "clary.algorithms.base.train", "clary.algorithms.base.serve")
"""Not the algorithm: its file may change between two jobs."""
_LEFT_OUT = re.compile(r"clary\b(?!-)|.*;.*\bextra\s*==")
"""Of a package's requirements: Clary itself, which every container has, and what only extras want."""
_LATEST = "latest"


@dataclass(frozen=True)
class Installed:
    """One algorithm of an installed package."""

    name: str
    version: str
    value: str
    """`module:NAME`."""
    module: Path
    """The file or folder of the module that is imported first."""
    requirements: tuple[str, ...]

    def image(self, uri: str) -> Image:
        """What `uri` means."""
        return Image(
            uri=uri,
            environment=_environment(self),
            train=Program("clary.algorithms.base.train", (self.value,)),
            serve=Program("clary.algorithms.base.serve", (self.value,)),
            env=ENV,
            modules=(self.module,),
        )


def _environment(algorithm: Installed) -> Environment:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    requirements = tuple(sorted({*_FRAME, *algorithm.requirements}))
    key = environment_key(f"algorithm-{algorithm.name}", algorithm.version, python, requirements)
    return Environment(key, python, requirements, _PRELOAD)


def installed() -> list[Installed]:
    """By name. What an entry point names must be found, or it is left out."""
    importlib.invalidate_caches()  # a package may have been installed since
    found = {algorithm.name: algorithm for algorithm in _all()}
    return [found[name] for name in sorted(found)]


def find(uri: str, account: str) -> Image | None:
    """The image of `NAME`, `NAME:VERSION`, or of that repository in one's own account; None where nothing has it."""
    address = Address.parse(uri)
    if address is not None and address.account != account:
        return None
    name, _, tag = (address.repository, ":", address.tag) if address else uri.partition(":")
    for algorithm in installed():
        if algorithm.name == name and tag in ("", _LATEST, algorithm.version):
            return algorithm.image(uri)
    return None


def _all() -> Iterator[Installed]:
    for distribution in distributions():
        for entry in distribution.entry_points:
            algorithm = _algorithm(entry, distribution) if entry.group == GROUP else None
            if algorithm is not None:
                yield algorithm


def _algorithm(entry: EntryPoint, distribution: Distribution) -> Installed | None:
    module = _place_of(entry.module.partition(".")[0])
    if module is None:
        return None
    requirements = tuple(text for text in distribution.requires or () if not _LEFT_OUT.match(text))
    return Installed(entry.name, distribution.version, entry.value, module, requirements)


def _place_of(module: str) -> Path | None:
    """The file or folder of a module at the top; it is not imported."""
    spec = PathFinder.find_spec(module)
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin) if spec.origin else None
