"""Warm parents on every Python that a framework's environment may have."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from clary.compute.base import Mount
from tests.contract.compute.conftest import warm

_VERSIONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")


_JOB = """
import sys
print("%d.%d" % sys.version_info[:2], sys.argv[1:], flush=True)
1 / 0
"""


@cache
def _python(version: str) -> str | None:
    """One on the search path, or installed beside the Python that runs this; none is downloaded."""
    beside = sorted(Path(sys.base_prefix).parent.glob(f"{version}.*/bin/python{version}"))
    return str(beside[0]) if beside else shutil.which(f"python{version}", path="/usr/bin:/usr/local/bin")


@pytest.mark.parametrize("version", _VERSIONS)
def test_a_warm_parent_of_this_python(confined, tmp_path, version):
    python = _python(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    (tmp_path / "job.py").write_text(_JOB)
    container = warm("job", "--x", "1", preload=("json",), env={"PYTHONPATH": "/opt/code"})
    container = replace(container, warm=replace(container.warm, python=python), argv=("false",))
    confined.start("job", replace(container, mounts=(Mount(str(tmp_path), "/opt/code"),)))
    assert confined.end("job").code == 1
    assert confined.lines("job")[0] == f"{version} ['--x', '1']"
    assert confined.lines("job")[-1].startswith("ZeroDivisionError")
