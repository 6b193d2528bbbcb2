"""Clary beside moto's server in one run: `python -m benchmarks.against_moto [--quick]` (needs wrk).

Both answer the same distinct requests, signed beforehand, in turns: objects of 10 KiB put and got, DescribeModel; then
an object of 256 MiB, put and got over one connection, with what that adds to the memory of Clary's processes.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.figures import Figure, ended
from benchmarks.moto import RunningMoto
from benchmarks.serving import load, messages
from tests.running import RunningClary

BUCKET = "against-moto"
_SMALL, _LARGE, _PIECE = 10 * 2**10, 256 * 2**20, 2**20
_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
_MODELS = 500
_CLIENTS = 16
_MEMORY_MIB = 64.0
"""What a large object may add to the memory of all processes: buffers, no object."""
_TARGETS = {"put": 5.0, "get": 10.0, "describe": 10.0, "large put": 3.0, "large get": 8.0}
_DESCRIBED_A_SECOND = 3000.0

Side = RunningClary | RunningMoto
Requests = Callable[[Side], list[bytes]]


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int
    seconds: int
    """Of each measurement by wrk."""
    requests: int
    """That differ, of a kind."""


def main() -> int:
    """1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.against_moto", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, to see whether it works")
    plan = Plan(1, 2, 500) if parser.parse_args().quick else Plan(5, 8, 10_000)
    if not load.available():
        print("wrk (https://github.com/wg/wrk) makes the load, and is not on the PATH.", file=sys.stderr)
        return 1
    figures = []
    with (
        tempfile.TemporaryDirectory(prefix="clary-bench-") as name,
        RunningClary(Path(name) / "data") as clary,
        RunningMoto(Path(name)) as moto,
    ):
        for figure in measure(clary, moto, plan, Path(name)):
            print(figure.line(), flush=True)
            figures.append(figure)
    return ended(figures)


def measure(clary: RunningClary, moto: RunningMoto, plan: Plan, folder: Path) -> Iterator[Figure]:
    """All figures."""
    for side in (clary, moto):
        _prepare(side, plan.requests)
    kinds: dict[str, Requests] = {
        "put": lambda side: _objects(side, "put_object", plan.requests),
        "get": lambda side: _objects(side, "get_object", plan.requests),
        "describe": lambda side: _describes(side, plan.requests),
    }
    titles = {"put": "objects of 10 KiB put", "get": "objects of 10 KiB got", "describe": "models described"}
    for kind, requests in kinds.items():
        own, peer = _in_turns(clary, moto, requests, plan, folder / "requests")
        yield _ratio(titles[kind], _over(own, peer), _TARGETS[kind])
        if kind == "describe":
            yield Figure("models described", own, _DESCRIBED_A_SECOND, "/s", is_least=True)
    yield from _large(clary, moto, plan)


def _prepare(side: Side, objects: int) -> None:
    """A bucket with objects, and models."""
    s3, body = side.client("s3"), os.urandom(_SMALL)
    s3.create_bucket(Bucket=BUCKET)
    for number in range(objects):
        s3.put_object(Bucket=BUCKET, Key=f"small/{number}", Body=body)
    sagemaker = side.client("sagemaker")
    container = {"Image": _IMAGE}
    for number in range(_MODELS):
        sagemaker.create_model(ModelName=f"model-{number}", ExecutionRoleArn=side.role_arn, PrimaryContainer=container)


def _objects(side: Side, operation: str, count: int) -> list[bytes]:
    """Each is of another key."""
    client, put = side.client("s3"), operation == "put_object"
    body = os.urandom(_SMALL) if put else b""
    method = b"PUT" if put else b"GET"
    head = b"Host: 127.0.0.1:%d\r\nContent-Length: %d\r\n\r\n" % (side.port, len(body))
    paths = (_signed(client, operation, f"small/{number}") for number in range(count))
    return [b"%b %b HTTP/1.1\r\n%b%b" % (method, path.encode(), head, body) for path in paths]


def _signed(client: Any, operation: str, key: str) -> str:
    address: str = client.generate_presigned_url(operation, Params={"Bucket": BUCKET, "Key": key})
    return address[address.index("/", len("http://")) :]


