"""Images in Clary's own registry: from a Dockerfile to a job that names them as on AWS."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest

from clary.compute.docker_api import Engine
from clary.compute.docker_images import ImageStore
from tests import engine as engines
from tests.running import CLARY, RunningClary
from tests.system.jobs import BUCKET, Jobs, packed

pytestmark = pytest.mark.xdist_group("engine")

TRAIN = """\
#!/usr/bin/env python3
import pathlib
print(pathlib.Path("/opt/version").read_text())
pathlib.Path("/opt/ml/model/weights").write_text("1")
"""

SERVE = """\
#!/usr/bin/env python3
import http.server, pathlib, signal, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def do_POST(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(pathlib.Path("/opt/version").read_bytes())

    def log_message(self, *_):
        pass

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""

PAGE = Path(__file__).parents[2] / "docs" / "ecr.md"
REPOSITORY = "bring/your-own"
URI = f"000000000000.dkr.ecr.us-east-1.amazonaws.com/{REPOSITORY}"


@pytest.fixture(scope="module")
def engine(container_engine: Engine) -> ImageStore:
    return ImageStore(container_engine.path)


@pytest.fixture(scope="module")
def clary(engine: ImageStore, beside_engine: RunningClary) -> Iterator[RunningClary]:
    yield beside_engine
    for name in engine.names(URI):
        engine.remove_image(name)


@pytest.fixture(scope="module")
def jobs(clary: RunningClary) -> Jobs:
    made = Jobs(clary)
    made.s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=packed({"weights": "1"}))
    return made


@pytest.fixture(scope="module")
def base(engine: ImageStore) -> Iterator[str]:
    name = engines.image(engine, f"clary-test-base-{os.getpid()}", {"/usr/bin/train": TRAIN, "/usr/bin/serve": SERVE})
    yield name
    engine.remove_image(name)


