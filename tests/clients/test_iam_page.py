"""The program of docs/iam.md."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, output
from tests.running import RunningClary

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]

PAGE = (ROOT / "docs" / "iam.md").read_text()


def test_the_program_of_the_page(clary: RunningClary, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "roles.py").write_text(program)
    refusal, red, blue = output(clary, sys.executable, tmp_path / "roles.py").splitlines()
    assert "is not authorized to perform: s3:CreateBucket on resource" in refusal
    assert refusal.endswith("because no identity-based policy allows the s3:CreateBucket action")
    assert (red, blue) == ("arn:aws:s3:::lab-red/k allowed", "arn:aws:s3:::lab-blue/k implicitDeny")
