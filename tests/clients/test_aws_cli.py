"""The AWS CLI, unmodified, in a shell with `clary env`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import ROOT
from tests.environments import python_of
from tests.running import RunningClary

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
Aws = Callable[..., Any]


def run_cli(clary: RunningClary, *arguments: str) -> subprocess.CompletedProcess[str]:
    aws = python_of("cli").parent / "aws"
    return subprocess.run(
        [aws, *arguments], env=clary.environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def aws(clary: RunningClary) -> Aws:
    """One command; its output, parsed where it is JSON."""

    def run(*arguments: str) -> Any:
        done = run_cli(clary, *arguments)
        assert done.returncode == 0, f"aws {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout

    return run


def test_the_shell_is_configured(aws: Aws) -> None:
    assert aws("configure", "get", "region").strip() == "us-east-1"
    assert ":assumed-role/ClaryExecutionRole/" in aws("sts", "get-caller-identity")["Arn"]


def test_files_go_to_s3_and_back(aws: Aws, tmp_path: Path) -> None:
    aws("s3", "mb", "s3://cli-files")
    (tmp_path / "there").mkdir()
    for name in ("one.txt", "with space & plus+.txt", "ünïcode.txt"):
        (tmp_path / "there" / name).write_text(name)
    (tmp_path / "there" / "large.bin").write_bytes(bytes(range(256)) * 65536)
    aws("s3", "sync", str(tmp_path / "there"), "s3://cli-files/folder")
    aws("s3", "sync", "s3://cli-files/folder", str(tmp_path / "back"))
    for path in (tmp_path / "there").iterdir():
        assert (tmp_path / "back" / path.name).read_bytes() == path.read_bytes()
    assert "folder/" in aws("s3", "ls", "s3://cli-files")
    aws("s3", "rb", "s3://cli-files", "--force")


def test_train_deploy_and_ask(aws: Aws, tmp_path: Path) -> None:
    lines = (ROOT / "examples" / "boston_housing" / "boston_housing.csv").read_text().replace('"', "").splitlines()[1:]
    rows = [line.rsplit(",", 1) for line in lines]
    (tmp_path / "train.csv").write_text("\n".join(f"{price},{features}" for features, price in rows))
    aws("s3", "mb", "s3://cli-boston")
    aws("s3", "cp", str(tmp_path / "train.csv"), "s3://cli-boston/train/train.csv")
    role = aws("iam", "get-role", "--role-name", "ClaryExecutionRole")["Role"]["Arn"]

    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://cli-boston/train/"}
    channel = {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
    aws(
        *("sagemaker", "create-training-job", "--training-job-name", "cli-boston", "--role-arn", role),
        *("--algorithm-specification", f"TrainingImage={IMAGE},TrainingInputMode=File"),
        *("--input-data-config", json.dumps([channel])),
        *("--output-data-config", "S3OutputPath=s3://cli-boston/output"),
        *("--resource-config", "InstanceType=ml.m5.large,InstanceCount=1,VolumeSizeInGB=1"),
        *("--stopping-condition", "MaxRuntimeInSeconds=600"),
        *("--hyper-parameters", "objective=reg:squarederror,num_round=20"),
    )
    aws("sagemaker", "wait", "training-job-completed-or-stopped", "--training-job-name", "cli-boston")
    job = aws("sagemaker", "describe-training-job", "--training-job-name", "cli-boston")
    assert job["TrainingJobStatus"] == "Completed", job
    data = job["ModelArtifacts"]["S3ModelArtifacts"]

    container = f"Image={IMAGE},ModelDataUrl={data}"
    aws(
        "sagemaker",
        "create-model",
        "--model-name",
        "cli",
        "--execution-role-arn",
        role,
        "--primary-container",
        container,
    )
    variant = "VariantName=all,ModelName=cli,InstanceType=ml.m5.large,InitialInstanceCount=1"
    aws("sagemaker", "create-endpoint-config", "--endpoint-config-name", "cli", "--production-variants", variant)
    aws("sagemaker", "create-endpoint", "--endpoint-name", "cli", "--endpoint-config-name", "cli")
    aws("sagemaker", "wait", "endpoint-in-service", "--endpoint-name", "cli")

    (tmp_path / "row.csv").write_text(rows[0][0])
    aws(
        *("sagemaker-runtime", "invoke-endpoint", "--endpoint-name", "cli", "--content-type", "text/csv"),
        *("--body", f"fileb://{tmp_path}/row.csv", str(tmp_path / "answer")),
    )
    assert abs(float((tmp_path / "answer").read_text()) - float(rows[0][1])) < 10

    size = "CanarySize={Type=CAPACITY_PERCENT,Value=10},WaitIntervalInSeconds=1"
    policy = f"BlueGreenUpdatePolicy={{TrafficRoutingConfiguration={{Type=CANARY,{size}}}}}"
    named = ("--endpoint-name", "cli", "--endpoint-config-name", "cli")
    aws("sagemaker", "update-endpoint", *named, "--deployment-config", policy)
    aws("sagemaker", "wait", "endpoint-in-service", "--endpoint-name", "cli")

    groups = aws("logs", "describe-log-groups", "--log-group-name-prefix", "/aws/sagemaker/")["logGroups"]
    assert {"/aws/sagemaker/TrainingJobs", "/aws/sagemaker/Endpoints/cli"} <= {
        group["logGroupName"] for group in groups
    }
    events = aws(
        *("logs", "filter-log-events", "--log-group-name", "/aws/sagemaker/TrainingJobs"),
        *("--log-stream-name-prefix", "cli-boston/"),
    )["events"]
    assert any("train-rmse" in event["message"] for event in events)
    aws("sagemaker", "delete-endpoint", "--endpoint-name", "cli")


def test_an_error_is_read_as_on_aws(clary: RunningClary) -> None:
    done = run_cli(clary, "sagemaker", "describe-training-job", "--training-job-name", "nobody")
    assert done.returncode in (254, 255)
    assert (
        "(ValidationException) when calling the DescribeTrainingJob operation: Requested resource not found."
        in done.stderr
    )


def test_an_operation_that_is_not_offered_is_refused_with_the_remedy(clary: RunningClary) -> None:
    team = "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/team"
    done = run_cli(clary, "sagemaker", "list-labeling-jobs-for-workteam", "--workteam-arn", team)
    assert done.returncode != 0
    assert "clary coverage" in done.stderr
