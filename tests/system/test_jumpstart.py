"""JumpStart's bucket and its models through the API, on a started Clary."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.running import RunningClary, wait_until
from tests.system.jobs import BUCKET, ENDED, Jobs

pytestmark = pytest.mark.system

PUBLIC = "jumpstart-cache-prod-us-east-1"
FAMILY = "m5"


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Jobs:
    return Jobs(shared)


def spec(jobs: Jobs, model: str) -> Any:
    manifest = json.loads(jobs.s3.get_object(Bucket=PUBLIC, Key="models_manifest.json")["Body"].read())
    key = max((header for header in manifest if header["model_id"] == model), key=lambda header: header["version"])
    return json.loads(jobs.s3.get_object(Bucket=PUBLIC, Key=key["spec_key"])["Body"].read())


def image(variants: Any) -> str:
    alias = variants["variants"][FAMILY]["regional_properties"]["image_uri"]
    address: str = variants["regional_aliases"]["us-east-1"][alias.removeprefix("$")]
    return address


def create(
    jobs: Jobs,
    name: str,
    model: str,
    data: str,
    instances: int = 1,
    shared: str = "FullyReplicated",
    **hyperparameters: str,
) -> None:
    """A job as AWS's notebooks describe it."""
    told = spec(jobs, model)
    program = {
        "sagemaker_program": json.dumps("transfer_learning.py"),
        "sagemaker_submit_directory": json.dumps(f"s3://{PUBLIC}/{told['training_script_key']}"),
    }
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": data, "S3DataDistributionType": shared}}
    jobs.sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=jobs.role,
        AlgorithmSpecification={
            "TrainingImage": image(told["training_instance_type_variants"]),
            "TrainingInputMode": "File",
            "MetricDefinitions": told["metrics"],
        },
        HyperParameters={**program, **{key: json.dumps(value) for key, value in hyperparameters.items()}},
        InputDataConfig=[{"ChannelName": "training", "DataSource": source}],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": instances, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )


def start(jobs: Jobs, name: str, model: str, data: str, **options: Any) -> Any:
    """The same job, ended."""
    create(jobs, name, model, data, **options)
    return jobs.ended(name)


def metrics(job: Any) -> dict[str, float]:
    return {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}


def sample(jobs: Jobs, name: str) -> tuple[list[float], str]:
    """Targets and features of a sample's test data."""
    text = jobs.s3.get_object(Bucket=PUBLIC, Key=f"training-datasets/{name}/test/data.csv")["Body"].read().decode()
    rows = [line.split(",") for line in text.splitlines()]
    return [float(row[0]) for row in rows], "".join(",".join(row[1:]) + "\n" for row in rows)


def test_the_bucket_is_everybodys_to_read_and_nobodys_to_change(jobs: Jobs) -> None:
    names = [bucket["Name"] for bucket in jobs.s3.list_buckets()["Buckets"]]
    assert PUBLIC not in names
    assert jobs.s3.head_bucket(Bucket=PUBLIC)["BucketRegion"] == "us-east-1"
    changes = [
        lambda: jobs.s3.put_object(Bucket=PUBLIC, Key="models_manifest.json", Body=b"[]"),
        lambda: jobs.s3.delete_object(Bucket=PUBLIC, Key="models_manifest.json"),
        lambda: jobs.s3.delete_bucket(Bucket=PUBLIC),
        lambda: jobs.s3.create_bucket(Bucket=PUBLIC),
    ]
    for change in changes:
        with pytest.raises(ClientError) as refusal:
            change()
        assert refusal.value.response["Error"]["Code"] == "AccessDenied"
    refused = jobs.s3.delete_objects(Bucket=PUBLIC, Delete={"Objects": [{"Key": "models_manifest.json"}]})
    assert [error["Code"] for error in refused["Errors"]] == ["AccessDenied"]
    assert spec(jobs, "lightgbm-regression-model")["training_supported"]


def test_lightgbm_is_trained_deployed_and_asked(jobs: Jobs) -> None:
    job = start(
        jobs, "light-digits", "lightgbm-classification-model", f"s3://{PUBLIC}/training-datasets/tabular_multiclass/"
    )
    assert job["TrainingJobStatus"] == "Completed", jobs.said("light-digits")
    assert metrics(job)["multi_logloss"] < 0.25
    told = spec(jobs, "lightgbm-classification-model")
    model = {
        "Image": image(told["hosting_instance_type_variants"]),
        "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
    }
    endpoint = jobs.deploy_container("light-digits", model)
    targets, features = sample(jobs, "tabular_multiclass")
    answer = jobs.runtime.invoke_endpoint(
        EndpointName=endpoint, ContentType="text/csv", Accept="application/json;verbose", Body=features
    )
    said = json.loads(answer["Body"].read())
    assert said["labels"] == list(range(10))
    assert len(said["probabilities"][0]) == 10
    right = sum(a == b for a, b in zip(targets, said["predicted_label"], strict=True))
    assert right / len(targets) > 0.93


