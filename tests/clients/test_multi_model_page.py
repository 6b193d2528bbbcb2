"""The program of docs/multi-model.md, by the SageMaker Python SDK 2."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, RunScript

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_of_the_page(sdk2: RunScript, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "multi-model.md").read_text(), re.DOTALL)
    (tmp_path / "prices.py").write_text(program)
    shutil.copy(ROOT / "examples" / "boston_housing" / "boston_housing.csv", tmp_path)
    output = sdk2(tmp_path / "prices.py")
    assert "['inland.tar.gz', 'river.tar.gz']" in output, output
    said = re.findall(r"^(river|inland) (\d+\.\d+)$", output, re.MULTILINE)
    assert [town for town, _ in said] == ["river", "inland", "river"], output
    assert said[0] == said[2] != said[1], "each has learned from its own houses"
