"""DecodeAuthorizationMessage
(https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html)."""

from __future__ import annotations

from typing import Any

from clary.errors import AWSError
from clary.identity.encoded_denial import EncodedDenials
from clary.identity.sealing import BadToken
from clary.services.context import Context
from clary.services.sts.service import SERVICE


@SERVICE.operation("DecodeAuthorizationMessage")
def decode_authorization_message(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"DecodedMessage": EncodedDenials.of(context.settings.data_dir).decoded(params["EncodedMessage"])}
    except BadToken as error:
        raise AWSError("InvalidAuthorizationMessageException", "Invalid Authorization Message") from error
