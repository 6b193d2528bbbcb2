"""Compilation jobs on a started Clary: what is made and served, what fails and why, what is stopped, what `clary
export` says."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.running import RunningClary, wait_until
from tests.system.jobs import BUCKET, JOB_SECONDS, SKLEARN, Jobs, packed

pytestmark = pytest.mark.system

TRAIN = """
import os
import joblib, numpy as np
from sklearn.ensemble import RandomForestClassifier
table = np.random.RandomState(0).uniform(-1, 1, (200, 3))
labels = np.asarray(["no", "yes"])[(table[:, 0] > 0).astype(int)]
joblib.dump(RandomForestClassifier(20, random_state=0).fit(table, labels), os.environ["SM_MODEL_DIR"] + "/model.joblib")
"""
ENDED = ("COMPLETED", "FAILED", "STOPPED")
XGBOOST, PICKLE = {"Framework": "XGBOOST"}, {"Framework": "SKLEARN", "FrameworkVersion": "1.2"}


class Compilations(Jobs):
    """Compilation jobs of one Clary."""

    def begin(self, name: str, uri: str, config: dict[str, Any], seconds: int = 600) -> None:
        self.sagemaker.create_compilation_job(
            CompilationJobName=name,
            RoleArn=self.role,
            InputConfig={"S3Uri": uri, **config},
            OutputConfig={"S3OutputLocation": f"s3://{BUCKET}/compiled", "TargetDevice": "ml_c5"},
            StoppingCondition={"MaxRuntimeInSeconds": seconds},
        )

    def look(self, name: str) -> Any:
        return self.sagemaker.describe_compilation_job(CompilationJobName=name)

    def over(self, name: str) -> Any:
        def there() -> Any:
            job = self.look(name)
            return job if job["CompilationJobStatus"] in ENDED else None

        return wait_until(there, JOB_SECONDS, f"{name} has ended")

    def put(self, name: str, files: dict[str, str]) -> str:
        self.s3.put_object(Bucket=BUCKET, Key=f"{name}/model.tar.gz", Body=packed(files))
        return f"s3://{BUCKET}/{name}/model.tar.gz"

    def log(self, name: str) -> str:
        """Empty before it is there."""
        logs = self.clary.client("logs")
        try:
            found = logs.filter_log_events(logGroupName="/aws/sagemaker/CompilationJobs", logStreamNames=[name])
        except logs.exceptions.ResourceNotFoundException:
            return ""
        return "\n".join(event["message"] for event in found["events"])


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Compilations:
    return Compilations(shared)


@pytest.fixture(scope="module")
def trained(jobs: Compilations) -> str:
    """The artifact of a training job."""
    jobs.start("trained", TRAIN)
    job = jobs.ended("trained")
    assert job["TrainingJobStatus"] == "Completed", jobs.said("trained")
    return str(job["ModelArtifacts"]["S3ModelArtifacts"])


def test_a_trained_model_is_compiled_and_serves_without_its_script(jobs: Compilations, trained: str) -> None:
    jobs.begin("forest", trained, {"Framework": "SKLEARN"})
    job = jobs.over("forest")
    assert job["CompilationJobStatus"] == "COMPLETED", job["FailureReason"] + jobs.log("forest")
    assert job["InferenceImage"] == SKLEARN, "the image that has trained it"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{BUCKET}/compiled/model-ml_c5.tar.gz"
    artifact = jobs.s3.get_object(Bucket=BUCKET, Key="compiled/model-ml_c5.tar.gz")["Body"].read()
    assert job["ModelDigests"]["ArtifactDigest"] == hashlib.blake2b(artifact).hexdigest()
    with tarfile.open(fileobj=io.BytesIO(artifact)) as opened:
        assert [member.name for member in opened.getmembers() if member.isfile()] == ["model.onnx"]
    assert "all labels, of 2 kinds, are the same" in jobs.log("forest")
    container = {"Image": job["InferenceImage"], "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    jobs.deploy_container("forest", container)
    assert jobs.ask("forest", "[[0.5, 0, 0], [-0.5, 0, 0]]") == '["yes", "no"]'
    jobs.sagemaker.delete_endpoint(EndpointName="forest")


SLEEPS = "import time\ndef model_fn(folder):\n    time.sleep(600)\n"
LOOKS = (
    "import os\ndef model_fn(folder):\n"
    "    found = [name for name in os.environ if 'CREDENTIALS' in name or name == 'AWS_ENDPOINT_URL']\n"
    '    raise RuntimeError(found or "nothing of the role\'s")\n'
)


@pytest.fixture(scope="module", autouse=True)
def begun(jobs: Compilations) -> None:
    """Jobs that fail, side by side."""
    jobs.begin("late", jobs.put("late", {"code/inference.py": SLEEPS}), PICKLE, seconds=1)
    jobs.begin("no-model", jobs.put("no-model", {"xgboost-model": "nothing"}), XGBOOST)
    jobs.begin("no-rights", jobs.put("no-rights", {"code/inference.py": LOOKS}), PICKLE)
    jobs.begin("nowhere", f"s3://{BUCKET}/nowhere.tar.gz", XGBOOST)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no-model", "ClientError: InputConfiguration: "),
        ("no-rights", "RuntimeError: nothing of the role's"),
        ("nowhere", "nowhere.tar.gz"),
        ("late", "MaxRuntimeInSeconds (1)"),
    ],
)
def test_what_cannot_be_compiled_fails_and_says_why(jobs: Compilations, name: str, said: str) -> None:
    job = jobs.over(name)
    assert job["CompilationJobStatus"] == "FAILED", job
    assert said in job["FailureReason"], job["FailureReason"]
    assert "ModelDigests" not in job


def test_a_job_is_stopped_and_deleted(jobs: Compilations) -> None:
    jobs.begin("slow", jobs.put("slow", {"code/inference.py": SLEEPS}), PICKLE)
    wait_until(lambda: "Compiling a model" in jobs.log("slow"), JOB_SECONDS, "its program runs")
    with pytest.raises(ClientError, match="in status INPROGRESS"):
        jobs.sagemaker.delete_compilation_job(CompilationJobName="slow")
    jobs.sagemaker.stop_compilation_job(CompilationJobName="slow")
    assert jobs.look("slow")["CompilationJobStatus"] in ("STOPPING", "STOPPED")
    job = jobs.over("slow")
    assert (job["CompilationJobStatus"], job["FailureReason"]) == ("STOPPED", "")
    jobs.sagemaker.delete_compilation_job(CompilationJobName="slow")
    names = [each["CompilationJobName"] for each in jobs.sagemaker.list_compilation_jobs()["CompilationJobSummaries"]]
    assert "slow" not in names


def clary_cli(clary: RunningClary, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "clary.cli.main", *words, "--data-dir", str(clary.data_dir)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_what_cannot_be_exported_says_where_to_look(jobs: Compilations, tmp_path: Path) -> None:
    uri = jobs.put("broken", {"model.pkl": "nothing"})
    container = {"Image": SKLEARN, "ModelDataUrl": uri}
    jobs.sagemaker.create_model(ModelName="broken", ExecutionRoleArn=jobs.role, PrimaryContainer=container)
    done = clary_cli(jobs.clary, "export", "broken", "-o", str(tmp_path / "broken.onnx"))
    assert (done.returncode, "cannot be compiled" in done.stderr) == (1, True), done.stderr
    assert not (tmp_path / "broken.onnx").exists()
    [advice] = re.findall(r"`clary (logs clary-export-\w+)`", done.stderr)
    logs = clary_cli(jobs.clary, *advice.split())
    assert "Compiling a model of SKLEARN" in logs.stdout, logs.stderr
