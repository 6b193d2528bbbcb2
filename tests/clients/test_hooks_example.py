"""The commands of examples/hooks, typed one after the other; and what docs/hooks.md shows."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from clary.hooks import steps
from tests.clients.conftest import ROOT
from tests.environments import python_of
from tests.running import CLARY, RunningClary

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_the_commands_of_the_example(tmp_path: Path) -> None:
    page = (ROOT / "examples" / "hooks" / "README.md").read_text()
    lines = [line[2:] for line in "".join(re.findall(r"```console\n(.*?)```", page, re.DOTALL)).splitlines()]
    who = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    foreign = ("AWS_", "CLARY_", "GIT_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | who
    env["PATH"] = os.pathsep.join([str(CLARY.parent), str(python_of("cli").parent), env["PATH"]])
    env |= {"XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")), "HOME": str(tmp_path)}
    with RunningClary(tmp_path / ".clary"):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(lines).replace("/tmp/heights", str(tmp_path / "heights"))],
            env=env,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
    assert done.returncode == 0, done.stdout
    assert "clary: run 1 is queued" in done.stdout
    assert re.search(r"66\.8(?!\d).*clary: run 2 is queued.*66\.799", done.stdout, re.DOTALL), done.stdout


def test_the_steps_of_the_page_would_be_taken() -> None:
    [document] = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "hooks.md").read_text(), re.DOTALL)
    role = "arn:aws:iam::000000000000:role/Role"
    assert steps.endpoint_name(steps.checked(json.loads(document), role)) == "heights"
