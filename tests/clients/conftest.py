"""Real clients against a really started Clary: one server for all tests of this folder that do not need their own."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.clients.forks import Forks
from tests.environments import python_of
from tests.running import RunningClary

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = Path(__file__).parent / "scripts"
SCRIPT_SECONDS = 240

RunScript = Callable[[Path], str]
RunAnew = Callable[[str, Path], str]


@pytest.fixture(scope="session")
def clary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningClary]:
    with RunningClary(tmp_path_factory.mktemp("clary")) as running:
        yield running


def without_progress(said: str) -> str:
    """As it was printed, without the dash that the SDK prints for each look at an endpoint that it waits for, and its
    mark at the end: what a program prints next stands in the same line, behind as many as the machine took time."""
    return re.sub(r"^(-*!)+", "", said, flags=re.MULTILINE)


def output(clary: RunningClary, *command: str | Path) -> str:
    """What a command prints in a shell with `clary env`, or a failure that shows all of it."""
    done = subprocess.run(
        command, env=clary.environment, capture_output=True, text=True, timeout=SCRIPT_SECONDS, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return without_progress(done.stdout)


LOADED = {
    "sdk1": ("pandas", "sagemaker"),
    "sdk2": ("pandas", "sagemaker"),
    "sdk3": ("pandas", "sagemaker.train.model_trainer", "sagemaker.serve.model_builder"),
}
"""What programs of an SDK import first: seconds of a processor, each time."""


@pytest.fixture(scope="session")
def shell(clary: RunningClary) -> dict[str, str]:
    """The environment of a shell with `clary env`."""
    return clary.environment


@pytest.fixture(scope="session")
def anew(shell: dict[str, str]) -> RunAnew:
    """Runs a program by a Python that is started for it, `anew("sdk2", program)`, as users do: what it prints."""

    def run(environment: str, program: Path) -> str:
        done = subprocess.run(
            [python_of(environment), program],
            env=shell,
            cwd=program.parent,
            capture_output=True,
            text=True,
            timeout=SCRIPT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{program.name} failed\n{done.stdout}\n{done.stderr}"
        return without_progress(done.stdout)

    return run


@contextmanager
def _loaded(environment: str, shell: dict[str, str], folder: Path) -> Iterator[RunScript]:
    """Runs a program as a user of that SDK does; its output, or a failure that shows all of it."""
    with Forks(python_of(environment), shell, folder, *LOADED[environment]) as forks:
        yield lambda script: without_progress(forks.run(script, SCRIPT_SECONDS))


@pytest.fixture(scope="session")
def sdk1(shell: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunScript]:
    """SageMaker Python SDK 1.72, loaded once for all programs."""
    with _loaded("sdk1", shell, tmp_path_factory.mktemp("sdk1")) as run:
        yield run


@pytest.fixture(scope="session")
def sdk2(shell: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunScript]:
    """SageMaker Python SDK 2, loaded once for all programs."""
    with _loaded("sdk2", shell, tmp_path_factory.mktemp("sdk2")) as run:
        yield run


@pytest.fixture(scope="session")
def sdk2_loaded(sdk2: RunScript) -> RunScript:
    """The same."""
    return sdk2


@pytest.fixture(scope="session")
def sdk3(shell: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunScript]:
    """SageMaker Python SDK 3, loaded once for all programs."""
    with _loaded("sdk3", shell, tmp_path_factory.mktemp("sdk3")) as run:
        yield run
