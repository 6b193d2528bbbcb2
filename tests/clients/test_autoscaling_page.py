"""The program and the commands of docs/autoscaling.md."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, output
from tests.environments import python_of
from tests.running import RunningClary
from tests.system.endpoints import deploy, model, variant
from tests.system.jobs import Jobs

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]

PAGE = (ROOT / "docs" / "autoscaling.md").read_text()


def test_the_program_and_the_commands_of_the_page(clary: RunningClary, tmp_path: Path) -> None:
    jobs = Jobs(clary)
    deploy(jobs, "prices", variant("main", model(jobs, "says-prices")))
    try:
        [program] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
        (tmp_path / "scaling.py").write_text(program)
        out, back, *activities = output(clary, sys.executable, tmp_path / "scaling.py").splitlines()
    finally:
        jobs.sagemaker.delete_endpoint(EndpointName="prices")
    assert (out, back) == ("{'main': 2}", "{'main': 1}")
    assert [line.partition(" | ")[0] for line in activities] == [
        "Setting desired instance count to 1.",
        "Setting min capacity to 1 and max capacity to 1",
        "Setting desired instance count to 2.",
    ]
    aws = python_of("cli").parent / "aws"
    commands = "".join(re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)).splitlines()
    targets, told = (output(clary, aws, *shlex.split(line)[2:]) for line in commands)
    assert '"ScalableTargets": []' in targets
    assert "Change successfully fulfilled by sagemaker." in told
