"""Clary as a client of its own registry: what a push needs of the OCI distribution protocol
(https://github.com/opencontainers/distribution-spec/blob/main/spec.md)."""

from __future__ import annotations

import hashlib
import http.client
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from clary.errors import ClaryError

_SECONDS = 600.0
"""The longest silence: a layer of gigabytes is made durable before it is acknowledged."""


@dataclass(frozen=True)
class Blob:
    """What the registry holds by its digest. `size` in bytes."""

    digest: str
    size: int


class RegistryClient:
    """One repository of the registry at `host`:`port`; `token` is GetAuthorizationToken's. One connection: for one
    thread. All methods raise ClaryError where the registry refuses, OSError where it does not answer."""

    def __init__(self, host: str, port: int, repository: str, token: str) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
        self._base = f"/v2/{repository}"
        self._headers = {"Authorization": f"Basic {token}"}

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def has(self, digest: str) -> bool:
        """Whether the layer is there."""
        status, _, _ = self._ask("HEAD", f"{self._base}/blobs/{digest}", None, {})
        return status == http.client.OK

    def upload(self, data: Iterable[bytes], size: int) -> Blob:
        """Send a layer of that size."""
        _, headers, _ = self._done("POST", f"{self._base}/blobs/uploads/", None, {})
        place, hashed = headers["location"], hashlib.sha256()
        sent = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        self._done("PATCH", place, _noted(data, hashed), sent)
        digest = f"sha256:{hashed.hexdigest()}"
        self._done("PUT", f"{place}?digest={digest}", None, {})
        return Blob(digest, size)

    def put_manifest(self, reference: str, manifest: bytes, media_type: str) -> str:
        """Make it an image under a tag; its digest."""
        sent = {"Content-Type": media_type}
        _, headers, _ = self._done("PUT", f"{self._base}/manifests/{reference}", manifest, sent)
        return headers["docker-content-digest"]

    def _done(
        self, method: str, path: str, body: bytes | Iterator[bytes] | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        status, received, data = self._ask(method, path, body, headers)
        if status >= http.client.BAD_REQUEST:
            raise ClaryError(f"The registry refuses: {_reason(data) or status}")
        return status, received, data

    def _ask(
        self, method: str, path: str, body: bytes | Iterator[bytes] | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        try:
            self._connection.request(method, path, body, {**self._headers, **headers})
            response = self._connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        except http.client.HTTPException as broken:
            raise ConnectionResetError(f"the registry went away ({broken})") from broken


def _noted(data: Iterable[bytes], hashed: Any) -> Iterator[bytes]:  # noqa: ANN401 — hashlib names no type
    for piece in data:
        hashed.update(piece)
        yield piece


def _reason(data: bytes) -> str:
    try:
        return str(json.loads(data)["errors"][0]["message"])
    except (ValueError, KeyError, IndexError, TypeError):
        return data.decode("utf-8", "replace").strip()
