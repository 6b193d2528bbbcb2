"""The account that a request names: its own, or none that it may speak for."""

from __future__ import annotations

from typing import Any

from clary.services.context import Context, EdgeContext
from clary.services.s3.errors import access_denied


def own_account(context: Context | EdgeContext, params: dict[str, Any]) -> str:
    """The caller's. Raises AccessDenied where the request names another one."""
    account = context.call.principal.account
    if params["AccountId"] != account:
        raise access_denied()
    return account
