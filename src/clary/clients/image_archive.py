"""What `docker save` writes, into a registry while it is read
(https://github.com/moby/docker-image-spec/blob/main/v1.2.md, "Combined Image JSON + Filesystem Changeset Format").

Layers go on as they stand in the archive, mostly not compressed: registry and engine are on one machine. Only what is
small is held in memory.
"""

from __future__ import annotations

import json
import posixpath
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any, Protocol, cast

from clary.clients.registry import Blob
from clary.errors import ClaryError

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"

_SMALL = 2**20
"""Bytes up to which a member is kept until it is known what it is."""
_PIECE = 2**20
_DIGEST = re.compile(r"(?:^|/)([0-9a-f]{64})(?:\.tar)?\Z")
"""Podman's names, and the OCI's: by what a layer is."""
_PACKED = ((b"\x1f\x8b", "+gzip"), (b"\x28\xb5\x2f\xfd", "+zstd"))


class Target(Protocol):
    """Where layers go."""

    def has(self, digest: str) -> bool:
        """Whether it is there."""
        ...

    def upload(self, data: Iterator[bytes], size: int) -> Blob:
        """Send a layer."""
        ...


OnProgress = Callable[[str, int, int], None]
"""Hears of a layer's name, the bytes sent of it, and its size."""


@dataclass
class _Read:
    """What has been seen of an archive."""

    kept: dict[str, bytes] = field(default_factory=dict)
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def place(self, name: str) -> str:
        """Behind its links."""
        for _ in range(len(self.links)):
            if name not in self.links:
                break
            name = self.links[name]
        return name


def send(archive: Iterator[bytes], target: Target, on_progress: OnProgress) -> bytes:
    """Send the layers; the manifest (OCI_MANIFEST) to be put then. Raises ClaryError where it is no archive of an
    image, and what `target` raises."""
    read = _Read()
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", _Pieces(archive)), mode="r|", bufsize=_PIECE) as members:
            for member in members:
                _take(members, member, read, target, on_progress)
        return _manifest(read, target)
    except (tarfile.TarError, KeyError, ValueError, TypeError, IndexError) as broken:
        raise ClaryError(f"The container engine has given no image: {broken!r}") from broken


def _take(
    members: tarfile.TarFile, member: tarfile.TarInfo, read: _Read, target: Target, on_progress: OnProgress
) -> None:
    name = posixpath.normpath(member.name)
    if member.issym():
        read.links[name] = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
    elif member.islnk():
        read.links[name] = posixpath.normpath(member.linkname)
    elif member.isfile():
        data = cast("IO[bytes]", members.extractfile(member))
        if member.size <= _SMALL:
            read.kept[name] = data.read()
        else:
            read.sent[name] = _send(name, data, member.size, target, on_progress)


def _send(name: str, data: IO[bytes], size: int, target: Target, on_progress: OnProgress) -> dict[str, Any]:
    first = data.read(_PIECE)
    named = _DIGEST.search(name)
    if named and target.has(f"sha256:{named[1]}"):
        blob = Blob(f"sha256:{named[1]}", size)
        on_progress(blob.digest, size, size)
    else:
        blob = target.upload(_counted(name, first, data, size, on_progress), size)
    return _descriptor(blob, _LAYER + _packed(first))


def _counted(name: str, first: bytes, rest: IO[bytes], size: int, on_progress: OnProgress) -> Iterator[bytes]:
    done, piece = 0, first
    while piece:
        yield piece
        done += len(piece)
        on_progress(name, done, size)
        piece = rest.read(_PIECE)


def _manifest(read: _Read, target: Target) -> bytes:
    (image,) = json.loads(read.kept["manifest.json"])
    config = read.kept[read.place(posixpath.normpath(image["Config"]))]
    layers = [_layer(read, target, posixpath.normpath(name)) for name in image["Layers"]]
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _descriptor(target.upload(iter([config]), len(config)), _CONFIG),
        "layers": layers,
    }
    return json.dumps(document, indent=1).encode()


def _layer(read: _Read, target: Target, name: str) -> dict[str, Any]:
    place = read.place(name)
    if place not in read.sent:
        data = read.kept[place]
        read.sent[place] = _descriptor(target.upload(iter([data]), len(data)), _LAYER + _packed(data))
    return read.sent[place]


def _packed(data: bytes) -> str:
    return next((suffix for magic, suffix in _PACKED if data.startswith(magic)), "")


def _descriptor(blob: Blob, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": blob.digest, "size": blob.size}


class _Pieces:
    """Pieces as a file that is read from its beginning to its end."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int) -> bytes:
        """At most `size` bytes; nothing at the end."""
        if not self._rest:
            self._rest = next(filter(None, self._pieces), b"")
        found, self._rest = self._rest[:size], self._rest[size:]
        return found
