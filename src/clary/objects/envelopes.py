"""Objects under data keys that KMS encrypts: SSE-KMS, DSSE-KMS
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html).

What is asked of KMS for an object, and what its answer means. It is asked as whoever writes or reads the object: by the
edge through control, by control and for jobs as an operation.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from clary.calls import Call, Door, Principal
from clary.errors import AWSError
from clary.objects.model import Attributes, Bucket, Envelope
from clary.objects.sealing import KEY_BYTES

KMS = "aws:kms"
DSSE = "aws:kms:dsse"
"""In two layers, each under a key of its own."""

SETTING = "Encryption"
"""The setting of a bucket that says what its objects are encrypted by."""

_DEFAULT_KEY = "alias/aws/s3"
_OURS = 500
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})


@dataclass(frozen=True)
class Wanted:
    """An encryption by KMS, as a write asks for it, or a bucket for all."""

    kind: str
    key: str = ""
    """Id, ARN or alias; empty: the one that AWS manages for S3."""
    bucket_key: bool = False
    context: str = ""
    """As the header brings it, base64 of a JSON object."""


@dataclass(frozen=True)
class DataKey:
    """The key of an object's files, for as long as they are written or read; and what is kept of it."""

    plain: bytes = field(repr=False)
    envelope: Envelope


@dataclass(frozen=True)
class Question:
    """What KMS is to be asked, and what its answer means."""

    call: Call
    answer: Callable[[Mapping[str, Any]], DataKey]


def rule_of(bucket: Bucket) -> Mapping[str, Any]:
    """The bucket's one rule, empty where none was put."""
    rules = bucket.settings.get(SETTING, {}).get("Rules") or [{}]
    rule: Mapping[str, Any] = rules[0]
    return rule


def of_bucket(bucket: Bucket) -> Wanted | None:
    """For objects whose writers say nothing; None where they are encrypted by S3 itself."""
    rule = rule_of(bucket)
    default = rule.get("ApplyServerSideEncryptionByDefault") or {}
    if default.get("SSEAlgorithm") not in (KMS, DSSE):
        return None
    return Wanted(default["SSEAlgorithm"], default.get("KMSMasterKeyID") or "", bool(rule.get("BucketKeyEnabled")))


def generation(who: Principal, bucket: Bucket, key: str, wanted: Wanted) -> Question:
    """A new data key for the object `key`."""
    if wanted.kind == DSSE:
        wanted = replace(wanted, bucket_key=False)  # it has none
    headers = {
        "ServerSideEncryption": wanted.kind,
        "BucketKeyEnabled": "true" if wanted.bucket_key else "",
        "SSEKMSEncryptionContext": wanted.context,
    }
    size = 2 * KEY_BYTES if wanted.kind == DSSE else KEY_BYTES
    asked = {"KeyId": wanted.key or _DEFAULT_KEY, "NumberOfBytes": size}

    def answer(output: Mapping[str, Any]) -> DataKey:
        said = {name: text for name, text in {**headers, "SSEKMSKeyId": output["KeyId"]}.items() if text}
        wrapped = base64.b64encode(output["CiphertextBlob"]).decode()
        return DataKey(output["Plaintext"], Envelope(wrapped=wrapped, headers=said))

    return Question(_call(who, bucket, "GenerateDataKey", {**asked, **_bound(bucket, key, headers)}), answer)


def opening(who: Principal, bucket: Bucket, key: str, kept: Attributes) -> Question:
    """The data key of the object `key`, or of an upload that becomes it."""
    asked = {"CiphertextBlob": base64.b64decode(kept.wrapped), **_bound(bucket, key, kept.headers)}

    def answer(output: Mapping[str, Any]) -> DataKey:
        return DataKey(output["Plaintext"], Envelope(wrapped=kept.wrapped, headers=dict(kept.headers)))

    return Question(_call(who, bucket, "Decrypt", asked), answer)


def ask(question: Question, invoke: Callable[[Call], Mapping[str, Any]]) -> DataKey:
    """The answer. Raises what KMS does, in S3's words."""
    try:
        return question.answer(invoke(question.call))
    except AWSError as error:
        raise _refusal(error) from None


async def ask_through(question: Question, door: Door) -> DataKey:
    """As `ask`."""
    try:
        return question.answer(await door(question.call))
    except AWSError as error:
        raise _refusal(error) from None


def enveloped(attributes: Attributes, envelope: Envelope | None) -> Attributes:
    """With what is kept of the data key."""
    if envelope is None:
        return attributes
    return replace(attributes, wrapped=envelope["wrapped"], headers={**attributes.headers, **envelope["headers"]})


def context_of(text: str) -> dict[str, str]:
    """The pairs of an encryption context as its header brings them. Raises ValueError."""
    try:
        found = json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, RecursionError) as error:
        raise ValueError("no JSON") from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError("no map of strings")
    json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
    return found


def _bound(bucket: Bucket, key: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """The encryption context: the object, or its bucket where that has a key for all; unless the request says it."""
    arn = f"arn:aws:s3:::{bucket.name}" + ("" if headers.get("BucketKeyEnabled") else f"/{key}")
    own = headers.get("SSEKMSEncryptionContext")
    return {"EncryptionContext": {"aws:s3:arn": arn, **(context_of(own) if own else {})}}


def _call(who: Principal, bucket: Bucket, operation: str, params: dict[str, Any]) -> Call:
    """In the bucket's region, by way of S3."""
    return Call(who, "kms", operation, params, bucket.region, parent=f"s3.{bucket.region}.amazonaws.com")


def _refusal(error: AWSError) -> AWSError:
    """As S3 says what KMS does."""
    if error.status >= _OURS:
        return error
    if error.code in _DENIED:
        return AWSError("AccessDenied", error.message, status=403)
    return AWSError(f"KMS.{error.code}", error.message)
