"""Refusals in the words of the distribution protocol
(https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from clary.errors import AWSError
from clary.wire.http import HttpResponse

VERSION = {"docker-distribution-api-version": "registry/2.0"}
"""A header of every answer, by which clients know a registry."""


class Refused(Exception):
    """An answer that is a refusal."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


_OF_ECR: Mapping[str, tuple[int, str]] = {
    "413": (413, "SIZE_INVALID"),
    "AccessDeniedException": (403, "DENIED"),
    "EmptyUploadException": (400, "BLOB_UPLOAD_INVALID"),
    "EntityTooLarge": (413, "SIZE_INVALID"),
    "ImageDigestDoesNotMatchException": (400, "DIGEST_INVALID"),
    "ImageNotFoundException": (404, "MANIFEST_UNKNOWN"),
    "ImageTagAlreadyExistsException": (400, "TAG_INVALID"),
    "InvalidLayerException": (400, "DIGEST_INVALID"),
    "InvalidLayerPartException": (416, "BLOB_UPLOAD_INVALID"),
    "InvalidParameterException": (400, "MANIFEST_INVALID"),
    "LayersNotFoundException": (404, "MANIFEST_BLOB_UNKNOWN"),
    "ReferencedImagesNotFoundException": (404, "MANIFEST_BLOB_UNKNOWN"),
    "RepositoryNotFoundException": (404, "NAME_UNKNOWN"),
    "ServiceUnavailable": (503, "UNAVAILABLE"),
    "UploadNotFoundException": (404, "BLOB_UPLOAD_UNKNOWN"),
    "ValidationException": (400, "NAME_INVALID"),
}


def worded(error: AWSError) -> Refused:
    """ECR's refusal as the protocol says it."""
    status, code = _OF_ECR.get(error.code, (error.status, "UNKNOWN"))
    return Refused(status, code, error.message)


def response(refused: Refused) -> HttpResponse:
    """The answer."""
    body = json.dumps({"errors": [{"code": refused.code, "message": refused.message}]}).encode()
    return HttpResponse(refused.status, {"content-type": "application/json", **VERSION, **refused.headers}, body)


def unauthorized(host: str) -> Refused:
    """Who has not said who it is is asked."""
    realm = {"www-authenticate": f'Basic realm="https://{host}/",service="ecr.amazonaws.com"'}
    return Refused(401, "UNAUTHORIZED", "Not Authorized", realm)


def wrong_password() -> Refused:
    """A password that is none, or no longer."""
    return Refused(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")


def no_such_path() -> Refused:
    """Nothing of the protocol."""
    return Refused(404, "UNSUPPORTED", "There is nothing here.")


def unsupported(method: str) -> Refused:
    """A method that the path does not know, or this registry does not offer."""
    return Refused(405, "UNSUPPORTED", f"The operation {method} is unsupported.")


def no_space() -> Refused:
    """The disk is full: nothing of this request was kept, and it may be made again. The protocol has no code for it."""
    return Refused(507, "UNKNOWN", "No space is left on the disk where Clary keeps its data")


def bad_digest(digest: str) -> Refused:
    """Not a digest that this registry can check."""
    return Refused(400, "DIGEST_INVALID", f"Invalid digest '{digest}': it should be sha256 and 64 hexadecimal digits")


def no_blob(digest: str) -> Refused:
    """The layer is not there."""
    return Refused(404, "BLOB_UNKNOWN", f"The layer with digest '{digest}' does not exist")


def no_upload(upload: str) -> Refused:
    """The upload is not there."""
    return Refused(404, "BLOB_UPLOAD_UNKNOWN", f"The upload with ID '{upload}' does not exist")


def wrong_range(location: str, received: int) -> Refused:
    """A chunk that does not follow the last byte: where to go on."""
    headers = {"location": location, "range": upload_range(received)}
    return Refused(416, "BLOB_UPLOAD_INVALID", f"The chunk must begin at byte {received}", headers)


def upload_range(received: int) -> str:
    """`Range` of an upload: of its first and last byte; as the protocol has it, `0-0` where there is none."""
    return f"0-{max(received - 1, 0)}"
