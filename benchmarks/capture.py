"""What data capture costs: `python -m benchmarks.capture`.

Two endpoints of one model that answers at once, as small as a logistic regression's answer; one captures every request
and answer. They are asked in turns, over eight connections, long enough for control to write objects; each turn
begins when all of the one before is written. What counts is requests in a second; beside it stands what the edge has
used for each, and control for each record.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.figures import Figure, ended
from tests.running import RunningClary, wait_until
from tests.system.jobs import BUCKET, JOB_SECONDS, SKLEARN, Jobs, packed

TARGET_PERCENT = 10.0
_REQUESTS = 10_000
"""That differ; they are sent again when all were."""
_ROUNDS = 5
_SECONDS = 10.0
"""Twice as long as a file of the spool is open."""
_CONNECTIONS = 8
_REPLICAS = 2
_ROW = b"5.1,3.5,1.4,0.2,6.3,2.9,5.6,1.8,0.4,1.7,3.2"
_ANSWER = b"0.9731"
_WRITTEN_SECONDS = 120

ANSWERS = f"""\
def model_fn(model_dir):
    return None

def input_fn(data, content_type):
    return data

def predict_fn(data, model):
    return {_ANSWER!r}

def output_fn(data, accept):
    return data, "text/csv"
"""


def _model(jobs: Jobs) -> str:
    container = {
        "Image": SKLEARN,
        "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz",
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
    }
    jobs.s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=packed({"model": "", "code/inference.py": ANSWERS}))
    jobs.sagemaker.create_model(ModelName="m", ExecutionRoleArn=jobs.role, PrimaryContainer=container)
    return "m"


def _deploy(jobs: Jobs, name: str, model: str, percentage: int | None) -> str:
    variant = {"VariantName": "v", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": _REPLICAS}
    capture = {
        "InitialSamplingPercentage": percentage,
        "DestinationS3Uri": f"s3://{BUCKET}/captured",
        "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
    }
    also = {} if percentage is None else {"DataCaptureConfig": capture}
    jobs.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], **also)
    jobs.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    wait_until(lambda: jobs.endpoint_status(name) == "InService", JOB_SECONDS, f"{name} is in service")
    return name


def _signed(clary: RunningClary, endpoint: str, numbers: range) -> Iterator[bytes]:
    """Requests as a client would send them; no two are equal."""
    key = json.loads((clary.data_dir / "credentials.json").read_text())
    signer = SigV4Auth(Credentials(key["access_key_id"], key["secret_access_key"]), "sagemaker", "us-east-1")
    url = urlsplit(f"{clary.endpoint_url}/endpoints/{endpoint}/invocations")
    for number in numbers:
        headers = {"Content-Type": "text/csv", "X-Amzn-SageMaker-Inference-Id": f"request-{number}"}
        request = AWSRequest("POST", url.geturl(), data=_ROW, headers=headers)
        signer.add_auth(request)
        head = {**request.headers, "Host": url.netloc, "Content-Length": len(_ROW)}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        yield f"POST {url.path} HTTP/1.1\r\n{lines}\r\n".encode() + _ROW


def _answered(port: int, requests: Iterator[bytes]) -> int:
    """How many are answered in the time, over connections each of which asks one after the other."""
    answered, asking = 0, _CONNECTIONS
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        end = time.perf_counter() + _SECONDS
        for _ in range(_CONNECTIONS):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.sendall(next(requests))
            selector.register(connection, selectors.EVENT_READ, connection)
        while asking:
            for key, _ in selector.select():
                _read(key.data)
                answered += 1
                if time.perf_counter() < end:
                    key.data.sendall(next(requests))
                else:
                    asking -= 1
    return answered


def _read(connection: socket.socket) -> None:
    answer = b""
    while not answer.endswith(_ANSWER):
        data = connection.recv(65_536)
        if not data:
            raise ConnectionResetError(answer)
        answer += data
    if not answer.startswith(b"HTTP/1.1 200"):
        raise ValueError(answer)


def _processor_seconds(pid: int) -> float:
    """What a process has used until now."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _captured(jobs: Jobs) -> int:
    pages = jobs.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="captured/")
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    return sum(jobs.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().count(b"\n") for key in keys)


@dataclass
class Side:
    """One of the two endpoints."""

    name: str
    percentage: int | None
    requests: Iterator[bytes] = field(init=False)
    answered: int = 0


@dataclass(frozen=True)
class Turn:
    """One measurement of one endpoint."""

    per_second: float
    edge: float
    """Microseconds of the edge for each request."""
    control: float
    """The same of control, until everything was written."""


def _turn(clary: RunningClary, side: Side) -> Turn:
    edge, control = clary.process("edge"), clary.process("control")
    before = _processor_seconds(edge), _processor_seconds(control)
    answered = _answered(clary.port, side.requests)
    used = _processor_seconds(edge) - before[0]
    side.answered += answered
    folder = clary.data_dir / "capture"
    wait_until(lambda: not any(folder.glob("*/*")), _WRITTEN_SECONDS, "everything captured is written")
    written = _processor_seconds(control) - before[1]
    return Turn(answered / _SECONDS, used / answered * 1e6, written / answered * 1e6)


def measure(clary: RunningClary) -> Figure:
    """By how much capture at 100 % slows an endpoint."""
    jobs, costs = Jobs(clary), list[float]()
    model = _model(jobs)
    sides = [Side("plain", None), Side("captured", 100)]
    for side in sides:
        _deploy(jobs, side.name, model, side.percentage)
        side.requests = cycle(list(_signed(clary, side.name, range(_REQUESTS))))
    for number in range(_ROUNDS):
        ordered = sides if number % 2 else sides[::-1]
        turns = {side.name: _turn(clary, side) for side in ordered}
        for name, turn in sorted(turns.items()):
            print(
                f"{name} {turn.per_second:.0f} req/s, edge {turn.edge:.0f} µs, control {turn.control:.0f} µs",
                flush=True,
            )
        costs.append((1 - turns["captured"].per_second / turns["plain"].per_second) * 100)
    print(f"{_captured(jobs)} records of {sides[1].answered} requests")
    return Figure("requests in a second less, with capture at 100 %", costs, TARGET_PERCENT, "%")


def main() -> int:
    """1 where the target is missed."""
    with (
        tempfile.TemporaryDirectory(prefix="clary-bench-") as folder,
        RunningClary(Path(folder) / "data") as clary,
    ):
        figure = measure(clary)
    print(figure.line())
    return ended([figure])


if __name__ == "__main__":
    sys.exit(main())
