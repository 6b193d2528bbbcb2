"""What Clary costs that nobody asks: `python -m benchmarks.at_rest [--endpoints N]`, as root.

Memory of its processes after their start, memory of each of many idle endpoints, what these take of control's time, and
what `clary coverage --json` takes of the processor.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import mean

from benchmarks import pages
from benchmarks.figures import Figure, ended
from clary.compute import record
from clary.settings import Settings
from tests.processes import bytes_of, family
from tests.running import RunningClary, wait_until
from tests.system.jobs import BUCKET, SKLEARN, Jobs, packed

ENDPOINTS = 200
ENDPOINT_MIB = 10.0
CONTROL_SECONDS = 1.0
COVERAGE_SECONDS = 2.0
_MIB = {"supervisor": 20.0, "launcher": 20.0, "control": 67.0, "edge": 77.0}
_ALL_SECONDS = 600
_MINUTE = 60.0
_SETTLE_SECONDS = 70.0
"""After which endpoints are looked at as rarely as they will be."""

LOADS = """\
from sklearn.linear_model import LogisticRegression


def model_fn(model_dir):
    return LogisticRegression().fit([[0.0], [1.0]], [0, 1])
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.at_rest", description=__doc__)
    parser.add_argument("--endpoints", type=int, default=ENDPOINTS, help="idle ones (default: %(default)s; 0: none)")
    count = parser.parse_args().endpoints
    figures = []
    with tempfile.TemporaryDirectory(prefix="cbr-") as folder, RunningClary(Path(folder) / "data") as clary:
        for figure in _figures(clary, count):
            print(figure.line(), flush=True)
            figures.append(figure)
    return ended(figures)


def _figures(clary: RunningClary, count: int) -> Iterator[Figure]:
    time.sleep(5)
    for name, target in _MIB.items():
        yield Figure(f"memory of {name}", [bytes_of(clary.process(name), "Rss") / 2**20], target, "MiB")
    yield Figure("clary coverage --json", [_coverage_seconds(clary) for _ in range(3)], COVERAGE_SECONDS)
    if not count:
        return
    _deploy(Jobs(clary), count)
    time.sleep(_SETTLE_SECONDS)
    yield Figure(f"control's time for {count} idle endpoints, a minute", [_control_seconds(clary)], CONTROL_SECONDS)
    shim, first, server = _owned(clary)
    title = f"memory of an idle endpoint (shim {shim:.1f}, PID 1 {first:.1f}, model server {server:.1f})"
    yield Figure(title, [shim + first + server], ENDPOINT_MIB, "MiB", name="memory of an idle endpoint")


def _coverage_seconds(clary: RunningClary) -> float:
    """Of the processor."""
    before = os.times()
    clary.run("coverage", "--json")
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _deploy(jobs: Jobs, count: int) -> None:
    """All with one model; returns when they are in service."""
    data = packed({"model": "", "code/inference.py": LOADS})
    jobs.s3.put_object(Bucket=BUCKET, Key="idle/model.tar.gz", Body=data)
    container = {
        "Image": SKLEARN,
        "ModelDataUrl": f"s3://{BUCKET}/idle/model.tar.gz",
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
    }
    jobs.sagemaker.create_model(ModelName="idle", ExecutionRoleArn=jobs.role, PrimaryContainer=container)
    variant = {"VariantName": "v", "ModelName": "idle", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    jobs.sagemaker.create_endpoint_config(EndpointConfigName="idle", ProductionVariants=[variant])
    names = [f"idle-{number}" for number in range(count)]
    for name in names:
        jobs.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="idle")
    for name in names:
        wait_until(lambda name=name: _in_service(jobs, name), _ALL_SECONDS, f"{name} is in service")  # type: ignore[misc]


def _in_service(jobs: Jobs, name: str) -> bool:
    status = jobs.endpoint_status(name)
    if status == "Failed":
        raise RuntimeError(f"{name} has failed")
    return status == "InService"


def _control_seconds(clary: RunningClary) -> float:
    """Of the processor, in a minute that has one report of how busy instances are."""
    before = _cpu_seconds(clary.process("control"))
    time.sleep(_MINUTE)
    return _cpu_seconds(clary.process("control")) - before


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def _owned(clary: RunningClary) -> tuple[float, float, float]:
    """MiB of shim, PID 1 and model server that they share with no other endpoint; the means."""
    found = []
    for folder in Settings(data_dir=clary.data_dir).containers_dir.iterdir():
        handle = record.read(str(folder), record.HANDLE)
        if handle:
            pids = [pid for _, pid in family(handle["pid"])]
            found.append(pages.owned(pages.parent_of(pids[0]), pids))
    shim, first, server = (mean(sizes) / 2**20 for sizes in zip(*found, strict=True))
    return shim, first, server


if __name__ == "__main__":
    sys.exit(main())
