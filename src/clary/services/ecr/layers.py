"""Layers: whether they are there, and where they are fetched from
(https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchCheckLayerAvailability.html)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from clary.identity.sealing import Sealer
from clary.services.context import Context
from clary.services.ecr.errors import no_layer
from clary.services.ecr.names import is_digest, layer_key, repository_arn
from clary.services.ecr.rows import require_repository
from clary.services.ecr.service import SERVICE
from clary.services.ecr.tokens import password
from clary.services.resources import Output, Params, now
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

MEDIA_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"

ASKED_AGAIN = timedelta(minutes=10)
"""A layer that somebody asked for longer ago is marked as asked for: who pushes an image relies on its answer."""

URL_SECONDS = 3600.0

_REASONS = {
    "InvalidLayerDigest": "Invalid layer digest: it should satisfy the regex 'sha256:[0-9a-f]{64}'",
    "MissingLayerDigest": "Layer digest cannot be null or empty",
}


@SERVICE.operation("BatchCheckLayerAvailability")
def availability(context: Context, params: Params) -> Output:
    """Raises RepositoryNotFoundException."""
    repository = require_repository(context, params).key
    layers, failures = [], []
    for digest in params["layerDigests"]:
        if not is_digest(digest):
            code = "InvalidLayerDigest" if digest else "MissingLayerDigest"
            failures.append({"layerDigest": digest, "failureCode": code, "failureReason": _REASONS[code]})
        else:
            layers.append(_available(context, repository, digest))
    return {"layers": layers, "failures": failures}


def _available(context: Context, repository: Key, digest: str) -> Output:
    row = context.store.read.get(layer_key(repository, digest))
    if row is not None and now() - row.modified > ASKED_AGAIN:
        row = _ask_for(context, row)
    if row is None:
        return {"layerDigest": digest, "layerAvailability": "UNAVAILABLE"}
    return {
        "layerDigest": digest,
        "layerAvailability": "AVAILABLE",
        "layerSize": row.spec["size"],
        "mediaType": MEDIA_TYPE,
    }


def _ask_for(context: Context, row: Row) -> Row | None:
    """Mark it as asked for: then it stays for a while, even if no image needs it."""

    def change(transaction: Transaction) -> Row | None:
        current = transaction.get(row.key)
        return None if current is None else transaction.save(replace(current, modified=now()))

    return context.store.write(change)


@SERVICE.operation("GetDownloadUrlForLayer")
def download_url(context: Context, params: Params) -> Output:
    """A URL that whoever holds it may fetch this repository's layers by, for an hour.

    Raises RepositoryNotFoundException, LayersNotFoundException.
    """
    repository, digest = require_repository(context, params).key, params["layerDigest"]
    if context.store.read.get(layer_key(repository, digest)) is None:
        raise no_layer(repository, digest)
    principal = context.call.principal
    policies = (*principal.session_policies, _only_layers(repository, widen=not principal.session_policies))
    issued = Sealer.of(context.settings.data_dir).issue(principal, URL_SECONDS, policies=policies)
    token = password(issued.access_key_id, issued.session_token)
    url = f"{context.settings.endpoint_url}/v2/{repository.name}/blobs/{digest}?token={token}"
    return {"downloadUrl": url, "layerDigest": digest}


def _only_layers(repository: Key, *, widen: bool) -> str:
    """A session policy that leaves nothing but this repository's layers. What several policies of a session allow adds
    up, what one denies is denied: beside others it must allow nothing."""
    action = "ecr:GetDownloadUrlForLayer"
    resource = repository_arn(repository.region, repository.account, repository.name)
    denied = [
        {"Effect": "Deny", "NotAction": action, "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "NotResource": resource},
    ]
    allowed = [{"Effect": "Allow", "Action": action, "Resource": resource}] if widen else []
    return json.dumps({"Version": "2012-10-17", "Statement": [*denied, *allowed]})
