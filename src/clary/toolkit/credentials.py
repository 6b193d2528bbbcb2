"""AWS credentials as every SDK finds them inside a container: variables first, then the container's own endpoint."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Mapping, NamedTuple, Optional

from clary.toolkit.errors import ClientError

_RELATIVE_HOST = "http://169.254.170.2"
_SECONDS = 10.0


class Credentials(NamedTuple):
    """An access key; `token` belongs to temporary ones."""

    access_key: str
    secret_key: str
    token: Optional[str]


def find(environ: Mapping[str, str]) -> Credentials:
    """The credentials of this container. Raises ClientError where there are none, and OSError where their endpoint is
    not reached, which may be for a moment.

    The order is that of the SDKs (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html).
    """
    if environ.get("AWS_ACCESS_KEY_ID") and environ.get("AWS_SECRET_ACCESS_KEY"):
        token = environ.get("AWS_SESSION_TOKEN") or None
        return Credentials(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], token)
    uri = _endpoint(environ)
    if uri is None:
        raise ClientError("Unable to locate credentials")
    return _fetch(uri, environ)


def _endpoint(environ: Mapping[str, str]) -> Optional[str]:
    relative = environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    return _RELATIVE_HOST + relative if relative else environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")


def _fetch(uri: str, environ: Mapping[str, str]) -> Credentials:
    if not uri.startswith(("http://", "https://")):
        raise ClientError(f"Unsupported address of container credentials: {uri}")
    request = urllib.request.Request(uri, headers=_authorization(environ))  # noqa: S310 - the scheme was checked
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through a proxy: it is link-local
    try:
        with opener.open(request, timeout=_SECONDS) as answer:
            found = json.load(answer)
        return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found.get("Token"))
    except urllib.error.HTTPError as error:
        raise (OSError if error.code >= 500 else ClientError)(_failure(error)) from error
    except (OSError, http.client.HTTPException) as error:
        raise OSError(_failure(error)) from error
    except (ValueError, KeyError) as error:
        raise ClientError(_failure(error)) from error


def _failure(error: Exception) -> str:
    return f"Error when retrieving credentials from container-role: {error}"


def _authorization(environ: Mapping[str, str]) -> Mapping[str, str]:
    path = environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    token = Path(path).read_text().strip() if path else environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    return {"Authorization": token} if token else {}
