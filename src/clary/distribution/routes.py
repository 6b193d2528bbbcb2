"""What a path of the protocol names. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from clary.wire.directory import bucket_of_host
from clary.wire.http import HttpRequest

Kind = Literal["base", "catalog", "tags", "manifest", "blob", "uploads", "upload", "referrers"]

_PATHS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("base", re.compile(r"/v2/?")),
    ("catalog", re.compile(r"/v2/_catalog")),
    ("tags", re.compile(r"/v2/(?P<name>.+)/tags/list")),
    ("manifest", re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)")),
    ("uploads", re.compile(r"/v2/(?P<name>.+)/blobs/uploads/?")),
    ("upload", re.compile(r"/v2/(?P<name>.+)/blobs/uploads/(?P<reference>[^/]+)")),
    ("blob", re.compile(r"/v2/(?P<name>.+)/blobs/(?P<reference>[^/]+)")),
    ("referrers", re.compile(r"/v2/(?P<name>.+)/referrers/(?P<reference>[^/]+)")),
)
_HOST = re.compile(r"(?P<account>\d{12})\.dkr\.ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?")
_SIGNED = ("AWS4-", "AWS ")
_PRESIGNED = ("X-Amz-Signature", "X-Amz-Algorithm", "Signature")


@dataclass(frozen=True)
class Place:
    """What is asked for: `reference` is a tag, a digest or an upload's id."""

    kind: Kind
    name: str = ""
    reference: str = ""


def is_for_registry(request: HttpRequest) -> bool:
    """Whether a request speaks this protocol: `/v2/…` with no signature of AWS's (API Gateway has paths that begin
    alike), and no bucket or API in the host."""
    if request.raw_path != "/v2" and not request.raw_path.startswith("/v2/"):
        return False
    if request.headers.get("authorization", "").startswith(_SIGNED):
        return False
    presigned = any(name in request.query_map for name in _PRESIGNED)
    return not presigned and bucket_of_host(request.headers.get("host", "")) is None


def place_of(path: str) -> Place | None:
    """The place of a path, or None."""
    for kind, pattern in _PATHS:
        found = pattern.fullmatch(path)
        if found:
            return Place(kind, **found.groupdict())
    return None


def registry_of_host(host: str) -> tuple[str, str] | None:
    """Account and region of a registry's host name; None for any other."""
    found = _HOST.fullmatch(host.partition(":")[0].lower())
    return (found["account"], found["region"]) if found else None


def upload_path(name: str, upload: str) -> str:
    """Where an upload goes on."""
    return f"/v2/{name}/blobs/uploads/{upload}"
