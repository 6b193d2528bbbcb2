"""Real clients against a really started Clary: one server for all tests of this folder that do not need their own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients.forks import Forks
from tests.environments import python_of
from tests.running import RunningClary

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = Path(__file__).parent / "scripts"
SCRIPT_SECONDS = 240

RunScript = Callable[..., str]


@pytest.fixture(scope="session")
def clary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningClary]:
    with RunningClary(tmp_path_factory.mktemp("clary")) as running:
        yield running


def output(clary: RunningClary, *command: str | Path) -> str:
    """What a command prints in a shell with `clary env`, or a failure that shows all of it."""
    done = subprocess.run(
        command, env=clary.environment, capture_output=True, text=True, timeout=SCRIPT_SECONDS, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _runner(clary: RunningClary, environment: str) -> RunScript:
    """Runs a script as a user of that SDK does; its output, or a failure that shows all of it."""

    def run(script: Path, *arguments: str) -> str:
        done = subprocess.run(
            [python_of(environment), script, *arguments],
            env=clary.environment,
            cwd=script.parent,
            capture_output=True,
            text=True,
            timeout=SCRIPT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{script.name} failed\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


@pytest.fixture(scope="session")
def sdk1(clary: RunningClary) -> RunScript:
    """SageMaker Python SDK 1.72."""
    return _runner(clary, "sdk1")


@pytest.fixture(scope="session")
def sdk2(clary: RunningClary) -> RunScript:
    """SageMaker Python SDK 2."""
    return _runner(clary, "sdk2")


@pytest.fixture(scope="session")
def sdk2_loaded(clary: RunningClary) -> Iterator[RunScript]:
    """SageMaker Python SDK 2, loaded once for all programs that are given no arguments."""
    with Forks(python_of("sdk2"), clary.environment) as forks:
        yield lambda script: forks.run(script, SCRIPT_SECONDS)


@pytest.fixture(scope="session")
def sdk3(clary: RunningClary) -> RunScript:
    """SageMaker Python SDK 3."""
    return _runner(clary, "sdk3")
