"""The program and the commands of docs/cloudwatch.md."""

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

PAGE = (ROOT / "docs" / "cloudwatch.md").read_text()


def test_the_program_and_the_commands_of_the_page(clary: RunningClary, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "alarms.py").write_text(program)
    alarm, over = output(clary, sys.executable, tmp_path / "alarms.py").splitlines()
    assert "was greater than the threshold (1000.0) (minimum 1 datapoint for OK -> ALARM transition)." in alarm
    assert "1 out of the last 1 datapoints [80.0 (" in over
    assert "was not greater than the threshold (1000.0)" in over
    [queries] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "failing.json").write_text(queries)
    aws = python_of("cli").parent / "aws"
    said = [
        output(clary, aws, *shlex.split(line.replace("file://", f"file://{tmp_path}/"))[2:])
        for line in "".join(re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)).splitlines()
    ]
    assert '"Alarm updated from OK to ALARM"' in said[1]