def _describes(side: Side, count: int) -> list[bytes]:
    signer = SigV4Auth(Credentials(*side.key), "sagemaker", "us-east-1")
    return [_describe(side.port, signer, number) for number in range(count)]


def _describe(port: int, signer: SigV4Auth, number: int) -> bytes:
    body = json.dumps({"ModelName": f"model-{number % _MODELS}"}).encode()
    named = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "SageMaker.DescribeModel",
        "X-Amz-User-Agent": f"request-{number}",
    }
    signed = AWSRequest("POST", f"http://127.0.0.1:{port}/", headers=named, data=body)
    signer.add_auth(signed)
    return messages.post(port, "/", body, dict(signed.headers.items()))


def _in_turns(
    clary: RunningClary, moto: RunningMoto, requests: Requests, plan: Plan, file: Path
) -> tuple[list[float], list[float]]:
    """Requests a second, of both. Raises LoadFailed."""
    found: tuple[list[float], list[float]] = [], []
    for _ in range(plan.rounds):
        for side, rates in zip((clary, moto), found, strict=True):
            load.written(requests(side), file)
            rates.append(load.run(side.port, file, _CLIENTS, plan.seconds).per_second)
        print(f"    {found[0][-1]:.0f} and {found[1][-1]:.0f} a second", flush=True)
    return found


def _large(clary: RunningClary, moto: RunningMoto, plan: Plan) -> Iterator[Figure]:
    own: list[tuple[float, float]] = []
    peer: list[tuple[float, float]] = []
    added = []
    for number in range(plan.rounds):
        before = _begin_peaks(clary)
        own.append(_large_object(clary, number))
        added.append((_peaks(clary) - before) / 2**20)
        peer.append(_large_object(moto, number))
    for index, kind in enumerate(("put", "get")):
        ratios = _over([each[index] for each in peer], [each[index] for each in own])
        yield _ratio(f"an object of 256 MiB {kind}", ratios, _TARGETS[f"large {kind}"])
    yield Figure("an object of 256 MiB put and got: memory of all processes, at most", added, _MEMORY_MIB, "MiB")


def _large_object(side: Side, number: int) -> tuple[float, float]:
    """Seconds to put it, and to get it. Raises RuntimeError where it does not come back whole."""
    client, key, piece = side.client("s3"), f"large-{number}", os.urandom(_PIECE)
    put, got = (_signed(client, operation, key) for operation in ("put_object", "get_object"))
    began = time.perf_counter()
    sent = _answered(side.port, "PUT", put, (piece for _ in range(_LARGE // _PIECE)))
    done = time.perf_counter()
    came = _answered(side.port, "GET", got)
    ended_at = time.perf_counter()
    if (sent, came) != (0, _LARGE):
        raise RuntimeError(f"{came} bytes came back")
    client.delete_object(Bucket=BUCKET, Key=key)
    return done - began, ended_at - done


def _answered(port: int, method: str, path: str, body: Iterator[bytes] | None = None) -> int:
    """How many bytes the answer has. Raises RuntimeError where it is a refusal."""
    connection, into, count = http.client.HTTPConnection("127.0.0.1", port), bytearray(_PIECE), 0
    connection.request(method, path, body=body, headers={"Content-Length": str(_LARGE)} if body else {})
    answer = connection.getresponse()
    if answer.status != http.client.OK:
        raise RuntimeError(f"{answer.status}: {answer.read()!r}")
    while read := answer.readinto(into):
        count += read
    connection.close()
    return count


def _begin_peaks(clary: RunningClary) -> int:
    """What the processes have now, in bytes; their peaks are counted anew."""
    for pid in _processes(clary):
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _peaks(clary)


def _peaks(clary: RunningClary) -> int:
    return sum(_peak(pid) for pid in _processes(clary))


def _processes(clary: RunningClary) -> list[int]:
    return [clary.process(name) for name in ("edge", "control")]


def _peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _over(dividends: Sequence[float], divisors: Sequence[float]) -> list[float]:
    return [dividend / divisor for dividend, divisor in zip(dividends, divisors, strict=True)]


def _ratio(title: str, values: Sequence[float], target: float) -> Figure:
    return Figure(f"{title}, against moto's server", values, target, "×", is_least=True)


if __name__ == "__main__":
    sys.exit(main())
