"""GetCallerIdentity (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html)."""

from __future__ import annotations

from typing import Any

from clary.services.context import EdgeContext
from clary.services.sts.service import SERVICE


@SERVICE.operation("GetCallerIdentity", place="edge")
def get_caller_identity(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    principal = context.call.principal
    return {"UserId": principal.user_id, "Account": principal.account, "Arn": principal.arn}


@SERVICE.operation("GetAccessKeyInfo", place="edge")
def get_access_key_info(context: EdgeContext, params: dict[str, Any]) -> dict[str, Any]:
    """The account of a key: there is one account here, and AWS does not say whether a key exists either."""
    return {"Account": context.call.principal.account}
