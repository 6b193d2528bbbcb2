"""An engine's images: taken in and given out as the archives of `docker save`, so that no registry is asked
(https://docs.docker.com/reference/api/engine/, Image)."""

from __future__ import annotations

import http.client
import json
import re
import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

from clary.compute.docker_api import Connection, Engine, EngineError, message_of
from clary.compute.logins import Found, Logins
from clary.compute.references import Reference
from clary.errors import ClaryError

_PIECE = 2**20
_GONE = 404
_IN_USE = (409, 500)
"""Podman 4.3 says 500 where a container uses the image."""


_DENIED = re.compile(
    r"unauthori[sz]ed|authentication required|no basic auth credentials|(invalid|incorrect) username|403 forbidden|"
    r"(?<!permission )\bdenied",
    re.IGNORECASE,
)
"""What engines and registries say where a login is wanted, or another one: https://github.com/opencontainers/
distribution-spec/blob/main/spec.md#error-codes, and Docker's and Podman's own words."""


class ImageStore(Engine):
    """An engine, and its images; without `logins` it pulls as nobody."""

    def __init__(self, path: str, logins: Logins | None = None) -> None:
        super().__init__(path)
        self._logins = logins

    def pull(self, name: str) -> Iterator[str]:
        """Fetch an image from its registry, as this user where it has a login there; lines of its progress, and about
        files with logins that cannot be used."""
        found = self._logins.find(name) if self._logins else Found()
        yield from found.complaints
        try:
            yield from self._pulled(name, found)
        except EngineError as refused:
            raise _explained(refused, found) from None

    def _pulled(self, name: str, found: Found) -> Iterator[str]:
        line = Connection(self.path, None)
        headers = {"X-Registry-Auth": found.login.header(found.host)} if found.login else {}
        try:
            response = self._begin(line, "POST", f"/images/create?{_asked(name)}", None, headers)
            for said in _documents(response):
                if said.get("status") and not said.get("progressDetail"):
                    yield str(said["status"])
        except http.client.HTTPException as broken:
            raise ConnectionResetError("the container engine went away") from broken
        finally:
            line.close()

    def is_podman(self) -> bool:
        """Whether Podman answers, not Docker."""
        parts = self._ask("GET", "/version").get("Components") or ()
        return any("podman" in str(part.get("Name", "")).lower() for part in parts)

    def load(self, archive: Iterator[bytes]) -> Iterator[str]:
        """Take in what `docker save` writes; lines of its progress."""
        line = Connection(self.path, None)
        try:
            with_length = {"Content-Type": "application/x-tar", "Transfer-Encoding": "chunked"}
            line.request("POST", "/images/load?quiet=1", archive, with_length, encode_chunked=True)
            response = line.getresponse()
            if response.status >= http.client.BAD_REQUEST:
                raise EngineError(response.status, message_of(response.read()))
            yield from _lines(response)
        except http.client.HTTPException as broken:
            raise ConnectionResetError("the container engine went away") from broken
        finally:
            line.close()

    def save(self, name: str) -> Iterator[bytes]:
        """An image as `docker save` writes it."""
        line = Connection(self.path, None)
        try:
            response = self._begin(line, "GET", f"/images/{quote(name, safe='/:@')}/get", None)
            while data := response.read(_PIECE):
                yield data
        except http.client.HTTPException as broken:
            raise ConnectionResetError("the container engine went away") from broken
        finally:
            line.close()

    def names(self, repository: str) -> list[str]:
        """The names `REPOSITORY:TAG` of the images that it has."""
        query = urlencode({"filters": json.dumps({"reference": [repository]})})
        found = self._ask("GET", f"/images/json?{query}") or []
        names = (name for each in found for name in each.get("RepoTags") or ())
        return [name for name in names if name.rpartition(":")[0] == repository]

    def remove_image(self, name: str) -> bool:
        """Forget a name, and the image with its last; False where a container uses it, and it stays."""
        try:
            self._ask("DELETE", f"/images/{quote(name, safe='/:@')}")
        except EngineError as error:
            if error.status in _IN_USE:
                return False
            if error.status != _GONE:
                raise
        return True


def _lines(response: http.client.HTTPResponse) -> Iterator[str]:
    for said in _documents(response):
        if said.get("stream", "").strip():
            yield str(said["stream"]).strip()


def _documents(response: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    """What the engine says while it works, line by line."""
    for line in response:
        said = json.loads(line) if line.strip() else {}
        if "error" in said:
            raise EngineError(500, str(said["error"]))
        yield said


def _asked(name: str) -> str:
    """Docker takes a name without a tag for all tags."""
    reference = Reference.parse(name)
    plain = reference is not None and not reference.tag and not reference.digest
    return urlencode({"fromImage": name, **({"tag": "latest"} if plain else {})})


def _explained(refused: EngineError, found: Found) -> EngineError:
    """With what to do, where a login is the matter; without the login, if the registry has answered with that."""
    said = found.login.removed_from(str(refused)) if found.login else str(refused)
    if found.host and _DENIED.search(said):
        return EngineError(refused.status, f"{found.remedy} The engine said: {said}")
    return EngineError(refused.status, said)


def builder(engine: ImageStore) -> list[str]:
    """The engine's own command, bound to that very engine: it knows its options, caches and credentials. Raises
    ClaryError."""
    command = "podman" if engine.is_podman() else "docker"
    if shutil.which(command) is None:
        raise ClaryError(f"The command `{command}` is not here, with which images are built.", "Install it.")
    return [command, "--url" if command == "podman" else "--host", f"unix://{engine.path}"]
