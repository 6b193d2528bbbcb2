"""The authorization token with which a shell or a container fetches fresh credentials, again and again.

It seals a session as a session token does, and names the access key it is sealed for. It is no credential itself: the
secret that goes with that access key is never told.
"""

from __future__ import annotations

import time

from clary.calls import Principal
from clary.identity.sealing import BadToken, Sealer, Session

LIFETIME = 10 * 365 * 86_400.0
"""Seconds. Its end is that of the shell or container that has it; the role's policies decide what it is worth."""


def refresh_token(sealer: Sealer, principal: Principal) -> str:
    """The value of AWS_CONTAINER_AUTHORIZATION_TOKEN for sessions as `principal`."""
    sealed = sealer.issue(principal, LIFETIME, policies=principal.session_policies)
    return f"{sealed.access_key_id}.{sealed.session_token}"


def opened(sealer: Sealer, token: str) -> Session:
    """The session that a refresh token is for. Raises BadToken."""
    access_key_id, _, sealed = token.partition(".")
    session = sealer.open(sealed, access_key_id)
    if session.expires <= time.time():
        raise BadToken("expired")
    return session
