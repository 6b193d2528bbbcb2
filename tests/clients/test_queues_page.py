"""The program of docs/queues.md, by boto3 with what `clary env` exports and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT
from tests.running import RunningClary

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_of_the_page(tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "queues.md").read_text(), re.DOTALL)
    (tmp_path / "program.py").write_text(program)
    with RunningClary(tmp_path / "data") as clary:
        done = subprocess.run(
            [sys.executable, str(tmp_path / "program.py")],
            env=clary.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    job, told, dead, news = done.stdout.splitlines()
    assert (job, told) == ('job {"row": 7}', "told 0.25")
    assert (dead, news) == ('dead {"by": 0} division by zero', "news a model is ready")
