"""A job reads and writes S3 with its execution role's rights, as they are when it does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.running import RunningClary
from tests.system.jobs import BUCKET, Jobs

pytestmark = pytest.mark.system

TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
OBJECTS = f"arn:aws:s3:::{BUCKET}"
TRAIN = "import os\nopen('/opt/ml/model/m', 'w').write(str(os.listdir('/opt/ml/input/data')))"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str, resource: str) -> dict[str, str]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Jobs:
    jobs = Jobs(shared)
    for prefix in ("mine", "theirs"):
        jobs.s3.put_object(Bucket=BUCKET, Key=f"{prefix}/x.csv", Body=b"1")
    return jobs


@pytest.fixture(scope="module")
def role(shared: RunningClary, jobs: Jobs) -> str:
    """May list the bucket, read the jobs' sources and what is below `mine/`, and write below `output/mine`."""
    iam = shared.client("iam")
    arn: str = iam.create_role(RoleName="narrow", AssumeRolePolicyDocument=document(TRUST))["Role"]["Arn"]
    rights = document(
        allow("s3:ListBucket", OBJECTS),
        allow("s3:GetObject", f"{OBJECTS}/mine/*"),
        allow("s3:GetObject", f"{OBJECTS}/*/source.tar.gz"),
        allow("s3:PutObject", f"{OBJECTS}/output/mine*"),
    )
    iam.put_role_policy(RoleName="narrow", PolicyName="p", PolicyDocument=rights)
    return arn


def ended(jobs: Jobs, name: str, role: str, prefix: str) -> Any:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{prefix}/"}}
    channel = {"ChannelName": "train", "DataSource": source}
    return jobs.ended(jobs.start(name, TRAIN, RoleArn=role, InputDataConfig=[channel]))


def test_rights_on_one_prefix_are_rights_on_that_prefix_only(jobs: Jobs, role: str) -> None:
    job = ended(jobs, "mine", role, "mine")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert jobs.s3.head_object(Bucket=BUCKET, Key="output/mine/output/model.tar.gz")
    job = ended(jobs, "mine-not", role, "theirs")
    assert job["FailureReason"].startswith(
        f"ClientError: Data download failed:Unable to download object s3://{BUCKET}/theirs/x.csv (AccessDenied: User: "
    )
    assert "/narrow/SageMaker is not authorized to perform: s3:GetObject" in job["FailureReason"]


def test_a_model_that_the_role_may_not_write_is_not_written(jobs: Jobs, role: str) -> None:
    job = ended(jobs, "other", role, "mine")
    address = f"s3://{BUCKET}/output/other/output/model.tar.gz"
    assert job["FailureReason"].startswith(f"ClientError: Artifact upload failed:Unable to upload object {address} ")
    assert "Contents" not in jobs.s3.list_objects_v2(Bucket=BUCKET, Prefix="output/other/")
