"""How commands ask the running Clary: its own paths by plain HTTP, AWS operations as any client."""

from __future__ import annotations

import http.client
import json
from typing import Any

from clary.errors import ClaryError
from clary.settings import Settings

_SECONDS = 60.0


def ask(settings: Settings, method: str, path: str) -> tuple[int, dict[str, Any]]:
    """Status and JSON answer of one of Clary's own paths. Raises ClaryError where nobody answers."""
    connection = http.client.HTTPConnection(settings.host, settings.port, timeout=_SECONDS)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ClaryError(f"{settings.endpoint_url} does not answer ({error}).", "See `clary status`.") from error
    finally:
        connection.close()
