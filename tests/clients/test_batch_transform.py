"""The program of docs/batch-transform.md, by the SageMaker Python SDK 2."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, RunScript

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_of_the_page(sdk2: RunScript, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "batch-transform.md").read_text(), re.DOTALL)
    (tmp_path / "batch.py").write_text(program)
    shutil.copy(ROOT / "examples" / "boston_housing" / "boston_housing.csv", tmp_path)
    output = sdk2(tmp_path / "batch.py")
    rows = re.findall(r"^(\d+),([0-9.]+),([0-9.]+)$", output, re.MULTILINE)
    assert [int(name) for name, _, _ in rows] == list(range(400, 506)), "each house by its name, in order"
    error = sum(abs(float(price) - float(predicted)) for _, price, predicted in rows) / len(rows)
    assert error < 8, "thousand dollars, on a part of the town that the model has not seen"
