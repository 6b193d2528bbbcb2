"""Images of the registry as archives that a container engine loads: what `docker save` writes
(https://github.com/moby/docker-image-spec/blob/main/v1.2.md, "Combined Image JSON + Filesystem Changeset Format").

Layers go in as they were pushed: engines unpack gzip and zstd themselves.
"""

from __future__ import annotations

import json
import platform
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clary.errors import ClaryError
from clary.images.addresses import Address
from clary.images.registry import NoRepository
from clary.services.ecr.images import note_pull
from clary.services.ecr.manifests import is_index
from clary.services.ecr.names import BUCKET, REPOSITORY, image_key, layer_object, manifest_key, tag_key
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.objects import ObjectReader
    from clary.objects.model import ObjectInfo
    from clary.store import Store

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""This machine's, as images call it; others have one name (https://go.dev/doc/install/source#environment)."""


@dataclass(frozen=True)
class RegistryImages:
    """Implements `images.registry.Registry`: all repositories of one account."""

    account: str
    store: Store
    objects: ObjectReader

    def owns(self, address: Address) -> bool:
        """As the protocol."""
        return address.account == self.account

    def digest(self, address: Address) -> str | None:
        """As the protocol."""
        repository = _key(address)
        if self.store.read.get(repository) is None:
            raise NoRepository(address)
        if address.digest:
            return address.digest if self.store.read.get(image_key(repository, address.digest)) else None
        tag = self.store.read.get(tag_key(repository, address.tag))
        return str(tag.spec["digest"]) if tag else None

    def archive(self, address: Address, name: str) -> Iterator[bytes]:
        """As the protocol."""
        repository = _key(address)
        image = self._image(repository, address.digest)
        document = self._manifest(repository, address.digest)
        if is_index(image.spec["mediaType"]):
            document = self._manifest(repository, _of_this_machine(address, document))
        note_pull(self.store, image)
        config, layers = document["config"]["digest"], [layer["digest"] for layer in document["layers"]]
        for digest in dict.fromkeys([config, *layers]):
            yield from self._member(repository, digest, _config(digest) if digest == config else _layer(digest))
        said = [{"Config": _config(config), "RepoTags": [name], "Layers": [_layer(layer) for layer in layers]}]
        yield from _file("manifest.json", json.dumps(said).encode())
        yield bytes(2 * tarfile.BLOCKSIZE)

    def _image(self, repository: Key, digest: str) -> Row:
        row = self.store.read.get(image_key(repository, digest))
        if row is None:
            raise _gone(repository, digest)
        return row

    def _manifest(self, repository: Key, digest: str) -> dict[str, Any]:
        row = self.store.read.get(manifest_key(repository, digest))
        if row is None:
            raise _gone(repository, digest)
        document: dict[str, Any] = json.loads(row.spec["text"])
        return document

    def _member(self, repository: Key, digest: str, name: str) -> Iterator[bytes]:
        found: ObjectInfo | None = self.objects.head(BUCKET, layer_object(repository, digest))
        if found is None:
            raise _gone(repository, digest)
        yield _head(name, found.size)
        yield from self.objects.read(found)
        yield bytes(-found.size % tarfile.BLOCKSIZE)


def _key(address: Address) -> Key:
    return Key(REPOSITORY, address.account, address.region, address.repository)


def _gone(repository: Key, digest: str) -> ClaryError:
    return ClaryError(f"{repository.name}@{digest} is not in the registry any more.")


def _of_this_machine(address: Address, index: Mapping[str, Any]) -> str:
    """The manifest that an index lists for this machine. Raises ClaryError."""
    machine = platform.machine()
    wanted = ("linux", _ARCHITECTURES.get(machine, machine))
    for listed in index["manifests"]:
        said = listed.get("platform") or {}
        if (said.get("os"), said.get("architecture")) == wanted:
            return str(listed["digest"])
    raise ClaryError(f"{address.repository}@{address.digest} has no image for {'/'.join(wanted)}.")


def _config(digest: str) -> str:
    return f"{digest.partition(':')[2]}.json"


def _layer(digest: str) -> str:
    return f"{digest.partition(':')[2]}/layer.tar"


def _head(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def _file(name: str, data: bytes) -> Iterator[bytes]:
    yield _head(name, len(data))
    yield data
    yield bytes(-len(data) % tarfile.BLOCKSIZE)
