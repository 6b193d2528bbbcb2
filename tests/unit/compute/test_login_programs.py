"""Credential helpers that do not behave."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clary.compute import login_programs
from clary.compute.login_files import Login, UnusableLogin
from tests.running import wait_until


def _program(folder: Path, script: str) -> dict[str, str]:
    path = folder / "docker-credential-x"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "FROM": "me"}


def test_it_has_the_environment_and_no_other_standard_input(tmp_path: Path) -> None:
    environ = _program(tmp_path, """printf '{"Username": "%s", "Secret": "%s"}' "$FROM" "$(cat)" """)
    assert login_programs.ask("x", "registry.example.com", environ) == Login("me", "registry.example.com")


def test_one_that_reads_nothing_is_heard(tmp_path: Path) -> None:
    environ = _program(tmp_path, """exec <&-; echo '{"Username": "me", "Secret": "s"}'""")
    assert login_programs.ask("x", "registry.example.com", environ) == Login("me", "s")


def test_one_that_never_answers_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    environ = _program(tmp_path, f"sleep 3600 & echo $! > {tmp_path}/pid; wait")
    with pytest.raises(UnusableLogin, match=r"has not answered for 1 s"):
        login_programs.ask("x", "registry.example.com", environ, 1)
    wait_until(lambda: not _lives(tmp_path / "pid"), 60, "nothing is left")


def _lives(pid: Path) -> bool:
    """Not, too, where it did not come so far as to write its number."""
    try:
        state = Path(f"/proc/{int(pid.read_text())}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, ValueError):
        return False
    return state != "Z"


def test_one_that_cannot_be_run(tmp_path: Path) -> None:
    environ = _program(tmp_path, "")
    (tmp_path / "docker-credential-x").write_bytes(b"\0")
    with pytest.raises(UnusableLogin, match="cannot be run"):
        login_programs.ask("x", "registry.example.com", environ)
