"""Manifests by tag and by digest, the tags of a repository, and what says something of a manifest."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from clary.distribution.asking import Asker
from clary.distribution.refusals import VERSION, Refused, bad_digest, unsupported
from clary.distribution.routes import Place
from clary.errors import AWSError
from clary.gateway.incoming import Incoming
from clary.services.ecr.manifests import OCI_INDEX, BadManifest, read
from clary.services.ecr.names import is_digest
from clary.wire.http import HttpRequest, HttpResponse

MANIFEST_BYTES = 4 * 2**20
"""The longest manifest, as ECR's model has it."""

_PAGE = 1000
_NUMBER = re.compile(r"[0-9]{1,9}")
_NO_TYPES = frozenset({"", "application/json", "application/octet-stream"})


async def answer(asker: Asker, place: Place, request: HttpRequest, incoming: Incoming) -> HttpResponse:
    """GET, HEAD, PUT, DELETE. Raises Refused, AWSError, ClientGone."""
    if request.method in ("GET", "HEAD"):
        return await _get(asker, place, request)
    if request.method == "PUT":
        return await _put(asker, place, request, await incoming.read(MANIFEST_BYTES))
    if request.method == "DELETE":
        return await _delete(asker, place)
    raise unsupported(request.method)


def _image_id(reference: str) -> dict[str, str]:
    if ":" in reference and not is_digest(reference):
        raise bad_digest(reference)
    return {"imageDigest" if ":" in reference else "imageTag": reference}


async def _get(asker: Asker, place: Place, request: HttpRequest) -> HttpResponse:
    accepted = [each.partition(";")[0].strip() for each in request.headers.get("accept", "").split(",")]
    wanted = {"repositoryName": place.name, "imageIds": [_image_id(place.reference)]}
    types = [each for each in accepted if each]
    found = await asker.ask("BatchGetImage", {**wanted, **({"acceptedMediaTypes": types} if types else {})})
    if not found["images"]:
        raise _missing(found["failures"])
    image = found["images"][0]
    digest = image["imageId"]["imageDigest"]
    headers = {
        "content-type": image["imageManifestMediaType"],
        "docker-content-digest": digest,
        "etag": f'"{digest}"',
        **VERSION,
    }
    if digest in request.headers.get("if-none-match", ""):
        return HttpResponse(304, headers)
    return HttpResponse(200, headers, image["imageManifest"].encode())


def _missing(failures: Iterable[dict[str, Any]]) -> Refused:
    first = next(iter(failures))
    if first["failureCode"] == "ImageReferencedByManifestList":
        return Refused(403, "DENIED", first["failureReason"])
    if first["failureCode"].startswith("Invalid"):
        return Refused(400, "MANIFEST_INVALID", first["failureReason"])
    return Refused(404, "MANIFEST_UNKNOWN", first["failureReason"])


async def _put(asker: Asker, place: Place, request: HttpRequest, body: bytes) -> HttpResponse:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Refused(400, "MANIFEST_INVALID", "The manifest is not UTF-8.") from None
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    params = {"repositoryName": place.name, "imageManifest": text, **_image_id(place.reference)}
    if kind not in _NO_TYPES:
        params["imageManifestMediaType"] = kind
    try:
        await asker.ask("PutImage", params)
    except AWSError as error:
        if error.code != "ImageAlreadyExistsException":  # what is wanted is so
            raise
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    headers = {"location": f"/v2/{place.name}/manifests/{digest}", "docker-content-digest": digest, **VERSION}
    return HttpResponse(201, {**headers, **_subject(text, kind)})


def _subject(text: str, kind: str) -> dict[str, str]:
    """That the manifest's subject was understood: clients then need not keep a list of referrers by themselves."""
    try:
        subject = read(text, None if kind in _NO_TYPES else kind).subject
    except BadManifest:
        return {}
    return {"oci-subject": subject} if subject else {}


async def _delete(asker: Asker, place: Place) -> HttpResponse:
    wanted = {"repositoryName": place.name, "imageIds": [_image_id(place.reference)]}
    done = await asker.ask("BatchDeleteImage", wanted)
    if done["failures"]:
        raise _missing(done["failures"])
    return HttpResponse(202, dict(VERSION))


async def tags(asker: Asker, place: Place, request: HttpRequest) -> HttpResponse:
    """All tags in order; `n` at most, those behind `last`."""
    asked = {"repositoryName": place.name, "maxResults": _PAGE, "filter": {"tagStatus": "TAGGED"}}
    found = [each["imageTag"] for each in await _all(asker, "ListImages", asked, "imageIds")]
    return _listed("tags", {"name": place.name}, f"/v2/{place.name}/tags/list", found, request)


async def catalog(asker: Asker, request: HttpRequest) -> HttpResponse:
    """All repositories in order."""
    found = await _all(asker, "DescribeRepositories", {"maxResults": _PAGE}, "repositories")
    return _listed("repositories", {}, "/v2/_catalog", [each["repositoryName"] for each in found], request)


async def _all(asker: Asker, operation: str, params: dict[str, Any], member: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    token: str | None = None
    while True:
        page = await asker.ask(operation, {**params, **({"nextToken": token} if token else {})})
        found += page[member]
        token = page.get("nextToken")
        if token is None:
            return found


def _listed(member: str, more: dict[str, str], path: str, names: list[str], request: HttpRequest) -> HttpResponse:
    last, most = request.query_map.get("last", ""), request.query_map.get("n", "")
    rest = sorted(name for name in names if name > last)
    shown = rest[: int(most)] if _NUMBER.fullmatch(most) else rest
    headers = {"content-type": "application/json", **VERSION}
    if shown and len(shown) < len(rest):
        headers["link"] = f'<{path}?n={most}&last={quote(shown[-1])}>; rel="next"'
    return HttpResponse(200, headers, json.dumps({**more, member: shown}).encode())


async def referrers(asker: Asker, place: Place, request: HttpRequest) -> HttpResponse:
    """An index of the manifests whose subject is the one that is named; empty where there are none."""
    if not is_digest(place.reference):
        raise bad_digest(place.reference)
    params: dict[str, Any] = {"repositoryName": place.name, "subjectId": {"imageDigest": place.reference}}
    kind = request.query_map.get("artifactType")
    if kind:
        params["filter"] = {"artifactTypes": [kind]}
    found = await _all(asker, "ListImageReferrers", params, "referrers")
    listed = [{name: value for name, value in each.items() if name != "artifactStatus"} for each in found]
    headers = {"content-type": OCI_INDEX, **VERSION, **({"oci-filters-applied": "artifactType"} if kind else {})}
    body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}).encode()
    return HttpResponse(200, headers, body)
