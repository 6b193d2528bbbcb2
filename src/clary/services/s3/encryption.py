"""Encryption as requests ask for it and answers tell of it
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html).

Objects of SSE-C are encrypted under the key that each request brings (`clary.objects.sealing`). Of the other kinds is
kept what was asked for: the disk below is whoever's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.objects.customer_keys import customer_key
from clary.objects.errors import ObjectSealed
from clary.objects.model import Attributes, Bucket, ObjectInfo, Upload
from clary.objects.sealing import is_marked
from clary.services.s3.errors import access_denied, invalid_argument, invalid_request, wrong_key

SETTING = "Encryption"
S3_MANAGED = "AES256"
KMS = ("aws:kms", "aws:kms:dsse")
BY_CUSTOMER = "SSE-C"

_HEADER = "x-amz-server-side-encryption"
_KEPT = ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")


def asked_encryption(bucket: Bucket, params: Mapping[str, Any]) -> dict[str, str]:
    """What is to be kept of a write's headers, or of the bucket's default. Raises InvalidArgument, and AccessDenied
    where the bucket takes no objects with customers' keys."""
    kind, key = params.get("ServerSideEncryption"), params.get("SSEKMSKeyId")
    if params.get("SSECustomerAlgorithm") is not None:
        _check_customers(bucket, kind)
        return {}
    if kind is None and key is None:
        return default_encryption(bucket)
    if kind in (None, S3_MANAGED) and key is not None:
        what = "Server Side Encryption with AWS KMS managed key requires HTTP header "
        raise invalid_argument(f"{what}x-amz-server-side-encryption : aws:kms", _HEADER, kind or "null")
    if kind not in (S3_MANAGED, *KMS):
        raise invalid_argument("The encryption method specified is not supported", _HEADER, kind)
    said = {"ServerSideEncryption": kind, "SSEKMSKeyId": key, "BucketKeyEnabled": _flag(params.get("BucketKeyEnabled"))}
    return {name: value for name, value in said.items() if value}


def _check_customers(bucket: Bucket, kind: str | None) -> None:
    if kind is not None:
        what = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"
        raise invalid_argument(what, _HEADER, kind)
    if BY_CUSTOMER in (rule_of(bucket).get("BlockedEncryptionTypes") or {}).get("EncryptionType", []):
        raise access_denied()


def default_encryption(bucket: Bucket) -> dict[str, str]:
    """Of objects whose writers say nothing; empty where that is S3's own."""
    rule = rule_of(bucket)
    default = rule.get("ApplyServerSideEncryptionByDefault") or {}
    if default.get("SSEAlgorithm", S3_MANAGED) == S3_MANAGED:
        return {}
    flag = _flag(rule.get("BucketKeyEnabled"))
    said = {"ServerSideEncryption": default["SSEAlgorithm"], "SSEKMSKeyId": default.get("KMSMasterKeyID", "")}
    return {name: value for name, value in {**said, "BucketKeyEnabled": flag}.items() if value}


def rule_of(bucket: Bucket) -> Mapping[str, Any]:
    """The bucket's one rule, empty where none was put."""
    rules = bucket.settings.get(SETTING, {}).get("Rules") or [{}]
    rule: Mapping[str, Any] = rules[0]
    return rule


def _flag(said: object) -> str:
    return "true" if said else ""


def shown_encryption(attributes: Attributes) -> dict[str, Any]:
    """What answers tell of an object that is there. Every object without a customer's key has S3's own at least."""
    if attributes.sealed:
        return {}
    kept = only_encryption(attributes.headers)
    flag = {"BucketKeyEnabled": True} if kept.get("BucketKeyEnabled") else {}
    return {"ServerSideEncryption": S3_MANAGED, **kept, **flag}


def encryption(attributes: Attributes, params: Mapping[str, Any]) -> dict[str, Any]:
    """What writes answer about encryption."""
    return {**shown_encryption(attributes), **(said_key(params) if attributes.sealed else {})}


def only_encryption(headers: Mapping[str, str]) -> dict[str, str]:
    """Those of an object's headers that are about encryption."""
    return {name: value for name, value in headers.items() if name in _KEPT}


def without_encryption(headers: Mapping[str, str]) -> dict[str, str]:
    """The others."""
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
    """The key that the object is encrypted under, as the request brings it. Raises ObjectSealed where it does not,
    AccessDenied where it is another one, and InvalidRequest where there is nothing to decrypt."""
    key, mark = asked_key(params, of), info.attributes.sealed
    if not mark:
        if key is not None:
            raise invalid_request("The encryption parameters are not applicable to this object.")
        return None
    if key is None:
        raise ObjectSealed
    if not is_marked(mark, key):
        raise wrong_key()
    return key


def part_key(upload: Upload, params: Mapping[str, Any]) -> bytes | None:
    """The key of a part, which is that of its upload. Raises InvalidRequest."""
    key, mark = asked_key(params), upload.attributes.sealed
    if (key is None) == bool(mark):
        what = "The multipart upload initiate requested encryption. Subsequent part requests must include the "
        raise invalid_request(f"{what}appropriate encryption parameters.")
    if key is not None and not is_marked(mark, key):
        raise invalid_request("The provided encryption parameters did not match the ones used originally.")
    return key
