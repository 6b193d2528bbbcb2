"""Built-in XGBoost by its real addresses on a started Clary: several instances, pipes, checkpoints."""

from __future__ import annotations

import io
import random
import tarfile
from typing import Any

import pytest

from tests.running import RunningClary
from tests.system.jobs import BUCKET, Jobs

pytestmark = pytest.mark.system

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Jobs:
    jobs = Jobs(shared)
    for number in range(4):
        jobs.s3.put_object(Bucket=BUCKET, Key=f"trees/train/{number}.csv", Body=rows(100, number))
        jobs.s3.put_object(Bucket=BUCKET, Key=f"trees/validation/{number}.csv", Body=rows(30, 10 + number))
    return jobs


def rows(count: int, seed: int) -> bytes:
    """y = 10 where a > b, else 0; one column without meaning."""
    draw = random.Random(seed)
    drawn = ([draw.uniform(-5, 5) for _ in range(3)] for _ in range(count))
    return "".join(f"{10 if a > b else 0},{a},{b},{c}\n" for a, b, c in drawn).encode()


def channel(name: str) -> dict[str, Any]:
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": f"s3://{BUCKET}/trees/{name}/",
        "S3DataDistributionType": "ShardedByS3Key",
    }
    return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}


def start(jobs: Jobs, name: str, mode: str = "File", instances: int = 1, **more: Any) -> Any:
    """The job, ended well."""
    jobs.sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=jobs.role,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": mode},
        HyperParameters={"num_round": "30", "objective": "reg:squarederror", "tree_method": "hist"},
        InputDataConfig=[channel("train"), channel("validation")],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": instances, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        **more,
    )
    job = jobs.ended(name)
    assert job["TrainingJobStatus"] == "Completed", jobs.said(name)
    return job


def rmse(job: Any) -> float:
    found: float = next(
        metric["Value"] for metric in job["FinalMetricDataList"] if metric["MetricName"] == "validation:rmse"
    )
    return found


def files(jobs: Jobs, job: Any) -> list[str]:
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    archive = jobs.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return [member.name for member in opened.getmembers() if member.isfile()]


def test_two_instances_boost_one_model_from_their_shards(jobs: Jobs) -> None:
    alone, together = start(jobs, "trees-of-one-host"), start(jobs, "trees-of-two-hosts", instances=2)
    assert files(jobs, together) == ["xgboost-model"]
    assert rmse(together) == pytest.approx(rmse(alone), abs=0.5)
    assert rmse(together) < 3


def test_pipes_feed_it(jobs: Jobs) -> None:
    assert rmse(start(jobs, "trees-from-pipes", mode="Pipe")) < 3


def test_checkpoints_reach_s3_by_awss_names(jobs: Jobs) -> None:
    start(jobs, "trees-in-steps", CheckpointConfig={"S3Uri": f"s3://{BUCKET}/trees-in-steps"})
    listed = jobs.s3.list_objects_v2(Bucket=BUCKET, Prefix="trees-in-steps/")["Contents"]
    kept = {entry["Key"].removeprefix("trees-in-steps/") for entry in listed}
    assert {f"xgboost-checkpoint.{number}" for number in range(25, 30)} <= kept
    assert not [name for name in kept if name.endswith(".sagemaker-ignore")]
