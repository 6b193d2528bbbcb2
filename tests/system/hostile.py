"""Requests that no SDK would send: signed as they should be, wrong in all else, and repeatable by their seed."""

from __future__ import annotations

import base64
import json
import random
import socket
import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from clary.wire import models

ANSWER_SECONDS = 30
STRANGE = (
    "",
    "\0",
    "../../../etc/passwd",
    "%00%2e%2e%2f",
    "a" * 5000,
    "ünïcode ☃ \u202e",
    "'; DROP TABLE resource; --",
    "{{7*7}}${7*7}",
    "arn:aws:iam::000000000000:role/x",
    "s3://",
    "s3://bucket/../../key",
    "-1",
    "1e999",
    "NaN",
)
WRONG_JSON: tuple[Any, ...] = (None, True, -1, 2**70, 1.5e300, "", "x", [], {}, [[]], {"a": {"b": []}}, "\ud83d\ude00")
DEPTH = 4


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 where the connection was closed without a word."""

    status: int
    body: bytes


class Guesser:
    """Parameters for an operation: mostly right, somewhere wrong."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def value(self, shape: Shape, depth: int = 0) -> Any:
        """A JSON value for a shape: one in six is of a wrong type or strange."""
        if self._random.random() < 1 / 6:
            return self._random.choice(WRONG_JSON)
        if isinstance(shape, StructureShape):
            members = {} if depth > DEPTH else shape.members
            chosen = [n for n in members if n in shape.required_members or self._random.random() < 0.4]
            return {name: self.value(members[name], depth + 1) for name in chosen}
        if isinstance(shape, ListShape):
            return [self.value(shape.member, depth + 1) for _ in range(self._random.randrange(3))]
        if isinstance(shape, MapShape):
            return {self.text(shape.key): self.value(shape.value, depth + 1) for _ in range(self._random.randrange(3))}
        return self.scalar(shape)

    def scalar(self, shape: Shape) -> Any:
        match shape.type_name:
            case "integer" | "long":
                return self._random.choice((0, 1, 7, -5, 2**31, 10**12))
            case "double" | "float":
                return self._random.choice((0.0, 0.5, -1.0, 1e18))
            case "boolean":
                return self._random.random() < 0.5
            case "timestamp":
                return self._random.choice((0, 1.7e9, -1e15, 1e18))
            case "blob":
                return base64.b64encode(self._random.randbytes(self._random.randrange(40))).decode()
        return self.text(shape)

    def text(self, shape: Shape) -> str:
        """An enumerated value, a plain name, or a strange text."""
        if getattr(shape, "enum", None) and self._random.random() < 0.8:
            return str(self._random.choice(shape.enum))
        if self._random.random() < 0.6:
            return "".join(self._random.choices(string.ascii_lowercase, k=self._random.randrange(1, 12)))
        return self._random.choice(STRANGE)


class Attacker:
    """Sends what a client never would, with a good signature."""

    def __init__(self, port: int, key: dict[str, str], seed: int) -> None:
        self._port = port
        self._credentials = Credentials(key["access_key_id"], key["secret_access_key"])
        self._guesser = Guesser(seed)

    def requests(self, service: str, operation: OperationModel) -> AWSRequest:
        """One guess at a request for an operation."""
        shape = operation.input_shape
        params = self._guesser.value(shape) if shape else {}
        model = models.load(service)
        host = f"http://127.0.0.1:{self._port}"
        if model.protocol == "json":
            target = f"{model.metadata['targetPrefix']}.{operation.name}"
            headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
            return AWSRequest("POST", f"{host}/", headers, _json(params))
        if model.protocol == "query":
            form = {"Action": operation.name, "Version": model.api_version, **dict(_flat(params))}
            body = "&".join(f"{quote(k, safe='')}={quote(v, safe='', errors='replace')}" for k, v in form.items())
            return AWSRequest("POST", f"{host}/", {"Content-Type": "application/x-www-form-urlencoded"}, body.encode())
        return self._rest(host, operation, params)

    def _rest(self, host: str, operation: OperationModel, params: Any) -> AWSRequest:
        path = operation.http["requestUri"]
        given = params if isinstance(params, dict) else {}
        for name in ("Bucket", "Key", "Key+", "EndpointName"):
            value = given.get(name.rstrip("+"), "x")
            path = path.replace("{" + name + "}", quote(str(value), safe="", errors="replace") or "x")
        body = _json(params) if operation.http["method"] in ("PUT", "POST") else b""
        return AWSRequest(operation.http["method"], host + path, {"Content-Type": "application/xml"}, body)

    def send(self, service: str, request: AWSRequest) -> Answer:
        """Sign and send; the answer."""
        signer = S3SigV4Auth if service == "s3" else SigV4Auth
        signer(self._credentials, models.load(service).signing_name, "us-east-1").add_auth(request)
        prepared = request.prepare()
        path = prepared.url.split(str(self._port), 1)[1]
        head = [f"{prepared.method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self._port}", "Connection: close"]
        head += [f"{name}: {_latin(value)}" for name, value in prepared.headers.items() if name.lower() != "host"]
        return self.raw("\r\n".join(head).encode("latin-1", "replace") + b"\r\n\r\n" + (prepared.body or b""))

    def raw(self, data: bytes, *, hang_up: bool = False) -> Answer:
        """Bytes as they are."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=ANSWER_SECONDS) as connection:
            try:
                connection.sendall(data)
                if hang_up:
                    connection.shutdown(socket.SHUT_WR)
                said = b"".join(iter(lambda: connection.recv(65536), b""))
            except TimeoutError:  # a hang is what these requests look for
                raise
            except OSError:  # closed on us, in whichever moment
                said = b""
        head, _, body = said.partition(b"\r\n\r\n")
        return Answer(int(head.split()[1]) if head.startswith(b"HTTP/1.1 ") else 0, body)


def _latin(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """The query protocol's flat names."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(inner, f"{prefix}.{name}" if prefix else str(name))
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            yield from _flat(inner, f"{prefix}.member.{number}")
    else:
        yield prefix or "x", str(value)
