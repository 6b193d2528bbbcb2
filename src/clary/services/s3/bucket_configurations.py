"""Configurations of buckets that are kept and given back: notifications, logging, payment, acceleration
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html)."""

from __future__ import annotations

from typing import Any

from clary.errors import AWSError
from clary.objects.errors import NoSuchBucket
from clary.services.context import Context, EdgeContext
from clary.services.s3.errors import invalid_request, malformed_xml
from clary.services.s3.locations import HOME_REGION
from clary.services.s3.notification_rules import check, with_ids
from clary.services.s3.service import SERVICE
from clary.services.s3.targets import require_bucket

_PAYERS = ("BucketOwner", "Requester")
_ACCELERATION = ("Enabled", "Suspended")


@SERVICE.operation("PutBucketNotificationConfiguration", effect="keeps state")
def put_bucket_notification_configuration(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Raises InvalidArgument, MalformedXML. An empty configuration removes the one that is there."""
    bucket = require_bucket(context.objects, params)
    asked = params["NotificationConfiguration"]
    check(asked, skip=bool(params.get("SkipDestinationValidation")), exists=lambda arn: _exists(context, arn))
    context.objects.set_bucket(bucket.name, "Notification", with_ids(asked) or None)
    return {}


def _exists(context: Context, arn: str) -> bool:
    """Whether the queue, topic or function is there; another account's cannot be looked up."""
    parts = arn.split(":")
    return parts[4] != context.settings.account_id or context.store.read.by_arn(arn) is not None


@SERVICE.operation("GetBucketNotificationConfiguration", place="edge", effect="keeps state")
def get_bucket_notification_configuration(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    return dict(require_bucket(context.objects, params).settings.get("Notification", {}))


@SERVICE.operation("PutBucketLogging", effect="keeps state")
def put_bucket_logging(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Nothing is written to the target bucket. Raises InvalidTargetBucketForLogging, CrossLocationLoggingProhibitted,
    MalformedXML."""
    bucket = require_bucket(context.objects, params)
    status = params["BucketLoggingStatus"]
    enabled = status.get("LoggingEnabled")
    if enabled is not None:
        _check_target(context, bucket.region, enabled)
    context.objects.set_bucket(bucket.name, "Logging", {"LoggingEnabled": enabled} if enabled else None)
    return {}


def _check_target(context: Context, region: str, enabled: dict[str, Any]) -> None:
    name = enabled.get("TargetBucket")
    if not name or enabled.get("TargetPrefix") is None:
        raise malformed_xml()
    try:
        target = require_bucket(context.objects, {"Bucket": name})
    except NoSuchBucket:
        what = "The target bucket for logging does not exist"
        raise AWSError("InvalidTargetBucketForLogging", what, members={"TargetBucket": name}) from None
    if target.region != region:
        what = "Cross S3 location logging not allowed. "
        source = {} if region == HOME_REGION else {"SourceBucketLocation": region}
        members = {**source, "TargetBucketLocation": target.region}
        raise AWSError("CrossLocationLoggingProhibitted", what, status=403, members=members)


@SERVICE.operation("GetBucketLogging", place="edge", effect="keeps state")
def get_bucket_logging(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    return dict(require_bucket(context.objects, params).settings.get("Logging", {}))


@SERVICE.operation("PutBucketRequestPayment", effect="keeps state")
def put_bucket_request_payment(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Raises MalformedXML."""
    bucket = require_bucket(context.objects, params)
    payer = params["RequestPaymentConfiguration"].get("Payer")
    if payer not in _PAYERS:
        raise malformed_xml()
    context.objects.set_bucket(bucket.name, "RequestPayment", {"Payer": payer})
    return {}


@SERVICE.operation("GetBucketRequestPayment", place="edge", effect="keeps state")
def get_bucket_request_payment(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    return dict(require_bucket(context.objects, params).settings.get("RequestPayment", {"Payer": "BucketOwner"}))


@SERVICE.operation("PutBucketAccelerateConfiguration", effect="keeps state")
def put_bucket_accelerate_configuration(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, MalformedXML."""
    bucket = require_bucket(context.objects, params)
    if "." in bucket.name:
        raise invalid_request("S3 Transfer Acceleration is not supported for buckets with periods (.) in their names")
    status = params["AccelerateConfiguration"].get("Status")
    if status not in _ACCELERATION:
        raise malformed_xml()
    context.objects.set_bucket(bucket.name, "Accelerate", {"Status": status})
    return {}


@SERVICE.operation("GetBucketAccelerateConfiguration", place="edge", effect="keeps state")
def get_bucket_accelerate_configuration(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    return dict(require_bucket(context.objects, params).settings.get("Accelerate", {}))
