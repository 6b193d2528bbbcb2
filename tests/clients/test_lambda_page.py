"""The program of docs/lambda.md, by boto3 with what `clary env` exports and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT
from tests.running import RunningClary
from tests.system.jobs import Jobs

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_of_the_page(tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "lambda.md").read_text(), re.DOTALL)
    (tmp_path / "predict.py").write_text(program)
    with RunningClary(tmp_path / "data") as clary:
        Jobs(clary).deploy("heart")
        done = subprocess.run(
            [sys.executable, str(tmp_path / "predict.py")],
            env={**clary.environment, "ENDPOINT_NAME": "heart"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "{'statusCode': 200, 'body': '[[63, 1]]'}" in done.stdout or "[[63.0, 1.0]]" in done.stdout, done.stdout
    assert re.search(r"^asked for \[63, 1\]$", done.stdout, re.MULTILINE)
    assert re.search(r"^\[\[55(\.0)?, 1(\.0)?\]\]$", done.stdout, re.MULTILINE), done.stdout
