"""Encryption as requests ask for it and answers tell of it
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html).

Objects of SSE-C are encrypted under the key that each request brings, those of SSE-KMS under data keys
(`services.s3.data_keys`). With S3's own encryption they lie as they came: the disk below is whoever's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clary.objects.customer_keys import customer_key
from clary.objects.envelopes import DSSE, KMS, Wanted, context_of, of_bucket, rule_of
from clary.objects.errors import ObjectSealed
from clary.objects.model import Attributes, Bucket, ObjectInfo, Upload
from clary.objects.sealing import is_marked
from clary.services.s3.errors import access_denied, invalid_argument, invalid_request, wrong_key

S3_MANAGED = "AES256"
BY_KMS = (KMS, DSSE)
BY_CUSTOMER = "SSE-C"

_HEADER = "x-amz-server-side-encryption"
_CONTEXT = "SSEKMSEncryptionContext"
_KEPT = ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled", _CONTEXT)


def wanted_encryption(bucket: Bucket, params: Mapping[str, Any]) -> Wanted | None:
    """What a write's headers ask of KMS, or the bucket's default does; None: it is not asked. Raises InvalidArgument,
    and AccessDenied where the bucket takes no objects with customers' keys."""
    kind, key = params.get("ServerSideEncryption"), params.get("SSEKMSKeyId")
    if params.get("SSECustomerAlgorithm") is not None:
        _check_customers(bucket, kind)
        return None
    if kind is None and key is None:
        return _by_default(bucket, params)
    if kind in (None, S3_MANAGED) and key is not None:
        what = "Server Side Encryption with AWS KMS managed key requires HTTP header "
        raise invalid_argument(f"{what}x-amz-server-side-encryption : aws:kms", _HEADER, kind or "null")
    if kind not in (S3_MANAGED, *BY_KMS):
        raise invalid_argument("The encryption method specified is not supported", _HEADER, kind)
    if kind == S3_MANAGED:
        return None
    return Wanted(kind, key or "", _bucket_key(bucket, params), _checked(params.get(_CONTEXT) or ""))


def _by_default(bucket: Bucket, params: Mapping[str, Any]) -> Wanted | None:
    default = of_bucket(bucket)
    if default is None:
        return None
    context = _checked(params.get(_CONTEXT) or "")
    return replace(default, bucket_key=_bucket_key(bucket, params), context=context)


def _bucket_key(bucket: Bucket, params: Mapping[str, Any]) -> bool:
    """As the request says, else as the bucket does."""
    said = params.get("BucketKeyEnabled")
    return bool(rule_of(bucket).get("BucketKeyEnabled") if said is None else said)


def _checked(context: str) -> str:
    """Raises InvalidArgument."""
    header = f"{_HEADER}-context"
    try:
        if context:
            context_of(context)
    except ValueError:
        what = f"The header '{header}' shall be Base64-encoded UTF-8 string holding JSON which represents a "
        raise invalid_argument(f"{what}string-string map", header, context) from None
    return context


def _check_customers(bucket: Bucket, kind: str | None) -> None:
    if kind is not None:
        what = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"
        raise invalid_argument(what, _HEADER, kind)
    if BY_CUSTOMER in (rule_of(bucket).get("BlockedEncryptionTypes") or {}).get("EncryptionType", []):
        raise access_denied()


def shown_encryption(attributes: Attributes) -> dict[str, Any]:
    """What answers tell of an object that is there. Every object without a customer's key has S3's own at least."""
    if _is_customers(attributes):
        return {}
    kept = {name: attributes.headers[name] for name in _KEPT if name in attributes.headers and name != _CONTEXT}
    flag = {"BucketKeyEnabled": True} if kept.get("BucketKeyEnabled") else {}
    return {"ServerSideEncryption": S3_MANAGED, **kept, **flag}


def encryption(attributes: Attributes, params: Mapping[str, Any]) -> dict[str, Any]:
    """What writes answer about encryption."""
    return {**shown_encryption(attributes), **(said_key(params) if _is_customers(attributes) else {})}


def new_encryption(attributes: Attributes, params: Mapping[str, Any]) -> dict[str, Any]:
    """What is answered to those that ask for it."""
    context = attributes.headers.get(_CONTEXT)
    return {**encryption(attributes, params), **({_CONTEXT: context} if context else {})}


def _is_customers(attributes: Attributes) -> bool:
    return bool(attributes.sealed) and not attributes.wrapped


def without_encryption(headers: Mapping[str, str]) -> dict[str, str]:
    """An object's headers but for those about encryption."""
    return {name: value for name, value in headers.items() if name not in _KEPT}


def asked_key(params: Mapping[str, Any], of: str = "") -> bytes | None:
    """The customer's key that a request brings; `of`: what its parameters' names begin with. Raises InvalidArgument,
    InvalidEncryptionAlgorithmError."""
    names = (f"{of}SSECustomer{name}" for name in ("Algorithm", "Key", "KeyMD5"))
    return customer_key(*(params.get(name) for name in names))


def said_key(params: Mapping[str, Any]) -> dict[str, str]:
    """The request's customer key, as the answer names it."""
    if params.get("SSECustomerKey") is None:
        return {}
    return {name: params[name] for name in ("SSECustomerAlgorithm", "SSECustomerKeyMD5")}


def key_for(info: ObjectInfo, params: Mapping[str, Any], of: str = "") -> bytes | None:
    """The customer's key that the object is encrypted under, as the request brings it. Raises ObjectSealed where it
    does not, AccessDenied where it is another one, and InvalidRequest where there is nothing to decrypt by it."""
    key, mark = asked_key(params, of), info.attributes.sealed
    if not _is_customers(info.attributes):
        if key is not None:
            raise invalid_request("The encryption parameters are not applicable to this object.")
        return None
    if key is None:
        raise ObjectSealed
    if not is_marked(mark, key):
        raise wrong_key()
    return key


def part_key(upload: Upload, params: Mapping[str, Any]) -> bytes | None:
    """The customer's key of a part, which is that of its upload. Raises InvalidRequest."""
    key, mark = asked_key(params), upload.attributes.sealed if _is_customers(upload.attributes) else ""
    if (key is None) == bool(mark):
        what = "The multipart upload initiate requested encryption. Subsequent part requests must include the "
        raise invalid_request(f"{what}appropriate encryption parameters.")
    if key is not None and not is_marked(mark, key):
        raise invalid_request("The provided encryption parameters did not match the ones used originally.")
    return key
