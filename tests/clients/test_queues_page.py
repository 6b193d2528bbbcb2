"""The program of docs/queues.md, by boto3 with what `clary env` exports and nothing else."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, output
from tests.running import RunningClary

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_of_the_page(clary: RunningClary, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "queues.md").read_text(), re.DOTALL)
    (tmp_path / "program.py").write_text(program)
    job, told, dead, news = output(clary, sys.executable, tmp_path / "program.py").splitlines()
    assert (job, told) == ('job {"row": 7}', "told 0.25")
    assert (dead, news) == ('dead {"by": 0} division by zero', "news a model is ready")
