"""The program of docs/api-gateway.md: a REST API before an endpoint, by boto3 and the SageMaker Python SDK 2."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, RunScript

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_of_the_page(sdk2: RunScript, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "api-gateway.md").read_text(), re.DOTALL)
    (tmp_path / "houses.py").write_text(program)
    shutil.copy(ROOT / "examples" / "boston_housing" / "boston_housing.csv", tmp_path)
    output = sdk2(tmp_path / "houses.py")
    said = re.search(r"\{'price': (\d+\.\d+)\} was sold for (\d+\.\d+)", output)
    assert said, output
    assert abs(float(said[1]) - float(said[2])) < 6
