"""The program of docs/asynchronous.md, by the SageMaker Python SDK 2; and by the SDK 3 also a serverless endpoint."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, SCRIPTS, RunScript

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_of_the_page(sdk2: RunScript, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "asynchronous.md").read_text(), re.DOTALL)
    (tmp_path / "patient.py").write_text(program)
    shutil.copy(ROOT / "examples" / "boston_housing" / "boston_housing.csv", tmp_path)
    output = sdk2(tmp_path / "patient.py")
    [waited] = re.findall(r"waited \[\['(\d+\.\d+)'\]\]$", output, re.MULTILINE)
    [mean] = re.findall(r"^later 20 (\d+\.\d+)$", output, re.MULTILINE)
    assert 20 < float(waited) < 30, output
    assert 10 < float(mean) < 40, output
    assert "\nfailed " in output, output
    assert "told 21 1" in output, output


def test_the_sdk_3_asks_asynchronous_and_serverless_endpoints(sdk3: RunScript) -> None:
    output = sdk3(SCRIPTS / "endpoints_sdk3.py")
    for said in ("asynchronous: [[1.0, 2.0]]", "concurrency: 2 of 1024 MB", "serverless: [[1.0, 2.0]]"):
        assert said in output, output
