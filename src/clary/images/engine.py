"""Real images: those of a container engine, which are run there and bring all that they need
(https://docs.aws.amazon.com/sagemaker/latest/dg/docker-containers.html).

What Clary's own registry has is loaded into the engine under a name that holds its digest
(docs/decisions/0028): the engine asks no registry for it, and the name never means another image.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Protocol

from clary.images.addresses import Address
from clary.images.base import Command, Image
from clary.images.registry import Registry

_HOST = re.compile(r"(localhost|[^/]*[.:][^/]*)/.+")
"""A name that begins with a registry's host can be pulled from there."""
_LOADED = re.compile(r"(?P<repository>.+):sha256-(?P<hex>[0-9a-f]{64})")


class Engine(Protocol):
    """What is asked of an engine."""

    def image(self, name: str) -> dict[str, Any] | None:
        """What it says of an image, or None where it has none of that name."""
        ...

    def pull(self, name: str) -> Iterator[str]:
        """Fetch one; lines of its progress."""
        ...

    def load(self, archive: Iterator[bytes]) -> Iterator[str]:
        """Take in what `docker save` writes; lines of its progress."""
        ...

    def names(self, repository: str) -> list[str]:
        """The names `REPOSITORY:TAG` of the images that it has."""
        ...

    def remove_image(self, name: str) -> bool:
        """Forget an image; False where it is in use, and stays."""
        ...


class EngineImages:
    """The images of the engine that `engine()` finds; it raises ClaryError where none answers."""

    def __init__(self, engine: Callable[[], Engine], registry: Registry | None = None) -> None:
        self._engine = engine
        self._registry = registry
        self._known: dict[str, Image] = {}
        self._loading: dict[str, threading.Lock] = {}

    def find(self, uri: str) -> Image | None:
        """The image of that name, if the registry or the engine has it, or the engine may pull it; what the engine had
        once is not looked for again.

        Raises ClaryError where no engine answers, NoRepository.
        """
        address = Address.parse(uri)
        if address is not None and self._registry is not None and self._registry.owns(address):
            return self._find(address, self._registry)
        if uri not in self._known:
            if not self.has(uri) and (address is not None or not _HOST.match(uri)):
                return None
            self._known[uri] = _image(uri, uri)
        return self._known[uri]

    def has(self, name: str) -> bool:
        """Whether it is there. Raises ClaryError where no engine answers."""
        return self._engine().image(name) is not None

    def pull(self, image: Image) -> Iterator[str]:
        """Fetch it from the registry that it names; lines of its progress. Raises ClaryError."""
        if image.registered is None or self._registry is None:
            yield from self._engine().pull(image.engine)
            return
        with self._loading.setdefault(image.engine, threading.Lock()):
            if self.has(image.engine):  # another job has waited for it too
                return
            yield from self._engine().load(self._registry.archive(image.registered, image.engine))
            self._let_go(image.registered, self._registry)

    def registered(self, uri: str) -> Image | None:
        """The image that an address with a digest in Clary's own registry means, there or not; None for any other."""
        address = Address.parse(uri)
        if address is None or not address.digest or self._registry is None or not self._registry.owns(address):
            return None
        return replace(_image(address.uri, _loaded_name(address)), registered=address)

    def _find(self, address: Address, registry: Registry) -> Image | None:
        self._engine()  # its absence is said when the image is named, not when it is needed
        digest = registry.digest(address)
        return self.registered(replace(address, digest=digest).uri) if digest else None

    def _let_go(self, address: Address, registry: Registry) -> None:
        """The engine keeps what the registry keeps: other images of this repository that are gone there go here too."""
        engine = self._engine()
        for name in engine.names(f"{address.host}/{address.repository}"):
            found = _LOADED.fullmatch(name)
            there = Address.parse(f"{found['repository']}@sha256:{found['hex']}") if found else None
            if there is not None and registry.digest(there) is None:
                engine.remove_image(name)


def _loaded_name(address: Address) -> str:
    return f"{address.host}/{address.repository}:{address.digest.replace(':', '-')}"


def _image(uri: str, name: str) -> Image:
    return Image(
        uri=uri, environment=None, engine=name, train=Command(("train",)), serve=Command(("serve",)), workdir=""
    )
