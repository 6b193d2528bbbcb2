"""SageMaker Python SDK 1.72, unmodified: what courses and scripts of that time do."""

from __future__ import annotations

import re

import pytest

from tests.clients.conftest import ROOT, SCRIPTS, RunAnew, RunScript

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_boston_housing_by_training_attaching_batch_and_endpoint(anew: RunAnew) -> None:
    output = anew("sdk1", ROOT / "examples" / "boston_housing" / "sdk1.py")
    errors = [float(value) for value in re.findall(r"root mean square error.*: ([0-9.]+)", output)]
    assert len(errors) == 3, output
    batch, endpoint, linear = errors
    assert batch == endpoint < 4.5
    assert linear < 6
    assert int(re.findall(r"points of the validation curve: (\d+)", output)[0]) >= 1


def test_every_serializer_updates_data_capture_and_multi_data_models(sdk1: RunScript) -> None:
    assert "all serializers" in sdk1(SCRIPTS / "serializers_sdk1.py")
