"""k-nearest neighbors: the program of its page, run as a user of SDK v2 does; SDK v1, Random Cut Forest there too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.clients.conftest import RunScript
from tests.clients.test_docs import blocks

SCRIPTS = Path(__file__).with_name("scripts")

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_of_the_page(sdk2: RunScript, tmp_path: Path) -> None:
    [program] = blocks("docs/algorithms/knn.md", "python")
    (tmp_path / "flowers.py").write_text(program)
    output = sdk2(tmp_path / "flowers.py")
    metrics = dict(re.findall(r"^(\S+:\S+) (\d+\.\d+)$", output, re.MULTILINE))
    assert float(metrics["test:accuracy"]) > 0.9
    answers = re.findall(r"is: (\d), predicted: (\d)", output)
    assert len(answers) == 5
    assert sum(true == said for true, said in answers) >= 4
    assert re.search(r"nearest: \[0.0, 0.0, 0.0\] \[0\.\d+, 0\.\d+, 0\.\d+\]", output)


def test_estimators_of_sdk_1(sdk1: RunScript) -> None:
    output = sdk1(SCRIPTS / "nearest_sdk1.py")
    assert "'test:accuracy': 1.0" in output
    assert "neighbours and anomalies" in output
