"""SageMaker Python SDK 2.257 and boto3, unmodified: the examples that the docs show, and what users do around them."""

from __future__ import annotations

import re

import pytest

from tests.clients.conftest import ROOT, SCRIPTS, RunAnew, RunScript
from tests.slowness import slowness

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]
BOSTON = ROOT / "examples" / "boston_housing"


def error_of(output: str) -> float:
    found = re.search(r"root mean square error on \d+ houses: ([0-9.]+)", output)
    assert found, output
    return float(found.group(1))


def test_heart_failure_in_script_mode_by_a_voting_classifier_with_grid_search(sdk2: RunScript) -> None:
    output = sdk2(ROOT / "src" / "clary" / "demo" / "client.py")
    scores = dict(re.findall(r"(test-\w+)\s+([0-9.]+)$", output, re.MULTILINE))
    assert float(scores["test-auc"]) > 0.8, output
    assert float(scores["test-accuracy"]) > 0.7, output
    assert "best settings:" in output, "the script's own log is shown by fit()"


def test_boston_housing_high_level(anew: RunAnew) -> None:
    assert error_of(anew("sdk2", BOSTON / "high_level.py")) < 4.5


def test_boston_housing_low_level(sdk2: RunScript) -> None:
    output = sdk2(BOSTON / "low_level.py")
    assert error_of(output) < 4.5
    assert "train:rmse" in output, "the built-in algorithm's metrics are final metrics of the job"


def test_two_variants_share_the_traffic_evenly(sdk2: RunScript) -> None:
    sdk2(SCRIPTS / "two_variants.py")


def test_what_fails_fails_as_on_aws(sdk2: RunScript) -> None:
    sdk2(SCRIPTS / "failures.py")


def test_fit_and_deploy_return_when_the_server_is_done(anew: RunAnew) -> None:
    slow = slowness()
    took = re.search(r"fit ([0-9.]+) s, deploy ([0-9.]+) s", anew("sdk2", SCRIPTS / "prompt_waits.py"))
    assert took
    assert max(map(float, took.groups())) < min(29, 10 * max(slow, slowness()))


def test_attach_and_the_analytics_of_a_finished_job(sdk2: RunScript) -> None:
    sdk2(SCRIPTS / "attach.py")


def test_every_serializer_and_deserializer(sdk2: RunScript) -> None:
    assert "all serializers" in sdk2(SCRIPTS / "serializers_sdk2.py")
