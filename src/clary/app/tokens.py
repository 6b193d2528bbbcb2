"""Tokens that are made without a running server."""

from __future__ import annotations

from clary.gateway.keyring import default_principal
from clary.identity.refreshing import refresh_token
from clary.identity.sealing import Sealer
from clary.settings import Settings


def shell_token(settings: Settings) -> str:
    """What authorises a shell of this user to fetch credentials of the default identity."""
    return refresh_token(Sealer.of(settings.data_dir), default_principal(settings))
