"""The page of factorization machines: its program, run as a user of SDK v2 does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.clients.conftest import RunScript
from tests.clients.test_docs import blocks

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_of_the_page(sdk2: RunScript, tmp_path: Path) -> None:
    [program] = blocks("docs/algorithms/factorization-machines.md", "python")
    (tmp_path / "films.py").write_text(program)
    output = sdk2(tmp_path / "films.py")
    metrics = dict(re.findall(r"^(\S+:\S+) (\d+\.\d+)$", output, re.MULTILINE))
    assert float(metrics["test:binary_classification_accuracy"]) > 0.9
    assert {"train:progress", "test:binary_f_beta", "test:binary_classification_cross_entropy"} <= set(metrics)
    answers = re.findall(r"liked: ([01]), probability (\d\.\d\d)", output)
    assert [float(chance) > 0.5 for _, chance in answers] == [true == "1" for true, _ in answers]
    assert len(answers) == 5
