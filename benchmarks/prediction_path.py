"""`python -m benchmarks.prediction_path [--seconds N] [--profile]`: where one prediction's microseconds go.

A started Clary serves the soft-voting classifier and a logistic regression, once as they are and once with requests
computed together and compiled. One client and 32 ask with requests that are signed one by one (wrk). Beside answers a
second and latencies stands the CPU time that each process spends on one request. Then the edge's steps are taken one by
one in this process, on the same routes and the same replica: CPU time and, for the replica's answer, the wait.

Figures of one run compare with each other; those of two machines, or of one that is busy, do not.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import json
import os
import pstats
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import uvloop
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.serving import load
from clary.app.edge import Edge
from clary.gateway import asgi, steps
from clary.images.catalogue import Catalogue
from clary.images.environments import Environments
from clary.settings import Settings, default_cache_dir
from tests.running import RunningClary, wait_until

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
BUCKET, REGION = "prediction-path", "us-east-1"
ROWS = 4000
WARM_SECONDS = 120
PLAIN = {"CLARY_COMPILE": "off", "CLARY_BATCH": "off"}
FIT = """
import sys
import joblib, numpy as np, pandas as pd
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

table = pd.read_csv(sys.argv[1]).dropna()
target = table.pop("DEATH_EVENT").astype(int)
members = [
    ("svm", SVC(probability=True, random_state=0)),
    ("logistic", LogisticRegression(max_iter=1000)),
    ("forest", RandomForestClassifier(100, random_state=0)),
]
models = {
    "voting": make_pipeline(SimpleImputer(), StandardScaler(), VotingClassifier(members, voting="soft")),
    "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
}
for name, model in models.items():
    joblib.dump(model.fit(table.values, target), f"{sys.argv[2]}/{name}.joblib")
random = np.random.RandomState(0)
rows = table.values[random.randint(0, len(table), int(sys.argv[3]))] * random.uniform(0.9, 1.1, (int(sys.argv[3]), 1))
np.savetxt(f"{sys.argv[2]}/rows.csv", rows, delimiter=",", fmt="%.6g")
"""
SCRIPT = """
import os, joblib
def model_fn(folder):
    return joblib.load(os.path.join(folder, "model.joblib"))
"""
RECORDS = Path(__file__).parents[1] / "src" / "clary" / "demo" / "heart_failure.csv"


@dataclass(frozen=True)
class Serving:
    """A started Clary and what it serves."""

    clary: RunningClary
    rows: list[str]

    def requests(self, endpoint: str) -> Iterator[bytes]:
        """Each with a signature of its own."""
        signer = SigV4Auth(self.key, "sagemaker", REGION)
        path = f"/endpoints/{endpoint}/invocations"
        for row in self.rows:
            headers = {"Content-Type": "text/csv", "Accept": "text/csv"}
            signed = AWSRequest("POST", f"{self.clary.endpoint_url}{path}", headers=headers, data=row)
            signer.add_auth(signed)
            lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{self.clary.port}", f"Content-Length: {len(row)}"]
            lines += [f"{name}: {value}" for name, value in signed.headers.items()]
            yield ("\r\n".join(lines) + "\r\n\r\n" + row).encode()

    @property
    def key(self) -> Credentials:
        """The first that `clary up` made."""
        found = json.loads((self.clary.data_dir / "credentials.json").read_text())
        return Credentials(found["access_key_id"], found["secret_access_key"])

    def inside(self) -> dict[int, float]:
        """CPU seconds so far of each process that runs in a container of this Clary's."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if str(self.clary.data_dir) in (folder / "mountinfo").read_text():
                    found[int(folder.name)] = _cpu_seconds(int(folder.name))
        return found


@contextmanager
def started() -> Iterator[Serving]:
    """Two models, each as it is and as it is served by default."""
    with tempfile.TemporaryDirectory(prefix="clary-path-") as folder:
        fitted = Path(folder)
        environment = Catalogue().resolve(IMAGE).environment
        assert environment is not None
        environments = Environments(default_cache_dir())
        python = environments.ready(environment) or environments.build(environment, print)
        subprocess.run([python, "-c", FIT, RECORDS, fitted, str(ROWS)], check=True)
        with RunningClary(fitted / "data") as clary:
            serving = Serving(clary, (fitted / "rows.csv").read_text().splitlines())
            clary.client("s3").create_bucket(Bucket=BUCKET)
            for model in ("voting", "logistic"):
                _deploy(serving, fitted, model, model, {})
                _deploy(serving, fitted, model, f"{model}-plain", PLAIN)
            yield serving


