"""The program of docs/registry.md, and what else the SDKs keep."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, SCRIPTS, RunScript

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_of_the_page(sdk2_loaded: RunScript, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "registry.md").read_text(), re.DOTALL)
    (tmp_path / "churn.py").write_text(program)
    output = sdk2_loaded(tmp_path / "churn.py")
    said = [line for line in output.splitlines() if line]
    assert "Completed {'NumberValue': 5.0}" in said, output
    assert "1 Approved" in said, output
    assert re.search(r"churns$", output, re.MULTILINE), output
    assert "['Artifact', 'TrialComponent']" in said, output
    assert "1 experiment/churn" in said, output


def test_sdk_2_keeps_runs_lineage_features_and_pipelines(sdk2_loaded: RunScript, tmp_path: Path) -> None:
    shutil.copy(SCRIPTS / "kept_sdk2.py", tmp_path)
    output = sdk2_loaded(tmp_path / "kept_sdk2.py")
    for line in (
        "parameters [('kind', 'b'), ('rate', 0.1)]",
        "metric loss 4 1.0 0.25",
        "values Complete [0, 1, 2, 3] [1.0, 0.5, 0.33, 0.25]",
        "runs ['first']",
        "associations 1",
        "artifacts 1",
        "features Created",
        "card another 2 Approved",
        "history 2 exports []",
        "pipeline True",
        "start ValidationException",
    ):
        assert line in output, output


def test_sdk_3_keeps_what_its_resources_are(sdk3: RunScript) -> None:
    output = sdk3(SCRIPTS / "kept_sdk3.py")
    for line in (
        "group Completed\nlisted True\nkept core core Test InService",
        "version 1 PendingManualApproval Approved",
        "card 2 Approved 1",
        "features ['id', 'at', 'more']",
        "studio InService InService ann",
        "workload {}",
        "lists True True 0 0",
        "absent Could not find requested job with name: none",
    ):
        assert line in output, output
