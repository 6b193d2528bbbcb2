"""What `clary env` exports, as shells and programs read it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from clary.clients.environment import (
    CONFLICTING,
    CredentialsAccess,
    quick_waiters,
    render,
    render_unset,
    variables,
    write_files,
)
from clary.settings import Settings

ACCESS = CredentialsAccess("ASIAEXAMPLE", "token")
HOSTILE = "a 'quoted' $(touch /nowhere) value"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, port=4600)


def test_a_shell_reads_back_exactly_what_is_exported() -> None:
    script = render({"ONE": HOSTILE, "TWO": "2"}, "sh") + "\npython3 -c 'import os; print(os.environ[\"ONE\"])'"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == HOSTILE


def test_what_would_win_over_the_refreshing_credentials_is_unset() -> None:
    script = render({}, "sh") + '\necho "${AWS_PROFILE-unset} ${AWS_ACCESS_KEY_ID-unset}"'
    env = dict.fromkeys(CONFLICTING, "mine") | {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "unset unset"


def test_lists_keep_what_was_there_and_repeating_adds_nothing(settings: Settings) -> None:
    folder = write_files(settings)
    once = variables(settings, ACCESS, folder, {"PYTHONPATH": "/mine", "NO_PROXY": "example.org"})
    twice = variables(settings, ACCESS, folder, once)
    assert once == twice
    assert once["PYTHONPATH"].endswith(":/mine")
    assert once["NO_PROXY"] == "127.0.0.1,localhost,example.org"


def test_programs_get_json(settings: Settings) -> None:
    exported = variables(settings, ACCESS, write_files(settings), {})
    assert json.loads(render(exported, "json"))["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4600"


def test_waiters_look_every_second_and_wait_as_long_as_aws_does() -> None:
    job = quick_waiters()["waiters"]["TrainingJobCompletedOrStopped"]
    assert job["delay"] == 1
    assert job["maxAttempts"] == 120 * 180
    assert {acceptor["state"] for acceptor in job["acceptors"]} == {"success", "failure"}


def test_unset_takes_back_what_was_exported_and_keeps_the_users_own(settings: Settings) -> None:
    exported = variables(settings, ACCESS, write_files(settings), {"PYTHONPATH": "/mine"})
    script = render(exported, "sh") + "\n" + render_unset(exported, exported, "sh")
    script += '\necho "${AWS_ENDPOINT_URL-unset} ${AWS_DATA_PATH-unset} $PYTHONPATH"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "unset unset /mine"
