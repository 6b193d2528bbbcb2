"""The program of docs/endpoints.md, by boto3 and the SageMaker Python SDK 2."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, RunScript

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_of_the_page(sdk2: RunScript, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "endpoints.md").read_text(), re.DOTALL)
    (tmp_path / "endpoints.py").write_text(program)
    shutil.copy(ROOT / "examples" / "boston_housing" / "boston_housing.csv", tmp_path)
    output = sdk2(tmp_path / "endpoints.py")
    assert re.search(r"\('shallow', \d+\.\d+\) \('deep', \d+\.\d+\)", output), output
    assert "{'deep'}" in output, "the weight of the other is 0"
    assert output.count("houses-2") == 1, "the canary has become what serves"
    counts = re.findall(r"'SampleCount': ([0-9.]+)", output)
    assert sum(map(float, counts)) == 21, "invocations of the deep variant, in one minute or in two"
    assert len(re.findall(r"^sagemaker-xgboost-\S+ \[\{'MetricName': 'train:rmse'", output, re.MULTILINE)) == 2, output
