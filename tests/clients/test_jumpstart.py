"""JumpStart's page, run as users of SDK 2 do; what the other two generations have of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.clients.conftest import SCRIPTS, RunScript
from tests.clients.test_docs import blocks

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_by_the_models_name(sdk2: RunScript, tmp_path: Path) -> None:
    by_name, _ = blocks("docs/jumpstart.md", "python")
    (tmp_path / "houses.py").write_text(by_name)
    [(prices, error)] = re.findall(r"mean absolute error of (\d+) prices: (\d+\.\d+)", sdk2(tmp_path / "houses.py"))
    assert int(prices) == 64
    assert float(error) < 3


def test_the_program_by_addresses(sdk2: RunScript, tmp_path: Path) -> None:
    _, by_address = blocks("docs/jumpstart.md", "python")
    (tmp_path / "digits.py").write_text(by_address)
    [(right, rows)] = re.findall(r"recognised (\d+) of (\d+) digits", sdk2(tmp_path / "digits.py"))
    assert int(rows) == 225
    assert int(right) / int(rows) > 0.9


def test_the_trained_models_are_deployed_and_hyperparameters_validated(sdk2: RunScript) -> None:
    output = sdk2(SCRIPTS / "jumpstart_sdk2.py")
    assert output.count("answers") == 2, output
    assert "refused: num_leaves" in output


def test_a_model_is_tuned_and_the_best_deployed(sdk2: RunScript) -> None:
    output = sdk2(SCRIPTS / "jumpstart_tuning.py")
    [listed] = re.findall(r"objectives \[(.*)\]", output)
    assert len(listed.split(", ")) == 4
    assert '"probabilities": [[' in output


def test_sdk_1_runs_the_script_by_its_addresses(sdk1: RunScript) -> None:
    assert re.search(r"rmse \d+\.\d+", sdk1(SCRIPTS / "jumpstart_sdk1.py"))


def test_sdk_3_finds_addresses_trains_and_deploys(sdk3: RunScript) -> None:
    output = sdk3(SCRIPTS / "jumpstart_sdk3.py")
    assert output.count("Completed") >= 2
    assert "by name Completed" in output
    assert re.search(r'answer {"prediction": \[\d+\.\d+\]}', output)
