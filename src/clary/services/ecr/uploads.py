"""Uploads of layers, part by part
(https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_InitiateLayerUpload.html).

A part is an object of its own; the upload's row lists them in order. An upload of one part, whose digest was
calculated while it arrived, becomes a layer by a second name for its file; parts of others are joined.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from clary.errors import AWSError
from clary.objects.body import receive_bytes
from clary.objects.model import ObjectInfo, Received
from clary.services.context import Context
from clary.services.ecr.errors import (
    empty_upload,
    invalid,
    layer_exists,
    no_upload,
    wrong_layer_digest,
    wrong_part,
)
from clary.services.ecr.layer_store import ALGORITHM, LayerStore, digest_from, digest_of, file_of
from clary.services.ecr.names import is_digest, layer_key, upload_key
from clary.services.ecr.rows import named, repository_key, require_repository, still_there
from clary.services.ecr.service import SERVICE
from clary.services.resources import Output, Params, now
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.objects import ObjectStore
    from clary.store import Store
    from clary.store.transaction import Transaction

PART_BYTES = 20 * 2**20
"""What AWS recommends for a part of UploadLayerPart; the registry's own parts may be of any size."""


@SERVICE.operation("InitiateLayerUpload")
def initiate(context: Context, params: Params) -> Output:
    """Raises RepositoryNotFoundException."""
    repository = repository_key(context, params)
    LayerStore(context.objects).ensure()
    upload, made = str(uuid.uuid4()), now()
    row = Row(upload_key(repository, upload), "", "", made, made, {"size": 0, "parts": []}, parent=repository.name)

    def change(transaction: Transaction) -> None:
        still_there(transaction, repository)
        transaction.insert(row)

    context.store.write(change)
    return {"uploadId": upload, "partSize": PART_BYTES}


@SERVICE.operation("UploadLayerPart")
def upload_part(context: Context, params: Params) -> Output:
    """The bytes have been received; they count once the row lists them.

    Raises RepositoryNotFoundException, UploadNotFoundException, InvalidLayerPartException.
    """
    body, layers = _received(context, params), LayerStore(context.objects)
    try:
        upload = _require(context, params)
        if params["partLastByte"] - params["partFirstByte"] + 1 != body["size"]:
            raise invalid("partLastByte", "must be the first byte and the part's length less one")
    except AWSError:
        context.objects.files.remove(body["file"])
        raise
    part = layers.put_part(upload.key.name, params["partFirstByte"], body)
    try:
        received = context.store.write(lambda transaction: _append(transaction, upload.key, params, part, body["size"]))
    except AWSError:
        layers.remove_part(part)
        raise
    return {**_shown(context, params), "lastByteReceived": received - 1}


def _received(context: Context, params: Params) -> Received:
    """As it was taken in at the edge; one given as bytes is taken in here."""
    body = params["layerPartBlob"]
    if isinstance(body, bytes):
        return receive_bytes(context.objects.files, body, ALGORITHM)
    received: Received = body
    return received


def _append(transaction: Transaction, key: Key, params: Params, part: str, size: int) -> int:
    """How many bytes there are then."""
    row = transaction.get(key)
    repository = Key("", key.account, key.region, params["repositoryName"])
    if row is None:
        raise no_upload(repository, key.name)
    if row.spec["size"] != params["partFirstByte"]:
        raise wrong_part(repository, key.name, row.spec["size"])
    spec = {"size": row.spec["size"] + size, "parts": [*row.spec["parts"], part]}
    transaction.save(replace(row, spec=spec, modified=now()))
    return int(spec["size"])


@SERVICE.operation("CompleteLayerUpload")
def complete(context: Context, params: Params) -> Output:
    """Raises RepositoryNotFoundException, UploadNotFoundException, EmptyUploadException, InvalidLayerException,
    LayerAlreadyExistsException, InvalidParameterException; the upload is over except after the last."""
    digest = params["layerDigests"][0]
    if len(params["layerDigests"]) != 1 or not is_digest(digest):
        raise invalid("layerDigests", "must be one digest 'sha256:[0-9a-f]{64}'")
    upload = _require(context, params)
    repository = repository_key(context, params)
    if not upload.spec["size"]:
        raise empty_upload(repository, upload.key.name)
    layers = LayerStore(context.objects)
    try:
        if context.store.read.get(layer_key(repository, digest)) is not None:
            raise layer_exists(repository, digest)
        layer = _layer(layers, repository, upload, digest)
        _enter(context, layers, repository, digest, layer)
    finally:
        _end(context, layers, upload.key)
    return {**_shown(context, params), "layerDigest": digest}


def _layer(layers: LayerStore, repository: Key, upload: Row, digest: str) -> ObjectInfo:
    """The layer's object, of exactly that digest. Raises InvalidLayerException, UploadNotFoundException."""
    parts = [part for key in upload.spec["parts"] if (part := layers.part(key)) is not None]
    if len(parts) != len(upload.spec["parts"]):
        raise no_upload(repository, upload.key.name)  # somebody else ends it at this very moment
    if len(parts) == 1 and (known := digest_of(parts[0])) is not None:
        _check(digest, known)
        return layers.put_copy(repository, digest, parts[0])
    body = layers.joined(parts)
    try:
        _check(digest, digest_from(body["checksums"][ALGORITHM]))
    except AWSError:
        layers.discard(body)
        raise
    return layers.put(repository, digest, body)


def _check(digest: str, computed: str) -> None:
    if digest != computed:
        raise wrong_layer_digest(digest, computed)


def _enter(context: Context, layers: LayerStore, repository: Key, digest: str, layer: ObjectInfo) -> None:
    key, made = layer_key(repository, digest), now()
    spec = {"size": layer.size, "file": file_of(layer)}

    def change(transaction: Transaction) -> None:
        still_there(transaction, repository)
        there = transaction.get(key)
        if there is None:
            transaction.insert(Row(key, "", "", made, made, spec, parent=repository.name))
        else:  # pushed twice at once: both are the same bytes
            transaction.save(replace(there, spec=spec, modified=made))

    try:
        context.store.write(change)
    except AWSError:
        layers.remove(repository, digest, file_of(layer))
        raise


def _end(context: Context, layers: LayerStore, upload: Key) -> None:
    context.store.write(lambda transaction: transaction.delete(upload))
    layers.remove_parts(upload.name)


def _require(context: Context, params: Params) -> Row:
    """The upload that the request names. Raises RepositoryNotFoundException, UploadNotFoundException."""
    repository = require_repository(context, params).key
    row = context.store.read.get(upload_key(repository, params["uploadId"]))
    if row is None or row.parent != repository.name:
        raise no_upload(repository, params["uploadId"])
    return row


def _shown(context: Context, params: Params) -> dict[str, str]:
    return {**named(repository_key(context, params)), "uploadId": params["uploadId"]}


def received(store: Store, repository: Key, upload: str) -> int | None:
    """How many bytes of an upload there are; None where there is no such upload."""
    row = store.read.get(upload_key(repository, upload))
    return None if row is None or row.parent != repository.name else int(row.spec["size"])


def abandon(store: Store, objects: ObjectStore, repository: Key, upload: str) -> bool:
    """Drop an upload with its parts; False where it is not there."""
    if received(store, repository, upload) is None:
        return False
    store.write(lambda transaction: transaction.delete(upload_key(repository, upload)))
    LayerStore(objects).remove_parts(upload)
    return True
