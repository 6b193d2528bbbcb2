"""The Docker Engine API over its Unix socket (https://docs.docker.com/reference/api/engine/), which Podman answers too.

The standard library only, for Pythons of 3.8 and later: keepers read this file too.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import socket
import tarfile
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Dict  # noqa: UP035
from urllib.parse import quote, urlencode

_SECONDS = 120.0
_PIECE = 262_144
_HEAD = 8

Document = Dict[str, Any]  # noqa: UP006  evaluated, by Python 3.8 too


class EngineError(Exception):
    """The engine has refused; `status` as in HTTP, the message in its own words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Connection(http.client.HTTPConnection):
    """To a Unix socket."""

    def __init__(self, path: str, seconds: float | None) -> None:
        super().__init__("engine", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        """As the base class."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Stream:
    """What a container prints, while it does."""

    def __init__(self, response: http.client.HTTPResponse, connection: Connection) -> None:
        self._response = response
        self._connection = connection
        self._rest = b""

    def pieces(self) -> Iterator[list[tuple[int, bytes]]]:
        """(1 or 2, bytes) as the engine has kept them: lists of what comes at once. Raises OSError where the engine
        goes away."""
        try:
            while True:
                data = self._response.read1(_PIECE)
                if not data:
                    return
                self._rest += data
                found = self._whole()
                if found:
                    yield found
        except http.client.HTTPException as broken:
            raise ConnectionResetError("the container engine went away") from broken
        finally:
            self.close()

    def _whole(self) -> list[tuple[int, bytes]]:
        """Each piece has a head of eight bytes: the stream, three zeros, the length."""
        found, start, held = [], 0, self._rest
        while len(held) - start >= _HEAD:
            end = start + _HEAD + int.from_bytes(held[start + 4 : start + _HEAD], "big")
            if end > len(held):
                break
            found.append((held[start], held[start + _HEAD : end]))
            start = end
        self._rest = held[start:]
        return found

    def close(self) -> None:
        """No more; idempotent."""
        self._response.close()
        self._connection.close()


class Engine:
    """An engine by its socket's path. Each request has a connection of its own: safe in threads.

    All methods raise EngineError where the engine refuses, OSError where it does not answer.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def image(self, name: str) -> Document | None:
        """What it says of an image, or None where it has none of that name."""
        return self._found(f"/images/{quote(name, safe='/:@')}/json")

    def container(self, name: str) -> Document | None:
        """What it says of a container, or None where there is none."""
        return self._found(f"/containers/{name}/json")

    def labelled(self, label: str) -> list[Document]:
        """All containers with a label, `NAME` or `NAME=VALUE`, living and ended: `Id`, `Names`, `Labels`, …"""
        query = urlencode({"all": 1, "filters": json.dumps({"label": [label]})})
        return list(self._ask("GET", f"/containers/json?{query}") or ())

    def networks(self, label: str) -> list[str]:
        """Names of all networks with a label."""
        query = urlencode({"filters": json.dumps({"label": [label]})})
        return [str(found["Name"]) for found in self._ask("GET", f"/networks?{query}") or ()]

    def create(self, name: str, document: Document) -> str:
        """A container that does not run yet; its id."""
        made: str = self._ask("POST", f"/containers/create?name={name}", document)["Id"]
        return made

    def file(self, name: str, path: str, most: int) -> bytes | None:
        """A file of a container, which need not run; None where there is none at that path, or no file, or one of
        about `most` bytes or more."""
        connection = Connection(self.path, _SECONDS)
        try:
            target = f"/containers/{name}/archive?{urlencode({'path': path})}"
            packed = self._begin(connection, "GET", target, None).read(most)
            with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
                member = archive.next()
                found = archive.extractfile(member) if member is not None and member.isfile() else None
                return found.read(most) if found is not None else None
        except EngineError as error:
            if error.status == 404:
                return None
            raise
        except tarfile.TarError:
            return None
        except http.client.HTTPException as broken:
            raise ConnectionResetError("the container engine went away") from broken
        finally:
            connection.close()

    def prepare(self, name: str) -> None:
        """All of a container but its program is there, its cables to networks too; nothing where the engine makes them
        with the program only, as Docker does
        (https://docs.podman.io/en/latest/_static/api.html, ContainerInitLibpod)."""
        with contextlib.suppress(EngineError):
            self._send("POST", f"/v4.0.0/libpod/containers/{name}/init", None)

    def start(self, name: str) -> None:
        """Run it; one that runs already does so."""
        self._ask("POST", f"/containers/{name}/start")

    def signal(self, name: str, signal: str) -> None:
        """Send a signal to its program; nothing where that has ended."""
        try:
            self._ask("POST", f"/containers/{name}/kill?signal={signal}")
        except EngineError as error:
            if error.status not in (404, 409, 500) or self._runs(name):
                raise

    def _runs(self, name: str) -> bool:
        found = self.container(name)
        return bool(found and found["State"]["Running"])

    def remove(self, name: str) -> None:
        """End it, and forget it with its anonymous volumes; nothing where there is none."""
        try:
            self._ask("DELETE", f"/containers/{name}?force=1&v=1")
        except EngineError as error:
            if error.status != 404 and self.container(name) is not None:
                raise

    def logs(self, name: str, follow: bool) -> Stream:
        """All that it has printed and, where `follow`, prints until it ends."""
        connection = Connection(self.path, None if follow else _SECONDS)
        query = urlencode({"stdout": 1, "stderr": 1, "follow": int(follow)})
        try:
            return Stream(self._begin(connection, "GET", f"/containers/{name}/logs?{query}", None), connection)
        except BaseException:
            connection.close()
            raise

    def network(self, name: str) -> Document | None:
        """What it says of a network, or None where there is none."""
        return self._found(f"/networks/{name}")

    def make_network(self, document: Document) -> None:
        """A network; nothing where there is one of that name."""
        try:
            self._ask("POST", "/networks/create", document)
        except EngineError:
            if self.network(document["Name"]) is None:
                raise

    def connect(self, network: str, name: str) -> None:
        """One more network for a container that does not run yet; nothing where it has it."""
        try:
            self._send("POST", f"/networks/{network}/connect", {"Container": name})
        except EngineError:
            settings: Document = (self.container(name) or {}).get("NetworkSettings") or {}
            if network not in (settings.get("Networks") or {}):
                raise

    def remove_network(self, name: str) -> None:
        """Nothing where there is none, or where containers use it."""
        try:
            self._ask("DELETE", f"/networks/{name}")
        except EngineError as error:
            if error.status not in (403, 404, 409) and self.network(name) is not None:
                raise

    def exec_create(self, name: str, document: Document) -> str:
        """One more program for a container; its id."""
        made: str = self._ask("POST", f"/containers/{name}/exec", document)["Id"]
        return made

    def exec_start(self, number: str, terminal: bool) -> tuple[socket.socket, bytes]:
        """Run it: a socket that carries its streams, and what has come with the answer."""
        return upgrade(self.path, f"/exec/{number}/start", {"Detach": False, "Tty": terminal})

    def exec_state(self, number: str) -> Document:
        """What it says of it: `Running`, `ExitCode`, `Pid`."""
        found: Document = self._ask("GET", f"/exec/{number}/json")
        return found

    def _found(self, path: str) -> Document | None:
        try:
            found: Document = self._ask("GET", path)
        except EngineError as error:
            if error.status == 404:
                return None
            raise
        return found

    def _ask(self, method: str, path: str, document: Document | None = None) -> Any:  # noqa: ANN401  its JSON
        data = self._send(method, path, document)
        return json.loads(data) if data.strip() else None

    def _send(self, method: str, path: str, document: Document | None) -> bytes:
        """What it answers: not always JSON."""
        connection = Connection(self.path, _SECONDS)
        try:
            return self._begin(connection, method, path, document).read()
        except http.client.HTTPException as broken:
            raise ConnectionResetError("the container engine went away") from broken
        finally:
            connection.close()

    @staticmethod
    def _begin(
        connection: Connection,
        method: str,
        path: str,
        document: Document | None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> http.client.HTTPResponse:
        body = None if document is None else json.dumps(document)
        described = {"Content-Type": "application/json"} if body else {}
        try:
            connection.request(method, path, body, {**described, **headers})
            response = connection.getresponse()
        except http.client.HTTPException as broken:
            raise ConnectionResetError("the container engine went away") from broken
        if response.status >= 400:
            raise EngineError(response.status, message_of(response.read()))
        return response


def message_of(data: bytes) -> str:
    """What the engine says of a refusal, from its body."""
    try:
        return str(json.loads(data)["message"])
    except (ValueError, KeyError, TypeError):
        return data.decode("utf-8", "replace").strip()


def upgrade(path: str, target: str, document: Document) -> tuple[socket.socket, bytes]:
    """A request after whose answer the connection is a plain stream both ways. Raises EngineError, OSError."""
    body = json.dumps(document).encode()
    head = (
        f"POST {target} HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(_SECONDS)
        sock.connect(path)
        sock.sendall(head.encode() + body)
        rest = _upgraded(sock)
        sock.settimeout(None)
    except BaseException:
        sock.close()
        raise
    return sock, rest


def _upgraded(sock: socket.socket) -> bytes:
    answer = b""
    while b"\r\n\r\n" not in answer:
        data = sock.recv(_PIECE)
        if not data:
            raise ConnectionResetError("the container engine went away")
        answer += data
    said, _, rest = answer.partition(b"\r\n\r\n")
    status = int(said.split(b" ", 2)[1])
    if status not in (101, 200):
        raise EngineError(status, message_of(rest) or os.fsdecode(said))
    return rest
