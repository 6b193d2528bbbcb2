"""No package index can be reached: what is built runs, what is not fails with what is missing and the way to it."""

import pytest

from tests.running import RunningClary
from tests.system.jobs import Jobs

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


def test_an_environment_that_is_not_built_says_what_is_missing(cut_off, tmp_path):
    cut_off.setenv("CLARY_CACHE_DIR", str(tmp_path / "cache"))
    cut_off.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    with RunningClary(tmp_path / "data") as clary:
        jobs = Jobs(clary)
        job = jobs.ended(jobs.start("hello", HELLO))
        assert job["TrainingJobStatus"] == "Failed"
        assert "scikit-learn==1.2.1" in job["FailureReason"]
        assert "package index cannot be reached" in job["FailureReason"]
