"""Images: pushed, tagged, fetched, deleted (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Image.html).

Everything that decides is read within the transaction that writes, so that two pushes of one tag follow one another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from clary.services.context import Context
from clary.services.ecr.errors import (
    image_exists,
    invalid,
    no_image,
    no_layers,
    no_referenced_images,
    tag_exists,
    wrong_image_digest,
)
from clary.services.ecr.immutability import is_immutable
from clary.services.ecr.manifests import BadManifest, Manifest, read
from clary.services.ecr.names import (
    digest_of,
    image_key,
    is_digest,
    is_tag,
    layer_key,
    manifest_key,
    tag_key,
)
from clary.services.ecr.rows import named, repository_key, require_repository, still_there
from clary.services.ecr.service import SERVICE
from clary.services.resources import Output, Params, now, present
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store import Store
    from clary.store.transaction import Transaction

_PULL_NOTED = timedelta(hours=1)
"""The time of the last pull is as exact as this: a pull need not write each time. AWS: within 24 hours."""


@SERVICE.operation("PutImage")
def put(context: Context, params: Params) -> Output:
    """Raises RepositoryNotFoundException, ImageAlreadyExistsException, ImageTagAlreadyExistsException,
    LayersNotFoundException, ReferencedImagesNotFoundException, ImageDigestDoesNotMatchException,
    InvalidParameterException."""
    repository, tag = repository_key(context, params), params.get("imageTag")
    manifest = _read(params)
    if tag is not None and not is_tag(tag):
        raise invalid("imageTag", "must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,299}'")
    context.store.write(lambda transaction: _put(transaction, repository, manifest, params["imageManifest"], tag))
    image = {
        **named(repository),
        "imageId": present({"imageDigest": manifest.digest, "imageTag": tag}),
        "imageManifest": params["imageManifest"],
        "imageManifestMediaType": manifest.media_type,
    }
    return {"image": image}


def _read(params: Params) -> Manifest:
    try:
        manifest = read(params["imageManifest"], params.get("imageManifestMediaType"))
    except BadManifest as reason:
        raise invalid("ImageManifest", str(reason)) from None
    said = params.get("imageDigest")
    if said is not None and said != manifest.digest:
        raise wrong_image_digest(said, manifest.digest)
    return manifest


def _put(transaction: Transaction, repository: Key, manifest: Manifest, text: str, tag: str | None) -> None:
    settings = still_there(transaction, repository).spec
    image = transaction.get(image_key(repository, manifest.digest))
    _check_tag(transaction, repository, settings, manifest, tag, known=image is not None)
    if image is None:
        _check_references(transaction, repository, manifest)
        _insert(transaction, repository, manifest, text)
    if tag is not None:
        _tag(transaction, repository, manifest.digest, tag)


def _check_tag(
    transaction: Transaction,
    repository: Key,
    settings: Mapping[str, Any],
    manifest: Manifest,
    tag: str | None,
    *,
    known: bool,
) -> None:
    if tag is None:
        if known:
            raise image_exists(repository, manifest.digest, None)
        return
    there = transaction.get(tag_key(repository, tag))
    if there is None:
        return
    if there.spec["digest"] == manifest.digest:
        raise image_exists(repository, manifest.digest, tag)
    if is_immutable(settings, tag):
        raise tag_exists(repository, tag)


def _check_references(transaction: Transaction, repository: Key, manifest: Manifest) -> None:
    missing = [each for each in manifest.layers if transaction.get(layer_key(repository, each)) is None]
    if missing:
        raise no_layers(repository, missing)
    missing = [each for each in manifest.manifests if transaction.get(image_key(repository, each)) is None]
    if missing:
        raise no_referenced_images(repository, missing)


def _insert(transaction: Transaction, repository: Key, manifest: Manifest, text: str) -> None:
    made = now()
    spec = {
        "mediaType": manifest.media_type,
        "layers": list(manifest.layers),
        "manifests": list(manifest.manifests),
        "size": manifest.size or _largest(transaction, repository, manifest),
        "artifactType": manifest.artifact_type,
        "subject": manifest.subject,
        "annotations": manifest.annotations,
        "manifestSize": len(text.encode()),
    }
    row = Row(image_key(repository, manifest.digest), "", "", made, made, present(spec), parent=repository.name)
    transaction.insert(row)
    held = Row(manifest_key(repository, manifest.digest), "", "", made, made, {"text": text}, parent=repository.name)
    transaction.insert(held)


def _largest(transaction: Transaction, repository: Key, manifest: Manifest) -> int:
    """An index is as large as the largest that it lists."""
    rows = [transaction.get(image_key(repository, each)) for each in manifest.manifests]
    return max((int(row.spec["size"]) for row in rows if row), default=0)


def _tag(transaction: Transaction, repository: Key, digest: str, tag: str) -> None:
    key, made = tag_key(repository, tag), now()
    there = transaction.get(key)
    if there is None:
        transaction.insert(Row(key, "", "", made, made, {"digest": digest}, parent=repository.name))
    else:
        transaction.save(replace(there, spec={"digest": digest}, modified=made))


@SERVICE.operation("BatchGetImage")
def batch_get(context: Context, params: Params) -> Output:
    """The manifests, as they were pushed whatever is accepted. Raises RepositoryNotFoundException."""
    repository = require_repository(context, params).key
    images, failures = [], []
    for wanted in params["imageIds"]:
        problem = fault(wanted)
        row = None if problem else find(context, repository, wanted)
        if row is None:
            failures.append(failure(wanted, problem or "ImageNotFound"))
        else:
            images.append(_fetched(context, repository, row, wanted.get("imageTag")))
    return {"images": images, "failures": failures}


def _fetched(context: Context, repository: Key, row: Row, tag: str | None) -> Output:
    digest = digest_of(row.key)
    held = context.store.read.get(manifest_key(repository, digest))
    if held is None:
        raise no_image(repository, digest, tag)  # deleted this very moment
    note_pull(context.store, row)
    return {
        **named(repository),
        "imageId": present({"imageDigest": digest, "imageTag": tag}),
        "imageManifest": held.spec["text"],
        "imageManifestMediaType": row.spec["mediaType"],
    }


def note_pull(store: Store, row: Row) -> None:
    """Write down that somebody fetches the image now."""
    moment = now()
    last = row.state.get("pulled", 0)
    if moment.timestamp() - last < _PULL_NOTED.total_seconds():
        return

    def change(transaction: Transaction) -> None:
        current = transaction.get(row.key)
        if current is not None:
            transaction.save(replace(current, state={**current.state, "pulled": moment.timestamp()}))

    store.write(change)


def find(context: Context, repository: Key, wanted: Params) -> Row | None:
    """The image of an id that has no fault: by digest, by tag, or by both, which must agree."""
    tag, digest = wanted.get("imageTag"), wanted.get("imageDigest")
    if tag is not None:
        row = context.store.read.get(tag_key(repository, tag))
        if row is None or (digest is not None and row.spec["digest"] != digest):
            return None
        digest = row.spec["digest"]
    return context.store.read.get(image_key(repository, str(digest)))


_REASONS = {
    "ImageNotFound": "Requested image not found",
    "MissingDigestAndTag": "Invalid request parameters: both tag and digest cannot be null",
    "InvalidImageDigest": "Invalid request parameters: image digest should satisfy the regex "
    "'[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
    "InvalidImageTag": "Invalid request parameters: image tag should satisfy the regex "
    "'[a-zA-Z0-9_][a-zA-Z0-9._-]{0,299}'",
    "ImageTagDoesNotMatchDigest": "Requested image tag does not match the image digest",
}


def fault(wanted: Params) -> str:
    """What is wrong with an image's id by itself; empty where nothing is."""
    tag, digest = wanted.get("imageTag"), wanted.get("imageDigest")
    if tag is None and digest is None:
        return "MissingDigestAndTag"
    if digest is not None and not is_digest(digest):
        return "InvalidImageDigest"
    return "" if tag is None or is_tag(tag) else "InvalidImageTag"


def failure(wanted: Params, code: str, reason: str = "") -> Output:
    """One entry of a batch's failures."""
    return {"imageId": dict(wanted), "failureCode": code, "failureReason": reason or _REASONS[code]}
