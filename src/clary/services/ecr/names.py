"""Names of repositories and images: ARNs, addresses, and the keys of rows and of objects."""

from __future__ import annotations

import re
from typing import Any

from clary.errors import AWSError
from clary.names import Arn
from clary.store.rows import Key

REPOSITORY = "ecr-repository"
IMAGE = "ecr-image"
MANIFEST = "ecr-manifest"
"""The text of an image's manifest, in a row of its own: whoever lists images need not read it."""
TAG = "ecr-tag"
LAYER = "ecr-layer"
UPLOAD = "ecr-upload"
REGISTRY = "ecr-registry"
"""Kinds of rows. Those of images, tags, layers and uploads have the repository as their parent."""

BUCKET = "ecr/layers"
"""Where the object store keeps layers and parts of uploads; S3 never names it, for its slash."""

OWNER = "ecr"
"""Whose that bucket is: no account's."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_IMAGE_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,299}")


def repository_arn(region: str, account: str, name: str) -> str:
    """The ARN of a repository."""
    return str(Arn("ecr", region, account, f"repository/{name}"))


def host(region: str, account: str) -> str:
    """A registry's host name, as on AWS."""
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"{account}.dkr.ecr.{region}.{suffix}"


def uri(repository: Key) -> str:
    """What images of a repository are called, but for tag or digest."""
    return f"{host(repository.region, repository.account)}/{repository.name}"


def image_key(repository: Key, digest: str) -> Key:
    """The key of an image's row."""
    return _below(repository, IMAGE, f"{repository.name}@{digest}")


def manifest_key(repository: Key, digest: str) -> Key:
    """The key of the row that holds its manifest."""
    return _below(repository, MANIFEST, f"{repository.name}@{digest}")


def layer_key(repository: Key, digest: str) -> Key:
    """The key of a layer's row."""
    return _below(repository, LAYER, f"{repository.name}@{digest}")


def tag_key(repository: Key, tag: str) -> Key:
    """The key of a tag's row."""
    return _below(repository, TAG, f"{repository.name}:{tag}")


def upload_key(repository: Key, upload: str) -> Key:
    """The key of an upload's row."""
    return _below(repository, UPLOAD, upload)


def digest_of(key: Key) -> str:
    """The digest of an image or a layer by its row's key."""
    return key.name.rpartition("@")[2]


def tag_of(key: Key) -> str:
    """The tag by its row's key."""
    return key.name.rpartition(":")[2]


def _below(repository: Key, kind: str, name: str) -> Key:
    return Key(kind, repository.account, repository.region, name)


def layers_prefix(repository: Key) -> str:
    """What the object keys of all of a repository's layers begin with."""
    return f"{repository.account}/{repository.region}/{repository.name}@"


def layer_object(repository: Key, digest: str) -> str:
    """The object key of a layer."""
    return layers_prefix(repository) + digest


def part_object(upload: str, first: int, file: str) -> str:
    """The object key of a part of an upload: its first byte's place, and a name of its own."""
    return f"{uploads_prefix(upload)}{first:020d}-{file}"


def uploads_prefix(upload: str = "") -> str:
    """What the object keys of all parts of an upload, or of all uploads, begin with."""
    return f"uploads/{upload}/" if upload else "uploads/"


def is_digest(text: str) -> bool:
    """Whether it is a digest that this registry can check: SHA-256."""
    return _DIGEST.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Whether an image may have this tag."""
    return _IMAGE_TAG.fullmatch(text) is not None


def registry_of(params: dict[str, Any], account: str) -> str:
    """The registry that a request names, or the caller's own. Raises InvalidParameterException for several."""
    registries = params.get("registryIds") or []
    if len(registries) > 1:
        text = "Invalid parameter at 'registryIds' failed to satisfy constraint: 'Member must have length at most 1'"
        raise AWSError("InvalidParameterException", text)
    return str(registries[0] if registries else params.get("registryId") or account)
