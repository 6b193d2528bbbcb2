"""What encryption objects of a bucket have where their writers ask for none
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html)."""

from __future__ import annotations

from typing import Any

from clary.objects.envelopes import SETTING
from clary.services.context import Context, EdgeContext
from clary.services.s3.encryption import BY_CUSTOMER, BY_KMS, S3_MANAGED
from clary.services.s3.errors import invalid_argument, malformed_xml
from clary.services.s3.service import SERVICE
from clary.services.s3.targets import require_bucket

_DEFAULT = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": S3_MANAGED}, "BucketKeyEnabled": False}
_BLOCKABLE = ("NONE", BY_CUSTOMER)


@SERVICE.operation("PutBucketEncryption")
def put_bucket_encryption(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Raises MalformedXML, InvalidArgument."""
    bucket = require_bucket(context.objects, params)
    rules = params["ServerSideEncryptionConfiguration"].get("Rules") or []
    if len(rules) != 1:
        raise malformed_xml()
    _check(rules[0])
    context.objects.set_bucket(bucket.name, SETTING, {"Rules": [{"BucketKeyEnabled": False, **rules[0]}]})
    return {}


def _check(rule: dict[str, Any]) -> None:
    default = rule.get("ApplyServerSideEncryptionByDefault")
    blocked = (rule.get("BlockedEncryptionTypes") or {}).get("EncryptionType", [])
    if (default is None and not blocked) or not set(blocked) <= set(_BLOCKABLE):
        raise malformed_xml()
    if default is None:
        return
    if default.get("SSEAlgorithm") not in (S3_MANAGED, *BY_KMS):
        raise malformed_xml()
    if default["SSEAlgorithm"] == S3_MANAGED and default.get("KMSMasterKeyID") is not None:
        what = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
        raise invalid_argument(what, "ApplyServerSideEncryptionByDefault", None)


@SERVICE.operation("GetBucketEncryption", place="edge")
def get_bucket_encryption(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """S3's own where nothing was put, as for every bucket of AWS."""
    kept = require_bucket(context.objects, params).settings.get(SETTING, {"Rules": [{}]})
    return {"ServerSideEncryptionConfiguration": {"Rules": [{**_DEFAULT, **rule} for rule in kept["Rules"]]}}


@SERVICE.operation("DeleteBucketEncryption")
def delete_bucket_encryption(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Back to S3's own; what is there stays as it is."""
    context.objects.set_bucket(require_bucket(context.objects, params).name, SETTING, None)
    return {}
