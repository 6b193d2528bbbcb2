"""Requests that no SDK would send: signed as they should be, wrong in all else."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.model import OperationModel

from clary.wire import models
from tests.fuzz.guessing import Guesser
from tests.running import RunningClary

ANSWER_SECONDS = 90
"""Longer than any operation may take: an SQS client may wait for messages for twenty, and a body that does not come is
waited for sixty."""

_GOES_WELL = re.compile(rb"HTTP/1\.1 2.*?\r\n\r\n", re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 where the connection was closed without a word."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    """By their names in lower case."""


class Attacker:
    """Sends what a client never would, with a good signature."""

    def __init__(self, clary: RunningClary, chance: Random) -> None:
        key = json.loads((clary.data_dir / "credentials.json").read_text())
        self.port = clary.port
        self.host = f"http://127.0.0.1:{clary.port}"
        self.credentials = Credentials(key["access_key_id"], key["secret_access_key"])
        self.chance = chance
        self._guesser = Guesser(chance)

    def requests(self, service: str, operation: OperationModel) -> AWSRequest:
        """One guess at a request for an operation."""
        shape = operation.input_shape
        params = self._guesser.value(shape) if shape else {}
        return self.as_request(service, operation, params)

    def as_request(self, service: str, operation: OperationModel, params: Any) -> AWSRequest:
        """These parameters on the wire, whatever they are."""
        model = models.load(service)
        if model.protocol == "json":
            target = f"{model.metadata['targetPrefix']}.{operation.name}"
            headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
            return AWSRequest("POST", f"{self.host}/", headers, _json(params))
        if model.protocol in ("query", "ec2", "smithy-rpc-v2-cbor"):
            form = {"Action": operation.name, "Version": model.api_version, **dict(_flat(params))}
            body = "&".join(f"{quote(k, safe='')}={quote(v, safe='', errors='replace')}" for k, v in form.items())
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            return AWSRequest("POST", f"{self.host}/", headers, body.encode())
        return self._rest(operation, params)

    def _rest(self, operation: OperationModel, params: Any) -> AWSRequest:
        path = operation.http["requestUri"]
        given = params if isinstance(params, dict) else {}
        for name, shape in operation.input_shape.members.items() if operation.input_shape else ():
            label = shape.serialization.get("name", name)
            value = quote(str(given.get(name, "x")), safe="", errors="replace") or "x"
            path = path.replace("{" + label + "}", value).replace("{" + label + "+}", value)
        body = _json(params) if operation.http["method"] in ("PUT", "POST", "PATCH") else b""
        return AWSRequest(operation.http["method"], self.host + path, {"Content-Type": "application/xml"}, body)

    def send(self, service: str, request: AWSRequest, *, streams: bool = False) -> Answer:
        """Sign and send; the answer. One that `streams` may go on for hours: of what goes well then only the head."""
        self.sign(service, request)
        return self.raw(self.wire(request), streams=streams)

    def sign(self, service: str, request: AWSRequest) -> None:
        """Add a good signature."""
        signer = S3SigV4Auth if service == "s3" else SigV4Auth
        signer(self.credentials, models.load(service).signing_name, "us-east-1").add_auth(request)

    def wire(self, request: AWSRequest) -> bytes:
        """A request's bytes."""
        prepared = request.prepare()
        path = prepared.url.split(str(self.port), 1)[1] or "/"
        head = [f"{prepared.method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Connection: close"]
        head += [f"{name}: {_text(value)}" for name, value in prepared.headers.items() if name.lower() != "host"]
        body = prepared.body or b""
        body = body.encode() if isinstance(body, str) else body
        return "\r\n".join(head).encode("utf-8", "replace") + b"\r\n\r\n" + body

    def raw(self, data: bytes, *, hang_up: bool = False, streams: bool = False) -> Answer:
        """Bytes as they are, and the first answer."""
        said = self.exchange([data], hang_up=hang_up, until=_GOES_WELL if streams else None)
        head, _, body = said.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        return Answer(int(lines[0].split()[1]) if head.startswith(b"HTTP/1.1 ") else 0, body, headers)

    def exchange(self, pieces: list[bytes], *, hang_up: bool = False, until: re.Pattern[bytes] | None = None) -> bytes:
        """All that is said to these bytes until the connection is closed, or it matches. Raises TimeoutError where
        neither is ever so."""
        said = bytearray()
        with socket.create_connection(("127.0.0.1", self.port), timeout=ANSWER_SECONDS) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                for piece in pieces:
                    connection.sendall(piece)
                if hang_up:
                    connection.shutdown(socket.SHUT_WR)
                while received := connection.recv(65536):
                    said += received
                    if until is not None and until.match(said):
                        break
            except TimeoutError:  # a hang is what these requests look for
                raise
            except OSError:  # closed on us, in whichever moment
                pass
        return bytes(said)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _json(value: Any) -> bytes:
    return json.dumps(value, default=str).encode()


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
