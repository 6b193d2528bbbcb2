"""Linear Learner through the API: train, deploy, ask, by its real addresses, on a started Clary."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.running import RunningClary, wait_until
from tests.system.jobs import BUCKET, ENDED, Jobs

pytestmark = pytest.mark.system

IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Jobs:
    return Jobs(shared)


def rows(count: int, seed: int) -> bytes:
    """y = 3 a - b + 7."""
    draw = random.Random(seed)
    pairs = ((draw.uniform(-5, 5), draw.uniform(-5, 5)) for _ in range(count))
    return "".join(f"{3 * a - b + 7},{a},{b}\n" for a, b in pairs).encode()


def channel(name: str, **source: Any) -> dict[str, Any]:
    described = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/line/{name}/", **source}
    return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": described}}


def start(jobs: Jobs, name: str, mode: str = "File", instances: int = 1, **hyperparameters: str) -> Any:
    """The job, ended."""
    for number in range(4):
        jobs.s3.put_object(Bucket=BUCKET, Key=f"line/train/{number}.csv", Body=rows(100, number))
    jobs.s3.put_object(Bucket=BUCKET, Key="line/validation/0.csv", Body=rows(50, 9))
    given = {"predictor_type": "regressor", "mini_batch_size": "20", "epochs": "40", **hyperparameters}
    jobs.sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=jobs.role,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": mode},
        HyperParameters=given,
        InputDataConfig=[channel("train", S3DataDistributionType="ShardedByS3Key"), channel("validation")],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": instances, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    return jobs.ended(name)


def metrics(job: Any) -> dict[str, float]:
    return {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}


def test_a_line_is_trained_deployed_and_asked(jobs: Jobs) -> None:
    job = start(jobs, "line-of-one-host")
    assert job["TrainingJobStatus"] == "Completed", job
    assert metrics(job)["validation:mse"] < 0.1
    assert metrics(job)["train:progress"] > 0
    names = {definition["Name"] for definition in job["AlgorithmSpecification"]["MetricDefinitions"]}
    assert {"validation:objective_loss", "test:binary_f_beta"} <= names
    model = {"Image": IMAGE, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    endpoint = jobs.deploy_container("line-of-one-host", model)
    answer = jobs.runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body="1,2\n0,0")
    assert answer["ContentType"] == "application/json"
    scores = [row["score"] for row in json.loads(answer["Body"].read())["predictions"]]
    assert scores == pytest.approx([8, 7], abs=0.5)


def test_a_file_is_transformed_line_by_line(jobs: Jobs) -> None:
    job = start(jobs, "line-to-transform")
    model = {"Image": IMAGE, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    jobs.sagemaker.create_model(ModelName="line-to-transform", ExecutionRoleArn=jobs.role, PrimaryContainer=model)
    jobs.s3.put_object(Bucket=BUCKET, Key="points/p.csv", Body=b"1,2\n0,0\n-1,1\n")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/points/"}}
    jobs.sagemaker.create_transform_job(
        TransformJobName="points",
        ModelName="line-to-transform",
        TransformInput={"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={
            "S3OutputPath": f"s3://{BUCKET}/scored",
            "Accept": "application/jsonlines",
            "AssembleWith": "Line",
        },
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    transformed = wait_until(lambda: _transformed(jobs, "points"), 60, "points are transformed")
    assert transformed["TransformJobStatus"] == "Completed", transformed
    lines = jobs.s3.get_object(Bucket=BUCKET, Key="scored/p.csv.out")["Body"].read().decode().splitlines()
    assert [json.loads(line)["score"] for line in lines] == pytest.approx([8, 7, 3], abs=0.5)


def _transformed(jobs: Jobs, name: str) -> Any:
    """The transform job, once it has ended."""
    job = jobs.sagemaker.describe_transform_job(TransformJobName=name)
    return job if job["TransformJobStatus"] in ENDED else None


def test_pipes_feed_it(jobs: Jobs) -> None:
    job = start(jobs, "line-from-pipes", mode="Pipe")
    assert job["TrainingJobStatus"] == "Completed", jobs.said("line-from-pipes")
    assert metrics(job)["validation:mse"] < 0.1


def test_two_hosts_train_one_model_from_their_parts(jobs: Jobs) -> None:
    job = start(jobs, "line-of-two-hosts", instances=2)
    assert job["TrainingJobStatus"] == "Completed", jobs.said("line-of-two-hosts")
    assert metrics(job)["validation:mse"] < 0.1


def test_a_wrong_hyperparameter_is_the_failure_reason(jobs: Jobs) -> None:
    job = start(jobs, "line-of-many-epochs", epochs="many")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: The value 'many' is not valid for the 'epochs' hyperparameter")
