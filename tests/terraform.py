"""Terraform and AWS's provider, as they are installed: `Terraform(folder, environment)` plans, applies and destroys.

The provider is found as Terraform is configured to find it (its configuration file, or its folders of plugins).
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

CONFIGURATIONS = Path(__file__).parent / "clients" / "terraform"
SECONDS = 280
DIFFERENCES = 2
"""How `terraform plan -detailed-exitcode` ends where there are any."""

_FUNCTION = """\
import os

def handler(event, context):
    return {"word": os.environ["WORD"], "event": event}
"""
_MODEL = """\
def model_fn(folder):
    return None

def input_fn(body, content_type):
    return body

def predict_fn(text, model):
    return "seen"

def output_fn(answer, accept):
    return answer
"""


class Terraform:
    """A folder with configurations, initialised; the test is skipped where Terraform or the provider is missing."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *configurations: str) -> None:
        self._folder = folder
        self._environment = {**environment, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
        if shutil.which("terraform") is None:
            pytest.skip("needs Terraform")
        for name in configurations:
            shutil.copy(CONFIGURATIONS / name, folder)
        _write_code(folder)
        began = self._run("init", "-input=false", check=False)
        if began.returncode:
            pytest.skip(f"needs Terraform's provider hashicorp/aws: {began.stderr.strip()[-300:]}")

    def apply(self) -> None:
        """Make what is configured."""
        self._run("apply", "-auto-approve")

    def differences(self) -> str:
        """What another apply would change; empty where that is nothing."""
        planned = self._run("plan", "-detailed-exitcode", check=False)
        assert planned.returncode in (0, DIFFERENCES), planned.stdout + planned.stderr
        return planned.stdout if planned.returncode else ""

    def destroy(self) -> None:
        """Remove all of it."""
        self._run("destroy", "-auto-approve")

    def _run(self, command: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["terraform", command, "-no-color", *arguments],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"terraform {command}\n{done.stdout[-3000:]}\n{done.stderr}"
        return done


def _write_code(folder: Path) -> None:
    with zipfile.ZipFile(folder / "echo.zip", "w") as archive:
        archive.writestr("echo.py", _FUNCTION)
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(_MODEL.encode())
        archive.addfile(member, io.BytesIO(_MODEL.encode()))
