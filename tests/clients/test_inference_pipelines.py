"""The program of docs/inference-pipelines.md, by boto3 and the SageMaker Python SDK 2; the ways of SDK 1 and 3."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, SCRIPTS, RunScript

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_of_the_page(sdk2: RunScript, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "inference-pipelines.md").read_text()
    script, program = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "line.py").write_text(script)
    (tmp_path / "pipeline.py").write_text(program)
    shutil.copy(ROOT / "src" / "clary" / "demo" / "heart_failure.csv", tmp_path)
    output = sdk2(tmp_path / "pipeline.py")
    assert "['at risk', 'at risk', 'at risk', 'at risk', 'at risk'] [1, 1, 1, 1, 1]" in output, output
    (right, rows) = re.findall(r"^right: (\d+) of (\d+)$", output, re.MULTILINE)[0]
    assert (int(right) > 280, rows) == (True, "299"), output
    assert r"say: b'well\nat risk\n'" in output, output


@pytest.mark.long
def test_a_pipeline_model_of_sdk_1(sdk1: RunScript) -> None:
    assert "in line: 1,2,first,second" in sdk1(SCRIPTS / "pipeline_sdk1.py")


def test_models_in_line_and_containers_by_name_of_sdk_3(sdk3: RunScript) -> None:
    output = sdk3(SCRIPTS / "pipeline_sdk3.py")
    assert "in line: 1,2,first,second" in output, output
    assert "by name: 1,2,right" in output, output
