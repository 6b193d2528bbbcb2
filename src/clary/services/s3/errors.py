"""S3's refusals beyond those of the store, in S3's words
(https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList)."""

from __future__ import annotations

from email.utils import format_datetime

from clary.errors import AWSError
from clary.objects.errors import NoSuchKey
from clary.objects.model import DeleteMarker, ObjectInfo


def invalid_argument(message: str, name: str, value: str | None) -> AWSError:
    """An argument outside its range; None: one that is missing, or must not be there."""
    said = {} if value is None else {"ArgumentValue": value}
    return AWSError("InvalidArgument", message, members={"ArgumentName": name, **said})


def invalid_request(message: str) -> AWSError:
    """Arguments that do not go together."""
    return AWSError("InvalidRequest", message)


def access_denied() -> AWSError:
    """Another account's bucket."""
    return AWSError("AccessDenied", "Access Denied", status=403)


def wrong_key() -> AWSError:
    """A customer's key that is not the object's."""
    what = "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key."
    return AWSError("AccessDenied", what, status=403)


def malformed_xml() -> AWSError:
    """A document that is XML, but not the one wanted."""
    what = "The XML you provided was not well-formed or did not validate against our published schema"
    return AWSError("MalformedXML", what)


def not_implemented(header: str, more: str = "") -> AWSError:
    """A header whose meaning would be lost."""
    what = "A header you provided implies functionality that is not implemented"
    members = {"Header": header, **({"additionalMessage": more} if more else {})}
    return AWSError("NotImplemented", what, status=501, members=members)


def conflict(key: str, condition: str) -> AWSError:
    """A conditional request that something else has come before."""
    what = "The conditional request cannot succeed due to a conflicting operation against this resource."
    return AWSError("ConditionalRequestConflict", what, status=409, members={"Condition": condition, "Key": key})


def not_modified(info: ObjectInfo) -> AWSError:
    """What the client has is what there is; a cache learns from the headers which one that is (RFC 9110, 15.4.5)."""
    headers = {"etag": f'"{info.etag}"', "last-modified": format_datetime(info.modified, usegmt=True)}
    return AWSError("NotModified", "Not Modified", status=304, headers=headers)


def precondition_failed(condition: str) -> AWSError:
    """A conditional request whose condition (`If-Match`, …) does not hold."""
    what = "At least one of the pre-conditions you specified did not hold"
    return AWSError("PreconditionFailed", what, status=412, members={"Condition": condition})


def no_such_version(key: str, version: str) -> AWSError:
    """A version that the object does not have."""
    members = {"Key": key, "VersionId": version}
    return AWSError("NoSuchVersion", "The specified version does not exist.", status=404, members=members)


def no_such_key(key: str, marker: DeleteMarker | None = None) -> NoSuchKey:
    """The object is not there; where a delete marker says so, the answer's headers do."""
    error = NoSuchKey(key)
    if marker is not None:
        error.headers = _of_marker(marker)
    return error


def delete_marker_refused(marker: DeleteMarker, method: str) -> AWSError:
    """A delete marker can only be deleted."""
    what = "The specified method is not allowed against this resource."
    members = {"Method": method, "ResourceType": "DeleteMarker"}
    moment = format_datetime(marker.modified, usegmt=True)
    headers = {**_of_marker(marker), "allow": "DELETE", "last-modified": moment}
    return AWSError("MethodNotAllowed", what, status=405, members=members, headers=headers)


def _of_marker(marker: DeleteMarker) -> dict[str, str]:
    return {"x-amz-delete-marker": "true", "x-amz-version-id": marker.version}


def key_too_long(size: int, limit: int) -> AWSError:
    """A key of more bytes than S3 allows."""
    members = {"Size": str(size), "MaxSizeAllowed": str(limit)}
    return AWSError("KeyTooLongError", "Your key is too long", members=members)


def invalid_bucket_name(name: str) -> AWSError:
    """A name that no bucket can have."""
    return AWSError("InvalidBucketName", "The specified bucket is not valid.", members={"BucketName": name})


def not_configured(code: str, message: str, bucket: str) -> AWSError:
    """A subresource that the bucket does not have."""
    return AWSError(code, message, status=404, members={"BucketName": bucket})
