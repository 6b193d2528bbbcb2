"""The code that a request brings, inline or in S3, checked and kept
(https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCode.html)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from clary.calls import Access
from clary.errors import AWSError
from clary.objects.model import ObjectInfo, Version
from clary.objects.version_ids import BadVersionId
from clary.services.context import Context
from clary.services.lambda_.errors import invalid, too_large
from clary.services.s3.data_keys import opened_object
from clary.workload.functions.code import CodeStore
from clary.workload.functions.code import too_large as unzips_too_large
from clary.workload.functions.zips import UNZIPPED_BYTES, BadZip

INLINE_BYTES = 52_428_800
"""Of a zip in the request itself."""

_FROM_S3_BYTES = UNZIPPED_BYTES
_MEMBERS = ("S3Bucket", "S3Key")


def store_of(context: Context) -> CodeStore:
    """Where code is kept."""
    return CodeStore(context.settings.functions_dir)


def keep(context: Context, code: dict[str, Any], layers: Sequence[str] = ()) -> str:
    """Keep what the request brings; its digest. `layers` (digests) count towards the size that it has unzipped.

    Raises InvalidParameterValueException, AccessDenied.
    """
    store = store_of(context)
    digest = store.put(_pieces(context, code))
    _check(store, [digest, *layers])
    return digest


def _pieces(context: Context, code: dict[str, Any]) -> Iterator[bytes]:
    if code.get("ZipFile"):
        if len(code["ZipFile"]) > INLINE_BYTES:
            raise too_large(f"Zipped size must be smaller than {INLINE_BYTES} bytes")
        return iter([code["ZipFile"]])
    if not all(code.get(member) for member in _MEMBERS):
        raise invalid("Please provide a source for function code.")
    return _from_s3(context, code["S3Bucket"], code["S3Key"], code.get("S3ObjectVersion"))


def _from_s3(context: Context, bucket: str, key: str, version: str | None) -> Iterator[bytes]:
    """With the caller's own rights, as on AWS."""
    right = "s3:GetObjectVersion" if version else "s3:GetObject"
    context.authorise(Access(right, f"arn:aws:s3:::{bucket}/{key}"))
    said = "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}"
    if context.objects.get_bucket(bucket) is None:
        raise invalid(said.format("NoSuchBucket", "The specified bucket does not exist"))
    info = _version(context, bucket, key, version) if version else context.objects.head(bucket, key)
    if not isinstance(info, ObjectInfo):
        missing = ("NoSuchVersion", "The specified version does not exist.")
        raise invalid(said.format(*(missing if version else ("NoSuchKey", "The specified key does not exist."))))
    if info.size > _FROM_S3_BYTES:
        raise invalid(f"Unzipped size must be smaller than {UNZIPPED_BYTES} bytes")
    return context.objects.read(info, _data_key(context, info, said))


def _data_key(context: Context, info: ObjectInfo, said: str) -> bytes | None:
    """Where KMS has one. Raises InvalidParameterValueException."""
    try:
        return opened_object(context, info)
    except AWSError as error:
        raise invalid(said.format(error.code, error.message)) from None


def _version(context: Context, bucket: str, key: str, version: str) -> Version | None:
    try:
        return context.objects.version(bucket, key, version)
    except BadVersionId:
        return None


def _check(store: CodeStore, digests: Sequence[str]) -> None:
    try:
        size = store.unzipped_bytes(digests)
    except BadZip:
        text = "Could not unzip uploaded file. Please check your file, then try to upload again."
        raise invalid(text) from None
    if unzips_too_large(size):
        raise invalid(f"Unzipped size must be smaller than {UNZIPPED_BYTES} bytes")
