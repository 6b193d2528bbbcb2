"""The program of docs/asynchronous.md, by the SageMaker Python SDK 2; and the same calls by the SDK 3."""

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


def test_the_resources_of_the_sdk_3(sdk3: RunScript) -> None:
    assert "answer: [[1.0, 2.0]]" in sdk3(SCRIPTS / "asynchronous_sdk3.py")
