"""Small requests: thousands that differ, signed beforehand, sent by wrk."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.against_moto.sides import REGION, Side
from benchmarks.against_moto.subjects import BUCKET, JOBS, MODELS
from benchmarks.serving import load, messages

REQUESTS = 10_000
"""Of each kind; no two are equal."""
OBJECTS = 1000
"""That are got, each by several requests."""
CLIENTS = 32
SIZE = 10 * 2**10
PUT, GET, JOB, MODEL = "10 KiB put", "10 KiB get", "DescribeTrainingJob", "DescribeModel"
KINDS = (PUT, GET, JOB, MODEL)
_TICKS = os.sysconf("SC_CLK_TCK")
_TARGETS = {JOB: ("TrainingJobName", JOBS), MODEL: ("ModelName", MODELS)}


class WrongAnswer(Exception):
    """A server does not answer what was asked for."""


@dataclass(frozen=True)
class Signer:
    """Requests with the headers that boto3 sends: each has an id of its own, which is signed."""

    side: Side
    service: str

    def request(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """In bytes, for a connection that is kept."""
        kind = S3SigV4Auth if self.service == "s3" else SigV4Auth
        named = {"amz-sdk-invocation-id": str(uuid.uuid4()), "amz-sdk-request": "attempt=1", **headers}
        signed = AWSRequest(method, f"{self.side.url}{path}", headers=named, data=body)
        kind(Credentials(*self.side.key), self.service, REGION).add_auth(signed)
        return messages.whole(method, self.side.port, path, body, dict(signed.headers.items()))


def requests(side: Side, kind: str) -> Iterator[bytes]:
    """All of one kind."""
    if kind in _TARGETS:
        return _describes(Signer(side, "sagemaker"), kind)
    return _objects(Signer(side, "s3"), kind)


def _objects(signer: Signer, kind: str) -> Iterator[bytes]:
    for number in range(REQUESTS):
        if kind == PUT:
            headers = {"Content-Type": "binary/octet-stream"}
            yield signer.request("PUT", f"/{BUCKET}/{_key(number)}", content(number), headers)
        else:
            yield signer.request("GET", f"/{BUCKET}/{_key(number % OBJECTS)}", b"", {})


def _key(number: int) -> str:
    return f"small/{number % 100:02d}/{number:05d}"


def content(number: int) -> bytes:
    """Of an object: no two are equal."""
    return hashlib.shake_256(b"%d" % number).digest(SIZE)


def _describes(signer: Signer, kind: str) -> Iterator[bytes]:
    member, names = _TARGETS[kind]
    headers = {"X-Amz-Target": f"SageMaker.{kind}", "Content-Type": "application/x-amz-json-1.1"}
    for number in range(REQUESTS):
        body = json.dumps({member: names[number % len(names)]}).encode()
        yield signer.request("POST", "/", body, headers)


@dataclass(frozen=True)
class Round:
    """Of one kind, at one server."""

    rate: float
    """Answers in a second."""
    spent: Mapping[str, float]
    """Microseconds of a processor for each answer, by process."""

    def said(self) -> str:
        """In a line."""
        return (
            f"{self.rate:.0f} a second; CPU: {', '.join(f'{name} {each:.0f} µs' for name, each in self.spent.items())}"
        )


@dataclass(frozen=True)
class Asked:
    """The requests of one kind for one server."""

    side: Side
    kind: str
    file: Path
    """As wrk reads them."""
    first: bytes

    def round(self, seconds: int) -> Round:
        """All clients ask for as long. Raises LoadFailed, WrongAnswer."""
        self.check()
        before = {name: processor_seconds(pid) for name, pid in self.side.processes.items()}
        rate = load.run(self.side.port, self.file, CLIENTS, seconds).per_second
        spent = {name: processor_seconds(pid) - before[name] for name, pid in self.side.processes.items()}
        return Round(rate, {name: each / (rate * seconds) * 1e6 for name, each in spent.items()})

    def check(self) -> None:
        """The first is answered as it should be."""
        status, body = messages.answer(self.side.port, self.first)
        if status != 200 or not self._right(body):
            raise WrongAnswer(f"{self.side.title}, {self.kind}: {status} {body[:300]!r}")

    def _right(self, body: bytes) -> bool:
        if self.kind == PUT:
            return not body
        if self.kind == GET:
            return body == content(0)
        member, names = _TARGETS[self.kind]
        return bool(json.loads(body)[member] == names[0])


def prepared(side: Side, kind: str, folder: Path) -> Asked:
    """Signatures are good for a quarter of an hour."""
    made = list(requests(side, kind))
    name = f"{side.title}-{kind}".replace(" ", "-")
    return Asked(side, kind, load.written(made, folder / name), made[0])


def put_once(side: Side) -> None:
    """What is got is there, whatever wrk came to."""
    client = side.client("s3")
    for number in range(OBJECTS):
        client.put_object(Bucket=BUCKET, Key=_key(number), Body=content(number))


def processor_seconds(pid: int) -> float:
    """What a process has used until now."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
