"""Layers: read from the object store's files at the edge, without control; whether they are there, ECR says."""

from __future__ import annotations

from clary.distribution.asking import Asker
from clary.distribution.refusals import VERSION, Refused, bad_digest, no_blob, unsupported
from clary.distribution.routes import Place
from clary.errors import AWSError
from clary.objects import ObjectReader
from clary.objects.model import ObjectInfo
from clary.services.ecr.names import BUCKET, is_digest, layer_object
from clary.services.s3.ranges import parse
from clary.wire.http import Extent, HttpRequest, HttpResponse

_TYPE = {"content-type": "application/octet-stream"}


async def answer(asker: Asker, objects: ObjectReader, place: Place, request: HttpRequest) -> HttpResponse:
    """GET and HEAD; layers that no image needs go by themselves. Raises Refused, AWSError."""
    if request.method not in ("GET", "HEAD"):
        raise unsupported(request.method)
    if not is_digest(place.reference):
        raise bad_digest(place.reference)
    if request.method == "HEAD":
        return await _head(asker, place)
    return await _get(asker, objects, place, request)


async def _head(asker: Asker, place: Place) -> HttpResponse:
    """Asked of control, which then keeps the layer for a while: a push that relies on the answer may follow."""
    wanted = {"repositoryName": place.name, "layerDigests": [place.reference]}
    layer = (await asker.ask("BatchCheckLayerAvailability", wanted))["layers"][0]
    if layer["layerAvailability"] != "AVAILABLE":
        raise no_blob(place.reference)
    return HttpResponse(200, {**_about(place.reference), "content-length": str(layer["layerSize"])})


async def _get(asker: Asker, objects: ObjectReader, place: Place, request: HttpRequest) -> HttpResponse:
    asker.authorise("GetDownloadUrlForLayer", place.name)
    info = find(asker, objects, place.name, place.reference)
    if info is None:
        raise await _why_not(asker, place)
    header = request.headers.get("range")
    bounds = parse(header, info.size) if header else None
    if bounds is None:
        return HttpResponse(200, _about(place.reference), Extent(objects.segments(info), info.size))
    first, end = bounds
    if first >= end:
        whole = {"content-range": f"bytes */{info.size}"}
        raise Refused(416, "RANGE_INVALID", "The range does not lie within the layer.", whole)
    headers = {**_about(place.reference), "content-range": f"bytes {first}-{end - 1}/{info.size}"}
    return HttpResponse(206, headers, Extent(objects.segments(info, first, end - first), end - first))


def find(asker: Asker, objects: ObjectReader, name: str, digest: str) -> ObjectInfo | None:
    """The layer's object, or None."""
    return objects.head(BUCKET, layer_object(asker.repository(name), digest))


def _about(digest: str) -> dict[str, str]:
    return {**_TYPE, "docker-content-digest": digest, "etag": f'"{digest}"', "accept-ranges": "bytes", **VERSION}


async def _why_not(asker: Asker, place: Place) -> Refused:
    """The layer is not there, or not even the repository."""
    try:
        await asker.ask("GetDownloadUrlForLayer", {"repositoryName": place.name, "layerDigest": place.reference})
    except AWSError as error:
        if error.code != "LayersNotFoundException":
            raise
    return no_blob(place.reference)
