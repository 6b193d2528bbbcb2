"""The page of XGBoost: its program, run as a user of SDK v2 does."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, RunScript
from tests.clients.test_docs import blocks

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_of_the_page(sdk2: RunScript, tmp_path: Path) -> None:
    [program] = blocks("docs/algorithms/xgboost.md", "python")
    (tmp_path / "patients.py").write_text(program)
    shutil.copy(ROOT / "src" / "clary" / "demo" / "heart_failure.csv", tmp_path)
    output = sdk2(tmp_path / "patients.py")
    metrics = dict(re.findall(r"^(\S+:\S+) (\d+\.\d+)$", output, re.MULTILINE))
    assert float(metrics["validation:auc"]) > 0.8
    assert "train:logloss" in metrics
    answers = re.findall(r"died: [01], probability ([01]\.\d\d)", output)
    assert len(answers) == 10
    assert len(set(answers)) > 5
