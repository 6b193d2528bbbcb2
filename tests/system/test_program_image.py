"""A program image, the classic layout of nginx, gunicorn and Flask in /opt/program: from `images add` to an answer."""

import io
import re
import shlex
import subprocess
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.running import CLARY
from tests.system.jobs import BUCKET, SKLEARN, Jobs

ROOT = Path(__file__).parent.parent.parent
PATIENTS = ROOT / "src" / "clary" / "demo" / "heart_failure.csv"
INSTANCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}

BUILD_SECONDS = 240

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("program-image")]


@pytest.fixture(scope="module")
def jobs(shared):
    return Jobs(shared)


@pytest.fixture(scope="module")
def page(shared):
    """Runs the commands of the guide, one by one. The first builds where nobody has: that takes its time."""
    lines = re.findall(r"^\$ clary (.*)$", (ROOT / "docs/program-images.md").read_text(), re.MULTILINE)

    def run(line):
        assert line in lines
        command = [str(CLARY), *shlex.split(line), "--data-dir", str(shared.data_dir)]
        done = subprocess.run(command, cwd=ROOT, check=True, timeout=BUILD_SECONDS, capture_output=True, text=True)
        return done.stdout

    return run


@pytest.fixture(scope="module")
def image(page):
    program = "--program examples/own_container/program --requirements examples/own_container/requirements.txt"
    assert "nginx" in page(f"images add modeling:latest {program}")
    assert "modeling:latest  train+serve" in page("images list")
    return "000000000000.dkr.ecr.us-east-1.amazonaws.com/modeling:latest"


def train(jobs, image, name, **hyperparameters):
    jobs.s3.upload_file(str(PATIENTS), BUCKET, f"{name}/train/patients.csv")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/train"}
    jobs.sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=jobs.role,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/output"},
        ResourceConfig=INSTANCES,
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        HyperParameters=hyperparameters,
    )
    return jobs.ended(name)


@pytest.fixture(scope="module")
def endpoint(jobs, image):
    job = train(jobs, image, "modeling", trees="20")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    data = job["ModelArtifacts"]["S3ModelArtifacts"]
    jobs.deploy_container("modeling", {"Image": image, "ModelDataUrl": data})
    return "modeling"


def test_train_deploy_and_ask(jobs, endpoint):
    rows = [line.rsplit(",", 1)[0] for line in PATIENTS.read_text().splitlines()[1:9]]

    def ask(number):
        answer = jobs.runtime.invoke_endpoint(
            EndpointName=endpoint, ContentType="text/csv", Body="\n".join(rows[: 1 + number % 8])
        )
        return number, answer["Body"].read().decode().split()

    with ThreadPoolExecutor(4) as threads:
        for number, found in threads.map(ask, range(40)):
            assert len(found) == 1 + number % 8
            assert set(found) <= {"0", "1"}
    with pytest.raises(jobs.runtime.exceptions.ModelError, match="only supports CSV data"):
        jobs.runtime.invoke_endpoint(EndpointName=endpoint, ContentType="application/json", Body="[]")


def test_reason_that_the_program_leaves(jobs, image):
    job = train(jobs, image, "modeling-fails", trees="many")
    assert job["TrainingJobStatus"] == "Failed"
    assert "invalid literal for int() with base 10: 'many'" in job["FailureReason"]


def test_endpoint_outlives_its_image(jobs, image, endpoint, page):
    assert "is gone" in page("images rm modeling:latest")
    assert jobs.endpoint_status(endpoint) == "InService"
    rows = PATIENTS.read_text().splitlines()[1].rsplit(",", 1)[0]
    answer = jobs.runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=rows)
    assert answer["Body"].read().strip() in (b"0", b"1")
    with pytest.raises(ClientError, match="`clary images list`"):
        train(jobs, image, "modeling-gone")


def test_a_program_of_ones_own_installs_what_it_needs(jobs):
    """As SDK v3's ModelTrainer does: its command runs in the image's environment, of which pip changes a view only."""
    file = "/opt/ml/input/data/code/own-1.0-py3-none-any.whl"
    script = f"pip install -q --no-deps --no-index {file} && python -c 'import own'"
    jobs.s3.put_object(Bucket=BUCKET, Key="wheel/own-1.0-py3-none-any.whl", Body=wheel())
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/wheel/"}
    algorithm = {
        "TrainingImage": SKLEARN,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/bash"],
        "ContainerArguments": ["-c", script],
    }
    channel = {"ChannelName": "code", "DataSource": {"S3DataSource": source}}
    jobs.start("installs", "", AlgorithmSpecification=algorithm, InputDataConfig=[channel])
    assert jobs.ended("installs")["TrainingJobStatus"] == "Completed", jobs.said("installs")
    algorithm["ContainerArguments"] = ["-c", "python -c 'import own'"]
    jobs.start("installs-not", "", AlgorithmSpecification=algorithm)
    assert "No module named 'own'" in jobs.ended("installs-not")["FailureReason"]


def wheel():
    """The smallest wheel."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("own.py", "")
        archive.writestr("own-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: own\nVersion: 1.0\n")
        archive.writestr("own-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("own-1.0.dist-info/RECORD", "")
    return made.getvalue()
