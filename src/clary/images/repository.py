"""One repository of AWS's registries: its published tags, and how Clary runs each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from clary.images.base import Image
from clary.images.releases import Choice, Framework

_TAG = re.compile(r"(?P<release>\d[\d.]*(?:-\d+)?)(?:-(?:cpu|gpu|arm64))?(?:-py\d*)?\Z")

ENV: Mapping[str, str] = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "OMP_WAIT_POLICY": "PASSIVE",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONIOENCODING": "UTF-8",
    "PYTHONUNBUFFERED": "1",
}
"""What AWS's framework images set; and OpenMP's threads sleep while they wait, because here a job shares its cores:
spinning, a busy machine trains small models ten times slower."""


@dataclass(frozen=True)
class Tag:
    """One published version of an image: the framework's version, and the Python inside AWS's own image."""

    version: str
    python: str


@dataclass(frozen=True)
class Repository:
    """A repository of AWS's. `image(uri, tag, choice)` makes the image of one of its tags."""

    name: str
    framework: Framework
    tags: Mapping[str, Tag]
    image: Callable[[str, str, Choice], Image]
    aliases: Mapping[str, str] = field(default_factory=dict)

    def release(self, tag: str) -> str | None:
        """`1.2-1-cpu-py3` → `1.2-1`; None for a tag that was never published."""
        found = _TAG.match(tag)
        name = self.aliases.get(tag) or (found["release"] if found else tag)
        return name if name in self.tags else None


def notices(choice: Choice) -> tuple[str, ...]:
    """The line for the head of the log, where another version than the wanted one runs."""
    return () if choice.exact else (choice.notice(),)