def test_catboost_is_trained_and_a_file_transformed(jobs: Jobs) -> None:
    data = f"s3://{PUBLIC}/training-datasets/tabular_regress/"
    job = start(jobs, "cats-houses", "catboost-regression-model", data, learning_rate="0.1")
    assert job["TrainingJobStatus"] == "Completed", jobs.said("cats-houses")
    assert metrics(job)["RMSE"] < 5
    told = spec(jobs, "catboost-regression-model")
    model = {
        "Image": image(told["hosting_instance_type_variants"]),
        "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
    }
    jobs.sagemaker.create_model(ModelName="cats-houses", ExecutionRoleArn=jobs.role, PrimaryContainer=model)
    targets, features = sample(jobs, "tabular_regress")
    jobs.s3.put_object(Bucket=BUCKET, Key="houses/h.csv", Body=features.encode())
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/houses/"}}
    jobs.sagemaker.create_transform_job(
        TransformJobName="houses",
        ModelName="cats-houses",
        TransformInput={"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/priced", "Accept": "text/csv", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    transformed = wait_until(lambda: _transformed(jobs, "houses"), 60, "houses are transformed")
    assert transformed["TransformJobStatus"] == "Completed", transformed
    lines = jobs.s3.get_object(Bucket=BUCKET, Key="priced/h.csv.out")["Body"].read().decode().split()
    errors = [abs(float(line) - target) for line, target in zip(lines, targets, strict=True)]
    assert sum(errors) / len(errors) < 3


def _transformed(jobs: Jobs, name: str) -> Any:
    """The transform job, once it has ended."""
    job = jobs.sagemaker.describe_transform_job(TransformJobName=name)
    return job if job["TransformJobStatus"] in ENDED else None


def test_lightgbm_on_two_hosts_is_one_model(jobs: Jobs) -> None:
    data = f"s3://{PUBLIC}/training-datasets/tabular_regress/"
    job = start(jobs, "light-of-two", "lightgbm-regression-model", data, instances=2, use_dask="True")
    assert job["TrainingJobStatus"] == "Completed", jobs.said("light-of-two")
    assert metrics(job)["rmse"] < 5
    said = jobs.said("light-of-two")
    assert said.count("total number of machines: 2") == 2
    assert "Early stopping, best iteration is" in said


def test_each_host_learns_from_its_own_part(jobs: Jobs) -> None:
    """Each has one class only: together they have two. Nothing learned is a log loss of 0.69; LightGBM bins a feature
    on one host, which here has seen half of its values."""
    for label in (0, 1):
        rows = "".join(f"{label},{label * 5 + n % 7},{n % 11}\n" for n in range(200))
        jobs.s3.put_object(Bucket=BUCKET, Key=f"halves/{label}.csv", Body=rows.encode())
    job = start(
        jobs,
        "light-of-halves",
        "lightgbm-classification-model",
        f"s3://{BUCKET}/halves/",
        instances=2,
        shared="ShardedByS3Key",
    )
    assert job["TrainingJobStatus"] == "Completed", jobs.said("light-of-halves")
    said = jobs.said("light-of-halves")
    assert said.count("160 examples for training, 40 for validation") == 2
    assert "No early stopping: each host validates with its own part" in said
    assert metrics(job)["binary_logloss"] < 0.5


def test_a_wrong_hyperparameter_is_the_failure_reason(jobs: Jobs) -> None:
    data = f"s3://{PUBLIC}/training-datasets/tabular_regress/"
    job = start(jobs, "light-wrong", "lightgbm-regression-model", data, num_leaves="many")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: The value 'many' is not valid for the 'num_leaves'")


def test_a_job_that_is_stopped_keeps_the_model_so_far(jobs: Jobs) -> None:
    data = f"s3://{PUBLIC}/training-datasets/tabular_multiclass/"
    endless = {"num_boost_round": "1000000", "early_stopping_rounds": "0", "learning_rate": "0.0001"}
    create(jobs, "light-endless", "lightgbm-classification-model", data, **endless)
    wait_until(lambda: "[3]" in jobs.said("light-endless"), 60, "three rounds are over")
    jobs.sagemaker.stop_training_job(TrainingJobName="light-endless")
    job = jobs.ended("light-endless")
    assert job["TrainingJobStatus"] == "Stopped", job
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    packed = jobs.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert "model.txt" in archive.getnames()


def test_whoever_may_do_nothing_reads_the_bucket(jobs: Jobs, shared: RunningClary) -> None:
    iam = shared.client("iam")
    iam.create_user(UserName="stranger")
    key = iam.create_access_key(UserName="stranger")["AccessKey"]
    stranger = boto3.client(
        "s3",
        endpoint_url=shared.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    assert stranger.list_objects_v2(Bucket=PUBLIC, Prefix="models_manifest")["KeyCount"] == 1
    assert stranger.head_object(Bucket=PUBLIC, Key="models_manifest.json")["ContentLength"] > 0
    with pytest.raises(ClientError):
        stranger.list_objects_v2(Bucket=BUCKET)


@pytest.mark.parametrize("asked", [{"HubName": "mine"}, {"HubContentName": "llama"}, {"HubContentType": "Notebook"}])
def test_what_the_public_hub_has_not(jobs: Jobs, asked: dict[str, str]) -> None:
    named = {"HubName": "SageMakerPublicHub", "HubContentType": "Model", "HubContentName": "catboost-regression-model"}
    assert jobs.sagemaker.describe_hub_content(**named)["HubContentVersion"] == "2.0.0"
    with pytest.raises(ClientError) as refusal:
        jobs.sagemaker.describe_hub_content(**(named | asked))
    assert refusal.value.response["Error"]["Code"] == "ResourceNotFound"
