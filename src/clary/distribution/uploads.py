"""Pushing layers: at once, in chunks, taken up again, or mounted from another repository.

What has arrived counts, also of a chunk that was cut off: the client asks how far it came, and goes on from there.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from clary.distribution import blobs
from clary.distribution.asking import Asker
from clary.distribution.refusals import VERSION, bad_digest, no_upload, unsupported, upload_range, wrong_range
from clary.distribution.routes import Place, upload_path
from clary.errors import AWSError
from clary.gateway.incoming import ClientGone, Incoming
from clary.gateway.streamed import chunks
from clary.objects import Intake, ObjectReader
from clary.objects.checksums import Digest
from clary.objects.model import ObjectInfo, Received
from clary.services.ecr.names import is_digest
from clary.wire.http import HttpRequest, HttpResponse

LAYER_BYTES = 52_000 * 2**20
"""The largest layer, as on AWS (https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html)."""

_CONTENT_RANGE = re.compile(r"(?:bytes[ =])?(\d{1,18})-(\d{1,18})(?:/.*)?")


@dataclass(frozen=True)
class Pushing:
    """What answers all of it."""

    objects: ObjectReader
    intake: Intake

    async def begin(self, asker: Asker, place: Place, request: HttpRequest, incoming: Incoming) -> HttpResponse:
        """POST: an upload is begun; with `digest` it is done at once, with `mount` nothing is sent at all."""
        if request.method != "POST":
            raise unsupported(request.method)
        query = request.query_map
        source = self._mountable(asker, query.get("mount", ""), query.get("from", ""))
        upload = await self._initiate(asker, place.name)
        if source is not None:
            await self._append(asker, place.name, upload, 0, await self.intake.linked(source))
            return await _complete(asker, place.name, upload, query["mount"])
        if "digest" not in query:
            return _going_on(202, place.name, upload, 0)
        _check(query["digest"])
        await self._take(asker, place.name, upload, 0, incoming)
        return await _complete(asker, place.name, upload, query["digest"])

    async def go_on(self, asker: Asker, place: Place, request: HttpRequest, incoming: Incoming) -> HttpResponse:
        """GET, PATCH, PUT and DELETE of an upload."""
        name, upload = place.name, place.reference
        if request.method == "DELETE":
            if not (await asker.question("abandon-upload", name, upload))["there"]:
                raise no_upload(upload)
            return HttpResponse(204, dict(VERSION))
        if request.method not in ("GET", "PATCH", "PUT"):
            raise unsupported(request.method)
        received = (await asker.question("upload", name, upload))["received"]
        if received is None:
            raise no_upload(upload)
        if request.method == "GET":
            return _going_on(204, name, upload, received)
        _check_follows(request, name, upload, received)
        if request.method == "PATCH":
            received += await self._take(asker, name, upload, received, incoming)
            return _going_on(202, name, upload, received)
        digest = request.query_map.get("digest", "")
        _check(digest)
        await self._take(asker, name, upload, received, incoming)
        return await _complete(asker, name, upload, digest)

    def _mountable(self, asker: Asker, digest: str, source: str) -> ObjectInfo | None:
        """The layer, where the principal may read it there; the client pushes it otherwise."""
        if not source or not is_digest(digest):
            return None
        try:
            asker.authorise("GetDownloadUrlForLayer", source)
        except AWSError:
            return None
        return blobs.find(asker, self.objects, source, digest)

    async def _initiate(self, asker: Asker, name: str) -> str:
        begun = await asker.ask("InitiateLayerUpload", {"repositoryName": name})
        return str(begun["uploadId"])

    async def _take(self, asker: Asker, name: str, upload: str, first: int, incoming: Incoming) -> int:
        """Keep the body as the upload's next part; how many bytes it had. Raises what cut it off, after keeping it."""
        cut: list[Exception] = []
        digest = Digest("SHA256", alone=True)
        body = await self.intake.take(_until_cut(chunks(incoming), cut), digest, LAYER_BYTES - first)
        if body["size"]:
            await self._append(asker, name, upload, first, body)
        else:
            self.intake.forget(body)
        if cut:
            raise cut[0]
        return body["size"]

    async def _append(self, asker: Asker, name: str, upload: str, first: int, body: Received) -> None:
        params: dict[str, Any] = {
            "repositoryName": name,
            "uploadId": upload,
            "partFirstByte": first,
            "partLastByte": first + body["size"] - 1,
            "layerPartBlob": dict(body),
        }
        try:
            await asker.ask("UploadLayerPart", params)
        except AWSError as error:
            if error.code != "InvalidLayerPartException":
                raise
            received = (await asker.question("upload", name, upload))["received"] or 0
            raise wrong_range(upload_path(name, upload), received) from None


async def _until_cut(chunks: AsyncIterator[bytes], cut: list[Exception]) -> AsyncIterator[bytes]:
    """The chunks until the client hangs up or falls silent: what came is whole as far as it goes."""
    try:
        async for chunk in chunks:
            yield chunk
    except (ClientGone, AWSError) as reason:
        cut.append(reason)


def _check(digest: str) -> None:
    if not is_digest(digest):
        raise bad_digest(digest)


def _check_follows(request: HttpRequest, name: str, upload: str, received: int) -> None:
    said = request.headers.get("content-range")
    if said is None:
        return
    found = _CONTENT_RANGE.fullmatch(said)
    if found is None or int(found[1]) != received:
        raise wrong_range(upload_path(name, upload), received)


def _going_on(status: int, name: str, upload: str, received: int) -> HttpResponse:
    headers = {"location": upload_path(name, upload), "range": upload_range(received), "docker-upload-uuid": upload}
    return HttpResponse(status, {**headers, **VERSION})


async def _complete(asker: Asker, name: str, upload: str, digest: str) -> HttpResponse:
    params = {"repositoryName": name, "uploadId": upload, "layerDigests": [digest]}
    try:
        await asker.ask("CompleteLayerUpload", params)
    except AWSError as error:
        if error.code != "LayerAlreadyExistsException":  # what is wanted is so
            raise
    headers = {"location": f"/v2/{name}/blobs/{digest}", "docker-content-digest": digest, **VERSION}
    return HttpResponse(201, headers)
