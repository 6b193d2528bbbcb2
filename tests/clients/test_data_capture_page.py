"""The program of docs/data-capture.md, by the SageMaker Python SDK 2."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, RunScript

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_of_the_page(sdk2: RunScript, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "data-capture.md").read_text(), re.DOTALL)
    (tmp_path / "capture.py").write_text(program)
    shutil.copy(ROOT / "examples" / "boston_housing" / "boston_housing.csv", tmp_path)
    output = sdk2(tmp_path / "capture.py")
    assert "house-0 CSV" in output
    assert re.search(r"^price \d+\.\d+$", output, re.MULTILINE), output
    assert output.strip().endswith("Stopped 10")
