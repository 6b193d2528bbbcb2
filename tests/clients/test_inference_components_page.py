"""The program of docs/inference-components.md, by boto3 and the SageMaker Python SDK 2."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, RunScript

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_of_the_page(sdk2: RunScript, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "inference-components.md").read_text(), re.DOTALL)
    (tmp_path / "components.py").write_text(program)
    shutil.copy(ROOT / "examples" / "boston_housing" / "boston_housing.csv", tmp_path)
    output = sdk2(tmp_path / "components.py")
    [shallow, deep] = re.findall(r"(?:shallow|deep) ([0-9.]+)$", output, re.MULTILINE)
    assert shallow != deep
    assert re.search(rf"updated {re.escape(deep)} 2$", output, re.MULTILINE), output
    assert "Inference Component Name header is required" in output
    assert output.rstrip().endswith("deleted")
