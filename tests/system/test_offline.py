"""No package index can be reached: what is built runs, what is not fails with what is missing and the way to it."""

import pytest

from tests.running import RunningClary
from tests.system.jobs import SKLEARN, Jobs

pytestmark = pytest.mark.system

HELLO = "print('hello')"


@pytest.fixture
def cut_off(monkeypatch):
    """As for a machine without a network: everything that a request could be sent by leads nowhere."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("UV_HTTP_TIMEOUT", "1")
    return monkeypatch


def test_an_environment_that_is_built_runs(cut_off, tmp_path):
    with RunningClary(tmp_path / "data") as clary:
        jobs = Jobs(clary)
        assert jobs.ended(jobs.start("hello", HELLO))["TrainingJobStatus"] == "Completed"


DEEP_LEARNING = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
MISSING = {
    SKLEARN: "scikit-learn==1.2.1",
    f"{DEEP_LEARNING}/tensorflow-training:2.19.0-cpu-py312-ubuntu22.04-sagemaker": "==2.19.0",
    f"{DEEP_LEARNING}/huggingface-pytorch-training:2.3.0-transformers4.48.0-gpu-py311": "transformers",
}


def test_an_environment_that_is_not_built_says_what_is_missing(cut_off, tmp_path):
    cut_off.setenv("CLARY_CACHE_DIR", str(tmp_path / "cache"))
    cut_off.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    with RunningClary(tmp_path / "data") as clary:
        jobs = Jobs(clary)
        names = []
        for number, image in enumerate(MISSING):
            algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
            names.append(jobs.start(f"hello-{number}", HELLO, AlgorithmSpecification=algorithm))
        for name, missing in zip(names, MISSING.values(), strict=True):
            job = jobs.ended(name)
            assert job["TrainingJobStatus"] == "Failed"
            reason = job["FailureReason"]
            # AWS's words for an image that cannot be pulled, as users report them
            assert reason.startswith("ClientError: Cannot pull algorithm container. Environment ")
            assert missing in reason
            assert "package index cannot be reached" in reason
