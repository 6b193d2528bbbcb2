"""The account's settings (https://docs.aws.amazon.com/apigateway/latest/api/API_Account.html)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.services.apigateway.documents import Document, key_of, new_row
from clary.services.apigateway.integrations import check_credentials
from clary.services.apigateway.patching import output_shape, patch
from clary.services.apigateway.service import SERVICE
from clary.services.context import Context
from clary.services.resources import now

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_KIND = "rest-account"
_NAME = "settings"
_CHANGEABLE = ("cloudwatchRoleArn",)


@SERVICE.operation("GetAccount")
def get_account(context: Context, _params: dict[str, Any]) -> dict[str, Any]:
    """The limits that AWS has by default; Clary has none of its own beside the machine's."""
    row = context.store.read.get(key_of(context, _KIND, _NAME))
    return _shown(dict(row.spec) if row else {})


def _shown(settings: Document) -> Document:
    return {
        "throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0},
        "features": ["UsagePlans"],
        "apiKeyVersion": "4",
        **settings,
    }


@SERVICE.operation("UpdateAccount", effect="keeps state")
def update_account(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """The role for logs is kept; Clary writes access logs without one."""
    operations = params.get("patchOperations") or ()
    for operation in operations:
        check_credentials(context, {"credentials": operation.get("value")})

    def apply(transaction: Transaction) -> Document:
        row = transaction.get(key_of(context, _KIND, _NAME))
        settings = dict(row.spec) if row else {}
        patch(settings, operations, output_shape("apigateway", "GetAccount"), _CHANGEABLE)
        if row:
            transaction.save(replace(row, spec=settings, modified=now()))
        else:
            transaction.insert(new_row(context, _KIND, _NAME, settings, path="account"))
        return settings

    return _shown(context.store.write(apply))
