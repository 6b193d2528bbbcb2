"""The programs of docs/shadow.md, by boto3 and the SageMaker Python SDK 2."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, RunScript

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_programs_of_the_page(sdk2: RunScript, tmp_path: Path) -> None:
    programs = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "shadow.md").read_text(), re.DOTALL)
    (tmp_path / "shadow.py").write_text("\n".join(programs))
    shutil.copy(ROOT / "examples" / "boston_housing" / "boston_housing.csv", tmp_path)
    output = sdk2(tmp_path / "shadow.py")
    [errors] = re.findall(r"\{'live': ([0-9.]+), 'candidate': ([0-9.]+)\}", output)
    assert float(errors[1]) < float(errors[0])
    assert "InService\n{'live': 'Deleted', 'candidate': 'InService'}\ncandidate" in output
