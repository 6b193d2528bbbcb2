"""The program and the commands of docs/accounts.md."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, output
from tests.environments import python_of
from tests.running import RunningClary

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]

PAGE = (ROOT / "docs" / "accounts.md").read_text()


def test_the_program_and_the_commands_of_the_page(clary: RunningClary, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "program.py").write_text(program)
    said = output(clary, sys.executable, tmp_path / "program.py").splitlines()
    assert said == [
        "made SUCCEEDED",
        "inside True",
        "before AccessDenied",
        "after b'0.1'",
        "closed AccessDenied",
    ]
    made = clary.client("organizations").create_account(Email="next@example.com", AccountName="next")
    account = made["CreateAccountStatus"]["AccountId"]
    [console] = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    program_dirs = f"{Path(sys.executable).parent}:{python_of('cli').parent}"
    lines = [line.removeprefix("$ ") for line in console.replace("ROLE_ARN", role).splitlines()]
    environment = {
        **clary.environment,
        "CLARY_DATA_DIR": str(clary.data_dir),
        "PATH": f"{program_dirs}:{clary.environment['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-euc", "\n".join(lines)], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    assert json.loads(done.stdout)["Account"] == account
