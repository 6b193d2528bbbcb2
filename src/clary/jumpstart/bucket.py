"""The bucket itself, published once for each data folder and edition."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from clary.errors import AWSError
from clary.jumpstart import archives, samples, specs
from clary.jumpstart.names import bucket_name
from clary.jumpstart.offered import MODELS, VERSIONS
from clary.objects.model import Attributes
from clary.objects.store import ObjectStore

OWNER = "763104351884"
"""An account of AWS's: the bucket is nobody's here, and stands in nobody's list."""

_EDITION = "Edition"
_AT_ONCE = 8
_SOURCES = ("clary.jumpstart", "clary.algorithms.gradient_boosting", "clary.images")

_log = logging.getLogger(__name__)


def publish(objects: ObjectStore, region: str) -> None:
    """Bring it up to date; done again it is one look. Raises OSError, AWSError where the store cannot be written."""
    bucket, wanted = bucket_name(region), edition()
    there = objects.get_bucket(bucket)
    if there is not None and there.settings.get(_EDITION) == {"Digest": wanted}:
        return
    if there is None:
        objects.create_bucket(bucket, account=OWNER, region=region)
    elif there.account != OWNER:
        _log.warning("Bucket %s is account %s's: JumpStart's models are not published.", bucket, there.account)
        return
    with ThreadPoolExecutor(_AT_ONCE) as together:
        for done in [together.submit(_put, objects, bucket, key, content) for key, content in contents()]:
            done.result()
    objects.set_bucket(bucket, _EDITION, {"Digest": wanted})


def offer(objects: ObjectStore, region: str) -> None:
    """`publish`, for a server that starts all the same where that fails."""
    try:
        publish(objects, region)
    except (OSError, AWSError):
        _log.exception("JumpStart's models could not be published.")


def _put(objects: ObjectStore, bucket: str, key: str, content: bytes) -> None:
    kind = "application/json" if key.endswith(".json") else "text/csv" if key.endswith(".csv") else "application/x-tar"
    objects.put_bytes(bucket, key, content, Attributes(content_type=kind))


def contents() -> Iterator[tuple[str, bytes]]:
    """Keys and their bytes, the same in every region."""
    offered = [(model, version) for model in MODELS for version in VERSIONS]
    yield from samples.contents()
    for model in MODELS:
        yield specs.training_artifact_key(model), archives.untrained(model)
        yield specs.inference_artifact_key(model), archives.trained(model)
    for model, version in offered:
        yield specs.training_script_key(model, version), archives.training_script(model)
        yield specs.inference_script_key(model, version), archives.inference_script()
        yield specs.spec_key(model, version), json.dumps(specs.spec(model, version)).encode()
    yield specs.PROPRIETARY_MANIFEST, b"[]"
    yield specs.MANIFEST, json.dumps([specs.header(model, version) for model, version in offered]).encode()


@cache
def edition() -> str:
    """A digest of everything that `contents` is made from: no content need be made to compare it."""
    digest = hashlib.sha256()
    for package in _SOURCES:
        for file in sorted(_files(files(package)), key=lambda file: file.name):
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def _files(folder: Traversable) -> Iterator[Traversable]:
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _files(entry)
        elif entry.is_file():
            yield entry
