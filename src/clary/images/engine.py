"""Real images: those of a container engine, which are run there and bring all that they need
(https://docs.aws.amazon.com/sagemaker/latest/dg/docker-containers.html)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from clary.images.addresses import Address
from clary.images.base import Command, Image

_HOST = re.compile(r"(localhost|[^/]*[.:][^/]*)/.+")
"""A name that begins with a registry's host can be pulled from there."""


class Engine(Protocol):
    """What is asked of an engine."""

    def image(self, name: str) -> dict[str, Any] | None:
        """What it says of an image, or None where it has none of that name."""
        ...

    def pull(self, name: str) -> Iterator[str]:
        """Fetch one; lines of its progress."""
        ...


class EngineImages:
    """The images of the engine that `engine()` finds; it raises ClaryError where none answers."""

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine

    def find(self, uri: str) -> Image | None:
        """The image of that name, if the engine has it or may pull it. Raises ClaryError where no engine answers."""
        if self.has(uri) or (Address.parse(uri) is None and _HOST.match(uri)):
            return _image(uri)
        return None

    def has(self, uri: str) -> bool:
        """Whether it is there. Raises ClaryError where no engine answers."""
        return self._engine().image(uri) is not None

    def pull(self, uri: str) -> Iterator[str]:
        """Fetch it from the registry that it names; lines of its progress."""
        return self._engine().pull(uri)


def _image(uri: str) -> Image:
    return Image(
        uri=uri, environment=None, engine=uri, train=Command(("train",)), serve=Command(("serve",)), workdir=""
    )
