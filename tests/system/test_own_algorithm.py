"""An algorithm of one's own: a package of one file, installed beside Clary, trains, transforms and answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from uv import find_uv_bin

from tests.running import RunningClary
from tests.system.jobs import BUCKET, Jobs

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "own_algorithm"
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/nearest-centroid:1.0"
ROWS = "".join(f"{label},{label * 10 + i % 3},{i % 5}\n" for i in range(60) for label in (i % 3,))

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("own-algorithm")]


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    """Of a Clary that was started where the package is installed."""
    packages = tmp_path_factory.mktemp("packages")
    command = [find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--target", packages, EXAMPLE]
    subprocess.run([*command, "--python", sys.executable], check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(packages))
        with RunningClary(tmp_path_factory.mktemp("clary")) as running:
            yield Jobs(running)


def train(
    jobs: Jobs, name: str, rows: str = ROWS, image: str = IMAGE, hosts: int = 1, **given: str
) -> dict[str, object]:
    jobs.s3.put_object(Bucket=BUCKET, Key=f"{name}/train/rows.csv", Body=rows)
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/train"}
    channel = {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
    jobs.sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=jobs.role,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        InputDataConfig=[channel],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": hosts, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        HyperParameters=given,
    )
    ended: dict[str, Any] = jobs.ended(name)
    return ended


@pytest.mark.parametrize("hosts", [1, 2])
def test_it_trains_and_answers(jobs: Jobs, hosts: int) -> None:
    name = f"own-{hosts}"
    job = train(jobs, name, hosts=hosts, num_classes="3")
    assert job["TrainingJobStatus"] == "Completed", jobs.said(name)
    assert "train accuracy <score>=1.0" in jobs.said(name)
    data = job["ModelArtifacts"]["S3ModelArtifacts"]
    jobs.deploy_container(name, {"Image": IMAGE, "ModelDataUrl": data})
    answer = jobs.runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body="11,2\n0,2")
    rows = json.loads(answer["Body"].read())["predictions"]
    assert [row["predicted_label"] for row in rows] == [1, 0]


def test_a_wrong_hyperparameter_is_refused_as_by_aws_own(jobs: Jobs) -> None:
    job = train(jobs, "own-wrong", num_classes="3", metric="hamming")
    assert job["TrainingJobStatus"] == "Failed"
    reason = str(job["FailureReason"])
    assert (
        "The value 'hamming' is not valid for the 'metric' hyperparameter which accepts one of the following" in reason
    )


def test_short_names_mean_it_too_and_other_versions_do_not(jobs: Jobs) -> None:
    assert train(jobs, "own-short", image="nearest-centroid", num_classes="3")["TrainingJobStatus"] == "Completed"
    listed = jobs.clary.run("images", "list").stdout
    assert "nearest-centroid:1.0  algorithm" in listed
    with pytest.raises(jobs.sagemaker.exceptions.ClientError, match="not found"):
        train(jobs, "own-other", image=IMAGE.replace(":1.0", ":2.0"), num_classes="3")
