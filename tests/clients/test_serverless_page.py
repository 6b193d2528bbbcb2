"""The program of docs/serverless.md, by the SageMaker Python SDK 2."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, RunScript

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_of_the_page(sdk2: RunScript, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "serverless.md").read_text(), re.DOTALL)
    (tmp_path / "prices.py").write_text(program)
    shutil.copy(ROOT / "examples" / "boston_housing" / "boston_housing.csv", tmp_path)
    output = sdk2(tmp_path / "prices.py")
    prices = re.findall(r"(cold|warm): (\d+\.\d) in \d+ ms$", output, re.MULTILINE)
    assert [start for start, _ in prices] == ["cold", "warm"], output
    assert prices[0][1] == prices[1][1], "the same model answers"
    assert "{'MemorySizeInMB': 1024, 'MaxConcurrency': 4, 'ProvisionedConcurrency': 2}" in output, output
