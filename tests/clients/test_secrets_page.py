"""The program and the commands of docs/secrets.md."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, output
from tests.environments import python_of
from tests.running import RunningClary

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]

PAGE = (ROOT / "docs" / "secrets.md").read_text()


def test_the_program_and_the_commands_of_the_page(clary: RunningClary, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "program.py").write_text(program)
    *said, public, elsewhere = output(clary, sys.executable, tmp_path / "program.py").splitlines()
    assert said == [
        "decrypted b'42'",
        "refused: another context",
        "AWSCURRENT two",
        "AWSPREVIOUS one",
        "/churn/rate 0.1",
        "/churn/token abc",
        "by reference two",
        "verified True",
    ]
    assert public == "public key MFkwEwYH"
    assert elsewhere == "elsewhere b'far'"
    [console] = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    aws = python_of("cli").parent / "aws"
    secret, parameter, deletion = ([aws, *shlex.split(line)[2:]] for line in console.splitlines())
    assert '"password": "two"' in output(clary, *secret)
    assert output(clary, *parameter).strip() == "abc"
    refused = subprocess.run(deletion, env=clary.environment, capture_output=True, text=True, timeout=120, check=False)
    assert "Invalid keyId 'alias/churn'" in refused.stderr
