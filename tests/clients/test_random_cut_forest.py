"""The page of random cut forests: its program, run as a user of SDK v2 does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.clients.conftest import RunScript
from tests.clients.test_docs import blocks

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_program_of_the_page(sdk2: RunScript, tmp_path: Path) -> None:
    [program] = blocks("docs/algorithms/random-cut-forest.md", "python")
    (tmp_path / "rides.py").write_text(program)
    output = sdk2(tmp_path / "rides.py")
    metrics = dict(re.findall(r"^(\S+:\S+) (\d+\.\d+)$", output, re.MULTILINE))
    assert float(metrics["test:f1"]) > 0.3
    found = re.search(r"anomalies: \[(.*)\]", output)
    assert found
    assert {"310", "1200", "1999"} <= set(found[1].split(", "))
