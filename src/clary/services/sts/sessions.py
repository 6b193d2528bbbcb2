"""GetSessionToken (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html)."""

from __future__ import annotations

from typing import Any

from clary.identity.denial import coded
from clary.identity.sealing import Sealer
from clary.services.context import Context
from clary.services.sts.service import SERVICE

_DEFAULT_SECONDS = 43_200


@SERVICE.operation("GetSessionToken")
def get_session_token(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    principal = context.call.principal
    if is_session(principal.access_key_id):
        raise coded("sts", "Cannot call GetSessionToken with session credentials")
    seconds = params.get("DurationSeconds", _DEFAULT_SECONDS)
    return {"Credentials": Sealer.of(context.settings.data_dir).issue(principal, seconds).sts()}


def is_session(access_key_id: str) -> bool:
    """Whether a key is a temporary one."""
    return access_key_id.startswith("ASIA")
