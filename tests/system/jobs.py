"""What system tests ask of a started Clary: script-mode jobs and endpoints, made with boto3."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.running import unless_away, wait_until

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
BUCKET = "system-tests"
ENDED = ("Completed", "Failed", "Stopped")
JOB_SECONDS = 120

ECHO = """\
def model_fn(model_dir):
    return model_dir

def predict_fn(data, model):
    return data
"""


def packed(files: dict[str, str]) -> bytes:
    """A tar.gz of text files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return made.getvalue()


class Cloud(Protocol):
    """Whatever gives clients: a Clary, or one of its accounts."""

    @property
    def role_arn(self) -> str: ...

    def client(self, service: str) -> Any: ...


@dataclass
class Jobs:
    """Jobs and endpoints of one account."""

    clary: Cloud
    sagemaker: Any = field(init=False)
    runtime: Any = field(init=False)
    s3: Any = field(init=False)

    def __post_init__(self) -> None:
        self.sagemaker, self.runtime, self.s3 = (
            self.clary.client(name) for name in ("sagemaker", "sagemaker-runtime", "s3")
        )
        self.s3.create_bucket(Bucket=BUCKET)
        self.role = self.clary.role_arn

    def start(self, name: str, script: str, **request: Any) -> str:
        """Create a script-mode training job that runs `script`; its name."""
        self.s3.put_object(Bucket=BUCKET, Key=f"{name}/source.tar.gz", Body=packed({"train.py": script}))
        hyperparameters = {
            "sagemaker_program": json.dumps("train.py"),
            "sagemaker_submit_directory": json.dumps(f"s3://{BUCKET}/{name}/source.tar.gz"),
            "sagemaker_region": json.dumps("us-east-1"),
        }
        defaults: dict[str, Any] = {
            "TrainingJobName": name,
            "RoleArn": self.role,
            "AlgorithmSpecification": {"TrainingImage": SKLEARN, "TrainingInputMode": "File"},
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/output"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            "HyperParameters": hyperparameters,
        }
        self.sagemaker.create_training_job(**(defaults | request))
        return name

    def encrypt(self) -> None:
        """From now on the bucket has KMS encrypt all that is written to it."""
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
        self.s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})

    def encrypted(self, prefix: str) -> set[str]:
        """What the bucket's objects say that they are encrypted by."""
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
        return {self.s3.head_object(Bucket=BUCKET, Key=each["Key"])["ServerSideEncryption"] for each in found}

    def describe(self, name: str) -> Any:
        return self.sagemaker.describe_training_job(TrainingJobName=name)

    def reached(self, name: str, secondary: str) -> Any:
        """Wait until the job is in that secondary status."""

        def there() -> Any:
            job = self.describe(name)
            assert job["TrainingJobStatus"] not in ENDED or job["SecondaryStatus"] == secondary, job
            return job if job["SecondaryStatus"] == secondary else None

        return wait_until(there, JOB_SECONDS, f"{name} is {secondary}")

    def ended(self, name: str) -> Any:
        """Wait until the job has ended, however."""

        def there() -> Any:
            job = unless_away(lambda: self.describe(name))
            return job if job and job["TrainingJobStatus"] in ENDED else None

        return wait_until(there, JOB_SECONDS, f"{name} has ended")

    def said(self, name: str) -> str:
        """The job's whole log so far; empty before the first job of all, which makes the log group, has said a line."""
        logs = self.clary.client("logs")
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/"
        )
        try:
            return "\n".join(event["message"] for page in pages for event in page["events"])
        except logs.exceptions.ResourceNotFoundException:
            return ""

    def deploy(self, name: str, inference: str = ECHO, count: int = 1) -> str:
        """An endpoint in service that runs `inference`; its name."""
        self.s3.put_object(
            Bucket=BUCKET, Key=f"{name}/model.tar.gz", Body=packed({"model": "", "code/inference.py": inference})
        )
        container = {
            "Image": SKLEARN,
            "ModelDataUrl": f"s3://{BUCKET}/{name}/model.tar.gz",
            "Environment": {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            },
        }
        return self.deploy_container(name, container, count)

    def deploy_container(self, name: str, container: dict[str, Any], count: int = 1) -> str:
        """An endpoint in service of one container definition; its name."""
        return self.deploy_containers(name, [container], count)

    def deploy_containers(self, name: str, containers: list[dict[str, Any]], count: int = 1) -> str:
        """An endpoint in service of these, one after the other; its name."""
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=self.role, Containers=containers)
        variant = {
            "VariantName": "all",
            "ModelName": name,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": count,
        }
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        wait_until(lambda: self.endpoint_status(name) != "Creating", JOB_SECONDS, f"{name} is deployed")
        assert self.endpoint_status(name) == "InService", self.sagemaker.describe_endpoint(EndpointName=name)
        return name

    def endpoint_status(self, name: str) -> str:
        status: str = self.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]
        return status

    def ask(self, name: str, body: str = "[[1, 2]]") -> str:
        answer = self.runtime.invoke_endpoint(EndpointName=name, ContentType="application/json", Body=body)
        text: str = answer["Body"].read().decode()
        return text