@pytest.fixture(scope="module")
def pushed(clary: RunningClary, base: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the image that is :latest first."""
    return _pushed(clary, base, "1", tmp_path_factory.mktemp("build") / "1")


def _pushed(clary: RunningClary, base: str, version: str, folder: Path) -> str:
    """The image of `version` as :latest; its digest."""
    if shutil.which("podman") is None and shutil.which("docker") is None:
        pytest.skip("neither docker nor podman is installed")
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM {base}\nCOPY version /opt/\n")
    (folder / "version").write_text(f"version {version}")
    _run(f"clary images build . -t {REPOSITORY} --push", clary, folder)
    (image,) = _described(clary, imageIds=[{"imageTag": "latest"}])
    return str(image["imageDigest"])


def _described(clary: RunningClary, **request: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = clary.client("ecr").describe_images(repositoryName=REPOSITORY, **request)[
        "imageDetails"
    ]
    return found


def _train(jobs: Jobs, name: str, image: str) -> str:
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
    return jobs.start(name, "", AlgorithmSpecification=algorithm, HyperParameters={})


def _deploy(jobs: Jobs, name: str, image: str) -> None:
    jobs.sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": image, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"},
        ExecutionRoleArn=jobs.role,
    )
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
        "InitialVariantWeight": 1.0,
    }
    jobs.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    jobs.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


def test_a_job_runs_what_the_tag_meant_when_it_was_created(
    clary: RunningClary, jobs: Jobs, engine: ImageStore, base: str, pushed: str, tmp_path: Path
) -> None:
    first = pushed
    _deploy(jobs, "byoc", f"{URI}:latest")
    job = jobs.ended(_train(jobs, "first", f"{URI}:latest"))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["AlgorithmSpecification"]["TrainingImage"] == f"{URI}:latest"
    assert "version 1" in jobs.said("first")

    second = _pushed(clary, base, "2", tmp_path / "2")
    assert second != first
    jobs.ended(_train(jobs, "second", URI))
    assert "version 2" in jobs.said("second")
    jobs.ended(_train(jobs, "by-digest", f"{URI}@{first}"))
    assert "version 1" in jobs.said("by-digest")

    jobs.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="byoc")
    deployed = jobs.sagemaker.describe_endpoint(EndpointName="byoc")["ProductionVariants"][0]["DeployedImages"][0]
    assert (deployed["SpecifiedImage"], deployed["ResolvedImage"]) == (f"{URI}:latest", f"{URI}@{first}")
    assert jobs.runtime.invoke_endpoint(EndpointName="byoc", Body=b"?")["Body"].read() == b"version 1"
    jobs.sagemaker.delete_endpoint(EndpointName="byoc")

    assert f"{URI}:{first.replace(':', '-')}" in engine.names(URI)
    clary.client("ecr").batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageDigest": first}])
    _pushed(clary, base, "3", tmp_path / "3")
    jobs.ended(_train(jobs, "third", URI))
    assert f"{URI}:{first.replace(':', '-')}" not in engine.names(URI)


def test_what_is_not_in_the_registry_is_refused_in_awss_words(jobs: Jobs) -> None:
    """Cannot find repository …: as recorded in aws/amazon-sagemaker-examples#2534."""
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        _train(jobs, "nowhere", URI.replace(REPOSITORY, "never/pushed"))
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    said = (
        "Cannot find repository: never/pushed in registry ID: 000000000000 Please check if your ECR repository exists"
    )
    assert refused.value.response["Error"]["Message"].startswith(f"{said} and role {jobs.role} has proper pull")


def test_a_missing_tag_is_refused_in_awss_words(clary: RunningClary, jobs: Jobs) -> None:
    clary.client("ecr").create_repository(repositoryName="empty")
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        _train(jobs, "untagged", URI.replace(REPOSITORY, "empty") + ":7")
    assert f"Requested image {URI.replace(REPOSITORY, 'empty')}:7 not found." in str(refused.value)


@pytest.mark.usefixtures("pushed")
def test_a_role_that_may_not_pull_is_refused_in_awss_words(clary: RunningClary, jobs: Jobs) -> None:
    """Access denied for repository …: as recorded in wpilibsuite/DetectCoral#37."""
    iam = clary.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = iam.create_role(RoleName="no-pull", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        jobs.start(
            "denied",
            "",
            AlgorithmSpecification={"TrainingImage": URI, "TrainingInputMode": "File"},
            HyperParameters={},
            RoleArn=role,
        )
    said = (
        f"Access denied for repository: {REPOSITORY} in registry ID: 000000000000. Please check if your ECR repository"
    )
    assert refused.value.response["Error"]["Message"].startswith(f"{said} and image exist and role {role} has")


def test_the_page_builds_pushes_and_lists_and_what_was_pushed_is_forgotten(
    clary: RunningClary, base: str, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {base}\n")
    commands = re.findall(r"```bash\n(.*?)```", PAGE.read_text(), re.DOTALL)[0]
    uri = URI.replace(REPOSITORY, "churn")
    assert f"{uri}:1  image" in _run(commands, clary, tmp_path)
    assert "churn:1 is gone" in clary.run("images", "rm", "churn:1").stdout
    missing = clary.run("images", "rm", "churn:1", check=False)
    assert missing.returncode == 1
    assert "Requested image not found" in missing.stderr


def _run(commands: str, clary: RunningClary, folder: Path) -> str:
    environment = {
        **os.environ,
        "CLARY_DATA_DIR": str(clary.data_dir),
        "PATH": f"{CLARY.parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("push", "never-built"), "has no image never-built"),
        (("push", "Not A Name"), "is no name of an image"),
        (("build", ".", "-t", "failing"), "The build ended with exit code"),
    ],
    ids=["not-built", "no-name", "failing-build"],
)
def test_what_cannot_be_is_one_clear_line(
    clary: RunningClary, arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY nothing /\n")
    monkeypatch.chdir(tmp_path)
    done = clary.run("images", *arguments, check=False)
    assert done.returncode == 1
    assert said in done.stderr.splitlines()[-1]
