"""What is asked about: a bucket, models, training jobs that have run."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.against_moto.sides import Side
from tests.running import wait_until
from tests.system.jobs import ENDED, JOB_SECONDS, SKLEARN, packed

BUCKET = "against"
JOBS = tuple(f"job-{number}" for number in range(4))
MODELS = tuple(f"model-{number}" for number in range(100))


def make(side: Side) -> None:
    """The same on both sides."""
    s3, sagemaker = side.client("s3"), side.client("sagemaker")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="source.tar.gz", Body=packed({"train.py": "print(1)"}))
    for name in MODELS:
        container = {"Image": SKLEARN, "ModelDataUrl": f"s3://{BUCKET}/source.tar.gz", "Environment": {"A": "b"}}
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=side.role, PrimaryContainer=container)
    for name in JOBS:
        sagemaker.create_training_job(**_job(name, side.role))
    for name in JOBS:
        wait_until(lambda name=name: _ended(sagemaker, name), JOB_SECONDS, f"{name} has ended")


def _job(name: str, role: str) -> dict[str, Any]:
    hyperparameters = {
        "sagemaker_program": json.dumps("train.py"),
        "sagemaker_submit_directory": json.dumps(f"s3://{BUCKET}/source.tar.gz"),
        "sagemaker_region": json.dumps("us-east-1"),
    }
    return {
        "TrainingJobName": name,
        "RoleArn": role,
        "AlgorithmSpecification": {"TrainingImage": SKLEARN, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/output"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "HyperParameters": hyperparameters,
    }


def _ended(sagemaker: Any, name: str) -> bool:
    return sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] in ENDED
