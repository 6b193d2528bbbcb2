"""Wheels that the machine's owner has laid into folders for uv and pip (`UV_FIND_LINKS`, `PIP_FIND_LINKS`).

A framework whose wheels have hundreds of megabytes is often put there once, in the build that suits the machine. What
lies there is then what can be had: nothing of that size is fetched behind the owner's back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from clary.images.releases import Framework, Release, nearest_first, number

_WHEEL = re.compile(
    r"(?P<name>[^-]+)-(?P<version>[^-+]+)(?:\+[^-]+)?(?:-\d[^-]*)?-cp3(?P<minor>\d+)-[^-]+-[^-]+\.whl\Z"
)
_FOLDERS = ("UV_FIND_LINKS", "PIP_FIND_LINKS")
_BETWEEN = re.compile(r"[\s,]+")

Supply = Mapping[str, tuple[str, ...]]
"""Version → the Pythons that have a wheel of it."""


class Wheels:
    """The wheels in some folders, looked at anew each time: they are few, and may be laid there at any time."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(folders)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Wheels:
        """Those in the folders that uv's and pip's own variables name; addresses of the network are none."""
        named = (entry for name in _FOLDERS for entry in _BETWEEN.split(environ.get(name, "")) if entry)
        return cls(Path(entry.removeprefix("file://")) for entry in dict.fromkeys(named) if _is_folder(entry))

    def supply(self, distribution: str) -> Supply:
        """Which versions of a distribution lie here, for which Pythons."""
        found: dict[str, set[str]] = {}
        for name in self._names():
            wheel = _WHEEL.match(name)
            if wheel and wheel["name"].replace("_", "-").lower() == distribution:
                found.setdefault(wheel["version"], set()).add(f"3.{wheel['minor']}")
        return {version: tuple(sorted(pythons)) for version, pythons in found.items()}

    def _names(self) -> Iterator[str]:
        for folder in self._folders:
            try:
                yield from [entry.name for entry in folder.iterdir()]
            except OSError:
                continue


def _is_folder(entry: str) -> bool:
    return entry.startswith(("/", "file://"))


def supplied(framework: Framework, wheels: Wheels) -> Framework:
    """The framework as these wheels have it: no other version and no other Python of what is large in it. Where there
    is no wheel of it, the framework as it is."""
    supply = wheels.supply(framework.large) if framework.large else {}
    if not supply:
        return framework
    if framework.large == framework.distribution:
        releases = tuple(_release(framework, version, supply[version]) for version in sorted(supply, key=number))
    else:
        pythons = {python for found in supply.values() for python in found}
        releases = tuple(_within(release, pythons) for release in framework.releases)
    return replace(framework, releases=tuple(release for release in releases if release.pythons))


def _release(framework: Framework, version: str, pythons: tuple[str, ...]) -> Release:
    """With the companions of the release that is next to it in the table."""
    nearest = next(iter(nearest_first(framework.releases, version)))
    return Release(version, pythons, nearest.companions)


def _within(release: Release, pythons: set[str]) -> Release:
    return replace(release, pythons=tuple(python for python in release.pythons if python in pythons))
