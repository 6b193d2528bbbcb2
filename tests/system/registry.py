"""The registry by a plain HTTP client: each request of the protocol is one call."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clary.services.ecr.manifests import OCI_MANIFEST
from tests.running import RunningClary


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def error(self) -> str:
        """The code of a refusal."""
        return str(json.loads(self.body)["errors"][0]["code"])


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass(frozen=True)
class RegistryClient:
    """Speaks to the registry of a running Clary; `token` is GetAuthorizationToken's."""

    port: int
    token: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, clary: RunningClary) -> RegistryClient:
        """Logged in with the first key."""
        data = clary.client("ecr").get_authorization_token()["authorizationData"][0]
        return cls(clary.port, data["authorizationToken"])

    def __call__(self, method: str, path: str, body: bytes | Iterable[bytes] | None = None, **headers: str) -> Answer:
        """`headers` have underscores for dashes; a body that is no bytes is sent in chunks."""
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.token:
            sent["Authorization"] = f"Basic {self.token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, sent, encode_chunked=not isinstance(body, bytes | None))
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def begin(self, name: str) -> str:
        """A new upload's path."""
        begun = self("POST", f"/v2/{name}/blobs/uploads/")
        assert begun.status == 202, begun
        return begun.headers["location"]

    def push_layer(self, name: str, data: bytes) -> str:
        """As Docker does it: begin, send, finish."""
        upload, said = self.begin(name), digest(data)
        assert self("PATCH", upload, iter([data])).status == 202
        done = self("PUT", f"{upload}?digest={said}")
        assert done.status == 201, done
        return said

    def push(self, name: str, tag: str, *layers: bytes) -> str:
        """An image; its digest."""
        text = manifest(*layers)
        for layer in layers:
            self.push_layer(name, layer)
        done = self("PUT", f"/v2/{name}/manifests/{tag}", text, Content_Type=OCI_MANIFEST)
        assert done.status == 201, done
        return done.headers["docker-content-digest"]


def manifest(*layers: bytes, **more: Any) -> bytes:
    """An image manifest, the first layer being its configuration."""
    config, *rest = ({"mediaType": "application/x", "digest": digest(data), "size": len(data)} for data in layers)
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": rest, **more}
    return json.dumps(document).encode()


def basic(user: str, password: str) -> str:
    """A token as GetAuthorizationToken makes it."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()
