"""The AWS CLI, v1 and v2, unmodified, in a shell with `clary env`."""

from __future__ import annotations

import base64
import json
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients import cli2
from tests.clients.conftest import ROOT, SCRIPTS, RunAnew
from tests.environments import python_of
from tests.running import RunningClary

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
Aws = Callable[..., Any]


Run = Callable[..., subprocess.CompletedProcess[str]]


def started(version: str, clary: RunningClary) -> list[str]:
    """v2 as Debian has it (2.9) does not know AWS_ENDPOINT_URL yet, which came with 2.13."""
    if version == "v1":
        return [str(python_of("cli").parent / "aws")]
    command = cli2.command()
    if command is None:
        pytest.skip("the AWS CLI v2 is taken from Debian's package awscli, which apt-get does not get here")
    return [*command, "--endpoint-url", clary.endpoint_url]


@pytest.fixture(scope="module", params=["v1", "v2"])
def cli(request: pytest.FixtureRequest, clary: RunningClary) -> Run:
    """One command, however it ends."""
    command = started(request.param, clary)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        line = [*command, *arguments]
        return subprocess.run(line, env=clary.environment, capture_output=True, text=True, timeout=120, check=False)

    return run


@pytest.fixture(scope="module")
def aws(cli: Run) -> Aws:
    """One command; its output, parsed where it is JSON."""

    def run(*arguments: str) -> Any:
        done = cli(*arguments)
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
    job = f"cli-boston-{time.time_ns()}"
    lines = (ROOT / "examples" / "boston_housing" / "boston_housing.csv").read_text().replace('"', "").splitlines()[1:]
    rows = [line.rsplit(",", 1) for line in lines]
    (tmp_path / "train.csv").write_text("\n".join(f"{price},{features}" for features, price in rows))
    aws("s3", "mb", "s3://cli-boston")
    aws("s3", "cp", str(tmp_path / "train.csv"), "s3://cli-boston/train/train.csv")
    role = aws("iam", "get-role", "--role-name", "ClaryExecutionRole")["Role"]["Arn"]

    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://cli-boston/train/"}
    channel = {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
    aws(
        *("sagemaker", "create-training-job", "--training-job-name", job, "--role-arn", role),
        *("--algorithm-specification", f"TrainingImage={IMAGE},TrainingInputMode=File"),
        *("--input-data-config", json.dumps([channel])),
        *("--output-data-config", "S3OutputPath=s3://cli-boston/output"),
        *("--resource-config", "InstanceType=ml.m5.large,InstanceCount=1,VolumeSizeInGB=1"),
        *("--stopping-condition", "MaxRuntimeInSeconds=600"),
        *("--hyper-parameters", "objective=reg:squarederror,num_round=20"),
    )
    aws("sagemaker", "wait", "training-job-completed-or-stopped", "--training-job-name", job)
    done = aws("sagemaker", "describe-training-job", "--training-job-name", job)
    assert done["TrainingJobStatus"] == "Completed", done
    data = done["ModelArtifacts"]["S3ModelArtifacts"]

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
        *("--log-stream-name-prefix", f"{job}/"),
    )["events"]
    assert any("train-rmse" in event["message"] for event in events)
    aws("sagemaker", "delete-endpoint", "--endpoint-name", "cli")
    aws("sagemaker", "delete-endpoint-config", "--endpoint-config-name", "cli")
    aws("sagemaker", "delete-model", "--model-name", "cli")
    aws("s3", "rb", "s3://cli-boston", "--force")


def test_endpoints_are_all_that_commands_can_say(anew: RunAnew) -> None:
    output = anew("cli", SCRIPTS / "lines_cli.py")
    for said in (
        "weights: [0.0, 1.0]",
        "many models",
        "serverless: 2",
        "asynchronous: one",
        "accelerator: True",
        "scaled: 2 alarms, True",
        "component: two",
        "shadow: ['b']",
        "rolled: rolled-cli",
        "counted: 3.0",
        "captured under its key: True",
    ):
        assert f"{said}\n" in output, output


def test_a_model_is_compiled_and_tried_beside_the_first(anew: RunAnew) -> None:
    output = anew("cli", SCRIPTS / "compiled_cli.py")
    for said in (
        "artifact: s3://compiled-cli/compiled/quick-ml_c5.tar.gz",
        "completed: ['quick-cli']",
        "left: ['quick-cli']",
        "described: is it the same?",
        "running: ['tried-cli']",
        "shadow: ['after']",
        "answer: after ['low', 'high']",
        "experiments: {'InferenceExperiments': []}",
    ):
        assert f"{said}\n" in output, output


def test_what_is_binary_and_what_follows(aws: Aws, tmp_path: Path) -> None:
    """v2 takes and gives binary members in base64, v1 as they are; both by files."""
    key = aws("kms", "create-key")["KeyMetadata"]["KeyId"]
    (tmp_path / "plain").write_bytes(b"42")
    sealed = aws("kms", "encrypt", "--key-id", key, "--plaintext", f"fileb://{tmp_path}/plain")["CiphertextBlob"]
    (tmp_path / "sealed").write_bytes(base64.b64decode(sealed))
    opened = aws("kms", "decrypt", "--ciphertext-blob", f"fileb://{tmp_path}/sealed")["Plaintext"]
    assert base64.b64decode(opened) == b"42"
    aws("ssm", "put-parameter", "--name", "/cli/token", "--value", "abc", "--type", "SecureString")
    read = aws("ssm", "get-parameter", "--name", "/cli/token", "--with-decryption")
    assert read["Parameter"]["Value"] == "abc"
    aws("ssm", "delete-parameter", "--name", "/cli/token")


def test_a_presigned_url_is_read_by_anybody(aws: Aws, tmp_path: Path) -> None:
    aws("s3", "mb", "s3://cli-signed")
    (tmp_path / "a").write_text("text")
    aws("s3", "cp", str(tmp_path / "a"), "s3://cli-signed/a")
    with urllib.request.urlopen(aws("s3", "presign", "s3://cli-signed/a").strip(), timeout=60) as answer:
        assert answer.read() == b"text"
    aws("s3", "rb", "s3://cli-signed", "--force")


def test_an_error_is_read_as_on_aws(cli: Run) -> None:
    done = cli("sagemaker", "describe-training-job", "--training-job-name", "nobody")
    assert done.returncode in (254, 255)
    assert (
        "(ValidationException) when calling the DescribeTrainingJob operation: Requested resource not found."
        in done.stderr
    )


def test_an_operation_that_is_not_offered_is_refused_with_the_remedy(cli: Run) -> None:
    done = cli("ssm", "list-commands")
    assert done.returncode != 0
    assert "clary coverage" in done.stderr
