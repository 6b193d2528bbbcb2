"""What the processes of a Clary load when they start: each module more is paid for at every start, and after every
kill."""

from __future__ import annotations

import faulthandler
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from clary.app.process import Start
from clary.settings import Settings
from clary.supervisor.tether import Tether, pair


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


HANGS = """
import faulthandler, sys, threading
later = faulthandler.dump_traceback_later
faulthandler.dump_traceback_later = lambda seconds, repeat: later(0.05, repeat=repeat)
sys.argv = ["-m"]
import clary.app
def waits_without_end(): threading.Event().wait()
waits_without_end()
"""


def test_a_start_that_hangs_says_again_and_again_where():
    with subprocess.Popen([sys.executable, "-P", "-c", HANGS], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = (line for line in process.stderr if "in waits_without_end" in line)
        assert next(said, "") and next(said, "")
        process.kill()


def test_a_process_that_is_ready_says_no_more_of_its_start(monkeypatch, tmp_path):
    over = []
    monkeypatch.setattr(faulthandler, "cancel_dump_traceback_later", lambda: over.append(True))
    held, theirs = pair()
    Start(Settings(data_dir=tmp_path), [], Tether(theirs.detach())).ready()
    assert over
    assert [word.ready for word in held.words()] == [True]
    held.close()
