"""What a manifest says: of which layers an image is, or which manifests an index lists. Pure.

Docker's and the OCI's image manifests and their lists
(https://github.com/opencontainers/image-spec/blob/main/manifest.md, image-index.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clary.services.ecr.names import is_digest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
_IMAGES = (OCI_MANIFEST, DOCKER_MANIFEST)
_LISTS = (OCI_INDEX, DOCKER_LIST)


class BadManifest(Exception):
    """No manifest that this registry knows; the text says why."""


@dataclass(frozen=True)
class Manifest:
    """A manifest, taken apart. Sizes in bytes."""

    digest: str
    media_type: str
    layers: tuple[str, ...] = ()
    """Digests of the blobs that it needs: its configuration first."""
    manifests: tuple[str, ...] = ()
    """Digests of the manifests that it lists."""
    size: int = 0
    """Of all its blobs together; of an index: 0."""
    artifact_type: str = ""
    """What it is, where it is no image (`artifactType`, or the configuration's media type)."""
    subject: str = ""
    """The manifest that it says something about."""
    annotations: Mapping[str, str] | None = None


def read(text: str, media_type: str | None = None) -> Manifest:
    """A manifest from its text; `media_type` is what the client says of it. Raises BadManifest."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise BadManifest("Invalid JSON syntax") from None
    if not isinstance(document, dict) or document.get("schemaVersion") != 2:
        raise BadManifest("Manifest schema version not supported")
    kind = media_type or document.get("mediaType") or _guessed(document)
    if document.get("mediaType") not in (None, kind):
        raise BadManifest("Media type of the manifest does not match the media type that was provided")
    digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    if kind in _LISTS:
        return _index(digest, kind, document)
    if kind in _IMAGES:
        return _image(digest, kind, document)
    raise BadManifest(f"Manifest media type {kind} is not supported")


def is_index(media_type: str) -> bool:
    """Whether such a manifest lists others."""
    return media_type in _LISTS


def _guessed(document: Mapping[str, Any]) -> str:
    return OCI_INDEX if "manifests" in document else OCI_MANIFEST


def _index(digest: str, kind: str, document: Mapping[str, Any]) -> Manifest:
    listed = tuple(_digest(each) for each in _descriptors(document, "manifests"))
    return Manifest(
        digest,
        kind,
        manifests=listed,
        artifact_type=_text(document, "artifactType"),
        subject=_subject(document),
        annotations=_annotations(document),
    )


def _image(digest: str, kind: str, document: Mapping[str, Any]) -> Manifest:
    config = document.get("config")
    if not isinstance(config, dict):
        raise BadManifest("Manifest has no config")
    held = [each for each in _descriptors(document, "layers") if not each.get("urls")]
    blobs = [config, *held]
    return Manifest(
        digest,
        kind,
        layers=tuple(dict.fromkeys(_digest(each) for each in blobs)),
        size=sum(_size(each) for each in blobs),
        artifact_type=_text(document, "artifactType") or _text(config, "mediaType"),
        subject=_subject(document),
        annotations=_annotations(document),
    )


def _descriptors(document: Mapping[str, Any], member: str) -> list[Mapping[str, Any]]:
    found = document.get(member)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise BadManifest(f"Manifest has no {member}")
    return found


def _digest(descriptor: Mapping[str, Any]) -> str:
    digest = descriptor.get("digest")
    if not isinstance(digest, str) or not is_digest(digest):
        raise BadManifest(f"Invalid digest {digest!r}")
    return digest


def _size(descriptor: Mapping[str, Any]) -> int:
    size = descriptor.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise BadManifest(f"Invalid size {size!r}")
    return size


def _subject(document: Mapping[str, Any]) -> str:
    subject = document.get("subject")
    if subject is None:
        return ""
    if not isinstance(subject, dict):
        raise BadManifest("Invalid subject")
    return _digest(subject)


def _text(document: Mapping[str, Any], member: str) -> str:
    value = document.get(member)
    return value if isinstance(value, str) else ""


def _annotations(document: Mapping[str, Any]) -> Mapping[str, str] | None:
    found = document.get("annotations")
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else None
