"""SageMaker Python SDK 3, unmodified: ModelTrainer, ModelBuilder, the resources of sagemaker.core."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, SCRIPTS, RunAnew, RunScript
from tests.running import CLARY, RunningClary

BUILD_SECONDS = 240

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_boston_housing_by_model_trainer_core_resources_and_model_builder(anew: RunAnew) -> None:
    output = anew("sdk3", ROOT / "examples" / "boston_housing" / "sdk3.py")
    errors = [float(value) for value in re.findall(r"root mean square error on 86 houses: ([0-9.]+)", output)]
    assert len(errors) == 2, output
    assert errors[0] == errors[1] < 4.5


def test_model_trainer_runs_a_users_script(sdk3: RunScript) -> None:
    output = sdk3(SCRIPTS / "model_trainer.py")
    assert "status: Completed" in output
    assert re.search(r"reason: AlgorithmError: .*no such luck", output), output


def test_endpoints_are_all_that_their_resources_can_say(sdk3: RunScript) -> None:
    output = sdk3(SCRIPTS / "lines_sdk3.py")
    for said in (
        "weights: [(1.0, 2), (3.0, 1)]",
        "scaled: minimum capacity was set to 2",
        "shadow: ['b']",
        "canary: next-lines3 ('a', 'one')",
        "many models: ['one', 'two']",
        "component: two",
        "captured: ['endpointInput', 'endpointOutput']",
    ):
        assert said in output, output


def test_a_model_is_compiled_and_tried_beside_the_first(sdk3: RunScript) -> None:
    output = sdk3(SCRIPTS / "compiled_sdk3.py")
    for said in (
        "artifact: quick-ml_c5.tar.gz",
        "completed: ['quick-sdk3']",
        "left: ['quick-sdk3']",
        "described: is it the same?",
        "running: ['tried-sdk3']",
        "shadow: ['after']",
        'answer: after ["low", "high"]',
        "experiments: []",
    ):
        assert f"{said}\n" in output, output


def test_remote_functions_return_and_raise(clary: RunningClary, sdk3: RunScript, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("sagemaker==3.27.0\n")
    command = [str(CLARY), "images", "add", "functions:latest", "--requirements", str(tmp_path / "requirements.txt")]
    subprocess.run(
        [*command, "--data-dir", str(clary.data_dir)], check=True, capture_output=True, timeout=BUILD_SECONDS
    )
    output = sdk3(SCRIPTS / "remote.py")
    assert "result: (3, 'algo-1')" in output
    assert "raised: KeyError('on purpose')" in output
