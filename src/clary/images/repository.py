"""One repository of AWS's registries: its published tags, and how Clary runs each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from clary.images.base import Image
from clary.images.releases import Choice, Framework

_TAG = re.compile(
    r"(?P<release>\d[\d.]*(?:-\d+)?(?:-transformers[\d.]+)?)(?:-(?:cpu|gpu|arm64))?(?:-(?P<python>py\d*))?"
    r"(?:-cu\d+)?(?:-ubuntu[\d.]+)?(?:-(?:sagemaker|ec2|e3))?(?:-v\d[\d.]*)?(?:-\d{4}(?:-\d\d){5})?\Z"
)
"""`1.2-1-cpu-py3`, `2.3.2-gpu-py37-cu110-ubuntu18.04-v1.5`, `2.0.0-transformers4.28.1-cpu-py310-ubuntu20.04`."""

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
        name = self.aliases.get(name, name)
        return name if name in self.tags else None


def minor_aliases(versions: Iterable[str]) -> dict[str, str]:
    """`2.19` → `2.19.0`: an address may name a release without its patch, and means the last of these."""
    aliases: dict[str, str] = {}
    for version in versions:
        aliases[version.rpartition(".")[0]] = version
    return aliases


def notices(choice: Choice, uri: str = "") -> tuple[str, ...]:
    """Lines for the head of the log: another version than the wanted one runs, or another Python's second age."""
    lines = [] if choice.exact else [choice.notice()]
    found = _TAG.match(uri.rpartition(":")[2])
    if found and (found["python"] or "").startswith("py2"):
        lines.append(f"Python 2 cannot be had; Python {choice.python} is used instead.")
    return tuple(lines)
