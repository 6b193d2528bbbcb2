"""Policies of buckets (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html)."""

from __future__ import annotations

import json
from typing import Any

from clary.errors import AWSError
from clary.identity.policy import MalformedPolicy
from clary.services.context import Context, EdgeContext
from clary.services.s3.errors import not_configured
from clary.services.s3.policy_grammar import check
from clary.services.s3.public_access import refuse_public
from clary.services.s3.public_policy import is_public
from clary.services.s3.publication import POLICY, publish
from clary.services.s3.service import SERVICE
from clary.services.s3.targets import require_bucket

_ACCOUNT = 4
"""Where an ARN says it."""


@SERVICE.operation("PutBucketPolicy")
def put_bucket_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Every process decides by it when this returns. Raises MalformedPolicy, AccessDenied for a public policy that the
    bucket blocks."""
    bucket = require_bucket(context.objects, params)
    text = params["Policy"].strip()
    try:
        parsed = check(text, bucket.name, lambda arn: _known(context, arn))
    except MalformedPolicy as error:
        raise AWSError("MalformedPolicy", str(error)) from error
    if is_public(parsed):
        refuse_public(context.objects, bucket, "BlockPublicPolicy", context.call.principal, "s3:PutBucketPolicy")
    context.objects.set_bucket(bucket.name, POLICY, {"Document": text})
    publish(context.objects, context.settings)
    return {}


def _known(context: Context, arn: str) -> bool:
    """Another account's cannot be looked up."""
    if arn.split(":")[_ACCOUNT] != context.settings.account_id:
        return True
    return context.store.read.by_arn(arn) is not None


@SERVICE.operation("GetBucketPolicy", place="edge")
def get_bucket_policy(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """As it was put. Raises NoSuchBucketPolicy."""
    return {"Policy": _policy(context, params)}


@SERVICE.operation("DeleteBucketPolicy")
def delete_bucket_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """One that is not there is deleted, too."""
    bucket = require_bucket(context.objects, params)
    context.objects.set_bucket(bucket.name, POLICY, None)
    publish(context.objects, context.settings)
    return {}


@SERVICE.operation("GetBucketPolicyStatus", place="edge")
def get_bucket_policy_status(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """Whether the policy lets in everybody. Raises NoSuchBucketPolicy."""
    public = is_public(json.loads(_policy(context, params)))
    return {"PolicyStatus": {"IsPublic": public}}


def _policy(context: EdgeContext, params: dict[str, Any]) -> str:
    bucket = require_bucket(context.objects, params)
    if POLICY not in bucket.settings:
        raise not_configured("NoSuchBucketPolicy", "The bucket policy does not exist", bucket.name)
    text: str = bucket.settings[POLICY]["Document"]
    return text
