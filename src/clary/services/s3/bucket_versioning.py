"""Whether a bucket keeps versions (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html)."""

from __future__ import annotations

from typing import Any

from clary.errors import AWSError
from clary.objects.locks import LOCK
from clary.objects.model import Bucket
from clary.services.context import Context, EdgeContext
from clary.services.s3.errors import malformed_xml
from clary.services.s3.service import SERVICE
from clary.services.s3.targets import require_bucket

_SETTING = "Versioning"
_STATUSES = ("Enabled", "Suspended")


@SERVICE.operation("PutBucketVersioning")
def put_bucket_versioning(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """From now on; what is there stays as it is. MFA Delete cannot be had: there are no such devices here."""
    bucket = require_bucket(context.objects, params)
    asked = params.get("VersioningConfiguration") or {}
    status, mfa = asked.get("Status"), asked.get("MFADelete")
    if status is None:
        what = "The Versioning element must be specified"
        raise AWSError("IllegalVersioningConfigurationException", what)
    if status not in _STATUSES or mfa not in {None, "Enabled", "Disabled"}:
        raise malformed_xml()
    if mfa == "Enabled":
        raise AWSError("AccessDenied", "Mfa Authentication must be used for this request", status=403)

    def check(bucket: Bucket) -> None:
        if LOCK in bucket.settings and status != "Enabled":
            what = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
            raise AWSError("InvalidBucketState", what, status=409)

    kept = {"Status": status, **({"MFADelete": mfa} if mfa else {})}
    context.objects.set_bucket(bucket.name, _SETTING, kept, check=check)
    return {}


@SERVICE.operation("GetBucketVersioning", place="edge")
def get_bucket_versioning(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """Empty where it was never set."""
    return dict(require_bucket(context.objects, params).settings.get(_SETTING, {}))