def _deploy(serving: Serving, fitted: Path, model: str, name: str, environment: Mapping[str, str]) -> None:
    clary = serving.clary
    clary.client("s3").put_object(Bucket=BUCKET, Key=f"{model}.tar.gz", Body=_packed(fitted / f"{model}.joblib"))
    sagemaker = clary.client("sagemaker")
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{model}.tar.gz", "Environment": dict(environment)}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=clary.role_arn, PrimaryContainer=container)
    variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})


def _packed(model: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(model, "model.joblib")
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(SCRIPT)
        archive.addfile(member, io.BytesIO(SCRIPT.encode()))
    return packed.getvalue()


def warm(serving: Serving, endpoint: str) -> None:
    """Ask until the model is compiled."""
    runtime, logs = serving.clary.client("sagemaker-runtime"), serving.clary.client("logs")

    def compiled() -> bool:
        for row in serving.rows[:50]:
            runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=row)["Body"].read()
        found = logs.filter_log_events(logGroupName=f"/aws/sagemaker/Endpoints/{endpoint}", filterPattern="compiled")
        return bool(found["events"])

    wait_until(compiled, WARM_SECONDS, f"{endpoint} is compiled")


def loaded(serving: Serving, endpoint: str, folder: Path, seconds: int) -> None:
    """Print one line for each number of clients."""
    file = load.written(serving.requests(endpoint), folder / f"{endpoint}.requests")
    edge = serving.clary.process("edge")
    for clients in (1, 32):
        load.run(serving.clary.port, file, clients, 1)
        before, inside = _cpu_seconds(edge), serving.inside()
        measured = load.run(serving.clary.port, file, clients, seconds)
        requests = measured.per_second * seconds
        own = (_cpu_seconds(edge) - before) / requests * 1e6
        model = max(spent - inside.get(each, spent) for each, spent in serving.inside().items()) / requests * 1e6
        print(
            f"{endpoint:15} {clients:3} clients: {measured.per_second:7.0f}/s, p50 {measured.p50:.2f} ms, "
            f"p99 {measured.p99:.2f} ms; CPU a request: edge {own:.0f} µs, replica {model:.0f} µs",
            flush=True,
        )


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Timed:
    """The gateway's steps, each with the CPU time that it takes."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self.steps = tuple(self._timed(step) for step in steps.STEPS)

    def _timed(self, step: Any) -> Any:
        async def timed(parts: Any, exchange: Any) -> None:
            began = time.thread_time()
            if waiting := step(parts, exchange):
                await waiting
            self.spent[step.__name__] = self.spent.get(step.__name__, 0.0) + time.thread_time() - began

        return timed


async def _through(gateway: Any, requests: list[bytes]) -> float:
    began = time.thread_time()
    for request in requests:
        await _ask(gateway, request)
    return (time.thread_time() - began) / len(requests)


async def _ask(gateway: Any, request: bytes) -> None:
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.split(b"\r\n")
    scope = {
        "type": "http",
        "method": line.split()[0].decode(),
        "raw_path": line.split()[1],
        "path": line.split()[1].decode(),
        "query_string": b"",
        "headers": [(name.lower(), value) for name, value in (each.split(b": ", 1) for each in headers)],
        "client": ("127.0.0.1", 1),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        assert message.get("status", 200) == 200, message

    await gateway(scope, receive, send)


def taken_apart(serving: Serving, endpoint: str, *, profile: bool) -> None:
    """Print what each step of the edge costs, in this process."""
    requests = list(serving.requests(endpoint))
    settings = Settings(data_dir=serving.clary.data_dir)
    timed = Timed()

    async def run() -> float:
        edge = Edge.of(settings)
        gateway = edge.gateway()
        await _through(gateway, requests[:500])
        whole = await _through(gateway, requests)
        with mock.patch.object(asgi, "STEPS", timed.steps):
            await _through(gateway, requests)
        if profile:
            profiler = cProfile.Profile()
            profiler.enable()
            await _through(gateway, requests)
            profiler.disable()
            pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
        edge.router.close()
        gateway.close()
        return whole

    whole = uvloop.run(run())
    print(f"\nthe edge's CPU time for one request ({endpoint}), without the sockets of clients: {whole * 1e6:.1f} µs")
    for name, spent in timed.spent.items():
        print(f"  {name:14} {spent / len(requests) * 1e6:6.1f} µs")


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prediction_path", description=__doc__)
    parser.add_argument("--seconds", type=int, default=8, help="of each round of load")
    parser.add_argument("--profile", action="store_true", help="print which functions of the edge take how long")
    arguments = parser.parse_args()
    with started() as serving, tempfile.TemporaryDirectory(prefix="clary-path-") as folder:
        for endpoint in ("voting", "logistic"):
            warm(serving, endpoint)
        taken_apart(serving, "logistic", profile=arguments.profile)
        for endpoint in ("voting-plain", "voting", "logistic-plain", "logistic"):
            loaded(serving, endpoint, Path(folder), arguments.seconds)


if __name__ == "__main__":
    main()
