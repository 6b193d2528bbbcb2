"""AWS's own hosts from inside: programs that know no other are answered by Clary, in the sandbox and in an engine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from clary.compute.docker_api import Engine
from clary.compute.launch import KEY
from clary.identity.certificates import certificates
from tests import engine as engines
from tests.running import RunningClary
from tests.system.aws_hosts import ISOLATED, PROGRAM, SAID
from tests.system.jobs import Jobs

pytestmark = [pytest.mark.system]

COMPANY = certificates("A company", ["git.example"], ["git.example"]).authority


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Jobs:
    return Jobs(shared)


@pytest.fixture(scope="module")
def engine(container_engine: Engine) -> Engine:
    return container_engine


@pytest.fixture(scope="module")
def engine_jobs(beside_engine: RunningClary) -> Jobs:
    return Jobs(beside_engine)


@pytest.fixture(scope="module")
def image(engine: Engine) -> str:
    """It trusts an authority of its own, as images of companies do."""
    files = {"/usr/bin/train": PROGRAM, "/etc/ssl/certs/ca-certificates.crt": COMPANY.decode()}
    return engines.image(engine, f"clary-test-hosts-{os.getpid()}", files)


def _lines(jobs: Jobs, name: str) -> set[str]:
    job = jobs.ended(name)
    said = jobs.said(name)
    assert job["TrainingJobStatus"] == "Completed", f"{job.get('FailureReason')}\n{said}"
    return set(said.splitlines())


def _secrets(jobs: Jobs) -> dict[str, str]:
    """Where the key lies outside: nothing of it may be seen inside."""
    return {"HIDDEN": f"{jobs.clary.data_dir / 'authority'}:{jobs.clary.data_dir}"}


def _who(lines: set[str]) -> str:
    return next(line for line in lines if line.startswith("urllib: "))


def _of_image(image: str) -> dict[str, Any]:
    return {"AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"}, "HyperParameters": {}}


def test_a_program_in_the_sandbox_asks_awss_hosts(jobs: Jobs) -> None:
    lines = _lines(jobs, jobs.start("asks", PROGRAM, Environment=_secrets(jobs)))
    assert lines >= SAID
    assert ":assumed-role/ClaryExecutionRole/" in _who(lines)


CURL = """\
import subprocess
print(subprocess.run(["curl", "-sS", "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"],
    capture_output=True, text=True))
"""


def test_curl_is_answered_too(jobs: Jobs) -> None:
    """By a refusal of Clary's, in AWS's words: it signs nothing."""
    if subprocess.run(["sh", "-c", "command -v curl"], capture_output=True, check=False).returncode:
        pytest.skip("this machine has no curl")
    [said] = _lines(jobs, jobs.start("curls", CURL)) & {line for line in jobs.said("curls").splitlines() if "<" in line}
    assert "MissingAuthenticationToken" in said


def test_a_program_in_an_engine_asks_awss_hosts(engine_jobs: Jobs, image: str) -> None:
    told = {**_secrets(engine_jobs), "COMPANY": COMPANY.decode().splitlines()[2]}
    lines = _lines(engine_jobs, engine_jobs.start("asks", "", **_of_image(image), Environment=told))
    assert lines >= SAID
    assert ":assumed-role/ClaryExecutionRole/" in _who(lines)


def test_an_isolated_one_of_an_engine_has_nothing_of_it(engine_jobs: Jobs, image: str) -> None:
    told = {"ISOLATED": "yes"}
    isolated = engine_jobs.start("isolated", "", **_of_image(image), Environment=told, EnableNetworkIsolation=True)
    assert _lines(engine_jobs, isolated) >= ISOLATED


def test_requests_that_name_a_proxy_keep_it(engine_jobs: Jobs, image: str) -> None:
    told = {"ISOLATED": "yes", "HTTPS_PROXY": ""}
    lines = _lines(engine_jobs, engine_jobs.start("own-proxy", "", **_of_image(image), Environment=told))
    assert "told: ['HTTPS_PROXY']" in lines


def test_the_key_is_its_owners(jobs: Jobs) -> None:
    jobs.ended(jobs.start("any", "print('there is an authority')"))
    [key] = (jobs.clary.data_dir / "authority").glob(f"*/{KEY}")
    assert [path.stat().st_mode & 0o077 for path in (key, key.parent, Path(key.parent.parent))] == [0, 0, 0]
