"""Root runs the whole contract once more as a user without any right: that is how most people start Clary."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import clary
from tests import engine as engines
from tests import memory

_HERE = Path(__file__).parent
_PYTHON = "/usr/bin/python3"


def _can_run() -> bool:
    modules = os.pathsep.join(_search_path())
    command = [
        *_as_user(),
        "env",
        f"PYTHONPATH={modules}",
        _PYTHON,
        "-c",
        "import pytest, pytest_asyncio, pytest_timeout, xdist, clary",
    ]
    return subprocess.run(command, check=False, capture_output=True, cwd="/").returncode == 0


def _as_user() -> list[str]:
    return ["setpriv", "--reuid", "1234", "--regid", "1234", "--clear-groups"]


def _search_path() -> list[str]:
    packages = [path for path in sys.path if path.endswith("site-packages")]
    return [str(Path(clary.__file__).parents[1]), *packages]


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
@pytest.mark.timeout(900)
def test_the_contract_holds_for_a_user_without_rights():
    if not shutil.which("setpriv") or not _can_run():
        pytest.skip("needs setpriv and a system Python of this version")
    with tempfile.TemporaryDirectory(prefix="clary-user-", dir=memory.chosen()) as folder:
        _try(Path(folder))


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
@pytest.mark.timeout(900)
@pytest.mark.xdist_group("engine")
def test_whoever_may_use_an_engine_that_root_runs_needs_no_other_right():
    """Its log file is root's then, and so is what its containers write."""
    if not shutil.which("setpriv") or not _can_run():
        pytest.skip("needs setpriv and a system Python of this version")
    words = ("big_output", "files_that_it_wrote", "over_one_source", "the_api_is_reached", "tear_no_stream")
    chosen = f"engine and ({' or '.join(words)})"
    with engines.engine() as engine, tempfile.TemporaryDirectory(prefix="clary-user-", dir=memory.chosen()) as folder:
        if not engines.is_own(engine):
            pytest.skip("only an engine of the tests' own is opened to all")
        engines.open_to_all(engine)
        _try(Path(folder), "-k", chosen, DOCKER_HOST=f"unix://{engine.path}")


def _try(folder: Path, *more: str, **variables: str) -> None:
    folder.chmod(0o777)
    tests = folder / "tests" / "contract" / "compute"
    shutil.copytree(_HERE, tests, ignore=shutil.ignore_patterns("__pycache__", Path(__file__).name))
    (folder / "tests" / "__init__.py").touch()
    for name in ("engine.py", "memory.py", "running.py", "slowness.py"):
        shutil.copy(_HERE.parents[1] / name, folder / "tests")
    env = {
        "PYTHONPATH": os.pathsep.join([str(folder), *_search_path()]),
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        **({memory.TEMPORARY: chosen} if (chosen := memory.chosen()) else {}),
        **variables,
    }
    config = ["-c", os.devnull, "--rootdir", str(folder), "--import-mode=importlib", "-o", "asyncio_mode=auto"]
    options = [*config, "-p", "no:cacheprovider", "--basetemp", str(folder / "user"), "--timeout", "240", "-q", "-x"]
    options += ["-n", "2", "--dist", "loadfile"]  # these tests wait more than they compute
    done = subprocess.run(
        [*_as_user(), _PYTHON, "-m", "pytest", *options, *more, str(tests)],
        env=env,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
