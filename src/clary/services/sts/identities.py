"""GetCallerIdentity (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html)."""

from __future__ import annotations

from typing import Any

from clary.services.context import Context, EdgeContext
from clary.services.iam.entities import ACCESS_KEY
from clary.services.sts.service import SERVICE


@SERVICE.operation("GetCallerIdentity", place="edge")
def get_caller_identity(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    principal = context.call.principal
    return {"UserId": principal.user_id, "Account": principal.account, "Arn": principal.arn}


@SERVICE.operation("GetAccessKeyInfo")
def get_access_key_info(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """The account of a user's key, whichever account's. Of sessions nothing is kept, and AWS does not say whether a key
    exists either: any other key is told to be the caller's account's."""
    wanted = params["AccessKeyId"]
    known = (row.key.account for row in context.store.read.rows(ACCESS_KEY) if row.key.name == wanted)
    return {"Account": next(known, context.call.principal.account)}
