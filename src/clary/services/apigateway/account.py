"""The account's settings (https://docs.aws.amazon.com/apigateway/latest/api/API_Account.html)."""

from __future__ import annotations

from typing import Any

from clary.services.apigateway.service import SERVICE
from clary.services.context import Context


@SERVICE.operation("GetAccount")
def get_account(_context: Context, _params: dict[str, Any]) -> dict[str, Any]:
    """The limits that AWS has by default; Clary has none of its own beside the machine's."""
    return {
        "throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0},
        "features": ["UsagePlans"],
        "apiKeyVersion": "4",
    }
