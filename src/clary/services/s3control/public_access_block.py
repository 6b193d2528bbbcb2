"""The configuration that blocks public access to all buckets of an account, now and later
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutPublicAccessBlock.html)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from clary.errors import AWSError
from clary.objects.errors import BucketAlreadyOwnedByYou
from clary.services.context import Context, EdgeContext
from clary.services.s3.errors import invalid_request
from clary.services.s3.public_access import NONE, SETTING, account_bucket, of_account
from clary.services.s3.publication import publish
from clary.services.s3control.account import own_account
from clary.services.s3control.service import SERVICE

_NOBODY = ""
"""Who owns the bucket that holds the setting, so that no list of buckets has it."""


@SERVICE.operation("PutPublicAccessBlock")
def put_public_access_block(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """What is not named is off. Raises InvalidRequest."""
    account, asked = own_account(context, params), params["PublicAccessBlockConfiguration"]
    if not asked:
        raise invalid_request("Must specify at least one configuration.")
    _put(context, account, {**NONE, **asked})
    return {}


@SERVICE.operation("GetPublicAccessBlock", place="edge")
def get_public_access_block(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """Raises NoSuchPublicAccessBlockConfiguration: an account begins without one."""
    account = own_account(context, params)
    kept = of_account(context.objects, account)
    if not kept:
        text = "The public access block configuration was not found"
        code = "NoSuchPublicAccessBlockConfiguration"
        raise AWSError(code, text, status=404, members={"AccountId": account})
    return {"PublicAccessBlockConfiguration": dict(kept)}


@SERVICE.operation("DeletePublicAccessBlock")
def delete_public_access_block(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """One that is not there is deleted, too."""
    account = own_account(context, params)
    if of_account(context.objects, account):
        _put(context, account, None)
    return {}


def _put(context: Context, account: str, setting: dict[str, bool] | None) -> None:
    name = account_bucket(account)
    with suppress(BucketAlreadyOwnedByYou):
        context.objects.create_bucket(name, account=_NOBODY, region="")
    context.objects.set_bucket(name, SETTING, setting)
    publish(context.objects, context.settings)
