"""The program of docs/registry.md, by the SageMaker Python SDK 2."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, RunScript

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_of_the_page(sdk2: RunScript, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "registry.md").read_text(), re.DOTALL)
    (tmp_path / "churn.py").write_text(program)
    output = sdk2(tmp_path / "churn.py")
    said = [line for line in output.splitlines() if line]
    assert "Completed {'NumberValue': 5.0}" in said, output
    assert "1 Approved" in said, output
    assert re.search(r"churns$", output, re.MULTILINE), output
    assert "['Artifact', 'TrialComponent']" in said, output
    assert "1 experiment/churn" in said, output
