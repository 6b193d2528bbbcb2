"""Serverless endpoints: `python -m benchmarks.serverless [--rounds N]`.

Built-in XGBoost by boto3. Cold: a request that finds no replica, from a Python that has XGBoost loaded already (a warm
parent) and with the model's fetching in it. Warm: the ones after it. What boto3 itself takes (1 ms) is in both.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, ended, render
from benchmarks.functions import milliseconds
from tests.running import RunningClary, wait_until
from tests.system.endpoints import at_rest, configure
from tests.system.jobs import BUCKET, JOB_SECONDS, Jobs
from tests.system.test_xgboost import IMAGE, rows

COLD_TARGET = 500.0
WARM_TARGET = 5.0

_IDLE_SECONDS = 0.5
_CALLS = 50


def deployed(jobs: Jobs) -> str:
    """A serverless endpoint with a trained model."""
    jobs.s3.put_object(Bucket=BUCKET, Key="trees/train.csv", Body=rows(1000, 0))
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/trees/"}
    jobs.sagemaker.create_training_job(
        TrainingJobName="trees",
        RoleArn=jobs.role,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={"num_round": "100", "objective": "reg:squarederror"},
        InputDataConfig=[{"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    container = {"Image": IMAGE, "ModelDataUrl": jobs.ended("trees")["ModelArtifacts"]["S3ModelArtifacts"]}
    jobs.sagemaker.create_model(ModelName="trees", ExecutionRoleArn=jobs.role, PrimaryContainer=container)
    config = {"MemorySizeInMB": 1024, "MaxConcurrency": 2}
    configure(jobs, "trees", {"VariantName": "v", "ModelName": "trees", "ServerlessConfig": config})
    jobs.sagemaker.create_endpoint(EndpointName="trees", EndpointConfigName="trees")
    at_rest(jobs, "trees")
    return "trees"


def predict(jobs: Jobs, endpoint: str) -> Any:
    """One prediction, whole."""
    answer = jobs.runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=b"1,2,3")
    return answer["Body"].read()


def rounds_of(jobs: Jobs, endpoint: str, rounds: int) -> Iterator[tuple[float, float]]:
    """Milliseconds: a cold start, and the median of those that follow."""
    containers = jobs.clary.data_dir / "run" / "containers"
    for _ in range(rounds):
        wait_until(lambda: not any(containers.glob("*/handle.json")), JOB_SECONDS, "no replica is left")
        cold, _ = milliseconds(lambda: predict(jobs, endpoint))
        yield cold, statistics.median(milliseconds(lambda: predict(jobs, endpoint))[0] for _ in range(_CALLS))


def measure(clary: RunningClary, rounds: int) -> list[Figure]:
    """Both."""
    jobs = Jobs(clary)
    found = list(rounds_of(jobs, deployed(jobs), rounds))
    return [
        Figure("serverless XGBoost, cold start from a warm parent", [cold for cold, _ in found], COLD_TARGET, "ms"),
        Figure("serverless XGBoost, warm", [warm for _, warm in found], WARM_TARGET, "ms"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serverless", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="cold starts; the median counts")
    arguments = parser.parse_args()
    idle = ("--serverless-idle", str(_IDLE_SECONDS))
    with tempfile.TemporaryDirectory() as folder, RunningClary(Path(folder) / "data", *idle) as clary:
        figures = measure(clary, arguments.rounds)
    for figure in figures:
        print(figure.line(), flush=True)
    print("\n" + render(figures))
    return ended(figures)


if __name__ == "__main__":
    sys.exit(main())
