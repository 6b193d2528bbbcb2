"""The programs of docs/lambda.md, by boto3 with what `clary env` exports and nothing else."""

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


def run(clary: RunningClary, number: int, folder: Path) -> str:
    """What the page's program says, by its place on the page."""
    programs = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "lambda.md").read_text(), re.DOTALL)
    (folder / "program.py").write_text(programs[number])
    done = subprocess.run(
        [sys.executable, str(folder / "program.py")],
        env={**clary.environment, "ENDPOINT_NAME": "heart"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_programs_of_the_page(clary: RunningClary, tmp_path: Path) -> None:
    jobs = Jobs(clary)
    jobs.deploy("heart")
    try:
        said = run(clary, 0, tmp_path)
        encoded = run(clary, 1, tmp_path)
    finally:
        jobs.sagemaker.delete_endpoint(EndpointName="heart")
    assert "{'statusCode': 200, 'body': '[[63, 1]]'}" in said or "[[63.0, 1.0]]" in said, said
    assert re.search(r"^asked for \[63, 1\]$", said, re.MULTILINE)
    assert re.search(r"^\[\[55(\.0)?, 1(\.0)?\]\]$", said, re.MULTILINE), said
    assert encoded == "{'features': [1.0, 0.0, 0.0, 1.0]}\n"
