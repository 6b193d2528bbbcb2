"""Data keys of objects: which one a request needs, asked of KMS as whoever makes the request
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html)."""

from __future__ import annotations

from typing import Any

from clary.calls import Call
from clary.errors import AWSError
from clary.objects.envelopes import DataKey, Question, ask, ask_through, generation, opening
from clary.objects.errors import NoSuchUpload
from clary.objects.model import Attributes, Bucket, ObjectInfo
from clary.objects.reader import ObjectReader
from clary.services.context import Context, EdgeContext
from clary.services.s3.encryption import wanted_encryption
from clary.services.s3.errors import invalid_argument
from clary.services.s3.storage_classes import check_active

_V2 = "AWS"


def for_body(objects: ObjectReader, call: Call) -> Question | None:
    """What has to be asked before the body of a PutObject or an UploadPart is kept; None where KMS has no part in it,
    or there is nothing that the body could belong to. Raises InvalidArgument, AccessDenied."""
    params = call.params
    bucket = objects.get_bucket(params["Bucket"])
    if bucket is None:
        return None
    return _of_part(objects, call, bucket) if call.operation == "UploadPart" else for_object(call, bucket)


def _of_part(objects: ObjectReader, call: Call, bucket: Bucket) -> Question | None:
    params = call.params
    try:
        upload = objects.uploads.find(bucket.name, params["Key"], params["UploadId"])
    except NoSuchUpload:
        return None
    return kept(call, bucket, upload.key, upload.attributes)


def for_object(call: Call, bucket: Bucket) -> Question | None:
    """The data key for an object to be. Raises InvalidArgument, AccessDenied."""
    wanted = wanted_encryption(bucket, call.params)
    if wanted is None:
        return None
    _check_signed(call)
    return generation(call.principal, bucket, call.params["Key"], wanted)


def kept(call: Call, bucket: Bucket, key: str, attributes: Attributes) -> Question | None:
    """The data key of what is there; None where that has none. Raises InvalidArgument."""
    if not attributes.wrapped:
        return None
    _check_signed(call)
    return opening(call.principal, bucket, key, attributes)


def made_for(context: Context, bucket: Bucket) -> DataKey | None:
    """In control: as `for_object`. Raises what KMS does."""
    return answered(context, for_object(context.call, bucket))


def opened(context: Context, bucket: Bucket, key: str, attributes: Attributes) -> DataKey | None:
    """In control: as `kept`. Raises what KMS does."""
    return answered(context, kept(context.call, bucket, key, attributes))


def opened_object(context: Context, info: ObjectInfo) -> bytes | None:
    """In control: the data key of an object, for whoever reads it for the caller. Raises what KMS does, and
    Archived."""
    check_active(info)
    key = opened(context, context.objects.bucket(info.bucket), info.key, info.attributes)
    return key.plain if key else None


def answered(context: Context, question: Question | None) -> DataKey | None:
    """In control. Raises what KMS does."""
    return ask(question, context.invoke) if question else None


async def opened_at_edge(context: EdgeContext, bucket: Bucket, info: ObjectInfo) -> bytes:
    """The data key of an object that has one. Raises what KMS does."""
    key = await ask_through(opening(context.call.principal, bucket, info.key, info.attributes), context.control)
    return key.plain


def check_readable(context: EdgeContext, info: ObjectInfo) -> bool:
    """Whether KMS has to be asked before the object is read. Raises InvalidArgument where it would not answer."""
    if info.attributes.wrapped:
        _check_signed(context.call)
    return bool(info.attributes.wrapped)


def _check_signed(call: Call) -> None:
    """KMS answers nobody, and no signatures of the older kind."""
    version: Any = call.transport.get("s3:signatureversion")
    if call.principal.kind == "anonymous" or version == _V2:
        raise _unsigned()


def _unsigned() -> AWSError:
    what = "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4."
    return invalid_argument(what, "Authorization", "null")
