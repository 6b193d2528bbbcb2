"""Clary as a client of its own API: what its commands need of AWS operations, they ask for like any other program."""

from __future__ import annotations

from typing import Any

import botocore.config
import botocore.session

from clary.gateway.keyring import default_principal
from clary.identity.sealing import Sealer
from clary.settings import Settings

_SECONDS = 3600.0


def client(settings: Settings, service: str) -> Any:  # noqa: ANN401 — botocore makes its clients' classes at run time
    """A client of the running Clary, as the default identity, for an hour."""
    issued = Sealer.of(settings.data_dir).issue(default_principal(settings), _SECONDS)
    session = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    return session.create_client(
        service,
        endpoint_url=settings.endpoint_url,
        region_name=settings.region,
        aws_access_key_id=issued.access_key_id,
        aws_secret_access_key=issued.secret_access_key,
        aws_session_token=issued.session_token,
        config=botocore.config.Config(s3={"addressing_style": "path"}, proxies={}),
    )
