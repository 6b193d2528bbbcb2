"""What the processes of a Clary load when they start: each module more is paid for at every start, and after every
kill."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest


def loaded_by(*command: str) -> frozenset[str]:
    """By statements, until the program has read its arguments, and found that there is nothing to do."""
    watched = [sys.executable, "-P", "-X", "importtime", *command]
    said = subprocess.run(watched, capture_output=True, text=True, check=False).stderr
    return frozenset(line.rpartition("|")[2].strip() for line in said.splitlines() if line.startswith("import time:"))


@cache
def loaded(process: str) -> frozenset[str]:
    """By a process as the supervisor starts it."""
    return loaded_by("-m", f"clary.app.{process}", "--help")


def test_the_edge_loads_no_database_and_no_controllers():
    assert not {"sqlalchemy", "clary.store.store", "clary.controllers", "rich", "typer"} & loaded("edge")


@pytest.mark.parametrize("process", ["edge", "control"])
def test_operations_wait_until_they_are_asked_for(process):
    operations = {
        f"clary.services.{name}" for name in ("ec2.regions", "kms.grants", "sagemaker.training_jobs", "sts.roles")
    }
    assert not operations & loaded(process)
    assert "clary.services.catalogue" in loaded(process)


@pytest.mark.parametrize("process", ["edge", "control"])
def test_what_few_need_is_not_loaded(process):
    assert not {"_awscrt", "cryptography.x509", "clary.compute.docker_images", "boto3", "optuna"} & loaded(process)


@pytest.mark.parametrize("command", ["env", "down"])
def test_commands_that_everybody_gives_load_neither_pydantic_nor_botocores_client(command, tmp_path):
    modules = loaded_by(str(Path(sys.executable).parent / "clary"), command, "--data-dir", str(tmp_path))
    assert "clary.supervisor.lock" in modules
    assert not {"pydantic", "rich", "botocore.loaders", "sqlalchemy", "clary.compute.docker_images"} & modules
