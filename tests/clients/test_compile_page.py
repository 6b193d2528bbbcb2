"""The program of docs/compile.md, by the SageMaker Python SDK 2."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, RunScript

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_of_the_page(sdk2: RunScript, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "compile.md").read_text(), re.DOTALL)
    (tmp_path / "compile_.py").write_text(program)
    shutil.copy(ROOT / "examples" / "boston_housing" / "boston_housing.csv", tmp_path)
    output = sdk2(tmp_path / "compile_.py")
    assert "/compiled/model-ml_c5.tar.gz" in output, output
    assert "/xgboost-neo:latest" in output, output
    before, after = map(ast.literal_eval, re.findall(r"\[\d[\d., ]*\]", output))
    assert before == after, "prices in thousand dollars, to the dollar"
    assert len(before) == 3
