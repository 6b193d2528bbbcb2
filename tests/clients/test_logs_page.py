"""The program and the commands of docs/logs.md."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, output
from tests.environments import python_of
from tests.running import RunningClary

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]

PAGE = (ROOT / "docs" / "logs.md").read_text()


def test_the_program_and_the_commands_of_the_page(clary: RunningClary, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "orders.py").write_text(program)
    assert output(clary, sys.executable, tmp_path / "orders.py").splitlines() == [
        "user=ada orders=1 errors=0 mean=120",
        "user=bob orders=2 errors=1 mean=40",
        "1 error of bob",
        "Latency",
    ]
    aws = python_of("cli").parent / "aws"
    said = [
        output(clary, aws, *shlex.split(line)[2:])
        for line in "".join(re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)).splitlines()
    ]
    assert '"latency"' in said[0]
    assert '"$status": "404"' in said[1]
    assert '"queryDefinitionId"' in said[2]
