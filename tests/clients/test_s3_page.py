"""The programs of docs/s3.md, by boto3 with what `clary env` exports and nothing else."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, output
from tests.running import RunningClary

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]

PAGE = (ROOT / "docs" / "s3.md").read_text()


def test_the_programs_of_the_page(clary: RunningClary, tmp_path: Path) -> None:
    programs = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    said = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert len(programs) == len(said) == 3
    (tmp_path / "program.py").write_text("\n".join(programs))
    assert output(clary, sys.executable, tmp_path / "program.py") == "".join(said)
