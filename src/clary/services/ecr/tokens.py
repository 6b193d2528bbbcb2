"""Passwords for the registry: a sealed session, whose rights are its caller's
(https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html)."""

from __future__ import annotations

import base64
import binascii

from clary.identity.sealing import LONGEST_SESSION, Sealer
from clary.services.context import Context
from clary.services.ecr.names import host
from clary.services.ecr.service import SERVICE
from clary.services.resources import Output, Params

USER = "AWS"
"""The user's name in every registry, as on AWS."""


class BadPassword(Exception):
    """Not a password of a registry."""


@SERVICE.operation("GetAuthorizationToken")
def authorization_token(context: Context, params: Params) -> Output:
    """For twelve hours; one for each registry that is named."""
    principal = context.call.principal
    sealer = Sealer.of(context.settings.data_dir)
    data = []
    for registry in params.get("registryIds") or [context.account]:
        issued = sealer.issue(principal, LONGEST_SESSION, policies=principal.session_policies)
        word = password(issued.access_key_id, issued.session_token)
        data.append(
            {
                "authorizationToken": base64.b64encode(f"{USER}:{word}".encode()).decode(),
                "expiresAt": issued.expiration,
                "proxyEndpoint": f"https://{host(context.region, registry)}",
            }
        )
    return {"authorizationData": data}


def password(access_key_id: str, session_token: str) -> str:
    """A session as a password: letters that need no quoting in a URL, a header or a shell."""
    return base64.urlsafe_b64encode(f"{access_key_id}:{session_token}".encode()).decode().rstrip("=")


def opened(word: str) -> tuple[str, str]:
    """Access key id and session token of a password; neither is verified. Raises BadPassword."""
    try:
        text = base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        raise BadPassword from None
    key, colon, token = text.partition(":")
    if not (key and colon and token):
        raise BadPassword
    return key, token
