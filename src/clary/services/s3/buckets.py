"""Buckets: create, delete, head, list (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html)."""

from __future__ import annotations

from typing import Any

from clary.errors import AWSError
from clary.objects.errors import BucketAlreadyOwnedByYou
from clary.objects.locks import LOCK
from clary.objects.model import Bucket
from clary.services.context import Context, EdgeContext
from clary.services.s3 import acl
from clary.services.s3.bucket_names import check_name
from clary.services.s3.errors import invalid_argument
from clary.services.s3.listing import read_token, write_token
from clary.services.s3.locations import HOME_REGION, choose_region, constraint_of, is_region, kept_name
from clary.services.s3.owners import owner
from clary.services.s3.ownership import ENFORCED, OWNERSHIPS
from clary.services.s3.ownership import SETTING as OWNERSHIP
from clary.services.s3.publication import counts, publish
from clary.services.s3.service import SERVICE
from clary.services.s3.tag_rules import of_new_bucket
from clary.services.s3.targets import refuse_unhonoured, require_bucket

_MOST_LISTED = 10_000


@SERVICE.operation("CreateBucket")
def create_bucket(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Done again in us-east-1 by its owner, without tags, it succeeds and changes nothing; elsewhere it does not."""
    name = params["Bucket"]
    check_name(name)
    configuration = params.get("CreateBucketConfiguration") or {}
    constraint = configuration.get("LocationConstraint")
    region = choose_region(context.call.region, constraint)
    tags = of_new_bucket(configuration.get("Tags", []))
    account = context.call.principal.account
    try:
        settings = {**_settings(params, account, tags), **kept_name(constraint)}
        made = context.objects.create_bucket(name, account=account, region=region, settings=settings)
    except BucketAlreadyOwnedByYou:
        if tags or not context.call.region == HOME_REGION == context.objects.bucket(name).region:
            raise
    else:
        if counts(context.objects, made, context.settings):
            publish(context.objects, context.settings)
    location = f"/{name}" if region == HOME_REGION else f"http://{name}.s3.amazonaws.com/"
    return {"Location": location, "BucketArn": f"arn:aws:s3:::{name}"}


def _settings(params: dict[str, Any], account: str, tags: dict[str, str]) -> dict[str, Any]:
    """What the bucket begins with. Raises InvalidArgument, InvalidBucketAclWithObjectOwnership."""
    ownership = params.get("ObjectOwnership")
    if ownership not in (None, *OWNERSHIPS):
        what = f"Invalid x-amz-object-ownership header: {ownership}"
        raise invalid_argument(what, "x-amz-object-ownership", None)
    rules = {OWNERSHIP: {"Rules": [{"ObjectOwnership": ownership}]}} if ownership else {}
    locked = {"Versioning": {"Status": "Enabled"}, LOCK: {}} if params.get("ObjectLockEnabledForBucket") else {}
    return {**rules, **locked, **_first_acl(params, account, ownership), **({"Tagging": tags} if tags else {})}


def _first_acl(params: dict[str, Any], account: str, ownership: str | None) -> dict[str, Any]:
    """Public ones are blocked: a bucket begins so. Raises InvalidBucketAclWithObjectOwnership, AccessDenied."""
    asked = acl.asked(params, account, account)
    if acl.owner_only(asked, account):
        return {}
    if ownership in (None, ENFORCED):
        text = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
        raise AWSError("InvalidBucketAclWithObjectOwnership", text)
    if acl.is_public(asked):
        text = "Bucket cannot have public ACLs set with BlockPublicAccess enabled"
        raise AWSError("InvalidBucketAclWithBlockPublicAccessError", text)
    return {acl.SETTING: asked}


@SERVICE.operation("DeleteBucket")
def delete_bucket(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    bucket = require_bucket(context.objects, params)
    context.objects.delete_bucket(bucket.name)
    if counts(context.objects, bucket, context.settings):
        publish(context.objects, context.settings)
    return {}


@SERVICE.operation("HeadBucket", place="edge")
def head_bucket(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    bucket = require_bucket(context.objects, params)
    return {"BucketRegion": bucket.region, "BucketArn": f"arn:aws:s3:::{bucket.name}", "AccessPointAlias": False}


@SERVICE.operation("GetBucketLocation", place="edge")
def get_bucket_location(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    return {"LocationConstraint": constraint_of(require_bucket(context.objects, params))}


@SERVICE.operation("ListBuckets", place="edge")
def list_buckets(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """All of them, or pages, where the request asks for pages."""
    refuse_unhonoured(params)
    account = context.call.principal.account
    prefix, region = params.get("Prefix", ""), _asked_region(context, params)
    token = params.get("ContinuationToken")
    after = read_token(token) if token else ""
    found = [
        bucket
        for bucket in context.objects.buckets(account)
        if bucket.name > after and bucket.name.startswith(prefix) and region in (None, bucket.region)
    ]
    most = _page_size(params)
    paged = bool(params.keys() & {"MaxBuckets", "Prefix", "BucketRegion", "ContinuationToken"})
    return {
        "Buckets": [_listed(bucket, paged) for bucket in found[:most]],
        "Owner": owner(account),
        "Prefix": prefix or None,
        "ContinuationToken": write_token(found[most - 1].name) if len(found) > most else None,
    }


def _asked_region(context: EdgeContext, params: dict[str, Any]) -> str | None:
    """Raises InvalidArgument."""
    region: str | None = params.get("BucketRegion")
    if region is not None and not is_region(region, context.call.region):
        raise invalid_argument(f"Argument value {region} is not a valid AWS Region", "bucket-region", None)
    return region


def _page_size(params: dict[str, Any]) -> int:
    most: int = params.get("MaxBuckets", _MOST_LISTED)
    if not 1 <= most <= _MOST_LISTED:
        what = f"Argument max-buckets must be an integer between 1 and {_MOST_LISTED}"
        raise invalid_argument(what, "max-buckets", str(most))
    return most


def _listed(bucket: Bucket, paged: bool) -> dict[str, Any]:
    arn = f"arn:aws:s3:::{bucket.name}"
    entry: dict[str, Any] = {"Name": bucket.name, "CreationDate": bucket.created, "BucketArn": arn}
    return {**entry, "BucketRegion": bucket.region} if paged else entry
